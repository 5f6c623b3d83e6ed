/**
 * Logins on top of sessions: who the visitor is, pages for logged-in users
 * only, and remember me.
 *
 * @example Log a user in
 * ```ts
 * import { generateSecretKey, Login, Session } from "@denizen/session";
 * import { assertEquals } from "@std/assert";
 *
 * const users = new Map([[1, { id: 1, name: "susan" }]]);
 * const session = new Session({ secretKey: generateSecretKey() });
 * const login = new Login(session, { userLoader: (id: number) => users.get(id) });
 *
 * const home = login.required((_request, user) =>
 *   new Response(`Hello, ${user.name}!`)
 * );
 *
 * const visit = new Request("http://localhost/");
 * const sentAway = await home(visit);
 * assertEquals(sentAway.headers.get("Location"), "/login?next=%2F");
 *
 * // At POST /login, after the password was found right:
 * const request = new Request("http://localhost/login?next=%2F", { method: "POST" });
 * const response = await login.loginUser(request, { id: 1, name: "susan" });
 * assertEquals(response.headers.get("Location"), "/");
 * ```
 *
 * @module
 */

import { checkOptions, checkSeconds, checkType } from "./backends/check.ts";
import { isUserId } from "./backends/claims.ts";
import { redirect, safeNextPath } from "./helpers.ts";
import { isForeign } from "./helpers/origin.ts";
import { refuse } from "./login/answers.ts";
import { checkAuthenticated, Guard, type UserHandler } from "./login/guard.ts";
import { Identity } from "./login/identity.ts";
import {
  FRESH_CHECKS,
  type FreshOptions,
  GUARD_CHECKS,
  type GuardOptions,
  type Identified,
  LOGIN_CHECKS,
  LOGIN_USER_CHECKS,
  type LoginOptions,
  type LoginUserOptions,
  LOGOUT_USER_CHECKS,
  type LogoutUserOptions,
  TOKEN_CHECKS,
  type TokenOptions,
  type UserLoader,
} from "./login/options.ts";
import { LoginStates } from "./login/states.ts";
import { PurposeTokens } from "./login/tokens.ts";
import { type LoginSession, UserSessions } from "./login/user_sessions.ts";
import type { Session } from "./session.ts";
import { coreOf, type SessionCore } from "./session/core.ts";
import type { Exchange } from "./session/exchange.ts";
import { exchangeOf } from "./session/request.ts";
import { andThen, attempt, isResponse } from "./session/runtime.ts";

export type {
  FreshOptions,
  GuardOptions,
  Identified,
  LoginOptions,
  LoginUserOptions,
  LogoutUserOptions,
  TokenOptions,
  UserLoader,
} from "./login/options.ts";
export type { UserHandler } from "./login/guard.ts";
export type { LoginSession } from "./login/user_sessions.ts";

const LINK_TOKENS = {
  type: "link+jwt",
  purpose: "denizen link token",
  action: "make token",
};

/**
 * Logins over a session.
 *
 * @example Pages for logged-in users
 * ```ts
 * import { generateSecretKey, Login, redirect, Session } from "@denizen/session";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session({ secretKey: generateSecretKey() });
 * const users = new Map([["susan", { id: "susan", isAdmin: true }]]);
 * const login = new Login(session, {
 *   userLoader: (id: string) => users.get(id),
 * });
 *
 * const admin = login.required(() => new Response("Secret"), {
 *   check: (user) => user.isAdmin,
 *   location: () => redirect("/"),
 * });
 * const handler = session.wrap(admin); // Deno.serve(handler)
 *
 * const response = await handler(new Request("http://localhost/admin"));
 * assertEquals(response.status, 302);
 * ```
 *
 * @typeParam User The application's user.
 */
export class Login<User extends Identified> {
  readonly #core: SessionCore;
  readonly #options: LoginOptions<User>;
  readonly #identity: Identity<User>;
  readonly #guard: Guard<User>;
  readonly #states: LoginStates;
  readonly #tokens: PurposeTokens;
  readonly #sessions: UserSessions;

