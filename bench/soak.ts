/**
 * A site's traffic for a while: 50,000 visitors, a few of whom come often and
 * most of them seldom, over real sockets. It fails where a session is lost or
 * goes to somebody else, where the site answers with an error that nobody asked
 * for, and where its heap grows.
 *
 *     deno task soak [minutes=20] [backend=jwt]
 *
 * @module
 */

import { Random } from "../tests/_random.ts";
import { RedisServer } from "../tests/redis/_server.ts";
import { Line, Tally, Visitor } from "./_soak_visitor.ts";
import type { Memory } from "./soak_server.ts";

const VISITORS = 50_000;
const LINES = 32;
/** How often to look at the memory, in milliseconds. */
const SAMPLE_EVERY = 1000;
/** The part of the time after which the heap shall grow no more. */
const WARM_UP = 0.4;
/** How much the heap may grow after that, in bytes for each request. */
const MAX_SLOPE = 5;
/** How much it may grow in all, in megabytes: a session's memory is bounded. */
const MAX_GROWTH = 24;
/** What the log says of a save that comes too late. */
const LATE = "the response has left";
const BLOCKS = "▁▂▃▄▅▆▇█";

interface Sample extends Memory {
  requests: number;
}

const minutes = Number(Deno.args[0] ?? 20);
const backend = Deno.args[1] ?? "jwt";
const end = Date.now() + minutes * 60_000;
const tally = new Tally();
const histogram = new Map<number, number>();
const samples: Sample[] = [];
let lateLines = 0;

const redis = backend === "redis" ? await RedisServer.start() : undefined;
const server = new Deno.Command(Deno.execPath(), {
  args: [
    "run",
    "--allow-all",
    "--unstable-kv",
    "--v8-flags=--expose-gc",
    import.meta.resolve("./soak_server.ts"),
    backend,
  ],
  env: { REDIS_PORT: String(redis?.port) },
  stdout: "piped",
  stderr: "piped",
}).spawn();
const port = await readPort();
readErrors();
const visitors = Array.from(
  { length: VISITORS },
  (_, index) => new Visitor(`v${index}`),
);
const ranks = zipf(VISITORS);
const sampling = setInterval(sample, SAMPLE_EVERY);
await Promise.all(Array.from({ length: LINES }, (_, seed) => work(seed)));
clearInterval(sampling);
await new Promise((resolve) => setTimeout(resolve, 1000)); // The late saves.
await sample();
const isAlive = await stop();
redis?.end();
Deno.exit(report() && isAlive ? 0 : 1);

/** One of the lines over which visitors come, until it is late. */
async function work(seed: number): Promise<void> {
  const random = new Random(seed);
  const line = new Line(port, tally);
  while (Date.now() < end) {
    const visitor = visitors[pickRank(random)];
    if (visitor.isBusy) continue;
    visitor.isBusy = true;
    try {
      await visitor.visit(line, random);
    } catch (error) {
      tally.fail(error instanceof Error ? error.message : String(error));
      line.close();
    }
    visitor.isBusy = false;
  }
  line.close();
}

/** The share of visits that the first visitors have together (Zipf's law). */
function zipf(count: number): Float64Array {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let i = 0; i < count; i++) sums[i] = sum += 1 / (i + 1);
  return sums.map((part) => part / sum);
}

