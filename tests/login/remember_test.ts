import { assert, assertEquals, assertRejects } from "@std/assert";
import { KEY, MemoryBackend, NOW, open, OTHER_KEY } from "../_helpers.ts";
import {
  assertForgotten,
  Browser,
  cookiesOf,
  locationOf,
  Site,
} from "../_login.ts";
import { failureOf, FAILURES, secret, STAMPED } from "./_common.ts";

Deno.test("login.getCurrentUser() finds the user by the remember cookie", async () => {
  const site = new Site();
  const { user, response } = await site.recall(await site.remembered());
  assertEquals(user, site.susan);
  assertEquals(site.loaded, [1]);
  assertEquals(cookiesOf(response), ["_remember", "session"]);
});

Deno.test("login.getCurrentUser() by the remember cookie saves a session that is not fresh", async () => {
  const site = new Site({ login: STAMPED });
  const browser = await site.remembered();
  await site.ask(browser);
  const claims = await site.claims(browser);
  const { _user_id, _fresh, _auth_time, _stamp } = claims;
  assertEquals([_user_id, _fresh, _stamp], [1, false, "s1"]);
  assertEquals(_auth_time, undefined);
});

Deno.test("login.getCurrentUser() by the remember cookie takes nothing from what the session said of a login", async () => {
  const site = new Site();
  const browser = await site.remembered();
  const old = { _fresh: true, _auth_time: NOW, _stamp: "s0" };
  await site.give(browser, old);
  assertEquals(await site.ask(browser), site.susan);
  const { _fresh, _auth_time, _stamp } = await site.claims(browser);
  assertEquals([_fresh, _auth_time, _stamp], [false, undefined, undefined]);
  assertEquals(await site.ask(browser), site.susan);
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

for (const [how, fail] of FAILURES) {
  Deno.test(`login.getCurrentUser() by the remember cookie rejects where the store ${how}`, async () => {
    const backend = new MemoryBackend();
    const site = new Site({ session: { backend } });
    const browser = await site.remembered();
    backend.save = fail;
    const failure = await failureOf(
      site,
      browser,
      (request) => site.login.getCurrentUser(request),
    );
    assertEquals((failure as Error).message, "broken");
  });
}

Deno.test("login.getCurrentUser() by the remember cookie works with session.commit()", async () => {
  const site = new Site();
  const request = (await site.remembered()).request("/");
  await open(site.session, request);
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
  assertEquals((await site.data(browser)).cart, ["tea"]);
  assertEquals([...backend.records.keys()], [browser.cookies.get("session")]);
  assertEquals(backend.removed.includes(old ?? ""), true);
});

Deno.test("login.getCurrentUser() goes by the session where there are both", async () => {
  const site = new Site();
  const browser = await site.remembered();
  const other = await site.loggedIn(site.david);
  browser.cookies.set("session", other.cookies.get("session") ?? "");
  const { user, response } = await site.recall(browser);
  assertEquals(user, site.david);
  assertEquals(cookiesOf(response), []);
});

Deno.test("login.getCurrentUser() by the remember cookie works when the session has expired", async () => {
  const site = new Site({ session: { maxAge: 100 } });
  const browser = await site.loggedIn(site.susan, { remember: true });
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
  const page = site.login.fresh(secret);
  for (let visit = 0; visit < 3; visit++) {
    const response = await browser.get(page, "/secret");
    assertEquals(locationOf(response), [302, "/login?next=%2Fsecret"]);
    if (visit > 0) browser.cookies.delete("session");
  }
});

Deno.test("login.fresh() lets a remembered user in after the login page", async () => {
  const site = new Site();
  const browser = await site.remembered();
  const page = site.login.fresh(secret);
  assertEquals((await browser.get(page)).status, 302);
  await site.logIn(browser, site.susan);
  assertEquals((await browser.get(page)).status, 200);
});

Deno.test("a remember cookie of an old stamp is removed", async () => {
  const site = new Site({ login: STAMPED });
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

Deno.test("a remember cookie of an old key is good, and renewed with the first", async () => {
  const site = new Site();
  const browser = await site.remembered();
  site.session.secretKey = [OTHER_KEY, KEY];
  assertEquals(await site.ask(browser), site.susan);
  browser.cookies.delete("session");
  site.session.secretKey = OTHER_KEY;
  assertEquals(await site.ask(browser), site.susan);
});

Deno.test("a remember cookie of a key that was dropped is no good", async () => {
  const site = new Site();
  const browser = await site.remembered();
  assertEquals(await site.ask(browser), site.susan);
  browser.cookies.delete("session");
  site.session.secretKey = OTHER_KEY;
  assertEquals(await site.ask(browser), null);
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
    await assertRejects(
      () => site.logIn(new Browser(), site.susan, { remember }),
      TypeError,
      "the session has no secretKey; give it one, whatever the backend",
    );
    assertEquals(backend.records.size, 0);
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
  assertEquals(await site.ask(browser), null);
});

for (
  const [when, logsOut] of [["a logout", true], ["a login", false]] as const
) {
  Deno.test(`login.loginUser() remembers a user in the second of ${when} before it`, async () => {
    const site = new Site();
    const browser = await site.remembered();
    const logOut = (request: Request) => site.login.logoutUser(request);
    if (logsOut) await browser.post(logOut);
    await site.logIn(browser, site.susan, { remember: true });
    browser.cookies.delete("session");
    const { user, response } = await site.recall(browser);
    assertEquals(user, site.susan);
    assertEquals(cookiesOf(response), ["_remember", "session"]);
  });
}
