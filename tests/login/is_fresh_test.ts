/** Logins that are fresh, and such that are not. */

import { assertEquals, assertRejects } from "@std/assert";
import { NOW } from "../_helpers.ts";
import { Browser, locationOf, Site } from "../_login.ts";
import { failureOf, SCRIPT, secret, STAMPED } from "./_common.ts";

/** What login.isFresh() says, and whether the guard lets in. */
async function freshnessOf(
  site: Site,
  browser: Browser,
  maxAge?: number,
): Promise<[isFresh: boolean, isLetIn: boolean]> {
  const request = browser.request("/");
  const isFresh = await site.login.isFresh(request, maxAge);
  const page = site.login.fresh(secret, { maxAge });
  const { status } = await page(browser.request("/"));
  return [isFresh, status === 200];
}

Deno.test("login.isFresh() says of each visitor what the guard does", async () => {
  const site = new Site({ login: STAMPED });
  const unmarked = new Browser();
  await site.give(unmarked, { _user_id: 1, _stamp: "s1", exp: NOW + 60 });
  const visitors: [browser: Browser, isFresh: boolean][] = [
    [new Browser(), false],
    [await site.loggedIn(), true],
    [await site.loggedIn(site.susan, { fresh: false }), false],
    [await site.loggedIn(site.susan, { fresh: true }), true],
    [await site.remembered(), false],
    [unmarked, false],
  ];
  for (const [browser, isFresh] of visitors) {
    const expected = [isFresh, isFresh];
    assertEquals(await freshnessOf(site, browser), expected);
    assertEquals(await freshnessOf(site, browser, 60), expected);
  }
  const ended = await site.loggedIn();
  site.susan.stamp = "s2";
  assertEquals(await freshnessOf(site, ended), [false, false]);
});

Deno.test("login.isFresh() heeds maxAge, to the second", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  for (const isFresh of [true, false]) {
    assertEquals(await freshnessOf(site, browser, 60), [isFresh, isFresh]);
    assertEquals(await freshnessOf(site, browser, 0.5), [isFresh, isFresh]);
    site.advance(61);
  }
  assertEquals(await freshnessOf(site, browser), [true, true]);
});

Deno.test("login.isFresh() says what happened in the same request", async () => {
  const site = new Site();
  const { login, session, susan, david } = site;
  const browser = await site.remembered();
  const answers: boolean[] = [];
  await browser.post(session.wrap(async (request) => {
    const ask = async () => void answers.push(await login.isFresh(request));
    await ask();
    await login.loginUser(request, susan);
    await ask();
    await login.loginUser(request, david, { fresh: false });
    await ask();
    await login.logoutUser(request);
    await ask();
    return new Response();
  }));
  assertEquals(answers, [false, true, false, false]);
});

Deno.test("login.isFresh() rejects a maxAge that is none, whoever asks", async () => {
  const site = new Site();
  const wrong: [unknown, typeof TypeError | typeof RangeError][] = [
    ["60", TypeError],
    [null, TypeError],
    [{ maxAge: 60 }, TypeError],
    [0, RangeError],
    [-1, RangeError],
    [NaN, RangeError],
  ];
  for (const [maxAge, ErrorClass] of wrong) {
    for (const browser of [new Browser(), await site.loggedIn()]) {
      await assertRejects(
        () => site.login.isFresh(browser.request("/"), maxAge as number),
        ErrorClass,
        "Cannot use maxAge",
      );
    }
  }
});

Deno.test("login.loginUser() with fresh: false logs in, and is remembered, but must not do all", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.susan, {
    fresh: false,
    remember: true,
  });
  assertEquals(await site.ask(browser), site.susan);
  const { _fresh, _auth_time } = await site.claims(browser);
  assertEquals([_fresh, _auth_time], [false, undefined]);
  const response = await browser.get(site.login.fresh(secret), "/money");
  assertEquals(locationOf(response), [302, "/login?next=%2Fmoney"]);
  await site.logIn(browser, site.susan);
  assertEquals(await freshnessOf(site, browser), [true, true]);
});

Deno.test("login.loginUser() with fresh: false takes the freshness of the same user away", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  await site.logIn(browser, site.susan, { fresh: false });
  assertEquals(await freshnessOf(site, browser), [false, false]);
});

Deno.test("login.loginUser() rejects a fresh that is no boolean", async () => {
  const site = new Site();
  for (const fresh of [null, "false", 0, 1, "on"] as unknown as boolean[]) {
    const failure = await failureOf(
      site,
      new Browser(),
      (request) => site.login.loginUser(request, site.susan, { fresh }),
    );
    assertEquals((failure as Error).name, "TypeError");
  }
});

Deno.test("login.fresh() answers a script with 401 where the login is not fresh", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.susan, { fresh: false });
  const response = await browser.get(site.login.fresh(secret), "/", SCRIPT);
  assertEquals(response.status, 401);
});
