/**
 * The remember-me cookie: a token of its own type, under a key of its own, so
 * that a session is never a remember token, nor the reverse.
 *
 * @module
 */

import type { SecretKey } from "../backends/backend.ts";
import { CLOCK_SKEW, COOKIE, isTime, isUserId } from "../backends/claims.ts";
import { JwtCodec } from "../backends/tokens/jwt_token.ts";
import { deriveHmacKey } from "../backends/tokens/keys.ts";
import { TokenBackend } from "../backends/tokens/token_backend.ts";
import type { SessionCore } from "../session/core.ts";
import { NamedCookie } from "../session/cookie.ts";
import type { Exchange } from "../session/exchange.ts";
import { isDays, MAX_DAYS } from "./options.ts";

const SECONDS_PER_DAY = 86_400;
const TOKEN_TYPE = "remember+jwt";
const KEY_PURPOSE = "denizen remember me";
/** A cookie that is remembered is read once, then there is a session. */
const CACHE_BYTES = 1024 * 1024;

/** What a remember token says. */
export interface Remembered {
  /** Whom to log in. */
  userId: string | number;
  /** How many days the cookie lives after each renewal. */
  days: number;
  /** When the password was given, in seconds since the epoch. */
  authTime: number;
  /** The user's security stamp when it was made. */
  stamp: string | undefined;
}

/** What is found: `"ended"` is a token of ours that no longer holds. */
export type Found = Remembered | "ended" | null;

/** Reads and writes the remember-me cookie of one Login. */
export class RememberCookie {
  readonly #core: SessionCore;
  readonly #name: string | undefined;
  /** What goes out in place of what came in. */
  readonly #outgoing = new WeakMap<Exchange, Remembered | null>();
  /** The session's cookie, and this one beside it. */
  #cookies: readonly [beside: NamedCookie, own: NamedCookie];
  #keys: readonly SecretKey[] = [];
  #backend: Promise<TokenBackend> | undefined;

  /**
   * Makes the cookie.
   *
   * @throws {TypeError} If the name is that of the session's cookie, or lacks
   * its prefix.
   */
  constructor(core: SessionCore, name: string | undefined) {
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

  /** Sets the cookie for the days it is to live, but not for ever. */
  async set(exchange: Exchange, remembered: Remembered): Promise<void> {
    const { userId, days, stamp, authTime } = remembered;
    const now = Math.floor(this.#core.config.lifetime.now);
    const exp = Math.min(
      now + days * SECONDS_PER_DAY,
      authTime + MAX_DAYS * SECONDS_PER_DAY,
    );
    const token = await (await this.#tokens()).save({
      user_id: userId,
      days,
      stamp,
      auth_time: authTime,
      [COOKIE]: this.#cookies[0].name,
      exp,
    });
    exchange.setCookie(this.#cookie.set(exchange.request, token, exp - now));
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
      ? this.#cookie.read(exchange.request) !== undefined
      : outgoing !== null;
  }

  /** Reads the cookie. Of several values, exactly one must be of ours. */
  async read(exchange: Exchange): Promise<Found> {
    const outgoing = this.#outgoing.get(exchange);
    if (outgoing !== undefined) return outgoing;
    const found = this.#cookie.read(exchange.request);
    if (found === undefined || this.#core.config.keys.length === 0) return null;
    const tokens = await this.#tokens();
    const values = await Promise.all(
      [found].flat().map((value) => this.#readToken(tokens, value)),
    );
    const [own = null, ...others] = values.filter((value) => value !== null);
    return others.length > 0 ? null : own;
  }

  async #readToken(tokens: TokenBackend, value: string): Promise<Found> {
    const payload = await tokens.load(value);
    if (payload === null) {
      return await tokens.explain(value) === "expired" ? "ended" : null;
    }
    const { user_id: userId, days, stamp, exp, auth_time: authTime } = payload;
    if (payload[COOKIE] !== this.#cookies[0].name) return null;
    const isWhole = isUserId(userId) && isTime(exp) && isTime(authTime) &&
      authTime <= this.#core.config.lifetime.now + CLOCK_SKEW &&
      isDays(days) && (stamp === undefined || typeof stamp === "string");
    return isWhole ? { userId, days, stamp, authTime } : null;
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
    const [prefix] = /^__(host|secure)-/i.exec(beside.name) ?? [""];
    const name = this.#name ?? defaultName(prefix, beside.name);
    if (name === beside.name) {
      throw new TypeError(
        `Cannot use rememberCookieName "${name}": the session's cookie has that name; give it another`,
      );
    }
    if (!String(name).startsWith(prefix)) {
      throw new TypeError(
        `Cannot use rememberCookieName "${name}": the session's cookie has the prefix ${prefix}, and without it anybody could set this one; use "${prefix}${name}"`,
      );
    }
    // Its own attributes are the session's: one that goes along where the
    // session doesn't would log in where the session can't.
    const attributes = { ...beside.attributes, httpOnly: true };
    delete attributes.maxAge;
    return [beside, new NamedCookie(name, attributes, "rememberCookieName")];
  }

  /** The tokens' backend; made anew when the session's keys change. */
  #tokens(): Promise<TokenBackend> {
    const { keys, settings: { clock } } = this.#core.config;
    if (this.#backend === undefined || keys !== this.#keys) {
      this.#keys = keys;
      const derived = keys.map((key) => deriveHmacKey(key, KEY_PURPOSE));
      this.#backend = Promise.all(derived).then((keys) => {
        const codec = new JwtCodec({ keys, type: TOKEN_TYPE });
        return new TokenBackend(codec, clock, CACHE_BYTES);
      });
    }
    return this.#backend;
  }
}

/** `_remember` beside `session`, `admin_remember` beside `admin`. */
function defaultName(prefix: string, sessionName: string): string {
  const name = sessionName.slice(prefix.length);
  if (name === "session") {
    return prefix === "" ? "_remember" : `${prefix}remember`;
  }
  return `${sessionName}_remember`;
}
