import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import { KEY, NOW, OTHER_KEY, payloadOf, signToken } from "./_helpers.ts";
import { Browser, cookiesOf, DAY, Site } from "./_login.ts";

/** A remember cookie, and the session cookie that came with it. */
interface Tokens {
  remember: string;
  session: string;
}

const SESSION_HEADER = '{"alg":"HS256","typ":"JWT"}';

/** Remember cookies that nobody is to be known by. */
const FORGERIES: [
  what: string,
  forge: (tokens: Tokens) => string | Promise<string>,
][] = [
  ["nothing", () => ""],
  ["garbage", () => "garbage"],
  ["two dots", () => ".."],
  ["the session's token", ({ session }) => session],
  ["a user id", () => "1"],
  [
    "a token without its signature",
    ({ remember }) => remember.slice(0, remember.lastIndexOf(".") + 1),
  ],
  ["a token cut short", ({ remember }) => remember.slice(0, -1)],
  ["a token made longer", ({ remember }) => `${remember}A`],
  ["a padded token", ({ remember }) => `${remember}=`],
  ["another user's payload", ({ remember }) => {
    const payload = { ...payloadOf(remember), user_id: 2 };
    return replacePart(remember, 1, JSON.stringify(payload));
  }],
  [
    "the header of a session",
    ({ remember }) => replacePart(remember, 0, SESSION_HEADER),
  ],
  [
    "no algorithm",
    ({ remember }) =>
      replacePart(remember, 0, '{"alg":"none","typ":"remember+jwt"}'),
  ],
  [
    "the session's key",
    ({ remember }) => signToken(payloadOf(remember), KEY, headerOf(remember)),
  ],
  [
    "another key",
    ({ remember }) =>
      signDerived(payloadOf(remember), headerOf(remember), OTHER_KEY),
  ],
  [
    "the session's type",
    ({ remember }) => signDerived(payloadOf(remember), SESSION_HEADER),
  ],
  [
    "no type",
    ({ remember }) => signDerived(payloadOf(remember), '{"alg":"HS256"}'),
  ],
  [
    "another algorithm",
    ({ remember }) =>
      signDerived(payloadOf(remember), '{"alg":"HS512","typ":"remember+jwt"}'),
  ],
];

/** Changes to a token's content that make it one of no use. */
const CONTENTS: [what: string, changes: Record<string, unknown>][] = [
  ["no user id", { user_id: undefined }],
  ["the user id null", { user_id: null }],
  ["an object for user id", { user_id: { id: 1 } }],
  ["an array for user id", { user_id: [1] }],
  ["true for user id", { user_id: true }],
  ["a user id that nobody has", { user_id: 3 }],
  ["no days", { days: undefined }],
  ["0 days", { days: 0 }],
  ["-5 days", { days: -5 }],
  ["1.5 days", { days: 1.5 }],
  ["401 days", { days: 401 }],
  ["days in a string", { days: "5" }],
  ["no end", { exp: undefined }],
  ["an end now", { exp: NOW }],
  ["an end in the past", { exp: NOW - DAY }],
  ["an end in a string", { exp: "9999999999" }],
  ["a beginning in an hour", { iat: NOW + 3600 }],
  ["a stamp that is not asked for", { stamp: "s1" }],
  ["a stamp that is a number", { stamp: 1 }],
];

function replacePart(token: string, index: number, text: string): string {
  return token.split(".").with(index, encodeBase64Url(text)).join(".");
}

function headerOf(token: string): string {
  return JSON.stringify(payloadOf(`.${token.split(".")[0]}`));
}

/** Signs as the remember cookie is signed: HKDF-Expand, RFC 5869 section 2.3. */
async function signDerived(
  payload: Record<string, unknown>,
  header = '{"alg":"HS256","typ":"remember+jwt"}',
  secret = KEY,
): Promise<string> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const encoder = new TextEncoder();
  const sign = async (
    key: Uint8Array<ArrayBuffer>,
    text: string,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    const usages: KeyUsage[] = ["sign"];
    const imported = await crypto.subtle
      .importKey("raw", key, hmac, false, usages);
    const data = encoder.encode(text);
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
  };
  const key = await sign(encoder.encode(secret), "denizen remember me\x01");
  const parts = [header, JSON.stringify(payload)];
  const input = parts.map((part) => encodeBase64Url(part)).join(".");
  return `${input}.${encodeBase64Url(await sign(key, input))}`;
}

async function tokensOf(site: Site, user = site.susan): Promise<Tokens> {
  const browser = new Browser();
  await site.logIn(browser, user, { remember: 5 });
  const { cookies } = browser;
  const [remember, session] = ["_remember", "session"].map((name) =>
    cookies.get(name) ?? ""
  );
  return { remember, session };
}

