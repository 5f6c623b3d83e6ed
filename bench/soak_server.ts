/**
 * The server of a soak: a site whose visitors read and save, log in and out.
 * Its clock runs faster than the world's, so that sessions are renewed, and
 * expire, within minutes.
 *
 *     deno run --v8-flags=--expose-gc --unstable-kv -A bench/soak_server.ts jwt
 *
 * @module
 */

import { kvBackend } from "../backends/kv.ts";
import { redisBackend } from "../backends/redis.ts";
import { Login, Session, type SessionOptions } from "../mod.ts";
import { RedisClient } from "../tests/redis/_client.ts";

/** What each visitor's session holds. */
export interface Data {
  visitor: string;
  /** How often it was saved. */
  n: number;
  /** Follows from the other two. */
  check: number;
}

/** What a page says. */
export interface Page extends Partial<Data> {
  /** Who is logged in. */
  user: string | null;
}

/** What the server takes, in megabytes, garbage apart. */
export interface Memory {
  heap: number;
  rss: number;
}

/** Answers the requests for a path. */
type Route = (
  request: Request,
  info: Deno.ServeHandlerInfo,
) => Promise<Response>;

/** The key of the server's sessions. */
export const SECRET_KEY = "the secret of the server that soaks";
/** How long a session lives without a renewal, in seconds of its clock. */
export const MAX_AGE = 3600;
/** How many seconds of its clock a second of the world has. */
export const SPEED = 600;

/** The backends that can be soaked; Redis is at the port in `REDIS_PORT`. */
export const BACKENDS: Record<
  string,
  () => SessionOptions | Promise<SessionOptions>
> = {
  jwt: () => ({}),
  fernet: () => ({ backend: "fernet" }),
  kv: async () => ({
    backend: kvBackend(await Deno.openKv(":memory:")),
  }),
  redis: () => ({
    backend: redisBackend(
      new RedisClient(Number(Deno.env.get("REDIS_PORT"))).send,
    ),
  }),
};

/** The number that follows from a visitor's other data. */
export function checkOf(visitor: string, n: number): number {
  let check = n | 0;
  for (const character of visitor) {
    check = Math.imul(check, 31) + character.charCodeAt(0) | 0;
  }
  return check;
}

/** The server's time at a time of the world, both in milliseconds. */
export function clockAt(time: number): number {
  return time * SPEED;
}

if (import.meta.main) await serve(Deno.args[0]);

async function serve(backend: string): Promise<void> {
  const clock = () => clockAt(Date.now());
  const session = new Session<Data>({
    secretKey: SECRET_KEY,
    maxAge: MAX_AGE,
    clock,
    ...await BACKENDS[backend](),
  });
  const login = new Login<{ id: string }>(session, {
    userLoader: (id) => ({ id }),
  });

  const page = async (request: Request): Promise<Response> => {
    const user = await login.getCurrentUser(request);
    const { visitor, n, check } = await session.get(request);
    return Response.json({ visitor, n, check, user: user?.id ?? null });
  };
  const save = async (request: Request): Promise<Response> => {
    const dict = await session.get(request);
    const { searchParams } = new URL(request.url);
    dict.visitor = searchParams.get("visitor") ?? "";
    dict.n = Number(searchParams.get("n"));
    dict.check = checkOf(dict.visitor, dict.n);
    dict.save();
    return await page(request);
  };
  const routes: Record<string, Route> = {
    "/read": page,
    "/save": save,
    "/upload": async (request) => {
      await request.text();
      return await save(request);
    },
    "/login": (request) => {
      const { searchParams } = new URL(request.url);
      const id = searchParams.get("visitor") ?? "";
      const remember = searchParams.has("remember");
      return login.loginUser(request, { id }, { remember });
    },
    "/logout": (request) => login.logoutUser(request),
    "/throw": async (request) => {
      const dict = await session.get(request);
      dict.n = -1;
      throw new Error("As it was asked for");
    },
    "/late": async (request, { completed }) => {
      const saveLate = async () => {
        const dict = await session.get(request);
        dict.n = -1;
        dict.save();
      };
      completed.then(saveLate, saveLate);
      return await page(request);
    },
    "/memory": () => Promise.resolve(Response.json(memory())),
  };
  const handler = session.wrap((request, info: Deno.ServeHandlerInfo) =>
    routes[new URL(request.url).pathname](request, info)
  );
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.log(port),
    onError: (error) => new Response(String(error), { status: 500 }),
  }, handler);
}

function memory(): Memory {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("Run it with --v8-flags=--expose-gc");
  gc();
  const { heapUsed, rss } = Deno.memoryUsage();
  return { heap: heapUsed / 1e6, rss: rss / 1e6 };
}
