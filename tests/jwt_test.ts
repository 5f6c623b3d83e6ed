import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { type Backend, jwtBackend, type SecretKey } from "../backends/jwt.ts";
import {
  ALPHABET,
  countVerifications,
  forgeToken,
  HEADER,
  KEY,
  NOW,
  OTHER_KEY,
  otherSpellings,
  signInput,
} from "./_tokens.ts";

/** A text, or the bytes of one that is not valid. */
type Text = string | Uint8Array<ArrayBuffer>;

/** RFC 7515 appendix A.1, an example of RFC 7519 section 3.1 too. */
const RFC_7515_A1 = {
  key: decodeBase64Url(
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
  ),
  token: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
  payload: {
    iss: "joe",
    exp: 1300819380,
    "http://example.com/is_root": true,
  },
};

/** Headers of tokens whose MAC is right all the same. */
const BAD_HEADERS: [why: string, header: Text][] = [
  ["alg none", '{"alg":"none","typ":"JWT"}'],
  ["alg None", '{"alg":"None","typ":"JWT"}'],
  ["alg NONE", '{"alg":"NONE","typ":"JWT"}'],
  ["alg nOnE", '{"alg":"nOnE","typ":"JWT"}'],
  ["alg HS384", '{"alg":"HS384","typ":"JWT"}'],
  ["alg HS512", '{"alg":"HS512","typ":"JWT"}'],
  ["alg RS256", '{"alg":"RS256","typ":"JWT"}'],
  ["alg ES256", '{"alg":"ES256","typ":"JWT"}'],
  ["alg dir", '{"alg":"dir","enc":"A256GCM","typ":"JWT"}'],
  ["alg in lower case", '{"alg":"hs256","typ":"JWT"}'],
  ["alg with a space", '{"alg":"HS256 ","typ":"JWT"}'],
  ["an empty alg", '{"alg":"","typ":"JWT"}'],
  ["alg null", '{"alg":null,"typ":"JWT"}'],
  ["alg true", '{"alg":true,"typ":"JWT"}'],
  ["a list of algs", '{"alg":["HS256"],"typ":"JWT"}'],
  ["no alg", '{"typ":"JWT"}'],
  ["ALG in place of alg", '{"ALG":"HS256","typ":"JWT"}'],
  ["alg in __proto__", '{"__proto__":{"alg":"HS256"},"typ":"JWT"}'],
  ["crit", '{"alg":"HS256","typ":"JWT","crit":["exp"],"exp":1}'],
  ["an empty crit", '{"alg":"HS256","typ":"JWT","crit":[]}'],
  ["crit null", '{"alg":"HS256","typ":"JWT","crit":null}'],
  ["b64 false", '{"alg":"HS256","typ":"JWT","b64":false}'],
  ["b64 true", '{"alg":"HS256","typ":"JWT","b64":true}'],
  ["b64 that is critical", '{"alg":"HS256","b64":false,"crit":["b64"]}'],
  ["another typ", '{"alg":"HS256","typ":"remember"}'],
  ["typ in lower case", '{"alg":"HS256","typ":"jwt"}'],
  ["an access token's typ", '{"alg":"HS256","typ":"at+jwt"}'],
  ["an empty typ", '{"alg":"HS256","typ":""}'],
  ["typ null", '{"alg":"HS256","typ":null}'],
  ["a list of typs", '{"alg":"HS256","typ":["JWT"]}'],
  ["an array as header", "[]"],
  ["an array of a header", `[${HEADER}]`],
  ["null as header", "null"],
  ["a string as header", '"HS256"'],
  ["a number as header", "256"],
  ["an empty object as header", "{}"],
  ["no header", ""],
  ["a header that is no JSON", "HS256"],
  ["half a header", '{"alg":"HS256"'],
  ["two headers", HEADER + HEADER],
  ["a byte order mark before the header", `\uFEFF${HEADER}`],
  [
    "a header that is not UTF-8",
    new TextEncoder().encode('{"alg":"HS256","x":"\0"}').map((byte) =>
      byte || 0xFF
    ),
  ],
];

