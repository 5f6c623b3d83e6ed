import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { decodeBase64Url } from "@std/encoding/base64url";
import { type Backend, jwtBackend, type SecretKey } from "../backends/jwt.ts";
import { Session } from "../session.ts";
import { forgeToken, KEY, NOW, OTHER_KEY } from "./_tokens.ts";

/** Four good keys, the newest first. */
const KEYS = ["d", "c", "b", "a"].map((letter) => letter.repeat(32));

const SHORT_KEYS: [what: string, key: string | Uint8Array][] = [
  ["an empty string", ""],
  ["a string of 31 bytes", "k".repeat(31)],
  ["a string of 15 characters of two bytes", "é".repeat(15)],
  ["no bytes", new Uint8Array(0)],
  ["31 bytes", new Uint8Array(31).fill(7)],
];

const LONG_ENOUGH_KEYS: [what: string, key: string | Uint8Array][] = [
  ["a string of 32 bytes", "k".repeat(32)],
  ["a string of 16 characters of two bytes", "é".repeat(16)],
  ["a string of 1,000 bytes", "k".repeat(1000)],
  ["32 bytes", new Uint8Array(32).fill(7)],
  ["32 bytes inside a larger buffer", new Uint8Array(96).subarray(32, 64)],
];

const NO_KEYS: [what: string, key: unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["a number", 12345678901234567890123456789012],
  ["an object", { key: KEY }],
  ["an ArrayBuffer", new ArrayBuffer(32)],
  ["a list in a list", [[KEY]]],
  ["a list with a hole", [KEY, undefined]],
  ["an array of numbers", Array.from(new Uint8Array(4))],
];

const NO_HMAC_KEYS: [
  what: string,
  algorithm: HmacKeyGenParams | AesKeyGenParams,
  usages: KeyUsage[],
][] = [
  ["HMAC with SHA-512", { name: "HMAC", hash: "SHA-512" }, ["sign", "verify"]],
  ["AES", { name: "AES-GCM", length: 256 }, ["encrypt", "decrypt"]],
  ["signing alone", { name: "HMAC", hash: "SHA-256" }, ["sign"]],
  ["verifying alone", { name: "HMAC", hash: "SHA-256" }, ["verify"]],
];

function backendWith(
  secretKey: SecretKey | readonly SecretKey[],
  type?: string,
): Backend {
  return jwtBackend({ secretKey, type, clock: () => NOW * 1000 });
}

function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", bytes, algorithm, false, [
    "sign",
    "verify",
  ]);
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

for (const [what, key] of SHORT_KEYS) {
  Deno.test(`jwtBackend() throws a RangeError when the key is ${what}`, () => {
    assertThrows(() => backendWith(key), RangeError, "generateSecretKey()");
    assertThrows(() => backendWith([KEY, key]), RangeError, "fewer than 32");
  });
}

for (const [what, key] of LONG_ENOUGH_KEYS) {
  Deno.test(`jwtBackend() takes ${what} as the key`, async () => {
    const token = await backendWith(key).save({ n: 1 });
    assertEquals(await backendWith(key).load(token), { n: 1 });
  });
}

for (const [what, key] of NO_KEYS) {
  Deno.test(`jwtBackend() throws a TypeError when the key is ${what}`, () => {
    assertThrows(() => backendWith(key as SecretKey), TypeError, "secretKey");
  });
}

for (const [what, algorithm, usages] of NO_HMAC_KEYS) {
  Deno.test(`jwtBackend() throws a TypeError when the CryptoKey is for ${what}`, async () => {
    const key = await crypto.subtle.generateKey(algorithm, false, usages);
    assert(key instanceof CryptoKey);
    assertThrows(() => backendWith(key), TypeError, "CryptoKey");
  });
}

Deno.test("jwtBackend() throws a TypeError when the list of keys is empty", () => {
  assertThrows(() => backendWith([]), TypeError, "empty");
});

