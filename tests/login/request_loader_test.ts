/** Users by an API key or a bearer token, through the same guards. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { LoginOptions } from "../../mod.ts";
import { captureErrors } from "../_helpers.ts";
import { Browser, cookiesOf, locationOf, Site, type User } from "../_login.ts";
import { WatchedStore } from "../_watched_store.ts";
import { assertProblem, FAILURES, SCRIPT, secret, STAMPED } from "./_common.ts";

const GOOD = { Authorization: "Bearer davids-key" };
const BAD = { Authorization: "Bearer garbage" };

/** A site that knows david's key, and how often it was asked. */
class KeySite extends Site {
  asked = 0;

  constructor(options: LoginOptions<User> = {}, store?: WatchedStore) {
    super({
      session: store && { backend: store.backend() },
      login: {
        requestLoader: (request) => {
          this.asked++;
          const key = request.headers.get("Authorization");
          return key === GOOD.Authorization ? this.david : null;
        },
        ...options,
      },
    });
  }

  /** Who is known at each door that there is. */
  async doors(browser: Browser, headers: HeadersInit): Promise<unknown[]> {
    const { login, session } = this;
    const known: unknown[] = [];
    await browser.get(
      session.wrap(async (request) => {
        known.push(await login.getCurrentUser(request));
        known.push(await login.requireUser(request));
        return new Response("Hello");
      }),
      "/",
      headers,
    );
    await browser.get(
      login.required((_request, user) => {
        known.push(user);
        return new Response("Hello");
      }),
      "/",
      headers,
    );
    return known;
  }
}

Deno.test("requestLoader finds the user at each door, once per request", async () => {
  const site = new KeySite();
  const { david } = site;
  const found = await site.doors(new Browser(), GOOD);
  assertEquals(found, [david, david, david]);
  assertEquals([site.asked, site.loaded], [2, []]);
});

Deno.test("requestLoader writes nothing, and the answer is for nobody else", async () => {
  const store = new WatchedStore();
  const site = new KeySite({}, store);
  const page = site.login.required(secret);
  const response = await new Browser().get(page, "/", GOOD);
  assertEquals([response.status, cookiesOf(response)], [200, []]);
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  assertEquals(store.records.size, 0);
});

Deno.test("requestLoader is not asked where a session or a remember cookie logs in", async () => {
  const site = new KeySite();
  for (const browser of [await site.loggedIn(), await site.remembered()]) {
    const response = await browser.get(
      site.login.required((_request, { name }) => new Response(name)),
      "/",
      GOOD,
    );
    assertEquals(await response.text(), "susan");
  }
  assertEquals(site.asked, 0);
});

Deno.test("requestLoader is asked where neither does", async () => {
  for (const isStamped of [true, false]) {
    const site = new KeySite(STAMPED);
    const browsers = [
      await site.loggedIn(),
      await site.remembered(),
      await site.loggedIn(site.susan, { remember: true }),
      new Browser(),
    ];
    browsers[3].cookies.set("session", "garbage").set("_remember", "garbage");
    if (isStamped) site.susan.stamp = "s2";
    else site.users.delete(1);
    for (const browser of browsers) {
      using _log = captureErrors();
      const known = await browser.get(
        site.login.required((_request, { name }) => new Response(name)),
        "/",
        GOOD,
      );
      assertEquals(await known.text(), "david");
    }
  }
});

Deno.test("a user by requestLoader is never fresh, whatever the session says", async () => {
  for (const user of ["susan", "david"] as const) {
    const site = new KeySite({ ...STAMPED, loginUrl: "/in" });
    const browser = await site.loggedIn(site[user]);
    const anonymous = new Browser();
    await site.give(anonymous, { _fresh: true, _auth_time: 1_700_000_000 });
    site[user].stamp = "changed";
    for (const one of [browser, anonymous, new Browser()]) {
      const answer = await site.login.fresh(secret)(
        one.request("/", { headers: GOOD }),
      );
      assertEquals(locationOf(answer), [302, "/in?next=%2F"]);
      // Without a wrapper, what has ended is still there to read.
      const request = one.request("/", { headers: GOOD });
      assertEquals(await site.login.isFresh(request), false);
      assertEquals(await site.login.getCurrentUser(request), site.david);
    }
  }
});

