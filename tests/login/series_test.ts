/** Remember-me tokens of one use, where the backend keeps sessions. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { kvBackend } from "../../backends/kv.ts";
import { captureErrors, KEY, OTHER_KEY, payloadOf } from "../_helpers.ts";
import { Browser, cookiesOf, DAY, Site } from "../_login.ts";
import { STAMPED } from "./_common.ts";
import { LATER, numberOf, StoreSite, tokenOf } from "./_series.ts";

/** Ways to end a login in the browser that has it. */
const ENDINGS: [how: string, end: (site: Site) => (r: Request) => unknown][] = [
  ["a logout", ({ login }) => (request) => login.logoutUser(request)],
  [
    "the login of another user",
    ({ login, david }) => (request) => login.loginUser(request, david),
  ],
  [
    "the remembered login of another user",
    ({ login, david }) => (request) =>
      login.loginUser(request, david, { remember: true }),
  ],
  [
    "a login with remember again",
    ({ login, susan }) => (request) =>
      login.loginUser(request, susan, { remember: true }),
  ],
];

Deno.test("a remember token has a series and a number in it, which each return counts up", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  const { series, ...rest } = payloadOf(tokenOf(browser));
  assert(/^[\w-]{43}$/.test(String(series)));
  assertEquals([rest.user_id, rest.number, rest.days], [1, 1, 30]);
  for (const number of [2, 3, 4]) {
    site.advance(DAY);
    await site.comeBack(browser);
    const payload = payloadOf(tokenOf(browser));
    assertEquals([payload.series, payload.number], [series, number]);
  }
  assertEquals(site.seriesOf().length, 1);
});

Deno.test("a remember token is not renewed while the session lasts", async () => {
  const site = new StoreSite();
  const browser = await site.loggedIn(site.susan, { remember: true });
  for (let visit = 0; visit < 3; visit++) {
    site.advance(DAY);
    await site.assertKnown(browser);
  }
  assertEquals(numberOf(browser), 1);
});

Deno.test("an old remember token ends the series and all sessions of the user, and onReject hears it", async () => {
  const site = new StoreSite();
  const thief = await site.remembered();
  const victim = new Browser();
  victim.cookies.set("_remember", tokenOf(thief));
  const phone = await site.loggedIn(site.susan, { remember: true });
  const laptop = await site.loggedIn();
  const stranger = await site.loggedIn(site.david, { remember: true });

  await site.comeBack(thief);
  site.advance(LATER);
  const { user, response } = await site.recall(victim);
  assertEquals([user, cookiesOf(response)], [null, ["-_remember"]]);
  assertEquals(site.reasons, ["reused"]);
  for (const browser of [thief, phone, laptop]) {
    assertEquals(await site.ask(browser), null);
  }
  for (const browser of [thief, phone]) {
    browser.cookies.delete("session");
    assertEquals(await site.ask(browser), null);
  }
  assertEquals(site.seriesOf(site.susan), []);
  site.reasons.length = 0;
  await site.comeBack(stranger, site.david);

  // Nobody is locked out, and the old token does no more harm.
  const again = await site.loggedIn(site.susan, { remember: true });
  victim.cookies.set("_remember", tokenOf(thief));
  assertEquals(await site.ask(victim), null);
  await site.comeBack(again);
});

Deno.test("it is a theft too where the thief is the one who comes second", async () => {
  const site = new StoreSite();
  const victim = await site.remembered();
  const thief = new Browser();
  thief.cookies.set("_remember", tokenOf(victim));
  for (let visit = 0; visit < 5; visit++) await site.comeBack(victim);
  assertEquals(await site.ask(thief), null);
  assertEquals(site.reasons, ["reused"]);
  assertEquals(await site.ask(victim), null);
});

