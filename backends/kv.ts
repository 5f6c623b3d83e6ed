/**
 * Sessions on the server: the cookie holds a random id, Deno KV the data. They
 * may be larger than a cookie, a client can't read them, and they end when you
 * say so, wherever the cookie was copied to.
 *
 * `Deno.openKv` needs `--unstable-kv`, or `"unstable": ["kv"]` in `deno.json`.
 *
 * @example Log out everywhere
 * ```ts
 * import { Session } from "@denizen/session";
 * import { kvBackend } from "@denizen/session/kv";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:");
 * const backend = kvBackend(kv);
 * const session = new Session({ backend }); // It needs no secret key.
 *
 * const phone = await session.encode({ _user_id: 7, device: "phone" });
 * const laptop = await session.encode({ _user_id: 7, device: "laptop" });
 * assertEquals(await session.decode(phone), { _user_id: 7, device: "phone" });
 *
 * await backend.removeUser(7);
 * assertEquals(await session.decode(phone), {});
 * assertEquals(await session.decode(laptop), {});
 * ```
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";
import type { Backend, Payload, RejectReason } from "./backend.ts";
import { encodeUtf8 } from "./bytes.ts";
import { checkOptions, type Checks, ofType } from "./check.ts";
import { timeProblem } from "./claims.ts";
import {
  KvRecords,
  readRecord,
  retry,
  toRecord,
  userOf,
} from "./stores/kv_records.ts";
import {
  checkPrefix,
  checkStore,
  type KvEntry,
  type KvKey,
  type KvStore,
} from "./stores/kv_store.ts";

export type { Backend, Payload } from "./backend.ts";
export type {
  KvAtomic,
  KvEntry,
  KvKey,
  KvSetOptions,
  KvStore,
} from "./stores/kv_store.ts";

const ID_BYTES = 32;
/** 32 bytes as base64url, in their one canonical spelling. */
const ID = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
/** SHA-256 in hexadecimal digits, so that nobody takes it for an id. */
const HASH = /^[0-9a-f]{64}$/;

const CHECKS: Checks<KvBackendOptions> = {
  prefix: () => {}, // Checked by checkPrefix.
  clock: ofType("function"),
};

/** Options of {@linkcode kvBackend}. */
export interface KvBackendOptions {
  /**
   * What the keys of all records begin with.
   *
   * @default {["sessions"]}
   */
  prefix?: KvKey;
  /**
   * Milliseconds since the epoch; for tests.
   *
   * @default {Date.now}
   */
  clock?: () => number;
}

/** One of a user's sessions. */
export interface KvUserSession {
  /** What the session is stored under. No cookie value can be had from it. */
  key: string;
  /** The content. */
  payload: Payload;
}

/**
 * Keeps sessions in Deno KV. The session of a logged-in user, whose id is in
 * `_user_id`, can be found by that id; `1` and `"1"` are two users.
 */
export interface KvBackend extends Required<Backend> {
  /**
   * Lists the sessions of a user, for a page that shows where they are logged
   * in.
   *
   * @param id The user's id.
   * @returns The sessions that have not expired.
   */
  userSessions(id: string | number): Promise<KvUserSession[]>;
  /**
   * Ends one of a user's sessions. Another user's session is left alone, so
   * the key may come from a form.
   *
   * @param id The user's id.
   * @param key The session's key in the list.
   */
  removeUserSession(id: string | number, key: string): Promise<void>;
  /**
   * Ends all sessions of a user that there are when it is called, those
   * included that are being saved or begun: such a save rejects. What begins
   * after it, such as a new login, stands; what begins while it runs may be
   * ended too.
   *
   * @param id The user's id.
   */
  removeUser(id: string | number): Promise<void>;
}

/**
 * Makes a backend that keeps sessions in a Deno KV database, which you open
 * and close. The cookie holds 32 random bytes; the record lies under their
 * hash, so that nobody who reads the database can take over a session.
 *
 * Concurrent saves of one session: the last one wins. A save never brings back
 * a session that was ended, and rejects instead. A failure of the database is
 * passed on. What has expired is deleted by the database, in its own time; a
 * payload without `exp` stays until it is removed.
 *
 * @example List one's own sessions, and end one
 * ```ts
 * import { kvBackend } from "@denizen/session/kv";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:");
 * const backend = kvBackend(kv, { prefix: ["shop", "sessions"] });
 *
 * const id = await backend.save({ _user_id: "susan", device: "phone" });
 * const [{ key, payload }] = await backend.userSessions("susan");
 * assertEquals(payload.device, "phone");
 *
 * await backend.removeUserSession("susan", key);
 * assertEquals(await backend.load(id), null);
 * ```
 *
 * @param kv The database, or another store of its shape.
 * @param options The options.
 * @returns The backend.
 * @throws {TypeError} If `kv` lacks a method, or `prefix` is no key.
 */