const GOOD_HEADERS: [what: string, header: string][] = [
  ["no typ", '{"alg":"HS256"}'],
  ["another order", '{"typ":"JWT","alg":"HS256"}'],
  ["white space", ' {\r\n\t"alg": "HS256" }\n'],
  ["escapes in JSON", '{"\\u0061lg":"HS\\u003256"}'],
  ["a kid", '{"alg":"HS256","kid":"../../dev/null"}'],
  ["a cty", '{"alg":"HS256","cty":"json"}'],
  ["a jku", '{"alg":"HS256","jku":"http://127.0.0.1:9/keys"}'],
  ["an x5u", '{"alg":"HS256","x5u":"http://127.0.0.1:9/chain"}'],
  ["an x5c", '{"alg":"HS256","x5c":["MIIB"]}'],
  ["a jwk", `{"alg":"HS256","jwk":{"kty":"oct","k":"${"A".repeat(43)}"}}`],
];

const BAD_PAYLOADS: [why: string, payload: Text][] = [
  ["an array as payload", "[]"],
  ["an array of a payload", '[{"n":1}]'],
  ["null as payload", "null"],
  ["a string as payload", '"x"'],
  ["a number as payload", "1"],
  ["a boolean as payload", "true"],
  ["no payload", ""],
  ["a payload that is no JSON", "n=1"],
  ["half a payload", '{"n":1'],
  ["two payloads", '{"n":1}{"n":2}'],
  ["a byte order mark before the payload", '\uFEFF{"n":1}'],
  ["3,000 levels of nesting that never end", "[".repeat(3000)],
  ["a payload of one invalid byte", new Uint8Array([0xFF])],
  [
    "a string with an invalid byte",
    new Uint8Array([0x7B, 0x22, 0x6E, 0x22, 0x3A, 0x22, 0xC0, 0x22, 0x7D]),
  ],
  [
    "a string with half a surrogate pair in UTF-8",
    new Uint8Array([0x7B, 0x22, 0xED, 0xA0, 0x80, 0x22, 0x3A, 0x31, 0x7D]),
  ],
];

/** Values of `exp` and `nbf`, in JSON, that are no time at all. */
const NO_TIMES = [
  `"${NOW}"`,
  '"9999999999"',
  '"never"',
  '""',
  "1e400",
  "-1e400",
  "null",
  "true",
  "false",
  "[]",
  "[9999999999]",
  "{}",
];

const OUT_OF_TIME: [why: string, payload: string][] = [
  ["an exp of now", `{"exp":${NOW}}`],
  ["an exp a second ago", `{"exp":${NOW - 1}}`],
  ["an exp of 0", '{"exp":0}'],
  ["a negative exp", '{"exp":-1}'],
  ["an nbf 61 s ahead", `{"nbf":${NOW + 61}}`],
  ["an nbf a little more than 60 s ahead", `{"nbf":${NOW + 60}.001}`],
  ["an iat 61 s ahead", `{"iat":${NOW + 61}}`],
  ["an iat a little more than 60 s ahead", `{"iat":${NOW + 60}.001}`],
  ["an nbf ahead of a good exp", `{"nbf":${NOW + 100},"exp":${NOW + 200}}`],
  ["an iat ahead of a good exp", `{"iat":${NOW + 100},"exp":${NOW + 200}}`],
  ["the last of two exp, which is over", `{"exp":${NOW + 9},"exp":${NOW - 9}}`],
];

const IN_TIME: [what: string, payload: string][] = [
  ["no claims", "{}"],
  ["an exp in a second", `{"exp":${NOW + 1}}`],
  ["an exp in a millisecond", `{"exp":${NOW}.001}`],
  ["an exp in ten thousand years", '{"exp":3e11}'],
  ["an nbf of now", `{"nbf":${NOW}}`],
  ["an nbf exactly 60 s ahead", `{"nbf":${NOW + 60}}`],
  ["an iat of now", `{"iat":${NOW}}`],
  ["an iat exactly 60 s ahead", `{"iat":${NOW + 60}}`],
  ["an iat of 0", '{"iat":0,"nbf":0}'],
];

