/**
 * Who the visitor is: found by the session or the remember-me cookie, entered
 * at login, ended at logout.
 *
 * @module
 */

import type { Payload } from "../backends/backend.ts";
import {
  AUTH_TIME,
  COOKIE,
  FRESH,
  isTime,
  isUserId,
  STAMP,
  STARTED,
  USER_ID,
} from "../backends/claims.ts";
import { kindOf } from "../backends/check.ts";
import type { SessionCore } from "../session/core.ts";
import type { Exchange } from "../session/exchange.ts";
import { andThen, isPromise, type MaybePromise } from "../session/runtime.ts";
import type { Identified, LoginOptions, UserLoader } from "./options.ts";
import { RememberCookie, type Remembered } from "./remember.ts";

const DEFAULT_REMEMBER_DAYS = 30;
/** A user who logged in so many seconds ago should be found. */
const JUST_NOW = 60;

/** How a user comes in. */
export interface Entry {
  /** Whether through the login page. */
  isFresh: boolean;
  /** For how many days to remember them, if at all. */
  days: number | undefined;
}

/** Knows the users of one Login. */
export class Identity<User extends Identified> {
  readonly #core: SessionCore;
  readonly #options: LoginOptions<User>;
  readonly #remember: RememberCookie;
  #load: UserLoader<User> | undefined;

  /** Makes the identity of a Login's users. */
  constructor(core: SessionCore, options: LoginOptions<User>) {
    this.#core = core;
    this.#options = options;
    this.#remember = new RememberCookie(core, options.rememberCookieName);
    this.#load = options.userLoader;
  }

  /** Sets the function that finds a user by id. */
  setLoader(load: UserLoader<User>): void {
    this.#load = load;
  }

  /** The user, looked for once per request. */
  identify(exchange: Exchange): MaybePromise<User | null> {
    const known = this.#knownOf(exchange);
    if (known !== undefined) return known;
    const user = andThen(exchange.load(), () => this.#find(exchange));
    exchange.user = user;
    if (isPromise(user)) {
      // A failure may be tried again.
      user.catch(() => {
        if (exchange.user === user) exchange.user = undefined;
      });
    }
    return user;
  }

  /** Logs a user in. */
  async logIn(exchange: Exchange, user: User, entry: Entry): Promise<void> {
    await exchange.load();
    await this.#enter(exchange, user, entry.isFresh);
    exchange.user = user;
    await this.#rememberUser(exchange, user, entry.days);
  }

  /** Logs the visitor out, and ends the session, whose data were the user's. */
  async logOut(exchange: Exchange): Promise<void> {
    await exchange.load();
    exchange.user = await this.#end(exchange);
  }

  /**
   * The days that the remember-me cookie shall live, if there shall be one.
   *
   * @throws {TypeError} If there is no secret key to sign it with.
   */
  daysOf(remember: boolean | number): number | undefined {
    if (remember === false) return undefined;
    this.#remember.checkKey();
    return remember === true
      ? this.#options.rememberDays ?? DEFAULT_REMEMBER_DAYS
      : remember;
  }

  /** Whether the user, who is known by now, came through the login page. */
  isFresh({ claims }: Exchange, maxAge: number): boolean {
    const { [FRESH]: isFresh, [AUTH_TIME]: time } = claims;
    if (isFresh !== true || maxAge === Infinity) return isFresh === true;
    return isTime(time) && this.#now() - time <= maxAge;
  }

  #knownOf(exchange: Exchange): MaybePromise<User | null> | undefined {
    // A session has one Login, and only that one writes it.
    return exchange.user as MaybePromise<User | null> | undefined;
  }

  #now(): number {
    return Math.floor(this.#core.config.lifetime.now);
  }

