/**
 * Sessions as records of a key-value store, and the entries that find them by
 * their user.
 *
 * @module
 */

import type { Payload } from "../backend.ts";
import {
  type Bytes,
  decodeUtf8,
  encodeUtf8,
  parseJsonObject,
} from "../bytes.ts";
import { CLOCK_SKEW, isTime, USER_ID } from "../claims.ts";
import type { KvEntry, KvKey, KvSetOptions, KvStore } from "./kv_store.ts";

/** The longest value that Deno KV stores, in bytes. */
const MAX_RECORD_BYTES = 65_536;
/** About 30,000 years, in milliseconds: Deno KV refuses much longer ones. */
const MAX_EXPIRE_IN = 1e15;
/** Longer than any save takes, in milliseconds. */
const REMOVAL_EXPIRE_IN = 3_600_000;
/** How often a write is tried while others are faster. */
const MAX_ATTEMPTS = 100;

/** What tells one user from another: `1` and `"1"` are two. */
export type UserId = string | number;

/**
 * A session in the form it is stored in: its JSON text in UTF-8. The store
 * keeps bytes as they are. So their number is known before the write, and names
 * such as `__proto__` are data to every runtime that reads them.
 */
export interface KvRecord {
  /** The JSON text. */
  bytes: Bytes;
  /** The user who is logged in, if any. */
  user: UserId | undefined;
  /** When the store may delete it. */
  options: KvSetOptions;
}

/**
 * Makes a record of a session.
 *
 * @param payload The session.
 * @param now The time, in seconds since the epoch.
 * @throws {RangeError} If it is larger than Deno KV allows.
 */
export function toRecord(payload: Payload, now: number): KvRecord {
  const bytes = encodeUtf8(JSON.stringify(payload));
  if (bytes.length > MAX_RECORD_BYTES) {
    throw new RangeError(
      `Cannot save session: its data are ${bytes.length} bytes as JSON, over the limit of ${MAX_RECORD_BYTES} for a value in Deno KV; store less, or keep the bulk under keys of its own`,
    );
  }
  return { bytes, user: userOf(payload), options: expiryOf(payload, now) };
}

/** The session in an entry, or `null` where there is none. */
export function readRecord({ value }: KvEntry): Payload | null {
  return value instanceof Uint8Array
    ? parseJsonObject(decodeUtf8(value))
    : null;
}

/** The user who is logged in, if any. `0` and `""` are users. */
export function userOf(payload: Payload | null): UserId | undefined {
  const id = payload?.[USER_ID];
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

/**
 * The records below a prefix. Under `records` are the sessions by their hash,
 * under `users` an entry for each session of a user by user and hash, written
 * together with it, and under `removals` by user when all of them were ended.
 */
export class KvRecords {
  readonly #kv: KvStore;
  readonly #prefix: KvKey;

  /** Keeps records in a store, below a prefix. */
  constructor(kv: KvStore, prefix: KvKey) {
    this.#kv = kv;
    this.#prefix = prefix;
  }

  /** Reads the entry of a session. */
  async get(hash: string): Promise<KvEntry> {
    return await this.#kv.get(this.#recordKey(hash));
  }

  /** The entry of a session that was never written. */
  absent(hash: string): KvEntry {
    return { key: this.#recordKey(hash), value: null, versionstamp: null };
  }

  /** Reads when all sessions of a user were last ended. */
  async getRemoval(user: UserId): Promise<KvEntry> {
    return await this.#kv.get(this.#removalKey(user));
  }

  /** Ends the writes of a user's sessions that have begun: their check fails. */
  async setRemoval(user: UserId): Promise<void> {
    const options = { expireIn: REMOVAL_EXPIRE_IN };
    await this.#kv.set(this.#removalKey(user), 1, options);
  }

  /**
   * Writes a session and the entry of its user together.
   *
   * @param entry What was read of the session before.
   * @param removal What was read of its user's removal.
   * @returns Whether it did; not where either has changed since.
   */
  async replace(
    hash: string,
    record: KvRecord,
    entry: KvEntry,
    removal?: KvEntry,
  ): Promise<boolean> {
    const { bytes, user, options } = record;
    const userBefore = userOf(readRecord(entry));
    const operation = this.#kv.atomic().check(entry);
    if (removal !== undefined) operation.check(removal);
    operation.set(this.#recordKey(hash), bytes, options);
    if (userBefore !== undefined && userBefore !== user) {
      operation.delete(this.#userKey(userBefore, hash));
    }
    if (user !== undefined) {
      operation.set(this.#userKey(user, hash), 1, options);
    }
    return (await operation.commit()).ok;
  }

  /** Deletes a session and the entry of its user together. */
  remove(hash: string): Promise<void> {
    return retry(async () => {
      const entry = await this.get(hash);
      return entry.versionstamp === null || await this.#delete(hash, entry);
    });
  }

  /** Deletes a session, but no other user's, and the entry of its user. */
  removeOfUser(hash: string, user: UserId): Promise<void> {
    return retry(async () => {
      const entry = await this.get(hash);
      if (userOf(readRecord(entry)) === user) return this.#delete(hash, entry);
      // An entry can outlive its session where the store deletes what expired.
      if (entry.versionstamp === null) {
        await this.#kv.delete(this.#userKey(user, hash));
      }
      return true;
    });
  }

  /** Lists the hashes of a user's sessions. */
  async *hashesOf(user: UserId): AsyncGenerator<string> {
    const prefix = [...this.#prefix, "users", user];
    for await (const { key } of this.#kv.list({ prefix })) {
      yield String(key.at(-1));
    }
  }

  async #delete(hash: string, entry: KvEntry): Promise<boolean> {
    const user = userOf(readRecord(entry));
    const operation = this.#kv.atomic().check(entry)
      .delete(this.#recordKey(hash));
    if (user !== undefined) operation.delete(this.#userKey(user, hash));
    return (await operation.commit()).ok;
  }

  #recordKey(hash: string): KvKey {
    return [...this.#prefix, "records", hash];
  }

  #userKey(user: UserId, hash: string): KvKey {
    return [...this.#prefix, "users", user, hash];
  }

  #removalKey(user: UserId): KvKey {
    return [...this.#prefix, "removals", user];
  }
}

/**
 * Repeats what did not succeed because another request was faster. Each time,
 * one of those who compete succeeds.
 *
 * @throws {Error} If there is no end to it.
 */
export async function retry(attempt: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < MAX_ATTEMPTS; i++) {
    if (await attempt()) return;
  }
  throw new Error(
    `Cannot write session: other requests were faster ${MAX_ATTEMPTS} times; try again`,
  );
}

/**
 * When the store may delete a session. Not at once when it expires, which is
 * checked at each read: the request that read it just before may still save
 * it, and another server's clock may be behind.
 */
function expiryOf({ exp }: Payload, now: number): KvSetOptions {
  if (!isTime(exp)) return {};
  const expireIn = Math.ceil((exp - now + CLOCK_SKEW) * 1000);
  return { expireIn: Math.min(Math.max(expireIn, 0), MAX_EXPIRE_IN) };
}