export function kvBackend(
  kv: KvStore,
  options?: KvBackendOptions,
): KvBackend {
  return new KvSessions(kv, options);
}

class KvSessions implements KvBackend {
  readonly authenticated = true;
  readonly #records: KvRecords;
  readonly #clock: () => number;

  constructor(kv: KvStore, options: KvBackendOptions | undefined) {
    const { prefix = ["sessions"], clock = Date.now } = checkOptions(
      options,
      CHECKS,
    );
    this.#records = new KvRecords(checkStore(kv), checkPrefix(prefix));
    this.#clock = clock;
  }

  load(value: string): Payload | null | Promise<Payload | null> {
    return ID.test(value) ? this.#load(value) : null;
  }

  async save(payload: Payload, previous?: string): Promise<string> {
    const record = toRecord(payload, this.#now());
    if (previous !== undefined && !ID.test(previous)) refuseEnded();
    const value = previous ?? newId();
    const hashing = hashOf(value);
    let removalBefore: KvEntry | undefined;
    await retry(async () => {
      const [hash, entry, removal] = await Promise.all([
        hashing,
        hashing.then((hash) =>
          previous === undefined
            ? this.#records.absent(hash)
            : this.#records.get(hash)
        ),
        // Asked for before anything is waited for, so that a removeUser() that
        // is called after this save() comes after it.
        record.user === undefined
          ? undefined
          : this.#records.getRemoval(record.user),
      ]);
      removalBefore ??= removal;
      const isEnded = previous !== undefined && entry.versionstamp === null;
      if (isEnded || isNewer(removal, removalBefore)) refuseEnded();
      return this.#records.replace(hash, record, entry, removal);
    });
    return value;
  }

  async renew(value: string, claims: Payload): Promise<string | null> {
    if (!ID.test(value)) return null;
    const hash = await hashOf(value);
    const entry = await this.#records.get(hash);
    const current = this.#current(entry);
    if (current === null) return null;
    const record = toRecord({ ...current, ...claims }, this.#now());
    if (await this.#records.replace(hash, record, entry)) return value;
    // Another request has saved the session, and so renewed it, or ended it.
    const { versionstamp } = await this.#records.get(hash);
    return versionstamp === null ? null : value;
  }

  async remove(value: string): Promise<void> {
    if (ID.test(value)) await this.#records.remove(await hashOf(value));
  }

  async userSessions(id: string | number): Promise<KvUserSession[]> {
    const sessions: KvUserSession[] = [];
    for await (const key of this.#records.hashesOf(id)) {
      const payload = this.#current(await this.#records.get(key));
      if (payload !== null && userOf(payload) === id) {
        sessions.push({ key, payload });
      }
    }
    return sessions;
  }

  async removeUserSession(id: string | number, key: string): Promise<void> {
    if (HASH.test(key)) await this.#records.removeOfUser(key, id);
  }

  async removeUser(id: string | number): Promise<void> {
    // From here on, a save that began before writes no session of this user,
    // and the list has all that were written.
    await this.#records.setRemoval(id);
    for await (const hash of this.#records.hashesOf(id)) {
      await this.#records.removeOfUser(hash, id);
    }
  }

  async explain(value: string): Promise<RejectReason> {
    if (!ID.test(value)) return "malformed";
    const payload = readRecord(await this.#records.get(await hashOf(value)));
    return payload === null
      ? "unknown"
      : timeProblem(payload, this.#now()) ?? "malformed";
  }

  async #load(value: string): Promise<Payload | null> {
    return this.#current(await this.#records.get(await hashOf(value)));
  }

  #current(entry: KvEntry): Payload | null {
    const payload = readRecord(entry);
    return payload !== null && timeProblem(payload, this.#now()) === undefined
      ? payload
      : null;
  }

  #now(): number {
    return this.#clock() / 1000;
  }
}

function newId(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
}

async function hashOf(id: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", encodeUtf8(id));
  return Array.from(
    new Uint8Array(digest),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** Whether a user's sessions were ended since; an old memory of it may go. */
function isNewer(removal?: KvEntry, before?: KvEntry): boolean {
  const version = removal?.versionstamp ?? null;
  return version !== null && version !== before?.versionstamp;
}

function refuseEnded(): never {
  throw new Error(
    "Cannot save session: it was ended by another request; begin a new one",
  );
}
