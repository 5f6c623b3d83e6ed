/**
 * Sessions and guards as middleware of Hono.
 *
 * In a handler, `c.var.session` is the visitor's session, and `c.var.user` the
 * user behind a guard. Whatever else of this module takes a request takes
 * `c.req.raw`, whichever middleware has put another request there.
 *
 * ```ts ignore
 * import { Login, Session } from "@denizen/session";
 * import {
 *   fresh,
 *   required,
 *   sessions,
 *   type SessionVariables,
 * } from "@denizen/session/hono";
 * import { Hono } from "hono";
 *
 * const session = new Session<{ n: number }>({ secretKey });
 * const login = new Login(session, { userLoader });
 *
 * const app = new Hono<{ Variables: SessionVariables<typeof session, User> }>();
 * app.use(sessions(session));
 * app.get("/", (c) => {
 *   c.var.session.n = (c.var.session.n ?? 0) + 1;
 *   c.var.session.save();
 *   return c.json(c.var.session);
 * });
 * app.get("/home", required(login), (c) => c.text(`Hello, ${c.var.user.name}!`));
 * app.get("/settings", fresh(login, { maxAge: 900 }), (c) => c.text("Settings"));
 * app.post("/logout", (c) => login.logoutUser(c.req.raw));
 * ```
 *
 * @example Count a visitor's requests
 * ```ts
 * import { generateSecretKey, Session } from "@denizen/session";
 * import { type HonoContext, sessions } from "@denizen/session/hono";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session<{ n: number }>({ secretKey: generateSecretKey() });
 * const middleware = sessions(session);
 *
 * // Stands for what Hono makes of a request.
 * const c = {
 *   req: { raw: new Request("http://localhost/") },
 *   res: new Response(),
 *   error: undefined,
 *   set() {},
 * } satisfies HonoContext;
 *
 * await middleware(c, async () => {
 *   const dict = await session.get(c.req.raw);
 *   dict.n = 1;
 *   dict.save();
 * });
 * assertEquals(c.res.headers.getSetCookie().length, 1);
 * ```
 *
 * @module
 */

import type {
  FreshOptions,
  GuardOptions,
  Identified,
  Login,
  UserHandler,
} from "../login.ts";
import type { JsonData, Session, SessionDict } from "../session.ts";

/** What the middleware needs of Hono's `Context`. */
export interface HonoContext {
  /** The request that Hono has made of the server's, which is `raw`. */
  readonly req: { raw: Request };
  /** The response. */
  res: Response;
  /** What a handler has thrown, which became an error page. */
  readonly error: Error | undefined;
  /** Sets a variable, for `c.var`. */
  // deno-lint-ignore no-explicit-any -- Hono's own type depends on the variables
  set(name: any, value: any): void;
}

/** A middleware of Hono's. */
export type HonoMiddleware = (
  c: HonoContext,
  next: () => Promise<void>,
) => Promise<Response | undefined>;

/**
 * The variables of an application with sessions, for
 * `new Hono<{ Variables: SessionVariables<typeof session> }>()`.
 *
 * @typeParam S The session.
 * @typeParam User The user, where there are guards.
 */
// deno-lint-ignore no-explicit-any -- a session of any data
export interface SessionVariables<S extends Session<any>, User = unknown> {
  /** The visitor's session. */
  session: Awaited<ReturnType<S["get"]>>;
  /** Behind a guard, the user. */
  user: User;
}

type Wrapper = (
  handler: (request: Request) => Promise<Response>,
) => (request: Request) => Promise<Response>;

/**
 * Reads the visitor's session for the handlers below, and writes what they save
 * onto the response. What needs no session, such as static files, stands above.
 *
 * A handler that throws saves nothing, unless it throws a `Response` or an
 * `HTTPException`, which are answers.
 *
 * @example Usage
 * ```ts
 * import { generateSecretKey, Session } from "@denizen/session";
 * import { sessions } from "@denizen/session/hono";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session({ secretKey: generateSecretKey() });
 * const middleware = sessions(session); // app.use(middleware)
 * assertEquals(typeof middleware, "function");
 * ```
 *
 * @typeParam Data The data that a session holds.
 * @param session The session.
 * @returns The middleware, for `app.use`.
 */