  #find(exchange: Exchange): MaybePromise<User | null> {
    const { claims } = exchange;
    const id = claims[USER_ID];
    if (!isUserId(id)) {
      return this.#remember.isPresent(exchange) ? this.#recall(exchange) : null;
    }
    return andThen(this.#loadUser(id), (user) => {
      if (user !== null && this.#stampOf(user) === claims[STAMP]) return user;
      if (user === null) this.#warn(claims);
      this.#core.reject(exchange.request, "user");
      // A session that another service wrote is not ours to end.
      if (claims[COOKIE] === undefined || !exchange.isBound) return null;
      // Nor is a login that came meanwhile this one's to end.
      return this.#decided(exchange, () => this.#end(exchange));
    });
  }

  /** Logs in by the remember-me cookie, and renews it; or removes it. */
  async #recall(exchange: Exchange): Promise<User | null> {
    const remembered = await this.#remember.read(exchange);
    if (remembered === null) return null;
    const user = await this.#userOf(remembered);
    if (!exchange.isBound) return user; // Nothing could be written.
    return await this.#decided(exchange, async () => {
      if (user === null || remembered === "ended") {
        this.#remember.clear(exchange);
        return null;
      }
      await this.#enter(exchange, user, false);
      await this.#remember.set(exchange, remembered);
      return user;
    });
  }

  async #userOf(remembered: Remembered | "ended"): Promise<User | null> {
    if (remembered === "ended") return null;
    const user = await this.#loadUser(remembered.userId);
    const isSame = user !== null && this.#stampOf(user) === remembered.stamp;
    return isSame ? user : null;
  }

  /** Who was logged in or out while a loader was at work, or else `decide`. */
  #decided(
    exchange: Exchange,
    decide: () => MaybePromise<User | null>,
  ): MaybePromise<User | null> {
    const known = this.#knownOf(exchange);
    return known === undefined || isPromise(known) ? decide() : known;
  }

  #loadUser(id: string | number): MaybePromise<User | null> {
    if (this.#load === undefined) {
      throw new TypeError(
        "Cannot load user: there is no userLoader; pass one to new Login() or call login.userLoader()",
      );
    }
    return andThen(
      this.#load(id),
      // Whoever else the loader returns was not asked for.
      (user) => user?.id === id ? user : null,
    );
  }

  /** A loop from login to login shall leave a trace. */
  #warn({ [USER_ID]: id, [AUTH_TIME]: time }: Readonly<Payload>): void {
    if (!isTime(time) || this.#now() - time > JUST_NOW) return;
    console.error(
      `Cannot load user: the userLoader returned no user with the id it was asked for, a ${typeof id}, right after the login; does it know ids of another type?`,
    );
  }

  #stampOf(user: User): string | undefined {
    const { securityStamp } = this.#options;
    if (securityStamp === undefined) return undefined;
    const stamp: unknown = securityStamp(user);
    if (typeof stamp === "string") return stamp;
    throw new TypeError(
      `Cannot use securityStamp: it returned ${kindOf(stamp)}; return a string`,
    );
  }

  /** Makes the session the user's, under a new id. */
  async #enter(
    exchange: Exchange,
    user: User,
    isFresh: boolean,
  ): Promise<void> {
    const { id } = user;
    const { [USER_ID]: before = id } = exchange.claims;
    const now = this.#now();
    await exchange.update({
      claims: {
        [USER_ID]: id,
        [FRESH]: isFresh,
        [AUTH_TIME]: isFresh ? now : undefined,
        [STAMP]: this.#stampOf(user),
        [STARTED]: now,
      },
      isNew: true,
      dropsAll: before !== id,
    });
  }

  /** Ends the login, and with it the session, whose data were the user's. */
  async #end(exchange: Exchange): Promise<null> {
    await exchange.delete();
    this.#remember.clear(exchange);
    return null;
  }

  /** Sets the remember-me cookie, and leaves none that logs in anybody else. */
  async #rememberUser(
    exchange: Exchange,
    user: User,
    days: number | undefined,
  ): Promise<void> {
    const stamp = this.#stampOf(user);
    if (days !== undefined) {
      const authTime = this.#now();
      const remembered = { userId: user.id, days, stamp, authTime };
      await this.#remember.set(exchange, remembered);
    } else if (this.#remember.isPresent(exchange)) {
      const present = await this.#remember.read(exchange);
      if (present === null) return; // It is not ours.
      const isTheirs = present !== "ended" && present.userId === user.id &&
        present.stamp === stamp;
      if (!isTheirs) this.#remember.clear(exchange);
    }
  }
}
