import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  attributesOf,
  cookieSetBy,
  lineOf,
  MemoryBackend,
} from "../_helpers.ts";
import {
  Browser,
  cookiesOf,
  locationOf,
  Site,
  type User,
  WRAPPERS,
} from "../_login.ts";
import { failureOf, FAILURES, FOREIGN } from "./_common.ts";
import { StoreSite } from "./_series.ts";

const GONE = ["-_remember", "-session"];

Deno.test("login.logoutUser() refuses another origin, and changes nothing under a wrapper", async () => {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend } });
  const browser = await site.loggedIn(site.susan, { remember: true });
  const handler = site.session.wrap((request) =>
    site.login.logoutUser(request)
  );
  const response = await browser.post(handler, "/logout", FOREIGN);
  assertEquals(locationOf(response), [403, null]);
  assertEquals(cookiesOf(response), []);
  assertEquals(backend.removed, []);
  assertEquals(await site.ask(browser), site.susan);
});

Deno.test("login.logoutUser() leads to / by default, or to redirectUrl", async () => {
  const { login } = new Site();
  for (const redirectUrl of [undefined, "/bye?a=b"]) {
    const request = new Browser().request("/logout", { method: "POST" });
    const response = await login.logoutUser(request, { redirectUrl });
    assertEquals(locationOf(response), [302, redirectUrl ?? "/"]);
  }
});

Deno.test("login.logoutUser() without a wrapper removes session and remember cookie", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const response = await browser.post((request) =>
    site.login.logoutUser(request)
  );
  assertEquals(cookiesOf(response), GONE);
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  assertEquals(await site.ask(browser), null);
});

for (const name of ["session", "_remember"]) {
  Deno.test(`login.logoutUser() removes the ${name} cookie with its attributes, on any path`, async () => {
    const site = new Site();
    const browser = new Browser();
    const options = { remember: true };
    const set = await site.logIn(browser, site.susan, options, "/a/login");
    const removed = await browser.post(
      (request) => site.login.logoutUser(request),
      "/some/other/path",
    );
    const expected = attributesOf(lineOf(set, name))
      .filter((attribute) => !attribute.startsWith("Max-Age"));
    const attributes = attributesOf(lineOf(removed, name));
    assertEquals(
      attributes,
      [
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "Max-Age=0",
        ...expected,
      ].sort(),
    );
    assert(attributes.includes("Path=/"));
    assertEquals(cookieSetBy(removed, name), "");
  });
}

for (const [name, wrap] of WRAPPERS) {
  Deno.test(`login.logoutUser() under ${name} may have its response ignored`, async () => {
    const site = new Site();
    const browser = await site.loggedIn(site.susan, { remember: true });
    const handler = wrap(site, async (request) => {
      await site.login.logoutUser(request);
      return new Response("Goodbye");
    });
    const response = await browser.post(handler);
    assertEquals(response.status, 200);
    assertEquals(cookiesOf(response), GONE);
    assertEquals(browser.cookies.size, 0);
  });
}

Deno.test("login.logoutUser() removes the stored session", async () => {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend } });
  const browser = await site.loggedIn();
  await browser.post((request) => site.login.logoutUser(request));
  assertEquals(backend.records.size, 0);
});

for (const [how, fail] of FAILURES) {
  Deno.test(`login.logoutUser() rejects where the store ${how}, wrapped or not`, async () => {
    const backend = new MemoryBackend();
    const site = new Site({ session: { backend } });
    const browser = await site.loggedIn();
    backend.remove = fail;
    const logOut = (request: Request) => site.login.logoutUser(request);
    await assertRejects(() => browser.post(logOut), Error, "broken");
    const failure = await failureOf(site, browser, logOut);
    assertEquals((failure as Error).message, "broken");
  });
}

