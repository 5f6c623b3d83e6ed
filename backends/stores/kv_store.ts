/**
 * A store of sessions in Deno KV.
 *
 * Below a prefix, `records` holds the sessions by their key, as text in UTF-8,
 * and `users` an entry for each session of a user, by user and key, that is
 * written together with it.
 *
 * @module
 */

import type { SessionStore, StoreRecord } from "./session_store.ts";
import { decodeUtf8, encodeUtf8 } from "../tokens/bytes.ts";
import type { KvAtomic, KvKey, KvSetOptions, KvStore } from "./kv_types.ts";

/** About 30,000 years, in milliseconds: Deno KV refuses much longer ones. */
const MAX_EXPIRE_IN = 1e15;
/** How often a write is tried while other processes are faster. */
const MAX_ATTEMPTS = 100;

/** Keeps sessions in Deno KV. */
export class KvSessionStore implements SessionStore {
  readonly #kv: KvStore;
  readonly #prefix: KvKey;

  /** Keeps sessions in a database, below a prefix. */
  constructor(kv: KvStore, prefix: KvKey) {
    this.#kv = kv;
    this.#prefix = prefix;
  }

  async get(key: string): Promise<string | null> {
    return textOf((await this.#kv.get(this.#recordKey(key))).value);
  }

  async set(key: string, record: StoreRecord): Promise<void> {
    await this.#write(this.#kv.atomic(), key, record).commit();
  }

  async replace(
    key: string,
    record: StoreRecord,
    expected?: string,
  ): Promise<boolean> {
    for (let i = 0; i < MAX_ATTEMPTS; i++) {
      const entry = await this.#kv.get(this.#recordKey(key));
      const text = textOf(entry.value);
      if (text === null || text !== (expected ?? text)) return false;
      const operation = this.#kv.atomic().check(entry);
      if ((await this.#write(operation, key, record).commit()).ok) return true;
    }
    throw new Error(
      `Cannot write session: other processes were faster ${MAX_ATTEMPTS} times; try again`,
    );
  }

  async delete(key: string, user: string | undefined): Promise<void> {
    const operation = this.#kv.atomic().delete(this.#recordKey(key));
    if (user !== undefined) operation.delete(this.#userKey(user, key));
    await operation.commit();
  }

  async keysOf(user: string): Promise<string[]> {
    const prefix = [...this.#prefix, "users", user];
    const entries = this.#kv.list({ prefix });
    return await Array.fromAsync(entries, ({ key }) => String(key.at(-1)));
  }

  /** Bytes, so that the store's own form takes no more room than the text. */
  #write(
    operation: KvAtomic,
    key: string,
    { text, user, expiresIn }: StoreRecord,
  ): KvAtomic {
    const options: KvSetOptions = expiresIn === Infinity
      ? {}
      : { expireIn: Math.min(expiresIn, MAX_EXPIRE_IN) };
    operation.set(this.#recordKey(key), encodeUtf8(text), options);
    return user === undefined
      ? operation
      : operation.set(this.#userKey(user, key), 1, options);
  }

  #recordKey(key: string): KvKey {
    return [...this.#prefix, "records", key];
  }

  #userKey(user: string, key: string): KvKey {
    return [...this.#prefix, "users", user, key];
  }
}

function textOf(value: unknown): string | null {
  return value instanceof Uint8Array ? decodeUtf8(value) : null;
}