/** What a `Cookie` header may hold in place of a token. */
const GARBAGE: [why: string, token: string][] = [
  ["nothing", ""],
  ["one dot", "."],
  ["two dots", ".."],
  ["a word", "undefined"],
  ["100,000 dots", ".".repeat(100_000)],
  ["1,000,000 characters", "A".repeat(1_000_000)],
  ["JSON", '{"alg":"none"}.{"n":1}.'],
  ["a letter outside of ASCII", "é.é.é"],
  ["half a surrogate pair", "\uD800.\uDC00.\uD800"],
  ["a NUL", "\0.\0.\0"],
  ["__proto__", "__proto__"],
];

function backendAt(
  now: number,
  secretKey: SecretKey | readonly SecretKey[] = KEY,
): Backend {
  return jwtBackend({ secretKey, clock: () => now * 1000 });
}

/** The MAC as a lax decoder reads it, which drops stray bits. */
function macOf(token: string): Uint8Array {
  return Uint8Array.fromBase64(token.split(".")[2], { alphabet: "base64url" });
}

/** Asserts that a token is refused, and still is when it is seen again. */
async function assertRefused(
  token: string,
  backend = backendAt(NOW),
): Promise<void> {
  assertStrictEquals(await backend.load(token), null, token.slice(0, 200));
  assertStrictEquals(await backend.load(token), null, "at the second read");
}

Deno.test("jwtBackend.load() reads the token of RFC 7515 A.1 before its exp", async () => {
  const { key, token, payload } = RFC_7515_A1;
  const backend = backendAt(payload.exp - 1, key);
  assertEquals(await backend.load(token), payload);
});

Deno.test("jwtBackend.load() refuses the token of RFC 7515 A.1 at its exp", async () => {
  const { key, token, payload } = RFC_7515_A1;
  await assertRefused(token, backendAt(payload.exp, key));
  await assertRefused(token, backendAt(NOW, key));
});

Deno.test("jwtBackend.load() reads a token made by hand", async () => {
  const token = await forgeToken({ payload: '{"n":1}' });
  assertEquals(await backendAt(NOW).load(token), { n: 1 });
});

Deno.test("jwtBackend.load() refuses a token of another key", async () => {
  await assertRefused(await forgeToken({ key: OTHER_KEY }));
});

Deno.test("jwtBackend.load() refuses a token of the key with a byte more", async () => {
  await assertRefused(await forgeToken({ key: `${KEY}!` }));
});

for (const [why, header] of BAD_HEADERS) {
  Deno.test(`jwtBackend.load() refuses ${why}`, async () => {
    await assertRefused(await forgeToken({ header }));
  });
}

for (const hash of ["SHA-384", "SHA-512"] as const) {
  Deno.test(`jwtBackend.load() refuses a MAC of HMAC with ${hash}`, async () => {
    const alg = `HS${hash.slice(4)}`;
    await assertRefused(
      await forgeToken({ header: `{"alg":"${alg}","typ":"JWT"}`, hash }),
    );
    await assertRefused(await forgeToken({ hash }));
  });
}

for (const [what, header] of GOOD_HEADERS) {
  Deno.test(`jwtBackend.load() reads a token whose header has ${what}`, async () => {
    const token = await forgeToken({ header });
    assertEquals(await backendAt(NOW).load(token), { n: 1 });
  });
}

Deno.test("jwtBackend.load() refuses the key that a token brings along", async () => {
  const jwk = { kty: "oct", k: encodeBase64Url(OTHER_KEY) };
  const header = JSON.stringify({ alg: "HS256", typ: "JWT", jwk });
  await assertRefused(await forgeToken({ header, key: OTHER_KEY }));
});

