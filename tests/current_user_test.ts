import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { MemoryBackend } from "./_helpers.ts";
import { Browser, cookiesOf, locationOf, Site, type User } from "./_login.ts";

/** Ids that are false, or look like another one. */
const IDS = [0, -0, "", "0", "null", -1, 1.5, "caf\u00E9", "__proto__"];

/** What a session says of its user that is no id. */
const NO_IDS = [null, true, false, {}, [], [1], { id: 1 }];

/** Loaders that know nobody. */
const NOBODY: [what: string, load: () => null | undefined | Promise<null>][] = [
  ["undefined", () => undefined],
  ["null", () => null],
  ["a promise of null", () => Promise.resolve(null)],
];

/** Loaders that fail. */
const FAILURES: [what: string, load: () => Promise<never>][] = [
  ["throws", () => {
    throw new Error("database down");
  }],
  ["rejects", () => Promise.reject(new Error("database down"))],
];

Deno.test("login.getCurrentUser() returns null for a visitor, without the loader", async () => {
  const site = new Site();
  const request = new Browser().request("/");
  assertEquals(await site.login.getCurrentUser(request), null);
  assertEquals(site.loaded, []);
});

Deno.test("login.getCurrentUser() returns the user that the loader finds", async () => {
  const site = new Site();
  const request = (await site.loggedIn()).request("/");
  assertStrictEquals(await site.login.getCurrentUser(request), site.susan);
  assertEquals(site.loaded, [1]);
});

Deno.test("login.getCurrentUser() sets no cookie for a session", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const response = await browser.get(site.session.wrap(async (request) => {
    await site.login.getCurrentUser(request);
    return new Response("Hello");
  }));
  assertEquals(cookiesOf(response), []);
});

Deno.test("login.getCurrentUser() loads once per request, however many ask", async () => {
  const site = new Site();
  const { login, session, loaded } = site;
  const browser = await site.loggedIn();
  const page = login.required(
    login.fresh(async (request, user) => {
      assertStrictEquals(await login.getCurrentUser(request), user);
      assertStrictEquals(await login.requireUser(request), user);
      return new Response("Hello");
    }),
  );
  const handler = session.wrap(async (request) => {
    await login.getCurrentUser(request);
    await login.getCurrentUser(request);
    return await page(request);
  });
  assertEquals((await browser.get(handler)).status, 200);
  assertEquals(loaded, [1]);
  await browser.get(handler);
  assertEquals(loaded, [1, 1]);
});

for (const way of ["the session", "the remember cookie"]) {
  Deno.test(`login.getCurrentUser() by ${way} loads once for all who ask at a time`, async () => {
    const site = new Site();
    const { login, loaded } = site;
    login.userLoader(async (id) => {
      loaded.push(id);
      await Promise.resolve();
      return site.users.get(id);
    });
    const browser = await site.loggedIn(site.susan, { remember: true });
    if (way !== "the session") browser.cookies.delete("session");
    const request = browser.request("/");
    const users = await Promise.all([
      login.getCurrentUser(request),
      login.requireUser(request),
      login.getCurrentUser(request),
    ]);
    assertEquals(users, [site.susan, site.susan, site.susan]);
    assertEquals(loaded, [1]);
  });
}

Deno.test("login.getCurrentUser() looks once for a user who is gone", async () => {
  const site = new Site();
  const request = (await site.loggedIn()).request("/");
  site.users.clear();
  assertEquals(await site.login.getCurrentUser(request), null);
  assertEquals(await site.login.getCurrentUser(request), null);
  assertEquals(site.loaded, [1]);
});

for (const id of IDS) {
  for (const remember of [false, true]) {
    const how = remember ? "remember" : "session";
    Deno.test(`login takes ${Deno.inspect(id)} for an id in the ${how} cookie`, async () => {
      const site = new Site();
      const user = site.add({ id, name: "tom", stamp: "t1" });
      const browser = new Browser();
      await site.logIn(browser, user, { remember });
      if (remember) browser.cookies.delete("session");
      assertStrictEquals(await site.ask(browser), user);
      assertEquals(site.loaded, [JSON.parse(JSON.stringify(id))]);
      const page = site.login.required((_request, { name }) =>
        new Response(name)
      );
      assertEquals(await (await browser.get(page)).text(), "tom");
    });
  }
}

for (const id of NO_IDS) {
  Deno.test(`login takes ${Deno.inspect(id)} in a session for no id`, async () => {
    const site = new Site();
    const browser = new Browser();
    await site.edit(browser, (dict) => dict._user_id = id);
    assertEquals(await site.ask(browser), null);
    assertEquals(site.loaded, []);
  });
}

