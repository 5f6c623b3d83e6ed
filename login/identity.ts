/**
 * Who the visitor is: found by the session or the remember-me cookie, entered
 * at login, ended at logout.
 *
 * @module
 */

import { isTime } from "../backends/claims.ts";
import { clearDict, type Dict } from "../session/dict.ts";
import type { Exchange } from "../session/exchange.ts";
import type { Identified, LoginOptions, UserLoader } from "./options.ts";
import { andThen, isPromise, type MaybePromise } from "../session/promise.ts";
import { isUserId, RememberCookie, type Remembered } from "./remember.ts";
import type { SessionCore } from "../session/core.ts";

const DEFAULT_REMEMBER_DAYS = 30;

/** What a login keeps in the session. */
interface LoginData {
  _user_id?: unknown;
  _fresh?: unknown;
  _auth_time?: unknown;
  _stamp?: unknown;
}

/** Knows the users of one Login. */
export class Identity<User extends Identified> {
  readonly #core: SessionCore;
  readonly #options: LoginOptions<User>;
  readonly #remember: RememberCookie;
  #load: UserLoader<User> | undefined;

  constructor(core: SessionCore, options: LoginOptions<User>) {
    const { rememberCookieName = "_remember" } = options;
    this.#core = core;
    this.#options = options;
    this.#remember = new RememberCookie(core, rememberCookieName);
    this.#load = options.userLoader;
  }

  /** Sets the function that finds a user by id. */
  setLoader(load: UserLoader<User>): void {
    this.#load = load;
  }

  /** The user, looked for once per request. */
  identify(exchange: Exchange): MaybePromise<User | null> {
    // Only this Login wrote it.
    const known = exchange.logins?.get(this) as MaybePromise<User | null>;
    if (known !== undefined) return known;
    const user = andThen(
      exchange.load(),
      (dict) => this.#userOf(exchange, dict),
    );
    this.#know(exchange, user);
    if (isPromise(user)) {
      // A failure may be tried again.
      user.catch(() => {
        if (exchange.logins?.get(this) === user) exchange.logins.delete(this);
      });
    }
    return user;
  }

  /** Logs a user in, and remembers them for some days, or not at all. */
  async logIn(
    exchange: Exchange,
    user: User,
    days: number | undefined,
  ): Promise<void> {
    await this.#enter(exchange, await exchange.load(), user, true);
    this.#know(exchange, user);
    await this.#rememberUser(exchange, user, days);
  }

  /** Logs the visitor out. */
  async logOut(exchange: Exchange): Promise<void> {
    await this.#end(exchange, await exchange.load());
    this.#know(exchange, null);
  }

  /**
   * The days that the remember-me cookie shall live, if there shall be one.
   *
   * @throws {TypeError} If there is no secret key to sign it with.
   */
  daysOf(remember: boolean | number): number | undefined {
    if (remember === false) return undefined;
    const days = remember === true
      ? this.#options.rememberDays ?? DEFAULT_REMEMBER_DAYS
      : remember;
    this.#remember.checkKey();
    return days;
  }

  /** Whether the user, who is known by now, came through the login page. */
  isFresh(exchange: Exchange, maxAge: number): boolean {
    const { _fresh, _auth_time } = exchange.load() as LoginData;
    if (_fresh !== true || maxAge === Infinity) return _fresh === true;
    const now = Math.floor(this.#core.config.lifetime.now);
    return isTime(_auth_time) && now - _auth_time <= maxAge;
  }

  #know(exchange: Exchange, user: MaybePromise<User | null>): void {
    exchange.logins ??= new Map();
    exchange.logins.set(this, user);
  }

  #userOf(exchange: Exchange, dict: Dict): MaybePromise<User | null> {
    const { _user_id: id, _stamp } = dict as LoginData;
    if (!isUserId(id)) {
      return this.#remember.isPresent(exchange)
        ? this.#recall(exchange, dict)
        : null;
    }
    return andThen(this.#find(id), (user) => {
      if (user !== null && this.#stampOf(user) === _stamp) return user;
      // A login that came meanwhile is not this one's to end.
      return this.#decided(exchange, () => this.#end(exchange, dict));
    });
  }

  /** Logs in by the remember-me cookie, and renews it; or removes it. */
  async #recall(exchange: Exchange, dict: Dict): Promise<User | null> {
    const remembered = await this.#remember.read(exchange);
    const user = remembered && await this.#find(remembered.userId);
    return await this.#decided(
      exchange,
      () => this.#restore(exchange, dict, remembered, user),
    );
  }

  async #restore(
    exchange: Exchange,
    dict: Dict,
    remembered: Remembered | null,
    user: User | null,
  ): Promise<User | null> {
    if (
      remembered === null || user === null ||
      this.#stampOf(user) !== remembered.stamp
    ) {
      this.#remember.clear(exchange);
      return null;
    }
    await this.#enter(exchange, dict, user, false);
    await this.#remember.set(exchange, remembered);
    return user;
  }

  /** Who was logged in or out while a loader was at work, or else `decide`. */
  #decided(
    exchange: Exchange,
    decide: () => MaybePromise<User | null>,
  ): MaybePromise<User | null> {
    const known = exchange.logins?.get(this) as MaybePromise<User | null>; // ours
    return known === undefined || isPromise(known) ? decide() : known;
  }

  #find(id: string | number): MaybePromise<User | null> {
    if (this.#load === undefined) {
      throw new TypeError(
        "Cannot load user: there is no userLoader; pass one to new Login() or call login.userLoader()",
      );
    }
    return andThen(this.#load(id), (user) => user ?? null);
  }

  #stampOf(user: User): string | undefined {
    const stamp: unknown = this.#options.securityStamp?.(user);
    if (stamp === undefined && this.#options.securityStamp === undefined) {
      return undefined;
    }
    if (typeof stamp === "string") return stamp;
    throw new TypeError(
      `Cannot use securityStamp: it returned ${
        stamp === null ? "null" : typeof stamp
      }; return a string`,
    );
  }

  /** Makes the session the user's, under a new id. */
  async #enter(
    exchange: Exchange,
    dict: Dict,
    user: User,
    isFresh: boolean,
  ): Promise<void> {
    const stamp = this.#stampOf(user); // It may throw: nothing is changed yet.
    const data = dict as LoginData;
    if (data._user_id !== undefined && data._user_id !== user.id) {
      clearDict(dict);
    }
    delete data._auth_time;
    delete data._stamp;
    data._user_id = user.id;
    data._fresh = isFresh;
    if (stamp !== undefined) data._stamp = stamp;
    if (isFresh) {
      data._auth_time = Math.floor(this.#core.config.lifetime.now);
    }
    await exchange.save(dict, true);
  }

  /** Ends the login, and with it the session, whose data were the user's. */
  async #end(exchange: Exchange, dict: Dict): Promise<null> {
    await exchange.delete(dict);
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
      await this.#remember.set(exchange, { userId: user.id, days, stamp });
    } else if (this.#remember.isPresent(exchange)) {
      const present = await this.#remember.read(exchange);
      if (present?.userId !== user.id || present.stamp !== stamp) {
        this.#remember.clear(exchange);
      }
    }
  }
}
