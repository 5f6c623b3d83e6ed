/**
 * Sessions and guards as middleware of Oak.
 *
 * In a handler, `ctx.state.session` is the visitor's session, and
 * `ctx.state.user` the user behind a guard. Whatever else of this module takes a
 * request takes `ctx.request.source`, and the response that it returns goes to
 * `ctx.response.with`.
 *
 * ```ts ignore
 * import { Login, Session } from "@denizen/session";
 * import { fresh, required, sessions, type SessionState } from "@denizen/session/oak";
 * import { Application, Router } from "@oak/oak";
 *
 * const session = new Session<{ n: number }>({ secretKey });
 * const login = new Login(session, { userLoader });
 *
 * const router = new Router<SessionState<typeof session, User>>();
 * router.get("/", (ctx) => {
 *   ctx.state.session.n = (ctx.state.session.n ?? 0) + 1;
 *   ctx.state.session.save();
 *   ctx.response.body = ctx.state.session;
 * });
 * router.get("/home", required(login), (ctx) => {
 *   ctx.response.body = `Hello, ${ctx.state.user.name}!`;
 * });
 * router.get("/settings", fresh(login, { maxAge: 900 }), (ctx) => {
 *   ctx.response.body = "Settings";
 * });
 *
 * const app = new Application<SessionState<typeof session, User>>();
 * app.use(sessions(session));
 * app.use(router.routes());
 * ```
 *
 * @example Count a visitor's requests
 * ```ts
 * import { generateSecretKey, Session } from "@denizen/session";
 * import { type OakContext, sessions } from "@denizen/session/oak";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session<{ n: number }>({ secretKey: generateSecretKey() });
 * const middleware = sessions(session);
 *
 * // Stands for what Oak makes of a request.
 * const source = new Request("http://localhost/");
 * const ctx: OakContext = {
 *   request: { source },
 *   response: {
 *     headers: new Headers(),
 *     writable: true,
 *     with() {},
 *     toDomResponse: () => Promise.resolve(new Response()),
 *   },
 *   state: {},
 *   respond: true,
 *   sendEvents: () => Promise.resolve(),
 * };
 *
 * await middleware(ctx, async () => {
 *   const dict = await session.get(source);
 *   dict.n = 1;
 *   dict.save();
 * });
 * assertEquals(ctx.response.headers.getSetCookie().length, 1);
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
import type { JsonData, Session } from "../session.ts";

/** What the middleware needs of Oak's `Context`. */
export interface OakContext {
  /** The request that Oak has made of the server's, which is `source`. */
  readonly request: { readonly source?: Request | undefined };
  /** What becomes the response. */
  readonly response: OakResponse;
  /** The application, whose state must not be that of a request. */
  readonly app?: { readonly state?: unknown };
  /** What handlers leave for those below. */
  // deno-lint-ignore no-explicit-any -- as the application says
  state: any;
  /** Whether Oak is to send the response. */
  respond: boolean;
  /** Sends the headers, and then events. */
  // deno-lint-ignore no-explicit-any -- handed on
  sendEvents(...options: any[]): Promise<any>;
}

/** What the middleware needs of Oak's `Response`. */
export interface OakResponse {
  /** The headers, where no `Response` is given. */
  readonly headers: Headers;
  /** Whether no `Response` is given yet. */
  readonly writable: boolean;
  /** Gives a `Response` to send. */
  with(response: Response): void;
  /** The response to send. */
  toDomResponse(): Promise<Response>;
}

/** A middleware of Oak's. */
export type OakMiddleware = (
  ctx: OakContext,
  next: () => Promise<unknown>,
) => Promise<void>;

/**
 * The state of an application with sessions, for
 * `new Application<SessionState<typeof session>>()`.
 *
 * @typeParam S The session.
 * @typeParam User The user, where there are guards.
 */
// deno-lint-ignore no-explicit-any -- a session of any data
export interface SessionState<S extends Session<any>, User = unknown> {
  /** The visitor's session. */
  session: Awaited<ReturnType<S["get"]>>;
  /** Behind a guard, the user. */
  user: User;
}

/** Runs a handler, and returns what its response becomes. */
type Wrapper = (
  handler: (request: Request) => Promise<Response>,
) => (request: Request) => Promise<Response>;

type Below = (request: Request) => Promise<Response>;

