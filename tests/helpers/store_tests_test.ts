/** The tests of stores, on stores that are good, and on some that are not. */

import { assert, assertEquals } from "@std/assert";
import type { SessionStore, StoreRecord } from "../../backends/store.ts";
import { KvSessionStore } from "../../backends/stores/kv_store.ts";
import { storeTests } from "../../helpers/testing.ts";
import { changed, MemoryStore } from "../backends/_memory.ts";

async function openKvStore() {
  const kv = await Deno.openKv(":memory:");
  const [store, other] = [1, 2].map(() => new KvSessionStore(kv, ["sessions"]));
  return { store, other, close: () => kv.close() };
}

for (const { name, run } of storeTests(() => ({ store: new MemoryStore() }))) {
  Deno.test(`memory: ${name}`, run);
}

for (const { name, run } of storeTests(openKvStore)) {
  Deno.test(`kv: ${name}`, run);
}

/** What may be wrong about a store, and a test that sees it. */
const WRONG: Record<string, [wrong: Wrong, seenBy: RegExp]> = {
  "forgets characters": [
    (store) => ({
      set: (key, { text, ...rest }) =>
        store.set(key, { ...rest, text: text.replace("\u00FC", "u") }),
    }),
    /whatever characters/,
  ],
  "keeps the first text": [
    (store) => ({
      set: (key, record) => {
        if (store.get(key) === null) store.set(key, record);
      },
    }),
    /set\(\) writes over/,
  ],
  "takes half of 64 KiB": [
    (store) => ({
      set: (key, { text, ...rest }) =>
        store.set(key, { ...rest, text: text.slice(0, 32_768) }),
    }),
    /64 KiB/,
  ],
  "refuses a life without end": [
    (store) => ({
      set(key, record) {
        if (record.expiresIn > 1e15) throw new RangeError("Too long");
        store.set(key, record);
      },
    }),
    /any life/,
  ],
  "replaces what is not there": [
    (store) => ({
      replace: (key, record) => (store.set(key, record), true),
    }),
    /writes nothing where nothing is there/,
  ],
  "never replaces": [
    () => ({ replace: () => false }),
    /replace\(\) writes over/,
  ],
  "heeds no expectation": [
    (store) => ({ replace: (key, record) => store.replace(key, record) }),
    /heeds the text/,
  ],
  "compares and writes in two steps": [
    (store) => ({
      async replace(key, record, expected) {
        const text = store.get(key);
        if (text === null || text !== (expected ?? text)) return false;
        await Promise.resolve();
        store.set(key, record);
        return true;
      },
    }),
    /lets one win/,
  ],
  "gives up where others are faster": [
    (store) => {
      let busy = 0;
      return {
        async replace(key, record, expected) {
          if (++busy > 10) throw new Error("Too many");
          await Promise.resolve();
          busy--;
          return store.replace(key, record, expected);
        },
      };
    },
    /20 times at once/,
  ],
  "deletes nothing": [() => ({ delete() {} }), /delete\(\) deletes/],
  "finds each user's keys for all": [
    (store) => ({ keysOf: () => store.records.keys() }),
    /no other's/,
  ],
  "takes 1 and '1' for one user": [
    (store) => ({
      keysOf: (user) => [
        ...store.keysOf(user),
        ...store.keysOf(user.replaceAll('"', "")),
      ],
    }),
    /no other's/,
  ],
  "enters a key after its record": [
    (store) => ({
      async set(key, record) {
        store.set(key, { ...record, user: undefined });
        for (let i = 0; i < 10; i++) await Promise.resolve();
        store.set(key, record);
      },
    }),
    /as soon as/,
  ],
  "forgets a key that is replaced": [
    (store) => ({
      replace: (key, record, expected) =>
        store.replace(key, { ...record, user: undefined }, expected),
    }),
    /goes on to know/,
  ],
  "forgets a record when its first life is over": [
    (store) => {
      const ends = new Map<string, number>();
      return {
        get: (key) => Date.now() < ends.get(key)! ? store.get(key) : null, // it was set
        set(key, record) {
          ends.set(key, Date.now() + record.expiresIn);
          store.set(key, record);
        },
      };
    },
    /goes on to know/,
  ],
  "knows keys that were deleted": [
    (store) => {
      const all = new Map<string, StoreRecord>();
      return {
        set(key, record) {
          all.set(key, record);
          store.set(key, record);
        },
        keysOf: (user) =>
          [...all].filter(([, record]) => record.user === user).map(([key]) =>
            key
          ),
      };
    },
    /no key that was deleted/,
  ],
};

type Wrong = (store: MemoryStore) => Partial<SessionStore>;

for (const [what, [wrong, seenBy]] of Object.entries(WRONG)) {
  Deno.test(`storeTests() sees that a store ${what}`, async () => {
    const tests = storeTests(() => {
      const store = new MemoryStore();
      return { store: changed(store, wrong(store)) };
    });
    const [test] = tests.filter(({ name }) => seenBy.test(name));
    assert(test !== undefined);
    const [result] = await Promise.allSettled([test.run()]);
    assertEquals(result.status, "rejected");
  });
}

Deno.test("storeTests() closes a store that fails", async () => {
  let closed = 0;
  const store = changed(new MemoryStore(), { get: () => "1" });
  const [test] = storeTests(() => ({ store, close: () => void closed++ }));
  await Promise.allSettled([test.run()]);
  assertEquals(closed, 1);
});
