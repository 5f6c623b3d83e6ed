/**
 * Testing an application as its visitors use it, and a store of sessions as
 * sessions do.
 *
 * @example Test pages behind a login
 * ```ts
 * import { generateSecretKey, Login, Session } from "@denizen/session";
 * import { TestClient } from "@denizen/session/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session({ secretKey: generateSecretKey() });
 * const login = new Login(session, { userLoader: (id: number) => ({ id }) });
 * const handler = login.required((_request, { id }) => Response.json({ id }));
 *
 * const client = new TestClient(handler, { login });
 * assertEquals((await client.get("/")).status, 302);
 * await client.loginAs({ id: 7 });
 * assertEquals(await (await client.get("/")).json(), { id: 7 });
 * ```
 *
 * @module
 */

import {
  checkMethods,
  checkOptions,
  type Checks,
  ofType,
} from "../backends/check.ts";
import { CookieJar } from "./cookie_jar.ts";

export type { CookieJar } from "./cookie_jar.ts";
export { type OpenStore, type StoreTest, storeTests } from "./store_tests.ts";

/** A handler, as `Deno.serve` takes it. */
export type TestHandler = (request: Request) => Response | Promise<Response>;

/** The part of a `Login` that logs in, whatever its users. */
export interface TestLogin<User> {
  /** Logs a user in. */
  loginUser(
    request: Request,
    user: User,
    options?: { fresh?: boolean; remember?: boolean | number },
  ): Promise<Response>;
}

/** Options of a {@linkcode TestClient}. */
export interface TestClientOptions<User> {
  /**
   * Where the client is, for a handler.
   *
   * @default {"http://localhost"}
   */
  origin?: string;
  /** The application's login, for `loginAs`. */
  login?: TestLogin<User>;
  /**
   * Milliseconds since the epoch, by which cookies expire.
   *
   * @default {Date.now}
   */
  clock?: () => number;
}

/** How to log in. */
export interface LoginAsOptions {
  /**
   * Whether as if a password had been given.
   *
   * @default {true}
   */
  fresh?: boolean;
  /**
   * Whether to set a remember-me cookie, as `loginUser` does.
   *
   * @default {false}
   */
  remember?: boolean | number;
}

/** What a form, or a script, sends. */
export interface PostBody {
  /** The fields of a form. */
  form?: Record<string, string> | FormData | URLSearchParams;
  /** A value that JSON can hold. */
  json?: unknown;
  /** Further headers. */
  headers?: HeadersInit;
}

// deno-lint-ignore no-explicit-any -- the same for any user
const CLIENT_CHECKS: Checks<TestClientOptions<any>> = {
  origin: ofType("string"),
  login: (option, login) => {
    checkMethods(option, login as object, ["loginUser"], "pass a Login");
  },
  clock: ofType("function"),
};

const POST_CHECKS: Checks<PostBody> = {
  form: ofType("object"),
  json: () => {}, // Anything at all.
  headers: ofType("object"),
};

/** What a browser accepts as a page. */
const PAGE = "text/html,application/xhtml+xml,*/*;q=0.8";

/**
 * A browser without a screen: it keeps cookies as a browser does, and follows
 * no redirects, so that a test sees them.
 *
 * @example Usage
 * ```ts
 * import { generateSecretKey, Session, withSession } from "@denizen/session";
 * import { TestClient } from "@denizen/session/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session<{ n: number }>({ secretKey: generateSecretKey() });
 * const client = new TestClient(withSession(session, (_request, dict) => {
 *   dict.n = (dict.n ?? 0) + 1;
 *   dict.save();
 *   return Response.json(dict.n);
 * }));
 *
 * await client.get("/");
 * assertEquals(await (await client.get("/")).json(), 2);
 * client.cookies.delete("session");
 * assertEquals(await (await client.get("/")).json(), 1);
 * ```
 *
 * @typeParam User The application's user.
 */
export class TestClient<User = unknown> {
  /** The cookies it has. */
  readonly cookies: CookieJar;
  readonly #send: TestHandler;
  readonly #origin: string;
  readonly #login: TestLogin<User> | undefined;

