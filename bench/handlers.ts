/**
 * The handlers that are compared over loopback, each to be served by a process
 * of its own:
 *
 *     deno run --allow-net bench/handlers.ts save
 *
 * @module
 */

import { Login, Session, withSession } from "../mod.ts";

/** The key of all these servers. */
export const SECRET_KEY = "a key of the servers that are compared";

type Handler = (request: Request) => Response | Promise<Response>;

interface Data {
  name: string;
  n: number;
}

const encoder = new TextEncoder();
const session = new Session<Data>({ secretKey: SECRET_KEY });
const user = { id: "susan", name: "Susan" };
const login = new Login(session, {
  userLoader: (id: string) => id === user.id ? user : null,
});
const hmacKey = await crypto.subtle.importKey(
  "raw",
  encoder.encode(SECRET_KEY),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["sign", "verify"],
);
const signingInput = encoder.encode("x".repeat(200));
const signature = await crypto.subtle.sign("HMAC", hmacKey, signingInput);
const PAYLOAD = JSON.stringify({
  name: "susan",
  n: 1,
  _user_id: "susan",
  _fresh: true,
  _started: 1_700_000_000,
  _saved: 1_700_000_000,
  _cookie: "session",
  exp: 1_701_209_600,
});
/** As long as a session's cookie. */
const LINE = `session=${"x".repeat(250)}; Path=/; HttpOnly; SameSite=Lax`;

/** By name: with sessions, without, and with just what they can't do without. */
export const HANDLERS = {
  bare: () => new Response("Hello"),
  read: withSession(session, (_request, dict) => greet(dict.name === "susan")),
  required: login.required((_request, user) => greet(user.name === "Susan")),
  save: withSession(session, (_request, dict) => {
    dict.n = (dict.n ?? 0) + 1;
    dict.save();
    return greet(dict.name === "susan");
  }),
  /** The floor of a read whose cookie was never seen before. */
  verify: async () => {
    await crypto.subtle.verify("HMAC", hmacKey, signature, signingInput);
    const response = greet(JSON.parse(PAYLOAD).name === "susan");
    response.headers.append("Vary", "Cookie");
    return response;
  },
  /** The floor of a save. */
  sign: async () => {
    await crypto.subtle.sign("HMAC", hmacKey, signingInput);
    const response = greet(true);
    response.headers.append("Vary", "Cookie");
    response.headers.append("Set-Cookie", LINE);
    response.headers.append("Cache-Control", "no-store");
    return response;
  },
} satisfies Record<string, Handler>;

/** The name of a handler. */
export type HandlerName = keyof typeof HANDLERS;

/** Makes the cookies of some visitors, all logged in as the same user. */
export async function makeTokens(count: number): Promise<string[]> {
  const now = Math.floor(Date.now() / 1000);
  const tokens: string[] = [];
  for (let n = 0; n < count; n++) {
    tokens.push(
      await session.encode({
        name: "susan",
        n,
        _user_id: "susan",
        _fresh: true,
        _auth_time: now,
        _started: now,
        _saved: now,
        _cookie: "session",
        exp: now + 1_209_600,
      }),
    );
  }
  return tokens;
}

/** A server that does not know its visitor shall fail. */
function greet(isKnown: boolean): Response {
  return isKnown ? new Response("Hello") : new Response(null, { status: 500 });
}

if (import.meta.main) {
  const onListen = ({ port }: { port: number }) => console.log(port);
  const name = Deno.args[0] as HandlerName; // as serve.ts names it
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, HANDLERS[name]);
}