/** Who a `Cookie` header makes known, and the cookies that are set for it. */
async function whoIs(
  site: Site,
  cookie: string,
): Promise<{ id: unknown; cookies: string[] }> {
  let id: unknown = null;
  const handler = site.session.wrap(async (request) => {
    id = (await site.login.getCurrentUser(request))?.id ?? null;
    return new Response("Hello");
  });
  const response = await new Browser().get(handler, "/", { Cookie: cookie });
  return { id, cookies: cookiesOf(response) };
}

const FORGOTTEN = { id: null, cookies: ["-_remember"] };

for (const [what, forge] of FORGERIES) {
  Deno.test(`login forgets a remember cookie with ${what}`, async () => {
    const site = new Site();
    const value = await forge(await tokensOf(site));
    assertEquals(await whoIs(site, `_remember=${value}`), FORGOTTEN);
    assertEquals(site.loaded, []);
  });
}

for (const [what, changes] of CONTENTS) {
  Deno.test(`login forgets a remember token with ${what}`, async () => {
    const site = new Site();
    const { remember } = await tokensOf(site);
    const payload = { ...payloadOf(remember), ...changes };
    const value = await signDerived(payload);
    assertEquals(await whoIs(site, `_remember=${value}`), FORGOTTEN);
    assert(site.loaded.every((id) => typeof id === "number"));
  });
}

Deno.test("a remember token is signed with a derived key, and has a type of its own", async () => {
  const site = new Site();
  const { remember } = await tokensOf(site);
  assertEquals(await signDerived(payloadOf(remember)), remember);
  assertEquals(payloadOf(remember), {
    user_id: 1,
    days: 5,
    iat: NOW,
    exp: NOW + 5 * DAY,
  });
});

Deno.test("a remember token is no session", async () => {
  const site = new Site();
  const { remember } = await tokensOf(site);
  assertEquals(await whoIs(site, `session=${remember}`), {
    id: null,
    cookies: [],
  });
  assertEquals(await site.session.decode(remember), {});
});

Deno.test("a remember token with a session's content is no session", async () => {
  const site = new Site();
  const { session } = await tokensOf(site);
  const header = '{"alg":"HS256","typ":"remember+jwt"}';
  const typed = await signToken(payloadOf(session), KEY, header);
  const derived = await signDerived(payloadOf(session), SESSION_HEADER);
  assertEquals((await whoIs(site, `session=${session}`)).id, 1);
  assertEquals((await whoIs(site, `session=${typed}`)).id, null);
  assertEquals((await whoIs(site, `session=${derived}`)).id, null);
});

Deno.test("session and remember cookie swapped are forgotten", async () => {
  const site = new Site();
  const { remember, session } = await tokensOf(site);
  const cookie = `session=${remember}; _remember=${session}`;
  assertEquals(await whoIs(site, cookie), FORGOTTEN);
});

Deno.test("login forgets two remember cookies that are both good", async () => {
  const site = new Site();
  const { remember } = await tokensOf(site);
  const other = await tokensOf(site, site.david);
  const cookie = `_remember=${remember}; _remember=${other.remember}`;
  assertEquals(await whoIs(site, cookie), FORGOTTEN);
  site.advance(1);
  const later = await tokensOf(site);
  assertNotEquals(later.remember, remember);
  const same = `_remember=${remember}; _remember=${later.remember}`;
  assertEquals(await whoIs(site, same), FORGOTTEN);
});

Deno.test("login takes the one good remember cookie of several", async () => {
  const site = new Site();
  const { remember, session } = await tokensOf(site);
  const known = { id: 1, cookies: ["_remember", "session"] };
  for (
    const values of [
      [remember, "garbage"],
      ["", remember],
      [session, remember],
      [remember, remember],
      ["a", "b", remember, "c"],
    ]
  ) {
    const cookie = values.map((value) => `_remember=${value}`).join("; ");
    assertEquals(await whoIs(site, cookie), known, cookie);
  }
});

Deno.test("login looks at four remember cookies at most", async () => {
  const site = new Site();
  const { remember } = await tokensOf(site);
  const values = ["a", "b", "c", "d", remember];
  const cookie = values.map((value) => `_remember=${value}`).join("; ");
  assertEquals(await whoIs(site, cookie), FORGOTTEN);
});

Deno.test("login ignores a good remember token under another name", async () => {
  const site = new Site();
  const { remember } = await tokensOf(site);
  for (const name of ["_Remember", "remember", "_remember2", "x_remember"]) {
    const expected = { id: null, cookies: [] };
    assertEquals(await whoIs(site, `${name}=${remember}`), expected);
  }
});

Deno.test("a remember token tells nothing but id, days, stamp and times", async () => {
  const securityStamp = () => "s1";
  const site = new Site({ login: { securityStamp } });
  const { remember } = await tokensOf(site);
  const names = Object.keys(payloadOf(remember)).sort();
  assertEquals(names, ["days", "exp", "iat", "stamp", "user_id"]);
  assert(remember.length < 300);
});
