/** A user's own sessions: where they are logged in, and how to end it there. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { LoginSession, SessionOptions } from "../../mod.ts";
import { MemoryBackend, NOW } from "../_helpers.ts";
import { Browser, cookiesOf, DAY, Site, type User } from "../_login.ts";
import { failureOf, STAMPED } from "./_common.ts";
import { StoreSite } from "./_series.ts";

/** What is no key of a session in the list. */
const NO_KEYS: unknown[] = [
  undefined,
  null,
  "",
  "garbage",
  "0".repeat(64),
  "x".repeat(100_000),
  0,
  true,
  [],
  {},
  Symbol("key"),
  () => {},
];

/** Backends that keep no sessions. */
const COOKIES: [what: string, options: SessionOptions][] = [
  ["jwt", {}],
  ["fernet", { backend: "fernet" }],
  ["a backend of one's own", { backend: new MemoryBackend() }],
];

/** Does something in a request of a browser. */
async function inRequest<Result>(
  site: Site,
  browser: Browser,
  action: (request: Request) => Promise<Result>,
): Promise<Result> {
  const results: Result[] = [];
  await browser.post(site.session.wrap(async (request) => {
    results.push(await action(request));
    return new Response();
  }));
  return results[0];
}

function list(site: Site, browser: Browser): Promise<LoginSession[]> {
  return inRequest(site, browser, (request) => site.login.sessions(request));
}

/** The key of a browser's session in the list. */
async function keyOf(site: Site, browser: Browser): Promise<string> {
  const sessions = await list(site, browser);
  return sessions.find(({ isCurrent }) => isCurrent)?.key ?? "";
}

function end(site: Site, browser: Browser, key: unknown): Promise<void> {
  return inRequest(
    site,
    browser,
    (request) => site.login.endSession(request, key),
  );
}

function endOthers(site: Site, browser: Browser): Promise<void> {
  return inRequest(
    site,
    browser,
    (request) => site.login.endOtherSessions(request),
  );
}

/** Who of these browsers is logged in. */
async function whoIs(site: Site, browsers: Browser[]): Promise<unknown[]> {
  const users: unknown[] = [];
  for (const browser of browsers) users.push((await site.ask(browser))?.name);
  return users;
}

Deno.test("login.sessions() lists the user's sessions, the latest login first", async () => {
  const site = new StoreSite();
  const phone = await site.loggedIn();
  await site.edit(phone, (dict) => dict.device = "phone");
  site.advance(60);
  const laptop = await site.loggedIn(site.susan, { remember: true });
  await site.loggedIn(site.david);
  await site.edit(new Browser(), (dict) => dict.cart = ["tea"]);
  site.advance(60);
  await site.edit(phone, (dict) => dict.page = 2);

  const sessions = await list(site, laptop);
  assertEquals(sessions.map(({ key: _key, ...rest }) => rest), [
    {
      startedAt: new Date((NOW + 60) * 1000),
      savedAt: new Date((NOW + 60) * 1000),
      isCurrent: true,
      data: {},
    },
    {
      startedAt: new Date(NOW * 1000),
      savedAt: new Date((NOW + 120) * 1000),
      isCurrent: false,
      data: { device: "phone", page: 2 },
    },
  ]);
  const keys = sessions.map(({ key }) => key);
  assert(keys.every((key) => /^[0-9a-f]{64}$/.test(key)));
  assertEquals([keys[1], keys[0]], [
    await keyOf(site, phone),
    await keyOf(site, laptop),
  ]);
});

Deno.test("login.sessions() tells nothing that a session could be taken over with", async () => {
  const site = new StoreSite();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const text = JSON.stringify(await list(site, browser));
  for (const value of browser.cookies.values()) assert(!text.includes(value));
  const [{ key }] = await list(site, browser);
  const thief = new Browser();
  thief.cookies.set("session", key);
  assertEquals(await site.ask(thief), null);
});

Deno.test("login.sessions() lists none that has ended: by time, by the stamp, or at all", async () => {
  const site = new StoreSite({ login: STAMPED, session: { maxAge: 5 * DAY } });
  await site.loggedIn();
  site.advance(4 * DAY);
  const stamped = await site.loggedIn();
  const gone = await site.loggedIn();
  await gone.post((request) => site.login.logoutUser(request));
  site.advance(DAY);
  assertEquals((await list(site, stamped)).length, 1);
  site.susan.stamp = "s2";
  const browser = await site.loggedIn();
  assertEquals((await list(site, browser)).length, 1);
});

