/**
 * What sessions cost, each figure as a ratio to the bare work below it, and
 * what a request costs with each backend.
 *
 * Run it with `deno task bench`.
 *
 * @module
 */

import { generateSecretKey, Session } from "../mod.ts";
import {
  ALL_CALLS,
  type Figure,
  payload,
  print,
  printHead,
  requestWith,
} from "./_measure.ts";
import { costTable, fernetFigure, kvFigure } from "./backends.ts";

const encoder = new TextEncoder();
const secretKey = generateSecretKey();
using kv = await Deno.openKv(":memory:");
const session = new Session({ secretKey });

const tokens: string[] = [];
for (let i = 0; i < ALL_CALLS; i++) {
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

// One after another: what a figure holds in memory would slow the others down.
printHead();
await print(warmFigure());
await print(coldFigure());
await print(await saveFigure());
await print(await fernetFigure());
await print(await kvFigure(kv));
console.log(`\n${await costTable(kv)}`);
console.log(`\nHeap after 100,000 distinct tokens: +${await heapGrowth()} MB`);

// Requests and responses are the server's and the application's work: they are
// made before the clock starts.

function warmFigure(): Figure {
  const requests = tokens.map(() => requestWith(token));
  return {
    name: "warm read / verify",
    limit: 0.15,
    work: (index) => session.get(requests[index]),
    bare: verify,
  };
}

function coldFigure(): Figure {
  const requests = tokens.map(requestWith);
  const reader = new Session({ secretKey });
  return {
    name: "cold read / verify",
    limit: 1.5,
    work: (index) => reader.get(requests[index]),
    bare: verify,
  };
}

async function saveFigure(): Promise<Figure> {
  const visits = await Promise.all(tokens.map(async () => {
    const request = requestWith(token);
    const dict = await session.open(request);
    return { request, dict, response: new Response("Hello") };
  }));
  return {
    name: "save + commit / sign",
    limit: 1.6,
    work: (index) => {
      const { request, dict, response } = visits[index];
      dict.n = index;
      dict.save();
      return session.commit(request, response);
    },
    bare: sign,
  };
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
