/**
 * The remember-me cookie: whom to log in when there is no session any more.
 *
 * @module
 */

import type { Payload } from "../backends/backend.ts";
import { CLOCK_SKEW, isTime, isUserId } from "../backends/claims.ts";
import type { SessionCore } from "../session/core.ts";
import { NamedCookie } from "../session/cookie.ts";
import type { Exchange } from "../session/exchange.ts";
import { isDays, MAX_DAYS } from "./options.ts";
import {
  isStoreBackend,
  type Place,
  RememberSeries,
  type SeriesOwner,
  type Standing,
} from "./series.ts";
import { PurposeTokens } from "./tokens.ts";

const SECONDS_PER_DAY = 86_400;
const KIND = {
  type: "remember+jwt",
  purpose: "denizen remember me",
  action: "remember user",
};

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
  /** Where it stands in its series, if it has one. */
  place?: Place;
}

/** A token of ours, and what it says. */
export interface Found {
  /** The token. */
  token: string;
  /** What it says; nothing where it has expired. */
  remembered?: Remembered;
}

/** Reads and writes the remember-me cookie of one Login. */
export class RememberCookie {
  readonly #core: SessionCore;
  readonly #name: string | undefined;
  readonly #tokens: PurposeTokens;
  /** What goes out in place of what came in. */
  readonly #outgoing = new WeakMap<Exchange, Found | null>();
  /** The session's cookie, and this one beside it. */
  #cookies: readonly [beside: NamedCookie, own: NamedCookie];

  /**
   * Makes the cookie.
   *
   * @throws {TypeError} If the name is that of the session's cookie, or lacks
   * its prefix.
   */
  constructor(core: SessionCore, name: string | undefined) {
    this.#core = core;
    this.#name = name;
    this.#tokens = new PurposeTokens(core, KIND);
    this.#cookies = this.#makeCookies();
  }

  /** @throws {TypeError} If there is no secret key to sign with. */
  checkKey(): void {
    this.#tokens.checkKey();
  }

  /** Makes a token for a user who has given a password. */
  async make(remembered: Remembered): Promise<Required<Found>> {
    const place = await this.#series?.begin(this.#ownerOf(remembered));
    const whole = { ...remembered, place };
    const token = await this.#tokens.make(this.#payloadOf(whole));
    return { token, remembered: whole };
  }

  /**
   * Sets the cookie anew for a user who has come back, but not for ever.
   *
   * @returns Whether it still holds: not where a logout came meanwhile.
   */
  async renew(
    exchange: Exchange,
    { token, remembered }: Required<Found>,
  ): Promise<boolean> {
    const { place } = remembered;
    const owner = this.#ownerOf(remembered);
    const next = place === undefined
      ? await this.#series?.begin(owner)
      : await this.#series?.next(place, owner);
    if (next === null) return false;
    if (next !== undefined && next === place) return true;
    const whole = { ...remembered, place: next };
    const renewed = await this.#tokens.renew(token, this.#payloadOf(whole));
    if (renewed === null) return false;
    this.set(exchange, { token: renewed, remembered: whole });
    return true;
  }

  /** Ends a token: what a store keeps of it, and what is at work on it. */
  async end(found: Found | null): Promise<void> {
    if (found === null) return;
    this.#tokens.forget(found.token);
    const place = found.remembered?.place;
    if (place !== undefined) await this.#series?.end(place);
  }

  /** Where a token stands in its series. */
  async standingOf({ place }: Remembered): Promise<Standing> {
    // Without a series, a token holds as long as it is valid.
    if (place === undefined) return "current";
    return await this.#series?.standingOf(place, this.#now) ?? "current";
  }

  /** What the series of a token is stored under, if it has one. */
  async keyOf({ place }: Remembered): Promise<string | undefined> {
    return place && await this.#series?.keyOf(place);
  }

  /** Whether anything goes out in place of what came in. */
  isSet(exchange: Exchange): boolean {
    return this.#outgoing.has(exchange);
  }

  /** Whether there is such a cookie by now, good or bad. */
  isPresent(exchange: Exchange): boolean {
    const outgoing = this.#outgoing.get(exchange);
    return outgoing === undefined
      ? this.#cookie.read(exchange.request) !== undefined
      : outgoing !== null;
  }

