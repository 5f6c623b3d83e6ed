/**
 * Sessions: a dictionary for each visitor, kept in one signed cookie.
 *
 * @example Count a visitor's requests
 * ```ts
 * import { generateSecretKey, Session, withSession } from "@denizen/session";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session<{ n: number }>({ secretKey: generateSecretKey() });
 *
 * const handler = withSession(session, (_request, dict) => {
 *   dict.n = (dict.n ?? 0) + 1;
 *   dict.save();
 *   return Response.json({ n: dict.n });
 * });
 *
 * const response = await handler(new Request("http://localhost/"));
 * assertEquals(await response.json(), { n: 1 });
 * assertEquals(response.headers.getSetCookie().length, 1);
 * ```
 *
 * @module
 */

import type { Payload, SecretKey } from "./backends/backend.ts";
import { checkType } from "./backends/check.ts";
import { timeProblem } from "./backends/claims.ts";
import type { CookieOptions } from "./session/cookie.ts";
import { coreOf, SessionCore } from "./session/core.ts";
import { copyPayload, type JsonData } from "./session/dict.ts";
import type { SessionOptions } from "./session/options.ts";
import { andThen, attempt, type MaybePromise } from "./session/runtime.ts";
import {
  exchangeOf,
  openExchange,
  run,
  shareExchanges,
} from "./session/request.ts";

export type {
  Backend,
  Payload,
  RejectReason,
  SecretKey,
} from "./backends/backend.ts";
export type { CookieOptions } from "./session/cookie.ts";
export type { Json, JsonData } from "./session/dict.ts";
export type { BackendName, SessionOptions } from "./session/options.ts";

/** The methods of a session dictionary. Their names are no names for data. */
export interface SessionMethods {
  /**
   * Saves the data as they are now; a later change needs another `save`.
   *
   * Awaiting it is optional under a wrapper, which awaits it before the
   * response leaves. A request whose last `save` failed fails too, even if the
   * handler caught the error. A save after the response has left rejects.
   *
   * A backend that keeps sessions, such as kv, writes when this is called. With
   * the others, an error of the handler means that nothing was saved.
   *
   * @returns A promise that rejects with a `TypeError` where JSON can't hold
   * the data or a name is a claim of the token, with a `RangeError` where the
   * cookie would be too long, or with the failure of a store.
   */
  readonly save: () => Promise<void>;
  /**
   * Ends the session: empties the dictionary, deletes the cookie, and the
   * stored record where the backend keeps one.
   *
   * @returns A promise that rejects with the failure of a store.
   */
  readonly delete: () => Promise<void>;
}

/**
 * A visitor's data. They are the dictionary's own properties, all of them
 * optional: a visitor may come for the first time.
 */
export type SessionDict<
  // deno-lint-ignore no-explicit-any -- untyped data are whatever was stored
  Data extends object & JsonData<Data> = Record<string, any>,
> = Partial<Data> & SessionMethods;

/**
 * Sessions of one kind: how they are signed, named and bounded.
 *
 * @example Read a session anywhere below one wrapper
 * ```ts
 * import { generateSecretKey, Session } from "@denizen/session";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session<{ name: string }>({
 *   secretKey: generateSecretKey(),
 * });
 *
 * async function greet(request: Request): Promise<Response> {
 *   const { name = "stranger" } = await session.get(request);
 *   return new Response(`Hello, ${name}!`);
 * }
 *
 * const handler = session.wrap(greet); // Deno.serve(handler)
 * const response = await handler(new Request("http://localhost/"));
 * assertEquals(await response.text(), "Hello, stranger!");
 * ```
 *
 * @typeParam Data The data that a session holds.
 */
export class Session<
  // deno-lint-ignore no-explicit-any -- untyped data are whatever was stored
  Data extends object & JsonData<Data> = Record<string, any>,
