/** A user who has just logged in, and whom the loader does not find. */

import { assert, assertEquals } from "@std/assert";
import type { RejectReason } from "../../session.ts";
import { captureErrors } from "../_helpers.ts";
import { Browser, cookiesOf, type Setting, Site } from "../_login.ts";
import { STAMPED } from "./_common.ts";

/** How an application gets its ids wrong. */
const MISTAKES: [what: string, id: string | number, found: unknown][] = [
  ["a string for a number", 1, "1"],
  ["a number for a string", "1", 1],
  ["a BigInt for a number", 1, 1n],
  ["another user", 1, 2],
  ["nobody", 1, undefined],
  ["a user without an id", 1, null],
];

/** Why a login does not hold that is no riddle. */
const CLEAR: [
  what: string,
  setting: Setting,
  prepare: (site: Site, browser: Browser) => unknown,
][] = [
  [
    "the user has another stamp",
    { login: STAMPED },
    ({ susan }) => susan.stamp = "s2",
  ],
  [
    "the user goes more than a minute later",
    {},
    (site) => {
      site.advance(61);
      site.users.clear();
    },
  ],
  [
    "another service has written the session",
    {},
    (site, browser) => site.give(browser, { _user_id: 9 }),
  ],
];

/** A site that keeps what its session tells. */
class ToldSite extends Site {
  readonly reasons: RejectReason[] = [];

  constructor({ session, ...setting }: Setting = {}) {
    super({
      ...setting,
      session: {
        onReject: (reason) => void this.reasons.push(reason),
        ...session,
      },
    });
  }
}

for (const [what, id, found] of MISTAKES) {
  Deno.test(`login says what is wrong when the loader finds ${what}, right after the login`, async () => {
    const site = new ToldSite();
    const user = { id, name: "planted", stamp: "planted" };
    site.login.userLoader(() =>
      found === undefined ? null : { ...user, id: found as number }
    );
    const browser = await site.loggedIn(user);
    using errors = captureErrors();
    const response = await browser.get(site.session.wrap(async (request) => {
      await site.login.getCurrentUser(request);
      const user = await site.login.getCurrentUser(request);
      return Response.json(user);
    }));
    assertEquals(await response.json(), null);
    assertEquals(cookiesOf(response), ["-_remember", "-session"]);
    assertEquals(site.reasons, ["user"]);
    assertEquals(errors.lines, [[
      `Cannot load user: the userLoader returned no user with the id it was asked for, a ${typeof id}, right after the login; does it know ids of another type?`,
    ]]);
  });
}

Deno.test("login says what is wrong up to a minute after the login", async () => {
  const site = new ToldSite();
  const browser = await site.loggedIn();
  site.users.clear();
  site.advance(60);
  using errors = captureErrors();
  assertEquals(await site.ask(browser), null);
  assertEquals(errors.lines.length, 1);
});

Deno.test("login says what is wrong under a guard, and without a wrapper", async () => {
  const site = new ToldSite();
  const browser = await site.loggedIn();
  site.users.clear();
  using errors = captureErrors();
  const request = browser.request("/");
  assertEquals(await site.login.getCurrentUser(request), null);
  const page = site.login.required(() => new Response("Secret"));
  assertEquals((await browser.get(page)).status, 302);
  assertEquals(errors.lines.length, 2);
  assertEquals(site.reasons, ["user", "user"]);
});

for (const [what, setting, prepare] of CLEAR) {
  Deno.test(`login tells onReject, and logs nothing, where ${what}`, async () => {
    const site = new ToldSite(setting);
    const browser = await site.loggedIn();
    await prepare(site, browser);
    using errors = captureErrors();
    assertEquals(await site.ask(browser), null);
    assertEquals(site.reasons, ["user"]);
    assertEquals(errors.lines, []);
  });
}

Deno.test("login tells and logs nothing of a user who is found, nor of a visitor", async () => {
  const site = new ToldSite({ login: STAMPED });
  using errors = captureErrors();
  assertEquals(await site.ask(await site.loggedIn()), site.susan);
  assertEquals(await site.ask(await site.remembered()), site.susan);
  assertEquals(await site.ask(new Browser()), null);
  assertEquals([site.reasons, errors.lines], [[], []]);
});

Deno.test("login logs no id", async () => {
  const site = new ToldSite();
  const user = { id: "planted@example.com", name: "planted", stamp: "s" };
  const browser = await site.loggedIn(user);
  using errors = captureErrors();
  assertEquals(await site.ask(browser), null);
  assert(!String(errors.lines).includes("planted"), String(errors.lines));
});