Deno.test("the token before is taken for ten seconds, as the answer may be lost", async () => {
  for (const [seconds, isTaken] of [[0, true], [10, true], [11, false]]) {
    const site = new StoreSite();
    const browser = await site.remembered();
    const lost = new Map(browser.cookies);
    await site.comeBack(browser);
    site.advance(Number(seconds));
    const other = new Browser();
    for (const [name, value] of lost) other.cookies.set(name, value);
    const user = await site.ask(other);
    assertEquals(user, isTaken ? site.susan : null);
    assertEquals(site.reasons, isTaken ? [] : ["reused"]);
    if (!isTaken) continue;
    assertEquals(numberOf(other), 2);
    site.advance(DAY);
    await site.comeBack(other);
  }
});

Deno.test("the token before that is taken at no time", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  const old = tokenOf(browser);
  await site.comeBack(browser);
  await site.comeBack(browser);
  const other = new Browser();
  other.cookies.set("_remember", old);
  assertEquals(await site.ask(other), null);
  assertEquals(site.reasons, ["reused"]);
});

for (const [how, end] of ENDINGS) {
  Deno.test(`${how} ends the series`, async () => {
    const site = new StoreSite();
    for (const isRecalled of [false, true]) {
      const browser = isRecalled
        ? await site.remembered()
        : await site.loggedIn(site.susan, { remember: true });
      const stolen = new Browser();
      stolen.cookies.set("_remember", tokenOf(browser));
      await browser.post(site.session.wrap(async (request) => {
        await site.login.getCurrentUser(request);
        await end(site)(request);
        return new Response("Done");
      }));
      assertNotEquals(tokenOf(browser), tokenOf(stolen));
      const { user, response } = await site.recall(stolen);
      assertEquals([user, cookiesOf(response)], [null, ["-_remember"]]);
      assertEquals(site.reasons, []);
    }
  });
}

Deno.test("a login without remember keeps the series of the same user", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  await site.logIn(browser, site.susan);
  assertEquals(numberOf(browser), 1);
  site.advance(DAY);
  await site.comeBack(browser);
});

Deno.test("a new password ends the series of other browsers, and is no theft", async () => {
  const site = new StoreSite({ login: STAMPED });
  const [own, other] = [await site.remembered(), await site.remembered()];
  site.susan.stamp = "s2";
  await site.logIn(own, site.susan, { remember: true });
  assertEquals(await site.ask(other), null);
  assertEquals(site.seriesOf(site.susan).length, 1);
  site.advance(DAY);
  await site.comeBack(own);
});

Deno.test("a user who is gone takes the series along", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  site.users.delete(1);
  assertEquals(await site.ask(browser), null);
  assertEquals([site.seriesOf(), site.reasons], [[], []]);
});

Deno.test("a series goes on with the keys that there are", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  site.session.secretKey = [OTHER_KEY, KEY];
  await site.comeBack(browser);
  site.session.secretKey = OTHER_KEY;
  await site.comeBack(browser);
  assertEquals(numberOf(browser), 3);
});

Deno.test("a series ends with the days that the user was remembered for", async () => {
  const site = new StoreSite();
  const browser = await site.remembered(site.susan, 5);
  for (let day = 0; day < 8; day += 4) {
    site.advance(4 * DAY);
    await site.comeBack(browser);
  }
  site.advance(5 * DAY);
  browser.cookies.delete("session");
  assertEquals(await site.ask(browser), null);
  assertEquals(site.reasons, []);
});

Deno.test("a token from before the backend kept sessions begins a series", async () => {
  const jwt = new Site();
  const browser = await jwt.remembered();
  const site = new StoreSite();
  await site.comeBack(browser);
  assertEquals(numberOf(browser), 1);
  site.advance(DAY);
  await site.comeBack(browser);
  assertEquals(numberOf(browser), 2);
});

Deno.test("a token of a series is good where the backend keeps no sessions any more", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  const jwt = new Site();
  assertEquals(await jwt.ask(browser), jwt.susan);
  assertEquals(payloadOf(tokenOf(browser)).series, undefined);
});

