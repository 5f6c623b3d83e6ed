/**
 * What sessions cost, each figure as a ratio to the bare work below it. The two
 * are measured in turns within one run, and the medians are compared: the
 * machine's mood touches both alike.
 *
 * Run it with `deno task bench`.
 *
 * @module
 */

import { generateSecretKey, Session } from "../mod.ts";

const ROUNDS = 41;
const CALLS = 250;

/** One figure: the time of `work` over the time of `bare`. */
interface Figure {
  name: string;
  limit: number;
  work: (index: number) => Promise<unknown>;
  bare: (index: number) => Promise<unknown>;
}

const encoder = new TextEncoder();
const secretKey = generateSecretKey();
const session = new Session({ secretKey });
const reader = new Session({ secretKey });

const tokens: string[] = [];
for (let i = 0; i < ROUNDS * CALLS; i++) {
  tokens.push(await session.encode(payload(i)));
}
const [token] = tokens.slice(-1);
const signingInput = encoder.encode(token.slice(0, token.lastIndexOf(".")));
const hmacKey = await crypto.subtle.importKey(
  "raw",
  encoder.encode(secretKey),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["sign", "verify"],
);
const signature = await crypto.subtle.sign("HMAC", hmacKey, signingInput);

const verify = () =>
  crypto.subtle.verify("HMAC", hmacKey, signature, signingInput);
const sign = () => crypto.subtle.sign("HMAC", hmacKey, signingInput);

// Requests are the server's work, so they are made before the clock starts.
const warm = tokens.map(() => requestWith(token));
const cold = tokens.map(requestWith);
const saving = tokens.map(() => requestWith(token));

const FIGURES: Figure[] = [
  {
    name: "warm read / verify",
    limit: 0.15,
    work: (index) => session.get(warm[index]),
    bare: verify,
  },
  {
    name: "cold read / verify",
    limit: 1.5,
    work: (index) => reader.get(cold[index]),
    bare: verify,
  },
  {
    name: "save + commit / sign",
    limit: 1.6,
    work: async (index) => {
      const dict = await session.get(saving[index]);
      dict.n = index;
      dict.save();
      return await session.commit(saving[index], new Response("Hello"));
    },
    bare: sign,
  },
];

console.log("| figure | ratio | limit |\n| --- | ---: | ---: |");
for (const figure of FIGURES) {
  const ratio = await compare(figure);
  console.log(`| ${figure.name} | ${ratio.toFixed(2)} | ${figure.limit} |`);
}
console.log(`\nHeap after 100,000 distinct tokens: +${await heapGrowth()} MB`);

async function compare({ work, bare }: Figure): Promise<number> {
  const times = { work: [] as number[], bare: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.bare.push(await time(bare, round));
    times.work.push(await time(work, round));
  }
  return median(times.work) / median(times.bare);
}

async function time(
  call: (index: number) => Promise<unknown>,
  round: number,
): Promise<number> {
  const start = performance.now();
  for (let i = round * CALLS; i < (round + 1) * CALLS; i++) await call(i);
  return performance.now() - start;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** Megabytes that stay in use after reading 100,000 distinct valid tokens. */
async function heapGrowth(): Promise<string> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) return "? (run with --v8-flags=--expose-gc)";
  const growing = new Session({ secretKey });
  gc();
  const before = Deno.memoryUsage().heapUsed;
  for (let i = 0; i < 100_000; i++) {
    const value = await session.encode(payload(i));
    await growing.get(requestWith(value));
  }
  gc();
  return ((Deno.memoryUsage().heapUsed - before) / 1e6).toFixed(1);
}

function payload(n: number): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return { n, name: "susan", _started: now, iat: now, exp: now + 100_000 };
}

function requestWith(token: string): Request {
  const headers = { Cookie: `session=${token}` };
  return new Request("http://localhost/", { headers });
}
