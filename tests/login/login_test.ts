import {
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { MemoryBackend, NOW, open } from "../_helpers.ts";
import {
  Browser,
  cookiesOf,
  locationOf,
  Site,
  type User,
  WRAPPERS,
} from "../_login.ts";
import {
  assertProblem,
  assertRefused,
  failureOf,
  FAILURES,
  FOREIGN,
  SCRIPT,
} from "./_common.ts";

/** Users whose data the next user must not see. */
const OTHERS: [id: User["id"], next: User["id"]][] = [
  [2, 1],
  [0, 1],
  ["", 1],
  [1, 0],
  [1, "1"],
  ["1", 1],
];

const NO_IDS: [what: string, user: unknown][] = [
  ["no user", undefined],
  ["null", null],
  ["a string", "susan"],
  ["no id", { name: "susan" }],
  ["the id undefined", { id: undefined }],
  ["the id null", { id: null }],
  ["the id NaN", { id: NaN }],
  ["the id Infinity", { id: Infinity }],
  ["the id 1.5", { id: 1.5 }],
  ["the id 2 ** 53", { id: 2 ** 53 }],
  ["the id -(2 ** 53)", { id: -(2 ** 53) }],
  ["a bigint id", { id: 1n }],
  ["a boolean id", { id: true }],
  ["an object as id", { id: {} }],
  ["an array as id", { id: [1] }],
];

Deno.test("login.loginUser() makes the user known to the next request", async () => {
  const site = new Site();
  const browser = new Browser();
  assertEquals(await site.ask(browser), null);
  await site.logIn(browser, site.susan);
  assertStrictEquals(await site.ask(browser), site.susan);
});

Deno.test("login.loginUser() makes the user known to the same request, without the loader", async () => {
  const { login, session, susan, david, loaded } = new Site();
  await new Browser().post(session.wrap(async (request) => {
    assertEquals(await login.getCurrentUser(request), null);
    await login.loginUser(request, susan);
    assertStrictEquals(await login.getCurrentUser(request), susan);
    await login.loginUser(request, david);
    assertStrictEquals(await login.getCurrentUser(request), david);
    return new Response("Hello");
  }));
  assertEquals(loaded, []);
});

Deno.test("login.loginUser() keeps _user_id, _fresh and _auth_time in the session", async () => {
  const site = new Site();
  site.advance(1.75);
  const browser = await site.loggedIn();
  const { _user_id, _fresh, _auth_time } = await site.claims(browser);
  assertEquals([_user_id, _fresh, _auth_time], [1, true, NOW + 1]);
});

Deno.test("login.loginUser() of the same user tells the time of the last login", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  site.advance(60);
  await site.logIn(browser, site.susan);
  const { _user_id, _fresh, _auth_time } = await site.claims(browser);
  assertEquals([_user_id, _fresh, _auth_time], [1, true, NOW + 60]);
});

Deno.test("login.loginUser() keeps the data of an anonymous session", async () => {
  const site = new Site();
  const browser = new Browser();
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  await site.logIn(browser, site.susan);
  assertEquals((await site.data(browser)).cart, ["tea"]);
  assertEquals(await site.ask(browser), site.susan);
});

Deno.test("login.loginUser() keeps what was not saved of an anonymous session", async () => {
  const site = new Site();
  const browser = new Browser();
  await browser.post(site.session.wrap(async (request) => {
    (await site.session.get(request)).cart = ["tea"];
    return await site.login.loginUser(request, site.susan);
  }));
  assertEquals((await site.data(browser)).cart, ["tea"]);
});

Deno.test("login.loginUser() keeps the data of the same user", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  await site.logIn(browser, site.susan);
  assertEquals((await site.data(browser)).cart, ["tea"]);
});

