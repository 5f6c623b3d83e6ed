/** Returns by the remember-me cookie that overlap, or go wrong half way. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { captureErrors } from "../_helpers.ts";
import { Browser, cookiesOf, DAY, Site } from "../_login.ts";
import type { Step } from "../_watched_store.ts";
import { LATER, numberOf, StoreSite } from "./_series.ts";

/** Tabs that are opened at once. */
const TABS = 20;

/** Lets whoever waits go on in the order that a seed decides. */
function shuffler(seed: number): () => Promise<void> {
  let state = seed;
  return async () => {
    state = Math.imul(state, 1_103_515_245) + 12_345 & 0x7fff_ffff;
    for (let turns = (state >> 8) % 7; turns > 0; turns--) await null;
  };
}

/** A tab of a browser: it sends the cookies that the browser had at first. */
function tabOf(browser: Browser): Browser {
  const tab = new Browser();
  for (const [name, value] of browser.cookies) tab.cookies.set(name, value);
  return tab;
}

for (let seed = 1; seed <= 10; seed++) {
  Deno.test(`${TABS} tabs at once are no theft, and all are logged in (${seed})`, async () => {
    const site = new StoreSite();
    const browser = await site.remembered();
    const tabs = Array.from({ length: TABS }, () => tabOf(browser));
    site.store.watch = shuffler(seed);
    const users = await Promise.all(tabs.map((tab) => site.ask(tab)));
    assertEquals(new Set(users), new Set([site.susan]));
    assertEquals(site.reasons, []);
    site.store.watch = undefined;

    // Whichever answer the browser got last, it goes on with that.
    const [last] = tabs.slice(seed);
    assertEquals(numberOf(last), 2);
    await site.assertKnown(last);
    for (let day = 0; day < 3; day++) {
      site.advance(DAY);
      await site.comeBack(last);
    }
  });
}

Deno.test("tabs of several days, one slow, are no theft", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  const slow = tabOf(browser);
  const response = await slow.get(site.session.wrap(async (request) => {
    assertEquals(await site.login.getCurrentUser(request), site.susan);
    // Meanwhile the browser goes on, further than one answer can be late.
    for (let day = 0; day < 3; day++) {
      await site.comeBack(browser);
      site.advance(DAY);
    }
    return new Response("At last");
  }));
  // The browser has a later token than this answer could bring.
  assertEquals(cookiesOf(response), ["session"]);
  await site.comeBack(browser);
  assertEquals(numberOf(browser), 5);
});

Deno.test("a slow answer brings the token that the browser has got meanwhile", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  const slow = tabOf(browser);
  await slow.get(site.session.wrap(async (request) => {
    await site.login.getCurrentUser(request);
    await site.comeBack(browser);
    site.advance(LATER);
    return new Response("At last");
  }));
  assertEquals([numberOf(browser), numberOf(slow)], [2, 2]);
  site.advance(DAY);
  await site.comeBack(slow);
});

Deno.test("a page that fails leaves the token good", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  const failing = site.session.wrap(async (request) => {
    await site.login.getCurrentUser(request);
    throw new Error("broken");
  });
  await assertRejects(() => browser.get(failing), Error, "broken");
  site.advance(DAY);
  assertEquals(numberOf(browser), 1);
  await site.comeBack(browser);
  assertEquals(numberOf(browser), 2);
});

Deno.test("an answer that the guard throws goes on with the series", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  const page = site.session.wrap(async (request) => {
    await site.login.requireUser(request, { check: () => false });
    return new Response();
  });
  assertEquals((await browser.get(page)).status, 403);
  assertEquals(numberOf(browser), 2);
  site.advance(DAY);
  await site.comeBack(browser);
});

Deno.test("a store that fails once, at whatever step of a return, loses no login and alarms nobody", async () => {
  let failures = 0;
  for (let number = 1;; number++) {
    const site = new StoreSite();
    const browser = await site.remembered();
    const steps: [Step, string][] = [];
    site.store.watch = (step, when) => {
      steps.push([step, when]);
      // What was done, and the answer lost, can't be told from what was not.
      if (when === "after" && step === "replace") return;
      if (steps.length === number) throw new Error("The store is down");
    };
    using log = captureErrors();
    const isAnswered = await site.ask(browser).then(() => true, () => false);
    site.store.watch = undefined;
    if (steps.length < number) break;
    failures++;
    // A page is served where nothing but the cookie's renewal has failed.
    for (const [line] of log.lines) {
      assert(isAnswered);
      assertEquals(
        (line as Error).message,
        "Cannot renew remember-me cookie: the backend failed",
      );
    }
    site.advance(LATER);
    await site.assertKnown(browser);
    site.advance(DAY);
    await site.comeBack(browser);
  }
  assert(failures > 8, `only ${failures} steps`);
});

