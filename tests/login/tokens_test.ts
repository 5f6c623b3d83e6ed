/** Tokens for links in mails. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import { Login, Session, type TokenOptions } from "../../mod.ts";
import { KEY, NOW, OTHER_KEY, payloadOf, signToken } from "../_helpers.ts";
import { DAY, Site, type User } from "../_login.ts";
import { WatchedStore } from "../_watched_store.ts";
import { STAMPED } from "./_common.ts";

const RESET = "reset password";
const HOUR = { maxAge: 3600 };

/** A token for susan's mail. */
function tokenFor(site: Site, purpose = RESET): Promise<string> {
  return site.login.createToken(site.susan, purpose, HOUR);
}

async function assertNobody(
  site: Site,
  token: unknown,
  purpose = RESET,
): Promise<void> {
  assertEquals(await site.login.verifyToken(token, purpose), null);
}

/** What no token is. */
const GARBAGE: unknown[] = [
  undefined,
  null,
  "",
  ".",
  "..",
  "a.b.c",
  "garbage",
  "\uD800",
  "%00",
  "A".repeat(100_000),
  0,
  NaN,
  true,
  1n,
  Symbol("token"),
  [],
  ["a.b.c"],
  {},
  { toString: () => "a.b.c" },
  () => "a.b.c",
  new Date(0),
  new File(["a.b.c"], "token"),
];

/** Changes to a token. */
const CHANGES: [what: string, change: (token: string) => string][] = [
  ["without its end", (token) => token.slice(0, -1)],
  ["with one character more", (token) => `${token}A`],
  ["with white space", (token) => ` ${token} `],
  ["with padding", (token) => `${token}=`],
  ["without its MAC", (token) => token.slice(0, token.lastIndexOf(".") + 1)],
  ["for another user", (token) => {
    const [header, , mac] = token.split(".");
    const payload = { ...payloadOf(token), user_id: 2 };
    return [header, encodeBase64Url(JSON.stringify(payload)), mac].join(".");
  }],
  ["that is not signed", (token) => {
    const header = encodeBase64Url('{"alg":"none","typ":"link+jwt"}');
    return `${header}.${token.split(".")[1]}.`;
  }],
];

/** What a programmer gets wrong, and what the error says. */
const MISTAKES: [
  what: string,
  args: unknown[],
  message: string,
  ErrorClass?: typeof TypeError | typeof RangeError,
][] = [
  ["no user", [null, RESET, HOUR], "Cannot make token: the user has no id"],
  ["no id", [{}, RESET, HOUR], "Cannot make token: the user has no id"],
  ["an id of 1.5", [{ id: 1.5 }, RESET, HOUR], "the user has no id"],
  ["no purpose", [{ id: 1 }], "purpose: it must be a string, not undefined"],
  ["options for the purpose", [{ id: 1 }, HOUR], "not object"],
  ["an empty purpose", [{ id: 1 }, "", HOUR], 'such as "reset password"'],
  [
    "a purpose without end",
    [{ id: 1 }, "x".repeat(4000), HOUR],
    "over the limit of 4096; use a shorter id, security stamp and purpose",
    RangeError,
  ],
  ["no options", [{ id: 1 }, RESET], "maxAge: it must be a number of seconds"],
  ["no maxAge", [{ id: 1 }, RESET, {}], "must be a number of seconds"],
  ["a text", [{ id: 1 }, RESET, { maxAge: "1h" }], "must be a number"],
  ["the maxAge itself", [{ id: 1 }, RESET, 3600], "options: it must be an obj"],
  [
    "another option",
    [{ id: 1 }, RESET, { expiresIn: 1 }],
    "did you mean maxAge?",
  ],
  ...[0, -1, 1.5, NaN, Infinity].map((maxAge): typeof MISTAKES[number] => [
    `a maxAge of ${maxAge}`,
    [{ id: 1 }, RESET, { maxAge }],
    "must be a whole number of seconds above 0",
    RangeError,
  ]),
];

Deno.test("login.verifyToken() finds the user of a token, as often as it is asked", async () => {
  const site = new Site({ login: STAMPED });
  const token = await tokenFor(site);
  assertEquals(encodeURIComponent(token), token);
  assertEquals(await site.login.verifyToken(token, RESET), site.susan);
  assertEquals(await site.login.verifyToken(token, RESET), site.susan);
  assertEquals(site.loaded, [1, 1]);
});

Deno.test("login.verifyToken() knows ids by their type", async () => {
  const site = new Site();
  for (const id of [0, "", "0", "susan", "1", -1, 2 ** 53 - 1]) {
    const user = site.add({ id, name: "x", stamp: "" });
    const token = await site.login.createToken(user, RESET, HOUR);
    assertEquals(await site.login.verifyToken(token, RESET), user);
  }
});

Deno.test("login.verifyToken() takes a token until its maxAge is over", async () => {
  const site = new Site();
  const token = await tokenFor(site);
  site.advance(3599);
  assertEquals(await site.login.verifyToken(token, RESET), site.susan);
  site.advance(1);
  await assertNobody(site, token);
});

Deno.test("login.verifyToken() takes a token for its purpose alone", async () => {
  const site = new Site();
  const token = await tokenFor(site);
  for (const purpose of ["log in", "Reset password", "reset password "]) {
    await assertNobody(site, token, purpose);
  }
});

Deno.test("login.verifyToken() takes no token of another security stamp", async () => {
  const site = new Site({ login: STAMPED });
  const token = await tokenFor(site);
  site.susan.stamp = "s2";
  await assertNobody(site, token);
  const later = await tokenFor(site);
  assertEquals(await site.login.verifyToken(later, RESET), site.susan);
});