Deno.test("jwtBackend.load() fetches nothing that a token points to", async () => {
  const original = globalThis.fetch;
  let count = 0;
  globalThis.fetch = () => {
    count++;
    return Promise.reject(new Error("No fetch was expected"));
  };
  try {
    const url = "http://127.0.0.1:9/";
    const header = JSON.stringify({ alg: "HS256", jku: url, x5u: url });
    await backendAt(NOW).load(await forgeToken({ header }));
    await backendAt(NOW).load(await forgeToken({ header, key: OTHER_KEY }));
  } finally {
    globalThis.fetch = original;
  }
  assertStrictEquals(count, 0);
});

Deno.test("jwtBackend.load() parses nothing whose MAC is wrong", async () => {
  const token = await forgeToken({ key: OTHER_KEY, header: '{"alg":"none"}' });
  const original = JSON.parse;
  let count = 0;
  JSON.parse = (...args) => {
    count++;
    return original(...args);
  };
  try {
    await backendAt(NOW).load(token);
  } finally {
    JSON.parse = original;
  }
  assertStrictEquals(count, 0);
});

for (const [why, payload] of BAD_PAYLOADS) {
  Deno.test(`jwtBackend.load() refuses ${why}`, async () => {
    await assertRefused(await forgeToken({ payload }));
  });
}

for (const claim of ["exp", "nbf"]) {
  for (const json of NO_TIMES) {
    Deno.test(`jwtBackend.load() refuses ${claim} ${json}`, async () => {
      const payload = `{"n":1,"${claim}":${json}}`;
      await assertRefused(await forgeToken({ payload }));
    });
  }
}

for (const [why, payload] of OUT_OF_TIME) {
  Deno.test(`jwtBackend.load() refuses ${why}`, async () => {
    await assertRefused(await forgeToken({ payload }));
  });
}

for (const [what, payload] of IN_TIME) {
  Deno.test(`jwtBackend.load() accepts ${what}`, async () => {
    const token = await forgeToken({ payload });
    assertEquals(await backendAt(NOW).load(token), JSON.parse(payload));
  });
}

Deno.test("jwtBackend.load() refuses an exp half a second ago", async () => {
  const token = await forgeToken({ payload: `{"exp":${NOW}}` });
  await assertRefused(token, backendAt(NOW + 0.5));
});

for (const [why, token] of GARBAGE) {
  Deno.test(`jwtBackend.load() refuses ${why} in place of a token`, async () => {
    await assertRefused(token);
  });
}

Deno.test("jwtBackend.load() refuses a token of another number of parts", async () => {
  const token = await forgeToken();
  const [header, payload, mac] = token.split(".");
  await assertRefused(header);
  await assertRefused(`${header}.${payload}`);
  await assertRefused(`${header}.${payload}.`);
  await assertRefused(`.${payload}.${mac}`);
  await assertRefused(`${header}..${mac}`);
  await assertRefused(`${token}.`);
  await assertRefused(`.${token}`);
  await assertRefused(`${token}.${mac}`);
  await assertRefused(`${header}.${payload}..${mac}`);
});

Deno.test("jwtBackend.load() refuses a token of another number of parts that is signed", async () => {
  const [header, payload] = (await forgeToken()).split(".");
  await assertRefused(await signInput(header));
  await assertRefused(await signInput(`${header}.${payload}.`));
  await assertRefused(await signInput(`${header}.${payload}.${payload}`));
});

Deno.test("jwtBackend.load() reads a token of 4,096 characters", async () => {
  const payload = JSON.stringify({ x: "x".repeat(3003) });
  const token = await forgeToken({ payload });
  assertStrictEquals(token.length, 4096);
  assertEquals(await backendAt(NOW).load(token), JSON.parse(payload));
});

