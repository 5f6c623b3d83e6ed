/** What a loader finds is a user only where it is the one that was asked for. */

import { assertEquals } from "@std/assert";
import { captureErrors, MemoryBackend } from "../_helpers.ts";
import {
  type Browser,
  cookiesOf,
  locationOf,
  Site,
  type User,
} from "../_login.ts";
import { secret } from "./_common.ts";

const tom = { name: "tom", stamp: "s1" };

/** What loaders find where they are asked for the user 1, who is not there. */
const NOBODY: unknown[] = [
  undefined,
  null,
  false,
  true,
  0,
  1,
  "",
  "1",
  [],
  [1],
  {},
  () => 1,
  Symbol("1"),
  1n,
  tom,
  ...[2, 0, -1, "1", "", null, undefined, true, NaN, [1], { id: 1 }, 1n]
    .map((id) => ({ ...tom, id })),
];

/** Ids, and others that a database might take for the same. */
const LIKE: [id: User["id"], other: unknown][] = [
  ["1", 1],
  ["", 0],
  ["", null],
  ["0", 0],
  ["null", null],
  ["susan", "Susan"],
  ["susan", "susan "],
  ["susan", ["susan"]],
  ["caf\u00E9", "cafe\u0301"],
  ["susan", new String("susan")],
  [1, new Number(1)],
];

/** Ways in which a loader answers. */
const ANSWERS: [how: string, answer: (found: unknown) => unknown][] = [
  ["returns", (found) => found],
  ["resolves to", (found) => Promise.resolve(found)],
];

const loaderOf = (found: unknown) => () => found as User;

/** Sees that a browser's cookies log nobody in, at any door. */
async function assertNobody(
  site: Site,
  browser: Browser,
  gone: string[],
): Promise<void> {
  using _log = captureErrors(); // It tells of a login that is just made.
  const { login, session } = site;
  const doors = [
    login.required(secret),
    login.fresh(secret),
    session.wrap(async (request) => {
      await login.requireUser(request);
      return secret();
    }),
  ];
  for (const door of doors) {
    const response = await door(browser.request("/"));
    assertEquals(locationOf(response), [302, "/login?next=%2F"]);
    assertEquals(cookiesOf(response), gone);
  }
  const { user, response } = await site.recall(browser);
  assertEquals([user, cookiesOf(response)], [null, gone]);
}

for (const found of NOBODY) {
  for (const [how, answer] of ANSWERS) {
    Deno.test(`login knows nobody where the loader ${how} ${Deno.inspect(found)}`, async () => {
      const site = new Site();
      const load = loaderOf(answer(found));
      const browser = await site.loggedIn();
      const remembered = await site.remembered();
      site.login.userLoader(load);
      await assertNobody(site, browser, ["-_remember", "-session"]);
      await assertNobody(site, remembered, ["-_remember"]);
    });
  }
}

for (const [id, other] of LIKE) {
  const [asked, found] = [id, other].map((id) => Deno.inspect(id));

  Deno.test(`login does not take the user ${found} for the user ${asked}`, async () => {
    const site = new Site();
    const browser = await site.loggedIn({ ...site.susan, id });
    site.login.userLoader(loaderOf({ ...tom, id: other }));
    await assertNobody(site, browser, ["-_remember", "-session"]);
  });
}

Deno.test("login ends a session whose user the loader does not find, and its data", async () => {
  using _log = captureErrors();
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend } });
  const { login, session } = site;
  const browser = await site.loggedIn(site.susan, { remember: true });
  await site.edit(browser, (dict) => dict.cart = ["tea"]);
  login.userLoader(() => null);
  await browser.get(session.wrap(async (request) => {
    assertEquals(await login.getCurrentUser(request), null);
    assertEquals({ ...await session.get(request) }, {});
    return new Response("Hello");
  }));
  assertEquals(browser.cookies.size, 0);
  assertEquals(backend.records.size, 0);
});