Deno.test("login.logoutUser() leaves nobody logged in for the rest of the request", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const response = await browser.post(site.session.wrap(async (request) => {
    assertEquals(await site.login.getCurrentUser(request), site.susan);
    await site.login.logoutUser(request);
    assertEquals(await site.login.getCurrentUser(request), null);
    assertEquals({ ...await site.session.get(request) }, {});
    return new Response("Goodbye");
  }));
  assertEquals(cookiesOf(response), GONE);
});

for (const way of ["the session", "the remember cookie"]) {
  Deno.test(`login.logoutUser() stands when the user of ${way} is found after it`, async () => {
    const site = new Site();
    const browser = await site.loggedIn(site.susan, { remember: true });
    if (way !== "the session") browser.cookies.delete("session");
    const found = Promise.withResolvers<User>();
    site.login.userLoader(() => found.promise);
    const response = await browser.post(site.session.wrap(async (request) => {
      const pending = site.login.getCurrentUser(request);
      await site.login.logoutUser(request);
      found.resolve(site.susan);
      await pending;
      assertEquals(await site.login.getCurrentUser(request), null);
      return new Response("Goodbye");
    }));
    assertEquals(cookiesOf(response), GONE);
  });
}

Deno.test("login.logoutUser() drops what was not saved of the session", async () => {
  const site = new Site({ session: { autoSave: true } });
  const browser = await site.loggedIn(site.susan, { remember: true });
  const response = await browser.post(site.session.wrap(async (request) => {
    (await site.session.get(request)).cart = ["tea"];
    return await site.login.logoutUser(request);
  }));
  assertEquals(cookiesOf(response), GONE);
});

Deno.test("login.logoutUser() answers a visitor who is not logged in", async () => {
  const site = new Site();
  const browser = new Browser();
  const response = await browser.post((request) =>
    site.login.logoutUser(request)
  );
  assertEquals(locationOf(response), [302, "/"]);
  assertEquals(await site.ask(browser), null);
});

Deno.test("login.logoutUser() needs no userLoader", async () => {
  const { login } = new Site({ login: { userLoader: undefined } });
  const browser = await new Site().loggedIn(undefined, { remember: true });
  const response = await browser.post((request) => login.logoutUser(request));
  assertEquals(cookiesOf(response), GONE);
});

Deno.test("login.loginUser() after logoutUser() in one request logs in", async () => {
  for (const name of ["susan", "david"] as const) {
    const site = new Site();
    const browser = await site.loggedIn(site.susan, { remember: true });
    await site.edit(browser, (dict) => dict.cart = ["tea"]);
    const response = await browser.post(site.session.wrap(async (request) => {
      await site.login.logoutUser(request);
      return await site.login.loginUser(request, site[name]);
    }));
    assertEquals(cookiesOf(response), ["-_remember", "session"]);
    assertEquals((await site.data(browser)).cart, undefined);
    assertEquals(await site.ask(browser), site[name]);
  }
});

Deno.test("login.logoutUser() after loginUser() in one request logs out", async () => {
  const site = new Site();
  const browser = new Browser();
  const response = await browser.post(site.session.wrap(async (request) => {
    await site.login.loginUser(request, site.david, { remember: true });
    return await site.login.logoutUser(request);
  }));
  assertEquals(cookiesOf(response), GONE);
  assertEquals(await site.ask(browser), null);
});

Deno.test("login.logoutUser() that fails when the session has ended leaves nobody logged in for the rest of the request", async () => {
  const site = new StoreSite();
  const browser = await site.loggedIn(site.susan, { remember: true });
  await browser.post(site.session.wrap(async (request) => {
    assertEquals(await site.login.getCurrentUser(request), site.susan);
    let deletions = 0;
    site.store.watch = (step, when) => {
      if (step !== "delete" || when !== "before") return;
      if (++deletions > 1) throw new Error("The store is down");
    };
    await assertRejects(() => site.login.logoutUser(request), Error, "down");
    assertEquals(await site.login.getCurrentUser(request), null);
    await (await site.session.get(request)).save();
    return new Response();
  }));
});
