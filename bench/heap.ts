/**
 * What a session's memory of verified tokens does to the heap: it must not grow
 * with the reads, and with the visitors only up to its bound.
 *
 *     deno run --v8-flags=--expose-gc bench/heap.ts [jwt|fernet]
 *
 * @module
 */

import { type BackendName, Session } from "../mod.ts";
import { Random } from "../tests/_random.ts";
import { payload } from "./_measure.ts";

const VISITORS = 500;
const FIRST_READS = 1_000_000;
const READS = 10_000_000;
const MANY_VISITORS = 200_000;
/** How long all may take, in milliseconds: on a slow machine it reads less. */
const DEADLINE = 55_000;
/** How much the heap may grow, in megabytes. */
const MAX_GROWTH = { reads: 1, visitors: 24 };

const { gc } = globalThis as { gc?: () => void };
const backend = (Deno.args[0] ?? "jwt") as BackendName; // or Session says so
const secretKey = "the secret of the benches, 32 b.";
const end = Date.now() + DEADLINE;

/** Megabytes in use, after all garbage was collected. */
function heap(): number {
  if (gc === undefined) throw new Error("Run it with --v8-flags=--expose-gc");
  gc();
  return Deno.memoryUsage().heapUsed / 1e6;
}

/** Reads of few visitors, mixed at random: grown by, and how often was read. */
async function growthByReads(): Promise<[megabytes: number, reads: number]> {
  const session = new Session({ backend, secretKey });
  const tokens: string[] = [];
  for (let i = 0; i < VISITORS; i++) {
    tokens.push(await session.encode(payload(i)));
  }
  const random = new Random(1);
  let before = 0;
  let reads = 0;
  for (; reads < READS; reads++) {
    if (reads === FIRST_READS) before = heap();
    if (reads % 10_000 === 0 && Date.now() > end) break;
    await session.decode(random.pick(tokens));
  }
  return [heap() - before, reads];
}

/** Many visitors, each of whom comes once. */
async function growthByVisitors(): Promise<number> {
  const session = new Session({ backend, secretKey });
  const before = heap();
  for (let i = 0; i < MANY_VISITORS; i++) await session.encode(payload(i));
  const growth = heap() - before;
  await session.decode(""); // It is alive until here.
  return growth;
}

const byVisitors = await growthByVisitors();
const [byReads, reads] = await growthByReads();
console.log(
  `| heap, ${backend} | grown by MB | limit |\n| --- | ---: | ---: |`,
);
console.log(
  `| ${MANY_VISITORS.toLocaleString("en")} visitors | ${
    byVisitors.toFixed(1)
  } | ${MAX_GROWTH.visitors} |`,
);
console.log(
  `| ${
    reads.toLocaleString("en")
  } reads of ${VISITORS} visitors, after the first ${
    FIRST_READS.toLocaleString("en")
  } | ${byReads.toFixed(2)} | ${MAX_GROWTH.reads} |`,
);
const isBounded = byVisitors <= MAX_GROWTH.visitors &&
  byReads <= MAX_GROWTH.reads && reads > FIRST_READS;
if (!isBounded) Deno.exit(1);
