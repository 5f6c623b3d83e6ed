import { assert, assertEquals } from "@std/assert";
import {
  attributesOf,
  cookieSetBy,
  lineOf,
  NOW,
  payloadOf,
  requestWith,
} from "../_helpers.ts";
import {
  assertForgotten,
  Browser,
  cookiesOf,
  DAY,
  type Setting,
  Site,
} from "../_login.ts";
import { assertRefused } from "./_common.ts";

const DAYS: [remember: true | number, rememberDays: number, days: number][] = [
  [true, 30, 30],
  [true, 7, 7],
  [true, 1, 1],
  [5, 30, 5],
  [1, 30, 1],
  [60, 30, 60],
  [400, 30, 400],
];

const BAD_DAYS: [days: unknown, mend: string][] = [
  ...[-1, 1.5, 0, -0, 401, 1e9, NaN, Infinity, -Infinity].map(
    (days): [number, string] => [days, "a whole number of days from 1 to 400"],
  ),
  ["5", "a boolean or a number"],
  [null, "a boolean or a number"],
  [{}, "a boolean or a number"],
];

const SECURE: [name: string, url: string, setting: Setting, secure: boolean][] =
  [
    ["http", "http://localhost/", {}, false],
    ["https", "https://localhost/", {}, true],
    ["http with secure: true", "http://localhost/", {
      session: { cookieOptions: { secure: true } },
    }, true],
    ["https with secure: false", "https://localhost/", {
      session: { cookieOptions: { secure: false } },
    }, false],
    ["a __Host- name", "http://localhost/", {
      login: { rememberCookieName: "__Host-_remember" },
    }, true],
  ];

/** How many days a renewal comes late, for a cookie of five days. */
const VISITS = [4.9, 1, 4.9, 4.9, 0.1, 3, 4.9, 2, 4.9, 4.9, 4.9];

for (const [remember, rememberDays, days] of DAYS) {
  const what = `remember: ${remember}, rememberDays: ${rememberDays}`;

  Deno.test(`login.loginUser() sets a cookie of ${days} days for ${what}`, async () => {
    const site = new Site({ login: { rememberDays } });
    const options = { remember };
    const response = await site.logIn(new Browser(), site.susan, options);
    assertEquals(cookiesOf(response), ["_remember", "session"]);
    const age = `Max-Age=${days * DAY}`;
    assert(attributesOf(lineOf(response, "_remember")).includes(age));
  });

  Deno.test(`login remembers no longer than ${days} days for ${what}`, async () => {
    const site = new Site({ login: { rememberDays } });
    const browsers = [
      await site.remembered(site.susan, remember),
      await site.remembered(site.susan, remember),
    ];
    site.advance(days * DAY - 1);
    assertEquals(await site.ask(browsers[0]), site.susan);
    site.advance(1);
    assertEquals(await site.ask(browsers[1]), null);
  });
}

Deno.test("login.loginUser() remembers for 30 days by default", async () => {
  const site = new Site();
  const options = { remember: true };
  const response = await site.logIn(new Browser(), site.susan, options);
  assertEquals(attributesOf(lineOf(response, "_remember")), [
    "HttpOnly",
    `Max-Age=${30 * DAY}`,
    "Path=/",
    "SameSite=Lax",
  ]);
});

for (const remember of [false, undefined]) {
  Deno.test(`login.loginUser() sets no remember cookie for remember: ${remember}`, async () => {
    const site = new Site();
    const options = { remember };
    const response = await site.logIn(new Browser(), site.susan, options);
    assertEquals(cookiesOf(response), ["session"]);
  });
}

for (const [days, mend] of BAD_DAYS) {
  Deno.test(`login.loginUser() rejects remember: ${Deno.inspect(days)}, and changes nothing`, () =>
    assertRefused(
      new Site().susan,
      { remember: days as number },
      typeof days === "number" ? RangeError : TypeError,
      `Cannot use remember: it must be ${mend}`,
    ));
}

for (const [name, url, setting, secure] of SECURE) {
  Deno.test(`the remember cookie is ${secure ? "" : "not "}Secure over ${name}`, async () => {
    const { login, susan } = new Site(setting);
    const cookieName = setting.login?.rememberCookieName ?? "_remember";
    const options = { remember: true };
    const set = await login.loginUser(requestWith("", url), susan, options);
    const value = cookieSetBy(set, cookieName);
    const request = requestWith(`${cookieName}=${value}`, url);
    const removed = await login.logoutUser(request);
    for (const response of [set, removed]) {
      const line = lineOf(response, cookieName);
      assert(line !== undefined);
      assertEquals(attributesOf(line).includes("Secure"), secure);
    }
  });
}