export function sessions<Data extends object & JsonData<Data>>(
  session: Session<Data>,
): HonoMiddleware {
  return (c, next) => {
    follow(c, session);
    return goThrough(c, next, (below) =>
      session.wrap(async (request) => {
        const dict: SessionDict<Data> = await session.get(request);
        c.set("session", dict);
        return await below(request);
      }));
  };
}

/**
 * Lets in logged-in users alone, as `login.required` does.
 *
 * @example Usage
 * ```ts
 * import { generateSecretKey, Login, Session } from "@denizen/session";
 * import { required } from "@denizen/session/hono";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session({ secretKey: generateSecretKey() });
 * const login = new Login(session, { userLoader: (id: number) => ({ id }) });
 *
 * const guard = required(login, { check: ({ id }) => id === 1 }); // app.get("/home", guard, handler)
 * assertEquals(typeof guard, "function");
 * ```
 *
 * @typeParam User The application's user.
 * @param login The login.
 * @param options The options.
 * @returns The middleware, for `app.use` or before a handler.
 * @throws {TypeError} If an option is not of the kind it must be.
 */
export function required<User extends Identified>(
  login: Login<User>,
  options?: GuardOptions<User>,
): HonoMiddleware {
  return guard((handler) => login.required(handler, options));
}

/**
 * Lets in users alone who have come through the login page, as `login.fresh`
 * does.
 *
 * @example Usage
 * ```ts
 * import { generateSecretKey, Login, Session } from "@denizen/session";
 * import { fresh } from "@denizen/session/hono";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session({ secretKey: generateSecretKey() });
 * const login = new Login(session, { userLoader: (id: number) => ({ id }) });
 *
 * const guard = fresh(login, { maxAge: 900 }); // app.get("/home", guard, handler)
 * assertEquals(typeof guard, "function");
 * ```
 *
 * @typeParam User The application's user.
 * @param login The login.
 * @param options The options.
 * @returns The middleware, for `app.use` or before a handler.
 * @throws {TypeError} If an option is not of the kind it must be.
 * @throws {RangeError} If `maxAge` is not above 0.
 */
export function fresh<User extends Identified>(
  login: Login<User>,
  options?: FreshOptions<User>,
): HonoMiddleware {
  return guard((handler) => login.fresh(handler, options));
}

function guard<User>(
  wrap: (
    handler: UserHandler<User, [HonoContext, Below]>,
  ) => (request: Request, c: HonoContext, below: Below) => Promise<Response>,
): HonoMiddleware {
  const guarded = wrap((request, user, c, below) => {
    c.set("user", user);
    return below(request);
  });
  return (c, next) =>
    goThrough(c, next, (below) => (request) => guarded(request, c, below));
}

type Below = (request: Request) => Promise<Response>;

/** Lets whatever request middleware puts into the context have the session. */
// deno-lint-ignore no-explicit-any -- a session of any data
function follow({ req }: HonoContext, session: Session<any>): void {
  let { raw } = req;
  Object.defineProperty(req, "raw", {
    configurable: true,
    enumerable: true,
    get: () => raw,
    set: (request: Request) => raw = session.share(raw, request),
  });
}

/** Goes on below a wrapper, and gives Hono the response that it makes. */
async function goThrough(
  c: HonoContext,
  next: () => Promise<void>,
  wrap: Wrapper,
): Promise<Response | undefined> {
  let isBelow = false;
  let failure: Error | undefined;
  const handler = wrap(async () => {
    isBelow = true;
    try {
      await next();
    } catch (error) {
      // Hono takes errors alone. It adds the headers that there are.
      if (!(error instanceof Response)) throw error;
      c.res = error;
    }
    if (c.error !== undefined && !("getResponse" in c.error)) {
      throw failure = c.error;
    }
    return c.res;
  });
  try {
    const response = await handler(c.req.raw);
    if (!isBelow) return response;
    // Or Hono merges the headers of both; it allows for this.
    (c as { res: Response | undefined }).res = undefined;
    c.res = response;
  } catch (error) {
    // Hono has made a page of it.
    if (error !== failure) throw error;
  }
}
