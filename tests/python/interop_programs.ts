/** Sessions that a Python service with the same key reads and writes. */

import { assert, assertEquals } from "@std/assert";
import { type Payload, Session, withSession } from "../../mod.ts";
import {
  cookieSetBy,
  KEY,
  OTHER_KEY,
  requestWith,
  SAVED,
} from "../_helpers.ts";
import { hasPython, runPython } from "../_processes.ts";

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
    `${HS256}.eyJ1c2VyX2lkIjo3LCJuYW1lIjoiU3VzYW4iLCJ2aXNpdHMiOjN9.oVU59WS11TCddG1xA9MQeOkn_XuVAkD8XRSqsxm731w`,
    { user_id: 7, name: "Susan", visits: 3 },
  ],
  [
    "escaped letters and nested data",
    KEY,
    `${HS256}.eyJuYW1lIjoiWm9cdTAwZWIgXHVkODNlXHVkZDk1IiwiY2FydCI6W3sic2t1IjoiYS0xIiwibiI6Mn0seyJza3UiOiJiLzIiLCJuIjoxLjV9XSwibm90ZSI6bnVsbCwib2siOnRydWV9.J7W8FKavyx_RjQSAANK9zvz5j35V2UtxihoFE5cmxJc`,
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
    `${HS256}.e30.u12CTOHDiHtV7QC4KC9oHJXAFE3vlA8Va3kcHpJqKBE`,
    {},
  ],
  [
    "iat, nbf and exp made of a datetime",
    KEY,
    `${HS256}.eyJuIjoxLCJpYXQiOjE3MzU2ODk2MDAsIm5iZiI6MTczNTY4OTYwMCwiZXhwIjoxNzM2ODk5MjAwfQ.4ad79dRx1RpP-fXuXgqkY0x0sj3h7ZNcWRPekDaX00k`,
    { n: 1, iat: NEW_YEAR, nbf: NEW_YEAR, exp: NEW_YEAR + 14 * 86_400 },
  ],
  [
    'headers={"kid": "2025-01"}',
    KEY,
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjIwMjUtMDEiLCJ0eXAiOiJKV1QifQ.eyJuIjoxfQ.QfY-qjJVZEEJ0s9iUtJLhtCGRuy4QBEvuKdid39kty8",
    { n: 1 },
  ],
  [
    'headers={"typ": None}',
    KEY,
    "eyJhbGciOiJIUzI1NiJ9.eyJuIjoxfQ.TZQUTsjXD7nQWpCASEDivtTakbJ5l1FTQPC-2yCB19g",
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
    "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJuIjoxfQ.R62md2bZi0cms9f4cjSSAF9OWkLDWYrWyQYYhHHZSwLwslm3B3T0zjj-K4OEzI7R",
  ],
  [
    'algorithm="HS512"',
    "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJuIjoxfQ.6nJvOF5nWViSd4xDlI3hZDEcH5ePcgKcmon2wiABV7tqJfkIwcO1kDvPGeFbU57rG91TZhHVE_K6DjV7R-S24w",
  ],
  [
    "another key",
    `${HS256}.eyJuIjoxfQ.gzc3jejBT88n75MS0MRHuX4MngFDRUMC5I7Zod6iCTg`,
  ],
  [
    'headers={"crit": ["x"], "x": 1}',
    "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdLCJ0eXAiOiJKV1QiLCJ4IjoxfQ.eyJuIjoxfQ.rAkePFOKcN6yh3UEe6kciFlrc1z8FfqwqTiQIYA7wrc",
  ],
  [
    'headers={"typ": "remember"}',
    "eyJhbGciOiJIUzI1NiIsInR5cCI6InJlbWVtYmVyIn0.eyJuIjoxfQ.t-yYOeyDMUY-wTyKrEOgd6Sio_cmUTBAZTs1Gd6dl_k",
  ],
  [
    "a list as payload",
    `${HS256}.WzFd.iemLt0aWRVh4c4S6nXooR6zX2uKjVfS6I1rAwjBXxOU`,
  ],
  [
    "an exp of -1",
    `${HS256}.eyJ1c2VyX2lkIjo3LCJleHAiOi0xfQ.BCba0Yqx__WZ9I1HFQUyxSYMMHFwM-eFq_qdW4FRvXU`,
  ],
];

/** Reads tokens as a Microdot application does, each with its key. */
const READ = `
import json, sys, jwt

def read(token, key):
    try:
        return jwt.decode(token, key, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        return type(error).__name__

print(json.dumps([read(token, key) for token, key in json.loads(sys.argv[1])]))
`;

/** Makes tokens as a Microdot application does. */
const WRITE = `
import json, sys, jwt

payloads, key = json.loads(sys.argv[1])
print(json.dumps([jwt.encode(p, key, algorithm="HS256") for p in payloads]))
`;