Deno.test("a store that fails once, at whatever step of a login with remember, leaves nobody half logged in", async () => {
  for (let number = 1;; number++) {
    const site = new StoreSite();
    const browser = await site.loggedIn(site.david, { remember: true });
    let count = 0;
    site.store.watch = () => {
      if (++count === number) throw new Error("The store is down");
    };
    const login = site.logIn(browser, site.susan, { remember: true });
    const isDone = await login.then(() => true, () => false);
    site.store.watch = undefined;
    if (count < number) {
      assert(isDone && number > 8, `only ${number} steps`);
      break;
    }
    // Who was not answered has the cookies from before; that login may have
    // ended by then, but is nobody else's.
    const user = await site.ask(browser);
    assert(user === null || user === (isDone ? site.susan : site.david));
    const again = await site.loggedIn(site.susan, { remember: true });
    await site.comeBack(again);
  }
});

Deno.test("a store that fails once, at whatever step of an alarm, lets no thief in for longer", async () => {
  for (let number = 1;; number++) {
    const site = new StoreSite();
    const [thief, other] = [await site.remembered(), await site.loggedIn()];
    const victim = tabOf(thief);
    await site.comeBack(thief);
    site.advance(LATER);
    let count = 0;
    site.store.watch = () => {
      if (++count === number) throw new Error("The store is down");
    };
    const isDone = await site.ask(victim).then(() => true, () => false);
    site.store.watch = undefined;
    // The page failed, and the visitor tries again.
    if (!isDone) assertEquals(await site.ask(victim), null);
    for (const browser of [thief, other, victim]) {
      assertEquals(await site.ask(browser), null, `step ${number}`);
      browser.cookies.delete("session");
      assertEquals(await site.ask(browser), null, `step ${number}`);
    }
    if (count < number) {
      assert(number > 10, `only ${number} steps`);
      break;
    }
  }
});

Deno.test("a logout while a tab returns ends both, in whatever order", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const site = new StoreSite();
    const browser = await site.loggedIn(site.susan, { remember: true });
    const tab = tabOf(browser);
    tab.cookies.delete("session");
    site.store.watch = shuffler(seed);
    await Promise.all([
      browser.post((request) => site.login.logoutUser(request)),
      site.ask(tab),
    ]);
    site.store.watch = undefined;
    tab.cookies.delete("session");
    assertEquals(await site.ask(tab), null, `seed ${seed}`);
    assertEquals(site.seriesOf(), []);
  }
});

for (const isKept of [true, false]) {
  const where = isKept ? "a store" : "a cookie";
  Deno.test(`300 remembered visitors at once all come back, with sessions in ${where}`, async () => {
    const site = isKept ? new StoreSite() : new Site();
    const browsers: Browser[] = [];
    for (let id = 0; id < 300; id++) {
      const user = site.add({ id, name: "x".repeat(50), stamp: "" });
      browsers.push(await site.remembered(user));
    }
    // All are read before the first is answered.
    const ready = Promise.withResolvers<void>();
    let waiting = browsers.length;
    site.login.userLoader(async (id) => {
      if (--waiting === 0) ready.resolve();
      await ready.promise;
      return site.users.get(id);
    });
    const users = await Promise.all(browsers.map((one) => site.ask(one)));
    assertEquals(users.map((user) => user?.id), browsers.map((_, id) => id));
    const later = await Promise.all(browsers.map((one) => site.ask(one)));
    assertEquals(later.includes(null), false);
  });
}

for (const isKept of [true, false]) {
  const where = isKept ? "a store" : "a cookie";
  Deno.test(`a logout while a tab returns ends the tab's login, with sessions in ${where}`, async () => {
    const site = isKept ? new StoreSite() : new Site();
    const browser = await site.loggedIn(site.susan, { remember: true });
    const tab = tabOf(browser);
    tab.cookies.delete("session");
    await tab.get(site.session.wrap(async (request) => {
      assertEquals(await site.login.getCurrentUser(request), site.susan);
      await browser.post((request) => site.login.logoutUser(request));
      return new Response();
    }));
    assertEquals([...tab.cookies.keys()], []);
  });
}

Deno.test("a save that fails leaves the token good", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  const failing = site.session.wrap(async (request) => {
    await site.login.getCurrentUser(request);
    const dict = await site.session.get(request);
    dict.bulk = "x".repeat(70_000);
    dict.save();
    return new Response();
  });
  await assertRejects(() => browser.get(failing), RangeError);
  site.advance(DAY);
  assertEquals(numberOf(browser), 1);
  await site.comeBack(browser);
});

Deno.test("a store that never replaces a record does not keep a visitor waiting", async () => {
  using log = captureErrors();
  const site = new StoreSite();
  const browser = await site.remembered();
  site.store.replace = () => Promise.resolve(false);
  await site.assertKnown(browser);
  const [[error]] = log.lines as [[Error]];
  assertEquals(
    (error.cause as Error).message,
    "Cannot renew remember-me cookie: other requests were faster 10 times",
  );
});
