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

import { checkOptions, checkType, kindOf } from "./backends/check.ts";
import { isUserId } from "./backends/claims.ts";
import type { Exchange } from "./session/exchange.ts";
import { exchangeOf, run } from "./session/request.ts";
import { refuse, toLogin, toResponse } from "./login/guard.ts";
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
  type UserLoader,
} from "./login/options.ts";
import { isForeign } from "./helpers/origin.ts";
import { andThen, attempt, type MaybePromise } from "./session/runtime.ts";
import { coreOf, type SessionCore } from "./session/core.ts";
import { redirect, safeNextPath } from "./helpers.ts";
import type { Session } from "./session.ts";

export type {
  FreshOptions,
  GuardOptions,
  Identified,
  LoginOptions,
  LoginUserOptions,
  LogoutUserOptions,
  UserLoader,
} from "./login/options.ts";

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
   * else to `redirectUrl`; or 403 where a page of another origin sent the request.
   * Without a wrapper, it carries the cookies.
   * @throws {TypeError} If the user has no id, or there is no key for `remember`.
   * @throws {RangeError} If `remember` is out of range.
   */
  loginUser(
    request: Request,
    user: User,
    options?: LoginUserOptions,
  ): Promise<Response> {
    return attempt(async () => {
      const { remember = false, next, redirectUrl = "/" } = checkOptions(
        options,
        LOGIN_USER_CHECKS,
      );
      if (!isUserId(user?.id)) {
        throw new TypeError(
          "Cannot log in: the user has no id that is a string or a safe integer",
        );
      }
      const days = this.#identity.daysOf(remember);
      return await this.#answer(request, "login", async (exchange) => {
        await this.#identity.logIn(exchange, user, { isFresh: true, days });
        return redirect(nextPath(request, next) ?? redirectUrl);
      });
    });
  }

  /**
   * Logs the visitor out: ends the session, and removes the remember-me cookie.
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
      return await this.#answer(request, "logout", async (exchange) => {
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
      return andThen(this.#admit(exchange, checked), (admitted) => {
        if (admitted instanceof Response) throw admitted;
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
    handler: (
      request: Request,
      user: User,
      ...rest: Rest
    ) => Response | Promise<Response>,
    options?: GuardOptions<User>,
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    const checked = checkOptions(options, GUARD_CHECKS);
    return this.#guard(handler, (exchange) => this.#admit(exchange, checked));
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
    handler: (
      request: Request,
      user: User,
      ...rest: Rest
    ) => Response | Promise<Response>,
    options?: FreshOptions<User>,
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    const checked = checkOptions(options, FRESH_CHECKS);
    const { maxAge = Infinity } = checked;
    return this.#guard(
      handler,
      (exchange) =>
        andThen(
          this.#admit(exchange, checked),
          (admitted): MaybePromise<User | Response> =>
            admitted instanceof Response ||
              this.#identity.isFresh(exchange, maxAge)
              ? admitted
              : this.#toLogin(exchange),
        ),
    );
  }

  #guard<Rest extends unknown[]>(
    handler: (
      request: Request,
      user: User,
      ...rest: Rest
    ) => Response | Promise<Response>,
    admit: (exchange: Exchange) => MaybePromise<User | Response>,
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    checkType("handler", handler, "function");
    return (request, ...rest) =>
      run(this.#core, request, (exchange) =>
        andThen(
          admit(exchange),
          (admitted) =>
            admitted instanceof Response
              ? admitted
              : handler(request, admitted, ...rest),
        ));
  }

  /** The user if a guard lets them in, else the response instead. */
  #admit(
    exchange: Exchange,
    options: GuardOptions<User>,
  ): MaybePromise<User | Response> {
    checkAuthenticated(this.#core);
    exchange.isPrivate = true;
    return andThen(this.#identity.identify(exchange), (user) => {
      const { request } = exchange;
      const { check = this.#options.userChecker, location } = options;
      if (user === null) {
        return location === undefined
          ? this.#toLogin(exchange)
          : toResponse(request, location);
      }
      if (check === undefined) return user;
      return andThen(check(user), (isAdmitted: unknown) => {
        if (isAdmitted === true) return user;
        if (isAdmitted !== false) {
          throw new TypeError(
            `Cannot check user: check() returned ${
              kindOf(isAdmitted)
            }; return true or false`,
          );
        }
        return location === undefined
          ? refuse(request, 403, "You may not do this")
          : toResponse(request, location);
      });
    });
  }

  #toLogin(exchange: Exchange): Promise<Response> {
    return toLogin(exchange.request, this.#options.loginUrl ?? "/login");
  }

  #exchangeOf(request: Request): Exchange {
    checkAuthenticated(this.#core);
    return exchangeOf(this.#core, request);
  }

  /** Changes who is logged in; without a wrapper, the answer has the cookies. */
  async #answer(
    request: Request,
    action: "login" | "logout",
    change: (exchange: Exchange) => Promise<Response>,
  ): Promise<Response> {
    const exchange = this.#exchangeOf(request);
    if (isForeign(request, this.#options.trustedOrigins ?? [])) {
      return refuse(request, 403, `This ${action} was sent from another site`);
    }
    if (exchange.isBound) return await change(exchange);
    exchange.open();
    return await exchange.commit(await change(exchange));
  }
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

function checkAuthenticated(core: SessionCore): void {
  if (core.config.backend?.authenticated !== false) return;
  throw new TypeError(
    "Cannot log in over this session: its backend is unsigned, so anyone could name themselves any user; use another backend",
  );
}