  /**
   * Makes a client with no cookies.
   *
   * @param target A handler, which needs no server; or the origin of a server.
   * @param options The options.
   * @throws {TypeError} If the target is neither, or an option is not of the kind
   * it must be.
   */
  constructor(
    target: TestHandler | string | URL,
    options?: TestClientOptions<User>,
  ) {
    const checked = checkOptions(options, CLIENT_CHECKS);
    const { origin = "http://localhost", login, clock = Date.now } = checked;
    const isHandler = typeof target === "function";
    this.cookies = new CookieJar(clock);
    this.#send = isHandler ? target : fetchWhole;
    this.#origin = originOf(isHandler ? origin : target);
    this.#login = login;
  }

  /**
   * Asks for a page, as a browser does that goes there.
   *
   * @param path The path, or a URL.
   * @param headers Further headers.
   * @returns The response.
   */
  get(path: string, headers?: HeadersInit): Promise<Response> {
    return this.fetch(path, { headers: merge({ Accept: PAGE }, headers) });
  }

  /**
   * Sends a form as a page of the site does, or JSON as its script does.
   *
   * @param path The path, or a URL.
   * @param body What to send; by default a form without fields.
   * @returns The response.
   */
  async post(path: string, body?: PostBody): Promise<Response> {
    const { form = {}, json, headers } = checkBody(body);
    const isJson = json !== undefined;
    const defaults: Record<string, string> = isJson
      ? { Accept: "application/json", "Content-Type": "application/json" }
      : { Accept: PAGE };
    const isForm = form instanceof FormData || form instanceof URLSearchParams;
    return await this.fetch(path, {
      method: "POST",
      headers: merge({ ...defaults, Origin: this.#origin }, headers),
      body: isJson
        ? JSON.stringify(json)
        : isForm
        ? form
        : new URLSearchParams(form),
    });
  }

  /**
   * Sends a request as a script does, with the cookies that there are for it,
   * and keeps those of the response.
   *
   * @param path The path, or a URL.
   * @param init What `fetch` takes.
   * @returns The response; a redirect is not followed.
   */
  async fetch(path: string, init?: RequestInit): Promise<Response> {
    const request = this.#request(path, init);
    const response = await this.#send(request);
    if (!(response instanceof Response)) {
      throw new TypeError("Cannot test: the handler returned no Response");
    }
    this.cookies.keep(new URL(request.url), response.headers);
    return response;
  }

  /**
   * Logs a user in without the login page; it takes the option `login`, and for
   * a server the same secret key as it has.
   *
   * @param user The user.
   * @param options The options.
   * @throws {TypeError} If there is no `login`, or the cookie is for elsewhere.
   */
  async loginAs(user: User, options?: LoginAsOptions): Promise<void> {
    if (this.#login === undefined) {
      throw new TypeError(
        "Cannot log in: the client knows no Login; pass it as the option login",
      );
    }
    const request = this.#request("/", { method: "POST" });
    const { headers } = await this.#login.loginUser(request, user, options);
    if (this.cookies.keep(new URL(request.url), headers) > 0) return;
    throw new TypeError(
      `Cannot log in: a browser at ${this.#origin} keeps no cookie of these cookieOptions; pass the origin that they are for`,
    );
  }

  #request(path: string, init?: RequestInit): Request {
    const url = new URL(path, this.#origin);
    const headers = new Headers(init?.headers);
    const cookies = this.cookies.headerFor(url);
    if (cookies !== "") headers.set("Cookie", cookies);
    if (!headers.has("Accept")) headers.set("Accept", "*/*"); // as `fetch` does
    return new Request(url, { redirect: "manual", ...init, headers });
  }
}

function originOf(url: string | URL): string {
  const { origin } = URL.parse(url) ?? {};
  if (origin !== undefined && origin !== "null") return origin;
  throw new TypeError(
    'Cannot make test client: it takes a handler, or an origin such as "http://127.0.0.1:8000"',
  );
}

function checkBody(body: PostBody | undefined): Partial<PostBody> {
  if (body instanceof FormData || body instanceof URLSearchParams) {
    throw new TypeError("Cannot post: pass the form as { form }");
  }
  return checkOptions(body, POST_CHECKS);
}

/** Asks a server; nobody reads the body of a redirect, which has to be read. */
async function fetchWhole(request: Request): Promise<Response> {
  const response = await fetch(request);
  const { status, statusText, headers } = response;
  if (status < 300 || status > 399) return response;
  const text = await response.text();
  return new Response(text || null, { status, statusText, headers });
}

function merge(defaults: HeadersInit, headers: HeadersInit = {}): Headers {
  const merged = new Headers(defaults);
  new Headers(headers).forEach((value, name) => merged.set(name, value));
  return merged;
}
