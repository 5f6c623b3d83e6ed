/**
 * A site with sessions and logins on a real server, and requests to it as raw
 * bytes.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  isCrossOrigin,
  Login,
  Session,
  type SessionOptions,
} from "../../mod.ts";
import { KEY, NOW, SAVED, serve } from "../_helpers.ts";
import type { Handler } from "../_login.ts";
import { TRUSTED } from "../_origins.ts";
import { cookie, forgeDavid, OLD_KEY } from "./_forge.ts";
import { type Answer, RawConnection } from "../_http.ts";

/** Whom a site knows by a token that is worth nothing. */
export const NOBODY: Identity = { user: null, data: {} };

const TRUSTED_ORIGINS = [TRUSTED];

/** Whom a site takes a visitor for, and the visitor's data. */
export interface Identity {
  user: string | null;
  data: Record<string, unknown>;
}

/** A request, as it goes over the wire; `{host}` stands for the site's own. */
export interface RawRequest {
  method?: string;
  target?: string;
  /** Without one, the site's own. */
  host?: string;
  headers?: readonly string[];
  body?: string;
}

/** A site under attack. */
export interface Site {
  session: Session;
  users: Map<string, User>;
  /** The time of the site's clock, in seconds since the epoch. */
  now: number;
  /** The key that a good session is signed with. */
  key: string;
  send: Send;
}

/** Sends a request, on a connection of its own. */
export type Send = (request: RawRequest) => Promise<Answer>;

interface User {
  id: string;
  stamp: string;
}

/** What is odd about a token, and the token. */
export type TokenRow = [what: string, token: () => string | Promise<string>];

/**
 * Runs an attack on a site of its own, and sees that the site came through:
 * no error, not a word in the log, and a page for a good visitor, whom it still
 * knows.
 */
export async function attack(
  run: (site: Site) => Promise<void>,
  options: SessionOptions = {},
): Promise<void> {
  const { site, handler } = makeSite(options);
  await attackHandler(handler, async (send) => {
    const target = Object.assign(site, { send });
    await run(target);
    await checkAlive(target);
  });
}

/**
 * Serves a handler, and runs an attack on it: it must throw nothing, and leave
 * no word in the log.
 */
export async function attackHandler(
  handler: Handler,
  run: (send: Send) => Promise<void>,
): Promise<void> {
  const complaints: unknown[] = [];
  using _log = captureLog(complaints);
  await serve(
    handler,
    (_url, port) => run((request) => sendTo(port, request)),
    (error) => {
      complaints.push(error);
      return new Response(null, { status: 500 });
    },
  );
  assertEquals(complaints, []);
}

/** Asks who the site takes the sender of these headers for. */
export async function whoIs(
  site: Site,
  ...headers: string[]
): Promise<Identity> {
  const answer = await site.send({ target: "/whoami", headers });
  assertEquals(answer.status, 200, answer.body);
  const identity: Identity = JSON.parse(answer.body);
  if (identity.user === null) assertEquals(cookiesSet(answer), []);
  return identity;
}

/** Tests that a session reads nothing from any of these tokens. */
export function testRefusals(
  rule: string,
  tokens: readonly TokenRow[],
  options?: SessionOptions,
): void {
  for (const [what, token] of tokens) {
    Deno.test(`${rule}: Session reads nothing from a token with ${what}`, () =>
      attack(async (site) => {
        assertEquals(await whoIs(site, cookie(await token())), NOBODY);
      }, options));
  }
}

/** The cookies that an answer sets, deletions left out. */
export function cookiesSet({ headers }: Answer): string[] {
  return headers.getSetCookie().filter((line) => !line.includes("Max-Age=0"));
}

/** A header that sends back the cookies that an answer sets. */
export function cookieAfter(answer: Answer): string {
  const pairs = cookiesSet(answer).map((line) => line.split(";")[0]);
  return `Cookie: ${pairs.join("; ")}`;
}

/** A long text in short, for the name of a test. */
export function shorten(text: string): string {
  if (text.length <= 60) return text;
  return `${text.slice(0, 40)}… (${text.length} characters)`;
}