function pickRank(random: Random): number {
  const share = random.next();
  let [low, high] = [0, VISITORS - 1];
  while (low < high) {
    const middle = low + high >> 1;
    if (ranks[middle] < share) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function readPort(): Promise<number> {
  const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return Number(value);
}

/** Counts the late saves that are logged; anything else is an error. */
async function readErrors(): Promise<void> {
  const texts = server.stderr.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of texts) {
    const parts = (rest + text).split(LATE);
    lateLines += parts.length - 1;
    rest = parts[parts.length - 1].slice(1 - LATE.length);
    if (/panicked|Uncaught|out of memory/.test(text)) tally.fail(text);
  }
}

/** Looks at the server's memory, and shows how far it is. */
async function sample(): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/memory`);
  const memory: Memory = await response.json();
  samples.push({ ...memory, requests: tally.requests });
  for (const time of tally.times.splice(0)) {
    const bucket = Math.ceil(Math.log2(time) * 8);
    histogram.set(bucket, (histogram.get(bucket) ?? 0) + 1);
  }
  const left = Math.max(0, Math.round((end - Date.now()) / 1000));
  const text = `${backend}: ${left} s left, ${
    tally.requests.toLocaleString("en")
  } requests, heap ${
    memory.heap.toFixed(1)
  } MB, lost ${tally.lost}, swapped ${tally.swapped}, errors ${
    tally.errors.values().reduce((sum, count) => sum + count, 0)
  }`;
  if (Deno.stdout.isTerminal()) {
    await Deno.stdout.write(new TextEncoder().encode(`\r${text}  `));
  } else if (samples.length % 10 === 0) console.log(text);
}

/** Ends the server; tells whether it was there until now. */
async function stop(): Promise<boolean> {
  server.kill();
  const { signal } = await server.status;
  return signal === "SIGTERM";
}

/** Prints the table; tells whether all is well. */
function report(): boolean {
  const late = samples.slice(Math.floor(samples.length * WARM_UP));
  const slope = slopeOf(late);
  const growth = samples.at(-1)!.heap - samples[0].heap; // it was sampled
  const isFlat = slope <= MAX_SLOPE || growth <= MAX_GROWTH;
  const errors = [...tally.errors].map(([kind, count]) => `${kind} (${count})`);
  const problems = [
    tally.lost > 0 && "sessions were lost",
    tally.swapped > 0 && "sessions were swapped",
    errors.length > 0 && "there were errors",
    lateLines !== tally.late && "a late save was not logged once",
    !isFlat && "the heap grows",
  ].filter((problem) => problem !== false);
  const rows: [name: string, value: string][] = [
    ["backend", backend],
    ["minutes", String(minutes)],
    ["requests", tally.requests.toLocaleString("en")],
    [
      "p50, p99, max",
      [0.5, 0.99, 1].map((q) => `${quantile(q)} ms`).join(", "),
    ],
    ["errors", errors.join("; ") || "none"],
    ["late saves, logged", `${tally.late}, ${lateLines}`],
    ["lost sessions", String(tally.lost)],
    ["swapped sessions", String(tally.swapped)],
    ["heap", curve(samples.map(({ heap }) => heap))],
    ["RSS", curve(samples.map(({ rss }) => rss))],
    ["heap after warm-up", `${slope.toFixed(2)} bytes a request`],
    ["verdict", problems.join(", ") || "nothing lost, swapped or growing"],
  ];
  console.log("\n| soak | |\n| --- | --- |");
  for (const [name, value] of rows) console.log(`| ${name} | ${value} |`);
  return problems.length === 0;
}

/** The time that a share of the answers took at most, in milliseconds. */
function quantile(share: number): string {
  const buckets = [...histogram].sort(([a], [b]) => a - b);
  const all = buckets.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [bucket, count] of buckets) {
    seen += count;
    if (seen >= share * all) return (2 ** (bucket / 8)).toPrecision(2);
  }
  return "?";
}

/** The slope of the heap over the requests by least squares, in bytes. */
function slopeOf(samples: readonly Sample[]): number {
  const mean = (values: number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(samples.map(({ requests }) => requests));
  const y = mean(samples.map(({ heap }) => heap));
  let [covariance, variance] = [0, 0];
  for (const { requests, heap } of samples) {
    covariance += (requests - x) * (heap - y);
    variance += (requests - x) ** 2;
  }
  return covariance / variance * 1e6;
}

/** Megabytes over time as one line of blocks, with the least and the most. */
function curve(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const step = Math.max(1, values.length / 60);
  let line = "";
  for (let i = 0; i < values.length; i += step) {
    const share = (values[Math.floor(i)] - low) / (high - low || 1);
    line += BLOCKS[Math.round(share * (BLOCKS.length - 1))];
  }
  return `${line} ${low.toFixed(1)} to ${high.toFixed(1)} MB`;
}
