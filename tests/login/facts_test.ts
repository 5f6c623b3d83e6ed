/** What a session says of a login is no data: nobody sees it there or sets it. */

import { assertEquals, assertRejects } from "@std/assert";
import type { SessionDict } from "../../mod.ts";
import { NOW } from "../_helpers.ts";
import { Browser, cookiesOf, locationOf, Site } from "../_login.ts";
import { secret, STAMPED } from "./_common.ts";

const FACTS: Record<string, unknown> = {
  _user_id: 2,
  _fresh: true,
  _auth_time: NOW,
  _stamp: "d1",
  _saved: NOW,
  _cookie: "session",
  _series: "0".repeat(64),
  _states: { state: NOW + 600 },
};

/** Ways for a name into a dictionary, beside the plain one. */
const WAYS: [
  how: string,
  set: (dict: SessionDict, property: Record<string, unknown>) => unknown,
][] = [
  ["copied", (dict, property) => Object.assign(dict, { a: 1, ...property })],
  [
    "defined",
    (dict, property) =>
      Object.defineProperties(
        dict,
        Object.getOwnPropertyDescriptors(property),
      ),
  ],
];

for (const [name, value] of Object.entries(FACTS)) {
  Deno.test(`the session of a user does not show ${name}`, async () => {
    const site = new Site({ login: STAMPED });
    const browser = await site.loggedIn();
    await site.edit(browser, (dict) => dict.cart = ["tea"]);
    const foreign = new Browser();
    await site.give(foreign, { ...FACTS, exp: NOW + 60, cart: ["tea"] });
    for (const one of [browser, foreign]) {
      const dict = await site.session.get(one.request("/"));
      assertEquals([dict[name], name in dict], [undefined, false]);
      assertEquals({ ...dict } as unknown, { cart: ["tea"] });
      assertEquals(JSON.stringify(dict), '{"cart":["tea"]}');
    }
  });

  for (const [how, set] of WAYS) {
    Deno.test(`dict.save() rejects ${name} that was ${how}`, async () => {
      const site = new Site();
      const saving = site.edit(new Browser(), (dict) => {
        set(dict, { [name]: value });
      });
      await assertRejects(() => saving, TypeError, `"${name}" is a claim`);
    });
  }

  Deno.test(`autoSave rejects ${name}`, async () => {
    const site = new Site({ session: { autoSave: true } });
    const browser = await site.loggedIn();
    const handler = site.session.wrap(async (request) => {
      (await site.session.get(request))[name] = value;
      return new Response("Hello");
    });
    await assertRejects(() => browser.get(handler), TypeError, `"${name}"`);
    assertEquals(await site.ask(browser), site.susan);
  });
}

Deno.test("facts in the dictionary log nobody in, whether they are saved or not", async () => {
  const site = new Site({ login: STAMPED });
  const page = site.login.fresh(secret);
  for (const browser of [new Browser(), await site.loggedIn()]) {
    const user = await site.ask(browser);
    const response = await browser.get(site.session.wrap(async (request) => {
      const dict = await site.session.get(request);
      Object.assign(dict, FACTS);
      await assertRejects(async () => await dict.save(), TypeError, "claim");
      assertEquals(await site.login.getCurrentUser(request), user);
      const { status } = await page(request);
      assertEquals(status, user === null ? 302 : 200);
      for (const name in FACTS) delete dict[name];
      await dict.save();
      return new Response("Hello");
    }));
    assertEquals(cookiesOf(response), ["session"]);
    assertEquals(await site.ask(browser), user);
  }
});

Deno.test("facts that are deleted from the dictionary are there as before", async () => {
  const site = new Site({ login: STAMPED });
  const browser = await site.loggedIn();
  const before = await site.claims(browser);
  await site.edit(browser, (dict) => {
    for (const name in FACTS) delete dict[name];
  });
  assertEquals(await site.claims(browser), before);
});

Deno.test("login.loginUser() rejects facts in the dictionary, and logs nobody in", async () => {
  const site = new Site();
  const browser = new Browser();
  const handler = site.session.wrap(async (request) => {
    const dict = await site.session.get(request);
    dict._fresh = false;
    await assertRejects(
      () => site.login.loginUser(request, site.susan),
      TypeError,
      '"_fresh" is a claim',
    );
    assertEquals(await site.login.getCurrentUser(request), null);
    delete dict._fresh;
    await dict.save();
    return new Response("Try again");
  });
  await browser.post(handler);
  assertEquals(await site.ask(browser), null);
  const response = await browser.get(site.login.required(secret));
  assertEquals(locationOf(response), [302, "/login?next=%2F"]);
});
