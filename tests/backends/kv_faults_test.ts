/** A store that fails: its error is passed on, and no session suffers. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type KvBackend, kvBackend } from "../../backends/kv.ts";
import { NOW, SAVED } from "../_helpers.ts";
import { dataOf, newSession, valueWith, visit } from "../session/_visits.ts";
import { brokenStore, TestKv } from "./_kv.ts";

const HOUR = 3600;
const CLAIMS = { _started: NOW, [SAVED]: NOW, exp: NOW + HOUR };
/** A good id, and a good key of a list, of no session. */
const UNKNOWN = "A".repeat(43);
const HASH = "0".repeat(64);

/** Whatever a backend does, by its name. */
const CALLS: Record<
  string,
  (backend: KvBackend, id: string) => Promise<unknown>
> = {
  "load()": async (backend, id) => await backend.load(id),
  "save() of a new session": (backend) => backend.save({ n: 2 }),
  "save() of a user's new session": (backend) => backend.save({ _user_id: 7 }),
  "save()": (backend, id) => backend.save({ n: 2 }, id),
  "save() of a user's session": (backend, id) =>
    backend.save({ _user_id: 8 }, id),
  "renew()": (backend, id) =>
    backend.renew(id, { ...CLAIMS, exp: NOW + 2 * HOUR }),
  "remove()": (backend, id) => backend.remove(id),
  "userSessions()": (backend) => backend.userSessions(7),
  "removeUserSession()": (backend) => backend.removeUserSession(7, HASH),
  "removeUser()": (backend) => backend.removeUser(7),
};

/** What it is that changes nothing where it fails before it is done. */
const WHOLE = Object.keys(CALLS).filter((name) => name !== "removeUser()");

for (const [name, call] of Object.entries(CALLS)) {
  Deno.test(`kvBackend.${name} passes on what its store throws, at whatever moment`, async () => {
    const thrown = new TypeError("The store is on fire");
    const broken = kvBackend(brokenStore(thrown));
    const calling = () => call(broken, UNKNOWN);
    assertEquals(await assertRejects(calling), thrown);

    const failure = new Error("The disk is full");
    for (let pause = 1;; pause++) {
      using store = await TestKv.open();
      const backend = store.backend();
      const id = await backend.save({ _user_id: 7, ...CLAIMS });
      const before = await store.entries();
      let failed: string | undefined;
      store.hookAt(pause, ({ when }) => {
        failed = when;
        throw failure;
      });
      const [result] = await Promise.allSettled([call(backend, id)]);
      if (failed === undefined) {
        assertEquals(result.status, "fulfilled");
        assert(pause > 2);
        return;
      }
      assert(result.status === "rejected");
      assertEquals(result.reason, failure);
      if (failed === "before" && WHOLE.includes(name)) {
        assertEquals(await store.entries(), before);
      }
    }
  });
}

Deno.test("kvBackend passes on that the database is closed", async () => {
  const kv = await Deno.openKv(":memory:");
  const backend = kvBackend(kv);
  const id = await backend.save({ n: 1 });
  kv.close();
  for (const call of Object.values(CALLS)) {
    await assertRejects(() => call(backend, id), Deno.errors.BadResource);
  }
});

Deno.test("Session fails with the store's error, and keeps the session", async () => {
  using store = await TestKv.open();
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
    assertEquals(await dataOf(session, value), { n: 1 });
  }
});
