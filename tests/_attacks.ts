/**
 * What the attack tests share: a site with sessions and logins on a real
 * server, requests as raw bytes, and forged tokens.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { isCrossOrigin, Login, Session, type SessionOptions } from "../mod.ts";
import { type Answer, RawConnection } from "./_http.ts";
import { type Forgery, forgeToken, KEY, NOW } from "./_tokens.ts";

/** The key from before, which verifies still. */
export const OLD_KEY = "the secret before it of these tests, 32+";
/** The other origin that may post to login and logout. */
export const TRUSTED = "https://app.example.com";

const TRUSTED_ORIGINS = [TRUSTED];

interface User {
  id: string;
  stamp: string;
}

/** A request, as it goes over the wire; `{host}` stands for the site's own. */
export interface RawRequest {
  method?: string;
  target?: string;
  /** Without one, the site's own. */
  host?: string;
  headers?: readonly string[];
}

/** A site under attack. */
export interface Site {
  session: Session;
  users: Map<string, User>;
  /** The time of the site's clock, in seconds since the epoch. */
  now: number;
  /** The key that a good session is signed with. */
  key: string;
  send: (request: RawRequest) => Promise<Answer>;
}

/** Susan's session as JSON text, some claims changed. */
export function payload(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    _user_id: "susan",
    _fresh: true,
    _auth_time: NOW,
    _stamp: "s1",
    _started: NOW,
    iat: NOW,
    exp: NOW + 3600,
    ...changes,
  });
}

/** Susan's session as JSON text, with one claim as the text it is. */
export function claimText(name: string, text: string): string {
  const others = payload({ [name]: undefined });
  return `${others.slice(0, -1)},"${name}":${text}}`;
}

/** A token of susan's session, but for what is given. */
export function forge(forgery: Forgery = {}): Promise<string> {
  return forgeToken({ payload: payload(), ...forgery });
}

/** A cookie header with these values of the session's cookie. */
export function cookie(...values: string[]): string {
  return `Cookie: ${values.map((value) => `session=${value}`).join("; ")}`;
}

/**
 * Runs an attack on a site of its own, and sees that the site came through: no
 * error, and a page for a good visitor, whom it still knows.
 */
export async function attack(
  run: (site: Site) => Promise<void>,
  options: SessionOptions = {},
): Promise<void> {
  const errors: unknown[] = [];
  const site = makeSite(options);
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    onError(error) {
      errors.push(error);
      return new Response(null, { status: 500 });
    },
  }, site.handler);
  const { port } = server.addr;
  const send = (request: RawRequest) => sendRaw(port, request);
  try {
    const target = Object.assign(site, { send });
    await run(target);
    await checkAlive(target);
  } finally {
    await server.shutdown();
  }
  assertEquals(errors, []);
}

/** Asks who the site takes the sender of these headers for. */
export async function whoIs(
  site: Site,
  ...headers: string[]
): Promise<{ user: string | null; data: unknown }> {
  const answer = await site.send({ target: "/whoami", headers });
  assertEquals(answer.status, 200, answer.body);
  const identity = JSON.parse(answer.body);
  if (identity.user === null) assertEquals(cookiesSet(answer), []);
  return identity;
}

/** The cookies that an answer sets, deletions left out. */
export function cookiesSet({ headers }: Answer): string[] {
  return headers.getSetCookie().filter((line) => !line.includes("Max-Age=0"));
}

async function checkAlive(site: Site): Promise<void> {
  const { now, key } = site;
  const david = payload({
    _user_id: "david",
    _stamp: "d1",
    _started: now,
    iat: now,
    exp: now + 3600,
  });
  const token = await forge({ payload: david, key });
  const { user } = await whoIs(site, cookie(token));
  assertEquals(user, "david");
  // The site shares its built-in objects with this test.
  assertEquals(Object.keys(Object.prototype), []);
}

function makeSite(options: SessionOptions) {
  const users = new Map<string, User>([
    ["susan", { id: "susan", stamp: "s1" }],
    ["david", { id: "david", stamp: "d1" }],
  ]);
  const site = { now: NOW, key: KEY, users };
  const session = new Session({
    secretKey: [KEY, OLD_KEY],
    clock: () => site.now * 1000,
    ...options,
  });
  const login = new Login<User>(session, {
    // As forgiving as a database is: it also finds ["susan"].
    userLoader: (id) => users.get(`${id}`),
    securityStamp: ({ stamp }) => stamp,
    trustedOrigins: TRUSTED_ORIGINS,
  });
  const router = makeRouter(session, login, users);
  const handler = async (request: Request) => {
    try {
      return await router(request);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return new Response(error.message, { status: 413 });
    }
  };
  return Object.assign(site, { session, handler });
}

type Handler = (request: Request) => Response | Promise<Response>;

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
async function sendRaw(port: number, request: RawRequest): Promise<Answer> {
  const { method = "GET", target = "/", headers = [] } = request;
  const ownHost = `127.0.0.1:${port}`;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${request.host ?? ownHost}`,
    "Connection: close",
    ...headers,
  ];
  using connection = await RawConnection.open(port);
  const text = `${lines.join("\r\n")}\r\n\r\n`;
  return await connection.send(text.replaceAll("{host}", ownHost));
}
