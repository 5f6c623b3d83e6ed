/**
 * A sustained run over loopback: 32 clients, each with its own cookies, log in,
 * count, read and log out, and see whether they are known and nothing they
 * saved is lost, while the server's memory stays bounded.
 *
 *     deno task load [seconds]
 *
 * The server is a process of its own.
 *
 * @module
 */

import { getSetCookies } from "@std/http/cookie";
import { kvBackend } from "../backends/kv.ts";
import { Login, Session, type SessionOptions } from "../mod.ts";

const CLIENTS = 32;
/** How much the server's heap may grow, in megabytes. */
const MAX_GROWTH = 20;
const secretKey = "the secret of the servers under load";

/** The backends to measure, each by the options of its session. */
const BACKENDS: Record<string, () => SessionOptions | Promise<SessionOptions>> =
  {
    jwt: () => ({ secretKey }),
    fernet: () => ({ secretKey, backend: "fernet" }),
    kv: async () => ({
      secretKey,
      backend: kvBackend(await Deno.openKv(":memory:")),
    }),
  };

/** What a page tells of its visitor. */
interface Page {
  user: string;
  n: number;
  /** A new one with each count: no two tokens are the same. */
  mark: string;
}

/** What a run found. */
interface Result {
  requests: number;
  seconds: number;
  /** How long each request took, in milliseconds, in ascending order. */
  times: Float64Array;
  lostUpdates: number;
  errors: string[];
  /** The server's heap before and after, in megabytes. */
  heap: [start: number, end: number];
}

async function serve(backend: string): Promise<void> {
  const session = new Session<{ n: number; mark: string }>(
    await BACKENDS[backend](),
  );
  const users = new Map(
    Array.from({ length: CLIENTS }, (_, index) => [
      `user${index}`,
      { id: `user${index}` },
    ]),
  );
  const login = new Login(session, {
    userLoader: (id: string) => users.get(id),
  });
  const read = async (request: Request, user: { id: string }) => {
    const { n, mark } = await session.get(request);
    return Response.json({ user: user.id, n, mark });
  };
  const count = async (request: Request, user: { id: string }) => {
    const dict = await session.get(request);
    dict.n = (dict.n ?? 0) + 1;
    dict.mark = crypto.randomUUID();
    dict.save();
    return await read(request, user);
  };
  const routes: Record<string, (request: Request) => Promise<Response>> = {
    "/login": (request) => {
      const { searchParams } = new URL(request.url);
      const user = users.get(searchParams.get("user") ?? "");
      if (user === undefined) throw new Error("There is no such user");
      const remember = searchParams.has("remember");
      return login.loginUser(request, user, { remember });
    },
    "/logout": (request) => login.logoutUser(request),
    "/read": login.required(read),
    "/count": login.required(count),
    "/heap": () => Promise.resolve(Response.json(heapUsed())),
  };
  const onListen = ({ port }: { port: number }) => console.log(port);
  const handler = session.wrap((request) =>
    routes[new URL(request.url).pathname](request)
  );
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, handler);
}

/** The memory in use, in megabytes, with no garbage in it. */
function heapUsed(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("Run it with --v8-flags=--expose-gc");
  gc();
  return Deno.memoryUsage().heapUsed / 1e6;
}

/** One visitor with a browser of their own. */
class Client {
  readonly times: number[] = [];
  readonly errors: string[] = [];
  lostUpdates = 0;
  readonly #origin: string;
  readonly #user: string;
  readonly #cookies = new Map<string, string>();

  constructor(origin: string, user: string) {
    this.#origin = origin;
    this.#user = user;
  }

  /** Visits after visits, until it is late. */
  async run(end: number): Promise<void> {
    for (let visit = 0; performance.now() < end; visit++) {
      try {
        await this.#visit(visit);
      } catch (error) {
        this.errors.push(`${this.#user}, visit ${visit}: ${error}`);
        this.#cookies.clear();
        if (this.errors.length > 10) return;
      }
    }
  }

