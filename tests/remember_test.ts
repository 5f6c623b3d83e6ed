import { assert, assertEquals, assertRejects } from "@std/assert";
import { Login, withSession } from "../mod.ts";
import {
  attributesOf,
  cookieSetBy,
  KEY,
  lineOf,
  MemoryBackend,
  OTHER_KEY,
} from "./_helpers.ts";
import {
  assertForgotten,
  Browser,
  cookiesOf,
  DAY,
  locationOf,
  Site,
  type User,
} from "./_login.ts";

const stamped = { securityStamp: (user: User) => user.stamp };

Deno.test("login.getCurrentUser() finds the user by the remember cookie", async () => {
  const site = new Site();
  const { user, response } = await site.recall(await site.remembered());
  assertEquals(user, site.susan);
  assertEquals(site.loaded, [1]);
  assertEquals(cookiesOf(response), ["_remember", "session"]);
});

Deno.test("login.getCurrentUser() by the remember cookie saves a session that is not fresh", async () => {
  const site = new Site({ login: stamped });
  const browser = await site.remembered();
  await site.ask(browser);
  assertEquals(await site.data(browser), {
    _user_id: 1,
    _fresh: false,
    _stamp: "s1",
  });
});

Deno.test("login.getCurrentUser() renews the remember cookie once, then goes by the session", async () => {
  const site = new Site();
  const browser = await site.remembered();
  const { response } = await site.recall(browser);
  assert(cookiesOf(response).includes("_remember"));
  const again = await site.recall(browser);
  assertEquals(again.user, site.susan);
  assertEquals(cookiesOf(again.response), []);
});

Deno.test("login.getCurrentUser() by the remember cookie saves one session", async () => {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend, autoSave: true } });
  const browser = await site.remembered();
  backend.previous.length = 0;
  const { response } = await site.recall(browser);
  assertEquals(cookiesOf(response), ["_remember", "session"]);
  assertEquals(backend.previous, [undefined]);
});

Deno.test("login.getCurrentUser() by the remember cookie works with session.commit()", async () => {
  const site = new Site();
  const request = (await site.remembered()).request("/");
  assertEquals(await site.login.getCurrentUser(request), site.susan);
  const response = await site.session.commit(request, new Response("Hello"));
  assertEquals(cookiesOf(response), ["_remember", "session"]);
});

Deno.test("login.getCurrentUser() by the remember cookie keeps an anonymous session's data, under a new id", async () => {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend } });
  const browser = await site.remembered();
  backend.records.clear();
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  const old = browser.cookies.get("session");
  assertEquals(await site.ask(browser), site.susan);
  const { cart, _user_id } = await site.data(browser);
  assertEquals({ cart, _user_id }, { cart: ["tea"], _user_id: 1 });
  assertEquals([...backend.records.keys()], [browser.cookies.get("session")]);
  assertEquals(backend.removed.includes(old ?? ""), true);
});

Deno.test("login.getCurrentUser() goes by the session where there are both", async () => {
  const site = new Site();
  const browser = await site.remembered();
  const other = new Browser();
  await site.logIn(other, site.david);
  browser.cookies.set("session", other.cookies.get("session") ?? "");
  const { user, response } = await site.recall(browser);
  assertEquals(user, site.david);
  assertEquals(cookiesOf(response), []);
});

Deno.test("login.getCurrentUser() by the remember cookie works when the session has expired", async () => {
  const site = new Site({ session: { maxAge: 100 } });
  const browser = new Browser();
  await site.logIn(browser, site.susan, { remember: true });
  site.advance(100);
  const { user, response } = await site.recall(browser);
  assertEquals(user, site.susan);
  assertEquals(cookiesOf(response), ["_remember", "session"]);
});

Deno.test("login.required() lets a remembered user in, and sets both cookies", async () => {
  const site = new Site();
  const browser = await site.remembered();
  const page = site.login.required((_request, { name }) => new Response(name));
  const response = await browser.get(page);
  assertEquals(await response.text(), "susan");
  assertEquals(cookiesOf(response), ["_remember", "session"]);
});