const hasPyJwt = await hasPython("jwt");

/** The cookie that a handler of ours sets for a new visitor, or for one with a token. */
async function cookieWith(
  session: Session,
  change: (dict: Payload) => void,
  token?: string,
): Promise<string> {
  const handler = withSession(session, (_request, dict) => {
    change(dict);
    dict.save();
    return new Response();
  });
  const response = await handler(requestWith(token && `session=${token}`));
  return cookieSetBy(response) ?? "";
}

async function dataOf(session: Session, token: string): Promise<Payload> {
  return { ...await session.get(requestWith(`session=${token}`)) };
}

for (const [what, secretKey, token, payload] of VECTORS) {
  Deno.test(`Session.decode() reads a PyJWT token with ${what}`, async () => {
    const session = new Session({ secretKey, clock: () => NEW_YEAR * 1000 });
    assertEquals(await session.decode(token), payload);
  });
}

for (const [why, token] of REFUSED_VECTORS) {
  Deno.test(`Session.decode() refuses a PyJWT token with ${why}`, async () => {
    assertEquals(await new Session({ secretKey: KEY }).decode(token), {});
  });
}

Deno.test("Session.decode() refuses a PyJWT token at its exp", async () => {
  const [, secretKey, token, { exp }] = VECTORS[3];
  const session = new Session({ secretKey, clock: () => Number(exp) * 1000 });
  assertEquals(await session.decode(token), {});
});

Deno.test("Session.encode() makes the very tokens that PyJWT makes", async () => {
  for (const [, secretKey, token, payload] of VECTORS) {
    // PyJWT escapes letters outside of ASCII, JSON.stringify does not.
    if (!token.startsWith(HS256) || "cart" in payload) continue;
    assertEquals(await new Session({ secretKey }).encode(payload), token);
  }
});

Deno.test("Session.get() reads a Microdot cookie without exp", async () => {
  const [, secretKey, token, payload] = VECTORS[0];
  assertEquals(await dataOf(new Session({ secretKey }), token), payload);
});

Deno.test("Session.get() keeps the claims of a PyJWT token out of the data", async () => {
  const [, secretKey, token] = VECTORS[3];
  const session = new Session({ secretKey, clock: () => NEW_YEAR * 1000 });
  assertEquals(await dataOf(session, token), { n: 1 });
});

Deno.test("Session.get() is empty for a Microdot cookie without exp when there is an absoluteMaxAge", async () => {
  const [, secretKey, token] = VECTORS[0];
  const session = new Session({ secretKey, absoluteMaxAge: 86_400 });
  assertEquals(await dataOf(session, token), {});
});

Deno.test("withSession() adds to the data of a Microdot cookie", async () => {
  const [, secretKey, token, payload] = VECTORS[0];
  const session = new Session({ secretKey });
  const ours = await cookieWith(session, (dict) => dict.visits = 4, token);
  assertEquals(await dataOf(session, ours), { ...payload, visits: 4 });
});

Deno.test({
  name:
    "PyJWT reads the cookies and tokens of a Session, until they expire and with its key alone",
  ignore: !hasPyJwt,
  async fn() {
    const session = new Session({ secretKey: KEY });
    const old = new Session({ secretKey: KEY, clock: () => NEW_YEAR * 1000 });
    const data = { user_id: 7, name: "Zoë 🦕", cart: [{ sku: "a", n: 1.5 }] };
    const addData = (dict: Payload) => Object.assign(dict, data);
    const cookie = await cookieWith(session, addData);
    const payloads = VECTORS.map(([, , , payload]) => payload)
      .filter((payload) => !("exp" in payload));
    const tokens = await Promise.all(payloads.map((p) => session.encode(p)));
    const [claims, wrongKey, expired, ...rest] = await runPython(READ, [
      [cookie, KEY],
      [cookie, OTHER_KEY],
      [await cookieWith(old, addData), KEY],
      ...tokens.map((token) => [token, KEY]),
    ]) as [Payload, ...unknown[]];
    const { [SAVED]: saved, exp, _started, _cookie, ...read } = claims;
    assertEquals(read, data);
    assertEquals([_started, exp], [saved, Number(saved) + 1_209_600]);
    assertEquals(wrongKey, "InvalidSignatureError");
    assertEquals(expired, "ExpiredSignatureError");
    assertEquals(rest, payloads);
  },
});

Deno.test({
  name: "Session.get() reads cookies that PyJWT has just made",
  ignore: !hasPyJwt,
  async fn() {
    const session = new Session({ secretKey: KEY });
    const payloads = VECTORS.slice(0, 3).map(([, , , payload]) => payload);
    const tokens = await runPython(WRITE, [payloads, KEY]);
    assert(Array.isArray(tokens));
    for (const [index, token] of tokens.entries()) {
      assertEquals(await dataOf(session, token), payloads[index]);
    }
  },
});