  async #visit(visit: number): Promise<void> {
    const remember = visit % 4 === 0;
    const query = `user=${this.#user}${remember ? "&remember" : ""}`;
    await this.#send("POST", `/login?${query}`, 302);
    let last: Page | undefined;
    for (let step = 0; step < 10 + visit % 20; step++) {
      const isCount = step % 2 === 0;
      const [method, path] = isCount ? ["POST", "/count"] : ["GET", "/read"];
      const page: Page = JSON.parse(await this.#send(method, path, 200));
      if (page.user !== this.#user) throw new Error(`It is ${page.user}`);
      const isKept = isCount
        ? page.n === (last?.n ?? 0) + 1
        : page.mark === last?.mark;
      if (!isKept) this.lostUpdates++;
      last = page;
    }
    if (remember) {
      // The browser was closed and opened again.
      this.#cookies.delete("session");
      await this.#send("GET", "/read", 200);
    }
    await this.#send("POST", "/logout", 302);
    await this.#send("GET", "/read", 401);
  }

  async #send(method: string, path: string, status: number): Promise<string> {
    const headers = new Headers({ Accept: "application/json" });
    if (this.#cookies.size > 0) {
      const pairs = [...this.#cookies].map((pair) => pair.join("="));
      headers.set("Cookie", pairs.join("; "));
    }
    const start = performance.now();
    const response = await fetch(this.#origin + path, {
      method,
      headers,
      redirect: "manual",
    });
    const body = await response.text();
    this.times.push(performance.now() - start);
    for (const { name, value, maxAge } of getSetCookies(response.headers)) {
      if (maxAge === 0) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    if (response.status !== status) {
      throw new Error(`${method} ${path} answered ${response.status}`);
    }
    return body;
  }
}

async function measure(backend: string, seconds: number): Promise<Result> {
  const flags = ["--v8-flags=--expose-gc", "--allow-all", "--unstable-kv"];
  await using server = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, import.meta.url, "server", backend],
    stdout: "piped",
  }).spawn();
  const origin = `http://127.0.0.1:${await firstLine(server.stdout)}`;
  const clients = Array.from(
    { length: CLIENTS },
    (_, index) => new Client(origin, `user${index}`),
  );
  const heapStart = await heapOf(origin);
  const start = performance.now();
  await Promise.all(clients.map((client) => client.run(start + seconds * 1e3)));
  const elapsed = (performance.now() - start) / 1e3;
  const times = clients.flatMap((client) => client.times);
  return {
    requests: times.length,
    seconds: elapsed,
    times: Float64Array.from(times).sort(),
    lostUpdates: clients.reduce((sum, client) => sum + client.lostUpdates, 0),
    errors: clients.flatMap((client) => client.errors),
    heap: [heapStart, await heapOf(origin)],
  };
}

async function heapOf(origin: string): Promise<number> {
  return await (await fetch(`${origin}/heap`)).json();
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const bytes of stream) {
    text += new TextDecoder().decode(bytes);
    if (text.includes("\n")) break;
  }
  return text.trim();
}

async function compare(seconds: number): Promise<void> {
  if (!(seconds > 0)) {
    console.error("Usage: deno task load [seconds]");
    Deno.exit(2);
  }
  console.log(
    "| backend | requests | requests/s | p50 ms | p99 ms | lost updates | errors | heap at start | heap at end |",
  );
  console.log(`| --- ${"| ---: ".repeat(8)}|`);
  for (const backend of Object.keys(BACKENDS)) {
    const result = await measure(backend, seconds);
    console.log(rowOf(backend, result));
    for (const error of result.errors.slice(0, 10)) console.error(error);
    if (!isGood(result)) Deno.exitCode = 1;
  }
}

function rowOf(backend: string, result: Result): string {
  const { requests, seconds, times, lostUpdates, errors, heap } = result;
  const at = (part: number) => times[Math.floor(times.length * part)];
  return `| ${
    [
      backend,
      requests,
      Math.round(requests / seconds),
      at(0.5).toFixed(1),
      at(0.99).toFixed(1),
      lostUpdates,
      errors.length,
      ...heap.map((megabytes) => `${megabytes.toFixed(1)} MB`),
    ].join(" | ")
  } |`;
}

function isGood({ requests, lostUpdates, errors, heap }: Result): boolean {
  const [start, end] = heap;
  return requests > 0 && lostUpdates === 0 && errors.length === 0 &&
    end - start <= MAX_GROWTH;
}

if (Deno.args[0] === "server") await serve(Deno.args[1]);
else await compare(Number(Deno.args[0] ?? 20));