Deno.test("jwtBackend() throws a RangeError when there are five keys", () => {
  assertThrows(() => backendWith([...KEYS, KEY]), RangeError, "at most 4");
});

Deno.test("jwtBackend() takes a CryptoKey that can't be extracted as it is", async () => {
  const key = await importKey(bytesOf(KEY));
  assertStrictEquals(key.extractable, false);
  assertEquals(await backendWith(key).load(await forgeToken()), { n: 1 });
  assertEquals(await backendWith(key).save({ n: 1 }), await forgeToken());
});

Deno.test("jwtBackend() takes a CryptoKey of fewer than 32 bytes as it is", async () => {
  const bytes = bytesOf("short");
  const token = await forgeToken({ key: bytes });
  const backend = backendWith(await importKey(bytes));
  assertEquals(await backend.load(token), { n: 1 });
});

Deno.test("jwtBackend() signs alike with a key as text, bytes or CryptoKey", async () => {
  const forms = [KEY, bytesOf(KEY), await importKey(bytesOf(KEY))];
  const tokens = await Promise.all(
    forms.map((key) => backendWith(key).save({ n: 1 })),
  );
  assertStrictEquals(new Set(tokens).size, 1);
});

Deno.test("jwtBackend() reads tokens of all four keys", async () => {
  const backend = backendWith(KEYS);
  for (const key of KEYS) {
    assertEquals(await backend.load(await forgeToken({ key })), { n: 1 });
  }
});

Deno.test("jwtBackend() signs with the first of its keys", async () => {
  const token = await backendWith(KEYS).save({ n: 1 });
  assertEquals(token, await forgeToken({ key: KEYS[0] }));
});

Deno.test("jwtBackend() mixes keys of every form in a list", async () => {
  const [one, two, three] = KEYS;
  const backend = backendWith([
    one,
    bytesOf(two),
    await importKey(bytesOf(three)),
  ]);
  for (const key of [one, two, three]) {
    assertEquals(await backend.load(await forgeToken({ key })), { n: 1 });
  }
});

Deno.test("jwtBackend() refuses a token of a key that left the list", async () => {
  const token = await backendWith(KEYS[3]).save({ n: 1 });
  assertEquals(await backendWith(KEYS).load(token), { n: 1 });
  assertStrictEquals(await backendWith(KEYS.slice(0, 3)).load(token), null);
});

Deno.test("jwtBackend() keeps its keys when the caller's list changes", async () => {
  const keys = [KEY];
  const backend = backendWith(keys);
  keys[0] = OTHER_KEY;
  assertEquals(await backend.save({ n: 1 }), await forgeToken());
});

Deno.test("jwtBackend() keeps its key when the caller's bytes are wiped", async () => {
  const key = bytesOf(KEY);
  const backend = backendWith(key);
  key.fill(0);
  assertEquals(await backend.save({ n: 1 }), await forgeToken());
});

Deno.test("Session keeps its key when the caller's bytes are wiped before another option changes", async () => {
  const secretKey = bytesOf(KEY);
  const session = new Session({ secretKey });
  secretKey.fill(0);
  session.initialize({ maxAge: 60 });
  const wiped = await forgeToken({ key: new Uint8Array(KEY.length) });
  assertEquals(await session.decode(wiped), {});
  assertEquals(await session.encode({ n: 1 }), await forgeToken());
});

Deno.test("Session keeps its keys when the caller's list changes before another option does", async () => {
  const secretKey = [KEY];
  const session = new Session({ secretKey });
  secretKey[0] = OTHER_KEY;
  session.cookieOptions = { path: "/app" };
  assertEquals(await session.encode({ n: 1 }), await forgeToken());
});

Deno.test("jwtBackend() writes the header that its type says", async () => {
  const cases: [type: string | undefined, header: string][] = [
    [undefined, '{"alg":"HS256","typ":"JWT"}'],
    ["JWT", '{"alg":"HS256","typ":"JWT"}'],
    ["remember", '{"alg":"HS256","typ":"remember"}'],
  ];
  for (const [type, header] of cases) {
    const token = await backendWith(KEY, type).save({ n: 1 });
    const bytes = decodeBase64Url(token.split(".")[0]);
    assertEquals(new TextDecoder().decode(bytes), header);
  }
});

