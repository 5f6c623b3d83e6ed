/**
 * What the tests of logins share.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { getSetCookies } from "@std/http/cookie";
import {
  type Backend,
  Login,
  type LoginOptions,
  type LoginUserOptions,
  type Payload,
  Session,
  type SessionDict,
  type SessionOptions,
  withSession,
} from "../mod.ts";
import { KEY, stoppedClock } from "./_helpers.ts";

/** Whom the tests log in. */
export interface User {
  id: string | number;
  name: string;
  /** Goes up when all logins of the user shall end. */
  stamp: string;
}

/** Where the tests' site is. */
export const ORIGIN = "http://localhost";
/** The seconds of a day. */
export const DAY = 86_400;

/** A handler that is given to `Deno.serve`. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** Options that differ from those of the other tests. */
export interface Setting {
  session?: SessionOptions;
  login?: LoginOptions<User>;
  /** Without a secret key of the session. */
  isKeyless?: boolean;
}

/** A login over a session with users of its own and a clock that stands still. */
export class Site {
  readonly susan: User = { id: 1, name: "susan", stamp: "s1" };
  readonly david: User = { id: 2, name: "david", stamp: "d1" };
  readonly users = new Map<unknown, User>();
  /** The ids that the user loader was asked for. */
  readonly loaded: unknown[] = [];
  readonly session: Session;
  readonly login: Login<User>;
  readonly clock: () => number;
  /** Moves the clock on by some seconds. */
  readonly advance: (seconds: number) => void;

  constructor({ session, login, isKeyless = false }: Setting = {}) {
    ({ clock: this.clock, advance: this.advance } = stoppedClock());
    this.add(this.susan);
    this.add(this.david);
    this.session = new Session({
      ...(isKeyless ? {} : { secretKey: KEY }),
      clock: this.clock,
      ...session,
    });
    this.login = new Login<User>(this.session, {
      userLoader: (id) => {
        this.loaded.push(id);
        return this.users.get(id);
      },
      ...login,
    });
  }

  /** Registers a user. */
  add(user: User): User {
    this.users.set(user.id, user);
    return user;
  }

  /** Logs a user in, as the handler of a login form does. */
  logIn(
    browser: Browser,
    user: User,
    options?: LoginUserOptions,
    path = "/login",
  ): Promise<Response> {
    return browser.post(
      (request) => this.login.loginUser(request, user, options),
      path,
    );
  }

  /** A browser that a user has logged in with. */
  async loggedIn(
    user: User = this.susan,
    options?: LoginUserOptions,
  ): Promise<Browser> {
    const browser = new Browser();
    await this.logIn(browser, user, options);
    return browser;
  }

  /** A browser that has a user's remember cookie, but no session any more. */
  async remembered(
    user: User = this.susan,
    remember: true | number = true,
  ): Promise<Browser> {
    const browser = await this.loggedIn(user, { remember });
    browser.cookies.delete("session");
    return browser;
  }

  /** Asks who is logged in, under a wrapper. */
  async ask(browser: Browser): Promise<User | null> {
    return (await this.recall(browser)).user;
  }

  /** Asks who is logged in, and returns the response as well. */
  async recall(
    browser: Browser,
  ): Promise<{ user: User | null; response: Response }> {
    let user: User | null = null;
    const response = await browser.get(this.session.wrap(async (request) => {
      user = await this.login.getCurrentUser(request);
      return new Response("Hello");
    }));
    return { user, response };
  }

  /** The data of the browser's session; who is logged in, `claims` tells. */
  async data(browser: Browser): Promise<Payload> {
    return { ...await this.session.get(browser.request("/")) };
  }

  /** All that the browser's session says, its login and times included. */
  claims(browser: Browser): Promise<Payload> {
    return this.session.decode(browser.cookies.get("session") ?? "");
  }

  /** Gives the browser a session that says this and no more. */
  async give(browser: Browser, payload: Payload): Promise<void> {
    browser.cookies.set("session", await this.session.encode(payload));
  }

