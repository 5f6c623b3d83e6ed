/**
 * Fuzzing: hostile requests, over real connections, to the login example.
 *
 *     deno task fuzz [requests] [seed]
 *
 * It fails, with the seed and the request, on an answer of 500 or more, on a
 * connection without an answer, on a redirect to elsewhere, on a form that is
 * taken from another origin, on a visitor who is not known by a good cookie,
 * and on one who is known without.
 *
 * @module
 */

import { Login, Session } from "../../mod.ts";
import {
  type FuzzRequest,
  type GoodCookie,
  headerOf,
  makeRequest,
  textOf,
} from "./_fuzz_requests.ts";
import { type Answer, RawConnection } from "../_http.ts";
import { Random } from "../_random.ts";

const CONNECTIONS = 16;
/** A server that takes longer for an answer, in milliseconds, is in trouble. */
const TIMEOUT = 10_000;
/** What a whole run may take for each of its requests, in milliseconds. */
const PACE = 5;
const KEY = "the secret of the fuzzed example, 32+";
const USERS = [
  { id: 1, username: "susan", password: "hello" },
  { id: 2, username: "david", password: "bye" },
];
const NAMES = /\b(susan|david)\b/g;
/** The example has no such path: nobody needs a password there. */
const DOOR = /^[^?#]*\/door([?#]|$)/;

async function serve(): Promise<void> {
  // Here, because it takes its key from the environment as soon as it is there.
  const { default: example } = await import("../../examples/login.ts");
  const session = new Session({ secretKey: KEY });
  const login = new Login<{ id: number }>(session);
  const onListen = ({ port }: { port: number }) => console.log(port);
  Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen },
    (request, info) =>
      DOOR.test(request.url)
        ? login.loginUser(request, { id: 2 })
        : example.fetch(request, info),
  );
}

async function fuzz(requests: number, seed: number): Promise<void> {
  if (!(requests > 0) || !Number.isInteger(seed)) {
    console.error("Usage: deno task fuzz [requests] [seed]");
    Deno.exit(2);
  }
  console.log(`${requests} requests, seed ${seed}`);
  await using server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", "--allow-env", import.meta.url, "serve"],
    env: { SECRET_KEY: KEY },
    stdout: "piped",
  }).spawn();
  const port = await portOf(server.stdout);
  const start = performance.now();
  const run = new Run(port, seed, await logIn(port));
  const failure = await run.send(requests);
  if (failure !== undefined) {
    console.error(failure);
    Deno.exitCode = 1;
    return;
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(`${run.summary()} in ${seconds.toFixed(1)} s`);
}

/** Requests, each of which depends on the seed and its own number alone. */
class Run {
  readonly #port: number;
  readonly #seed: number;
  readonly #cookies: readonly GoodCookie[];
  readonly #statuses = new Map<number, number>();
  #next = 0;
  #known = 0;
  #failure: string | undefined;

  constructor(port: number, seed: number, cookies: readonly GoodCookie[]) {
    this.#port = port;
    this.#seed = seed;
    this.#cookies = cookies;
  }

