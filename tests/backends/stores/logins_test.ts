/** What logins leave in a store, and what they don't. */

import { assert, assertEquals } from "@std/assert";
import { Site } from "../../_login.ts";
import { testStores } from "../_stores.ts";

testStores(
  "login.getCurrentUser() without a wrapper writes nothing",
  async (store) => {
    const site = new Site({ session: { backend: store.backend() } });
    const browser = await site.remembered();
    const before = await store.entries();
    const asked: string[] = [];
    store.hook = ({ when, what }) => when === "before" && asked.push(what);
    const request = browser.request("/");
    assertEquals(await site.login.getCurrentUser(request), site.susan);
    store.hook = undefined;
    assertEquals(
      new Set(asked.map((what) => what.toLowerCase())),
      new Set(["get"]),
    );
    assertEquals(await store.entries(), before);
  },
);

testStores(
  "a login leaves one session of the user, and a logout none",
  async (store) => {
    const backend = store.backend();
    const site = new Site({ session: { backend } });
    const browser = await site.loggedIn(site.susan);
    await site.logIn(browser, site.susan);
    await site.logIn(browser, site.david);
    assertEquals(await backend.userSessions(site.susan.id), []);
    const [{ payload }] = await backend.userSessions(site.david.id);
    assertEquals(payload._user_id, site.david.id);
    await browser.post((request) => site.login.logoutUser(request));
    assertEquals(await backend.userSessions(site.david.id), []);
  },
);

testStores(
  "backend.removeUser() logs out everywhere, remembered or not",
  async (store) => {
    const backend = store.backend();
    const site = new Site({ session: { backend } });
    const phone = await site.loggedIn(site.susan, { remember: true });
    const laptop = await site.remembered();
    assert(await site.ask(phone));
    await backend.removeUser(site.susan.id);
    assertEquals(await site.ask(phone), null);
    assertEquals(await site.ask(laptop), null);
  },
);