Deno.test("a series is no session, and a session no series", async () => {
  const site = new StoreSite();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const thief = new Browser();
  thief.cookies.set("session", String(payloadOf(tokenOf(browser)).series));
  assertEquals(await site.ask(thief), null);
  assertEquals(site.reasons, ["other session"]);
  await browser.get(site.session.wrap(async (request) => {
    assertEquals((await site.login.sessions(request)).length, 1);
    return new Response();
  }));
});

Deno.test("an old token without a wrapper is nobody's, and ends nothing", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  const request = browser.request("/");
  assertEquals(await site.login.getCurrentUser(request), site.susan);
  await site.comeBack(browser);
  site.advance(LATER);
  const again = new Request(request);
  assertEquals(await site.login.getCurrentUser(again), null);
  await site.assertKnown(browser);
});

Deno.test("onRestore is told of each return by the cookie, once, and of nothing else", async () => {
  const told: unknown[] = [];
  const site = new StoreSite({
    login: {
      onRestore: ({ name }, request) =>
        void told.push([name, new URL(request.url).pathname]),
    },
  });
  const browser = await site.loggedIn(site.susan, { remember: true });
  await site.assertKnown(browser);
  assertEquals(told, []);
  browser.cookies.delete("session");
  await browser.get(
    site.session.wrap(async (request) => {
      for (let i = 0; i < 3; i++) await site.login.getCurrentUser(request);
      return await site.login.required(() => new Response())(request);
    }),
    "/page",
  );
  assertEquals(told, [["susan", "/page"]]);
  await site.assertKnown(browser);
  assertEquals(told.length, 1);
});

Deno.test("what onRestore throws fails the request, and the token stays good", async () => {
  for (
    const fail of [() => Promise.reject(new Error("broken")), () => {
      throw new Error("broken");
    }]
  ) {
    const site = new StoreSite({ login: { onRestore: fail } });
    const browser = await site.remembered();
    const asking = site.ask(browser).catch(({ message }) => message);
    assertEquals(await asking, "broken");
    site.advance(DAY);
    // Within one request, who asks again gets the user.
    await browser.get(site.session.wrap(async (request) => {
      await site.login.getCurrentUser(request).catch(() => {});
      assertEquals(await site.login.getCurrentUser(request), site.susan);
      return new Response();
    }));
    assertEquals([numberOf(browser), site.reasons], [2, []]);
  }
});

Deno.test("onRestore may ask who it is", async () => {
  const site: StoreSite = new StoreSite({
    login: {
      async onRestore(user, request) {
        assertEquals(await site.login.getCurrentUser(request), user);
        assertEquals((await site.login.sessions(request)).length, 1);
      },
    },
  });
  const browser = await site.remembered();
  await site.assertKnown(browser);
});

Deno.test("onRestore may log out again, or somebody else in", async () => {
  for (const next of [null, "david"]) {
    const site: StoreSite = new StoreSite({
      login: {
        async onRestore(_user, request) {
          if (next === null) await site.login.logoutUser(request);
          else await site.login.loginUser(request, site.david);
        },
      },
    });
    const browser = await site.remembered();
    assertEquals((await site.ask(browser))?.name ?? null, next);
    assertEquals((await site.ask(browser))?.name ?? null, next);
    assertEquals(browser.cookies.has("_remember"), false);
  }
});

Deno.test("series work over Deno KV", async () => {
  using log = captureErrors();
  using kv = await Deno.openKv(":memory:");
  const reasons: unknown[] = [];
  const site = new Site({
    session: {
      backend: kvBackend(kv),
      onReject: (reason) => void reasons.push(reason),
    },
  });
  const browser = await site.remembered();
  const old = tokenOf(browser);
  for (const number of [2, 3]) {
    browser.cookies.delete("session");
    assertEquals(await site.ask(browser), site.susan);
    assertEquals(numberOf(browser), number);
  }
  const thief = new Browser();
  thief.cookies.set("_remember", old);
  assertEquals(await site.ask(thief), null);
  assertEquals(await site.ask(browser), null);
  assertEquals([reasons[0], log.lines], ["reused", []]);
});
