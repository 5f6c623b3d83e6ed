import { assert, assertEquals } from "@std/assert";
import {
  attack,
  claimText,
  cookie,
  forge,
  payload,
  whoIs,
} from "./_attacks.ts";
import { NOW } from "./_tokens.ts";

const NOBODY = { user: null, data: {} };
const HOUR = 3600;

/** Payloads under a good signature. */
const PAYLOADS: [what: string, payload: string | Uint8Array<ArrayBuffer>][] = [
  ["[] as payload", "[]"],
  ["a session in an array", `[${payload()}]`],
  ["null as payload", "null"],
  ['"x" as payload', '"x"'],
  ["a session in a string", JSON.stringify(payload())],
  ["1 as payload", "1"],
  ["true as payload", "true"],
  ["no payload", ""],
  ["a payload cut off", payload().slice(0, -1)],
  ["more behind the payload", `${payload()}{}`],
  ["NUL behind the payload", `${payload()}\0`],
  ["a BOM before the payload", `\uFEFF${payload()}`],
  ["a comment in the payload", `/**/${payload()}`],
  ["a byte that is no UTF-8", badUtf8(0xFF)],
  ["a byte of UTF-8 alone", badUtf8(0x80)],
  ["a surrogate in UTF-8", badUtf8(0xED, 0xA0, 0x80)],
  ["a long form in UTF-8", badUtf8(0xC0, 0xAF)],
  ["a character past Unicode", badUtf8(0xF5, 0x80, 0x80, 0x80)],
  ["2,900 open brackets", "[".repeat(2900)],
  ["exp as a string", claimText("exp", `"${NOW + HOUR}"`)],
  ["an empty exp", claimText("exp", '""')],
  ["exp null", claimText("exp", "null")],
  ["exp true", claimText("exp", "true")],
  ["an array as exp", claimText("exp", `[${NOW + HOUR}]`)],
  ["an object as exp", claimText("exp", "{}")],
  ["exp 0", claimText("exp", "0")],
  ["exp -1", claimText("exp", "-1")],
  ["exp 1e400", claimText("exp", "1e400")],
  ["exp -1e400", claimText("exp", "-1e400")],
  ["exp now", claimText("exp", `${NOW}`)],
  ["exp a second ago", claimText("exp", `${NOW - 1}`)],
  ["iat 61 seconds ahead", claimText("iat", `${NOW + 61}`)],
  ["iat 1e400", claimText("iat", "1e400")],
  ["iat as a string", claimText("iat", `"${NOW}"`)],
  ["iat null", claimText("iat", "null")],
  ["nbf 61 seconds ahead", claimText("nbf", `${NOW + 61}`)],
  ["nbf 1e400", claimText("nbf", "1e400")],
  ["nbf as a string", claimText("nbf", `"${NOW}"`)],
  ["nbf null", claimText("nbf", "null")],
  ["an iat long ago", claimText("iat", `${NOW - 15 * 24 * HOUR}`)],
];

/** Payloads that hold, but name nobody. */
const STRANGERS: [what: string, payload: string][] = [
  ["an array as user id", claimText("_user_id", '["susan"]')],
  ["an object as user id", claimText("_user_id", '{"id":"susan"}')],
  ["true as user id", claimText("_user_id", "true")],
  ["null as user id", claimText("_user_id", "null")],
  ["1e400 as user id", claimText("_user_id", "1e400")],
  ["constructor as user id", claimText("_user_id", '"constructor"')],
  ["__proto__ as user id", claimText("_user_id", '"__proto__"')],
  ["a user in __proto__", `{"__proto__":${payload()}}`],
  ["a user in constructor", `{"constructor":{"prototype":${payload()}}}`],
  ["an old security stamp", claimText("_stamp", '"s0"')],
  ["no security stamp", payload({ _stamp: undefined })],
  ["an array as security stamp", claimText("_stamp", '["s1"]')],
];

