/**
 * A database in memory that can be watched, delayed and made to fail.
 *
 * @module
 */

import { assert } from "@std/assert";
import {
  type KvAtomic,
  type KvBackend,
  kvBackend,
  type KvBackendOptions,
  type KvEntry,
  type KvKey,
  type KvSetOptions,
  type KvStore,
} from "../../backends/kv.ts";
import { NOW } from "../_helpers.ts";

/** What a save says whose session was ended. */
export const ENDED =
  "Cannot save session: it was ended by another request; begin a new one";

/** A moment: just before or after the store does what it is asked for. */
export interface Pause {
  when: "before" | "after";
  what: "get" | "set" | "delete" | "list" | "commit";
}

/** What is done in a pause; what it asks of the store itself has none. */
export type Hook = (pause: Pause) => unknown;

/**
 * A Deno KV database with a clock, which deletes values as soon as it may. Each
 * thing that is asked of it has a pause before it and one after it.
 */
export class TestKv implements KvStore, Disposable {
  readonly #kv: Deno.Kv;
  /** When values may be deleted, in seconds, by their keys. */
  readonly #deadlines = new Map<string, number>();
  #isHooked = false;
  /** What is done in each pause. */
  hook: Hook | undefined;
  /** The keys that were read. */
  readonly reads: KvKey[] = [];
  /** The time, in seconds; `advance` moves it. */
  now = NOW;

  private constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  static async open(): Promise<TestKv> {
    return new TestKv(await Deno.openKv(":memory:"));
  }

  [Symbol.dispose](): void {
    this.#kv.close();
  }

  /** A backend of this database; there may be several. */
  backend(options: KvBackendOptions = {}): KvBackend {
    return kvBackend(this, { clock: () => this.now * 1000, ...options });
  }

  /**
   * Calls a hook once, in one of the next pauses.
   *
   * @param isFromAnswer Whether they count from the store's first answer on.
   */
  hookAt(pause: number, hook: Hook, isFromAnswer = false): void {
    let count = 0;
    this.hook = ({ when, what }) => {
      if (isFromAnswer && count === 0 && when === "before") return;
      if (++count === pause) return hook({ when, what });
    };
  }

  /** Moves the clock, and deletes what may be deleted by then. */
  async advance(seconds: number): Promise<void> {
    this.now += seconds;
    for (const { key } of await this.entries()) {
      const deadline = this.#deadlines.get(nameOf(key)) ?? Infinity;
      if (deadline <= this.now) await this.#kv.delete(key);
    }
  }

  /** All that the database holds. */
  async entries(): Promise<KvEntry[]> {
    return await Array.fromAsync(this.#kv.list({ prefix: [] }));
  }

  /** What it holds and may never delete by itself. */
  async lastingEntries(): Promise<KvEntry[]> {
    const entries = await this.entries();
    return entries.filter(({ key }) =>
      this.#deadlines.get(nameOf(key)) === undefined
    );
  }

  async get(key: KvKey): Promise<KvEntry> {
    this.reads.push(key);
    await this.#pause("before", "get");
    const entry = await this.#kv.get(key);
    await this.#pause("after", "get");
    return entry;
  }

  async set(key: KvKey, value: unknown, options?: KvSetOptions): Promise<void> {
    await this.#pause("before", "set");
    await this.#kv.set(key, value);
    this.#setDeadline(key, options);
    await this.#pause("after", "set");
  }

  async delete(key: KvKey): Promise<void> {
    await this.#pause("before", "delete");
    await this.#kv.delete(key);
    await this.#pause("after", "delete");
  }

  async *list(selector: { prefix: KvKey }): AsyncGenerator<KvEntry> {
    await this.#pause("before", "list");
    yield* this.#kv.list(selector);
    await this.#pause("after", "list");
  }

  atomic(): KvAtomic {
    const operation = this.#kv.atomic();
    const writes: [key: KvKey, options?: KvSetOptions][] = [];
    const atomic: KvAtomic = {
      check(...entries) {
        operation.check(...entries);
        return atomic;
      },
      set(key, value, options) {
        writes.push([key, options]);
        operation.set(key, value);
        return atomic;
      },
      delete(key) {
        operation.delete(key);
        return atomic;
      },
      commit: async () => {
        await this.#pause("before", "commit");
        const result = await operation.commit();
        if (result.ok) {
          for (const write of writes) this.#setDeadline(...write);
        }
        await this.#pause("after", "commit");
        return result;
      },
    };
    return atomic;
  }

  async #pause(when: Pause["when"], what: Pause["what"]): Promise<void> {
    if (this.#isHooked || this.hook === undefined) return;
    this.#isHooked = true;
    try {
      const done = this.hook({ when, what });
      if (done instanceof Promise) await done;
    } finally {
      this.#isHooked = false;
    }
  }

  #setDeadline(key: KvKey, { expireIn }: KvSetOptions = {}): void {
    if (expireIn === undefined) this.#deadlines.delete(nameOf(key));
    else this.#deadlines.set(nameOf(key), this.now + expireIn / 1000);
  }
}

/** A store that fails at whatever it is asked. */
export function brokenStore(error = new Error("It was asked")): KvStore {
  const fail = () => {
    throw error;
  };
  return { get: fail, set: fail, delete: fail, list: fail, atomic: fail };
}

/** What runs, what interrupts it, and what shall hold afterwards. */
export interface Race<Begun> {
  /** Makes what both of them work on. */
  prepare(backend: KvBackend): Promise<Begun>;
  run(backend: KvBackend, begun: Begun): Promise<unknown>;
  /** Whether it is not interrupted before the store has first answered. */
  isFromAnswer?: boolean;
  interrupt(
    backend: KvBackend,
    begun: Begun,
    store: TestKv,
  ): Promise<unknown>;
  check(outcome: Outcome<Begun>): Promise<void>;
}

/** How a race has ended. */
export interface Outcome<Begun> {
  begun: Begun;
  ran: PromiseSettledResult<unknown>;
  interrupted: PromiseSettledResult<unknown>;
  /** When it was interrupted. */
  pause: Pause;
  store: TestKv;
  /** A backend to look with. */
  backend: KvBackend;
}

/** Interrupts something at each of its pauses, on a new database each time. */
export async function interruptEach<Begun>(race: Race<Begun>): Promise<void> {
  for (let number = 1;; number++) {
    using store = await TestKv.open();
    const begun = await race.prepare(store.backend());
    let moment: Pick<Outcome<Begun>, "pause" | "interrupted"> | undefined;
    const interrupt = async (pause: Pause) => {
      const [interrupted] = await Promise.allSettled([
        race.interrupt(store.backend(), begun, store),
      ]);
      moment = { pause, interrupted };
    };
    store.hookAt(number, interrupt, race.isFromAnswer);
    const [ran] = await Promise.allSettled([race.run(store.backend(), begun)]);
    if (moment === undefined) {
      assert(number > 2, "there were pauses");
      return;
    }
    const backend = store.backend();
    await race.check({ begun, ran, ...moment, store, backend });
  }
}

function nameOf(key: KvKey): string {
  return Deno.inspect(key, { iterableLimit: Infinity, strAbbreviateSize: 1e4 });
}