for (const [id, next] of OTHERS) {
  const [from, to] = [id, next].map((id) => Deno.inspect(id));

  Deno.test(`login.loginUser() drops the data of the user ${from} for the user ${to}`, async () => {
    const site = new Site();
    const browser = await site.loggedIn({ ...site.susan, id });
    await site.edit(browser, (dict) => dict.cart = ["tea"]);
    await site.logIn(browser, { ...site.susan, id: next });
    assertEquals((await site.data(browser)).cart, undefined);
    assertEquals((await site.claims(browser))._user_id, next);
  });
}

for (const isKnown of [false, true]) {
  const who = isKnown ? "the same user" : "a visitor";

  Deno.test(`login.loginUser() gives ${who} a new session of the backend, and removes the old one`, async () => {
    const backend = new MemoryBackend();
    const site = new Site({ session: { backend } });
    const browser = new Browser();
    if (isKnown) await site.logIn(browser, site.susan);
    await site.edit(browser, (dict) => dict.cart = ["tea"]);
    const old = browser.cookies.get("session");
    await site.logIn(browser, site.susan);
    const value = browser.cookies.get("session");
    assertNotEquals(value, old);
    assertEquals([...backend.records.keys()], [value]);
    assertEquals(backend.previous.at(-1), undefined);
  });
}

Deno.test("login.loginUser() never takes a session id that the backend did not make", async () => {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend } });
  const browser = new Browser();
  browser.cookies.set("session", "planted");
  await site.logIn(browser, site.susan);
  assertEquals(backend.records.has("planted"), false);
  assertEquals(backend.records.size, 1);
});

Deno.test("login.loginUser() begins a session with a life of its own", async () => {
  const site = new Site({ session: { absoluteMaxAge: 1000 } });
  const browser = new Browser();
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  site.advance(900);
  await site.logIn(browser, site.susan);
  const { _started, exp } = await site.claims(browser);
  assertEquals([_started, exp], [NOW + 900, NOW + 1900]);
});

for (const isKnown of [false, true]) {
  const what = isKnown ? "in place of an old one" : "for a new visitor";

  Deno.test(`login.loginUser() begins a session ${what} that a later save goes on with`, async () => {
    const site = new Site();
    const browser = new Browser();
    if (isKnown) await site.edit(browser, (dict) => dict.cart = ["tea"]);
    site.advance(900);
    await browser.post(site.session.wrap(async (request) => {
      const response = await site.login.loginUser(request, site.susan);
      site.advance(10);
      (await site.session.get(request)).save();
      return response;
    }));
    const { _started, _user_id } = await site.claims(browser);
    assertEquals([_started, _user_id], [NOW + 900, 1]);
  });
}

Deno.test("login.loginUser() without a wrapper returns a response with the cookies", async () => {
  const site = new Site();
  const options = { remember: true };
  const response = await site.logIn(new Browser(), site.susan, options);
  assertEquals(cookiesOf(response), ["_remember", "session"]);
  assertEquals(response.headers.get("Vary"), "Cookie");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
});

Deno.test("login.loginUser() doubles no cookie under session.commit()", async () => {
  const { login, session, susan } = new Site();
  const request = new Browser().request("/login", { method: "POST" });
  await open(session, request);
  const response = await login.loginUser(request, susan, { remember: true });
  const committed = await session.commit(request, response);
  assertEquals(cookiesOf(committed), ["_remember", "session"]);
  assertEquals(committed.headers.get("Vary"), "Cookie");
});

for (const [name, wrap] of WRAPPERS) {
  Deno.test(`login.loginUser() under ${name} leaves the cookies to it`, async () => {
    const backend = new MemoryBackend();
    const site = new Site({ session: { backend } });
    let inner: string[] | undefined;
    const handler = wrap(site, async (request) => {
      const options = { remember: true };
      const response = await site.login.loginUser(request, site.susan, options);
      inner = cookiesOf(response);
      return response;
    });
    const response = await new Browser().post(handler);
    assertEquals(inner, []);
    assertEquals(cookiesOf(response), ["_remember", "session"]);
    assertEquals(response.headers.get("Vary"), "Cookie");
    assertEquals(backend.previous.length, 1);
  });

  Deno.test(`login.loginUser() under ${name} may have its response ignored`, async () => {
    const site = new Site();
    const browser = new Browser();
    const handler = wrap(site, async (request) => {
      await site.login.loginUser(request, site.susan);
      return Response.json({ ok: true });
    });
    const response = await browser.post(handler);
    assertEquals(response.status, 200);
    assertEquals(cookiesOf(response), ["session"]);
    assertEquals(await site.ask(browser), site.susan);
  });
}

