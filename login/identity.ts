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
  SERIES,
  STAMP,
  STARTED,
  USER_ID,
} from "../backends/claims.ts";
import { kindOf } from "../backends/check.ts";
import type { SessionCore } from "../session/core.ts";
import type { Exchange } from "../session/exchange.ts";
import {
  andThen,
  guard,
  isPromise,
  type MaybePromise,
} from "../session/runtime.ts";
import type { Identified, LoginOptions, UserLoader } from "./options.ts";
import { type Found, RememberCookie } from "./remember.ts";
import { UserSessions } from "./user_sessions.ts";

const DEFAULT_REMEMBER_DAYS = 30;
/** A user who logged in so many seconds ago should be found. */
const JUST_NOW = 60;

/** How a user comes in. */
export interface Entry {
  /** Whether by a password or the like, just now. */
  fresh: boolean;
  /** For how many days to remember them, if at all. */
  days: number | undefined;
  /** What else of the session changes. */
  claims: Payload;
}

/** Knows the users of one Login. */
export class Identity<User extends Identified> {
  readonly #core: SessionCore;
  readonly #options: LoginOptions<User>;
  readonly #remember: RememberCookie;
  readonly #sessions: UserSessions;
  /** The last login, logout or return of a request: each waits for the others. */
  readonly #turns = new WeakMap<Exchange, Promise<unknown>>();
  #load: UserLoader<User> | undefined;

