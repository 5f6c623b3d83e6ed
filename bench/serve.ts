/**
 * Requests per second over loopback, as a share of what a bare handler serves,
 * for few visitors and for many. Needs `wrk`.
 *
 *     deno task bench:serve [--rounds=3] [--seconds=2] [--visitors=1,1000,20000,200000]
 *
 * Each handler is a server of its own. They take turns in every round, so that
 * the machine's mood touches all alike, and the best round of each counts.
 *
 * @module
 */

import { type HandlerName, HANDLERS, makeTokens } from "./handlers.ts";

/** What is shown: a handler's requests as a share of another's. */
const COLUMNS: readonly [name: HandlerName, of: HandlerName][] = [
  ["read", "bare"],
  ["required", "bare"],
  ["save", "bare"],
  ["read", "verify"],
  ["save", "sign"],
];

/** Sends the cookies of a file in turn. */
const SCRIPT = `
local requests, count, index = {}, 0, 0
function init(args)
  for token in io.lines(args[1]) do
    count = count + 1
    requests[count] = "GET / HTTP/1.1\\r\\nHost: localhost\\r\\nCookie: session="
      .. token .. "\\r\\n\\r\\n"
    if count == tonumber(args[2]) then break end
  end
end
function request()
  index = index % count + 1
  return requests[index]
end
`;

const settings = new Map(
  Deno.args.map((argument): [string, string] => {
    const [name, value = ""] = argument.replace(/^--/, "").split("=");
    return [name, value];
  }),
);
const rounds = Number(settings.get("rounds") ?? 3);
const seconds = Number(settings.get("seconds") ?? 2);
const rows = (settings.get("visitors") ?? "1,1000,20000,200000").split(",")
  .map(Number);
const names = Object.keys(HANDLERS) as HandlerName[]; // its own keys

const folder = await Deno.makeTempDir();
const servers = await Promise.all(names.map(start));
try {
  await Deno.writeTextFile(`${folder}/wrk.lua`, SCRIPT);
  const tokens = await makeTokens(Math.max(...rows));
  await Deno.writeTextFile(`${folder}/tokens`, tokens.join("\n"));
  for (const { port } of servers) await measure(port, 1, 1); // warm
  const heads = COLUMNS.map(([name, of]) => `${name} / ${of}`);
  console.log(`| visitors | ${heads.join(" | ")} | bare requests/s |`);
  console.log(`| ---: |${" ---: |".repeat(heads.length + 1)}`);
  for (const visitors of rows) {
    const rates = await measureAll(visitors);
    const shares = COLUMNS.map(([name, of]) =>
      (rates[name] / rates[of]).toFixed(2)
    );
    console.log(
      `| ${visitors.toLocaleString("en")} | ${shares.join(" | ")} | ${
        Math.round(rates.bare).toLocaleString("en")
      } |`,
    );
  }
} finally {
  for (const { server } of servers) server.kill();
  await Deno.remove(folder, { recursive: true });
}

async function start(
  name: HandlerName,
): Promise<{ name: HandlerName; server: Deno.ChildProcess; port: string }> {
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", import.meta.resolve("./handlers.ts"), name],
    stdout: "piped",
  }).spawn();
  const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return { name, server, port: value.trim() };
}

/** The best requests per second of each handler. */
async function measureAll(
  visitors: number,
): Promise<Record<HandlerName, number>> {
  const best = Object.fromEntries(names.map((name) => [name, 0]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, port } of servers) {
      const rate = await measure(port, visitors, seconds);
      best[name] = Math.max(best[name], rate);
    }
  }
  return best as Record<HandlerName, number>; // one for each name
}

async function measure(
  port: string,
  visitors: number,
  seconds: number,
): Promise<number> {
  const { stdout } = await new Deno.Command("wrk", {
    args: [
      "-t1",
      "-c32",
      `-d${seconds}s`,
      "-s",
      `${folder}/wrk.lua`,
      `http://127.0.0.1:${port}/`,
      "--",
      `${folder}/tokens`,
      String(visitors),
    ],
  }).output();
  const report = new TextDecoder().decode(stdout);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(report);
  if (rate === null || report.includes("Non-2xx")) throw new Error(report);
  return Number(rate[1]);
}
