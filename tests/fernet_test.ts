import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import {
  type Backend,
  fernetBackend,
  type FernetBackendOptions,
  type Payload,
  type SecretKey,
} from "../backends/fernet.ts";
import {
  decryptToken,
  encryptToken,
  type FernetKey,
  importFernetKey,
} from "../backends/tokens/fernet_token.ts";
import { generateSecretKey } from "../helpers.ts";
import { Session } from "../session.ts";
import { NOW, requestWith, stoppedClock } from "./_helpers.ts";
import { Random } from "./_random.ts";

/** The real thing, where it is installed. */
const PYTHON = "/usr/bin/python3";

/** Of the Fernet Spec, as all of its vectors below. */
const SPEC_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

/** generate.json */
const GENERATE = {
  token:
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
  now: "1985-10-26T01:20:00-07:00",
  iv: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  src: "hello",
};

/** verify.json */
const VERIFY = {
  token:
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
  now: "1985-10-26T01:20:01-07:00",
  ttl_sec: 60,
  src: "hello",
};

/** invalid.json */
const INVALID = [
  {
    desc: "incorrect mac",
    token:
      "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "too short",
    token: "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "invalid base64",
    token:
      "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "payload size not multiple of block size",
    token:
      "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "payload padding error",
    token:
      "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "far-future TS (unacceptable clock skew)",
    token:
      "gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "expired TTL",
    token:
      "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
    now: "1985-10-26T01:21:31-07:00",
    ttl_sec: 60,
  },
  {
    desc: "incorrect IV (causes padding error)",
    token:
      "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
];

const KEY = "k".repeat(32);
const OTHER_KEY = "o".repeat(32);

/** What Muffin's `session_type="fernet"` is configured with. */
const MUFFIN_KEY = "x".repeat(32);
/** A key of 43 characters, as `generateSecretKey()` makes them. */
const LONG_KEY = "generated-by-generate-secret-key-43-chars-x";
/** 32 bytes in UTF-8, in 16 characters. */
const ACCENTED_KEY = "é".repeat(16);

/**
 * Made with python3-cryptography 38.0.4 at `NOW`, with the IV 0, 1, 2 to 15:
 * `Fernet(key)._encrypt_from_parts(json.dumps(data).encode(), now, iv)`, where
 * the key is `secretKey` itself, `urlsafe_b64encode` of its bytes, or that of
 * `HKDF(SHA256(), 32, None, b"denizen fernet").derive(secret)`.
 */
const PYTHON_TOKENS: {
  what: string;
  secretKey: string;
  token: string;
  data: Payload;
}[] = [
  {
    what: "a Fernet key",
    secretKey: SPEC_KEY,
    token:
      "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD-l33qw5t4VtnV79lUmkrhg9-smfc5G1TI6VfqhTy6APMxqMd7MDV7z4GkvCYKzpznHQ4CL-UOf5Sq-wAQDTk-8=",
    data: { name: "susan", n: 1 },
  },
  {
    what: "a Muffin secret of 32 bytes",
    secretKey: MUFFIN_KEY,
    token:
      "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD0YWWPkeRCZ2ud_qpz3yKUurgJ7kQ7IhxK2-u6uW6byp0Dqrgm3gUX0_4hedg3DkT0YvZK28pj6oklI6ye4Hr60=",
    data: { id: "susan", visits: 3 },
  },
  {
    what: "32 bytes of UTF-8",
    secretKey: ACCENTED_KEY,
    token:
      "gAAAAABlU_EAAAECAwQFBgcICQoLDA0ODzoLZHVbdAN4OaWWKO_I0QMYfroovYz5nxcOy3IOwUD_EY9Xdlrx_N5O3uw5mcIp5T0u8sfpTDEYpLTyhLSklUc=",
    data: { name: "zoë €" },
  },
  {
    what: "a longer key, by HKDF",
    secretKey: LONG_KEY,
    token:
      "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD-cX42PFAhpns1IIMkb3gQ3_j0oCyT0I5RlaP72anI1FRw_F0HGF8HCrLg4gDKxFo29U7Kito-Svxvql0IphFKQ=",
    data: { name: "susan" },
  },
];

const BAD_SPELLINGS: [why: string, spell: (token: string) => string][] = [
  ["without its padding", (token) => token.replace(/=+$/, "")],
  ["with half of its padding", (token) => token.slice(0, -1)],
  ["with more padding", (token) => token + "="],
  ["with a stray bit", (token) => token.slice(0, -3) + after(token.at(-3))],
  ["in the standard alphabet", toStandardAlphabet],
  ["with a space before it", (token) => ` ${token}`],
  ["with a line break after it", (token) => `${token}\n`],
  ["in quotes", (token) => `"${token}"`],
  ["with percent-encoding", (token) => token.replaceAll("=", "%3D")],
  ["twice", (token) => token + token],
  ["in two halves", (token) => `${token.slice(0, 60)}.${token.slice(60)}`],
];

/** Parts of a token whose MAC is right all the same. */
const FORGERIES: [why: string, parts: Partial<Parts>][] = [
  ["version 0x00", { version: 0 }],
  ["version 0x7F", { version: 0x7F }],
  ["version 0x81", { version: 0x81 }],
  ["a time 61 s ahead", { time: BigInt(NOW + 61) }],
  ["a time beyond 32 bits", { time: BigInt(NOW) + 2n ** 32n }],
  ["a time beyond 53 bits", { time: 2n ** 63n + BigInt(NOW) }],
  ["a time of all bits", { time: 2n ** 64n - 1n }],
  ["a time as old as maxAge", { time: BigInt(NOW - 100) }],
  ["the time 0", { time: 0n }],
  ["a version and nothing else", { signedBytes: 1 }],
  ["no IV", { signedBytes: 9 }],
  ["no ciphertext", { ciphertext: new Uint8Array() }],
  ["half a block", { ciphertext: new Uint8Array(8) }],
  ["a block and a half", { ciphertext: new Uint8Array(24) }],
  ["a block of padding errors", { ciphertext: new Uint8Array(16) }],
];

const BAD_CONTENTS: [why: string, content: string | Uint8Array<ArrayBuffer>][] =
  [
    ["nothing", ""],
    ["text", "hello"],
    ["an array", "[]"],
    ["null", "null"],
    ["a string", '"n"'],
    ["a number", "1"],
    ["half an object", '{"n":1'],
    ["a byte order mark", '\uFEFF{"n":1}'],
    [
      "invalid UTF-8",
      new Uint8Array([0x7B, 0x22, 0xC0, 0x22, 0x3A, 0x31, 0x7D]),
    ],
    ["exp that is now", `{"exp":${NOW}}`],
    ["exp as text", `{"exp":"${NOW + 9}"}`],
    ["exp beyond all numbers", '{"exp":1e400}'],
    ["nbf more than 60 s ahead", `{"nbf":${NOW + 61}}`],
    ["iat more than 60 s ahead", `{"iat":${NOW + 61}}`],
  ];

const BAD_KEYS: [
  why: string,
  secretKey: unknown,
  error: typeof TypeError | typeof RangeError,
  message: string,
][] = [
  ["31 bytes", "k".repeat(31), RangeError, "31 bytes"],
  ["31 bytes in an array", new Uint8Array(31), RangeError, "31 bytes"],
  ["no bytes", "", RangeError, "0 bytes"],
  ["a short second key", [KEY, "short"], RangeError, "5 bytes"],
  ["five keys", Array(5).fill(KEY), RangeError, "5 keys"],
  ["no key", undefined, TypeError, "undefined"],
  ["null", null, TypeError, "null"],
  ["a number", 32, TypeError, "number"],
  ["an empty list", [], TypeError, "empty"],
  ["a CryptoKey", await hmacKey(), TypeError, "pass the bytes"],
  ["a CryptoKey in a list", [KEY, await hmacKey()], TypeError, "the bytes"],
  ["a CryptoKey for AES", await aesKey(), TypeError, "pass the bytes"],
];

const BAD_MAX_AGES: [
  maxAge: unknown,
  error: typeof TypeError | typeof RangeError,
][] = [
  [0, RangeError],
  [-1, RangeError],
  [NaN, RangeError],
  ["60", TypeError],
  [null, TypeError],
];

/** What a token consists of. */
interface Parts {
  version: number;
  time: bigint;
  ciphertext: Uint8Array<ArrayBuffer>;
  /** How much of it there is. */
  signedBytes: number;
}

const encoder = new TextEncoder();

function stopped(
  options: Partial<FernetBackendOptions> = {},
  seconds = NOW,
): Backend {
  const clock = () => seconds * 1000;
  return fernetBackend({ secretKey: KEY, clock, ...options });
}

Deno.test("encryptToken() makes the token of the spec's generate.json", async () => {
  const token = await encryptToken(encoder.encode(GENERATE.src), {
    key: await specKey(),
    time: Date.parse(GENERATE.now) / 1000,
    iv: new Uint8Array(GENERATE.iv),
  });
  assertEquals(token, GENERATE.token);
});

Deno.test("decryptToken() reads the token of the spec's verify.json", async () => {
  const bytes = await decryptToken(VERIFY.token, {
    keys: [await specKey()],
    now: Date.parse(VERIFY.now) / 1000,
    maxAge: VERIFY.ttl_sec,
  });
  assert(bytes !== null);
  assertEquals(new TextDecoder().decode(bytes), VERIFY.src);
});

for (const { desc, token, now, ttl_sec } of INVALID) {
  Deno.test(`decryptToken() returns null for the spec's invalid.json: ${desc}`, async () => {
    const bytes = await decryptToken(token, {
      keys: [await specKey()],
      now: Date.parse(now) / 1000,
      maxAge: ttl_sec,
    });
    assertEquals(bytes, null);
  });
}

Deno.test("decryptToken() reads the spec's expired token a minute earlier", async () => {
  const expired = INVALID.find(({ desc }) => desc === "expired TTL");
  assert(expired !== undefined);
  const bytes = await decryptToken(expired.token, {
    keys: [await specKey()],
    now: Date.parse(expired.now) / 1000 - 60,
    maxAge: expired.ttl_sec,
  });
  assertEquals(bytes, new Uint8Array());
});

Deno.test("decryptToken() passes on an error that is none of the token's", async () => {
  const key = await specKey();
  const encryption = await aesKey(); // It may not decrypt.
  const error = await assertRejects(() =>
    decryptToken(VERIFY.token, {
      keys: [{ ...key, encryption }],
      now: Date.parse(VERIFY.now) / 1000,
      maxAge: undefined,
    })
  );
  assert(error instanceof DOMException);
  assertEquals(error.name, "InvalidAccessError");
});

Deno.test("fernetBackend() is authenticated", () => {
  assertEquals(stopped().authenticated, true);
});

for (const [why, secretKey, error, message] of BAD_KEYS) {
  Deno.test(`fernetBackend() refuses ${why} as key`, () => {
    const options = { secretKey } as FernetBackendOptions; // Wrong on purpose.
    const thrown = assertThrows(() => fernetBackend(options), error);
    assertStringIncludes(thrown.message, message);
    assert(!thrown.message.includes("kkk"));
  });
}

for (const [maxAge, error] of BAD_MAX_AGES) {
  Deno.test(`fernetBackend() refuses ${Deno.inspect(maxAge)} as maxAge`, () => {
    // Wrong on purpose.
    const options = { secretKey: KEY, maxAge } as FernetBackendOptions;
    assertThrows(() => fernetBackend(options), error, "Cannot use maxAge");
  });
}

for (const { what, secretKey, token, data } of PYTHON_TOKENS) {
  Deno.test(`fernetBackend.load() reads Python's token for ${what}`, async () => {
    assertEquals(await stopped({ secretKey }).load(token), data);
  });
}

Deno.test("fernetBackend.load() reads what save() made with each kind of key", async () => {
  const keys: SecretKey[] = [
    ...PYTHON_TOKENS.map(({ secretKey }) => secretKey),
    new Uint8Array(32),
    new Uint8Array(33),
    generateSecretKey(),
    "k".repeat(500),
  ];
  for (const secretKey of keys) {
    const token = await stopped({ secretKey }).save({ n: 1 });
    assertEquals(await stopped({ secretKey }).load(token), { n: 1 });
  }
});

Deno.test("fernetBackend.load() takes 32 bytes as the key that their text is", async () => {
  const token = await stopped().save({ n: 1 });
  const secretKey = encoder.encode(KEY);
  assertEquals(await stopped({ secretKey }).load(token), { n: 1 });
});

Deno.test("fernetBackend.load() takes a Fernet key as the 32 bytes that it spells", async () => {
  const token = await stopped().save({ n: 1 });
  const secretKey = encodeBase64Url(encoder.encode(KEY)) + "=";
  assertEquals(secretKey.length, 44);
  assertEquals(await stopped({ secretKey }).load(token), { n: 1 });
});

Deno.test("fernetBackend.load() takes another 44 characters as a longer key", async () => {
  const bare = encodeBase64Url(encoder.encode(KEY));
  // No padding, a stray bit, and bytes in place of text.
  const keys = [
    `${bare}A`,
    `${bare.slice(0, -1)}${after(bare.at(-1))}=`,
    encoder.encode(`${bare}=`),
  ];
  const token = await stopped().save({ n: 1 });
  for (const secretKey of keys) {
    assertEquals(secretKey.length, 44);
    assertEquals(await stopped({ secretKey }).load(token), null);
  }
});

Deno.test("fernetBackend.load() returns null for another key's token", async () => {
  const token = await stopped({ secretKey: OTHER_KEY }).save({ n: 1 });
  assertEquals(await stopped().load(token), null);
});

Deno.test("fernetBackend.load() reads a token of each key in a list of four", async () => {
  const keys = [KEY, OTHER_KEY, MUFFIN_KEY, LONG_KEY];
  const rotated = stopped({ secretKey: keys });
  for (const secretKey of keys) {
    const token = await stopped({ secretKey }).save({ n: 1 });
    assertEquals(await rotated.load(token), { n: 1 });
  }
});

Deno.test("fernetBackend.save() encrypts with the first key of a list", async () => {
  const token = await stopped({ secretKey: [OTHER_KEY, KEY] }).save({ n: 1 });
  assertEquals(await stopped({ secretKey: OTHER_KEY }).load(token), { n: 1 });
  assertEquals(await stopped({ secretKey: KEY }).load(token), null);
});

Deno.test("fernetBackend() keeps its keys when the caller's arrays change", async () => {
  const bytes = encoder.encode(KEY);
  const secretKey = [bytes];
  const backend = stopped({ secretKey });
  bytes.fill(0);
  secretKey.pop();
  const token = await backend.save({ n: 1 });
  assertEquals(await stopped().load(token), { n: 1 });
});

Deno.test("fernetBackend.save() makes another token each time", async () => {
  const backend = stopped();
  assertNotEquals(await backend.save({ n: 1 }), await backend.save({ n: 1 }));
});

Deno.test("fernetBackend.save() writes the version and the time in seconds", async () => {
  const clock = () => NOW * 1000 + 999;
  const bytes = decode(await stopped({ clock }).save({ n: 1 }));
  assertEquals(bytes[0], 0x80);
  assertEquals(new DataView(bytes.buffer).getBigUint64(1), BigInt(NOW));
});

Deno.test("fernetBackend.save() leaves nothing of the data readable", async () => {
  const token = await stopped().save({ name: "susan", admin: true });
  const text = new TextDecoder("latin1").decode(decode(token));
  assert(!text.includes("susan"));
  assert(!text.includes("admin"));
});

Deno.test("fernetBackend.save() rejects what JSON cannot hold", async () => {
  await assertRejects(() => stopped().save({ n: 1n }), TypeError);
});

Deno.test("fernetBackend.load() returns null for any changed character", async () => {
  const backend = stopped();
  const token = await backend.save({ n: 1 });
  for (let i = 0; i < token.length; i++) {
    const changed = token[i] === "A" ? "B" : "A";
    const mutation = token.slice(0, i) + changed + token.slice(i + 1);
    assertEquals(await backend.load(mutation), null, `character ${i}`);
  }
});

Deno.test("fernetBackend.load() returns null for any part of a token", async () => {
  const backend = stopped();
  const token = await backend.save({ n: 1 });
  for (let i = 0; i < token.length; i++) {
    assertEquals(await backend.load(token.slice(0, i)), null);
    assertEquals(await backend.load(token.slice(i + 1)), null);
  }
});

for (const [why, spell] of BAD_SPELLINGS) {
  Deno.test(`fernetBackend.load() returns null for a token ${why}`, async () => {
    const token = await forge({}, '{"n":1}');
    assert(token.endsWith("=="), "there is padding to spell");
    assert(/[-_]/.test(token), "there are characters to spell");
    const warm = stopped();
    assert(await warm.load(token));
    assertNotEquals(spell(token), token);
    assertEquals(await stopped().load(spell(token)), null);
    assertEquals(await warm.load(spell(token)), null);
  });
}

Deno.test("fernetBackend.load() reads a token that was made by hand", async () => {
  const token = await forge({}, '{"n":1}');
  assertEquals(await stopped({ maxAge: 100 }).load(token), { n: 1 });
});

for (const [why, parts] of FORGERIES) {
  Deno.test(`fernetBackend.load() returns null for ${why} under a good MAC`, async () => {
    const token = await forge(parts, '{"n":1}');
    assertEquals(await stopped({ maxAge: 100 }).load(token), null);
  });
}

for (const [why, content] of BAD_CONTENTS) {
  Deno.test(`fernetBackend.load() returns null when the content is ${why}`, async () => {
    assertEquals(await stopped().load(await forge({}, content)), null);
  });
}

Deno.test("fernetBackend.load() takes __proto__ and constructor as plain data", async () => {
  const text = '{"__proto__":{"admin":true},"constructor":1}';
  const backend = stopped();
  const token = await forge({}, text);
  for (const _ of ["cold", "warm"]) {
    const payload = await backend.load(token);
    assert(payload !== null);
    assertEquals(Object.keys(payload), ["__proto__", "constructor"]);
    assertEquals(Object.getPrototypeOf(payload), Object.prototype);
    assertEquals(payload.admin, undefined);
  }
});

Deno.test("fernetBackend.load() reads no token of over 4,096 characters", async () => {
  const backend = stopped();
  const longest = await backend.save({ text: "x".repeat(2996) });
  assertEquals(longest.length, 4088);
  assert(await stopped().load(longest));
  const longer = await backend.save({ text: "x".repeat(2997) });
  assertEquals(longer.length, 4108);
  assertEquals(await stopped().load(longer), null);
  assertEquals(await backend.load(longer), null);
});

for (const state of ["cold", "warm"]) {
  const loadAt = async (
    token: string,
    seconds: number,
    maxAge?: number,
  ): Promise<Payload | null> => {
    let now = NOW;
    const backend = stopped({ maxAge, clock: () => now * 1000 });
    if (state === "warm") assert(await backend.load(token));
    now = seconds;
    const loaded = backend.load(token);
    assertEquals(loaded instanceof Promise, state === "cold");
    return loaded;
  };

  Deno.test(`fernetBackend.load() accepts a ${state} token from 60 s ahead`, async () => {
    const token = await stopped().save({ n: 1 });
    assertEquals(await loadAt(token, NOW - 60), { n: 1 });
  });

  Deno.test(`fernetBackend.load() refuses a ${state} token from further ahead`, async () => {
    const token = await stopped().save({ n: 1 });
    assertEquals(await loadAt(token, NOW - 60.001), null);
  });

  Deno.test(`fernetBackend.load() accepts a ${state} token until its maxAge`, async () => {
    const token = await stopped().save({ n: 1 });
    assertEquals(await loadAt(token, NOW + 99.999, 100), { n: 1 });
  });

  Deno.test(`fernetBackend.load() refuses a ${state} token from its maxAge on`, async () => {
    const token = await stopped().save({ n: 1 });
    assertEquals(await loadAt(token, NOW + 100, 100), null);
  });

  Deno.test(`fernetBackend.load() accepts a ${state} token for ever without maxAge`, async () => {
    const token = await stopped().save({ n: 1 });
    assertEquals(await loadAt(token, NOW * 2), { n: 1 });
  });

  Deno.test(`fernetBackend.load() refuses a ${state} token at its exp`, async () => {
    const token = await stopped().save({ exp: NOW + 5 });
    assertEquals(await loadAt(token, NOW + 4.999), { exp: NOW + 5 });
    assertEquals(await loadAt(token, NOW + 5), null);
  });

  Deno.test(`fernetBackend.load() refuses a ${state} token long before its nbf`, async () => {
    const token = await stopped().save({ nbf: NOW + 30 });
    assertEquals(await loadAt(token, NOW - 30), { nbf: NOW + 30 });
    assertEquals(await loadAt(token, NOW - 31), null);
  });
}

Deno.test("fernetBackend.load() answers at once for a token seen before", async () => {
  const [writer, reader] = [stopped(), stopped()];
  const token = await writer.save({ n: 1 });
  assertEquals(writer.load(token), { n: 1 });
  await loadCold(reader, token);
  assertEquals(reader.load(token), { n: 1 });
});

Deno.test("fernetBackend.load() remembers no token that it refused", async () => {
  const { clock, advance } = stoppedClock();
  const token = await stopped({ clock }).save({ n: 1 });
  const reader = stopped({ clock, maxAge: 10 });
  advance(10);
  assertEquals(await loadCold(reader, token), null);
  assertEquals(await loadCold(reader, token), null);
  advance(-1);
  assertEquals(await loadCold(reader, token), { n: 1 });
});

Deno.test("fernetBackend.load() remembers no token whose payload has expired", async () => {
  const token = await stopped().save({ exp: NOW });
  const reader = stopped();
  assertEquals(await loadCold(reader, token), null);
  assertEquals(await loadCold(reader, token), null);
});

Deno.test("fernetBackend.load() gives each reader data of its own", async () => {
  const backend = stopped();
  const data = { list: [1] };
  const token = await backend.save(data);
  data.list.push(2);
  const first = await backend.load(token);
  assertEquals(first, { list: [1] });
  assert(first !== null);
  first.list = "changed";
  assertEquals(await backend.load(token), { list: [1] });
});

Deno.test("fernetBackend.remove() forgets a token", async () => {
  const backend = stopped();
  const token = await backend.save({ n: 1 });
  await backend.remove?.(token);
  assertEquals(await loadCold(backend, token), { n: 1 });
});

Deno.test("fernetBackend.load() remembers no more than 1,024 tokens", async () => {
  const backend = stopped();
  const first = await backend.save({ n: 0 });
  for (let n = 1; n <= 1024; n++) await backend.save({ n });
  assertEquals(await loadCold(backend, first), { n: 0 });
});

Deno.test("fernetBackend.load() reads the same with and without a memory", async () => {
  const random = new Random(7);
  const { clock, advance } = stoppedClock();
  const keys = [KEY, OTHER_KEY, SPEC_KEY];
  const options = { secretKey: keys.slice(0, 2), maxAge: 300, clock };
  const warm = fernetBackend(options);
  const tokens: string[] = [];
  const seen = { valid: 0, invalid: 0, remembered: 0 };
  for (let step = 0; step < 3000; step++) {
    if (tokens.length < 5 || random.chance(0.02)) {
      const secretKey = random.pick(keys);
      const exp = clock() / 1000 + random.integer(-10, 400);
      const payload = random.chance(0.5) ? { step } : { step, exp };
      tokens.push(await fernetBackend({ secretKey, clock }).save(payload));
    }
    if (random.chance(0.1)) advance(random.integer(-90, 100));
    if (random.chance(0.01)) await warm.remove?.(random.pick(tokens));
    const recent = tokens.slice(-8);
    const token = random.chance(0.9)
      ? random.pick(recent)
      : random.pick(recent).replace(/.{3}$/, after(step % 2 ? "A==" : "="));
    const loaded = warm.load(token);
    const payload = await loaded;
    assertEquals(payload, await fernetBackend(options).load(token));
    if (!(loaded instanceof Promise)) seen.remembered++;
    if (payload === null) seen.invalid++;
    else seen.valid++;
    if (payload !== null) payload.step = "edited";
  }
  for (const [what, count] of Object.entries(seen)) assert(count > 200, what);
});

Deno.test("fernetBackend.load() and save() may be called at once", async () => {
  const tokens = await Promise.all(
    Array.from({ length: 20 }, (_, n) => stopped().save({ n })),
  );
  const reader = stopped();
  const loaded = await Promise.all(tokens.map((token) => reader.load(token)));
  assertEquals(loaded, tokens.map((_, n) => ({ n })));
});

Deno.test("Session with fernetBackend() reads a cookie of Muffin", async () => {
  const [, { secretKey, token, data }] = PYTHON_TOKENS;
  const clock = () => NOW * 1000;
  const backend = fernetBackend({ secretKey, clock });
  const session = new Session({ backend, clock });
  const request = requestWith(`session=${token}`);
  assertEquals({ ...await session.get(request) }, data);
});

Deno.test("Session with fernetBackend() reads nothing from a JWT of its key", async () => {
  const clock = () => NOW * 1000;
  const jwt = await new Session({ secretKey: KEY, clock }).encode({ n: 1 });
  const session = new Session({ backend: stopped(), clock });
  assertEquals({ ...await session.get(requestWith(`session=${jwt}`)) }, {});
});

Deno.test({
  name: "fernetBackend exchanges tokens with Python's cryptography both ways",
  ignore: !await hasPythonFernet(),
  async fn() {
    const data = { name: "zoë €", list: [1, null, true] };
    for (const { secretKey, what } of PYTHON_TOKENS) {
      const backend = fernetBackend({ secretKey, maxAge: 60 });
      const token = await backend.save(data);
      const [read, written] = await runPython(
        `
import base64, json, sys
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

secret, token = sys.argv[1:]
key = secret.encode()
if len(key) == 32:
    key = base64.urlsafe_b64encode(key)
elif len(key) != 44:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"denizen fernet")
    key = base64.urlsafe_b64encode(hkdf.derive(key))
fernet = Fernet(key)
data = json.loads(fernet.decrypt(token.encode(), ttl=60))
print(json.dumps(data))
print(fernet.encrypt(json.dumps(data).encode()).decode())`,
        secretKey,
        token,
      );
      assertEquals(JSON.parse(read), data, what);
      assertEquals(await backend.load(written), data, what);
    }
  },
});

/** Loads a token that the backend must not remember. */
function loadCold(backend: Backend, token: string): Promise<Payload | null> {
  const loaded = backend.load(token);
  assert(loaded instanceof Promise, "the token is remembered");
  return loaded;
}

function specKey(): Promise<FernetKey> {
  return importFernetKey(decode(SPEC_KEY));
}

/** A token of `KEY` with a good MAC over whatever it holds. */
async function forge(
  parts: Partial<Parts>,
  content: string | Uint8Array<ArrayBuffer>,
): Promise<string> {
  const iv = new Uint8Array(16);
  const key = encoder.encode(KEY);
  const aes = await crypto.subtle.importKey(
    "raw",
    key.slice(16),
    "AES-CBC",
    false,
    ["encrypt"],
  );
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  const ciphertext = parts.ciphertext ??
    new Uint8Array(
      await crypto.subtle.encrypt({ name: "AES-CBC", iv }, aes, bytes),
    );
  const head = new DataView(new ArrayBuffer(9));
  head.setUint8(0, parts.version ?? 0x80);
  head.setBigUint64(1, parts.time ?? BigInt(NOW));
  const signed = new Uint8Array([
    ...new Uint8Array(head.buffer),
    ...iv,
    ...ciphertext,
  ]).slice(0, parts.signedBytes);
  const hmac = await hmacKey(key.slice(0, 16));
  const mac = await crypto.subtle.sign("HMAC", hmac, signed);
  const bare = encodeBase64Url(
    new Uint8Array([...signed, ...new Uint8Array(mac)]),
  );
  return bare + "=".repeat((4 - bare.length % 4) % 4);
}

function hmacKey(bytes = new Uint8Array(32)): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", bytes, algorithm, false, [
    "sign",
    "verify",
  ]);
}

function aesKey(): Promise<CryptoKey> {
  const bytes = new Uint8Array(16);
  return crypto.subtle.importKey("raw", bytes, "AES-CBC", false, ["encrypt"]);
}

/** The text with its first character replaced by the next one. */
function after(text = ""): string {
  return String.fromCharCode(text.charCodeAt(0) + 1) + text.slice(1);
}

function decode(token: string): Uint8Array<ArrayBuffer> {
  const text = atob(toStandardAlphabet(token));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function toStandardAlphabet(token: string): string {
  return token.replaceAll("-", "+").replaceAll("_", "/");
}

async function hasPythonFernet(): Promise<boolean> {
  try {
    const args = ["-c", "import cryptography.fernet"];
    const { success } = await new Deno.Command(PYTHON, { args }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function runPython(code: string, ...args: string[]): Promise<string[]> {
  const command = new Deno.Command(PYTHON, { args: ["-c", code, ...args] });
  const { success, stdout, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n");
}