Deno.test("login.fresh() never lets a remembered user in", async () => {
  const site = new Site();
  const browser = await site.remembered();
  const page = site.login.fresh(() => new Response("Secret"));
  for (let visit = 0; visit < 3; visit++) {
    const response = await browser.get(page, "/secret");
    assertEquals(locationOf(response), [302, "/login?next=%2Fsecret"]);
    browser.cookies.delete("session");
  }
});

Deno.test("login.fresh() lets a remembered user in after the login page", async () => {
  const site = new Site();
  const browser = await site.remembered();
  const page = site.login.fresh(() => new Response("Secret"));
  assertEquals((await browser.get(page)).status, 302);
  await site.logIn(browser, site.susan);
  assertEquals((await browser.get(page)).status, 200);
});

Deno.test("login.requireUser() takes a remembered user for no fresh one", async () => {
  const site = new Site();
  const browser = await site.remembered();
  const request = browser.request("/");
  assertEquals(await site.login.requireUser(request), site.susan);
  const { _fresh, _auth_time } = await site.session.get(request);
  assertEquals({ _fresh, _auth_time }, {
    _fresh: false,
    _auth_time: undefined,
  });
});

Deno.test("the remember token takes up securityStamp", async () => {
  const site = new Site({ login: stamped });
  const browser = await site.remembered();
  assertEquals(await site.ask(browser), site.susan);
  browser.cookies.delete("session");
  site.susan.stamp = "s2";
  await assertForgotten(site, browser);
});

Deno.test("a remember cookie of a user who is gone is removed", async () => {
  const site = new Site();
  const browser = await site.remembered();
  site.users.delete(1);
  await assertForgotten(site, browser);
  assertEquals(site.loaded, [1]);
});

Deno.test("login.loginUser() without remember removes another user's remember cookie", async () => {
  const site = new Site();
  const browser = await site.remembered(site.david);
  const response = await site.logIn(browser, site.susan);
  assertEquals(cookiesOf(response), ["-_remember", "session"]);
});

Deno.test("login.loginUser() without remember keeps the same user's remember cookie", async () => {
  for (const login of [{}, stamped]) {
    const site = new Site({ login });
    const browser = await site.remembered();
    const response = await site.logIn(browser, site.susan);
    assertEquals(cookiesOf(response), ["session"]);
    browser.cookies.delete("session");
    assertEquals(await site.ask(browser), site.susan);
  }
});

Deno.test("login.loginUser() without remember removes another user's remember cookie that logged in before", async () => {
  const site = new Site();
  const browser = await site.remembered(site.david);
  const response = await browser.post(site.session.wrap(async (request) => {
    assertEquals(await site.login.getCurrentUser(request), site.david);
    return await site.login.loginUser(request, site.susan);
  }));
  assertEquals(cookiesOf(response), ["-_remember", "session"]);
});

Deno.test("login.loginUser() without remember sends no remember cookie that was made for another user", async () => {
  const site = new Site();
  const browser = new Browser();
  await browser.post(site.session.wrap(async (request) => {
    await site.login.loginUser(request, site.david, { remember: true });
    return await site.login.loginUser(request, site.susan);
  }));
  assertEquals(await site.ask(browser), site.susan);
  browser.cookies.delete("session");
  assertEquals(await site.ask(browser), null);
});

Deno.test("login.loginUser() without remember removes a remember cookie of an old stamp", async () => {
  const site = new Site({ login: stamped });
  const browser = await site.remembered();
  site.susan.stamp = "s2";
  const response = await site.logIn(browser, site.susan);
  assertEquals(cookiesOf(response), ["-_remember", "session"]);
});

Deno.test("login.loginUser() without remember removes a remember cookie that is garbage", async () => {
  const site = new Site();
  const browser = new Browser();
  browser.cookies.set("_remember", "garbage");
  const response = await site.logIn(browser, site.susan);
  assertEquals(cookiesOf(response), ["-_remember", "session"]);
});