Deno.test("login.verifyToken() takes no token from before there were security stamps", async () => {
  const token = await tokenFor(new Site());
  await assertNobody(new Site({ login: STAMPED }), token);
});

Deno.test("login.verifyToken() takes no token of a user who is gone, or whom the loader takes for another", async () => {
  const site = new Site();
  const token = await tokenFor(site);
  for (
    const found of [undefined, null, site.david, { ...site.susan, id: "1" }]
  ) {
    site.login.userLoader(() => found);
    await assertNobody(site, token);
  }
});

Deno.test("login.verifyToken() takes tokens of the keys that there are", async () => {
  const site = new Site();
  const token = await tokenFor(site);
  site.session.secretKey = [OTHER_KEY, KEY];
  assertEquals(await site.login.verifyToken(token, RESET), site.susan);
  const later = await tokenFor(site);
  site.session.secretKey = OTHER_KEY;
  await assertNobody(site, token);
  assertEquals(await site.login.verifyToken(later, RESET), site.susan);
});

Deno.test("login.verifyToken() is null for garbage, and asks no loader", async () => {
  const site = new Site();
  for (const garbage of GARBAGE) await assertNobody(site, garbage);
  assertEquals(site.loaded, []);
});

for (const [what, change] of CHANGES) {
  Deno.test(`login.verifyToken() is null for a token ${what}`, async () => {
    const site = new Site();
    await assertNobody(site, change(await tokenFor(site)));
    assertEquals(site.loaded, []);
  });
}

Deno.test("login.verifyToken() takes no token of another kind, and no other takes it", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const token = await tokenFor(site);
  const payload = payloadOf(token);
  const others = [
    ...browser.cookies.values(),
    await site.session.encode(payload),
    await signToken(payload),
    await signToken(payload, KEY, '{"alg":"HS256","typ":"link+jwt"}'),
  ];
  for (const other of others) await assertNobody(site, other);
  assertEquals(await site.session.decode(token), {});
  for (const name of ["session", "_remember"]) {
    const visitor = await site.loggedIn();
    visitor.cookies.clear();
    visitor.cookies.set(name, token);
    assertEquals(await site.ask(visitor), null);
  }
});

Deno.test("login.verifyToken() takes no token of a Session of another name with the same key", async () => {
  const token = await tokenFor(new Site());
  await assertNobody(new Site({ session: { cookieName: "admin" } }), token);
});

Deno.test("a token says whom it is for and what, and no more", async () => {
  const site = new Site({ login: STAMPED });
  assertEquals(payloadOf(await tokenFor(site)), {
    user_id: 1,
    stamp: "s1",
    purpose: RESET,
    exp: NOW + 3600,
    _cookie: "session",
  });
});

Deno.test("tokens work over a store, and take no room there", async () => {
  const store = new WatchedStore();
  const site = new Site({ session: { backend: store.backend() } });
  const token = await tokenFor(site);
  assertEquals(await site.login.verifyToken(token, RESET), site.susan);
  assertEquals(store.records.size, 0);
});

Deno.test("a token logs in, and its use ends it where the stamp changes", async () => {
  const site = new Site({ login: STAMPED });
  const browser = await site.loggedIn();
  const token = await tokenFor(site);
  const user = await site.login.verifyToken(token, RESET);
  assert(user !== null);
  user.stamp = "s2"; // A new password.
  await site.logIn(browser, user);
  assertEquals(await site.ask(browser), site.susan);
  await assertNobody(site, token);
});

for (const [what, args, message, ErrorClass = TypeError] of MISTAKES) {
  Deno.test(`login.createToken() rejects ${what}`, async () => {
    const { login } = new Site();
    const [user, purpose, options] = args as [User, string, TokenOptions];
    await assertRejects(
      () => login.createToken(user, purpose, options),
      ErrorClass,
      message,
    );
  });
}

Deno.test("login.verifyToken() rejects a purpose that is none, whatever the token", async () => {
  const site = new Site();
  const token = await tokenFor(site);
  for (const purpose of [undefined, null, 1, ""]) {
    for (const one of [token, "garbage", null]) {
      await assertRejects(
        () => site.login.verifyToken(one, purpose as string),
        TypeError,
        "Cannot use purpose",
      );
    }
  }
});

Deno.test("without a key, login.createToken() rejects, and login.verifyToken() is null", async () => {
  const backend = new WatchedStore().backend();
  const site = new Site({ isKeyless: true, session: { backend } });
  await assertRejects(
    () => tokenFor(site),
    TypeError,
    "Cannot make token: the session has no secretKey; give it one, whatever the backend",
  );
  await assertNobody(site, await tokenFor(new Site()));
});

Deno.test("login.verifyToken() rejects where there is no userLoader, and passes on what it throws", async () => {
  const site = new Site();
  const token = await tokenFor(site);
  const login = new Login<User>(
    new Session({ secretKey: KEY, clock: site.clock }),
  );
  await assertRejects(
    () => login.verifyToken(token, RESET),
    TypeError,
    "there is no userLoader",
  );
  login.userLoader(() => Promise.reject(new Error("broken")));
  await assertRejects(() => login.verifyToken(token, RESET), Error, "broken");
});

Deno.test("a token may hold for years", async () => {
  const site = new Site();
  const options = { maxAge: 3650 * DAY };
  const token = await site.login.createToken(site.susan, RESET, options);
  site.advance(3650 * DAY - 1);
  assertEquals(await site.login.verifyToken(token, RESET), site.susan);
});
