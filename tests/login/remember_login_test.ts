import { assert, assertEquals } from "@std/assert";
import { attributesOf, lineOf } from "../_helpers.ts";
import {
  Browser,
  cookiesOf,
  DAY,
  type Setting,
  Site,
  type User,
} from "../_login.ts";
import { STAMPED } from "./_common.ts";

/**
 * A login that is followed by susan's in the same request, whether each one
 * asks to be remembered, and whether susan is remembered after both.
 */
const TWO_LOGINS: [
  first: "susan" | "david",
  remember: boolean,
  rememberNext: boolean,
  isRemembered: boolean,
][] = [
  ["david", true, false, false],
  ["susan", true, false, true],
  ["david", false, false, false],
  ["david", true, true, true],
  ["david", false, true, true],
];

const KEPT: [what: string, setting: Setting][] = [
  ["", {}],
  [" of the same stamp", { login: STAMPED }],
];

/** Who is known by the remember cookie alone. */
function knownLater(site: Site, browser: Browser): Promise<User | null> {
  browser.cookies.delete("session");
  return site.ask(browser);
}

Deno.test("login.loginUser() without remember removes another user's remember cookie", async () => {
  const site = new Site();
  const browser = await site.remembered(site.david);
  const response = await site.logIn(browser, site.susan);
  assertEquals(cookiesOf(response), ["-_remember", "session"]);
});

for (const [what, setting] of KEPT) {
  Deno.test(`login.loginUser() without remember keeps the same user's remember cookie${what}`, async () => {
    const site = new Site(setting);
    const browser = await site.remembered();
    const response = await site.logIn(browser, site.susan);
    assertEquals(cookiesOf(response), ["session"]);
    assertEquals(await knownLater(site, browser), site.susan);
  });
}

Deno.test("login.loginUser() without remember removes a remember cookie of an old stamp", async () => {
  const site = new Site({ login: STAMPED });
  const browser = await site.remembered();
  site.susan.stamp = "s2";
  const response = await site.logIn(browser, site.susan);
  assertEquals(cookiesOf(response), ["-_remember", "session"]);
});

Deno.test("login.loginUser() without remember removes another user's remember cookie that logged in before", async () => {
  const site = new Site();
  const browser = await site.remembered(site.david);
  const response = await browser.post(site.session.wrap(async (request) => {
    assertEquals(await site.login.getCurrentUser(request), site.david);
    return await site.login.loginUser(request, site.susan);
  }));
  assertEquals(cookiesOf(response), ["-_remember", "session"]);
});

for (const [remember, days] of [[5, 5], [true, 30]] as const) {
  Deno.test(`login.loginUser() with remember: ${remember} replaces any remember cookie`, async () => {
    for (const name of ["susan", "david"] as const) {
      const site = new Site();
      const browser = await site.remembered(site[name], 60);
      const response = await site.logIn(browser, site.susan, { remember });
      assertEquals(cookiesOf(response), ["_remember", "session"]);
      const age = `Max-Age=${days * DAY}`;
      assert(attributesOf(lineOf(response, "_remember")).includes(age));
      assertEquals(await knownLater(site, browser), site.susan);
    }
  });
}

for (const [first, remember, rememberNext, isRemembered] of TWO_LOGINS) {
  const what = `${first}, remember: ${remember}`;
  const outcome = isRemembered ? "remembers the user" : "remembers nobody";

  Deno.test(`login.loginUser() with remember: ${rememberNext} after ${what} in one request ${outcome}`, async () => {
    for (const before of [undefined, "susan", "david"] as const) {
      const site = new Site();
      const { login, session, susan } = site;
      const browser = before === undefined
        ? new Browser()
        : await site.remembered(site[before]);
      await browser.post(session.wrap(async (request) => {
        await login.loginUser(request, site[first], { remember });
        return login.loginUser(request, susan, { remember: rememberNext });
      }));
      assertEquals(await site.ask(browser), susan);
      const known = await knownLater(site, browser);
      assertEquals(known, isRemembered ? susan : null, `${before} before`);
    }
  });
}
