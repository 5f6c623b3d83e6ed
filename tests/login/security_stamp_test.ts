import { assertEquals, assertRejects } from "@std/assert";
import { Browser, Site } from "../_login.ts";
import { STAMPED } from "./_common.ts";

const NO_STAMPS: [what: string, stamp: unknown, kind: string][] = [
  ["undefined", undefined, "undefined"],
  ["null", null, "null"],
  ["a number", 1, "number"],
  ["a promise", Promise.resolve("s1"), "object"],
];

Deno.test("securityStamp is kept in the session, where it is readable", async () => {
  const site = new Site({ login: STAMPED });
  const { _user_id, _stamp } = await site.claims(await site.loggedIn());
  assertEquals([_user_id, _stamp], [1, "s1"]);
});

Deno.test("securityStamp lets a login be while it stays the same", async () => {
  const site = new Site({ login: STAMPED });
  const browser = await site.loggedIn(site.susan, { remember: true });
  assertEquals(await site.ask(browser), site.susan);
  browser.cookies.delete("session");
  assertEquals(await site.ask(browser), site.susan);
});

for (const way of ["the session", "the remember cookie"]) {
  Deno.test(`securityStamp ends a login by ${way} when it changes`, async () => {
    const site = new Site({ login: STAMPED });
    const browser = await site.loggedIn(site.susan, { remember: true });
    if (way !== "the session") browser.cookies.delete("session");
    site.susan.stamp = "s2";
    assertEquals(await site.ask(browser), null);
    assertEquals(browser.cookies.size, 0);
    assertEquals(await site.ask(browser), null);
  });
}

Deno.test("securityStamp ends the logins of one user everywhere, and of no other", async () => {
  const site = new Site({ login: STAMPED });
  const browsers = [
    await site.loggedIn(),
    await site.loggedIn(site.susan, { remember: true }),
  ];
  const other = await site.loggedIn(site.david, { remember: true });
  site.susan.stamp = "s2";
  for (const browser of browsers) {
    assertEquals(await site.ask(browser), null);
  }
  assertEquals(await site.ask(other), site.david);
});

Deno.test("securityStamp ends logins from before there was one", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const later = new Site({ login: STAMPED });
  assertEquals(await later.ask(browser), null);
  assertEquals(browser.cookies.size, 0);
});

Deno.test("securityStamp can be dropped: the next login is without it", async () => {
  const site = new Site({ login: STAMPED });
  const browser = await site.loggedIn();
  const later = new Site();
  await later.logIn(browser, later.susan);
  assertEquals(await later.ask(browser), later.susan);
});

Deno.test("securityStamp ends a login whose session has lost it", async () => {
  const site = new Site({ login: STAMPED });
  const browser = await site.loggedIn();
  const claims = await site.claims(browser);
  await site.give(browser, { ...claims, _stamp: undefined });
  assertEquals(await site.ask(browser), null);
});

for (const remember of [false, true]) {
  const how = remember ? "with remember" : "without remember";

  Deno.test(`login.loginUser() ${how} keeps this login when securityStamp changes`, async () => {
    const site = new Site({ login: STAMPED });
    const { login, susan } = site;
    const [here, elsewhere] = [await site.loggedIn(), await site.loggedIn()];
    await site.edit(here, (dict) => dict.cart = ["tea"]);
    const changePassword = login.fresh(async (request, user) => {
      user.stamp = "s2";
      await login.loginUser(request, user, { remember });
      return new Response("Changed");
    });
    const response = await here.post(changePassword);
    assertEquals(response.status, 200);
    assertEquals(await site.ask(here), susan);
    assertEquals((await site.data(here)).cart, ["tea"]);
    assertEquals(await site.ask(elsewhere), null);
    here.cookies.delete("session");
    assertEquals(await site.ask(here), remember ? susan : null);
  });
}

for (const [what, stamp, kind] of NO_STAMPS) {
  Deno.test(`login rejects a securityStamp that returns ${what}`, async () => {
    const securityStamp = () => stamp as string;
    const site = new Site({ login: { securityStamp } });
    const expected = `Cannot use securityStamp: it returned ${kind}`;
    await assertRejects(
      () => site.logIn(new Browser(), site.susan),
      TypeError,
      expected,
    );
    const browser = await new Site().loggedIn();
    await assertRejects(() => site.ask(browser), TypeError, expected);
  });
}

Deno.test("login.loginUser() saves nothing when securityStamp returns no string", async () => {
  const securityStamp = () => undefined as unknown as string;
  const site = new Site({
    session: { autoSave: true },
    login: { securityStamp },
  });
  const browser = new Browser();
  const handler = site.session.wrap(async (request) => {
    await assertRejects(() => site.login.loginUser(request, site.susan));
    return new Response("Try again", { status: 500 });
  });
  await assertRejects(() => browser.post(handler), TypeError, "securityStamp");
});