  /** Reads the cookie. Of several values, exactly one must be of ours. */
  async read(exchange: Exchange): Promise<Found | null> {
    const outgoing = this.#outgoing.get(exchange);
    if (outgoing !== undefined) return outgoing;
    const found = await Promise.all(
      this.#tokensOf(exchange).map((token) => this.#readToken(token)),
    );
    const [own = null, ...others] = found.filter((one) => one !== null);
    return others.length > 0 ? null : own;
  }

  async #readToken(token: string): Promise<Found | null> {
    const payload = await this.#tokens.read(token);
    if (payload === null) return null;
    if (payload === "expired") return { token };
    const { user_id: userId, days, stamp, auth_time: authTime } = payload;
    const isWhole = isUserId(userId) && isDays(days) && isTime(authTime) &&
      authTime <= this.#core.config.lifetime.now + CLOCK_SKEW &&
      isTime(payload.exp) && (stamp === undefined || typeof stamp === "string");
    if (!isWhole) return null;
    const place = placeOf(payload);
    return { token, remembered: { userId, days, stamp, authTime, place } };
  }

  #tokensOf({ request }: Exchange): string[] {
    return [this.#cookie.read(request) ?? []].flat();
  }

  #payloadOf(remembered: Remembered): Payload {
    const { userId, days, stamp, authTime, place } = remembered;
    const exp = this.#endOf(remembered);
    // Unlike any other, of the same second too: each is forgotten by itself.
    const jti = crypto.randomUUID();
    const claims = { user_id: userId, days, stamp, auth_time: authTime };
    return { ...claims, ...place, exp, jti };
  }

  /** Sets the cookie. */
  set(exchange: Exchange, found: Required<Found>): void {
    const { token, remembered } = found;
    const maxAge = Math.max(this.#endOf(remembered) - this.#now, 1);
    exchange.setCookie(this.#cookie.set(exchange.request, token, maxAge));
    this.#outgoing.set(exchange, found);
  }

  /** Removes the cookie. */
  clear(exchange: Exchange): void {
    exchange.setCookie(this.#cookie.delete(exchange.request));
    this.#outgoing.set(exchange, null);
  }

  get #now(): number {
    return Math.floor(this.#core.config.lifetime.now);
  }

  /** However often a token is renewed, the password was given once. */
  #endOf({ days, authTime }: Remembered): number {
    return Math.min(
      this.#now + days * SECONDS_PER_DAY,
      authTime + MAX_DAYS * SECONDS_PER_DAY,
    );
  }

  /** Where the backend keeps sessions, it keeps series too. */
  get #series(): RememberSeries | undefined {
    const { backend } = this.#core;
    return isStoreBackend(backend) ? new RememberSeries(backend) : undefined;
  }

  #ownerOf(remembered: Remembered): SeriesOwner {
    const { userId } = remembered;
    const exp = this.#endOf(remembered);
    const cookie = this.#core.config.cookie.name;
    return { cookie, userId, exp, now: this.#now };
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
    if (!name.startsWith(prefix)) {
      throw new TypeError(
        `Cannot use rememberCookieName "${name}": the session's cookie has the prefix ${prefix}, and without it anybody could set this one; use "${prefix}${name}"`,
      );
    }
    // The attributes are the session's: a cookie that goes along where the
    // session's doesn't would log in where the session can't.
    const attributes = { ...beside.attributes, httpOnly: true };
    delete attributes.maxAge;
    return [beside, new NamedCookie(name, attributes, "rememberCookieName")];
  }
}

function placeOf({ series, number }: Payload): Place | undefined {
  return typeof series === "string" && Number.isSafeInteger(number)
    ? { series, number: Number(number) }
    : undefined;
}

/** `_remember` beside `session`, `admin_remember` beside `admin`. */
function defaultName(prefix: string, sessionName: string): string {
  if (sessionName !== `${prefix}session`) return `${sessionName}_remember`;
  return prefix === "" ? "_remember" : `${prefix}remember`;
}
