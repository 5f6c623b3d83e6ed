/**
 * A store in memory.
 *
 * @module
 */

import {
  type SessionStore,
  type StoreBackend,
  storeBackend,
  type StoreRecord,
} from "../../backends/store.ts";
import { type Entry, TestStore } from "./_test_store.ts";

/** The store as one has it who writes one: nothing but what it must do. */
export class MemoryStore implements SessionStore {
  readonly records = new Map<string, StoreRecord>();

  get(key: string): string | null {
    return this.records.get(key)?.text ?? null;
  }

  set(key: string, record: StoreRecord): void {
    this.records.set(key, record);
  }

  replace(key: string, record: StoreRecord, expected?: string): boolean {
    const text = this.get(key);
    if (text === null || text !== (expected ?? text)) return false;
    this.set(key, record);
    return true;
  }

  delete(key: string): void {
    this.records.delete(key);
  }

  keysOf(user: string): string[] {
    return [...this.records].filter(([, record]) => record.user === user)
      .map(([key]) => key);
  }
}

/** A store that does some things in another way. */
export function changed(
  store: MemoryStore,
  changes: Partial<SessionStore>,
): SessionStore {
  return {
    get: (key) => store.get(key),
    set: (...args) => store.set(...args),
    replace: (...args) => store.replace(...args),
    delete: (key) => store.delete(key),
    keysOf: (user) => store.keysOf(user),
    ...changes,
  };
}

/** A store in memory, with pauses. */
export class TestMemory extends TestStore {
  readonly store = new MemoryStore();

  protected override newBackend(): StoreBackend {
    const { store } = this;
    const work = <T>(what: string, work: () => T) =>
      this.work(what, () => Promise.resolve(work()));
    return storeBackend({
      get: (key) => work("get", () => store.get(key)),
      set: (...args) => work("set", () => store.set(...args)),
      replace: (...args) => work("replace", () => store.replace(...args)),
      delete: (key) => work("delete", () => store.delete(key)),
      keysOf: (user) => work("keysOf", () => store.keysOf(user)),
    });
  }

  override entries(): Promise<Entry[]> {
    return Promise.resolve(
      Array.from(
        this.store.records,
        ([key, { text, expiresIn }]) => ({
          key,
          text,
          isLasting: expiresIn === Infinity,
        }),
      ),
    );
  }

  override spoil(text: string): Promise<void> {
    for (const record of this.store.records.values()) record.text = text;
    return Promise.resolve();
  }

  override age(seconds: number): void {
    for (const [key, record] of this.store.records) {
      record.expiresIn -= seconds * 1000;
      if (record.expiresIn <= 0) this.store.delete(key);
    }
  }

  override close(): void {}
}
