/**
 * The remember-me cookie: a token of its own type, under a key of its own, so
 * that a session is never a remember token, nor the reverse.
 *
 * @module
 */

import type { Backend, SecretKey } from "../backends/backend.ts";
import { checkType } from "../backends/check.ts";
import { isTime } from "../backends/claims.ts";
import { deriveHmacKey } from "../backends/tokens/keys.ts";
import { jwtBackend } from "../backends/jwt.ts";
import { NamedCookie } from "../session/cookie.ts";
import type { Exchange } from "../session/exchange.ts";
import type { SessionCore } from "../session/core.ts";

/** The most days a browser keeps a cookie. */
const MAX_DAYS = 400;
const SECONDS_PER_DAY = 86_400;
const TOKEN_TYPE = "remember+jwt";
const KEY_PURPOSE = "denizen remember me";

/** What a remember token says. */
export interface Remembered {
  /** Whom to log in. */
  userId: string | number;
  /** How many days the cookie lives after each renewal. */
  days: number;
  /** The user's security stamp when it was made. */
  stamp: string | undefined;
}

/** Reads and writes the remember-me cookie of one Login. */
export class RememberCookie {
  readonly #core: SessionCore;
  readonly #name: string;
  /** The session's cookie, and this one beside it. */
  #cookies: readonly [beside: NamedCookie, own: NamedCookie];
  /** What goes out in place of what came in. */
  readonly #outgoing = new WeakMap<Exchange, Remembered | null>();
  #keys: readonly SecretKey[] = [];
  #backend: Promise<Backend> | undefined;

  constructor(core: SessionCore, name: string) {
    this.#core = core;
    this.#name = name;
    this.#cookies = this.#makeCookies();
  }

  /** @throws {TypeError} If there is no secret key to sign with. */
  checkKey(): void {
    if (this.#core.config.keys.length > 0) return;
    throw new TypeError(
      "Cannot remember user: the session has no secretKey; give it one, whatever the backend",
    );
  }

  /** Sets the cookie for the number of days it is to live. */
  async set(exchange: Exchange, remembered: Remembered): Promise<void> {
    const { userId, days, stamp } = remembered;
    const maxAge = days * SECONDS_PER_DAY;
    const now = Math.floor(this.#core.config.lifetime.now);
    const token = await (await this.#tokens()).save({
      user_id: userId,
      days,
      stamp,
      iat: now,
      exp: now + maxAge,
    });
    exchange.setCookie(this.#cookie.set(exchange.request, token, maxAge));
    this.#outgoing.set(exchange, remembered);
  }

  /** Removes the cookie. */
  clear(exchange: Exchange): void {
    exchange.setCookie(this.#cookie.delete(exchange.request));
    this.#outgoing.set(exchange, null);
  }

  /** Whether there is such a cookie by now, good or bad. */
  isPresent(exchange: Exchange): boolean {
    const outgoing = this.#outgoing.get(exchange);
    return outgoing === undefined
      ? this.#find(exchange) !== undefined
      : outgoing !== null;
  }

  /** Reads the cookie. Of several values, exactly one must be valid. */
  async read(exchange: Exchange): Promise<Remembered | null> {
    const outgoing = this.#outgoing.get(exchange);
    if (outgoing !== undefined) return outgoing;
    const found = this.#find(exchange);
    if (found === undefined || this.#core.config.keys.length === 0) return null;
    const tokens = await this.#tokens();
    const payloads = await Promise.all(
      [found].flat().map((value) => tokens.load(value)),
    );
    const [payload, ...others] = payloads.filter((one) => one !== null);
    if (payload === undefined || others.length > 0) return null;
    const { user_id: userId, days, stamp, exp } = payload;
    if (!isUserId(userId) || !isTime(exp)) return null;
    if (!isDays(days) || !isStamp(stamp)) return null;
    return { userId, days, stamp };
  }

  /** The cookie; made anew when the session's changes. */
  get #cookie(): NamedCookie {
    if (this.#cookies[0] !== this.#core.config.cookie) {
      this.#cookies = this.#makeCookies();
    }
    return this.#cookies[1];
  }

  #makeCookies(): [beside: NamedCookie, own: NamedCookie] {
    const beside = this.#core.config.cookie;
    if (this.#name === beside.name) {
      throw new TypeError(
        `Cannot use rememberCookieName "${this.#name}": the session's cookie has that name; give it another`,
      );
    }
    const { secure } = beside.attributes;
    return [
      beside,
      new NamedCookie(this.#name, { secure }, "rememberCookieName"),
    ];
  }

  #find(exchange: Exchange): undefined | string | string[] {
    return this.#cookie.read(exchange.request);
  }

  /** The tokens' backend; made anew when the session's keys change. */
  #tokens(): Promise<Backend> {
    const { keys, settings: { clock } } = this.#core.config;
    if (this.#backend === undefined || keys !== this.#keys) {
      this.#keys = keys;
      const derived = keys.map((key) => deriveHmacKey(key, KEY_PURPOSE));
      this.#backend = Promise.all(derived).then((secretKey) =>
        jwtBackend({ secretKey, type: TOKEN_TYPE, clock })
      );
    }
    return this.#backend;
  }
}

/** Whether a value can be a user's id; `0` and `""` can. */
export function isUserId(id: unknown): id is string | number {
  return typeof id === "string" || Number.isFinite(id);
}

/**
 * Checks a number of days.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is none that a browser keeps a cookie for.
 */
export function checkDays(option: string, days: unknown): void {
  checkType(option, days, "number");
  if (isDays(days)) return;
  throw new RangeError(
    `Cannot use ${option}: it must be a whole number of days from 1 to ${MAX_DAYS}, not ${days}`,
  );
}

function isDays(days: unknown): days is number {
  return Number.isInteger(days) && Number(days) >= 1 &&
    Number(days) <= MAX_DAYS;
}

function isStamp(stamp: unknown): stamp is string | undefined {
  return stamp === undefined || typeof stamp === "string";
}
