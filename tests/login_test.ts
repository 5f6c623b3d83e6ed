import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { MemoryBackend, NOW, payloadOf } from "./_helpers.ts";
import {
  Browser,
  cookiesOf,
  locationOf,
  Site,
  type User,
  WRAPPERS,
} from "./_login.ts";

/** Login pages as asked for, the app's `redirectUrl`, and where a login leads. */
const TARGETS: [path: string, redirectUrl: string | undefined, to: string][] = [
  ["/login", undefined, "/"],
  ["/login", "/home", "/home"],
  ["/login", "https://app.example.com/", "https://app.example.com/"],
  ["/login?next=%2Fcart", undefined, "/cart"],
  ["/login?next=%2Fcart", "/home", "/cart"],
  ["/login?next=/cart", "/home", "/cart"],
  ["/login?lang=de&next=%2Fcart", "/home", "/cart"],
  ["/login?next=%2Fcart%3Fa%3D1%26b%3D2%23c", "/home", "/cart?a=1&b=2#c"],
  ["/login?next=%2Fcaf%C3%A9%3Fq%3D%C3%BC", "/home", "/caf%C3%A9?q=%C3%BC"],
  ["/login?next=%2Fa%252Fb", "/home", "/a%2Fb"],
  ["/login?next=/a&next=/b", "/home", "/a"],
  // Not safe.
  ["/login?next=", undefined, "/"],
  ["/login?next=", "/home", "/home"],
  ["/login?next=//evil.example", undefined, "/"],
  ["/login?next=//evil.example", "/home", "/home"],
  ["/login?next=%2F%5Cevil.example", "/home", "/home"],
  ["/login?next=%2F%09%2Fevil.example", "/home", "/home"],
  ["/login?next=https://evil.example/", "/home", "/home"],
  ["/login?next=javascript:alert(1)", "/home", "/home"],
  ["/login?next=cart", "/home", "/home"],
  // The login page itself.
  ["/login?next=/login", undefined, "/"],
  ["/login?next=/login", "/home", "/home"],
  ["/login?next=/login%3Fnext%3D/cart", "/home", "/home"],
  ["/login?next=/login%23top", "/home", "/home"],
  ["/login?next=/cart/../login", "/home", "/home"],
  ["/login?next=/login/help", "/home", "/login/help"],
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
  ["a bigint id", { id: 1n }],
  ["a boolean id", { id: true }],
  ["an object as id", { id: {} }],
  ["an array as id", { id: [1] }],
];

const FOREIGN = { "Sec-Fetch-Site": "cross-site" };

Deno.test("login.loginUser() keeps _user_id, _fresh and _auth_time in the session", async () => {
  const site = new Site();
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  assertEquals(await site.data(browser), {
    _user_id: 1,
    _fresh: true,
    _auth_time: NOW,
  });
});

Deno.test("login.loginUser() keeps _auth_time in whole seconds", async () => {
  const site = new Site();
  site.advance(1.75);
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  assertEquals((await site.data(browser))._auth_time, NOW + 1);
});

for (const [path, redirectUrl, to] of TARGETS) {
  Deno.test(`login.loginUser() leads from ${path} to ${to} where redirectUrl is ${redirectUrl}`, async () => {
    const site = new Site();
    const options = { redirectUrl };
    const response = await site.logIn(new Browser(), site.susan, options, path);
    assertEquals(locationOf(response), [302, to]);
  });
}

Deno.test("login.loginUser() makes the user known to the next request", async () => {
  const site = new Site();
  const browser = new Browser();
  assertEquals(await site.ask(browser), null);
  await site.logIn(browser, site.susan);
  assertStrictEquals(await site.ask(browser), site.susan);
});

Deno.test("login.loginUser() makes the user known to the same request, without the loader", async () => {
  const { login, susan, david, loaded } = new Site();
  const request = new Browser().request("/login", { method: "POST" });
  assertEquals(await login.getCurrentUser(request), null);
  await login.loginUser(request, susan);
  assertStrictEquals(await login.getCurrentUser(request), susan);
  await login.loginUser(request, david);
  assertStrictEquals(await login.getCurrentUser(request), david);
  assertEquals(loaded, []);
});

Deno.test("login.loginUser() keeps the data of an anonymous session", async () => {
  const site = new Site();
  const browser = new Browser();
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  await site.logIn(browser, site.susan);
  const { cart, _user_id } = await site.data(browser);
  assertEquals({ cart, _user_id }, { cart: ["tea"], _user_id: 1 });
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
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  site.advance(60);
  await site.logIn(browser, site.susan);
  assertEquals(await site.data(browser), {
    cart: ["tea"],
    _user_id: 1,
    _fresh: true,
    _auth_time: NOW + 60,
  });
});

Deno.test("login.loginUser() drops the data of another user", async () => {
  const site = new Site();
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  await site.logIn(browser, site.david);
  assertEquals(await site.data(browser), {
    _user_id: 2,
    _fresh: true,
    _auth_time: NOW,
  });
});