Deno.test("a request whose key is not known gets 401, whatever it accepts", async () => {
  const site = new KeySite();
  const guards = [site.login.required(secret), site.login.fresh(secret)];
  for (const guard of guards) {
    const script = await new Browser().get(guard, "/", { ...BAD, ...SCRIPT });
    assertEquals(script.headers.get("WWW-Authenticate"), "Bearer");
    await assertProblem(script, 401);
    const page = await new Browser().get(guard, "/", BAD);
    assertEquals(page.headers.get("WWW-Authenticate"), "Bearer");
    assertEquals(page.status, 401);
    assertEquals(await page.text(), "This key or token is not known\n");
  }
});

Deno.test("a 401 says what would let the request in", async () => {
  const sites: [Site, string][] = [[new Site(), "Cookie"], [
    new KeySite(),
    "Bearer",
  ]];
  for (const [{ login }, challenge] of sites) {
    const page = login.required(secret);
    const response = await new Browser().get(page, "/", SCRIPT);
    assertEquals(response.headers.get("WWW-Authenticate"), challenge);
    await assertProblem(response, 401);
  }
});

Deno.test("a request without a key goes to the login page, and location goes before 401", async () => {
  const { login } = new KeySite();
  const page = await new Browser().get(login.required(secret), "/a");
  assertEquals(locationOf(page), [302, "/login?next=%2Fa"]);
  const moved = login.required(secret, { location: "/keys" });
  const response = await new Browser().get(moved, "/", BAD);
  assertEquals(locationOf(response), [302, "/keys"]);
});

Deno.test("an Authorization header means nothing without a requestLoader", async () => {
  const { login } = new Site();
  const response = await new Browser().get(login.required(secret), "/", BAD);
  assertEquals(locationOf(response), [302, "/login?next=%2F"]);
});

Deno.test("check refuses a user by requestLoader as any other", async () => {
  const { login } = new KeySite();
  const page = login.required(secret, { check: ({ id }) => id === 1 });
  const response = await new Browser().get(page, "/", { ...GOOD, ...SCRIPT });
  await assertProblem(response, 403);
});

for (const [how, fail] of FAILURES) {
  Deno.test(`a requestLoader that ${how} fails the request, and is asked again`, async () => {
    const site = new KeySite({ requestLoader: fail });
    const page = site.login.required(secret);
    await assertRejects(() => new Browser().get(page), Error, "broken");
    await site.session.wrap(async (request) => {
      for (let i = 0; i < 2; i++) {
        const asking = site.login.getCurrentUser(request);
        await assertRejects(() => asking, Error, "broken");
      }
      return new Response();
    })(new Request("http://localhost/"));
  });
}

Deno.test("a requestLoader that returns no user rejects", async () => {
  for (const found of [true, false, 1, "david", {}, { id: null }, [], 0, ""]) {
    const requestLoader = () => found as unknown as User;
    const { login } = new KeySite({ requestLoader });
    await assertRejects(
      () => login.required(secret)(new Request("http://localhost/")),
      TypeError,
      "it returned a user without an id; return a user, or null",
    );
  }
});

Deno.test("a user by requestLoader can log in, and then is fresh", async () => {
  const site = new KeySite();
  const browser = new Browser();
  const response = await browser.post(
    site.session.wrap(async (request) => {
      assertEquals(await site.login.getCurrentUser(request), site.david);
      assert(!await site.login.isFresh(request));
      await site.login.loginUser(request, site.david);
      assert(await site.login.isFresh(request));
      return new Response("Hello");
    }),
    "/",
    GOOD,
  );
  assertEquals(cookiesOf(response), ["session"]);
});
