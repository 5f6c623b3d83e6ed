/**
 * A store of sessions in Redis.
 *
 * Behind a prefix, `record:` and a key is a session as text, and `user:` and a
 * user a sorted set of the keys of that user's sessions, by when they expire.
 * No command has two keys, so that each may lie on another node of a cluster.
 *
 * @module
 */

import { kindOf } from "../check.ts";
import type { SessionStore, StoreRecord } from "./session_store.ts";
import { encodeHex, encodeUtf8 } from "../tokens/bytes.ts";

/**
 * Sends a command and its arguments to Redis, and resolves to the answer: text,
 * a number, `null` or a list.
 */
export type RedisSend = (...args: string[]) => Promise<unknown>;

/** The longest life that a key is given, in milliseconds: 3,000 years. */
const MAX_EXPIRES_IN = 1e14;

/** Replaces a text by another where it is the one that is expected. */
const REPLACE = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return false end
return redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])`;

/** How many entries are remembered, so that not each save makes one. */
const MAX_ENTRIES = 10_000;
/**
 * How many times as long as a session its entry lives. One is remembered for one
 * life; where the next one fails, and the session is written all the same, it
 * still outlives the session.
 */
const ENTRY_LIVES = 3;

/** Enters a key into a user's list, which lives as long as its last key. */
const ENTER = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
redis.call("ZADD", KEYS[1], now + ARGV[2], ARGV[1])
local last = redis.call("ZRANGE", KEYS[1], -1, -1, "WITHSCORES")
return redis.call("PEXPIREAT", KEYS[1], last[2])`;

/** Keeps sessions in Redis. */
export class RedisStore implements SessionStore {
  readonly #send: RedisSend;
  readonly #prefix: string;
  /** The names that the server knows scripts by. */
  readonly #hashes = new Map<string, Promise<string>>();
  /** By keys: whose they are, and until when, by `performance.now()`. */
  readonly #entries = new Map<string, { user: string; until: number }>();

  /** Keeps sessions behind a prefix. */
  constructor(send: RedisSend, prefix: string) {
    this.#send = send;
    this.#prefix = prefix;
  }

  async get(key: string): Promise<string | null> {
    const text = await this.#send("GET", this.#recordKey(key));
    return text === null || typeof text === "string" ? text : refuse(text);
  }

  async set(key: string, record: StoreRecord): Promise<void> {
    // First, so that whoever ends all sessions of the user finds this one.
    await this.#enter(key, record);
    const { text } = record;
    await this.#send("SET", this.#recordKey(key), text, "PX", lifeOf(record));
  }

  async replace(
    key: string,
    record: StoreRecord,
    expected?: string,
  ): Promise<boolean> {
    const recordKey = this.#recordKey(key);
    const { text } = record;
    const life = lifeOf(record);
    // At once: a key in the list whose session has ended does no harm.
    const [, answer] = await Promise.all([
      this.#enter(key, record),
      expected === undefined
        ? this.#send("SET", recordKey, text, "PX", life, "XX")
        : this.#evaluate(REPLACE, recordKey, expected, text, life),
    ]);
    return answer === "OK" || answer !== null && refuse(answer);
  }

  async delete(key: string, user: string | undefined): Promise<void> {
    this.#entries.delete(key);
    await this.#send("DEL", this.#recordKey(key));
    if (user !== undefined) await this.#send("ZREM", this.#userKey(user), key);
  }

  async keysOf(user: string): Promise<string[]> {
    const keys = await this.#send("ZRANGE", this.#userKey(user), "0", "-1");
    return Array.isArray(keys) ? keys.map(String) : refuse(keys);
  }

  async #enter(key: string, record: StoreRecord): Promise<void> {
    const { user } = record;
    if (user === undefined) return;
    const life = Number(lifeOf(record));
    const now = performance.now();
    const entry = this.#entries.get(key);
    const isEntered = entry?.user === user &&
      entry.until - now >= (ENTRY_LIVES - 1) * life;
    if (isEntered) return;
    const entryLife = ENTRY_LIVES * life;
    await this.#evaluate(ENTER, this.#userKey(user), key, String(entryLife));
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.clear();
    this.#entries.set(key, { user, until: now + entryLife });
  }

  /** Runs a script, by its name where the server knows it. */
  async #evaluate(
    script: string,
    key: string,
    ...args: string[]
  ): Promise<unknown> {
    let hash = this.#hashes.get(script);
    if (hash === undefined) this.#hashes.set(script, hash = sha1(script));
    try {
      return await this.#send("EVALSHA", await hash, "1", key, ...args);
    } catch (error) {
      if (!String(error).includes("NOSCRIPT")) throw error;
      return await this.#send("EVAL", script, "1", key, ...args);
    }
  }

  #recordKey(key: string): string {
    return `${this.#prefix}record:${key}`;
  }

  #userKey(user: string): string {
    return `${this.#prefix}user:${user}`;
  }
}

/** How long a server shall keep a record, as an argument. */
function lifeOf({ expiresIn }: StoreRecord): string {
  // A session whose time has come is not there any more.
  return String(Math.min(Math.max(expiresIn, 1), MAX_EXPIRES_IN));
}

/** Nobody shall take what can't be read for a session that has ended. */
function refuse(answer: unknown): never {
  throw new TypeError(
    `Cannot read session: the client answered with ${
      kindOf(answer)
    }; let it answer with text, null and arrays`,
  );
}

/** What Redis names a script by. */
async function sha1(script: string): Promise<string> {
  return encodeHex(await crypto.subtle.digest("SHA-1", encodeUtf8(script)));
}