  /**
   * Makes a login.
   *
   * @param session The session; its backend must be one that a client can't
   * forge.
   * @param options The options.
   * @throws {TypeError} If the session is unsigned, or an option is not of the
   * kind it must be.
   * @throws {RangeError} If `rememberDays` is out of range.
   */
  // deno-lint-ignore no-explicit-any -- a session of any data
  constructor(session: Session<any>, options?: LoginOptions<User>) {
    this.#core = coreOf(session);
    checkAuthenticated(this.#core);
    this.#options = { ...checkOptions(options, LOGIN_CHECKS) };
    if (this.#core.login !== undefined) {
      throw new TypeError(
        "Cannot make login: the session has one already, and users of the one would be users of the other; give other users a Session with a cookieName of its own",
      );
    }
    this.#identity = new Identity(this.#core, this.#options);
    this.#guard = new Guard(this.#core, this.#options, this.#identity);
    this.#states = new LoginStates(this.#core);
    this.#tokens = new PurposeTokens(this.#core, LINK_TOKENS);
    this.#sessions = new UserSessions(this.#core);
    this.#core.login = this;
  }

  /**
   * Sets the function that finds a user by id.
   *
   * @param load The function.
   * @returns The same function.
   */
  userLoader<Load extends UserLoader<User>>(load: Load): Load {
    checkType("userLoader", load, "function");
    this.#identity.setLoader(load);
    return load;
  }

  /**
   * Logs a user in, whose password or the like the application has checked.
   *
   * The session becomes a new one. What an anonymous visitor had in it, such as
   * a cart, is kept; what another user had in it is dropped. Calling it again
   * for the same user after their security stamp changed keeps this login,
   * while all others end.
   *
   * @param request The request with the credentials.
   * @param user The user.
   * @param options The options.
   * @returns A redirect to a safe `next` of the options or of the request's query,
   * else to `redirectUrl`; or 403 where a page of another origin sent the
   * request, or `state` is none of this visitor's. Without a wrapper, it carries
   * the cookies.
   * @throws {TypeError} If the user has no id, or there is no key for `remember`.
   * @throws {RangeError} If `remember` is out of range.
   */
  loginUser(
    request: Request,
    user: User,
    options?: LoginUserOptions,
  ): Promise<Response> {
    return attempt(async () => {
      const checked = checkOptions(options, LOGIN_USER_CHECKS);
      const { remember = false, fresh = true, redirectUrl = "/" } = checked;
      checkUser(user, "log in");
      const days = this.#identity.daysOf(remember);
      return await this.#change(request, async (exchange) => {
        const claims = Object.hasOwn(checked, "state")
          ? await this.#states.use(exchange, checked.state)
          : this.#isForeign(request)
          ? null
          : {};
        if (claims === null) return refuseLogin(request, exchange, checked);
        await this.#identity.logIn(exchange, user, { fresh, days, claims });
        return redirect(nextPath(request, checked.next) ?? redirectUrl);
      });
    });
  }

  /**
   * Logs the visitor out: ends the session, and removes the remember-me cookie.
   * Under a wrapper, a logout or login that fails fails the response too, even
   * if nobody awaits it, unless something is saved after it.
   *
   * @param request The request.
   * @param options The options.
   * @returns A redirect, which may be ignored under a wrapper; or 403 where a
   * page of another origin sent the request. Without a wrapper, it carries the
   * cookies.
   */
  logoutUser(
    request: Request,
    options?: LogoutUserOptions,
  ): Promise<Response> {
    return attempt(async () => {
      const { redirectUrl = "/" } = checkOptions(options, LOGOUT_USER_CHECKS);
      return await this.#change(request, async (exchange) => {
        if (this.#isForeign(request)) {
          return refuse(request, 403, "This logout was sent from another site");
        }
        await this.#identity.logOut(exchange);
        return redirect(redirectUrl);
      });
    });
  }

  /**
   * Tells who is logged in, by the session or by the remember-me cookie. The
   * user is loaded once per request, however often this is asked.
   *
   * @param request The request.
   * @returns The user, or `null`.
   * @throws {TypeError} If a user must be loaded and there is no loader.
   */
  getCurrentUser(request: Request): Promise<User | null> {
    return attempt(() => this.#identity.identify(this.#exchangeOf(request)));
  }

  /**
   * Tells who is logged in, and answers anybody else, as `required` does, by
   * throwing the response. It needs a wrapper around it, which sends it.
   *
   * @param request The request.
   * @param options The options.
   * @returns The user.
   * @throws {Response} If nobody is logged in, or the user is refused.
   */
  requireUser(
    request: Request,
    options?: GuardOptions<User>,
  ): Promise<User> {
    return attempt(() => {
      const checked = checkOptions(options, GUARD_CHECKS);
      const exchange = this.#exchangeOf(request);
      if (!exchange.isBound) {
        throw new TypeError(
          "Cannot require user: nothing would send the answer to whoever is not let in; wrap the handler by session.wrap(), or use login.required()",
        );
      }
      const demand = { ...checked, isFresh: false };
      return andThen(this.#guard.admit(exchange, demand), (admitted) => {
        if (isResponse(admitted)) throw admitted;
        return admitted;
      });
    });
  }

  /**
   * Guards a handler: it runs for logged-in users only, with the user as its
   * second argument. The guard is a wrapper like `session.wrap`.
   *
   * @typeParam Rest The further arguments of the handler.
   * @param handler The handler. Further arguments are passed on to it.
   * @param options The options.
   * @returns The guarded handler.
   * @throws {TypeError} If an option is not of the kind it must be.
   */
  required<Rest extends unknown[]>(
    handler: UserHandler<User, Rest>,
    options?: GuardOptions<User>,
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    const checked = checkOptions(options, GUARD_CHECKS);
    return this.#guard.wrap(handler, { ...checked, isFresh: false });
  }

  /**
   * Guards a handler as `required` does, and demands that the visitor came
   * through the login page in this session: not by the remember-me cookie, and
   * no longer ago than `maxAge`.
   *
   * @typeParam Rest The further arguments of the handler.
   * @param handler The handler. Further arguments are passed on to it.
   * @param options The options.
   * @returns The guarded handler.
   * @throws {TypeError} If an option is not of the kind it must be.
   * @throws {RangeError} If `maxAge` is not above 0.
   */
  fresh<Rest extends unknown[]>(
    handler: UserHandler<User, Rest>,
    options?: FreshOptions<User>,
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    const checked = checkOptions(options, FRESH_CHECKS);
    return this.#guard.wrap(handler, { ...checked, isFresh: true });
  }

  /**
   * Tells what the guard `fresh` asks, for a page that only shows more.
   *
   * @param request The request.
   * @param maxAge How long ago the login may be, in seconds; without it, any
   * time.
   * @returns Whether somebody is logged in, and has given a password in this
   * session.
   * @throws {RangeError} If `maxAge` is not above 0.
   */
  isFresh(request: Request, maxAge?: number): Promise<boolean> {
    return attempt(async () => {
      checkOptions({ maxAge }, FRESH_CHECKS);
      const exchange = this.#exchangeOf(request);
      const user = await this.#identity.identify(exchange);
      return user !== null && this.#identity.isFresh(exchange, user, maxAge);
    });
  }

  /**
   * Makes the `state` of a login by way of another site, such as an OAuth
   * provider, and keeps it in the visitor's session, which is saved. It is good
   * once, for ten minutes, and of one visitor the last five are.
   *
   * @param request The request, under a wrapper or after `session.open`.
   * @returns The state, to be passed to the provider, which sends it back.
   */
  createState(request: Request): Promise<string> {
    return attempt(() => this.#states.create(this.#exchangeOf(request)));
  }

  /**
   * Makes a token for a link in a mail: to log in, or to choose a new password.
   * It dies by its time, with the user's security stamp, with the user, and with
   * the key.
   *
   * @param user Whom the mail is for.
   * @param purpose What it is for, such as `"reset password"`.
   * @param options The options; `maxAge` is needed.
   * @returns The token, for the query of a URL.
   * @throws {TypeError} If there is no key, the user has no id, or the purpose
   * is no text.
   * @throws {RangeError} If `maxAge` is not above 0, or the token would be too
   * long.
   */
  createToken(
    user: User,
    purpose: string,
    options: TokenOptions,
  ): Promise<string> {
    return attempt(async () => {
      checkPurpose(purpose);
      const { maxAge } = checkOptions(options, TOKEN_CHECKS);
      checkSeconds("maxAge", maxAge); // It is needed.
      checkUser(user, "make token");
      return await this.#tokens.make({
        user_id: user.id,
        stamp: this.#identity.stampOf(user),
        purpose,
        exp: Math.floor(this.#core.config.lifetime.now) + Number(maxAge),
      });
    });
  }

  /**
   * Finds the user of a token in a link. Show a page with a form first, whose
   * post does what the link is for: programs that look through mails follow
   * links.
   *
   * @param token What came; anything at all.
   * @param purpose What it must be for.
   * @returns The user, or `null` where the token does not hold.
   * @throws {TypeError} If there is no loader, or the purpose is no text.
   */
  verifyToken(token: unknown, purpose: string): Promise<User | null> {
    return attempt(async () => {
      checkPurpose(purpose);
      if (typeof token !== "string") return null;
      const payload = await this.#tokens.read(token);
      if (payload === null || payload === "expired") return null;
      if (payload.purpose !== purpose || !isUserId(payload.user_id)) {
        return null;
      }
      const user = await this.#identity.loadUser(payload.user_id);
      if (user === null) return null;
      return this.#identity.stampOf(user) === payload.stamp ? user : null;
    });
  }

  /**
   * Lists the sessions of the user who is logged in, where the backend keeps
   * sessions: where they are logged in, the latest login first. Of those that a
   * remember-me cookie has begun one after the other, the last is there.
   *
   * @param request The request.
   * @returns The sessions that have not ended.
   * @throws {TypeError} If the backend keeps none.
   */
  sessions(request: Request): Promise<LoginSession[]> {
    return attempt(() => {
      const exchange = this.#keptExchangeOf(request);
      return this.#withUser(exchange, [], (user) => {
        const stamp = this.#identity.stampOf(user);
        return this.#sessions.list(exchange, { id: user.id, stamp });
      });
    });
  }

  /**
   * Ends a session of the user who is logged in, with the remember-me cookie
   * beside it; another user's is left alone. The present one ends as by
   * `logoutUser`.
   *
   * @param request The request; check with `isCrossOrigin` where it is from.
   * @param key The session's key in the list; anything at all.
   * @throws {TypeError} If the backend keeps no sessions.
   */
  endSession(request: Request, key: unknown): Promise<void> {
    return attempt(() => {
      const exchange = this.#keptExchangeOf(request);
      return exchange.hold(this.#withUser(exchange, undefined, async (user) => {
        const isCurrent = await this.#sessions.isCurrent(exchange, key);
        await this.#sessions.end(user.id, key);
        if (isCurrent) await this.#identity.logOut(exchange);
      }));
    });
  }

  /**
   * Ends all sessions of the user who is logged in but the present one, and all
   * remember-me cookies but the present one.
   *
   * @param request The request; check with `isCrossOrigin` where it is from.
   * @throws {TypeError} If the backend keeps no sessions.
   */
  endOtherSessions(request: Request): Promise<void> {
    return attempt(() => {
      const exchange = this.#keptExchangeOf(request);
      const endOthers = async (user: User) => {
        const kept = [
          await this.#sessions.keyOf(exchange),
          await this.#identity.seriesOf(exchange),
        ];
        await this.#sessions.endAll(user.id, kept);
      };
      return exchange.hold(
        this.#withUser(
          exchange,
          undefined,
          (user) => this.#identity.inTurn(exchange, () => endOthers(user)),
        ),
      );
    });
  }

  /** Does something for the user who is logged in. */
  async #withUser<Result>(
    exchange: Exchange,
    fallback: Result,
    action: (user: User) => Promise<Result>,
  ): Promise<Result> {
    const user = await this.#identity.identify(exchange);
    return user === null ? fallback : await action(user);
  }

  /** The exchange of a request, where the backend keeps sessions. */
  #keptExchangeOf(request: Request): Exchange {
    this.#sessions.check();
    return this.#exchangeOf(request);
  }

  #exchangeOf(request: Request): Exchange {
    checkAuthenticated(this.#core);
    return exchangeOf(this.#core, request);
  }

  #isForeign(request: Request): boolean {
    return isForeign(request, this.#options.trustedOrigins ?? []);
  }

  /** Changes who is logged in; without a wrapper, the answer has the cookies. */
  async #change(
    request: Request,
    action: (exchange: Exchange) => Promise<Response>,
  ): Promise<Response> {
    const exchange = this.#exchangeOf(request);
    if (exchange.isBound) return await exchange.hold(action(exchange));
    exchange.open();
    return await exchange.commit(await action(exchange));
  }
}

