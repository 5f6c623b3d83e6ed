import { assert, assertEquals } from "@std/assert";
import { kvBackend } from "../../backends/kv.ts";
import { NOW } from "../_helpers.ts";
import { brokenStore, TestKv } from "./_kv.ts";

/** Users that are each other's likeness, and users all the same. */
const USER_IDS = [0, 1, "", "0", "1", -1, 1.5, "susan", "Susan", "users", "\0"];

const NO_USER_IDS = [undefined, null, true, {}, [7], { id: 7 }];

Deno.test("kvBackend.userSessions() tells each user from all others", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  for (const id of USER_IDS) await backend.save({ _user_id: id });
  for (const id of USER_IDS) {
    const sessions = await backend.userSessions(id);
    assertEquals(sessions.map(({ payload }) => payload), [{ _user_id: id }]);
  }
});

Deno.test("kvBackend.removeUser() ends the sessions of one user and no others", async () => {
  for (const id of USER_IDS) {
    using store = await TestKv.open();
    const backend = store.backend();
    const anonymous = await backend.save({ n: 1 });
    const values = new Map<string, string | number>();
    for (const other of [id, ...USER_IDS]) {
      values.set(await backend.save({ _user_id: other }), other);
    }
    await backend.removeUser(id);
    for (const [value, other] of values) {
      const left = other === id ? null : { _user_id: other };
      assertEquals(await backend.load(value), left, Deno.inspect(id));
      if (left === null) continue;
      assertEquals((await backend.userSessions(other)).length, 1);
    }
    assertEquals(await backend.load(anonymous), { n: 1 });
    assertEquals(await backend.userSessions(id), []);
  }
});

for (const id of NO_USER_IDS) {
  Deno.test(`kvBackend.save() takes ${Deno.inspect(id)} for no user`, async () => {
    using store = await TestKv.open();
    const backend = store.backend();
    await backend.save({ n: 1 });
    const { length } = await store.entries();
    await backend.save({ _user_id: id });
    assertEquals((await store.entries()).length, length * 2);
  });
}

Deno.test("kvBackend.save() moves a session to the user who logs in", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ n: 1 });
  const anonymous = (await store.entries()).length;
  await backend.save({ n: 1, _user_id: 7 }, id);
  assertEquals((await backend.userSessions(7)).length, 1);
  await backend.save({ n: 1, _user_id: "7" }, id);
  assertEquals(await backend.userSessions(7), []);
  assertEquals((await backend.userSessions("7")).length, 1);
  await backend.save({ n: 1 }, id);
  assertEquals(await backend.userSessions("7"), []);
  assertEquals((await store.entries()).length, anonymous);
});

Deno.test("kvBackend.userSessions() lists the data, and keys that are no cookies", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const ids = [
    await backend.save({ _user_id: 7, device: "phone" }),
    await backend.save({ _user_id: 7, device: "laptop" }),
  ];
  const sessions = await backend.userSessions(7);
  const devices = sessions.map(({ payload }) => payload.device).sort();
  assertEquals(devices, ["laptop", "phone"]);
  for (const { key } of sessions) {
    assert(!ids.includes(key));
    assertEquals(await backend.load(key), null);
  }
});

Deno.test("kvBackend.userSessions() leaves out what has expired", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  await backend.save({ _user_id: 7, exp: NOW });
  await backend.save({ _user_id: 7, exp: NOW + 1 });
  const sessions = await backend.userSessions(7);
  assertEquals(sessions.map(({ payload }) => payload.exp), [NOW + 1]);
});

Deno.test("kvBackend.removeUserSession() ends one session", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const ids = [
    await backend.save({ _user_id: 7, n: 0 }),
    await backend.save({ _user_id: 7, n: 1 }),
  ];
  const [{ key, payload }, other] = await backend.userSessions(7);
  await backend.removeUserSession(7, key);
  assertEquals(await backend.load(ids[Number(payload.n)]), null);
  assert(await backend.load(ids[1 - Number(payload.n)]));
  assertEquals(await backend.userSessions(7), [other]);
});

Deno.test("kvBackend.removeUserSession() ends no session of another user", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ _user_id: 7 });
  const [{ key }] = await backend.userSessions(7);
  await backend.removeUserSession("7", key);
  await backend.removeUserSession(8, key);
  assertEquals(await backend.load(id), { _user_id: 7 });
  assertEquals((await backend.userSessions(7)).length, 1);
});

Deno.test("kvBackend.removeUserSession() takes anything for a key", async () => {
  const backend = kvBackend(brokenStore());
  for (const key of ["", "x", "F".repeat(64), "0".repeat(9999)]) {
    await backend.removeUserSession(7, key);
  }
  using store = await TestKv.open();
  await store.backend().removeUserSession(7, "0".repeat(64));
  assertEquals(await store.entries(), []);
});

Deno.test("kvBackend.removeUser() ends more sessions than a list gives at once", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  for (let n = 0; n < 250; n++) await backend.save({ n, _user_id: 7 });
  await backend.removeUser(7);
  assertEquals(await backend.userSessions(7), []);
  assertEquals(await store.lastingEntries(), []);
});

Deno.test("kvBackend.removeUser() lets the user log in again", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  await backend.removeUser(7);
  const id = await backend.save({ _user_id: 7 });
  assertEquals(await backend.load(id), { _user_id: 7 });
  await backend.save({ _user_id: 7, n: 1 }, id);
  assertEquals(await backend.load(id), { _user_id: 7, n: 1 });
  assertEquals((await backend.userSessions(7)).length, 1);
});

Deno.test("kvBackend.removeUser() clears what is left of a session that the store has deleted", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ _user_id: 7 });
  store.reads.length = 0;
  await backend.load(id);
  for (const key of [...store.reads]) await store.delete(key);
  assert((await store.entries()).length > 0);
  assertEquals(await backend.userSessions(7), []);
  await backend.removeUser(7);
  assertEquals(await store.lastingEntries(), []);
});
