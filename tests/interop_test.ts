import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { jwtBackend } from "../backends/jwt.ts";
import { type Payload, Session, withSession } from "../session.ts";

const KEY = "correct horse battery staple 0123456789";
const KEY_BYTES = Uint8Array.from({ length: 32 }, (_, i) => i);
/** 2025-01-01T00:00:00Z, in seconds. */
const NEW_YEAR = 1_735_689_600;

// Made by PyJWT 2.6.0 (Debian's python3-jwt) on Python 3.11, such as by
// `jwt.encode({"user_id": 7, "name": "Susan", "visits": 3}, KEY, algorithm="HS256")`.
const HS256 = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
const VECTORS: [
  what: string,
  key: string | Uint8Array,
  token: string,
  payload: Payload,
][] = [
  [
    "a payload as Microdot's, without exp",
    KEY,
    `${HS256}.eyJ1c2VyX2lkIjo3LCJuYW1lIjoiU3VzYW4iLCJ2aXNpdHMiOjN9.ZpF6jZBgrNbGzBQ_8bvCxki12a6tx-wuubDbrlBviio`,
    { user_id: 7, name: "Susan", visits: 3 },
  ],
  [
    "escaped letters and nested data",
    KEY,
    `${HS256}.eyJuYW1lIjoiWm9cdTAwZWIgXHVkODNlXHVkZDk1IiwiY2FydCI6W3sic2t1IjoiYS0xIiwibiI6Mn0seyJza3UiOiJiLzIiLCJuIjoxLjV9XSwibm90ZSI6bnVsbCwib2siOnRydWV9.zVebbOQhiD9vly04zM127M03X04Xi0YnKFWMEmjrhFE`,
    {
      name: "Zoë 🦕",
      cart: [{ sku: "a-1", n: 2 }, { sku: "b/2", n: 1.5 }],
      note: null,
      ok: true,
    },
  ],
  [
    "no data",
    KEY,
    `${HS256}.e30.AbdMEOtVIYCaE8RsCWp84Pje9YTHmcx34o4EuJVva38`,
    {},
  ],
  [
    "iat, nbf and exp made of a datetime",
    KEY,
    `${HS256}.eyJuIjoxLCJpYXQiOjE3MzU2ODk2MDAsIm5iZiI6MTczNTY4OTYwMCwiZXhwIjoxNzM2ODk5MjAwfQ.qCch5wqSDG98eENOW8pbcHMwSnaX1QJAUwX33SCp000`,
    { n: 1, iat: NEW_YEAR, nbf: NEW_YEAR, exp: NEW_YEAR + 14 * 86_400 },
  ],
  [
    'headers={"kid": "2025-01"}',
    KEY,
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjIwMjUtMDEiLCJ0eXAiOiJKV1QifQ.eyJuIjoxfQ.ehwDgD9V5vltU9JrZGlvdnBU5tHUCsNvmweDiMhfxiI",
    { n: 1 },
  ],
  [
    'headers={"typ": None}',
    KEY,
    "eyJhbGciOiJIUzI1NiJ9.eyJuIjoxfQ.zLiNACQj1vd-6bjWBYbGkKXtdiK7OqTC6HdPJ02Tvfw",
    { n: 1 },
  ],
  [
    "a key of bytes(range(32))",
    KEY_BYTES,
    `${HS256}.eyJuIjoxfQ.TdFMo6fXTNMkgOJdoEd4eAGl_flhOnSmjE9O18RzTUQ`,
    { n: 1 },
  ],
];