for (const [what, load] of NOBODY) {
  Deno.test(`login.getCurrentUser() clears the login when the loader returns ${what}`, async () => {
    const backend = new MemoryBackend();
    const site = new Site({ session: { backend } });
    const { login, session } = site;
    const browser = await site.loggedIn(site.susan, { remember: true });
    login.userLoader(load);
    const response = await browser.get(session.wrap(async (request) => {
      assertEquals(await login.getCurrentUser(request), null);
      assertEquals({ ...await session.get(request) }, {});
      return new Response("Hello");
    }));
    assertEquals(cookiesOf(response), ["-_remember", "-session"]);
    assertEquals(backend.records.size, 0);
  });

  Deno.test(`login.required() clears the login when the loader returns ${what}`, async () => {
    const site = new Site();
    const browser = await site.loggedIn();
    site.login.userLoader(load);
    const page = site.login.required(() => new Response("Secret"));
    const response = await browser.get(page);
    assertEquals(locationOf(response), [302, "/login?next=%2F"]);
    assertEquals(cookiesOf(response), ["-_remember", "-session"]);
  });
}

for (const [what, load] of FAILURES) {
  Deno.test(`login.getCurrentUser() passes on the error of a loader that ${what}`, async () => {
    const site = new Site();
    const browser = await site.loggedIn();
    site.login.userLoader(load);
    const request = browser.request("/");
    await assertRejects(
      () => site.login.getCurrentUser(request),
      Error,
      "database down",
    );
  });

  Deno.test(`login.getCurrentUser() asks a loader that ${what} again`, async () => {
    const site = new Site();
    const browser = await site.loggedIn();
    const request = browser.request("/");
    site.login.userLoader(load);
    await assertRejects(() => site.login.getCurrentUser(request), Error);
    site.login.userLoader(() => site.susan);
    assertEquals(await site.login.getCurrentUser(request), site.susan);
  });

  Deno.test(`login.required() rejects, and lets nobody in, when the loader ${what}`, async () => {
    const site = new Site();
    const browser = await site.loggedIn(site.susan, { remember: true });
    const before = new Map(browser.cookies);
    site.login.userLoader(load);
    let isIn = false;
    const page = site.login.required(() => {
      isIn = true;
      return new Response("Secret");
    });
    await assertRejects(() => browser.get(page), Error, "database down");
    assertEquals(isIn, false);
    assertEquals(browser.cookies, before);
  });

  Deno.test(`login.getCurrentUser() keeps both cookies when the loader ${what}`, async () => {
    const site = new Site();
    for (const lost of ["", "session"]) {
      const browser = await site.loggedIn(site.susan, { remember: true });
      browser.cookies.delete(lost);
      site.login.userLoader(load);
      const response = await browser.get(site.session.wrap(async (request) => {
        const user = await site.login.getCurrentUser(request).catch(() => "?");
        return new Response(String(user));
      }));
      assertEquals(await response.text(), "?");
      assertEquals(cookiesOf(response), []);
    }
  });
}

Deno.test("login.getCurrentUser() rejects without a userLoader when it needs one", async () => {
  const site = new Site({ login: { userLoader: undefined } });
  const stranger = new Browser().request("/");
  assertEquals(await site.login.getCurrentUser(stranger), null);
  for (const lost of ["", "session"]) {
    const browser = await site.loggedIn(site.susan, { remember: true });
    browser.cookies.delete(lost);
    await assertRejects(
      () => site.login.getCurrentUser(browser.request("/")),
      TypeError,
      "there is no userLoader; pass one to new Login() or call login.userLoader()",
    );
  }
});

Deno.test("login.required() rejects without a userLoader", async () => {
  const site = new Site({ login: { userLoader: undefined } });
  const browser = await site.loggedIn();
  const page = site.login.required(() => new Response("Secret"));
  await assertRejects(() => browser.get(page), TypeError, "userLoader");
});

Deno.test("login.userLoader() sets the loader, and returns it", async () => {
  const site = new Site({ login: { userLoader: undefined } });
  const load = (id: User["id"]) => site.users.get(id);
  assertStrictEquals(site.login.userLoader(load), load);
  assertEquals(await site.ask(await site.loggedIn()), site.susan);
});

Deno.test("login.userLoader() replaces the option", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  site.login.userLoader(() => site.david);
  assertEquals(await site.ask(browser), site.david);
});

Deno.test("login.getCurrentUser() ends with the session", async () => {
  const site = new Site({ session: { maxAge: 100 } });
  const browser = await site.loggedIn();
  site.advance(99);
  const request = browser.request("/");
  assertEquals(await site.login.getCurrentUser(request), site.susan);
  site.advance(1);
  assertEquals(await site.ask(browser), null);
});

Deno.test("login.getCurrentUser() rejects what is no Request", async () => {
  const { login } = new Site();
  await assertRejects(
    () => login.getCurrentUser({} as Request),
    TypeError,
    "expected the Request",
  );
});

Deno.test("login.getCurrentUser() leaves a login alone that came while it waited for the loader", async () => {
  for (const isRemembered of [false, true]) {
    const site = new Site();
    const browser = await site.remembered();
    if (isRemembered) browser.cookies.delete("session");
    const found = Promise.withResolvers<null>();
    site.login.userLoader(() => found.promise);
    await browser.post(site.session.wrap(async (request) => {
      const pending = site.login.getCurrentUser(request);
      const response = await site.login.loginUser(request, site.david);
      found.resolve(null);
      assertEquals(await pending, site.david);
      return response;
    }));
    site.login.userLoader((id) => site.users.get(id));
    assertEquals(await site.ask(browser), site.david);
  }
});