Deno.test("jwtBackend.load() refuses a token of 4,097 characters", async () => {
  const token = await forgeToken({
    payload: JSON.stringify({ x: "x".repeat(3004) }),
  });
  assertStrictEquals(token.length, 4097);
  await assertRefused(token);
});

Deno.test("jwtBackend.load() refuses a token over 4,096 characters that it made itself", async () => {
  const backend = backendAt(NOW);
  await assertRefused(await backend.save({ x: "x".repeat(3004) }), backend);
});

Deno.test("jwtBackend.load() verifies nothing that is no token by its form", async () => {
  const backend = backendAt(NOW);
  const token = await forgeToken();
  const count = await countVerifications(async () => {
    for (const [, garbage] of GARBAGE) await backend.load(garbage);
    await backend.load(token.slice(0, -1));
    await backend.load(`${token}=`);
    await backend.load(`${token}${"A".repeat(4096)}`);
  });
  assertStrictEquals(count, 0);
});

Deno.test("jwtBackend.load() refuses every other spelling of a signature's last character", async () => {
  const lastOnes = new Set<string>();
  for (let n = 0; lastOnes.size < 16; n++) {
    const token = await forgeToken({ payload: `{"n":${n}}` });
    const backend = backendAt(NOW);
    lastOnes.add(token.slice(-1));
    for (const other of otherSpellings(token)) {
      assertEquals(macOf(other), macOf(token));
      await assertRefused(other, backend);
    }
    assertEquals(await backend.load(token), { n });
    for (const other of otherSpellings(token)) {
      await assertRefused(other, backend);
    }
  }
  assertEquals([...lastOnes].sort().join(""), "048AEIMQUYcgkosw");
});

Deno.test("jwtBackend.load() refuses any other character in any place", async () => {
  const backend = backendAt(NOW);
  const token = await backend.save({ n: 1 });
  for (let place = 0; place < token.length; place++) {
    const value = ALPHABET.indexOf(token[place]);
    for (const other of [ALPHABET[value ^ 1], ALPHABET[value ^ 32], "=", "."]) {
      if (other === token[place]) continue;
      const tampered = token.slice(0, place) + other + token.slice(place + 1);
      assertStrictEquals(await backend.load(tampered), null, tampered);
    }
  }
});

Deno.test("jwtBackend.load() refuses a token with padding or white space around it", async () => {
  const backend = backendAt(NOW);
  const token = await backend.save({ n: 1 });
  for (const blank of ["=", "==", " ", "\t", "\n", "\r\n", "\0", "\u00A0"]) {
    await assertRefused(token + blank, backend);
    await assertRefused(blank + token, backend);
    await assertRefused(token.replaceAll(".", `${blank}.`), backend);
    await assertRefused(token.replaceAll(".", `.${blank}`), backend);
  }
});

Deno.test("jwtBackend.load() refuses a part in a second spelling that is signed", async () => {
  const header = encodeBase64Url('{"alg":"HS256","a":1}'); // 21 bytes
  const other = encodeBase64Url('{"alg":"HS256"}\n'); // 16 bytes
  const payload = encodeBase64Url('{"n":1}'); // 7 bytes
  const safe = encodeBase64Url('{"n":"~~>??>"}');
  assertEquals(
    await backendAt(NOW).load(await signInput(`${header}.${payload}`)),
    { n: 1 },
  );
  await assertRefused(await signInput(`${header}=.${payload}`));
  await assertRefused(await signInput(`${other}==.${payload}`));
  await assertRefused(await signInput(`${header}.${payload}==`));
  await assertRefused(await signInput(`${header}.${payload}\n`));
  await assertRefused(await signInput(`${header} .${payload}`));
  for (const spelling of otherSpellings(payload)) {
    await assertRefused(await signInput(`${header}.${spelling}`));
  }
  for (const spelling of otherSpellings(other)) {
    await assertRefused(await signInput(`${spelling}.${payload}`));
  }
  const standard = safe.replaceAll("-", "+").replaceAll("_", "/");
  assertNotEquals(standard, safe);
  await assertRefused(await signInput(`${header}.${standard}`));
});