> {
  readonly #core: SessionCore;

  static {
    // A log that shows getters shall not show the secret key.
    for (const name of ["Deno.customInspect", "nodejs.util.inspect.custom"]) {
      const value = () => "Session {}";
      Object.defineProperty(this.prototype, Symbol.for(name), { value });
    }
  }

  /**
   * Makes a session. Without a `secretKey`, give it one before the first
   * request.
   *
   * @param options The options.
   * @throws {TypeError} If an option is not of the kind it must be.
   * @throws {RangeError} If a key is too short or a lifetime out of range.
   */
  constructor(options?: SessionOptions) {
    this.#core = new SessionCore(this, options);
  }

  /**
   * Configures the session later than at construction. The options given
   * replace those from before; the others stay.
   *
   * @param options The options.
   * @throws {TypeError} If an option is not of the kind it must be.
   * @throws {RangeError} If a key is too short or a lifetime out of range.
   */
  initialize(options: SessionOptions): void {
    this.#core.configure(options);
  }

  /**
   * The secret key or keys. Assigning other ones forgets every token that was
   * verified before.
   *
   * @returns What was given, or `undefined`.
   */
  get secretKey(): SecretKey | readonly SecretKey[] | undefined {
    const { secretKey } = this.#core.config.options;
    return Array.isArray(secretKey)
      ? secretKey.map(copyKey)
      : copyKey(secretKey);
  }

  set secretKey(secretKey: SecretKey | readonly SecretKey[] | undefined) {
    this.#core.configure({ secretKey });
  }

  /**
   * The attributes of the cookie, defaults included. Assigned ones are merged
   * over the default.
   *
   * @returns The attributes.
   */
  get cookieOptions(): CookieOptions {
    return this.#core.config.cookie.attributes;
  }

  set cookieOptions(cookieOptions: CookieOptions) {
    this.#core.configure({ cookieOptions });
  }

  /**
   * Reads the visitor's session. The cookie is decoded once per request, and
   * the same request gets the same object. Where the cookie is missing,
   * tampered with, expired or malformed, the session is empty. To save it takes
   * a wrapper around the request, or `open`.
   *
   * @param request The request, as the server made it.
   * @returns The session dictionary.
   * @throws {TypeError} If the backend needs a secret key and there is none.
   */
  get(request: Request): Promise<SessionDict<Data>> {
    return attempt(() => {
      const dict = exchangeOf(this.#core, request).load();
      return dict as unknown as SessionDict<Data>; // as the application says
    });
  }

  /**
   * Wraps a handler, such as a whole router: below it any code can read the
   * session of its request, and what it saves goes onto the response.
   *
   * Wrappers nest. They share one session, and the outermost one writes.
   *
   * @param handler The handler. Further arguments are passed on to it.
   * @returns The handler with sessions, for `Deno.serve`.
   */
  wrap<Rest extends unknown[]>(
    handler: (
      request: Request,
      ...rest: Rest
    ) => Response | Promise<Response>,
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    checkType("handler", handler, "function");
    return (request, ...rest) =>
      run(this.#core, request, () => handler(request, ...rest));
  }

  /**
   * Reads the visitor's session where there is no wrapper: you promise to pass
   * the response to `commit`, which writes what was saved onto it.
   *
   * @param request The request, as the server made it.
   * @returns The session dictionary.
   * @throws {TypeError} If the backend needs a secret key and there is none.
   */
  open(request: Request): Promise<SessionDict<Data>> {
    return attempt(() => {
      const exchange = openExchange(this.#core, request);
      exchange.open();
      return exchange.load() as unknown as SessionDict<Data>; // as it says
    });
  }

  /**
   * Lets a copy of a request have the request's session. Without this, a copy
   * has one of its own, which can't be saved: the response belongs to the first.
   *
   * @example Change a request on its way to a router
   * ```ts
   * import { generateSecretKey, Session } from "@denizen/session";
   * import { assertEquals } from "@std/assert";
   *
   * const session = new Session<{ n: number }>({
   *   secretKey: generateSecretKey(),
   * });
   *
   * async function router(request: Request): Promise<Response> {
   *   const dict = await session.get(request);
   *   dict.n = 1;
   *   dict.save();
   *   return new Response(request.url);
   * }
   *
   * const handler = session.wrap((request) => {
   *   const url = request.url.replace("/v1/", "/");
   *   return router(session.share(request, new Request(url, request)));
   * });
   *
   * const response = await handler(new Request("http://localhost/v1/users"));
   * assertEquals(await response.text(), "http://localhost/users");
   * assertEquals(response.headers.getSetCookie().length, 1);
   * ```
   *
   * @param request The request, as the server made it.
   * @param copy What stands for it from now on.
   * @returns The copy.
   */
  share(request: Request, copy: Request): Request {
    shareExchanges(this.#core, request, copy);
    return copy;
  }

  /**
   * Gives the session a new id, or a new token, and saves it: after a second
   * factor or a change of role, nobody who knew the old one knows the new one.
   * Where the backend keeps sessions, the old one ends. Awaiting it is optional,
   * as it is with `save`.
   *
   * @param request The request, under a wrapper or after `open`.
   */
  regenerate(request: Request): Promise<void> {
    return attempt(() => {
      const exchange = exchangeOf(this.#core, request);
      const update = () =>
        exchange.update({ claims: {}, isNew: true, goesOn: true });
      return exchange.hold(attempt(() => andThen(exchange.load(), update)));
    });
  }

  /**
   * Writes what was saved for a request onto its response: for frameworks
   * whose middleware hands over a response. Call `open` before the handler.
   *
   * @param request The request that the session was read from.
   * @param response The response on its way out.
   * @returns The response to send instead.
   * @throws {TypeError} If a save was not possible; see
   * {@linkcode SessionMethods.save}.
   */
  commit(request: Request, response: Response): Promise<Response> {
    return attempt(() => exchangeOf(this.#core, request).commit(response));
  }

  /**
   * Makes a cookie value of exactly the given payload, for instance to call a
   * service that shares the key.
   *
   * @param payload The content, claims included where it shall have some.
   * @param secretKey Another key than the session's.
   * @returns The value.
   * @throws {TypeError} If there is no key, or JSON can't hold the payload.
   * @throws {RangeError} If the value is too long for a cookie.
   */
  encode(
    payload: Record<string, unknown>,
    secretKey?: SecretKey,
  ): Promise<string> {
    return attempt(async () => {
      const backend = this.#core.backendFor(secretKey);
      const value = await backend.save(copyPayload(payload));
      this.#core.config.cookie.check(value);
      return value;
    });
  }

  /**
   * Reads a cookie value: the whole payload, claims included.
   *
   * @param value The value.
   * @param secretKey Another key than the session's.
   * @returns The payload, or `{}` where the value is not valid.
   * @throws {TypeError} If there is no key.
   */
  decode(value: string, secretKey?: SecretKey): Promise<Payload> {
    return attempt(async () => {
      const backend = this.#core.backendFor(secretKey);
      if (typeof value !== "string") return {};
      const payload = await this.#core.load(value, backend);
      const { now } = this.#core.config.lifetime;
      return payload && timeProblem(payload, now) === undefined ? payload : {};
    });
  }
}

/**
 * Wraps a handler that takes the visitor's session as its second argument.
 *
 * @example Usage
 * ```ts
 * import { generateSecretKey, Session, withSession } from "@denizen/session";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session<{ name: string }>({
 *   secretKey: generateSecretKey(),
 * });
 *
 * const handler = withSession(
 *   session,
 *   (_request, dict, info: { port: number }) =>
 *     new Response(`${dict.name ?? "Nobody"} on port ${info.port}`),
 * );
 *
 * const response = await handler(new Request("http://localhost/"), { port: 80 });
 * assertEquals(await response.text(), "Nobody on port 80");
 * ```
 *
 * @typeParam Data The data that a session holds.
 * @typeParam Rest The further arguments of the handler.
 * @param session The session.
 * @param handler The handler. Further arguments are passed on to it.
 * @returns The handler with sessions, for `Deno.serve`.
 */
export function withSession<
  Data extends JsonData<Data>,
  Rest extends unknown[],
>(
  session: Session<Data>,
  handler: (
    request: Request,
    sessionDict: SessionDict<Data>,
    ...rest: Rest
  ) => Response | Promise<Response>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  const core = coreOf(session);
  checkType("handler", handler, "function");
  return (request, ...rest) =>
    run(core, request, (exchange) => {
      // The data have the type that the application says they have.
      const dict = exchange.load() as unknown as MaybePromise<
        SessionDict<Data>
      >;
      return andThen(dict, (dict) => handler(request, dict, ...rest));
    });
}

/** Copies the bytes of a key: who writes into them changes no key. */
function copyKey<Key>(key: Key): Key | Uint8Array {
  return key instanceof Uint8Array ? key.slice() : key;
}