  /** Changes the browser's session, and saves it. */
  async edit(
    browser: Browser,
    change: (dict: SessionDict) => void,
  ): Promise<void> {
    const handler = this.session.wrap(async (request) => {
      const dict = await this.session.get(request);
      change(dict);
      dict.save();
      return new Response("Saved");
    });
    await browser.get(handler);
  }
}

/**
 * Keeps cookies as a browser does, but lets none of them expire: that is the
 * server's to enforce.
 */
export class Browser {
  readonly cookies = new Map<string, string>();

  /** A request with the cookies. */
  request(path: string, init: RequestInit = {}): Request {
    const request = new Request(ORIGIN + path, init);
    const pairs = [...this.cookies].map(([name, value]) => `${name}=${value}`);
    if (pairs.length > 0) request.headers.set("Cookie", pairs.join("; "));
    return request;
  }

  /** Sends a request to a handler, and keeps the cookies of the response. */
  async send(
    handler: Handler,
    path: string,
    init?: RequestInit,
  ): Promise<Response> {
    const response = await handler(this.request(path, init));
    for (const { name, value, maxAge } of getSetCookies(response.headers)) {
      if (maxAge === 0) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  /** Asks for a page. */
  get(
    handler: Handler,
    path = "/",
    headers: HeadersInit = {},
  ): Promise<Response> {
    return this.send(handler, path, { headers });
  }

  /** Sends a form. */
  post(
    handler: Handler,
    path = "/",
    headers: HeadersInit = {},
  ): Promise<Response> {
    return this.send(handler, path, { method: "POST", headers });
  }
}

/** Sees that a browser is nobody's, and that its remember cookie goes. */
export async function assertForgotten(
  site: Site,
  browser: Browser,
): Promise<void> {
  const { user, response } = await site.recall(browser);
  assertEquals(user, null);
  assertEquals(cookiesOf(response), ["-_remember"]);
}

/** The key of remember tokens: HKDF-Expand of RFC 5869 section 2.3, one block. */
export async function rememberKey(
  secret = KEY,
): Promise<Uint8Array<ArrayBuffer>> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const [bytes, purpose] = [secret, "denizen remember me\x01"].map((text) =>
    new TextEncoder().encode(text)
  );
  const key = await crypto.subtle.importKey("raw", bytes, hmac, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, purpose));
}

/** A backend whose values anybody can make. */
export const UNSIGNED: Backend = {
  authenticated: false,
  load: (value) => JSON.parse(decodeURIComponent(value)),
  save: (payload) =>
    Promise.resolve(encodeURIComponent(JSON.stringify(payload))),
};

/** Ways to put a wrapper around a handler. */
export const WRAPPERS: [
  name: string,
  wrap: (site: Site, h: Handler) => Handler,
][] = [
  ["session.wrap()", ({ session }, handler) => session.wrap(handler)],
  [
    "withSession()",
    ({ session }, handler) =>
      withSession(session, (request) => handler(request)),
  ],
  [
    "nested wrappers",
    ({ session }, handler) =>
      session.wrap(withSession(session, session.wrap(handler))),
  ],
];

/** The status of a response, and where it leads. */
export function locationOf(response: Response): [number, string | null] {
  return [response.status, response.headers.get("Location")];
}

/** The cookies that a response sets (`name`) and removes (`-name`), sorted. */
export function cookiesOf(response: Response): string[] {
  return getSetCookies(response.headers)
    .map(({ name, maxAge }) => maxAge === 0 ? `-${name}` : name)
    .sort();
}

/** Sends a text over a socket as it is, and returns the answer as text. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
  return await new Response(connection.readable).text();
}

/** Sends the lines of a request without a body, and returns the answer. */
export function sendLines(port: number, ...lines: string[]): Promise<string> {
  const all = [...lines, "Connection: close", "", ""];
  return sendRaw(port, all.join("\r\n"));
}