/**
 * Reads the visitor's session for the handlers below, and writes what they save
 * onto the response. What needs no session, such as static files, stands above.
 *
 * A handler that throws saves nothing, unless it throws a `Response`, which is
 * an answer. What is saved before `ctx.sendEvents` is sent with the events; Oak
 * sends a WebSocket without headers, so a save with `ctx.upgrade` is an error.
 *
 * @example Usage
 * ```ts
 * import { generateSecretKey, Session } from "@denizen/session";
 * import { sessions } from "@denizen/session/oak";
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
): OakMiddleware {
  return (ctx, next) =>
    goThrough(ctx, next, (below) =>
      session.wrap(async (request) => {
        setState(ctx, "session", await session.get(request));
        return await below(request);
      }));
}

/**
 * Lets in logged-in users alone, as `login.required` does.
 *
 * @example Usage
 * ```ts
 * import { generateSecretKey, Login, Session } from "@denizen/session";
 * import { required } from "@denizen/session/oak";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session({ secretKey: generateSecretKey() });
 * const login = new Login(session, { userLoader: (id: number) => ({ id }) });
 *
 * const guard = required(login, { check: ({ id }) => id === 1 }); // router.get("/home", guard, handler)
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
): OakMiddleware {
  return guard((handler) => login.required(handler, options));
}

/**
 * Lets in users alone who have come through the login page, as `login.fresh`
 * does.
 *
 * @example Usage
 * ```ts
 * import { generateSecretKey, Login, Session } from "@denizen/session";
 * import { fresh } from "@denizen/session/oak";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session({ secretKey: generateSecretKey() });
 * const login = new Login(session, { userLoader: (id: number) => ({ id }) });
 *
 * const guard = fresh(login, { maxAge: 900 }); // router.get("/home", guard, handler)
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
): OakMiddleware {
  return guard((handler) => login.fresh(handler, options));
}

/** Leaves something for the handlers below, of this request alone. */
function setState(ctx: OakContext, name: "session" | "user", value: unknown) {
  if (ctx.app !== undefined && ctx.app.state === ctx.state) {
    throw new TypeError(
      'Cannot use ctx.state: all requests share it, and visitors would have the session of others; leave out contextState: "alias"',
    );
  }
  ctx.state[name] = value;
}

function guard<User>(
  wrap: (
    handler: UserHandler<User, [OakContext, Below]>,
  ) => (request: Request, ctx: OakContext, below: Below) => Promise<Response>,
): OakMiddleware {
  const guarded = wrap((request, user, ctx, below) => {
    setState(ctx, "user", user);
    return below(request);
  });
  return (ctx, next) =>
    goThrough(ctx, next, (below) => (request) => guarded(request, ctx, below));
}

/** Goes on below a wrapper, and gives Oak what it makes of the response. */
async function goThrough(
  ctx: OakContext,
  next: () => Promise<unknown>,
  wrap: Wrapper,
): Promise<void> {
  const { response, sendEvents } = ctx;
  let running: Promise<Response> | undefined;
  let sent: Response | undefined;
  const leaving = Promise.withResolvers<Response>();
  const answer = wrap(() => {
    running = run(ctx, next);
    running.then(leaving.resolve, leaving.reject);
    return leaving.promise;
  })(sourceOf(ctx));
  ctx.sendEvents = (...options) => {
    // The headers leave now.
    leaving.resolve(sent = new Response(null, { headers: response.headers }));
    const target = answer.then(({ headers }) => {
      takeHeaders(response.headers, headers);
      return sendEvents.apply(ctx, options);
    });
    target.catch(() => {}); // Unawaited, it must not end the process.
    return target;
  };
  const result = await answer;
  const before = await running;
  if (before === undefined) response.with(result);
  else if (sent !== undefined) return;
  else if (!ctx.respond) checkUnsent(result);
  else if (response.writable) takeHeaders(response.headers, result.headers);
  // Oak takes no second response, but asks for the first by this method.
  else response.toDomResponse = () => Promise.resolve(result);
}

/** Goes on, and returns a response with the headers that there are so far. */
async function run(
  ctx: OakContext,
  next: () => Promise<unknown>,
): Promise<Response> {
  const { response } = ctx;
  try {
    await next();
  } catch (error) {
    // Oak takes errors alone.
    if (!(error instanceof Response)) throw error;
    response.with(error);
  }
  if (!ctx.respond) return new Response();
  return response.writable
    ? new Response(null, { headers: response.headers })
    : await response.toDomResponse();
}

function takeHeaders(headers: Headers, from: Headers): void {
  headers.delete("Set-Cookie");
  for (const [name, value] of from) {
    if (name === "set-cookie") headers.append(name, value);
    else headers.set(name, value);
  }
}

function checkUnsent({ headers }: Response): void {
  if (headers.getSetCookie().length === 0) return;
  throw new Error(
    "Cannot save session: Oak sends a WebSocket without headers; save before, on a page",
  );
}

function sourceOf({ request }: OakContext): Request {
  if (request.source !== undefined) return request.source;
  throw new TypeError(
    "Cannot read session: Oak has no Request of this server; serve by Deno, or by app.fetch",
  );
}