Deno.test("rememberCookieName names the cookie", async () => {
  const site = new Site({ login: { rememberCookieName: "stay" } });
  const browser = new Browser();
  const options = { remember: true };
  const response = await site.logIn(browser, site.susan, options);
  assertEquals(cookiesOf(response), ["session", "stay"]);
  browser.cookies.delete("session");
  assertEquals(await site.ask(browser), site.susan);
  const out = await browser.post((request) => site.login.logoutUser(request));
  assertEquals(cookiesOf(out), ["-session", "-stay"]);
});

Deno.test("remember: 5 stays five days through many renewals", async () => {
  const site = new Site();
  const browser = await site.remembered(site.susan, 5);
  for (const days of VISITS) {
    site.advance(days * DAY);
    const { user, response } = await site.recall(browser);
    assertEquals(user, site.susan);
    const line = lineOf(response, "_remember");
    assert(attributesOf(line).includes(`Max-Age=${5 * DAY}`), line);
    browser.cookies.delete("session");
  }
  site.advance(5 * DAY - 1);
  assertEquals(await site.ask(browser), site.susan);
  browser.cookies.delete("session");
  site.advance(5 * DAY);
  assertEquals(await site.ask(browser), null);
});

Deno.test("remember: 5 stays five days when rememberDays differs, or changes", async () => {
  const site = new Site({ login: { rememberDays: 90 } });
  const browser = await site.remembered(site.susan, 5);
  const later = new Site({ login: { rememberDays: 60 } });
  const { response } = await later.recall(browser);
  const attributes = attributesOf(lineOf(response, "_remember"));
  assert(attributes.includes(`Max-Age=${5 * DAY}`));
});

for (const days of [1, 30, 399, 400]) {
  Deno.test(`remember: ${days} ends 400 days after the password, however often it is renewed`, async () => {
    const site = new Site();
    const browser = await site.remembered(site.susan, days);
    const step = Math.min(days, 7) * DAY - 60;
    let passed = 0;
    for (; passed + step < 400 * DAY; passed += step) {
      site.advance(step);
      const { user, response } = await site.recall(browser);
      assertEquals(user, site.susan);
      const left = Math.min(days * DAY, 400 * DAY - passed - step);
      const line = lineOf(response, "_remember");
      assert(attributesOf(line).includes(`Max-Age=${left}`), line);
      browser.cookies.delete("session");
    }
    site.advance(400 * DAY - passed - 1);
    const stolen = new Browser();
    stolen.cookies.set("_remember", browser.cookies.get("_remember") ?? "");
    assertEquals(await site.ask(browser), site.susan);
    site.advance(1);
    await assertForgotten(site, stolen);
    // The session that the cookie has begun lives a life of its own.
    assertEquals(await site.ask(browser), site.susan);
  });
}

Deno.test("a password that is given again counts from then on", async () => {
  const site = new Site();
  const browser = await site.remembered(site.susan, 400);
  site.advance(300 * DAY);
  await site.logIn(browser, site.susan, { remember: 400 });
  browser.cookies.delete("session");
  site.advance(400 * DAY - 1);
  assertEquals(await site.ask(browser), site.susan);
});

Deno.test("a remember cookie from before a renewal ends at its own time", async () => {
  const site = new Site();
  const browser = await site.remembered(site.susan, 5);
  const copied = new Browser();
  copied.cookies.set("_remember", browser.cookies.get("_remember") ?? "");
  site.advance(4 * DAY);
  assertEquals(await site.ask(browser), site.susan);
  site.advance(DAY);
  assertEquals(await site.ask(copied), null);
});

Deno.test("a remember cookie that has ended is removed", async () => {
  const site = new Site();
  const browser = await site.remembered(site.susan, 5);
  site.advance(5 * DAY);
  await assertForgotten(site, browser);
});

Deno.test("the remember token ends when its cookie does", async () => {
  const site = new Site();
  site.advance(0.9);
  const browser = await site.remembered(site.susan, 5);
  const { exp } = payloadOf(browser.cookies.get("_remember"));
  assertEquals(exp, NOW + 5 * DAY);
});
