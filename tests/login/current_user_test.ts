import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Browser, cookiesOf, Site, type User } from "../_login.ts";
import { FAILURES, secret } from "./_common.ts";

/** Ids that are false, or look like another one. */
const IDS = [0, "", "0", "null", -1, "caf\u00E9", "__proto__"];

/** What a session says of its user that is no id. */
const NO_IDS = [
  ...[null, true, false, {}, [], [1], { id: 1 }],
  ...[1.5, -1.5, 2 ** 53, -(2 ** 53), 1e300],
];

/** What a loader comes to in the end. */
const FINDINGS: [what: string, find: (site: Site) => User | null][] = [
  ["a user", ({ susan }) => susan],
  ["nobody", () => null],
  ["a failure", () => {
    throw new Error("broken");
  }],
];

const WAYS = ["the session", "the remember cookie"] as const;

/** A browser that susan is known by, in one way. */
async function knownBy(
  site: Site,
  way: typeof WAYS[number],
): Promise<Browser> {
  return way === "the session"
    ? await site.loggedIn(site.susan, { remember: true })
    : await site.remembered();
}

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
  const { user, response } = await site.recall(browser);
  assertEquals(user, site.susan);
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

for (const way of WAYS) {
  Deno.test(`login.getCurrentUser() by ${way} loads once for all who ask at a time`, async () => {
    const site = new Site();
    const { login, session, susan, loaded } = site;
    login.userLoader(async (id) => {
      loaded.push(id);
      await Promise.resolve();
      return site.users.get(id);
    });
    const browser = await knownBy(site, way);
    await browser.get(session.wrap(async (request) => {
      const users = await Promise.all([
        login.getCurrentUser(request),
        login.requireUser(request),
        login.getCurrentUser(request),
      ]);
      assertEquals(users, [susan, susan, susan]);
      return new Response("Hello");
    }));
    assertEquals(loaded, [1]);
  });
}

Deno.test("login.getCurrentUser() looks once for a user who is gone", async () => {
  const site = new Site();
  const { login, session, loaded } = site;
  const browser = await site.loggedIn();
  site.users.clear();
  await browser.get(session.wrap(async (request) => {
    assertEquals(await login.getCurrentUser(request), null);
    assertEquals(await login.getCurrentUser(request), null);
    return new Response("Hello");
  }));
  assertEquals(loaded, [1]);
});

for (const id of IDS) {
  for (const remember of [false, true]) {
    const how = remember ? "remember" : "session";

    Deno.test(`login takes ${Deno.inspect(id)} for an id in the ${how} cookie`, async () => {
      const site = new Site();
      const user = site.add({ id, name: "tom", stamp: "t1" });
      const browser = await site.loggedIn(user, { remember });
      if (remember) browser.cookies.delete("session");
      assertStrictEquals(await site.ask(browser), user);
      assertEquals(site.loaded, [id]);
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
    await site.give(browser, { _user_id: id });
    assertEquals(await site.ask(browser), null);
    assertEquals(site.loaded, []);
  });
}

for (const [how, load] of FAILURES) {
  Deno.test(`login.getCurrentUser() passes on the error of a loader that ${how}, and asks it again`, async () => {
    const site = new Site();
    const request = (await site.loggedIn()).request("/");
    site.login.userLoader(load);
    await assertRejects(
      () => site.login.getCurrentUser(request),
      Error,
      "broken",
    );
    site.login.userLoader(() => site.susan);
    assertEquals(await site.login.getCurrentUser(request), site.susan);
  });

  Deno.test(`login.required() rejects, and lets nobody in, when the loader ${how}`, async () => {
    const site = new Site();
    const browser = await site.loggedIn(site.susan, { remember: true });
    const before = new Map(browser.cookies);
    site.login.userLoader(load);
    let isIn = false;
    const page = site.login.required(() => {
      isIn = true;
      return secret();
    });
    await assertRejects(() => browser.get(page), Error, "broken");
    assertEquals(isIn, false);
    assertEquals(browser.cookies, before);
  });

  for (const way of WAYS) {
    Deno.test(`login.getCurrentUser() by ${way} keeps both cookies when the loader ${how}`, async () => {
      const site = new Site();
      const browser = await knownBy(site, way);
      site.login.userLoader(load);
      const response = await browser.get(site.session.wrap(async (request) => {
        const user = await site.login.getCurrentUser(request).catch(() => "?");
        return new Response(String(user));
      }));
      assertEquals(await response.text(), "?");
      assertEquals(cookiesOf(response), []);
    });
  }
}

for (const way of WAYS) {
  Deno.test(`login.getCurrentUser() by ${way} rejects without a userLoader`, async () => {
    const site = new Site({ login: { userLoader: undefined } });
    const browser = await knownBy(site, way);
    await assertRejects(
      () => site.ask(browser),
      TypeError,
      "there is no userLoader; pass one to new Login() or call login.userLoader()",
    );
  });
}

Deno.test("login.getCurrentUser() needs no userLoader for a visitor", async () => {
  const site = new Site({ login: { userLoader: undefined } });
  assertEquals(await site.ask(new Browser()), null);
});

Deno.test("login.required() rejects without a userLoader", async () => {
  const site = new Site({ login: { userLoader: undefined } });
  const browser = await site.loggedIn();
  const page = site.login.required(secret);
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
  const renamed = { ...site.susan, name: "susanna" };
  site.login.userLoader(() => renamed);
  assertStrictEquals(await site.ask(browser), renamed);
  assertEquals(site.loaded, []);
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

for (const way of WAYS) {
  for (const [what, find] of FINDINGS) {
    Deno.test(`login.loginUser() stands when ${way} leads to ${what} after it`, async () => {
      const site = new Site();
      const { login, session, david } = site;
      const browser = await knownBy(site, way);
      const answer = Promise.withResolvers<void>();
      login.userLoader(() => answer.promise.then(() => find(site)));
      await browser.post(session.wrap(async (request) => {
        const pending = login.getCurrentUser(request);
        const response = await login.loginUser(request, david);
        answer.resolve();
        await pending.catch(() => {});
        assertStrictEquals(await login.getCurrentUser(request), david);
        return response;
      }));
      login.userLoader((id) => site.users.get(id));
      assertEquals(await site.ask(browser), david);
      browser.cookies.delete("session");
      assertEquals(await site.ask(browser), null);
    });
  }
}