Deno.test("login.loginUser() with remember replaces the remember cookie", async () => {
  for (const user of ["susan", "david"] as const) {
    const site = new Site();
    const browser = await site.remembered(site[user], 60);
    const response = await site.logIn(browser, site.susan, { remember: 5 });
    assertEquals(cookiesOf(response), ["_remember", "session"]);
    const attributes = attributesOf(lineOf(response, "_remember"));
    assert(attributes.includes(`Max-Age=${5 * DAY}`));
    browser.cookies.delete("session");
    assertEquals(await site.ask(browser), site.susan);
  }
});

Deno.test("a remember cookie of an old key is good, and renewed with the first", async () => {
  const site = new Site();
  const browser = await site.remembered();
  site.session.secretKey = [OTHER_KEY, KEY];
  assertEquals(await site.ask(browser), site.susan);
  browser.cookies.delete("session");
  site.session.secretKey = OTHER_KEY;
  assertEquals(await site.ask(browser), site.susan);
});

Deno.test("a remember cookie of a key that was dropped is removed", async () => {
  const site = new Site();
  const browser = await site.remembered();
  assertEquals(await site.ask(browser), site.susan);
  browser.cookies.delete("session");
  site.session.secretKey = OTHER_KEY;
  await assertForgotten(site, browser);
});

Deno.test("a remember cookie is good for a string, its bytes or a CryptoKey alike", async () => {
  const bytes = new TextEncoder().encode(KEY);
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const usages: KeyUsage[] = ["sign", "verify"];
  const secretKeys = [
    KEY,
    bytes,
    await crypto.subtle.importKey("raw", bytes, hmac, false, usages),
  ];
  for (const secretKey of secretKeys) {
    const browser = await new Site({ session: { secretKey } }).remembered();
    for (const secretKey of secretKeys) {
      const site = new Site({ session: { secretKey } });
      assertEquals(await site.ask(browser), site.susan);
      browser.cookies.delete("session");
    }
  }
});

Deno.test("remember works with a key that the session gets later", async () => {
  const site = new Site({ isKeyless: true });
  site.session.secretKey = KEY;
  assertEquals(await site.ask(await site.remembered()), site.susan);
});

Deno.test("remember works with a store, where the session has a secret key", async () => {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend } });
  const browser = await site.remembered();
  const token = browser.cookies.get("_remember") ?? "";
  assertEquals(backend.records.has(token), false);
  assertEquals(await site.ask(browser), site.susan);
});

for (const remember of [true, 5]) {
  Deno.test(`login.loginUser() with a store but no key rejects remember: ${remember}`, async () => {
    const backend = new MemoryBackend();
    const site = new Site({ session: { backend }, isKeyless: true });
    const request = new Browser().request("/login", { method: "POST" });
    await assertRejects(
      () => site.login.loginUser(request, site.susan, { remember }),
      TypeError,
      "the session has no secretKey; give it one, whatever the backend",
    );
    assertEquals(backend.records.size, 0);
    assertEquals(await site.login.getCurrentUser(request), null);
  });
}

Deno.test("login with a store but no key works without remember", async () => {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend }, isKeyless: true });
  const browser = new Browser();
  const response = await site.logIn(browser, site.susan);
  assertEquals(cookiesOf(response), ["session"]);
  assertEquals(await site.ask(browser), site.susan);
  await browser.post((request) => site.login.logoutUser(request));
  assertEquals(await site.ask(browser), null);
});

Deno.test("login with a store but no key remembers nobody", async () => {
  const browser = await new Site().remembered();
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend }, isKeyless: true });
  await assertForgotten(site, browser);
});

Deno.test("getCurrentUser() of two Logins sets the remember cookies of both", async () => {
  const site = new Site();
  const admins = new Login<User>(site.session, {
    userLoader: (id) => site.users.get(id),
    rememberCookieName: "_admin",
  });
  const request = new Browser().request("/");
  const handler = withSession(site.session, async (request) => {
    await site.login.loginUser(request, site.susan, { remember: true });
    await admins.loginUser(request, site.susan, { remember: true });
    return new Response("Hello");
  });
  const response = await handler(request);
  assertEquals(cookiesOf(response), ["_admin", "_remember", "session"]);
  const names = ["_admin", "_remember"].map((name) =>
    cookieSetBy(response, name)
  );
  assert(names.every((value) => value !== undefined && value !== ""));
});
