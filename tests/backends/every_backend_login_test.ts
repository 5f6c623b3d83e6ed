/** What a login is with each backend; the one that is unsigned has none. */

import {
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { Login } from "../../mod.ts";
import { Browser, cookiesOf, DAY, locationOf, type Site } from "../_login.ts";
import { type Fixture, testEach } from "./_every_backend.ts";

const MISSING_USERS: [what: string, change: (site: Site) => void][] = [
  ["the user is gone", (site) => site.users.clear()],
  ["the security stamp changed", (site) => site.susan.stamp = "s2"],
];

/** Defines a test of each backend that a login can be had with. */
function testLogin(
  what: string,
  run: (site: Site, fixture: Fixture) => Promise<void>,
): void {
  testEach(what, (fixture) => {
    const login = { securityStamp: ({ stamp }: { stamp: string }) => stamp };
    return run(fixture.newSite({ login }), fixture);
  }, { isAuthenticated: true });
}

function valueOf(browser: Browser): string {
  return browser.cookies.get("session") ?? "";
}

testEach("new Login() refuses the session", ({ session }) => {
  assertThrows(() => new Login(session), TypeError, "unsigned");
}, { isAuthenticated: false });

testLogin(
  "login.loginUser() keeps the visitor's data, in a session that nobody knew before",
  async (site, { traits }) => {
    const victim = new Browser();
    await site.edit(victim, (dict) => dict.cart = [7]);
    const attacker = new Browser();
    attacker.cookies.set("session", valueOf(victim));

    const response = await site.logIn(victim, site.susan);
    assertEquals(locationOf(response), [302, "/"]);
    assertEquals(cookiesOf(response), ["session"]);
    assertEquals(await site.ask(victim), site.susan);
    assertEquals((await site.data(victim)).cart, [7]);

    assertNotEquals(valueOf(victim), valueOf(attacker));
    assertEquals(await site.ask(attacker), null);
    assertEquals(
      await site.data(attacker),
      traits.isKept ? {} : { cart: [7] },
    );
  },
);

testLogin(
  "login.loginUser() drops another user's data, not the same user's",
  async (site) => {
    const browser = await site.loggedIn(site.susan);
    await site.edit(browser, (dict) => dict.draft = "susan's");
    await site.logIn(browser, site.susan);
    assertEquals((await site.data(browser)).draft, "susan's");
    await site.logIn(browser, site.david);
    assertEquals(await site.ask(browser), site.david);
    assertEquals((await site.data(browser)).draft, undefined);
  },
);

testLogin(
  "login.getCurrentUser() tells the ids 0, 1, '' and '1' apart",
  async (site) => {
    for (const id of [0, "", "1"]) {
      const user = site.add({ id, name: "nobody", stamp: "" });
      const browser = await site.loggedIn(user);
      site.loaded.length = 0;
      assertEquals(await site.ask(browser), user);
      assertEquals(site.loaded, [id]);
    }
  },
);

for (const [what, change] of MISSING_USERS) {
  testLogin(
    `login.getCurrentUser() ends the login when ${what}`,
    async (site) => {
      const phone = await site.loggedIn(site.susan, { remember: true });
      const laptop = await site.loggedIn(site.susan);
      assertEquals(await site.ask(laptop), site.susan);
      change(site);
      assertEquals(await site.ask(phone), null);
      assertEquals(await site.ask(laptop), null);
      assertEquals([phone.cookies.size, laptop.cookies.size], [0, 0]);
    },
  );
}

testLogin(
  "login.logoutUser() ends the login, and a copied cookie's or does not",
  async (site, { traits }) => {
    const browser = await site.loggedIn(site.susan, { remember: true });
    const thief = new Browser();
    thief.cookies.set("session", valueOf(browser));
    const response = await browser.post(
      (request) => site.login.logoutUser(request, { redirectUrl: "/bye" }),
    );
    assertEquals(locationOf(response), [302, "/bye"]);
    assertEquals(cookiesOf(response), ["-_remember", "-session"]);
    assertEquals(await site.ask(browser), null);
    assertEquals(await site.ask(thief), traits.isKept ? null : site.susan);
  },
);

testLogin(
  "login.logoutUser() is not undone by a slow request that renews after it",
  async (site) => {
    for (const change of [site.login.logoutUser.bind(site.login), end]) {
      const browser = await site.loggedIn();
      site.advance(8 * DAY); // A renewal is due.
      const slow = site.session.wrap(async (request) => {
        assertEquals(await site.login.getCurrentUser(request), site.susan);
        await browser.post(site.session.wrap((request) => change(request)));
        return new Response("Slow");
      });
      const response = await slow(browser.request("/"));
      assertEquals(cookiesOf(response), []);
    }

    async function end(request: Request): Promise<Response> {
      await (await site.session.get(request)).delete();
      return new Response("Ended");
    }
  },
);

testLogin(
  "login.logoutUser() is not undone by a slow request that remembers after it",
  async (site) => {
    const browser = await site.remembered();
    const { login, session } = site;
    login.userLoader(async (id) => {
      await browser.post((request) => login.logoutUser(request));
      return site.users.get(id);
    });
    const slow = session.wrap(async (request) => {
      await login.getCurrentUser(request);
      return new Response("Slow");
    });
    const response = await slow(browser.request("/"));
    const set = cookiesOf(response).filter((name) => !name.startsWith("-"));
    assertEquals(set, []);
  },
);

testLogin("remember me logs in again, and is never fresh", async (site) => {
  const browser = await site.loggedIn(site.susan, { remember: true });
  site.advance(20 * DAY); // The session has ended, the cookie has not.
  assertEquals(await site.ask(browser), site.susan);
  const change = site.login.fresh(() => new Response("Changed"));
  assertEquals((await browser.get(change, "/change")).status, 302);
  await site.logIn(browser, site.susan);
  assertEquals((await browser.get(change, "/change")).status, 200);
});

testLogin(
  "the remember cookie is no session, nor the reverse",
  async (site) => {
    const browser = await site.loggedIn(site.susan, { remember: true });
    const remember = browser.cookies.get("_remember") ?? "";
    browser.cookies.set("_remember", valueOf(browser));
    browser.cookies.set("session", remember);
    assertEquals(await site.data(browser), {});
    assertEquals(await site.ask(browser), null);
  },
);

testEach("remember me needs a secret key", async (fixture) => {
  const site = fixture.newSite({ isKeyless: true });
  const browser = new Browser();
  await assertRejects(
    () => site.logIn(browser, site.susan, { remember: true }),
    TypeError,
    "secretKey",
  );
  await site.logIn(browser, site.susan);
  assertEquals(await site.ask(browser), site.susan);
}, { secretKey: "optional" });

testLogin(
  "session.regenerate() keeps the login, and ends copies or does not",
  async (site, { traits }) => {
    const browser = await site.loggedIn(site.susan);
    await site.edit(browser, (dict) => dict.cart = [7]);
    const thief = new Browser();
    thief.cookies.set("session", valueOf(browser));
    site.advance(1);
    await browser.get(site.session.wrap(async (request) => {
      await site.session.regenerate(request);
      return new Response("Regenerated");
    }));
    assertNotEquals(valueOf(browser), valueOf(thief));
    assertEquals(await site.ask(browser), site.susan);
    assertEquals((await site.data(browser)).cart, [7]);
    assertEquals(await site.ask(thief), traits.isKept ? null : site.susan);
  },
);