Deno.test("login.sessions() heeds absoluteMaxAge", async () => {
  const site = new StoreSite({ session: { absoluteMaxAge: DAY } });
  await site.loggedIn();
  site.advance(DAY);
  assertEquals((await list(site, await site.loggedIn())).length, 1);
});

Deno.test("login.sessions() is empty for nobody", async () => {
  const site = new StoreSite();
  await site.loggedIn();
  assertEquals(await list(site, new Browser()), []);
});

Deno.test("login.sessions() lists a remembered browser once, however often it was closed", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  for (let day = 0; day < 3; day++) {
    site.advance(DAY);
    await site.comeBack(browser);
  }
  site.advance(1);
  const other = await site.loggedIn();
  assertEquals((await list(site, browser)).map(({ isCurrent }) => isCurrent), [
    false,
    true,
  ]);
  const sessions = await list(site, other);
  assertEquals(sessions[1].startedAt, new Date((NOW + 3 * DAY) * 1000));
  await end(site, other, sessions[1].key);
  assertEquals((await list(site, other)).length, 1);
  assertEquals(site.store.records.size, 1);
});

Deno.test("login.endSession() ends another session, with its remember-me cookie", async () => {
  const site = new StoreSite();
  const lost = await site.loggedIn(site.susan, { remember: true });
  const third = await site.loggedIn(site.susan, { remember: true });
  const browser = await site.loggedIn(site.susan, { remember: true });
  await end(site, browser, await keyOf(site, lost));
  assertEquals(await whoIs(site, [lost, third, browser]), [
    undefined,
    "susan",
    "susan",
  ]);
  assertEquals(lost.cookies.has("_remember"), false);
  site.reasons.length = 0;
  await site.comeBack(third);
  await site.comeBack(browser);
});

Deno.test("login.endSession() ends a session that a remember-me cookie has begun, with the cookie", async () => {
  const site = new StoreSite();
  const lost = await site.remembered();
  await site.comeBack(lost);
  const browser = await site.loggedIn();
  await end(site, browser, await keyOf(site, lost));
  assertEquals(await site.ask(lost), null);
  // So it is after a login that kept the cookie.
  const kept = await site.loggedIn(site.susan, { remember: true });
  await site.logIn(kept, site.susan);
  await end(site, browser, await keyOf(site, kept));
  assertEquals(await site.ask(kept), null);
});

Deno.test("login.endSession() of the present session logs out", async () => {
  const site = new StoreSite();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const key = await keyOf(site, browser);
  const response = await browser.post(site.session.wrap(async (request) => {
    await site.login.endSession(request, key);
    assertEquals(await site.login.getCurrentUser(request), null);
    return new Response();
  }));
  assertEquals(cookiesOf(response), ["-_remember", "-session"]);
  assertEquals(site.store.records.size, 0);
});

Deno.test("login.endSession() leaves another user's session alone", async () => {
  const site = new StoreSite();
  const other = await site.loggedIn(site.david);
  const key = await keyOf(site, other);
  await end(site, await site.loggedIn(), key);
  await end(site, new Browser(), key);
  assertEquals(await site.ask(other), site.david);
});

Deno.test("login.endSession() ends nothing by what is no key", async () => {
  const site: StoreSite = new StoreSite({
    login: { requestLoader: () => site.susan },
  });
  const browser = await site.loggedIn(site.susan, { remember: true });
  for (const key of NO_KEYS) {
    await end(site, browser, key);
    // Who is known by a key has no session.
    await end(site, new Browser(), key);
  }
  for (const value of browser.cookies.values()) await end(site, browser, value);
  assertEquals(site.store.records.size, 2);
});

Deno.test("login.endOtherSessions() ends all but the present one, and all remember-me cookies but its own", async () => {
  const site = new StoreSite();
  const others = [
    await site.loggedIn(),
    await site.loggedIn(site.susan, { remember: true }),
    await site.remembered(),
  ];
  const stranger = await site.loggedIn(site.david, { remember: true });
  const browser = await site.loggedIn(site.susan, { remember: true });
  await endOthers(site, browser);
  assertEquals(await whoIs(site, [...others, browser, stranger]), [
    undefined,
    undefined,
    undefined,
    "susan",
    "david",
  ]);
  assertEquals((await list(site, browser)).length, 1);
  site.reasons.length = 0;
  await site.comeBack(browser);
});

