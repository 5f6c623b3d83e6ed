/** Logins by way of another site: who comes back must be who was sent there. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { LoginUserOptions, SessionOptions } from "../../mod.ts";
import { NOW, requestWith } from "../_helpers.ts";
import { Browser, cookiesOf, locationOf, Site } from "../_login.ts";
import { WatchedStore } from "../_watched_store.ts";
import { failureOf, FOREIGN } from "./_common.ts";

/** Backends whose sessions a browser's state is kept in. */
const BACKENDS: Record<string, () => SessionOptions> = {
  jwt: () => ({}),
  fernet: () => ({ backend: "fernet" }),
  store: () => ({ backend: new WatchedStore().backend() }),
};

/** What is no state of the visitor's, given the one that is. */
const FORGERIES: [what: string, forge: (state: string) => unknown][] = [
  ["nothing", () => undefined],
  ["null", () => null],
  ["the empty text", () => ""],
  ["garbage", () => "garbage"],
  ["a part of it", (state) => state.slice(0, -1)],
  ["more than it", (state) => `${state}A`],
  ["it in capitals", (state) => state.toUpperCase()],
  ["it in an array", (state) => [state]],
  ["it in an object", (state) => ({ toString: () => state })],
  ["it as an object", (state) => new String(state)],
  ["a number", () => 0],
  ["true", () => true],
  ["NaN", () => NaN],
  ["a name of all objects", () => "__proto__"],
  ["what is too long", () => "A".repeat(100_000)],
  ["a lone surrogate", () => "\uD800"],
];

/** Sends a browser to the other site; returns what goes along. */
async function depart(site: Site, browser: Browser): Promise<string> {
  let state = "";
  await browser.get(site.session.wrap(async (request) => {
    state = await site.login.createState(request);
    return new Response(null, { status: 303, headers: { Location: "/away" } });
  }));
  return state;
}

/** Comes back from the other site, as a browser does. */
function comeBack(
  site: Site,
  browser: Browser,
  state: unknown,
  options: LoginUserOptions = {},
  path = "/callback",
): Promise<Response> {
  return browser.get(
    (request) =>
      site.login.loginUser(request, site.susan, { ...options, state }),
    path,
    { ...FOREIGN, "Sec-Fetch-Mode": "navigate" },
  );
}

async function assertRefused(
  site: Site,
  browser: Browser,
  state: unknown,
  message =
    "This login did not begin in this browser, or too long ago, or is over",
): Promise<void> {
  const response = await comeBack(site, browser, state);
  assertEquals([response.status, cookiesOf(response)], [403, []]);
  assertEquals(await response.text(), `${message}\n`);
  assertEquals(await site.ask(browser), null);
}

for (const [name, makeOptions] of Object.entries(BACKENDS)) {
  Deno.test(`${name}: login.loginUser() takes a state that login.createState() made, from another site, once`, async () => {
    const site = new Site({ session: makeOptions() });
    const browser = new Browser();
    await depart(site, browser);
    const state = await depart(site, browser);
    assert(/^[\w-]{22}$/.test(state), state);
    const response = await comeBack(site, browser, state);
    assertEquals(locationOf(response), [302, "/"]);
    assertEquals(await site.ask(browser), site.susan);

    const again = await comeBack(site, browser, state);
    assertEquals(again.status, 403);
    assertEquals(await site.ask(browser), site.susan);
  });

  Deno.test(`${name}: login.loginUser() refuses another visitor's state`, async () => {
    const site = new Site({ session: makeOptions() });
    const [browser, other] = [new Browser(), new Browser()];
    const state = await depart(site, browser);
    await depart(site, other);
    await assertRefused(site, other, state);
    assertEquals((await comeBack(site, browser, state)).status, 302);
  });
}

for (const [what, forge] of FORGERIES) {
  Deno.test(`login.loginUser() refuses ${what} for a state, and leaves the state good`, async () => {
    const site = new Site();
    const browser = new Browser();
    const state = await depart(site, browser);
    await assertRefused(site, browser, forge(state));
    assertEquals((await comeBack(site, browser, state)).status, 302);
  });
}

Deno.test("login.loginUser() refuses whatever state where none was made", async () => {
  const site = new Site();
  for (const [, forge] of FORGERIES) {
    const browser = new Browser();
    await site.edit(browser, (dict) => dict.cart = ["tea"]);
    await assertRefused(site, browser, forge("AAAAAAAAAAAAAAAAAAAAAA"));
  }
});

Deno.test("login.loginUser() says that the cookie may not have come along, as with SameSite=Strict", async () => {
  const cookieOptions = { sameSite: "Strict" } as const;
  const site = new Site({ session: { cookieOptions } });
  const browser = new Browser();
  const state = await depart(site, browser);
  browser.cookies.clear(); // None goes along from the other site.
  const message =
    "This login did not begin in this browser, or its cookie did not come along";
  await assertRefused(site, browser, state, message);
});

