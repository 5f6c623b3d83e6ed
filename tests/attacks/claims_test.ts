import { assert, assertEquals } from "@std/assert";
import { NOW, SAVED } from "../_helpers.ts";
import { claimText, cookie, forge, payload } from "./_forge.ts";
import { attack, cookieAfter, NOBODY, testRefusals, whoIs } from "./_site.ts";

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
  ["a save long ago", claimText(SAVED, `${NOW - 15 * 24 * HOUR}`)],
];

/** Payloads that hold, but name nobody. */
const STRANGERS: [rule: string, rows: [what: string, payload: string][]][] = [
  ["rule 3, claims", [
    ["an array as user id", claimText("_user_id", '["susan"]')],
    ["an object as user id", claimText("_user_id", '{"id":"susan"}')],
    ["true as user id", claimText("_user_id", "true")],
    ["null as user id", claimText("_user_id", "null")],
    ["1e400 as user id", claimText("_user_id", "1e400")],
    ["an old security stamp", claimText("_stamp", '"s0"')],
    ["no security stamp", payload({ _stamp: undefined })],
    ["an array as security stamp", claimText("_stamp", '["s1"]')],
  ]],
  ["rule 6, data", [
    [
      "constructor as user id",
      claimText("_user_id", '"constructor","_auth_time":0'),
    ],
    [
      "__proto__ as user id",
      claimText("_user_id", '"__proto__","_auth_time":0'),
    ],
    ["a user in __proto__", `{"__proto__":${payload()}}`],
    ["a user in constructor", `{"constructor":{"prototype":${payload()}}}`],
  ]],
];

/** Payloads of susan's with something odd beside. */
const ODD: [rule: string, rows: [what: string, payload: string][]][] = [
  ["rule 3, claims", [
    ["1,400 levels of nesting", claimText("deep", nest(1400))],
    ["no exp", payload({ exp: undefined })],
    ["exp 1e308", claimText("exp", "1e308")],
    ["exp half a second away", claimText("exp", `${NOW}.5`)],
    ["exp in another spelling", claimText("exp", "2E9")],
    ["iat 60 seconds ahead", claimText("iat", `${NOW + 60}`)],
    ["nbf 60 seconds ahead", claimText("nbf", `${NOW + 60}`)],
    [
      "a negative iat and no start",
      '{"_user_id":"susan","_stamp":"s1","iat":-1}',
    ],
  ]],
  ["rule 6, data", [
    ["methods as data", claimText("save", '1,"delete":2,"get":3')],
    ["a prototype as data", claimText("__proto__", '{"_user_id":"david"}')],
    ["a constructor as data", claimText("constructor", "null")],
    ["then and toJSON as data", claimText("then", '1,"toJSON":2')],
    ["hasOwnProperty as data", claimText("hasOwnProperty", "false")],
  ]],
];

/** What a visitor sends to a handler that copies it into the session. */
const BODIES: [what: string, body: string][] = [
  ["the prototype", '{"__proto__":{"isAdmin":true}}'],
  ["the constructor", '{"constructor":{"prototype":{"isAdmin":true}}}'],
  ["a then", '{"then":{"isAdmin":true}}'],
];

/** Payloads that hold, but not where sessions end some day. */
const LIMITLESS: [what: string, payload: string][] = [
  ["a start too long ago", payload({ _started: NOW - 2 * HOUR })],
  ["no exp", payload({ exp: undefined })],
  ["no start and no iat", payload({ _started: undefined, [SAVED]: undefined })],
  ["a start as a string", payload({ _started: `${NOW}`, [SAVED]: undefined })],
  [
    "a start of null",
    `{"_user_id":"susan","_stamp":"s1","_started":null,"iat":${
      NOW - 2 * HOUR
    },"exp":${NOW + HOUR}}`,
  ],
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

testRefusals(
  "rule 3, claims",
  PAYLOADS.map(([what, payload]) => [what, () => forge({ payload })]),
);

Deno.test("rule 3, claims: Session reads nothing from 3,000 levels of nesting", async () => {
  await attack(async (site) => {
    const token = await forge({ payload: claimText("deep", nest(3000)) });
    assert(token.length > 4096);
    assertEquals(await whoIs(site, cookie(token)), NOBODY);
  });
});

testRefusals(
  "rule 3, an end",
  LIMITLESS.map(([what, payload]) => [what, () => forge({ payload })]),
  { absoluteMaxAge: 2 * HOUR },
);

for (const [rule, rows] of STRANGERS) {
  for (const [what, payload] of rows) {
    Deno.test(`${rule}: Login knows nobody by a token with ${what}`, async () => {
      await attack(async (site) => {
        const token = await forge({ payload });
        assertEquals((await whoIs(site, cookie(token))).user, null);
      });
    });
  }
}

for (const [rule, rows] of ODD) {
  for (const [what, payload] of rows) {
    Deno.test(`${rule}: Session reads and saves a token with ${what}`, async () => {
      await attack(async (site) => {
        const headers = [cookie(await forge({ payload })), "Stash: 1"];
        const { user, data } = await whoIs(site, ...headers);
        assertEquals(user, "susan");
        const saved = await site.send({ target: "/stash", headers });
        assertEquals(saved.status, 200);
        const after = await whoIs(site, cookieAfter(saved));
        assertEquals(after.user, "susan");
        const { stash, ...others } = after.data;
        assertEquals([stash, others], ["x", data]);
      });
    });
  }
}

for (const [what, body] of BODIES) {
  Deno.test(`rule 6, data: Session keeps ${what} of a body as data`, async () => {
    await attack(async (site) => {
      const headers = [cookie(await forge())];
      const request = { method: "POST", target: "/keep", headers, body };
      const answer = await site.send(request);
      assertEquals([answer.status, answer.body], [200, "visitor"]);
      const { user, data } = await whoIs(site, cookieAfter(answer));
      assertEquals(user, "susan");
      for (const [name, value] of Object.entries(JSON.parse(body))) {
        assertEquals(Object.getOwnPropertyDescriptor(data, name)?.value, value);
      }
    });
  });
}