async function checkAlive(site: Site): Promise<void> {
  const { now, key } = site;
  const times = { _started: now, [SAVED]: now, exp: now + 3600 };
  const { user } = await whoIs(site, cookie(await forgeDavid(times, key)));
  assertEquals(user, "david");
  // The site shares its built-in objects with this test.
  assertEquals(Object.keys(Object.prototype), []);
}

/** Collects what goes to the console, until it is disposed of. */
function captureLog(lines: unknown[]): Disposable {
  const methods = ["debug", "log", "info", "warn", "error"] as const;
  const originals = methods.map((method) => console[method]);
  for (const method of methods) {
    console[method] = (...line) => void lines.push(line);
  }
  return {
    [Symbol.dispose]() {
      methods.forEach((method, i) => console[method] = originals[i]);
    },
  };
}

function makeSite(options: SessionOptions) {
  const users = new Map<string, User>([
    ["susan", { id: "susan", stamp: "s1" }],
    ["david", { id: "david", stamp: "d1" }],
  ]);
  const session: Session = new Session({
    secretKey: [KEY, OLD_KEY],
    clock: () => site.now * 1000,
    ...options,
  });
  const site = { session, users, now: NOW, key: KEY };
  const login = new Login<User>(session, {
    // As forgiving as a database is: it also finds ["susan"].
    userLoader: (id) => users.get(`${id}`),
    securityStamp: ({ stamp }) => stamp,
    trustedOrigins: TRUSTED_ORIGINS,
  });
  const router = makeRouter(session, login, users);
  async function handler(request: Request): Promise<Response> {
    try {
      return await router(request);
    } catch (error) {
      // As an application that shows whatever it was told.
      const isRefusal = error instanceof Error &&
        /^Cannot s/.test(error.message);
      if (!isRefusal) throw error;
      return new Response(error.message, { status: 400 });
    }
  }
  return { site, handler };
}

function makeRouter(
  session: Session,
  login: Login<User>,
  users: Map<string, User>,
): (request: Request) => Promise<Response> {
  const routes: Record<string, Handler> = {
    async whoami(request) {
      const user = await login.getCurrentUser(request);
      const data = await session.get(request);
      return Response.json({ user: user?.id ?? null, data: { ...data } });
    },
    login(request) {
      const susan = users.get("susan");
      assert(susan);
      const remember = request.url.includes("remember");
      const options = { remember, redirectUrl: "/home" };
      return login.loginUser(request, susan, options);
    },
    logout: (request) => login.logoutUser(request, { redirectUrl: "/bye" }),
    form: (request) =>
      new Response(null, {
        status: isCrossOrigin(request, TRUSTED_ORIGINS) ? 403 : 200,
      }),
    async stash(request) {
      const dict = await session.get(request);
      dict.stash = "x".repeat(Number(request.headers.get("Stash")));
      dict.save();
      return new Response();
    },
    // Trusts its visitors to send what they should.
    async keep(request) {
      const dict = await session.get(request);
      Object.assign(dict, await request.json());
      dict.save();
      return new Response(dict.isAdmin ? "admin" : "visitor");
    },
    fresh: login.fresh(() => new Response("fresh")),
  };
  const path = new RegExp(`/(${Object.keys(routes).join("|")})(?=[?#]|$)`);
  const page = login.required((_request, { id }) => new Response(id));
  return session.wrap((request) => {
    // By the text of the URL, which need not be one.
    const name = path.exec(request.url)?.[1];
    return name === undefined ? page(request) : routes[name](request);
  });
}

/** One request on a connection of its own. */
async function sendTo(port: number, request: RawRequest): Promise<Answer> {
  const { method = "GET", target = "/", headers = [], body = "" } = request;
  const ownHost = `127.0.0.1:${port}`;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${request.host ?? ownHost}`,
    "Connection: close",
    ...headers,
    ...(body === "" ? [] : [`Content-Length: ${body.length}`]),
  ];
  using connection = await RawConnection.open(port);
  const text = `${lines.join("\r\n")}\r\n\r\n${body}`;
  return await connection.send(text.replaceAll("{host}", ownHost));
}
