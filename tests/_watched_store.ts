/**
 * A store of sessions in memory that can be watched, delayed and made to fail.
 *
 * @module
 */

import {
  type SessionStore,
  type StoreBackend,
  storeBackend,
  type StoreRecord,
} from "../backends/store.ts";
import { MemoryStore } from "./backends/_memory.ts";

/** What a store is asked. */
export type Step = keyof SessionStore;

/** Is told of each step, before and after it is done. */
export type Watch = (
  step: Step,
  when: "before" | "after",
) => void | Promise<void>;

/** Keeps records until they are deleted. */
export class WatchedStore implements SessionStore {
  readonly #store = new MemoryStore();
  readonly records = this.#store.records;
  /** What it throws, or the promise it returns, is waited for. */
  watch: Watch | undefined;

  /** A backend of this store; there may be several. */
  backend(): StoreBackend {
    return storeBackend(this);
  }

  /** The records whose content has all of these values. */
  find(wanted: Record<string, unknown>): Record<string, unknown>[] {
    return [...this.records.values()]
      .map(({ text }) => text.startsWith("{") ? JSON.parse(text) : {})
      .filter((payload) =>
        Object.entries(wanted).every(([name, value]) => payload[name] === value)
      );
  }

  get(key: string): Promise<string | null> {
    return this.#do("get", () => this.#store.get(key));
  }

  set(key: string, record: StoreRecord): Promise<void> {
    return this.#do("set", () => this.#store.set(key, record));
  }

  replace(
    key: string,
    record: StoreRecord,
    expected?: string,
  ): Promise<boolean> {
    return this.#do(
      "replace",
      () => this.#store.replace(key, record, expected),
    );
  }

  delete(key: string): Promise<void> {
    return this.#do("delete", () => this.#store.delete(key));
  }

  keysOf(user: string): Promise<string[]> {
    return this.#do("keysOf", () => this.#store.keysOf(user));
  }

  async #do<Result>(step: Step, action: () => Result): Promise<Result> {
    await this.watch?.(step, "before");
    const result = action();
    await this.watch?.(step, "after");
    return result;
  }
}
