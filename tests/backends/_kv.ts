/**
 * A Deno KV database that can be watched, delayed and made to fail.
 *
 * @module
 */

import {
  type KvAtomic,
  kvBackend,
  type KvEntry,
  type KvKey,
  type KvSetOptions,
  type KvStore,
  type StoreBackend,
} from "../../backends/kv.ts";
import { encodeUtf8 } from "../../backends/tokens/bytes.ts";
import { type Entry, TestStore } from "./_test_store.ts";

/** A database in memory, with pauses. */
export class TestKv extends TestStore implements KvStore, Disposable {
  readonly #kv: Deno.Kv;
  /** When values may be deleted, in seconds, by their keys. */
  readonly #deadlines = new Map<string, number>();

  private constructor(kv: Deno.Kv) {
    super();
    this.#kv = kv;
  }

  static async open(): Promise<TestKv> {
    return new TestKv(await Deno.openKv(":memory:"));
  }

  override close(): void {
    this.#kv.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected override newBackend(): StoreBackend {
    return kvBackend(this);
  }

  protected override async age(): Promise<void> {
    for await (const { key } of this.#kv.list({ prefix: [] })) {
      const deadline = this.#deadlines.get(nameOf(key)) ?? Infinity;
      if (deadline <= this.now) await this.#kv.delete(key);
    }
  }

  override async entries(): Promise<Entry[]> {
    const entries = this.#kv.list({ prefix: [] });
    return await Array.fromAsync(entries, ({ key, value }) => ({
      key: nameOf(key),
      text: value instanceof Uint8Array
        ? new TextDecoder().decode(value)
        : String(value),
      isLasting: this.#deadlines.get(nameOf(key)) === undefined,
    }));
  }

  override spoil(text: string): Promise<void> {
    return this.spoilWith(encodeUtf8(text));
  }

  /** Writes a value in place of each session. */
  async spoilWith(value: unknown): Promise<void> {
    for await (const { key } of this.#kv.list({ prefix: [] })) {
      if (key.includes("records")) await this.#kv.set(key, value);
    }
  }

  get(key: KvKey): Promise<KvEntry> {
    return this.work("get", () => this.#kv.get(key));
  }

  async *list(selector: { prefix: KvKey }): AsyncGenerator<KvEntry> {
    await this.pause({ when: "before", what: "list" });
    yield* this.#kv.list(selector);
    await this.pause({ when: "after", what: "list" });
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
      commit: () =>
        this.work("commit", async () => {
          const result = await operation.commit();
          if (result.ok) {
            for (const write of writes) this.#setDeadline(...write);
          }
          return result;
        }),
    };
    return atomic;
  }

  #setDeadline(key: KvKey, { expireIn }: KvSetOptions = {}): void {
    if (expireIn === undefined) this.#deadlines.delete(nameOf(key));
    else this.#deadlines.set(nameOf(key), this.now + expireIn / 1000);
  }
}

/** A database that fails at whatever it is asked. */
export function brokenKv(error = new Error("It was asked")): KvStore {
  const fail = () => {
    throw error;
  };
  return { get: fail, list: fail, atomic: fail };
}

function nameOf(key: KvKey): string {
  return Deno.inspect(key, { iterableLimit: Infinity, strAbbreviateSize: 1e4 });
}
