/**
 * What every store of sessions must do, as tests of a store of your own.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { SessionStore, StoreRecord } from "../backends/store.ts";

/** A store that holds nothing yet, for one test. */
export interface OpenStore {
  /** The store. */
  store: SessionStore;
  /** The same records through another connection; by default, the same store. */
  other?: SessionStore;
  /** Is called when the test is over. */
  close?: () => void | Promise<void>;
}

/** A test of a store; it rejects where the store does not do what it must. */
export interface StoreTest {
  /** What the store must do. */
  name: string;
  /** Opens a store, and tests it. */
  run: () => Promise<void>;
}

type Check = (store: SessionStore, other: SessionStore) => Promise<void>;

const [KEY, OTHER_KEY] = ["1".repeat(64), "2".repeat(64)];
/** As many servers as may save one session at once; each does one at a time. */
const MANY = 20;
/** How long a record of the tests lives, in milliseconds. */
const LIFE = 60_000;

const CHECKS: Record<string, Check> = {
  "get() returns null for a key that is not there": async (store) => {
    assertEquals(await store.get(KEY), null);
  },
  "get() returns what set() wrote, whatever characters it has": async (
    store,
    other,
  ) => {
    const text = JSON.stringify({
      text: "\u00FC \u20AC \u{1F600} \\ \" ' \u0000 \n",
    });
    await store.set(KEY, record(text));
    assertEquals(await store.get(KEY), text);
    assertEquals(await other.get(KEY), text);
    assertEquals(await store.get(OTHER_KEY), null);
  },
  "set() writes 64 KiB": async (store) => {
    const text = "x".repeat(65_536);
    await store.set(KEY, record(text));
    assertEquals(await store.get(KEY), text);
  },
  "set() writes over what is there": async (store) => {
    await store.set(KEY, record("1", "susan"));
    await store.set(KEY, record("2", "susan"));
    assertEquals(await store.get(KEY), "2");
  },
  "set() takes any life": async (store) => {
    for (const expiresIn of [Infinity, 1e15, 34_560_000_000, 0]) {
      await store.set(KEY, { ...record("1", "susan"), expiresIn });
    }
    await store.set(KEY, { ...record("2"), expiresIn: Infinity });
    assertEquals(await store.get(KEY), "2");
  },
  "replace() writes nothing where nothing is there": async (store) => {
    assertEquals(await store.replace(KEY, record("1")), false);
    assertEquals(await store.replace(KEY, record("1"), "1"), false);
    assertEquals(await store.get(KEY), null);
  },
  "replace() writes over what is there": async (store, other) => {
    await store.set(KEY, record("1", "susan"));
    assertEquals(await other.replace(KEY, record("2", "susan")), true);
    assertEquals(await store.get(KEY), "2");
  },
  "replace() heeds the text that is expected": async (store, other) => {
    await store.set(KEY, record("1", "susan"));
    assertEquals(await other.replace(KEY, record("2", "susan"), "0"), false);
    assertEquals(await store.get(KEY), "1");
    assertEquals(await other.replace(KEY, record("2", "susan"), "1"), true);
    assertEquals(await store.get(KEY), "2");
  },
  "replace() of one text by many lets one win": async (store, other) => {
    await store.set(KEY, record("0"));
    const wins = await Promise.all(
      Array.from(
        { length: MANY },
        (_, i) => (i % 2 ? store : other).replace(KEY, record(`${i + 1}`), "0"),
      ),
    );
    assertEquals(wins.filter((isWon) => isWon).length, 1);
    assertEquals(await store.get(KEY), `${wins.indexOf(true) + 1}`);
  },
  [`replace() of one record ${MANY} times at once succeeds`]: async (store) => {
    await store.set(KEY, record("0", "susan"));
    const texts = Array.from({ length: MANY }, (_, i) => `${i}`);
    const wins = await Promise.all(
      texts.map((text) => store.replace(KEY, record(text, "susan"))),
    );
    assertEquals(wins.filter((isWon) => isWon).length, MANY);
    assertEquals(texts.includes(`${await store.get(KEY)}`), true);
  },
  "delete() deletes a record, for all": async (store, other) => {
    await store.set(KEY, record("1", "susan"));
    await store.delete(KEY, "susan");
    assertEquals(await store.get(KEY), null);
    assertEquals(await other.get(KEY), null);
    assertEquals(await other.replace(KEY, record("2", "susan")), false);
    assertEquals(await store.get(KEY), null);
  },
  "delete() takes a key that is not there, and no user": async (store) => {
    await store.delete(KEY, undefined);
    await store.set(KEY, record("1", "susan"));
    await store.delete(KEY, undefined);
    assertEquals(await store.get(KEY), null);
  },
  "delete() is not undone by what is replaced at the time": async (
    store,
    other,
  ) => {
    for (let i = 0; i < 20; i++) {
      await store.set(KEY, record("1", "susan"));
      await Promise.all([
        other.replace(KEY, record("2", "susan")),
        store.delete(KEY, "susan"),
        other.replace(KEY, record("3", "susan")),
      ]);
      assertEquals(await store.get(KEY), null);
    }
  },
  "keysOf() lists a user's keys, and no other's": async (store, other) => {
    // As a session has them: the ids 1 and "1" are two.
    const users = ["1", '"1"', '"\u00FC \u20AC"', '""', `"${"x".repeat(300)}"`];
    for (const [index, user] of users.entries()) {
      for (const part of ["a", "b"]) {
        const key = `${index}${part}`.repeat(32);
        await store.set(key, record("1", user));
      }
    }
    for (const [index, user] of users.entries()) {
      const keys = ["a", "b"].map((part) => `${index}${part}`.repeat(32));
      assertEquals([...await other.keysOf(user)].sort(), keys);
    }
    assertEquals([...await store.keysOf("2")], []);
  },
  "keysOf() knows a key as soon as its record can be read": async (
    store,
    other,
  ) => {
    for (let i = 0; i < 20; i++) {
      let isDone = false;
      const write = Promise.resolve(store.set(KEY, record("1", "susan")))
        .finally(() => isDone = true);
      for (let n = 0; !isDone && await other.get(KEY) === null; n++) {
        if (n % 100 === 99) await turn(); // A store that is asked at once may block.
      }
      if (await other.get(KEY) !== null) {
        assertEquals([...await other.keysOf("susan")], [KEY]);
      }
      await write;
      await store.delete(KEY, "susan");
    }
  },
  "keysOf() knows no key that was deleted": async (store) => {
    await store.set(KEY, record("1", "susan"));
    await store.set(OTHER_KEY, record("1", "susan"));
    await store.delete(KEY, "susan");
    assertEquals([...await store.keysOf("susan")], [OTHER_KEY]);
  },
  "keysOf() knows a key whose record becomes a user's": async (
    store,
    other,
  ) => {
    await store.set(KEY, record("1"));
    assertEquals([...await other.keysOf("susan")], []);
    await store.replace(KEY, record("2", "susan"));
    assertEquals([...await other.keysOf("susan")], [KEY]);
  },
  "keysOf() goes on to know a key whose record is replaced": async (store) => {
    await store.set(KEY, { ...record("1", "susan"), expiresIn: 250 });
    await store.replace(KEY, record("2", "susan"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    assertEquals(await store.get(KEY), "2");
    assertEquals([...await store.keysOf("susan")], [KEY]);
  },
};

/**
 * The tests that a store must pass before sessions can be trusted to it.
 *
 * @example Test a store
 * ```ts
 * import type { SessionStore } from "@denizen/session/store";
 * import { storeTests } from "@denizen/session/testing";
 * import { assert } from "@std/assert";
 *
 * function openStore(): SessionStore {
 *   throw new Error("It is yours to write");
 * }
 *
 * const tests = storeTests(() => ({ store: openStore() }));
 * // for (const { name, run } of tests) Deno.test(name, run);
 * assert(tests.length > 10);
 * ```
 *
 * @param open Opens a store that holds nothing yet, for each test anew.
 * @returns The tests.
 */
export function storeTests(
  open: () => OpenStore | Promise<OpenStore>,
): StoreTest[] {
  return Object.entries(CHECKS).map(([name, check]) => ({
    name,
    async run() {
      const { store, other = store, close } = await open();
      try {
        await check(store, other);
      } finally {
        await close?.();
      }
    },
  }));
}

/** Lets all others go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function record(text: string, user?: string): StoreRecord {
  return { text, user, expiresIn: LIFE };
}