/** Made by the same PyJWT, with our key except where it says otherwise. */
const REFUSED_VECTORS: [why: string, token: string][] = [
  [
    'algorithm="none"',
    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJuIjoxfQ.",
  ],
  [
    'algorithm="HS384"',
    "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJuIjoxfQ.OkUZ1tSmw-0y8lM4YV7FUu9eNjehV3-Uepi90dO8dkOPQ96IyDh_tNha6tb9Z4sj",
  ],
  [
    'algorithm="HS512"',
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJuIjoxfQ.M-EoMWMUBJR_Ya_JjTetEDatLgmzhZydBCsZAcYuIJ1ZB0h38C4veN2wcBimG1VUpEWBmdhUrMZclvcMxv-qsQ",
  ],
  [
    "another key",
    `${HS256}.eyJuIjoxfQ.LwCS65HFlXWd2dxxfCYHyVYcM2USTg9bV8SKy-VQPvU`,
  ],
  [
    'headers={"crit": ["x"], "x": 1}',
    "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdLCJ0eXAiOiJKV1QiLCJ4IjoxfQ.eyJuIjoxfQ.9O3lsmBhRB8DX78BxAd8_fcAwbiBRRL6Cua0Grq4DIw",
  ],
  [
    'headers={"typ": "remember"}',
    "eyJhbGciOiJIUzI1NiIsInR5cCI6InJlbWVtYmVyIn0.eyJuIjoxfQ._Y7Q4yTCkT4O7HfCXhYK60feWAVqZAkJzdAB6FLpOEM",
  ],
  [
    "a list as payload",
    `${HS256}.WzFd.WEQr5wvKzuzlGiIkA9Wg-hTPG51fUda9zSfLEAujVI4`,
  ],
  [
    "an exp of -1",
    `${HS256}.eyJ1c2VyX2lkIjo3LCJleHAiOi0xfQ.59MD1wiuC0ggbreTmajBMy_w7Z6Ze0rU1ol-JS07a2s`,
  ],
];

/** What a Microdot application does with a cookie, in both directions. */
const DECODE = `
import json, sys, jwt
session, key = json.load(sys.stdin)
print(json.dumps(jwt.decode(session, key, algorithms=["HS256"])))
`;
const ENCODE = `
import json, sys, jwt
payload, key = json.load(sys.stdin)
print(json.dumps(jwt.encode(payload, key, algorithm="HS256")))
`;

const isPyJwtAvailable = await runPython(
  "import jwt; jwt.encode; print(1)",
  null,
).then((output) => output === 1, () => false);

