/** What kvBackend() takes for a store, and for the prefix of its keys. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  kvBackend,
  type KvBackendOptions,
  type KvKey,
  type KvStore,
} from "../../../backends/kv.ts";
import { brokenKv } from "../_kv.ts";
import { ENDED } from "../_test_store.ts";

const METHODS = ["get", "list", "atomic"] as const;

const NO_STORES: [what: string, kv: unknown, missing: string][] = [
  ["undefined", undefined, "get"],
  ["null", null, "get"],
  ["a path", "sessions.db", "get"],
  ["the promise of a database", Promise.resolve({}), "get"],
  ["a Map", new Map(), "list"],
];

/** Parts of keys of each type, none of which is the same key as another. */
const PREFIXES: KvKey[] = [
  [],
  ["a"],
  ["1"],
  [1],
  [1n],
  [-0.5],
  [true],
  [false],
  [new Uint8Array([1])],
  [new Uint8Array()],
  [""],
  ["a", 1, 2n, true, new Uint8Array([1])],
];

const BAD_PREFIXES: [what: string, prefix: unknown][] = [
  ["text", "sessions"],
  ["null", null],
  ["bytes", new Uint8Array([1])],
  ["null in it", [null]],
  ["an object in it", [{}]],
  ["a list in it", [["sessions"]]],
  ["an ArrayBuffer in it", [new ArrayBuffer(1)]],
  ["other numbers than bytes in it", [new Uint16Array([1])]],
  ["undefined in it", ["sessions", undefined]],
  ["a symbol in it", ["sessions", Symbol("sessions")]],
];

for (const [what, kv, missing] of NO_STORES) {
  Deno.test(`kvBackend() refuses ${what} as store`, () => {
    const store = kv as KvStore; // Wrong on purpose.
    assertThrows(() => kvBackend(store), TypeError, `no ${missing}() method`);
  });
}

for (const name of METHODS) {
  Deno.test(`kvBackend() names ${name}() where a store lacks it`, () => {
    for (const other of [undefined, "text", {}]) {
      const store = { ...brokenKv(), [name]: other } as KvStore;
      assertThrows(
        () => kvBackend(store),
        TypeError,
        `Cannot use kv: it has no ${name}() method`,
      );
    }
  });
}

Deno.test("kvBackend() asks nothing of the store before it is used", () => {
  assert(kvBackend(brokenKv()));
});

for (const [what, prefix] of BAD_PREFIXES) {
  Deno.test(`kvBackend() refuses a prefix with ${what}`, () => {
    const options = { prefix } as KvBackendOptions; // Wrong on purpose.
    assertThrows(
      () => kvBackend(brokenKv(), options),
      TypeError,
      "Cannot use prefix",
    );
  });
}

Deno.test("kvBackend() takes parts of each type, and keeps prefixes apart", async () => {
  using kv = await Deno.openKv(":memory:");
  const backends = PREFIXES.map((prefix) => kvBackend(kv, { prefix }));
  const ids: string[] = [];
  for (const backend of backends) ids.push(await backend.save({ _user_id: 7 }));
  for (const [index, backend] of backends.entries()) {
    for (const [other, id] of ids.entries()) {
      const payload = other === index ? { _user_id: 7 } : null;
      assertEquals(await backend.load(id), payload, `${index}, ${other}`);
    }
    assertEquals((await backend.userSessions(7)).length, 1);
  }

  const [one, two] = backends.slice(1);
  await assertRejects(() => two.save({ n: 1 }, ids[1]), Error, ENDED);
  await two.remove(ids[1]);
  await two.removeUser(7);
  assertEquals(await one.load(ids[1]), { _user_id: 7 });
  assertEquals(await two.load(ids[2]), null);
});

Deno.test("kvBackend() keeps its prefix when the caller's array changes", async () => {
  using kv = await Deno.openKv(":memory:");
  const prefix = ["a", 1];
  const backend = kvBackend(kv, { prefix });
  prefix[0] = "b";
  const id = await backend.save({ _user_id: 7 });
  for await (const { key } of kv.list({ prefix: [] })) {
    assertEquals(key.slice(0, 2), ["a", 1]);
  }
  const same = kvBackend(kv, { prefix: ["a", 1] });
  assertEquals(await same.load(id), { _user_id: 7 });
});

Deno.test("kvBackend() begins its keys with sessions unless told otherwise", async () => {
  using kv = await Deno.openKv(":memory:");
  await kvBackend(kv).save({ _user_id: 7 });
  for await (const { key } of kv.list({ prefix: [] })) {
    assertEquals(key[0], "sessions");
  }
});
