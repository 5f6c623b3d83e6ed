/** The sessions of a user, and of nobody else. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { storeBackend } from "../../../backends/store.ts";
import { captureRejections, NOW } from "../../_helpers.ts";
import { changed, MemoryStore } from "../_memory.ts";
import { testStores } from "../_stores.ts";

/** Users that are each other's likeness, and users all the same. */
const USER_IDS = [0, 1, "", "0", "1", -1, "susan", "Susan", "users", "\0"];

const NO_USER_IDS = [
  ...[undefined, null, true, {}, [7], { id: 7 }],
  // JSON can't tell them from others.
  ...[1.5, 2 ** 53, -(2 ** 53)],
];

testStores("userSessions() tells each user from all others", async (store) => {
  const backend = store.backend();
  for (const id of USER_IDS) await backend.save({ _user_id: id });
  for (const id of USER_IDS) {
    const sessions = await backend.userSessions(id);
    assertEquals(sessions.map(({ payload }) => payload), [{ _user_id: id }]);
  }
});

testStores(
  "removeUser() ends the sessions of one user and no others",
  async (store) => {
    const backend = store.backend();
    const anonymous = await backend.save({ n: 1 });
    for (const id of USER_IDS) {
      const values = new Map<string, string | number>();
      for (const other of [id, ...USER_IDS]) {
        values.set(await backend.save({ _user_id: other }), other);
      }
      await backend.removeUser(id);
      for (const [value, other] of values) {
        const left = other === id ? null : { _user_id: other };
        assertEquals(await backend.load(value), left, Deno.inspect(id));
      }
      assertEquals(await backend.load(anonymous), { n: 1 });
      assertEquals(await backend.userSessions(id), []);
      for (const value of values.keys()) await backend.remove(value);
    }
  },
);

testStores("the users 0 and -0 are one", async (store) => {
  const backend = store.backend();
  for (const [saved, asked] of [[0, -0], [-0, 0], [-0, -0]]) {
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      ids.push(await backend.save({ _user_id: saved }));
    }
    const sessions = await backend.userSessions(asked);
    assertEquals(sessions.length, 3);
    await backend.removeUserSession(asked, sessions[0].key);
    assertEquals((await backend.userSessions(saved)).length, 2);
    await backend.removeUser(asked);
    for (const id of ids) assertEquals(await backend.load(id), null);
    assertEquals(await store.lastingEntries(), []);
  }
});

testStores("what is no user's id finds no session", async (store) => {
  const backend = store.backend();
  for (const id of NO_USER_IDS) {
    await backend.save({ n: 1 });
    const { length } = await store.entries();
    const value = await backend.save({ _user_id: id });
    assertEquals((await store.entries()).length, length + 1);
    await backend.remove(value);
  }
});

testStores("a session moves to the user who logs in", async (store) => {
  const backend = store.backend();
  const id = await backend.save({ n: 1 });
  await backend.save({ n: 1, _user_id: 7 }, id);
  assertEquals((await backend.userSessions(7)).length, 1);
  await backend.save({ n: 1, _user_id: "7" }, id);
  assertEquals(await backend.userSessions(7), []);
  assertEquals((await backend.userSessions("7")).length, 1);
  await backend.removeUser(7);
  assertEquals(await backend.load(id), { n: 1, _user_id: "7" });
  await backend.save({ n: 1 }, id);
  assertEquals(await backend.userSessions("7"), []);
});

testStores(
  "userSessions() lists the data, and keys that are no cookies",
  async (store) => {
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
    const keys = await Promise.all(ids.map((id) => backend.keyOf(id)));
    assertEquals(sessions.map(({ key }) => key).sort(), keys.sort());
  },
);

testStores("userSessions() leaves out what has expired", async (store) => {
  const backend = store.backend();
  await backend.save({ _user_id: 7, exp: NOW });
  await backend.save({ _user_id: 7, exp: NOW + 1 });
  const sessions = await backend.userSessions(7);
  assertEquals(sessions.map(({ payload }) => payload.exp), [NOW + 1]);
});

testStores("removeUserSession() ends one session", async (store) => {
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

testStores(
  "removeUserSession() ends no session of another user",
  async (store) => {
    const backend = store.backend();
    const id = await backend.save({ _user_id: 7 });
    const [{ key }] = await backend.userSessions(7);
    await backend.removeUserSession("7", key);
    await backend.removeUserSession(8, key);
    assertEquals(await backend.load(id), { _user_id: 7 });
    assertEquals((await backend.userSessions(7)).length, 1);
  },
);

testStores("removeUserSession() takes anything for a key", async (store) => {
  const backend = store.backend();
  const keys = ["", "x", "F".repeat(64), "0".repeat(9999), "0".repeat(64)];
  for (const key of keys) await backend.removeUserSession(7, key);
  assertEquals(await store.entries(), []);
});

testStores(
  "removeUser() ends more sessions than a list gives at once",
  async (store) => {
    const backend = store.backend();
    for (let n = 0; n < 250; n++) await backend.save({ n, _user_id: 7 });
    await backend.removeUser(7);
    assertEquals(await backend.userSessions(7), []);
    assertEquals(await store.lastingEntries(), []);
  },
);

testStores("removeUser() lets the user log in again", async (store) => {
  const backend = store.backend();
  await backend.removeUser(7);
  const id = await backend.save({ _user_id: 7 });
  assertEquals(await backend.load(id), { _user_id: 7 });
  await backend.save({ _user_id: 7, n: 1 }, id);
  assertEquals(await backend.load(id), { _user_id: 7, n: 1 });
  assertEquals((await backend.userSessions(7)).length, 1);
});

Deno.test("a key that outlived its record, or a record that outlived its user, is no session", async () => {
  const store = new MemoryStore();
  const listed = new Set<string>();
  const backend = storeBackend(changed(store, {
    set(key, record) {
      listed.add(key);
      store.set(key, record);
    },
    keysOf: () => listed,
  }));
  const gone = await backend.save({ _user_id: 7 });
  await backend.remove(gone);
  const other = await backend.save({ _user_id: 8 });
  assertEquals(await backend.userSessions(7), []);
  await backend.removeUser(7);
  assertEquals(await backend.load(other), { _user_id: 8 });
});

Deno.test("the sessions of what is no user id are no user's: an error says so", async () => {
  const backend = storeBackend(new MemoryStore());
  for (const id of NO_USER_IDS as number[]) {
    for (
      const call of [
        () => backend.removeUser(id),
        () => backend.removeUserSession(id, "0".repeat(64)),
        () => backend.userSessions(id),
      ]
    ) await assertRejects(call, TypeError, "Cannot find user's sessions");
  }
});

testStores("the sessions of a user may be ended unawaited", async (store) => {
  using unhandled = captureRejections();
  const backend = store.backend();
  const key = await backend.keyOf(await backend.save({ _user_id: 7 }));
  store.hook = () => {
    throw new Error("The store is on fire");
  };
  backend.removeUser(7);
  backend.removeUserSession(7, key);
  backend.userSessions(7);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(unhandled.reasons, []);
});
