/** A store that fails: its error is passed on, and no session suffers. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { StoreBackend } from "../../../backends/store.ts";
import { captureErrors, cookieSetBy, NOW, SAVED } from "../../_helpers.ts";
import {
  dataOf,
  DAY,
  newSession,
  valueWith,
  visit,
} from "../../session/_visits.ts";
import { STORES, testStores, withStore } from "../_stores.ts";

const HOUR = 3600;
const CLAIMS = { _started: NOW, [SAVED]: NOW, exp: NOW + HOUR };

/** Whatever a backend does, by its name. */
const CALLS: Record<
  string,
  (backend: StoreBackend, id: string) => Promise<unknown>
> = {
  "load()": async (backend, id) => await backend.load(id),
  "save() of a new session": (backend) => backend.save({ n: 2 }),
  "save() of a user's new session": (backend) => backend.save({ _user_id: 7 }),
  "save()": (backend, id) => backend.save({ n: 2 }, id),
  "save() of a user's session": (backend, id) =>
    backend.save({ _user_id: 7, n: 2 }, id),
  "renew()": (backend, id) =>
    backend.renew(id, { ...CLAIMS, exp: NOW + 2 * HOUR }),
  "remove()": (backend, id) => backend.remove(id),
  "explain()": async (backend, id) => await backend.explain(id),
  "userSessions()": (backend) => backend.userSessions(7),
  "removeUserSession()": async (backend, id) =>
    backend.removeUserSession(7, await backend.keyOf(id)),
  "removeUser()": (backend) => backend.removeUser(7),
};

for (const [name, call] of Object.entries(CALLS)) {
  for (const store of STORES.keys()) {
    Deno.test(`${store}: ${name} passes on what the store throws, at whatever moment`, async () => {
      let pause = 1;
      while (await failAt(store, call, pause)) pause++;
      assert(pause > 2, "there were pauses");
    });
  }
}

/** Lets a call fail at a pause; tells whether there was one. */
async function failAt(
  name: string,
  call: (backend: StoreBackend, id: string) => Promise<unknown>,
  pause: number,
): Promise<boolean> {
  const failure = new Error("The store is on fire");
  let hasFailed = false;
  await withStore(name, async (store) => {
    const backend = store.backend();
    const id = await backend.save({ _user_id: 7, n: 1, ...CLAIMS });
    store.hookAt(pause, () => {
      hasFailed = true;
      throw failure;
    });
    const [result] = await Promise.allSettled([call(backend, id)]);
    store.hook = undefined;
    assert((result.status === "rejected") === hasFailed);
    if (result.status === "rejected") assertEquals(result.reason, failure);
    // It works again, and what is there is whole.
    const payload = await backend.load(id);
    assert(payload === null || [1, 2, undefined].includes(payload.n as number));
    await backend.removeUser(7);
    if (payload?._user_id === 7) assertEquals(await backend.load(id), null);
    assertEquals(await backend.userSessions(7), []);
  });
  return hasFailed;
}

testStores(
  "Session fails with the store's error, and keeps the session",
  async (store) => {
    const session = newSession({ backend: store.backend() });
    const value = await valueWith(session, { n: 1 });
    const failure = new Error("The store is on fire");
    for (const pause of [1, 3]) {
      store.hookAt(pause, () => {
        throw failure;
      });
      const visiting = visit(session, (dict) => {
        dict.n = 2;
        dict.save();
      }, { value });
      assertEquals(await assertRejects(() => visiting), failure);
      store.hook = undefined;
      assertEquals(await dataOf(session, value), { n: 1 });
    }
  },
);

testStores(
  "a renewal that fails is logged, and the page is served",
  async (store) => {
    let { now } = store;
    const backend = store.backend();
    const session = newSession({ backend, clock: () => now * 1000 });
    const value = await valueWith(session, { n: 1 });
    now += 8 * DAY;
    using errors = captureErrors();
    const failure = new Error("READONLY");
    store.hookAt(3, () => {
      throw failure;
    });
    const response = await visit(session, (dict) => assertEquals(dict.n, 1), {
      value,
    });
    store.hook = undefined;
    assertEquals(response.status, 200);
    assertEquals(cookieSetBy(response), undefined);
    assertEquals(errors.lines.map(([error]) => (error as Error).cause), [
      failure,
    ]);
    assertEquals(cookieSetBy(await visit(session, () => {}, { value })), value);
  },
);