/** Runs a script that reads and writes JSON. */
async function runPython(script: string, input: unknown): Promise<unknown> {
  const python = new Deno.Command("/usr/bin/python3", {
    args: ["-c", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = python.stdin.getWriter();
  // A script that ends early breaks the pipe; its own error says more.
  await writer.write(new TextEncoder().encode(JSON.stringify(input)))
    .then(() => writer.close()).catch(() => {});
  const { success, stdout, stderr } = await python.output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

function requestWith(token: string): Request {
  const headers = { Cookie: `session=${token}` };
  return new Request("http://localhost/", { headers });
}

/** The cookie that a handler of ours sets for a new visitor. */
async function cookieWith(session: Session, data: object): Promise<string> {
  const handler = withSession(session, async (_request, dict) => {
    await Object.assign(dict, data).save();
    return new Response();
  });
  const response = await handler(new Request("http://localhost/"));
  const [line] = response.headers.getSetCookie();
  return line.slice("session=".length).split(";")[0];
}

for (const [what, secretKey, token, payload] of VECTORS) {
  Deno.test(`jwtBackend.load() reads a PyJWT token with ${what}`, async () => {
    const clock = () => NEW_YEAR * 1000;
    assertEquals(await jwtBackend({ secretKey, clock }).load(token), payload);
  });
}

for (const [why, token] of REFUSED_VECTORS) {
  Deno.test(`jwtBackend.load() refuses a PyJWT token with ${why}`, async () => {
    assertStrictEquals(await jwtBackend({ secretKey: KEY }).load(token), null);
  });
}

Deno.test("jwtBackend.load() refuses a PyJWT token at its exp", async () => {
  const [, , token, { exp }] = VECTORS[3];
  const clock = () => Number(exp) * 1000;
  const backend = jwtBackend({ secretKey: KEY, clock });
  assertStrictEquals(await backend.load(token), null);
});

Deno.test("jwtBackend.save() makes the very tokens that PyJWT makes", async () => {
  for (const [, secretKey, token, payload] of VECTORS) {
    // PyJWT escapes letters outside of ASCII, JSON.stringify does not.
    if (!token.startsWith(HS256) || "cart" in payload) continue;
    assertEquals(await jwtBackend({ secretKey }).save(payload), token);
  }
});

Deno.test("Session.get() reads a Microdot cookie without exp", async () => {
  const [, , token, payload] = VECTORS[0];
  const session = new Session({ secretKey: KEY });
  assertEquals({ ...await session.get(requestWith(token)) }, payload);
});

Deno.test("Session.get() keeps the claims of a PyJWT token out of the data", async () => {
  const [, , token] = VECTORS[3];
  const clock = () => NEW_YEAR * 1000;
  const session = new Session({ secretKey: KEY, clock });
  const data: object = { ...await session.get(requestWith(token)) };
  assertEquals(data, { n: 1 });
});

Deno.test("Session.get() is empty for a Microdot cookie without exp when there is an absoluteMaxAge", async () => {
  const [, , token] = VECTORS[0];
  const session = new Session({ secretKey: KEY, absoluteMaxAge: 86_400 });
  const data: object = { ...await session.get(requestWith(token)) };
  assertEquals(data, {});
});

Deno.test("withSession() adds to the data of a Microdot cookie", async () => {
  const [, , token, payload] = VECTORS[0];
  const session = new Session({ secretKey: KEY });
  const handler = withSession(session, (_request, dict) => {
    dict.visits++;
    dict.save();
    return new Response();
  });
  const response = await handler(requestWith(token));
  const [line] = response.headers.getSetCookie();
  const ours = line.slice("session=".length).split(";")[0];
  const data: object = { ...await session.get(requestWith(ours)) };
  assertEquals(data, { ...payload, visits: 4 });
});

Deno.test({
  name: "PyJWT reads the cookie of a Session, with iat, exp and _started",
  ignore: !isPyJwtAvailable,
  async fn() {
    const session = new Session({ secretKey: KEY });
    const data = { user_id: 7, name: "Zoë 🦕", cart: [{ sku: "a", n: 1.5 }] };
    const token = await cookieWith(session, data);
    const { iat, exp, _started, ...rest } = await runPython(DECODE, [
      token,
      KEY,
    ]) as Payload;
    assertEquals(rest, data);
    assertStrictEquals(_started, iat);
    assertStrictEquals(exp, Number(iat) + 1_209_600);
  },
});

Deno.test({
  name: "PyJWT reads what jwtBackend.save() made",
  ignore: !isPyJwtAvailable,
  async fn() {
    for (const [, secretKey, , payload] of VECTORS) {
      if (typeof secretKey !== "string" || "exp" in payload) continue;
      const token = await jwtBackend({ secretKey }).save(payload);
      assertEquals(await runPython(DECODE, [token, secretKey]), payload);
    }
  },
});

Deno.test({
  name: "PyJWT refuses the cookie of a Session with another key",
  ignore: !isPyJwtAvailable,
  async fn() {
    const token = await cookieWith(new Session({ secretKey: KEY }), { n: 1 });
    const reason = await runPython(DECODE, [token, `${KEY}!`])
      .then(() => "none", (error) => String(error));
    assert(reason.includes("InvalidSignatureError"), reason);
  },
});

Deno.test({
  name: "PyJWT refuses the cookie of a Session that has expired",
  ignore: !isPyJwtAvailable,
  async fn() {
    const clock = () => NEW_YEAR * 1000;
    const session = new Session({ secretKey: KEY, clock });
    const token = await cookieWith(session, { n: 1 });
    const reason = await runPython(DECODE, [token, KEY])
      .then(() => "none", (error) => String(error));
    assert(reason.includes("ExpiredSignatureError"), reason);
  },
});

Deno.test({
  name: "Session.get() reads a cookie that PyJWT has just made",
  ignore: !isPyJwtAvailable,
  async fn() {
    const session = new Session({ secretKey: KEY });
    for (const [, , , payload] of VECTORS.slice(0, 3)) {
      const token = await runPython(ENCODE, [payload, KEY]);
      assert(typeof token === "string");
      assertEquals(await jwtBackend({ secretKey: KEY }).load(token), payload);
      const data: object = { ...await session.get(requestWith(token)) };
      assertEquals(data, payload);
    }
  },
});
