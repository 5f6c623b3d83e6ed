import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import { KEY, NOW, OTHER_KEY, payloadOf, signToken } from "../_helpers.ts";
import { Browser, cookiesOf, DAY, rememberKey, Site } from "../_login.ts";
import { STAMPED } from "./_common.ts";

/** A remember cookie, and the session cookie that came with it. */
interface Tokens {
  remember: string;
  session: string;
}

const SESSION_HEADER = '{"alg":"HS256","typ":"JWT"}';
const HEADER = '{"alg":"HS256","typ":"remember+jwt"}';

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
    ({ remember }) => signToken(payloadOf(remember), KEY, HEADER),
  ],
  [
    "another key",
    ({ remember }) => signDerived(payloadOf(remember), HEADER, OTHER_KEY),
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
  ["1.5 for user id", { user_id: 1.5 }],
  ["2 ** 53 for user id", { user_id: 2 ** 53 }],
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
  ["no time of the password", { auth_time: undefined }],
  ["a time of the password in a string", { auth_time: `${NOW}` }],
  ["a password that is to come", { auth_time: NOW + 61 }],
  ["no session's name", { _cookie: undefined }],
  ["another session's name", { _cookie: "admin" }],
  ["an array of the session's name", { _cookie: ["session"] }],
];

function replacePart(token: string, index: number, text: string): string {
  return token.split(".").with(index, encodeBase64Url(text)).join(".");
}

/** Signs as the remember cookie is signed. */
async function signDerived(
  payload: Record<string, unknown>,
  header = HEADER,
  secret = KEY,
): Promise<string> {
  return await signToken(payload, await rememberKey(secret), header);
}

async function tokensOf(site: Site, user = site.susan): Promise<Tokens> {
  const { cookies } = await site.loggedIn(user, { remember: 5 });
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

/** Sees that these remember cookies make nobody known, nor begin a session. */
async function assertNobody(site: Site, ...values: string[]): Promise<void> {
  const cookie = values.map((value) => `_remember=${value}`).join("; ");
  const { id, cookies } = await whoIs(site, cookie);
  assertEquals(id, null);
  const set = cookies.filter((name) => !name.startsWith("-"));
  assertEquals(set, []);
}

for (const [what, forge] of FORGERIES) {
  Deno.test(`login knows nobody by a remember cookie with ${what}`, async () => {
    const site = new Site();
    await assertNobody(site, await forge(await tokensOf(site)));
    assertEquals(site.loaded, []);
  });
}

for (const [what, changes] of CONTENTS) {
  Deno.test(`login knows nobody by a remember token with ${what}`, async () => {
    const site = new Site();
    const { remember } = await tokensOf(site);
    const payload = { ...payloadOf(remember), ...changes };
    await assertNobody(site, await signDerived(payload));
    assert(site.loaded.every((id) => typeof id === "number"));
  });
}

Deno.test("a remember token is signed with a derived key, and has a type of its own", async () => {
  const site = new Site();
  const { remember } = await tokensOf(site);
  const payload = payloadOf(remember);
  assertEquals(await signDerived(payload), remember);
  const { jti, ...rest } = payload;
  assert(typeof jti === "string");
  assertEquals(rest, {
    user_id: 1,
    days: 5,
    auth_time: NOW,
    _cookie: "session",
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
  const typed = await signToken(payloadOf(session), KEY, HEADER);
  const derived = await signDerived(payloadOf(session), SESSION_HEADER);
  assertEquals((await whoIs(site, `session=${session}`)).id, 1);
  assertEquals((await whoIs(site, `session=${typed}`)).id, null);
  assertEquals((await whoIs(site, `session=${derived}`)).id, null);
});

Deno.test("login knows nobody by session and remember cookie swapped", async () => {
  const site = new Site();
  const { remember, session } = await tokensOf(site);
  const cookie = `session=${remember}; _remember=${session}`;
  assertEquals((await whoIs(site, cookie)).id, null);
});

Deno.test("login knows nobody by two remember cookies that are both good", async () => {
  const site = new Site();
  const { remember } = await tokensOf(site);
  const other = await tokensOf(site, site.david);
  await assertNobody(site, remember, other.remember);
  site.advance(1);
  const later = await tokensOf(site);
  assertNotEquals(later.remember, remember);
  await assertNobody(site, remember, later.remember);
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
  await assertNobody(site, "a", "b", "c", "d", remember);
});

Deno.test("login ignores a good remember token under another name", async () => {
  const site = new Site();
  const { remember } = await tokensOf(site);
  for (const name of ["_Remember", "remember", "_remember2", "x_remember"]) {
    const expected = { id: null, cookies: [] };
    assertEquals(await whoIs(site, `${name}=${remember}`), expected);
  }
});

Deno.test("a remember token tells the user's id and stamp, and nothing else of theirs", async () => {
  const site = new Site({ login: STAMPED });
  const browser = await site.loggedIn();
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  await site.logIn(browser, site.susan, { remember: true });
  const remember = browser.cookies.get("_remember") ?? "";
  const { user_id, stamp, ...rest } = payloadOf(remember);
  assertEquals([user_id, stamp], [1, "s1"]);
  const text = JSON.stringify(rest);
  for (const name of ["susan", "tea"]) {
    assert(!text.includes(name), text);
  }
  assert(remember.length < 400);
});
