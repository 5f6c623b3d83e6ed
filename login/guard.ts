/**
 * Guards: whom they let in, and where they send the others.
 *
 * @module
 */

import { checkType, kindOf } from "../backends/check.ts";
import type { SessionCore } from "../session/core.ts";
import type { Exchange } from "../session/exchange.ts";
import { run } from "../session/request.ts";
import { andThen, isResponse, type MaybePromise } from "../session/runtime.ts";
import { type Challenge, refuse, toLogin, toResponse } from "./answers.ts";
import type { Identity } from "./identity.ts";
import type { FreshOptions, Identified, LoginOptions } from "./options.ts";

/** A handler that gets the user as its second argument. */
export type UserHandler<User, Rest extends unknown[]> = (
  request: Request,
  user: User,
  ...rest: Rest
) => Response | Promise<Response>;

/** What a guard demands beside a login. */
export interface Demand<User> extends FreshOptions<User> {
  /** Whether the login must be fresh. */
  isFresh: boolean;
}

/** The guards of one Login. */
export class Guard<User extends Identified> {
  readonly #core: SessionCore;
  readonly #options: LoginOptions<User>;
  readonly #identity: Identity<User>;

  /** Makes the guards of a Login. */
  constructor(
    core: SessionCore,
    options: LoginOptions<User>,
    identity: Identity<User>,
  ) {
    this.#core = core;
    this.#options = options;
    this.#identity = identity;
  }

  /** Wraps a handler that runs for those alone who are let in. */
  wrap<Rest extends unknown[]>(
    handler: UserHandler<User, Rest>,
    demand: Demand<User>,
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    checkType("handler", handler, "function");
    return (request, ...rest) =>
      run(this.#core, request, (exchange) =>
        andThen(
          this.admit(exchange, demand),
          (admitted) =>
            isResponse(admitted)
              ? admitted
              : handler(request, admitted, ...rest),
        ));
  }

  /** The user who is let in, or the response to anybody else. */
  admit(
    exchange: Exchange,
    demand: Demand<User>,
  ): MaybePromise<User | Response> {
    checkAuthenticated(this.#core);
    exchange.isPrivate = true;
    return andThen(this.#identity.identify(exchange), (user) => {
      if (user === null) return this.#sendAway(exchange, demand);
      const { check = this.#options.userChecker } = demand;
      if (check === undefined) return this.#freshen(exchange, user, demand);
      return andThen(check(user), (isAdmitted) => {
        checkAnswer(isAdmitted);
        return isAdmitted
          ? this.#freshen(exchange, user, demand)
          : this.#turnAway(exchange, demand);
      });
    });
  }

  /** Lets in a user whose login is as fresh as it must be. */
  #freshen(
    exchange: Exchange,
    user: User,
    { isFresh, maxAge = Infinity }: Demand<User>,
  ): User | Promise<Response> {
    return !isFresh || this.#identity.isFresh(exchange, user, maxAge)
      ? user
      : this.#toLogin(exchange.request);
  }

  /** Answers a visitor whom nobody knows. */
  #sendAway(
    { request }: Exchange,
    { location }: Demand<User>,
  ): Promise<Response> | Response {
    if (location !== undefined) return toResponse(request, location);
    const challenge = this.#challenge;
    if (challenge === "Bearer" && request.headers.has("Authorization")) {
      return refuse(request, 401, "This key or token is not known", challenge);
    }
    return this.#toLogin(request);
  }

  /** Answers a user who is logged in, but not let in. */
  #turnAway(
    { request }: Exchange,
    { location }: Demand<User>,
  ): Promise<Response> | Response {
    return location === undefined
      ? refuse(request, 403, "You may not do this")
      : toResponse(request, location);
  }

  #toLogin(request: Request): Promise<Response> {
    const { loginUrl = "/login" } = this.#options;
    return toLogin(request, loginUrl, this.#challenge);
  }

  get #challenge(): Challenge {
    return this.#options.requestLoader === undefined ? "Cookie" : "Bearer";
  }
}

/**
 * Checks that a backend is one that logins can be trusted to.
 *
 * @throws {TypeError} If clients can make its values.
 */
export function checkAuthenticated(core: SessionCore): void {
  if (core.config.backend?.authenticated !== false) return;
  throw new TypeError(
    "Cannot log in over this session: its backend is unsigned, so anyone could name themselves any user; use another backend",
  );
}

function checkAnswer(isAdmitted: unknown): void {
  if (typeof isAdmitted === "boolean") return;
  throw new TypeError(
    `Cannot check user: check() returned ${
      kindOf(isAdmitted)
    }; return true or false`,
  );
}
