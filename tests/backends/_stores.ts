/**
 * What is promised of sessions in a store is tested on every store: a row of a
 * table each.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { StoreBackend } from "../../backends/store.ts";
import { TestKv } from "./_kv.ts";
import { TestMemory } from "./_memory.ts";
import type { TestStore } from "./_test_store.ts";

/** The stores that are tested, by name: how to open an empty one. */
export const STORES = new Map<string, () => TestStore | Promise<TestStore>>([
  ["memory", () => new TestMemory()],
  ["kv", () => TestKv.open()],
]);

/** Uses an empty store of a kind, and closes it. */
export async function withStore(
  name: string,
  use: (store: TestStore) => Promise<void>,
): Promise<void> {
  const store = await STORES.get(name)!(); // it is one of its names
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

/** Defines a test of each store. */
export function testStores(
  what: string,
  run: (store: TestStore) => Promise<void>,
): void {
  for (const name of STORES.keys()) {
    Deno.test(`${name}: ${what}`, () => withStore(name, run));
  }
}

/** What runs, what interrupts it, and what shall hold afterwards. */
export interface Race<Begun> {
  /** Makes what both of them work on. */
  prepare(backend: StoreBackend): Promise<Begun>;
  run(backend: StoreBackend, begun: Begun): Promise<unknown>;
  /** Whether it is not interrupted before the store has first answered. */
  isFromAnswer?: boolean;
  interrupt(
    backend: StoreBackend,
    begun: Begun,
    store: TestStore,
  ): Promise<unknown>;
  check(outcome: Outcome<Begun>): Promise<void>;
}

/** How a race has ended. */
export interface Outcome<Begun> {
  begun: Begun;
  ran: PromiseSettledResult<unknown>;
  interrupted: PromiseSettledResult<unknown>;
  store: TestStore;
  /** A backend to look with. */
  backend: StoreBackend;
}

/**
 * Defines a test of each store that interrupts something at each of its pauses,
 * with nothing in the store each time.
 */
export function testRaces<Begun>(what: string, race: Race<Begun>): void {
  for (const name of STORES.keys()) {
    Deno.test(`${name}: ${what}`, async () => {
      let number = 1;
      while (await interrupt(name, race, number)) number++;
      assert(number > 2, "there were pauses");
    });
  }
}

/** Tells whether there was such a pause. */
async function interrupt<Begun>(
  name: string,
  race: Race<Begun>,
  number: number,
): Promise<boolean> {
  let interrupted: PromiseSettledResult<unknown> | undefined;
  await withStore(name, async (store) => {
    const begun = await race.prepare(store.backend());
    store.hookAt(number, async () => {
      [interrupted] = await Promise.allSettled([
        race.interrupt(store.backend(), begun, store),
      ]);
    }, race.isFromAnswer);
    const [ran] = await Promise.allSettled([race.run(store.backend(), begun)]);
    store.hook = undefined;
    if (interrupted === undefined) return;
    const backend = store.backend();
    await race.check({ begun, ran, interrupted, store, backend });
  });
  return interrupted !== undefined;
}
