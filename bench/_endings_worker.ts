/**
 * One of the processes that share a store: it does what it reads from its input,
 * a line of JSON each, and writes what came of it.
 *
 *     deno run --unstable-kv --allow-all bench/_endings_worker.ts kv sessions.db
 *
 * @module
 */

import { kvBackend } from "../backends/kv.ts";
import { redisBackend } from "../backends/redis.ts";
import { type StoreBackend, storeBackend } from "../backends/store.ts";
import { SqliteStore } from "../examples/sqlite.ts";
import { RedisClient } from "../tests/redis/_client.ts";

/** What a worker is asked to do. */
export interface Call {
  number: number;
  method: "load" | "save" | "renew" | "removeUser" | "userSessions";
  args: unknown[];
}

/** What came of it. */
export interface Result {
  number: number;
  value?: unknown;
  error?: string;
}

/** How a backend is made from what the store is reached by. */
const BACKENDS: Record<
  string,
  (address: string) => StoreBackend | Promise<StoreBackend>
> = {
  kv: async (path) => kvBackend(await Deno.openKv(path)),
  sqlite: (path) => storeBackend(new SqliteStore(path)),
  redis: (port) => redisBackend(new RedisClient(Number(port)).send),
};

if (import.meta.main) await work(...Deno.args as [string, string]);

async function work(name: string, address: string): Promise<void> {
  const backend = await BACKENDS[name](address);
  let rest = "";
  for await (
    const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) answer(backend, JSON.parse(line));
  }
  Deno.exit();
}

async function answer(
  backend: StoreBackend,
  { number, method, args }: Call,
): Promise<void> {
  let result: Result;
  try {
    // The arguments are what the method takes, as they were sent.
    const call = backend[method] as (...args: unknown[]) => unknown;
    result = { number, value: await call.apply(backend, args) };
  } catch (error) {
    result = { number, error: String(error) };
  }
  console.log(JSON.stringify(result));
}