Deno.test("jwtBackend.load() refuses a MAC that was cut or lengthened", async () => {
  const [header, payload, mac] = (await forgeToken()).split(".");
  const bytes = decodeBase64Url(mac);
  const others = [
    new Uint8Array(0),
    bytes.slice(0, 1),
    bytes.slice(0, 16),
    bytes.slice(0, 31),
    bytes.slice(1),
    new Uint8Array([...bytes, 0]),
    new Uint8Array([0, ...bytes]),
    new Uint8Array([...bytes, ...bytes]),
    new Uint8Array(32),
  ];
  for (const other of others) {
    await assertRefused(`${header}.${payload}.${encodeBase64Url(other)}`);
  }
});

Deno.test("jwtBackend.load() refuses the MAC of another token", async () => {
  const backend = backendAt(NOW);
  const [header, one, macOfOne] = (await backend.save({ n: 1 })).split(".");
  const [, two, macOfTwo] = (await backend.save({ n: 2 })).split(".");
  await assertRefused(`${header}.${one}.${macOfTwo}`, backend);
  await assertRefused(`${header}.${two}.${macOfOne}`, backend);
});

Deno.test("jwtBackend.load() keeps __proto__ and constructor as plain data", async () => {
  const payload =
    '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},"in":{"__proto__":null}}';
  const backend = backendAt(NOW);
  const token = await forgeToken({ payload });
  for (const read of ["first", "second"]) {
    const data = await backend.load(token);
    assert(data !== null, read);
    assertStrictEquals(JSON.stringify(data), payload, read);
    assertStrictEquals(Object.getPrototypeOf(data), Object.prototype, read);
    assertStrictEquals(data.isAdmin, undefined, read);
    assert(!("isAdmin" in {}), read);
  }
});

Deno.test("jwtBackend.save() signs __proto__ and constructor as plain data", async () => {
  const payload = '{"__proto__":{"isAdmin":true},"constructor":"x"}';
  const token = await backendAt(NOW).save(JSON.parse(payload));
  const data = await backendAt(NOW).load(token);
  assertStrictEquals(JSON.stringify(data), payload);
});

Deno.test("jwtBackend.load() takes no claim from __proto__", async () => {
  const payload = '{"__proto__":{"exp":1}}';
  const token = await forgeToken({ payload });
  assertStrictEquals(
    JSON.stringify(await backendAt(NOW).load(token)),
    payload,
  );
});

Deno.test("jwtBackend.load() reads nesting as deep as a token can hold", async () => {
  const payload = `{"a":${"[".repeat(1450)}${"]".repeat(1450)}}`;
  const backend = backendAt(NOW);
  const token = await forgeToken({ payload });
  assertStrictEquals(JSON.stringify(await backend.load(token)), payload);
  assertStrictEquals(JSON.stringify(await backend.load(token)), payload);
});

Deno.test("jwtBackend.load() refuses 3,000 levels of nesting", async () => {
  const payload = `{"a":${"[".repeat(3000)}${"]".repeat(3000)}}`;
  await assertRefused(await forgeToken({ payload }));
});

Deno.test("jwtBackend.load() reads text of any script", async () => {
  const backend = backendAt(NOW);
  const payload = { "имя": "Zoë 🦕\u{10FFFF}\u2028", lone: "\uD800" };
  const token = await backend.save(payload);
  assertEquals(await backend.load(token), payload);
  assertEquals(await backendAt(NOW).load(token), payload);
});

Deno.test("jwtBackend.save() makes a token of exactly the payload", async () => {
  const payload = { n: 1, exp: NOW + 60, list: [null, "x"] };
  const token = await backendAt(NOW).save(payload);
  assertEquals(token, await forgeToken({ payload: JSON.stringify(payload) }));
});

Deno.test("jwtBackend() calls itself authenticated", () => {
  assertStrictEquals(backendAt(NOW).authenticated, true);
});