  /** Makes the identity of a Login's users. */
  constructor(core: SessionCore, options: LoginOptions<User>) {
    this.#core = core;
    this.#options = options;
    this.#remember = new RememberCookie(core, options.rememberCookieName);
    this.#sessions = new UserSessions(core);
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
  logIn(exchange: Exchange, user: User, entry: Entry): Promise<void> {
    return this.inTurn(exchange, () => this.#logIn(exchange, user, entry));
  }

  /** Logs the visitor out, and ends the session, whose data were the user's. */
  logOut(exchange: Exchange): Promise<void> {
    return this.inTurn(exchange, async () => {
      await exchange.load();
      await exchange.delete();
      exchange.user = null; // whatever fails from here on
      await this.#forget(exchange);
    });
  }

  async #logIn(exchange: Exchange, user: User, entry: Entry): Promise<void> {
    const { fresh, days, claims } = entry;
    await exchange.load();
    const before = await this.#remember.read(exchange);
    const made = days === undefined ? null : await this.#makeToken(user, days);
    const kept = made ?? (this.#isOf(user, before) ? before : null);
    // First all that may fail: half a login is none.
    if (before !== kept) await this.#remember.end(before);
    await this.#enter(exchange, user, fresh, kept, claims);
    exchange.user = user;
    if (made !== null) this.#remember.set(exchange, made);
    // None stays that logs in anybody else; one that is not ours does.
    else if (before !== kept) this.#remember.clear(exchange);
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
  isFresh({ claims }: Exchange, user: User, maxAge = Infinity): boolean {
    // By a key or the like, somebody may be known beside the session.
    if (claims[USER_ID] !== user.id) return false;
    if (claims[STAMP] !== this.stampOf(user)) return false;
    const { [FRESH]: isFresh, [AUTH_TIME]: time } = claims;
    if (isFresh !== true || maxAge === Infinity) return isFresh === true;
    return isTime(time) && this.#now() - time <= maxAge;
  }

  /** What the series of the visitor's remember-me token is stored under. */
  async seriesOf(exchange: Exchange): Promise<string | undefined> {
    const found = await this.#remember.read(exchange);
    return found?.remembered && await this.#remember.keyOf(found.remembered);
  }

  /** Does it after what was begun before it; application code is none of it. */
  inTurn<T>(exchange: Exchange, action: () => Promise<T>): Promise<T> {
    const turn = this.#turns.get(exchange)?.then(action, action) ?? action();
    this.#turns.set(exchange, guard(turn));
    return turn;
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
      return this.#remember.isPresent(exchange)
        ? this.#recall(exchange).then((user) => user ?? this.#ask(exchange))
        : this.#ask(exchange);
    }
    return andThen(this.loadUser(id), (user) => {
      if (user !== null && this.stampOf(user) === claims[STAMP]) return user;
      if (user === null) this.#warn(claims);
      this.#core.reject(exchange.request, "user");
      // A session that another service wrote is not ours to end.
      const isOurs = claims[COOKIE] !== undefined && exchange.isBound;
      // Nor is a login that came meanwhile this one's to end.
      return this.#decide(
        exchange,
        () => isOurs ? this.#end(exchange) : Promise.resolve(null),
      ).then((user) => user ?? this.#ask(exchange));
    });
  }

  /** Asks the application who has sent the request, by a key or the like. */
  #ask(exchange: Exchange): MaybePromise<User | null> {
    const { requestLoader } = this.#options;
    if (requestLoader === undefined) return null;
    return andThen(requestLoader(exchange.request), (user) => {
      if (user === null || user === undefined) return null;
      if (isUserId(user.id)) return user;
      throw new TypeError(
        "Cannot use requestLoader: it returned a user without an id; return a user, or null",
      );
    });
  }

  /** Logs in by the remember-me cookie, and renews it; or removes it. */
  async #recall(exchange: Exchange): Promise<User | null> {
    const found = await this.#remember.read(exchange);
    if (found === null) return null;
    const { token, remembered } = found;
    const standing = remembered && await this.#remember.standingOf(remembered);
    const user = remembered && standing === "current"
      ? await this.loadUser(remembered.userId)
      : null;
    const isTheirs = user !== null && this.#isOf(user, found);
    // Nothing could be written.
    if (!exchange.isBound) return isTheirs ? user : null;
    let isRestored = false;
    const known = await this.#decide(exchange, async () => {
      if (remembered && isTheirs) {
        await this.#restore(exchange, user, { token, remembered });
        isRestored = true;
        return user;
      }
      if (remembered && standing === "reused") {
        await this.#endStolen(exchange, { token, remembered });
      } else await this.#remember.end(found);
      this.#remember.clear(exchange);
      return null;
    });
    if (!isRestored || known === null) return known;
    await this.#options.onRestore?.(known, exchange.request);
    return await this.#knownOf(exchange) ?? null; // It may have logged out.
  }

  /** Ends all that a user has whose token was stolen. */
  async #endStolen(
    exchange: Exchange,
    found: Required<Found>,
  ): Promise<void> {
    this.#core.reject(exchange.request, "reused");
    const { userId } = found.remembered;
    // The series goes last, so that the next visit tries again what has failed.
    const series = await this.#remember.keyOf(found.remembered);
    await this.#sessions.endAll(userId, [series]);
    await this.#remember.end(found);
    await this.#sessions.endAll(userId); // And what was begun meanwhile.
  }

  /** Logs in, and goes on with the token once the answer is there. */
  async #restore(
    exchange: Exchange,
    user: User,
    found: Required<Found>,
  ): Promise<void> {
    await this.#enter(exchange, user, false, found);
    exchange.beforeEnd = () => this.#renew(exchange, found);
    exchange.user = user;
  }

  /** A token that is not renewed is as good the next time. */
  async #renew(exchange: Exchange, found: Required<Found>): Promise<void> {
    if (this.#remember.isSet(exchange)) return; // By a login or a logout.
    let holds = true;
    try {
      holds = await this.#remember.renew(exchange, found);
    } catch (cause) {
      console.error(
        new Error("Cannot renew remember-me cookie: the backend failed", {
          cause,
        }),
      );
    }
    if (!holds) await this.#end(exchange); // A logout came meanwhile.
  }

  /** Whether a token is this user's, and still holds. */
  #isOf(user: User, found: Found | null): boolean {
    const { userId, stamp } = found?.remembered ?? {};
    return userId === user.id && stamp === this.stampOf(user);
  }

  /** Who was logged in or out while a loader was at work, or else `decide`. */
  #decide(
    exchange: Exchange,
    decide: () => Promise<User | null>,
  ): Promise<User | null> {
    return this.inTurn(exchange, async () => {
      const known = this.#knownOf(exchange);
      return known === undefined || isPromise(known) ? await decide() : known;
    });
  }

  /** The user of an id; whoever else the loader returns was not asked for. */
  loadUser(id: string | number): MaybePromise<User | null> {
    if (this.#load === undefined) {
      throw new TypeError(
        "Cannot load user: there is no userLoader; pass one to new Login() or call login.userLoader()",
      );
    }
    return andThen(this.#load(id), (user) => user?.id === id ? user : null);
  }

  /** A loop from login to login shall leave a trace. */
  #warn({ [USER_ID]: id, [AUTH_TIME]: time }: Readonly<Payload>): void {
    if (!isTime(time) || this.#now() - time > JUST_NOW) return;
    console.error(
      `Cannot load user: the userLoader returned no user with the id it was asked for, a ${typeof id}, right after the login; does it know ids of another type?`,
    );
  }

  /** The user's security stamp, if there are any. */
  stampOf(user: User): string | undefined {
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
    found: Found | null,
    claims: Payload = {},
  ): Promise<void> {
    const { id } = user;
    const series = found?.remembered &&
      await this.#remember.keyOf(found.remembered);
    const { [USER_ID]: before = id } = exchange.claims;
    const now = this.#now();
    await exchange.update({
      claims: {
        [USER_ID]: id,
        [FRESH]: isFresh,
        [AUTH_TIME]: isFresh ? now : undefined,
        [STAMP]: this.stampOf(user),
        [SERIES]: series,
        [STARTED]: now,
        ...claims,
      },
      isNew: true,
      dropsAll: before !== id,
    });
  }

  /** Ends the login, and with it the session, whose data were the user's. */
  async #end(exchange: Exchange): Promise<null> {
    await exchange.delete();
    await this.#forget(exchange);
    return null;
  }

  /** Ends the remember-me cookie, and removes it. */
  async #forget(exchange: Exchange): Promise<void> {
    await this.#remember.end(await this.#remember.read(exchange));
    this.#remember.clear(exchange);
  }

  #makeToken(user: User, days: number): Promise<Required<Found>> {
    const stamp = this.stampOf(user);
    const authTime = this.#now();
    return this.#remember.make({ userId: user.id, days, stamp, authTime });
  }
}
