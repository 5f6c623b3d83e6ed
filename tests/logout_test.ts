import { assert, assertEquals } from "@std/assert";
import {
  attributesOf,
  cookieSetBy,
  lineOf,
  MemoryBackend,
} from "./_helpers.ts";
import { Browser, cookiesOf, locationOf, Site, WRAPPERS } from "./_login.ts";

const FOREIGN = { "Sec-Fetch-Site": "cross-site" };

Deno.test("login.logoutUser() refuses another origin, and changes nothing under a wrapper", async () => {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend } });
  const browser = new Browser();
  await site.logIn(browser, site.susan, { remember: true });
  const handler = site.session.wrap((request) =>
    site.login.logoutUser(request)
  );
  const response = await browser.post(handler, "/logout", FOREIGN);
  assertEquals(locationOf(response), [403, null]);
  assertEquals(cookiesOf(response), []);
  assertEquals(backend.removed, []);
  assertEquals(await site.ask(browser), site.susan);
});

Deno.test("login.logoutUser() leads to / by default", async () => {
  const { login } = new Site();
  const request = new Browser().request("/logout", { method: "POST" });
  assertEquals(locationOf(await login.logoutUser(request)), [302, "/"]);
});

Deno.test("login.logoutUser() leads to redirectUrl", async () => {
  const { login } = new Site();
  const request = new Browser().request("/logout", { method: "POST" });
  const response = await login.logoutUser(request, { redirectUrl: "/bye?a=b" });
  assertEquals(locationOf(response), [302, "/bye?a=b"]);
});

Deno.test("login.logoutUser() without a wrapper removes session and remember cookie", async () => {
  const site = new Site();
  const browser = new Browser();
  await site.logIn(browser, site.susan, { remember: true });
  const response = await browser.post((request) =>
    site.login.logoutUser(request)
  );
  assertEquals(cookiesOf(response), ["-_remember", "-session"]);
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
    const browser = new Browser();
    await site.logIn(browser, site.susan, { remember: true });
    const handler = wrap(site, async (request) => {
      await site.login.logoutUser(request);
      return new Response("Goodbye");
    });
    const response = await browser.post(handler);
    assertEquals(response.status, 200);
    assertEquals(cookiesOf(response), ["-_remember", "-session"]);
    assertEquals(browser.cookies.size, 0);
  });
}

Deno.test("login.logoutUser() removes the stored session", async () => {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend } });
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  await browser.post((request) => site.login.logoutUser(request));
  assertEquals(backend.records.size, 0);
});

Deno.test("login.logoutUser() leaves nobody logged in for the rest of the request", async () => {
  const site = new Site();
  const browser = new Browser();
  await site.logIn(browser, site.susan, { remember: true });
  const response = await browser.post(site.session.wrap(async (request) => {
    assertEquals(await site.login.getCurrentUser(request), site.susan);
    await site.login.logoutUser(request);
    assertEquals(await site.login.getCurrentUser(request), null);
    assertEquals({ ...await site.session.get(request) }, {});
    return new Response("Goodbye");
  }));
  assertEquals(cookiesOf(response), ["-_remember", "-session"]);
});

Deno.test("login.logoutUser() drops what was not saved of the session", async () => {
  const site = new Site({ session: { autoSave: true } });
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  const response = await browser.post(site.session.wrap(async (request) => {
    (await site.session.get(request)).cart = ["tea"];
    return await site.login.logoutUser(request);
  }));
  assertEquals(cookiesOf(response), ["-_remember", "-session"]);
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
  const site = new Site();
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  const response = await browser.post((request) => login.logoutUser(request));
  assertEquals(cookiesOf(response), ["-_remember", "-session"]);
});

Deno.test("login.loginUser() after logoutUser() in one request logs in", async () => {
  const site = new Site();
  const browser = new Browser();
  await site.logIn(browser, site.susan, { remember: true });
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  const response = await browser.post(site.session.wrap(async (request) => {
    await site.login.logoutUser(request);
    return await site.login.loginUser(request, site.david);
  }));
  assertEquals(cookiesOf(response), ["-_remember", "session"]);
  const { cart, _user_id } = await site.data(browser);
  assertEquals({ cart, _user_id }, { cart: undefined, _user_id: 2 });
});

Deno.test("login.logoutUser() after loginUser() in one request logs out", async () => {
  const site = new Site();
  const browser = new Browser();
  const response = await browser.post(site.session.wrap(async (request) => {
    await site.login.loginUser(request, site.david, { remember: true });
    return await site.login.logoutUser(request);
  }));
  assertEquals(cookiesOf(response), ["-_remember", "-session"]);
  assertEquals(await site.ask(browser), null);
});