Deno.test("login.endOtherSessions() keeps a session that the remember-me cookie has just begun", async () => {
  const site = new StoreSite();
  const other = await site.loggedIn();
  const browser = await site.remembered();
  await endOthers(site, browser);
  assertEquals(await site.ask(other), null);
  await site.assertKnown(browser);
  await site.comeBack(browser);
});

Deno.test("login.endOtherSessions() does nothing for nobody", async () => {
  const site = new StoreSite();
  const browser = await site.loggedIn();
  await endOthers(site, new Browser());
  assertEquals(await site.ask(browser), site.susan);
});

Deno.test("the sessions of a user reject with what the store fails with", async () => {
  const site = new StoreSite();
  const other = await site.loggedIn(site.susan, { remember: true });
  const browser = await site.loggedIn();
  const key = await keyOf(site, other);
  site.store.watch = (step) => {
    if (step === "delete") throw new Error("The store is down");
  };
  for (
    const action of [
      (request: Request) => site.login.endSession(request, key),
      (request: Request) => site.login.endOtherSessions(request),
    ]
  ) {
    const failure = await failureOf(site, browser, action);
    assertEquals((failure as Error).message, "The store is down");
  }
  site.store.watch = undefined;
  await end(site, browser, key);
  assertEquals(await site.ask(other), null);
});

Deno.test("users of two Sessions over one store end nothing of each other", async () => {
  const site = new StoreSite();
  const backend = site.store.backend();
  const shop = new Site({ session: { backend, cookieName: "shop" } });
  const admin = await site.loggedIn(site.susan, { remember: true });
  const [customer, thief] = [new Browser(), new Browser()];
  await shop.logIn(customer, shop.susan, { remember: true });
  const other = await site.loggedIn();
  assertEquals((await list(shop, customer)).length, 1);

  await end(shop, customer, await keyOf(site, other));
  await endOthers(shop, customer);
  for (const [name, value] of customer.cookies) thief.cookies.set(name, value);
  for (const browser of [customer, customer, thief]) {
    browser.cookies.delete("shop");
    await shop.ask(browser);
  }
  assertEquals(await whoIs(shop, [customer]), [undefined]); // It was a theft.
  assertEquals(await whoIs(site, [admin, other]), ["susan", "susan"]);
  await site.comeBack(admin);
});

Deno.test('ids 1 and "1" are two users', async () => {
  const site = new StoreSite();
  const text: User = site.add({ ...site.susan, id: "1" });
  const [one, other] = [await site.loggedIn(), await site.loggedIn(text)];
  assertEquals((await list(site, other)).length, 1);
  await end(site, other, await keyOf(site, one));
  await endOthers(site, other);
  assertEquals(await site.ask(one), site.susan);
});

for (const [what, options] of COOKIES) {
  Deno.test(`${what}: the sessions of a user reject, and say which backends keep them`, async () => {
    const site = new Site({ session: options });
    for (const browser of [await site.loggedIn(), new Browser()]) {
      for (const action of [list, endOthers, end]) {
        await assertRejects(
          () => action(site, browser, "key") as Promise<unknown>,
          TypeError,
          "the backend keeps none, but leaves them in cookies; use kvBackend(), redisBackend() or storeBackend()",
        );
      }
    }
  });
}

Deno.test("login.endOtherSessions() keeps the present session under the id that it gets meanwhile", async () => {
  const site = new StoreSite();
  const [browser, other] = [await site.loggedIn(), await site.loggedIn()];
  site.store.watch = () => new Promise((resolve) => setTimeout(resolve));
  await inRequest(site, browser, async (request) => {
    site.session.regenerate(request);
    await site.login.endOtherSessions(request);
  });
  site.store.watch = undefined;
  assertEquals(await whoIs(site, [browser, other]), ["susan", undefined]);
});

Deno.test("login.sessions() that fails, or hangs unawaited, leaves the page be", async () => {
  const failure = Promise.reject(new Error("down"));
  failure.catch(() => {});
  for (const answer of [failure, new Promise<never>(() => {})]) {
    const site = new StoreSite();
    const browser = await site.loggedIn();
    site.store.keysOf = () => answer;
    const response = await browser.get(site.session.wrap(async (request) => {
      await site.login.getCurrentUser(request);
      site.login.sessions(request);
      return new Response("Hello");
    }));
    assertEquals(await response.text(), "Hello");
  }
});