Deno.test("login.loginUser() and dict.save() set one cookie", async () => {
  const site = new Site();
  const browser = new Browser();
  const response = await browser.post(site.session.wrap(async (request) => {
    const response = await site.login.loginUser(request, site.susan);
    const dict = await site.session.get(request);
    dict.greeting = "Hello";
    dict.save();
    return response;
  }));
  assertEquals(cookiesOf(response), ["session"]);
  assertEquals((await site.data(browser)).greeting, "Hello");
  assertEquals(await site.ask(browser), site.susan);
});

Deno.test("login.loginUser() under autoSave saves once", async () => {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend, autoSave: true } });
  const response = await new Browser().post(
    site.session.wrap((request) => site.login.loginUser(request, site.susan)),
  );
  assertEquals(cookiesOf(response), ["session"]);
  assertEquals(backend.previous.length, 1);
});

Deno.test("login.loginUser() needs no userLoader", async () => {
  const site = new Site({ login: { userLoader: undefined } });
  const { login, session, susan } = site;
  await new Browser().post(session.wrap(async (request) => {
    const response = await login.loginUser(request, susan);
    assertEquals(await login.getCurrentUser(request), susan);
    return response;
  }));
});

for (const [what, user] of NO_IDS) {
  Deno.test(`login.loginUser() rejects ${what}, and changes nothing`, () =>
    assertRefused(user, {}, TypeError, "Cannot log in: the user has no id"));
}

for (const [how, fail] of FAILURES) {
  Deno.test(`login.loginUser() rejects where the store ${how}, wrapped or not`, async () => {
    const backend = new MemoryBackend();
    const site = new Site({ session: { backend } });
    backend.save = fail;
    const browser = new Browser();
    await assertRejects(
      () => site.logIn(browser, site.susan),
      Error,
      "broken",
    );
    const failure = await failureOf(
      site,
      browser,
      (request) => site.login.loginUser(request, site.susan),
    );
    assertEquals((failure as Error).message, "broken");
    assertEquals(browser.cookies.size, 0);
  });
}

Deno.test("login.loginUser() refuses another origin, and changes nothing under a wrapper", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.david, { remember: true });
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  const before = new Map(browser.cookies);
  let user: unknown;
  const handler = site.session.wrap(async (request) => {
    const options = { remember: true };
    const response = await site.login.loginUser(request, site.susan, options);
    user = await site.login.getCurrentUser(request);
    return response;
  });
  const response = await browser.post(handler, "/login?next=/a", FOREIGN);
  assertEquals(locationOf(response), [403, null]);
  assertEquals(cookiesOf(response), []);
  assertEquals(browser.cookies, before);
  assertEquals(user, site.david);
});

Deno.test("login.loginUser() refuses another origin in text to a person", async () => {
  const { login, susan } = new Site();
  const headers = { ...FOREIGN, "Sec-Fetch-Mode": "navigate" };
  const request = new Browser().request("/login", { method: "POST", headers });
  const response = await login.loginUser(request, susan);
  const type = response.headers.get("Content-Type");
  assertEquals([response.status, type], [403, "text/plain; charset=utf-8"]);
  assertNotEquals(await response.text(), "");
});

Deno.test("login.loginUser() refuses another origin in problem details to a script", async () => {
  const { login, susan } = new Site();
  const headers = { ...FOREIGN, ...SCRIPT };
  const request = new Browser().request("/login", { method: "POST", headers });
  await assertProblem(await login.loginUser(request, susan), 403);
});