Deno.test("jwtBackend() reads the tokens of its own type", async () => {
  const token = await backendWith(KEY, "remember").save({ n: 1 });
  assertEquals(await backendWith(KEY, "remember").load(token), { n: 1 });
});

Deno.test("jwtBackend() keeps the tokens of two types apart", async () => {
  const types = [undefined, "remember", "Remember", "at+jwt"];
  for (const type of types) {
    const token = await backendWith(KEY, type).save({ n: 1 });
    for (const other of types) {
      const payload = await backendWith(KEY, other).load(token);
      assertEquals(payload, other === type ? { n: 1 } : null);
    }
  }
});

Deno.test("jwtBackend() counts a token without a type as a JWT alone", async () => {
  const token = await forgeToken({ header: '{"alg":"HS256"}' });
  assertEquals(await backendWith(KEY, "JWT").load(token), { n: 1 });
  assertStrictEquals(await backendWith(KEY, "remember").load(token), null);
});

Deno.test("jwtBackend.save() rejects a payload that JSON can't hold", async () => {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  for (const payload of [{ n: 1n }, loop]) {
    await assertRejects(() => backendWith(KEY).save(payload), TypeError);
  }
});

Deno.test("No error message holds a secret, a token or a payload", async () => {
  const secret = "s3cr3t";
  const content = "c0nt3nt";
  const key = secret.repeat(6);
  const session = new Session({ secretKey: key });
  const token = await session.encode({ content });
  const loop: Record<string, unknown> = { content };
  loop.loop = loop;
  const dict = await session.get(new Request("http://localhost/"));
  const attempts: (() => unknown)[] = [
    () => jwtBackend({ secretKey: secret }),
    () => jwtBackend({ secretKey: [key, secret] }),
    () => jwtBackend({ secretKey: Array(5).fill(key) }),
    () => jwtBackend({ secretKey: { key } as unknown as string }),
    () => jwtBackend({ secretKey: [[key]] as unknown as string[] }),
    () => new Session({ secretKey: secret }),
    () => session.secretKey = secret,
    () => session.initialize({ secretKey: secret }),
    () => session.encode({ content: BigInt(1), other: content }),
    () => session.encode({ content: () => content }),
    () => session.encode(loop),
    () => session.encode({ content: content.repeat(600) }),
    () => session.encode({}, secret),
    () => session.decode(token, secret),
    () => jwtBackend({ secretKey: key }).save(loop),
    () => jwtBackend({ secretKey: key }).save({ content, n: 1n }),
    () => Object.assign(dict, { content: new Map([[content, 1]]) }).save(),
    () => Object.assign(dict, { content: content.repeat(600) }).save(),
    () => Object.assign(dict, { content, iat: content }).save(),
  ];
  for (const attempt of attempts) {
    const error = await assertRejects(async () => await attempt(), Error);
    const text = `${error.message} ${error.cause}`;
    for (const part of [secret, content, ...token.split(".")]) {
      assert(!text.includes(part), `${attempt}: ${text}`);
    }
  }
});

Deno.test("No token that is refused leaves a trace in the log", async () => {
  const methods = ["debug", "error", "info", "log", "trace", "warn"] as const;
  const originals = methods.map((method) => console[method]);
  let count = 0;
  for (const method of methods) console[method] = () => void count++;
  try {
    const session = new Session({ secretKey: KEY, clock: () => NOW * 1000 });
    for (const payload of ["{", "[]", '{"exp":1}', '{"exp":"x"}', "\uFEFF{}"]) {
      await session.decode(await forgeToken({ payload }));
    }
    await session.decode(await forgeToken({ key: OTHER_KEY }));
    await session.decode("garbage");
  } finally {
    methods.forEach((method, index) => console[method] = originals[index]);
  }
  assertStrictEquals(count, 0);
});
