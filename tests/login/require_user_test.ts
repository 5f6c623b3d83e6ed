import {
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import type { GuardOptions } from "../../mod.ts";
import {
  Browser,
  type Handler,
  locationOf,
  Site,
  type User,
} from "../_login.ts";
import { assertProblem, SCRIPT } from "./_common.ts";

/** A page that greets whom `requireUser` lets in. */
function greeting(site: Site, options?: GuardOptions<User>): Handler {
  return site.session.wrap(async (request) => {
    const { name } = await site.login.requireUser(request, options);
    return new Response(name);
  });
}

Deno.test("login.requireUser() returns the user", async () => {
  const site = new Site();
  let user: unknown;
  const page = site.session.wrap(async (request) => {
    user = await site.login.requireUser(request);
    return new Response("Hello");
  });
  await (await site.loggedIn()).get(page);
  assertStrictEquals(user, site.susan);
});

Deno.test("login.requireUser() throws a redirect under a wrapper, which sends it", async () => {
  const response = await new Browser().get(greeting(new Site()), "/a?b=c");
  assertEquals(locationOf(response), [302, "/login?next=%2Fa%3Fb%3Dc"]);
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  assertEquals(response.headers.get("Vary"), "Cookie");
});

Deno.test("login.requireUser() throws 401 for a script", async () => {
  const page = greeting(new Site());
  await assertProblem(await new Browser().get(page, "/", SCRIPT), 401);
});

Deno.test("login.requireUser() goes by check, else by userChecker", async () => {
  const site = new Site({ login: { userChecker: () => false } });
  const browser = await site.loggedIn();
  const pages: [page: Handler, status: number][] = [
    [greeting(site), 403],
    [greeting(site, { check: () => true }), 200],
    [greeting(new Site(), { check: () => false }), 403],
  ];
  for (const [page, status] of pages) {
    assertEquals((await browser.get(page)).status, status);
  }
});

Deno.test("login.requireUser() throws what location says, each time", async () => {
  const location = new Response("Stop", { status: 418 });
  const page = greeting(new Site(), { location });
  for (let visit = 0; visit < 2; visit++) {
    const response = await new Browser().get(page);
    assertEquals([response.status, await response.text()], [418, "Stop"]);
  }
});

Deno.test("login.requireUser() keeps the page of a known user out of every cache", async () => {
  const site = new Site();
  const response = await (await site.loggedIn()).get(greeting(site));
  assertEquals(await response.text(), "susan");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
});

/** Requests whose answer nobody sends, though a wrapper may be near. */
const UNANSWERED: Record<
  string,
  (site: Site, browser: Browser) => Promise<unknown>
> = {
  "without a wrapper": ({ login }, browser) =>
    login.requireUser(browser.request("/")),
  "on a clone of the wrapped request": async ({ login, session }, browser) => {
    let user: unknown;
    await browser.get(session.wrap((request) => {
      user = login.requireUser(request.clone());
      return new Response("Hello");
    }));
    return await user;
  },
};

for (const [where, requireUser] of Object.entries(UNANSWERED)) {
  for (const isKnown of [false, true]) {
    const who = isKnown ? "a user" : "a visitor";

    Deno.test(`login.requireUser() rejects for ${who} ${where}, and says what is missing`, async () => {
      const site = new Site();
      const browser = isKnown ? await site.loggedIn() : new Browser();
      const { message } = await assertRejects(
        () => requireUser(site, browser),
        TypeError,
        "Cannot require user: nothing would send the answer",
      );
      assertStringIncludes(message, "session.wrap()");
      assertStringIncludes(message, "login.required()");
      assertEquals(site.loaded, []);
    });
  }
}

Deno.test("login.requireUser() works on a request that session.open() was called for", async () => {
  const { login, session } = new Site();
  const request = new Browser().request("/");
  await session.open(request);
  const thrown = await login.requireUser(request).catch((thrown) => thrown);
  const answer = await session.commit(request, thrown as Response);
  assertEquals(locationOf(answer), [302, "/login?next=%2F"]);
});