/** Payloads of susan's with something odd beside. */
const ODD: [what: string, payload: string][] = [
  ["methods as data", claimText("save", '1,"delete":2,"get":3')],
  ["a prototype as data", claimText("__proto__", '{"_user_id":"david"}')],
  ["a constructor as data", claimText("constructor", "null")],
  ["then and toJSON as data", claimText("then", '1,"toJSON":2')],
  ["hasOwnProperty as data", claimText("hasOwnProperty", "false")],
  ["1,400 levels of nesting", claimText("deep", nest(1400))],
  ["no exp", payload({ exp: undefined })],
  ["exp 1e308", claimText("exp", "1e308")],
  ["exp half a second away", claimText("exp", `${NOW}.5`)],
  ["exp in another spelling", claimText("exp", "2E9")],
  ["iat 60 seconds ahead", claimText("iat", `${NOW + 60}`)],
  ["nbf 60 seconds ahead", claimText("nbf", `${NOW + 60}`)],
  [
    "a negative iat and no start",
    `{"_user_id":"susan","_stamp":"s1","iat":-1}`,
  ],
];

/** Payloads that hold, but not where sessions end some day. */
const LIMITLESS: [what: string, payload: string][] = [
  ["a start too long ago", payload({ _started: NOW - 2 * HOUR })],
  ["no exp", payload({ exp: undefined })],
  ["no start and no iat", payload({ _started: undefined, iat: undefined })],
  ["a start as a string", payload({ _started: `${NOW}`, iat: undefined })],
  ["a start of null", payload({ _started: null, iat: NOW - 2 * HOUR })],
];

/** Bytes of JSON with some that are no UTF-8 in a string. */
function badUtf8(...bytes: number[]): Uint8Array<ArrayBuffer> {
  const [before, after] = claimText("x", '"|"').split("|");
  const encoder = new TextEncoder();
  return new Uint8Array([
    ...encoder.encode(before),
    ...bytes,
    ...encoder.encode(after),
  ]);
}

function nest(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}

for (const [what, text] of PAYLOADS) {
  Deno.test(`Session reads nothing from a token with ${what}`, async () => {
    await attack(async (site) => {
      const token = await forge({ payload: text });
      assertEquals(await whoIs(site, cookie(token)), NOBODY);
    });
  });
}

for (const [what, text] of STRANGERS) {
  Deno.test(`Login knows nobody by a token with ${what}`, async () => {
    await attack(async (site) => {
      const token = await forge({ payload: text });
      assertEquals((await whoIs(site, cookie(token))).user, null);
    });
  });
}

for (const [what, text] of ODD) {
  Deno.test(`Session reads and saves a token with ${what}`, async () => {
    await attack(async (site) => {
      const headers = [cookie(await forge({ payload: text })), "Stash: 1"];
      const { user, data } = await whoIs(site, ...headers);
      assertEquals(user, "susan");
      const saved = await site.send({ target: "/stash", headers });
      assertEquals(saved.status, 200);
      const [line] = saved.headers.getSetCookie();
      const after = await whoIs(site, `Cookie: ${line}`);
      assertEquals(after.user, "susan");
      const { stash, ...others } = after.data as { stash: string };
      assertEquals([stash, others], ["x", data]);
    });
  });
}

Deno.test("Session reads nothing from 3,000 levels of nesting", async () => {
  await attack(async (site) => {
    const token = await forge({ payload: claimText("deep", nest(3000)) });
    assert(token.length > 4096);
    assertEquals(await whoIs(site, cookie(token)), NOBODY);
  });
});

for (const [what, text] of LIMITLESS) {
  Deno.test(`Session with an absoluteMaxAge reads nothing from a token with ${what}`, async () => {
    await attack(async (site) => {
      const token = await forge({ payload: text });
      assertEquals(await whoIs(site, cookie(token)), NOBODY);
    }, { absoluteMaxAge: 2 * HOUR });
  });
}
