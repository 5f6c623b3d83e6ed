/**
 * The options of logins and guards, and their checks.
 *
 * @module
 */

import {
  type Checks,
  checkSeconds,
  checkType,
  kindOf,
  ofType,
} from "../backends/check.ts";
import { isOrigin } from "../helpers/origin.ts";
import { isResponse } from "../session/runtime.ts";

/** The most days a browser keeps a cookie. */
export const MAX_DAYS = 400;

/** Whom an application logs in: anything with an id. */
export interface Identified {
  /** Tells one user from another, for good; `0` and `""` are ids too. */
  id: string | number;
}

/**
 * Finds a user by id. Nothing means that there is no such user, or no longer.
 * TypeScript tells the user's type by that of the id, so name one of them:
 * `new Login<User>(…)`, or `(id: number) => …`.
 *
 * @typeParam User The application's user.
 */
export type UserLoader<User extends Identified> = (
  id: User["id"],
) => User | null | undefined | Promise<User | null | undefined>;

/**
 * Options of {@linkcode Login}.
 *
 * @typeParam User The application's user.
 */
export interface LoginOptions<User extends Identified> {
  /**
   * The login page, or a function of the request that tells it.
   *
   * @default {"/login"}
   */
  loginUrl?: string | ((request: Request) => string | Promise<string>);
  /** Finds a user by id; it can be given later by `login.userLoader()`. */
  userLoader?: UserLoader<User>;
  /** Whom guards without a `check` of their own let in: by default, everyone. */
  userChecker?: (user: User) => boolean | Promise<boolean>;
  /**
   * A value of the user that changes when all logins shall end, such as a
   * counter that goes up with each new password. It is kept in the session and
   * the remember-me cookie, where the visitor can read it.
   */
  securityStamp?: (user: User) => string;
  /**
   * The name of the remember-me cookie. By default it follows the session's:
   * `_remember` for `session`, `admin_remember` for `admin`, `__Host-remember`
   * for `__Host-session`.
   */
  rememberCookieName?: string;
  /**
   * How many days `remember: true` means, from 1 to 400.
   *
   * @default {30}
   */
  rememberDays?: number;
  /**
   * Finds the user of a request without a login, by an API key or a bearer
   * token in its headers. Such a user is never fresh, and nothing is written. A
   * request with an `Authorization` header that is not let in gets 401. It must
   * not ask for the current user, who is known only after it.
   */
  requestLoader?: (
    request: Request,
  ) => User | null | undefined | Promise<User | null | undefined>;
  /**
   * Is told that a remember-me cookie has logged somebody in. What it throws
   * fails the request.
   */
  onRestore?: (user: User, request: Request) => void | Promise<void>;
  /**
   * Other origins whose pages may post to login and logout, exactly as in the
   * `Origin` header, such as `https://app.example.com`.
   *
   * @default {[]}
   */
  trustedOrigins?: readonly string[];
}

/** Options of {@linkcode Login.loginUser}. */
export interface LoginUserOptions {
  /**
   * Whether to set a remember-me cookie: `true` for `rememberDays`, or a whole
   * number of days from 1 to 400.
   *
   * @default {false}
   */
  remember?: boolean | number;
  /**
   * Whether the user has just given a password or the like, as `fresh` demands;
   * not so after a link in a mail, or for an administrator as somebody else.
   *
   * @default {true}
   */
  fresh?: boolean;
  /**
   * In the callback of an OAuth provider, the `state` that came back, as it is:
   * it must be one that `createState` made for this visitor, and takes the place
   * of the same-origin rule. Anything else, `null` too, is refused.
   */
  state?: unknown;
  /**
   * Where the visitor wanted to go, such as `form.get("next")`: anything at all.
   * Only a safe path is heeded; without one, that in the `next` parameter of the
   * request's query.
   */
  next?: unknown;
  /**
   * Where to go where nothing safe was asked for.
   *
   * @default {"/"}
   */
  redirectUrl?: string;
}

/** Options of {@linkcode Login.createToken}. */
export interface TokenOptions {
  /** How long the token holds, in seconds. */
  maxAge: number;
}

/** Options of {@linkcode Login.logoutUser}. */
export interface LogoutUserOptions {
  /**
   * Where to go.
   *
   * @default {"/"}
   */
  redirectUrl?: string;
}

/**
 * Options of a guard.
 *
 * @typeParam User The application's user.
 */
