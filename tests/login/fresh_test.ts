import { assertEquals, assertStrictEquals } from "@std/assert";
import { NOW } from "../_helpers.ts";
import { Browser, locationOf, Site } from "../_login.ts";
import { assertProblem, SCRIPT, secret } from "./_common.ts";

/** Seconds since the login, `maxAge`, and whether that is fresh. */
const AGES: [age: number, maxAge: number | undefined, isFresh: boolean][] = [
  [0, undefined, true],
  [1_000_000, undefined, true],
  [0, 900, true],
  [899, 900, true],
  [900, 900, true],
  [901, 900, false],
  [10_000, 900, false],
  [0, 1, true],
  [1, 1, true],
  [2, 1, false],
  [1_000_000, Infinity, true],
];

/** What a session says of a login that no login page made. */
const NOT_FRESH: [what: string, fresh: unknown][] = [
  ["false", false],
  ["missing", undefined],
  ["1", 1],
  ["a string", "true"],
];

/** Times of login that are none. */
const NO_TIMES: [what: string, time: unknown][] = [
  ["missing", undefined],
  ["null", null],
  ["a string", String(NOW)],
  ["true", true],
  ["an array", [NOW]],
];

Deno.test("login.fresh() runs the handler with the user", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  let seen: unknown;
  const page = site.login.fresh((_request, user) => {
    seen = user;
    return secret();
  });
  const response = await browser.get(page);
  assertEquals(await response.text(), "Secret");
  assertStrictEquals(seen, site.susan);
});

for (const [age, maxAge, isFresh] of AGES) {
  Deno.test(`login.fresh() lets a login of ${age} s ${isFresh ? "" : "not "}in where maxAge is ${maxAge}`, async () => {
    const site = new Site({ session: { maxAge: 2_000_000 } });
    const browser = await site.loggedIn();
    const page = site.login.fresh(secret, { maxAge });
    site.advance(age);
    const response = await browser.get(page, "/a?b");
    const expected: [number, string | null] = isFresh
      ? [200, null]
      : [302, "/login?next=%2Fa%3Fb"];
    assertEquals(locationOf(response), expected);
  });
}

Deno.test("login.fresh() takes no second off a login in the middle of one", async () => {
  const site = new Site();
  site.advance(0.9);
  const browser = await site.loggedIn();
  const page = site.login.fresh(secret, { maxAge: 1 });
  site.advance(0.6);
  assertEquals((await browser.get(page)).status, 200);
});

Deno.test("login.fresh() sends an anonymous visitor to the login page", async () => {
  const page = new Site().login.fresh(secret);
  const response = await new Browser().get(page, "/a");
  assertEquals(locationOf(response), [302, "/login?next=%2Fa"]);
});

for (const [what, fresh] of NOT_FRESH) {
  Deno.test(`login.fresh() sends a user to the login page where _fresh is ${what}`, async () => {
    const site = new Site();
    const browser = await site.loggedIn();
    const claims = await site.claims(browser);
    await site.give(browser, { ...claims, _fresh: fresh });
    assertEquals(await site.ask(browser), site.susan);
    for (const maxAge of [undefined, 900]) {
      const page = site.login.fresh(secret, { maxAge });
      const response = await browser.get(page);
      assertEquals(locationOf(response), [302, "/login?next=%2F"]);
    }
  });
}

for (const [what, time] of NO_TIMES) {
  Deno.test(`login.fresh() with maxAge sends a user to the login page where _auth_time is ${what}`, async () => {
    const site = new Site();
    const browser = await site.loggedIn();
    const claims = await site.claims(browser);
    await site.give(browser, { ...claims, _auth_time: time });
    const page = site.login.fresh(secret, { maxAge: 900 });
    assertEquals((await browser.get(page)).status, 302);
    const always = site.login.fresh(secret);
    assertEquals((await browser.get(always)).status, 200);
  });
}

Deno.test("login.fresh() lets a user in again after the login page", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  const page = site.login.fresh(secret, { maxAge: 900 });
  site.advance(901);
  assertEquals((await browser.get(page)).status, 302);
  await site.logIn(browser, site.susan);
  assertEquals((await browser.get(page)).status, 200);
  site.advance(901);
  assertEquals((await browser.get(page)).status, 302);
});

Deno.test("login.fresh() counts from the login, not from visits or saves", async () => {
  const site = new Site({ session: { maxAge: 1000 } });
  const browser = await site.loggedIn();
  const page = site.login.fresh(secret, { maxAge: 900 });
  for (const seconds of [600, 301]) {
    site.advance(seconds);
    await site.edit(browser, (dict) => dict.seen = seconds);
  }
  assertEquals(await site.ask(browser), site.susan);
  assertEquals((await browser.get(page)).status, 302);
});

Deno.test("login.fresh() answers 401 to a script whose login is not fresh", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  site.advance(901);
  const page = site.login.fresh(secret, { maxAge: 900 });
  await assertProblem(await browser.get(page, "/", SCRIPT), 401);
});

Deno.test("login.fresh() does not lead back after a form", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  site.advance(901);
  const page = site.login.fresh(secret, { maxAge: 900 });
  assertEquals(locationOf(await browser.post(page)), [302, "/login"]);
});

Deno.test("login.fresh() sends a login that is not fresh to the login page, not to location", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  site.advance(901);
  const page = site.login.fresh(secret, { maxAge: 900, location: "/stop" });
  const response = await browser.get(page);
  assertEquals(locationOf(response), [302, "/login?next=%2F"]);
  const anonymous = await new Browser().get(page);
  assertEquals(locationOf(anonymous), [302, "/stop"]);
});

Deno.test("login.fresh() goes by check, location and userChecker", async () => {
  const check = () => false;
  const site = new Site({ login: { userChecker: check } });
  const browser = await site.loggedIn();
  const { login } = site;
  const pages: [page: ReturnType<typeof login.fresh>, status: number][] = [
    [login.fresh(secret), 403],
    [login.fresh(secret, { check: () => true }), 200],
    [login.fresh(secret, { check: () => Promise.resolve(true) }), 200],
    [login.fresh(secret, { check, location: "/stop" }), 302],
  ];
  for (const [page, status] of pages) {
    assertEquals((await browser.get(page)).status, status);
  }
});

Deno.test("login.fresh() refuses a user by check before it asks for a new login", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  site.advance(901);
  const page = site.login.fresh(secret, { check: () => false, maxAge: 900 });
  assertEquals((await browser.get(page)).status, 403);
});

Deno.test("login.fresh() keeps responses out of every cache", async () => {
  const site = new Site();
  const page = site.login.fresh(secret, { maxAge: 900 });
  const browser = await site.loggedIn();
  const responses = [await browser.get(page), await new Browser().get(page)];
  site.advance(901);
  responses.push(await browser.get(page));
  assertEquals(responses.map(({ status }) => status), [200, 302, 302]);
  for (const { headers } of responses) {
    assertEquals(headers.get("Cache-Control"), "no-store");
    assertEquals(headers.get("Vary"), "Cookie");
  }
});
