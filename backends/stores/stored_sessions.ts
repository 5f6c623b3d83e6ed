/**
 * Sessions as records of a store: random ids, hashed keys, expiry, and the
 * promise that what was ended never comes back.
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";
import type { Payload, RejectReason } from "../backend.ts";
import { kindOf } from "../check.ts";
import {
  CLOCK_SKEW,
  isTime,
  isUserId,
  timeProblem,
  USER_ID,
} from "../claims.ts";
import type {
  SessionStore,
  StoreBackend,
  StoredSession,
  StoreRecord,
} from "./session_store.ts";
import { encodeHex, encodeUtf8, parseJsonObject } from "../tokens/bytes.ts";
import { TokenCache } from "../tokens/token_cache.ts";
import { forEachNew } from "./each_new.ts";
import { LatestWrites } from "./latest_writes.ts";
import { guard } from "./unawaited.ts";

const ID_BYTES = 32;
/** 32 bytes as base64url, in their one canonical spelling. */
const ID = /^[\w-]{42}[AEIMQUYcgkosw048]$/;
/** SHA-256 in hexadecimal digits, so that nobody takes it for an id. */
const KEY = /^[0-9a-f]{64}$/;
/** The longest text of a record, in bytes. */
const MAX_BYTES = 65_536;
/** What the keys that are remembered may take: those of 12,000 visitors. */
const KEYS_BYTES = 2 * 1024 * 1024;
/** Longer than any save takes, in milliseconds. */
const MARK_EXPIRES_IN = 3_600_000;
/** How often a renewal is tried while saves come in between. */
const MAX_RENEWALS = 3;

/** The sessions in a store. */
export class StoredSessions implements StoreBackend {
  readonly authenticated = true;
  readonly #store: SessionStore;
  readonly #writes = new LatestWrites();
  /** By their ids: to hash one takes longer than a store nearby. */
  readonly #keys = new TokenCache(KEYS_BYTES);
  /** The last of the keys of marks that were asked for. */
  #markKey = Promise.resolve("");
  #clock: () => number = Date.now;

  /** Keeps sessions in a store. */
  constructor(store: SessionStore) {
    this.#store = store;
  }

  useClock(clock: () => number): void {
    this.#clock = clock;
  }

  load(value: string): Payload | null | Promise<Payload | null> {
    return ID.test(value) ? this.#load(value) : null;
  }

