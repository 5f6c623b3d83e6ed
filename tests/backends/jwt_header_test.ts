import { assertEquals, assertStrictEquals } from "@std/assert";
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { type Payload, type SecretKey, Session } from "../../mod.ts";
import { KEY, NOW, OTHER_KEY } from "../_helpers.ts";
import { forgeToken, HEADER } from "../_tokens.ts";
import { newBackend } from "./_jwt.ts";

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
const BAD_HEADERS: [
  why: string,
  header: string | Uint8Array<ArrayBuffer>,
][] = [
  ["alg none", '{"alg":"none","typ":"JWT"}'],
  ["alg nOnE", '{"alg":"nOnE","typ":"JWT"}'],
  ["alg HS512", '{"alg":"HS512","typ":"JWT"}'],
  ["alg RS256", '{"alg":"RS256","typ":"JWT"}'],
  ["alg in lower case", '{"alg":"hs256","typ":"JWT"}'],
  ["alg with a space", '{"alg":"HS256 ","typ":"JWT"}'],
  ["an empty alg", '{"alg":"","typ":"JWT"}'],
  ["alg null", '{"alg":null,"typ":"JWT"}'],
  ["a list of algs", '{"alg":["HS256"],"typ":"JWT"}'],
  ["no alg", '{"typ":"JWT"}'],
  ["alg in __proto__", '{"__proto__":{"alg":"HS256"},"typ":"JWT"}'],
  ["crit", '{"alg":"HS256","typ":"JWT","crit":["exp"],"exp":1}'],
  ["crit null", '{"alg":"HS256","typ":"JWT","crit":null}'],
  ["b64 false", '{"alg":"HS256","typ":"JWT","b64":false}'],
  ["b64 true", '{"alg":"HS256","typ":"JWT","b64":true}'],
  ["another typ", '{"alg":"HS256","typ":"at+jwt"}'],
  ["typ in lower case", '{"alg":"HS256","typ":"jwt"}'],
  ["an empty typ", '{"alg":"HS256","typ":""}'],
  ["typ null", '{"alg":"HS256","typ":null}'],
  ["a list of typs", '{"alg":"HS256","typ":["JWT"]}'],
  ["an array as header", "[]"],
  ["an array of a header", `[${HEADER}]`],
  ["null as header", "null"],
  ["a string as header", '"HS256"'],
  ["an empty object as header", "{}"],
  ["no header", ""],
  ["a header that is no JSON", "HS256"],
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

/** What a session finds in a token. */
function read(
  token: string,
  secretKey: SecretKey = KEY,
  now = NOW,
): Promise<Payload> {
  return new Session({ secretKey, clock: () => now * 1000 }).decode(token);
}

Deno.test("Session reads the token of RFC 7515 A.1 until its exp", async () => {
  const { key, token, payload } = RFC_7515_A1;
  assertEquals(await read(token, key, payload.exp - 1), payload);
  assertEquals(await read(token, key, payload.exp), {});
  assertEquals(await read(token, key, NOW), {});
});

Deno.test("Session writes the header of a JWT", async () => {
  const token = await new Session({ secretKey: KEY }).encode({ n: 1 });
  assertEquals(token, await forgeToken());
});

for (const [why, header] of BAD_HEADERS) {
  Deno.test(`Session refuses a token with ${why}`, async () => {
    assertEquals(await read(await forgeToken({ header })), {});
  });
}

for (const [what, header] of GOOD_HEADERS) {
  Deno.test(`Session reads a token whose header has ${what}`, async () => {
    assertEquals(await read(await forgeToken({ header })), { n: 1 });
  });
}

for (const hash of ["SHA-384", "SHA-512"] as const) {
  Deno.test(`Session refuses a MAC of HMAC with ${hash}`, async () => {
    const header = `{"alg":"HS${hash.slice(4)}","typ":"JWT"}`;
    assertEquals(await read(await forgeToken({ header, hash })), {});
    assertEquals(await read(await forgeToken({ hash })), {});
  });
}

Deno.test("Session refuses the key that a token brings along", async () => {
  const jwk = { kty: "oct", k: encodeBase64Url(OTHER_KEY) };
  const header = JSON.stringify({ alg: "HS256", typ: "JWT", jwk });
  assertEquals(await read(await forgeToken({ header, key: OTHER_KEY })), {});
});

Deno.test("Session fetches nothing that a token points to", async () => {
  const original = globalThis.fetch;
  let count = 0;
  globalThis.fetch = () => {
    count++;
    return Promise.reject(new Error("No fetch was expected"));
  };
  try {
    const url = "http://127.0.0.1:9/";
    const header = JSON.stringify({ alg: "HS256", jku: url, x5u: url });
    await read(await forgeToken({ header }));
    await read(await forgeToken({ header, key: OTHER_KEY }));
  } finally {
    globalThis.fetch = original;
  }
  assertStrictEquals(count, 0);
});

Deno.test("jwtBackend() writes the header that its type says", async () => {
  const token = await newBackend(KEY, "remember").save({ n: 1 });
  const header = '{"alg":"HS256","typ":"remember"}';
  assertEquals(token, await forgeToken({ header }));
});

Deno.test("jwtBackend() keeps the tokens of two types apart, and of sessions", async () => {
  const types = ["remember", "Remember", "at+jwt"];
  for (const type of types) {
    const token = await newBackend(KEY, type).save({ n: 1 });
    for (const other of types) {
      const payload = await newBackend(KEY, other).load(token);
      assertEquals(payload, other === type ? { n: 1 } : null);
    }
    assertEquals(await read(token), {});
    for (const header of [HEADER, '{"alg":"HS256"}']) {
      const ofSession = await forgeToken({ header });
      assertEquals(await newBackend(KEY, type).load(ofSession), null);
    }
  }
});
