/**
 * A login that fails half way is none, whatever its handler saves afterwards:
 * the id from before, which others may know, never becomes the user's.
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { TestKv } from "../backends/_kv.ts";
import { MemoryBackend } from "../_helpers.ts";
import { Browser, cookiesOf, type Handler, Site } from "../_login.ts";
import { secret } from "./_common.ts";

const failure = new Error("The disk is full");

/** Who a visitor is before a login of susan's that fails. */
const VISITORS: Record<string, (site: Site) => Browser | Promise<Browser>> = {
  "a new visitor": () => new Browser(),
  "a visitor with a cart": async (site) => {
    const browser = new Browser();
    await site.edit(browser, (dict) => dict.cart = ["tea"]);
    return browser;
  },
  "david": (site) => site.loggedIn(site.david),
  "david, who is remembered": async (site) => {
    const browser = await site.remembered(site.david);
    await site.ask(browser);
    return browser;
  },
};

/** A login form that takes a failure for no more than bad luck, and says so. */
function formOf({ login, session, susan }: Site): Handler {
  return session.wrap(async (request) => {
    try {
      return await login.loginUser(request, susan, { remember: true });
    } catch {
      const dict = await session.get(request);
      dict.message = "Try again";
      delete dict.bulk;
      await dict.save();
      return new Response("Sorry", { status: 503 });
    }
  });
}

/** Somebody else who has come by a browser's cookies. */
function thiefOf(browser: Browser): Browser {
  const thief = new Browser();
  for (const cookie of browser.cookies) thief.cookies.set(...cookie);
  return thief;
}

/** Sees that a login that fails leaves everybody who they were. */
async function assertNoLogin(site: Site, browser: Browser): Promise<void> {
  const thief = thiefOf(browser);
  const { cart } = await site.data(browser);
  const { _user_id, _fresh } = await site.claims(browser);
  const response = await browser.post(formOf(site), "/login");
  assertEquals([response.status, cookiesOf(response)], [503, ["session"]]);
  assertEquals((await site.data(browser)).message, "Try again");
  const fresh = site.login.fresh(secret);
  for (const one of [browser, thief]) {
    const claims = await site.claims(one);
    assertEquals([claims._user_id, claims._fresh], [_user_id, _fresh]);
    assertEquals((await site.data(one)).cart, cart);
    assertEquals((await site.ask(one))?.id, _user_id);
    assertEquals((await one.get(fresh)).status, _fresh ? 200 : 302);
  }
}

for (const [who, prepare] of Object.entries(VISITORS)) {
  for (const method of ["save", "remove"] as const) {
    // A new visitor has nothing to remove.
    if (who === "a new visitor" && method === "remove") continue;

    for (const autoSave of [false, true]) {
      Deno.test(`login.loginUser() where a store fails to ${method} leaves ${who} as they were, autoSave: ${autoSave}`, async () => {
        const backend = new MemoryBackend();
        const site = new Site({ session: { backend, autoSave } });
        const browser = await prepare(site);
        backend.failOnce(method, failure);
        await assertNoLogin(site, browser);
      });
    }
  }

  Deno.test(`login.loginUser() where a store fails at whatever moment makes nobody of ${who} the user`, async () => {
    for (let pause = 1;; pause++) {
      using store = await TestKv.open();
      const backend = store.backend();
      const site = new Site({ session: { backend } });
      const browser = await prepare(site);
      const thief = thiefOf(browser);
      let isFailed = false;
      store.hookAt(pause, () => {
        isFailed = true;
        throw failure;
      });
      const form = formOf(site);
      const response = await browser.post(form, "/login").catch(() => null);
      store.hook = undefined;
      assertNotEquals((await site.ask(thief))?.id, 1);
      const { id } = await site.ask(browser) ?? {};
      if (!isFailed) {
        assertEquals([response?.status, id, pause > 4], [302, 1, true]);
        break;
      }
      assertNotEquals(response?.status, 302);
      assertNotEquals(id, 1);
    }
  });
}

for (const backend of ["jwt", "fernet"] as const) {
  Deno.test(`login.loginUser() that makes a ${backend} cookie too long leaves the visitor as they were`, async () => {
    const site = new Site({ session: { backend } });
    const browser = new Browser();
    // With the claims of a login, it is over the limit.
    const bulk = "x".repeat(2_900);
    await site.edit(browser, (dict) => Object.assign(dict, { bulk, cart: 1 }));
    await assertNoLogin(site, browser);
  });
}

for (const method of ["save", "remove"] as const) {
  Deno.test(`login.getCurrentUser() by the remember cookie where a store fails to ${method} makes nobody the user of the old id`, async () => {
    const backend = new MemoryBackend();
    const site = new Site({ session: { backend } });
    const browser = await site.remembered();
    await site.edit(browser, (dict) => dict.cart = ["tea"]);
    const thief = thiefOf(browser);
    thief.cookies.delete("_remember");
    backend.failOnce(method, failure);
    const page = site.session.wrap(async (request) => {
      const user = await site.login.getCurrentUser(request).catch(() => "?");
      const dict = await site.session.get(request);
      dict.message = "Sorry";
      await dict.save();
      return new Response(String(user));
    });
    assertEquals(await (await browser.get(page)).text(), "?");
    for (const one of [thief, browser]) {
      const { _user_id, _fresh } = await site.claims(one);
      assertEquals([_user_id, _fresh], [undefined, undefined]);
      assertEquals((await site.data(one)).cart, ["tea"]);
    }
    assertEquals(await site.ask(thief), null);
    // The next time, it works.
    assertEquals(await site.ask(browser), site.susan);
    assertEquals(await site.ask(thief), null);
    assert((await site.claims(browser))._fresh === false);
  });
}