  /** Sends the requests; returns what went wrong first, if anything did. */
  async send(requests: number): Promise<string | undefined> {
    const timer = setTimeout(
      () => this.#failure ??= `It took too long: seed ${this.#seed}`,
      TIMEOUT + requests * PACE,
    );
    const work = () => this.#work(requests);
    await Promise.all(Array.from({ length: CONNECTIONS }, work));
    clearTimeout(timer);
    if (this.#known === 0) this.#failure ??= "No good cookie was known";
    return this.#failure;
  }

  summary(): string {
    const statuses = [...this.#statuses].sort(([a], [b]) => a - b)
      .map(([status, count]) => `${count} x ${status}`);
    return `ok: ${statuses.join(", ")}; visitors known ${this.#known} times`;
  }

  async #work(requests: number): Promise<void> {
    const host = `127.0.0.1:${this.#port}`;
    let connection = await RawConnection.open(this.#port);
    while (this.#next < requests && this.#failure === undefined) {
      const index = this.#next++;
      const random = new Random(Math.imul(this.#seed, 1_000_003) + index);
      const request = makeRequest(random, this.#cookies, host);
      try {
        if (!connection.isOpen) {
          connection = await RawConnection.open(this.#port);
        }
        this.#judge(request, await connection.send(textOf(request), TIMEOUT));
      } catch (error) {
        this.#failure ??= `${error}\nSeed ${this.#seed}, request ${index}: ${
          JSON.stringify(textOf(request))
        }`;
      }
    }
    connection[Symbol.dispose]();
  }

  #judge(request: FuzzRequest, answer: Answer): void {
    const { status, headers } = answer;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status >= 500) throw new Error(`It answered ${status}`);
    const location = headers.get("Location");
    if (location !== null && !isOwn(location)) {
      throw new Error(`It sent its visitor to ${location}`);
    }
    if (isForm(request) && isForeign(request) && isTaken(answer)) {
      throw new Error("It took a form from another origin");
    }
    const good = this.#goodCookies(request);
    const names = new Set(good.map(({ userName }) => userName));
    const known = knownUsers(request, answer);
    const stranger = known.find((name) => !names.has(name));
    if (stranger !== undefined) {
      throw new Error(`It knew ${stranger} without a good cookie`);
    }
    if (answer.body.includes("Your login is fresh")) {
      const isFresh = good.some(({ cookieName }) => cookieName === "session");
      if (!isFresh) throw new Error("It took a login for fresh");
    }
    if (names.size === 1 && isHome(request) && status !== 400) {
      if (known.length === 0) throw new Error("It did not know its visitor");
      this.#known++;
    }
  }

  /** The good cookies that are in a request as they should be. */
  #goodCookies(request: FuzzRequest): GoodCookie[] {
    const pairs = (headerOf(request, "Cookie") ?? "").split(";").map((pair) => {
      const [, name, value] = /^[ \t]*([^=]*?)[ \t]*=[ \t]*(.*?)[ \t]*$/s
        .exec(pair) ?? [];
      return `${name}=${value}`;
    });
    return this.#cookies.filter(({ cookieName, token }) =>
      pairs.includes(`${cookieName}=${token}`)
    );
  }
}

/** The users whom an answer names, or whose session it sets. */
function knownUsers(request: FuzzRequest, answer: Answer): string[] {
  // Anybody may come in through the door, or type the name of another.
  const isLogin = DOOR.test(request.target) || request.body !== "";
  if (isLogin) return [];
  const named = answer.body.match(NAMES) ?? [];
  const set = answer.headers.getSetCookie().flatMap((line) => {
    const payload = line.split(";")[0].split(".")[1];
    if (payload === undefined) return [];
    const text = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    const { _user_id, user_id = _user_id } = JSON.parse(text);
    return USERS.filter(({ id }) => id === user_id)
      .map(({ username }) => username);
  });
  return [...named, ...set];
}

function isOwn(location: string): boolean {
  const own = "http://own.invalid";
  return /^\/(?![/\\])[^\s\p{Cc}\\]*$/u.test(location) &&
    URL.parse(location, own)?.origin === own;
}

function isForm(request: FuzzRequest): boolean {
  const url = `http://${headerOf(request, "Host")}${request.target}`;
  return DOOR.test(url) ||
    request.method === "POST" && URL.parse(url)?.pathname === "/logout";
}

/** Whether the headers tell of another origin: the rule once more, in short. */
function isForeign(request: FuzzRequest): boolean {
  const site = headerOf(request, "Sec-Fetch-Site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = headerOf(request, "Origin");
  const host = headerOf(request, "Host")?.toLowerCase();
  const own = [undefined, `http://${host}`, `https://${host}`];
  return !own.includes(origin);
}

/** Whether a login or a logout took place. */
function isTaken({ status, headers }: Answer): boolean {
  return status === 302 && headers.getSetCookie().length > 0;
}

/** Whether the request is for the home page, and has no more than it can bear. */
function isHome(request: FuzzRequest): boolean {
  const { method, target } = request;
  const cookies = headerOf(request, "Cookie") ?? "";
  return method === "GET" && target === "/" &&
    /^127\.0\.0\.1:\d+$/.test(headerOf(request, "Host") ?? "") &&
    cookies.split(/session|_remember/).length <= 5;
}

/** The port that the server prints. */
async function portOf(stream: ReadableStream<Uint8Array>): Promise<number> {
  let text = "";
  for await (const bytes of stream) {
    text += new TextDecoder().decode(bytes);
    if (text.includes("\n")) break;
  }
  if (!/^\d+\n/.test(text)) throw new Error(`The server printed: ${text}`);
  return Number(text);
}

/** The cookies of two users who want to be remembered. */
async function logIn(port: number): Promise<GoodCookie[]> {
  const cookies: GoodCookie[] = [];
  for (const { username, password } of USERS) {
    const response = await fetch(`http://127.0.0.1:${port}/login`, {
      method: "POST",
      body: new URLSearchParams({ username, password, remember: "on" }),
      redirect: "manual",
    });
    await response.body?.cancel();
    for (const line of response.headers.getSetCookie()) {
      const [cookieName, token] = line.split(";")[0].split("=");
      cookies.push({ cookieName, token, userName: username });
    }
  }
  if (cookies.length !== 2 * USERS.length) {
    throw new Error("The example logged nobody in");
  }
  return cookies;
}

if (Deno.args[0] === "serve") await serve();
else await fuzz(Number(Deno.args[0] ?? 20_000), Number(Deno.args[1] ?? 1));