/** Says why a login is refused: a developer may see it first. */
function refuseLogin(
  request: Request,
  { value }: Exchange,
  options: LoginUserOptions,
): Response {
  if (!Object.hasOwn(options, "state")) {
    return refuse(request, 403, "This login was sent from another site");
  }
  return refuse(
    request,
    403,
    value === undefined
      ? "This login did not begin in this browser, or its cookie did not come along"
      : "This login did not begin in this browser, or too long ago, or is over",
  );
}

/** The first safe path that is asked for, but never the login page again. */
function nextPath(request: Request, asked: unknown): string | undefined {
  const url = URL.parse(request.url);
  return [asked, url?.searchParams.get("next")]
    .map((next) => safeNextPath(next, ""))
    .find((next) =>
      next !== "" && URL.parse(next, request.url)?.pathname !== url?.pathname
    );
}

function checkUser(user: Identified, action: string): void {
  if (isUserId(user?.id)) return;
  throw new TypeError(
    `Cannot ${action}: the user has no id that is a string or a safe integer`,
  );
}

function checkPurpose(purpose: unknown): void {
  checkType("purpose", purpose, "string");
  if (purpose === "") {
    throw new TypeError(
      'Cannot use purpose: it is empty; say what the token is for, such as "reset password"',
    );
  }
}