export interface GuardOptions<User> {
  /** Whether to let this user in; by default the login's `userChecker`. */
  check?: (user: User) => boolean | Promise<boolean>;
  /**
   * Where to send whoever is not let in, logged in or not: a URL, a response, or
   * a function of the request that returns one, a new response each time. By
   * default to the login page, or 403 for a user who is logged in.
   */
  location?:
    | string
    | Response
    | ((
      request: Request,
    ) => string | Response | Promise<string | Response>);
}

/**
 * Options of {@linkcode Login.fresh}. `location` is for whomever `required` would
 * not let in; who must only log in once more goes to the login page.
 *
 * @typeParam User The application's user.
 */
export interface FreshOptions<User> extends GuardOptions<User> {
  /** How long ago the login may be, in seconds; without it, any time. */
  maxAge?: number;
}

/** What the options of a login must be. */
// deno-lint-ignore no-explicit-any -- the same for any user
export const LOGIN_CHECKS: Checks<LoginOptions<any>> = {
  loginUrl: checkLoginUrl,
  userLoader: ofType("function"),
  userChecker: ofType("function"),
  securityStamp: ofType("function"),
  rememberCookieName: ofType("string"),
  rememberDays: checkDays,
  requestLoader: ofType("function"),
  onRestore: ofType("function"),
  trustedOrigins: checkOrigins,
};

/** What the options of `loginUser` must be. */
export const LOGIN_USER_CHECKS: Checks<LoginUserOptions> = {
  remember: checkRemember,
  fresh: ofType("boolean"),
  state: () => {}, // Comes from a client.
  next: () => {}, // So does this.
  redirectUrl: ofType("string"),
};

/** What the options of `createToken` must be. */
export const TOKEN_CHECKS: Checks<TokenOptions> = { maxAge: checkSeconds };

/** What the options of `logoutUser` must be. */
export const LOGOUT_USER_CHECKS: Checks<LogoutUserOptions> = {
  redirectUrl: ofType("string"),
};

/** What the options of a guard must be. */
// deno-lint-ignore no-explicit-any -- the same for any user
export const GUARD_CHECKS: Checks<GuardOptions<any>> = {
  check: ofType("function"),
  location: checkLocation,
};

/** What the options of a guard for fresh logins must be. */
// deno-lint-ignore no-explicit-any -- the same for any user
export const FRESH_CHECKS: Checks<FreshOptions<any>> = {
  ...GUARD_CHECKS,
  maxAge: checkFreshAge,
};

/** Whether a value is a number of days that a browser keeps a cookie for. */
export function isDays(days: unknown): days is number {
  return Number.isInteger(days) && Number(days) >= 1 &&
    Number(days) <= MAX_DAYS;
}

function checkDays(option: string, days: unknown): void {
  checkType(option, days, "number");
  if (isDays(days)) return;
  throw new RangeError(
    `Cannot use ${option}: it must be a whole number of days from 1 to ${MAX_DAYS}, not ${days}`,
  );
}

function checkOrigins(_option: string, origins: unknown): void {
  if (!Array.isArray(origins)) {
    throw new TypeError(
      `Cannot use trustedOrigins: it must be an array, not ${kindOf(origins)}`,
    );
  }
  const wrong = origins.findIndex((origin) => !isOrigin(origin));
  if (wrong === -1) return;
  throw new TypeError(
    `Cannot use trustedOrigins: number ${
      wrong + 1
    } is not an origin; write it as "https://example.com"`,
  );
}

function checkLoginUrl(option: string, url: unknown): void {
  checkType(option, url, "string", "function");
  if (url === "") {
    throw new TypeError(
      'Cannot use loginUrl: it is empty; leave it out for "/login"',
    );
  }
}

function checkRemember(option: string, remember: unknown): void {
  if (typeof remember === "boolean") return;
  checkType(option, remember, "boolean", "number");
  checkDays(option, remember);
}

function checkLocation(option: string, location: unknown): void {
  if (isResponse(location)) return;
  checkType(option, location, "string", "function");
}

function checkFreshAge(option: string, maxAge: unknown): void {
  checkType(option, maxAge, "number");
  if (!(Number(maxAge) > 0)) {
    throw new RangeError(
      `Cannot use ${option}: it must be a number of seconds above 0, not ${maxAge}`,
    );
  }
}
