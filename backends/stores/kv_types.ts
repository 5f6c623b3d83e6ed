/**
 * The part of Deno KV that sessions are kept in, as types of our own: they
 * need no unstable flag, and another store of this shape serves as well.
 *
 * @module
 */

/** A key: its parts keep their type, so that `1` and `"1"` are two keys. */
export type KvKey = readonly (
  | Uint8Array
  | string
  | number
  | bigint
  | boolean
  | symbol
)[];

/** What is stored under a key, or that nothing is. */
export interface KvEntry {
  /** The key. */
  key: KvKey;
  /** The value; `null` where there is none. */
  value: unknown;
  /** The version of the value; `null` where there is none. */
  versionstamp: string | null;
}

/** Options of a write. */
export interface KvSetOptions {
  /** Milliseconds from now after which the store may delete the value. */
  expireIn?: number;
}

/** Writes that happen together, or not at all. */
export interface KvAtomic {
  /** Demands that a key still has the version that was read. */
  check(...entries: Pick<KvEntry, "key" | "versionstamp">[]): KvAtomic;
  /** Writes a value. */
  set(key: KvKey, value: unknown, options?: KvSetOptions): KvAtomic;
  /** Deletes a value. */
  delete(key: KvKey): KvAtomic;
  /** Does it; not `ok` where a check failed, and then nothing was written. */
  commit(): Promise<{ ok: boolean }>;
}

/**
 * A key-value store that `Deno.Kv` is one of. Its reads must be strong: they
 * see every write that was finished before.
 */
export interface KvStore {
  /** Reads what is stored under a key. */
  get(key: KvKey): Promise<KvEntry>;
  /** Reads all entries whose keys begin with a prefix and go on after it. */
  list(selector: { prefix: KvKey }): AsyncIterable<KvEntry>;
  /** Begins writes that happen together. */
  atomic(): KvAtomic;
}