  async save(payload: Payload, previous?: string): Promise<string> {
    const record = this.#record(payload);
    if (previous === undefined) return await this.#create(record);
    if (!ID.test(previous)) refuseEnded();
    // In line at once: the last save that was asked for is the last one done.
    const isThere = await this.#writes.run(
      previous,
      async () => this.#store.replace(await this.#keyOf(previous), record),
    );
    if (!isThere) refuseEnded();
    return previous;
  }

  async renew(value: string, claims: Payload): Promise<string | null> {
    if (!ID.test(value)) return null;
    const key = await this.#keyOf(value);
    for (let i = 0; i < MAX_RENEWALS; i++) {
      const text = await this.#store.get(key);
      const payload = this.#current(text);
      if (text === null || payload === null) return null;
      const isRenewed = Object.keys(claims).every((name) =>
        payload[name] === claims[name]
      );
      if (isRenewed) return value; // By another request of the same second.
      const record = this.#record({ ...payload, ...claims });
      if (await this.#store.replace(key, record, text)) return value;
      // Another request has saved the session, or ended it.
    }
    return null;
  }

  async remove(value: string): Promise<void> {
    if (!ID.test(value)) return;
    const key = await this.#keyOf(value);
    const payload = parseJsonObject(await this.#store.get(key));
    await this.#store.delete(
      key,
      payload === null ? undefined : userOf(payload),
    );
  }

  async explain(value: string): Promise<RejectReason> {
    if (!ID.test(value)) return "malformed";
    const key = await this.#keyOf(value);
    const payload = parseJsonObject(await this.#store.get(key));
    if (payload === null) return "unknown";
    return timeProblem(payload, this.#now()) ?? "malformed";
  }

  keyOf(value: string): Promise<string> {
    return keyOf(value);
  }

  userSessions(id: string | number): Promise<StoredSession[]> {
    return guard(this.#sessionsOf(id));
  }

  removeUserSession(id: string | number, key: string): Promise<void> {
    return guard(this.#removeSession(id, key));
  }

  removeUser(id: string | number): Promise<void> {
    return guard(this.#removeSessions(id));
  }

  async #sessionsOf(id: string | number): Promise<StoredSession[]> {
    const keys = [...await this.#store.keysOf(userText(id))];
    const sessions = await Promise.all(keys.map(async (key) => {
      const payload = this.#current(await this.#store.get(key));
      return { key, payload };
    }));
    // A key can outlive its record, and a record its user.
    return sessions.filter((session): session is StoredSession =>
      session.payload?.[USER_ID] === id
    );
  }

  async #removeSession(id: string | number, key: string): Promise<void> {
    const user = userText(id);
    if (!KEY.test(key)) return;
    const payload = parseJsonObject(await this.#store.get(key));
    if (payload?.[USER_ID] === id) await this.#store.delete(key, user);
  }

  async #removeSessions(id: string | number): Promise<void> {
    const user = userText(id);
    // From here on, a session of this user that is being begun is ended by who
    // began it, and the list has all others.
    await this.#store.set(await this.#markKeyOf(user), {
      text: crypto.randomUUID(),
      user: undefined,
      expiresIn: MARK_EXPIRES_IN,
    });
    await forEachNew(
      () => this.#store.keysOf(user),
      (key) => this.#removeSession(id, key),
    );
  }

  async #load(value: string): Promise<Payload | null> {
    return this.#current(await this.#store.get(await this.#keyOf(value)));
  }

  #keyOf(id: string): string | Promise<string> {
    return this.#keys.get(id) ?? this.#hash(id);
  }

  async #hash(id: string): Promise<string> {
    const key = await keyOf(id);
    this.#keys.set(id, key);
    return key;
  }

  /** Begins a session; nobody knows its id before this has ended. */
  async #create(record: StoreRecord): Promise<string> {
    const { user } = record;
    const value = newId();
    const [key, mark] = await Promise.all([
      this.#keyOf(value),
      user === undefined ? null : this.#markOf(user),
    ]);
    await this.#store.set(key, record);
    const markAfter = user === undefined ? null : await this.#markOf(user);
    // One that is gone is an old one, which the store has forgotten meanwhile.
    if (markAfter !== null && markAfter !== mark) {
      await this.#store.delete(key, user);
      refuseEnded();
    }
    return value;
  }

  /** What changes whenever all sessions of a user are ended. */
  async #markOf(user: string): Promise<string | null> {
    return await this.#store.get(await this.#markKeyOf(user));
  }

  /**
   * The key of the mark that a user's sessions were ended; no id has it. They
   * are made in turn, so that a mark that is to be read when `removeUser` is
   * called is read before that writes it.
   */
  #markKeyOf(user: string): Promise<string> {
    return this.#markKey = this.#markKey.then(() => keyOf(`ended ${user}`));
  }

  /**
   * The record of a session.
   *
   * @throws {RangeError} If it is too large.
   */
  #record(payload: Payload): StoreRecord {
    const text = JSON.stringify(payload);
    const { length } = encodeUtf8(text);
    if (length > MAX_BYTES) {
      throw new RangeError(
        `Cannot save session: its data are ${length} bytes as JSON, over the limit of ${MAX_BYTES}; store less, or keep the bulk under keys of its own`,
      );
    }
    return { text, user: userOf(payload), expiresIn: this.#expiryOf(payload) };
  }

  /**
   * How long a store must keep a session. Not just until it expires, which is
   * checked at each read: the request that read it before may still save it,
   * and another server's clock may be behind.
   */
  #expiryOf({ exp }: Payload): number {
    if (!isTime(exp)) return Infinity;
    return Math.max(0, Math.ceil((exp - this.#now() + CLOCK_SKEW) * 1000));
  }

  #current(text: string | null): Payload | null {
    const payload = parseJsonObject(text);
    return payload && timeProblem(payload, this.#now()) === undefined
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

/** The key of a session; nobody can get the session's id from it. */
async function keyOf(id: string): Promise<string> {
  return encodeHex(await crypto.subtle.digest("SHA-256", encodeUtf8(id)));
}

function userOf(payload: Payload): string | undefined {
  const id = payload[USER_ID];
  return isUserId(id) ? userText(id) : undefined;
}

/** A user's id as text: `1` and `"1"` are two, `-0` and `0` are one. */
function userText(id: string | number): string {
  if (isUserId(id)) return JSON.stringify(id);
  throw new TypeError(
    `Cannot find user's sessions: the id must be a string or a safe integer, not ${
      kindOf(id)
    }`,
  );
}

function refuseEnded(): never {
  throw new Error(
    "Cannot save session: it was ended by another request; begin a new one",
  );
}
