/**
 * Fuzzing: hostile requests, over real connections, to the examples for logins,
 * sessions and kv, and to a site whose sessions nobody signs.
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

import {
  type FuzzRequest,
  type GoodCookie,
  headerOf,
  makeRequest,
  textOf,
} from "./_fuzz_requests.ts";
import {
  type FuzzSite,
  isForm,
  KEY,
  knownUsers,
  SITES,
} from "./_fuzz_sites.ts";
import { type Answer, RawConnection } from "../_http.ts";
import { Random } from "../_random.ts";

const CONNECTIONS = 16;
/** A server that takes longer for an answer, in milliseconds, is in trouble. */
const TIMEOUT = 10_000;
/** What a whole run may take for each of its requests, in milliseconds. */
const PACE = 5;

async function serve(name: string): Promise<void> {
  const handler = await SITES[name].load();
  const onListen = ({ port }: { port: number }) => console.log(port);
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, handler);
}

async function fuzz(requests: number, seed: number): Promise<void> {
  if (!(requests > 0) || !Number.isInteger(seed)) {
    console.error("Usage: deno task fuzz [requests] [seed]");
    Deno.exit(2);
  }
  console.log(`${requests} requests, seed ${seed}`);
  const shares = Object.values(SITES).reduce(
    (sum, { share }) => sum + share,
    0,
  );
  for (const [name, site] of Object.entries(SITES)) {
    const count = Math.ceil(requests * site.share / shares);
    const failure = await fuzzSite(name, site, count, seed);
    if (failure === undefined) continue;
    console.error(`${name}: ${failure}`);
    Deno.exitCode = 1;
    return;
  }
}

/** Sends requests to a site; returns what went wrong first, if anything did. */
async function fuzzSite(
  name: string,
  site: FuzzSite,
  requests: number,
  seed: number,
): Promise<string | undefined> {
  await using server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", "--allow-env", import.meta.url, "serve", name],
    env: { SECRET_KEY: KEY },
    stdout: "piped",
  }).spawn();
  const port = await portOf(server.stdout);
  const start = performance.now();
  const cookies = await site.logIn(`http://127.0.0.1:${port}`);
  const run = new Run(port, seed, site, cookies);
  const failure = await run.send(requests);
  const seconds = (performance.now() - start) / 1000;
  const summary = `${name}: ${run.summary()} in ${seconds.toFixed(1)} s`;
  if (failure === undefined) console.log(summary);
  return failure;
}

/** Requests, each of which depends on the seed and its own number alone. */
class Run {
  readonly #port: number;
  readonly #seed: number;
  readonly #site: FuzzSite;
  readonly #cookies: readonly GoodCookie[];
  readonly #statuses = new Map<number, number>();
  #next = 0;
  #known = 0;
  #failure: string | undefined;

  constructor(
    port: number,
    seed: number,
    site: FuzzSite,
    cookies: readonly GoodCookie[],
  ) {
    this.#port = port;
    this.#seed = seed;
    this.#site = site;
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
    if (this.#known === 0 && this.#site !== SITES.base64) {
      this.#failure ??= "No good cookie was known";
    }
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
      const request = makeRequest(
        random,
        this.#site,
        this.#cookies,
        host,
      );
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
    if (this.#site === SITES.base64) return; // It believes what it is told.
    const host = headerOf(request, "Host") ?? "";
    if (isForm(request, host) && isForeign(request) && isTaken(answer)) {
      throw new Error("It took a form from another origin");
    }
    const good = this.#goodCookies(request);
    const names = new Set(good.map(({ userName }) => userName));
    const known = knownUsers(request, answer);
    const stranger = known.find((name) => !names.has(name));
    if (stranger !== undefined) {
      throw new Error(`It knew ${stranger} without a good cookie`);
    }
    if (answer.body.includes('class="token"')) {
      const parts = good.map(({ token }) => token.split(".")[1]);
      const isOwn = parts.some((part) => answer.body.includes(`>${part}<`));
      if (!isOwn) throw new Error("It showed another visitor's session");
    }
    const hasSession = good.some(({ cookieName }) => cookieName === "session");
    if (answer.body.includes("Recovery codes</h1>") && !hasSession) {
      throw new Error("It took a login for fresh");
    }
    if (names.size === 1 && isHome(request) && status !== 400) {
      // A logout before may have ended the remember-me cookie.
      const isForgotten = known.length === 0 && hasSession;
      if (isForgotten) throw new Error("It did not know its visitor");
      this.#known += known.length > 0 ? 1 : 0;
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

function isOwn(location: string): boolean {
  const own = "http://own.invalid";
  return /^\/(?![/\\])[^\s\p{Cc}\\]*$/u.test(location) &&
    URL.parse(location, own)?.origin === own;
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

/** Whether a form did what it is for. */
function isTaken({ status }: Answer): boolean {
  return status === 302 || status === 303;
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

if (Deno.args[0] === "serve") await serve(Deno.args[1]);
else await fuzz(Number(Deno.args[0] ?? 20_000), Number(Deno.args[1] ?? 1));