Deno.test("login.loginUser() takes a state for ten minutes", async () => {
  for (const [age, status] of [[599, 302], [600, 403], [86_400, 403]]) {
    const site = new Site();
    const browser = new Browser();
    const state = await depart(site, browser);
    site.advance(age);
    assertEquals((await comeBack(site, browser, state)).status, status);
  }
});

Deno.test("login.createState() keeps the last five of a visitor", async () => {
  const site = new Site();
  const browser = new Browser();
  const states: string[] = [];
  for (let tab = 0; tab < 6; tab++) states.push(await depart(site, browser));
  assertEquals(new Set(states).size, 6);
  await assertRefused(site, browser, states[0]);
  // Whichever tab comes back first, the others may follow.
  for (const state of states.slice(1).reverse()) {
    assertEquals((await comeBack(site, browser, state)).status, 302);
  }
  assertEquals((await site.claims(browser))._states, undefined);
});

Deno.test("login.createState() makes states at once, such as one for each provider", async () => {
  const site = new Site();
  const browser = new Browser();
  let states: string[] = [];
  await browser.get(site.session.wrap(async (request) => {
    const makeOne = () => site.login.createState(request);
    states = await Promise.all([makeOne(), makeOne(), makeOne()]);
    return new Response("Choose");
  }));
  for (const state of states) {
    assertEquals((await comeBack(site, browser, state)).status, 302);
  }
});

Deno.test("login.createState() forgets states whose time is over", async () => {
  const site = new Site();
  const browser = new Browser();
  await depart(site, browser);
  site.advance(600);
  await depart(site, browser);
  const { _states } = await site.claims(browser);
  assertEquals((_states as unknown[]).length, 1);
});

Deno.test("login by a state keeps an anonymous visitor's data, and drops another user's", async () => {
  for (const isKnown of [false, true]) {
    const site = new Site();
    const browser = isKnown ? await site.loggedIn(site.david) : new Browser();
    await site.edit(browser, (dict) => dict.cart = ["tea"]);
    const state = await depart(site, browser);
    const other = await depart(site, browser);
    await comeBack(site, browser, state);
    assertEquals(await site.data(browser), isKnown ? {} : { cart: ["tea"] });
    assertEquals(await site.ask(browser), site.susan);
    // Another tab of the same browser is still under way.
    assertEquals((await comeBack(site, browser, other)).status, 302);
  }
});

Deno.test("login by a state goes where the visitor wanted to go", async () => {
  const TARGETS: [next: unknown, path: string, target: string][] = [
    ["/orders?page=2", "/callback", "/orders?page=2"],
    [undefined, "/callback?next=%2Forders", "/orders"],
    ["https://evil.example/", "/callback", "/welcome"],
    [null, "/callback?next=%2F%2Fevil.example", "/welcome"],
  ];
  for (const [next, path, target] of TARGETS) {
    const site = new Site();
    const browser = new Browser();
    const state = await depart(site, browser);
    const options = { next, redirectUrl: "/welcome" };
    const response = await comeBack(site, browser, state, options, path);
    assertEquals(locationOf(response), [302, target]);
  }
});

Deno.test("login by a state is fresh and remembered as any other", async () => {
  const site = new Site();
  const browser = new Browser();
  const state = await depart(site, browser);
  const response = await comeBack(site, browser, state, { remember: 5 });
  assertEquals(cookiesOf(response), ["_remember", "session"]);
  const { _fresh } = await site.claims(browser);
  assertEquals(_fresh, true);
});

Deno.test("login by the form leaves a state good", async () => {
  const site = new Site();
  const browser = new Browser();
  const state = await depart(site, browser);
  await site.logIn(browser, site.susan);
  assertEquals((await comeBack(site, browser, state)).status, 302);
});

Deno.test("a logout ends the states of the session", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  const state = await depart(site, browser);
  await browser.post((request) => site.login.logoutUser(request));
  const response = await comeBack(site, browser, state);
  assertEquals(response.status, 403);
});

Deno.test("a session whose states are garbage has none", async () => {
  const site = new Site();
  const pairs = [[], ["a"], ["a", "b"], [1, NOW + 9], null, { 0: "a", 1: NOW }];
  const values = [null, 1, "x", {}, ...pairs.map((pair) => [pair])];
  for (const states of values) {
    const browser = new Browser();
    await site.give(browser, { _states: states, cart: ["tea"] });
    assertEquals((await comeBack(site, browser, "a")).status, 403);
    const state = await depart(site, browser);
    assertEquals((await comeBack(site, browser, state)).status, 302);
  }
});

Deno.test("login.createState() rejects with what the store fails with", async () => {
  const store = new WatchedStore();
  const site = new Site({ session: { backend: store.backend() } });
  store.watch = () => {
    throw new Error("The store is down");
  };
  const failure = await failureOf(
    site,
    new Browser(),
    (request) => site.login.createState(request),
  );
  assertEquals((failure as Error).message, "The store is down");
});

Deno.test("login.createState() rejects where nothing would send the session", async () => {
  const { login } = new Site();
  await assertRejects(
    () => login.createState(requestWith()),
    TypeError,
    "nothing would send it with this request",
  );
});