for (const id of [0, ""]) {
  Deno.test(`login.loginUser() drops the data of a user with the id ${Deno.inspect(id)}`, async () => {
    const site = new Site();
    const browser = await site.loggedIn({ ...site.david, id });
    await site.edit(browser, (dict) => dict.cart = ["tea"]);
    await site.logIn(browser, site.susan);
    const { cart, _user_id } = await site.data(browser);
    assertEquals({ cart, _user_id }, { cart: undefined, _user_id: 1 });
  });
}

Deno.test("login.loginUser() takes the ids 1 and '1' for two users", async () => {
  const site = new Site();
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  await site.logIn(browser, { ...site.david, id: "1" });
  const { cart, _user_id } = await site.data(browser);
  assertEquals({ cart, _user_id }, { cart: undefined, _user_id: "1" });
});

for (
  const [who, isKnown] of [["a visitor", false], [
    "the same user",
    true,
  ]] as const
) {
  Deno.test(`login.loginUser() gives ${who} a new session of the backend, and removes the old one`, async () => {
    const backend = new MemoryBackend();
    const site = new Site({ session: { backend } });
    const browser = new Browser();
    if (isKnown) await site.logIn(browser, site.susan);
    await site.edit(browser, (dict) => dict.cart = ["tea"]);
    const old = browser.cookies.get("session");
    assert(old !== undefined);
    await site.logIn(browser, site.susan);
    const value = browser.cookies.get("session");
    assertNotEquals(value, old);
    assertEquals([...backend.records.keys()], [value]);
    assertEquals(backend.previous.at(-1), undefined);
  });
}

Deno.test("login.loginUser() leaves nothing to whoever planted the session", async () => {
  const site = new Site({ session: { backend: new MemoryBackend() } });
  const attacker = new Browser();
  await site.edit(attacker, (dict) => dict.cart = ["tea"]);
  const victim = new Browser();
  victim.cookies.set("session", attacker.cookies.get("session") ?? "");
  await site.logIn(victim, site.susan);
  assertEquals(await site.ask(victim), site.susan);
  assertEquals(await site.ask(attacker), null);
});

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
  const { _started, exp } = payloadOf(browser.cookies.get("session"));
  assertEquals({ _started, exp }, { _started: NOW + 900, exp: NOW + 1900 });
});

Deno.test("login.loginUser() without a wrapper returns a response with the cookies", async () => {
  const { login, susan } = new Site();
  const request = new Browser().request("/login", { method: "POST" });
  const response = await login.loginUser(request, susan, { remember: true });
  assertEquals(cookiesOf(response), ["_remember", "session"]);
  assertEquals(response.headers.get("Vary"), "Cookie");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
});

Deno.test("login.loginUser() without a wrapper doubles no cookie under session.commit()", async () => {
  const { login, session, susan } = new Site();
  const request = new Browser().request("/login", { method: "POST" });
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
  const { greeting, _user_id } = await site.data(browser);
  assertEquals({ greeting, _user_id }, { greeting: "Hello", _user_id: 1 });
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
  const { login, susan } = new Site({ login: { userLoader: undefined } });
  const request = new Browser().request("/login", { method: "POST" });
  assertEquals((await login.loginUser(request, susan)).status, 302);
  assertEquals(await login.getCurrentUser(request), susan);
});

for (const [what, user] of NO_IDS) {
  Deno.test(`login.loginUser() rejects ${what}, and changes nothing`, async () => {
    const site = new Site();
    const browser = new Browser();
    await site.logIn(browser, site.david);
    const request = browser.request("/login", { method: "POST" });
    await assertRejects(
      () => site.login.loginUser(request, user as User),
      TypeError,
      "the user has no id that is a string or a finite number",
    );
    assertEquals(await site.login.getCurrentUser(request), site.david);
  });
}

Deno.test("login.loginUser() rejects what is no Request", async () => {
  const { login, susan } = new Site();
  const request = { url: "http://localhost/login" } as Request;
  await assertRejects(
    () => login.loginUser(request, susan),
    TypeError,
    "expected the Request",
  );
});

Deno.test("login.loginUser() rejects where the store fails", async () => {
  const backend = new MemoryBackend();
  backend.save = () => Promise.reject(new Error("store down"));
  const { login, session, susan } = new Site({ session: { backend } });
  const request = new Browser().request("/login", { method: "POST" });
  await assertRejects(
    () => login.loginUser(request, susan),
    Error,
    "store down",
  );
  const handler = session.wrap(async (request) => {
    await assertRejects(
      () => login.loginUser(request, susan),
      Error,
      "store down",
    );
    return new Response("Try again", { status: 500 });
  });
  await assertRejects(() => new Browser().post(handler), Error, "store down");
});

Deno.test("login.loginUser() refuses another origin, and changes nothing under a wrapper", async () => {
  const site = new Site();
  const browser = new Browser();
  await site.logIn(browser, site.david, { remember: true });
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
  const headers = { ...FOREIGN, "Sec-Fetch-Mode": "cors" };
  const request = new Browser().request("/login", { method: "POST", headers });
  const response = await login.loginUser(request, susan);
  const type = response.headers.get("Content-Type");
  assertEquals([response.status, type], [403, "application/problem+json"]);
  assertEquals((await response.json()).status, 403);
});
