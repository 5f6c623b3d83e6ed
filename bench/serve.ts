/**
 * Requests per second over loopback: a handler that reads its session against
 * the same bare handler. Needs `wrk`.
 *
 * Run it with `deno task bench:serve`. Each server is a process of its own,
 * rounds are interleaved, and the best of each counts.
 *
 * @module
 */

import { generateSecretKey, Login, Session, withSession } from "../mod.ts";

const ROUNDS = 3;
const SECONDS = 5;

type Handler = (request: Request) => Response | Promise<Response>;

const session = new Session<{ n: number; name: string }>({
  secretKey: Deno.env.get("BENCH_KEY") ?? generateSecretKey(),
});

const users = new Map([["susan", { id: "susan", name: "Susan" }]]);
const login = new Login(session, {
  userLoader: (id: string) => users.get(id),
});

const HANDLERS: Record<string, Handler> = {
  "bare handler": () => greet(true),
  "withSession": withSession(
    session,
    (_request, dict) => greet(dict.name === "susan"),
  ),
  "login.required": login.required(
    (_request, user) => greet(user.name === "Susan"),
  ),
};

if (Deno.args[0] === "server") serve(Deno.args[1]);
else await compare();

/** A run that does not know its visitor shall fail. */
function greet(isKnown: boolean): Response {
  return isKnown ? new Response("Hello") : new Response(null, { status: 500 });
}

function serve(name: string): void {
  const onListen = ({ port }: { port: number }) => console.log(port);
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, HANDLERS[name]);
}

async function compare(): Promise<void> {
  const cookie = `session=${await session.encode({
    n: 3,
    name: "susan",
    _user_id: "susan",
    _fresh: true,
    _started: now(),
    iat: now(),
    exp: now() + 100_000,
  })}`;
  const best: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of Object.keys(HANDLERS)) {
      const rate = await measure(name, cookie);
      best[name] = Math.max(best[name] ?? 0, rate);
    }
  }
  console.log("| handler | requests/s | of bare |\n| --- | ---: | ---: |");
  for (const [name, rate] of Object.entries(best)) {
    const ratio = rate / best["bare handler"];
    console.log(`| ${name} | ${Math.round(rate)} | ${ratio.toFixed(2)} |`);
  }
}

async function measure(name: string, cookie: string): Promise<number> {
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.url, "server", name],
    env: { BENCH_KEY: String(session.secretKey) },
    stdout: "piped",
  }).spawn();
  try {
    const port = await firstLine(server.stdout);
    const { stdout } = await new Deno.Command("wrk", {
      args: [
        "-t1",
        "-c32",
        `-d${SECONDS}s`,
        "-H",
        `Cookie: ${cookie}`,
        `http://127.0.0.1:${port}/`,
      ],
    }).output();
    const report = new TextDecoder().decode(stdout);
    const rate = /Requests\/sec:\s+([\d.]+)/.exec(report);
    if (rate === null || report.includes("Non-2xx")) throw new Error(report);
    return Number(rate[1]);
  } finally {
    server.kill();
    await server.status;
  }
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (
    const chunk of stream.pipeThrough(
      new TextDecoderStream() as TransformStream<Uint8Array, string>,
    )
  ) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text.trim();
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
