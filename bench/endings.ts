/**
 * Four processes on one store, and 64 clients who save the sessions of their
 * users until these are ended, at a random moment and from whatever process:
 * nothing that an ended session has saved may ever be read again.
 *
 *     deno task endings [backend=kv] [rounds=10000] [seconds=60]
 *
 * @module
 */

import { Random } from "../tests/_random.ts";
import { RedisServer } from "../tests/redis/_server.ts";
import type { Call, Result } from "./_endings_worker.ts";

const PROCESSES = 4;
const CLIENTS = 64;
/** What a save says whose session was ended. */
const ENDED = "it was ended by another request";

/** What was counted. */
export interface Count {
  rounds: number;
  /** Saves, renewals and logins that were done. */
  writes: number;
  /** Those that were refused because their session had been ended. */
  refused: number;
  /** Logins that came too late to be ended, and stand. */
  standing: number;
  /** Reads of ended sessions, over all processes. */
  reads: number;
  /** Ended sessions that were read all the same. */
  resurrected: number;
  /** How often the store failed, by what it said. */
  failures: Record<string, number>;
}

/** A process that shares the store. */
class Worker {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = new Map<number, (result: Result) => void>();
  readonly #reading: Promise<void>;
  #count = 0;

  constructor(backend: string, address: string) {
    const url = import.meta.resolve("./_endings_worker.ts");
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--unstable-kv", "--allow-all", url, backend, address],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  async call<T>(method: Call["method"], ...args: unknown[]): Promise<T> {
    const number = this.#count++;
    const { promise, resolve } = Promise.withResolvers<Result>();
    this.#waiting.set(number, resolve);
    const call: Call = { number, method, args };
    const line = new TextEncoder().encode(`${JSON.stringify(call)}\n`);
    await this.#input.write(line);
    const { value, error } = await promise;
    if (error !== undefined) throw new Error(error);
    return value as T; // as the method has it
  }

  async close(): Promise<void> {
    await this.#input.close();
    await this.#child.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    const texts = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of texts) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const result: Result = JSON.parse(line);
        this.#waiting.get(result.number)?.(result);
        this.#waiting.delete(result.number);
      }
    }
  }
}

/**
 * Counts what is read of sessions that were ended.
 *
 * @param backend `"kv"`, `"sqlite"` or `"redis"`.
 * @param rounds How many users' sessions are ended.
 * @param seconds How long that may take; then there are fewer rounds.
 */
export async function countEndings(
  backend: string,
  rounds: number,
  seconds: number,
): Promise<Count> {
  await using store = await openStore(backend);
  const workers = Array.from(
    { length: PROCESSES },
    () => new Worker(backend, store.address),
  );
  const count: Count = {
    rounds: 0,
    writes: 0,
    refused: 0,
    standing: 0,
    reads: 0,
    resurrected: 0,
    failures: {},
  };
  const end = Date.now() + seconds * 1000;
  let begun = 0;
  const ended: string[] = [];

  async function play(seed: number): Promise<void> {
    const random = new Random(seed);
    while (begun < rounds && Date.now() < end) {
      ended.push(...await playRound(++begun, workers, random, count));
      count.rounds++;
    }
  }

  try {
    await Promise.all(Array.from({ length: CLIENTS }, (_, i) => play(i)));
    // Once more, for what may have come late.
    for (const [index, worker] of workers.entries()) {
      const ids = ended.filter((_, i) => i % PROCESSES === index);
      await readEnded(ids, [worker], count);
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
  return count;
}

/** Ends the sessions of one user; returns their ids. */
async function playRound(
  user: number,
  workers: readonly Worker[],
  random: Random,
  count: Count,
): Promise<string[]> {
  const exp = Math.floor(Date.now() / 1000) + 1000;
  const payload = { _user_id: user, exp };
  const save = (...previous: string[]) =>
    write(
      count,
      () =>
        random.pick(workers).call("save", { ...payload, n: 1 }, ...previous),
    );
  const ids: string[] = [];
  for (let i = random.integer(1, 3); i > 0; i--) {
    const id = await save();
    if (id !== null) ids.push(id);
  }
  if (ids.length === 0) return [];

  const visits = Array.from({ length: 6 }, async (_, index) => {
    await pass(random.integer(0, 4));
    const id = random.pick(ids);
    if (index === 0) return await save();
    if (index > 1) return await save(id);
    const claims = { exp: exp + 1 };
    return await write(
      count,
      () => random.pick(workers).call("renew", id, claims),
    );
  });
  await pass(random.integer(0, 4));
  const end = () => random.pick(workers).call("removeUser", user);
  await insist(count, end);
  await readEnded(ids, workers, count);
  const [login] = await Promise.all(visits);
  await readEnded(ids, workers, count);

  // A login that came later stands, and then is ended like the others.
  if (login !== null) {
    const find = () => random.pick(workers).call("load", login);
    if (await insist(count, find) !== null) count.standing++;
    await insist(count, end);
    ids.push(login);
  }
  await readEnded(ids, workers, count);
  const list = () => random.pick(workers).call<unknown[]>("userSessions", user);
  count.resurrected += (await insist(count, list)).length;
  return ids;
}

/** Does what must be done, whatever the store says at first. */
async function insist<T>(count: Count, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      fail(count, error);
    }
  }
}

function fail({ failures }: Count, error: unknown): void {
  failures[String(error)] = (failures[String(error)] ?? 0) + 1;
}

/** Does a write; one that is refused, or fails, returns `null`. */
async function write(
  count: Count,
  work: () => Promise<string | null>,
): Promise<string | null> {
  try {
    const id = await work();
    if (id === null) count.refused++;
    else count.writes++;
    return id;
  } catch (error) {
    if (String(error).includes(ENDED)) count.refused++;
    else fail(count, error);
    return null;
  }
}

async function readEnded(
  ids: readonly string[],
  workers: readonly Worker[],
  count: Count,
): Promise<void> {
  const reads = workers.flatMap((worker) =>
    ids.map((id) => insist(count, () => worker.call("load", id)))
  );
  const payloads = await Promise.all(reads);
  count.reads += payloads.length;
  count.resurrected += payloads.filter((payload) => payload !== null).length;
}

async function openStore(
  backend: string,
): Promise<AsyncDisposable & { address: string }> {
  if (backend === "redis") {
    const server = await RedisServer.start();
    return {
      address: String(server.port),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  }
  const directory = await Deno.makeTempDir();
  return {
    address: `${directory}/sessions.db`,
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

if (import.meta.main) {
  const [backend = "kv", rounds = "10000", seconds = "60"] = Deno.args;
  const start = Date.now();
  const { failures, ...count } = await countEndings(
    backend,
    Number(rounds),
    Number(seconds),
  );
  const rows = {
    backend,
    processes: PROCESSES,
    clients: CLIENTS,
    seconds: ((Date.now() - start) / 1000).toFixed(1),
    ...count,
    failures: Object.entries(failures)
      .map(([error, times]) => `${error} (${times})`).join("; ") || "none",
  };
  console.log("| endings | |\n| --- | --- |");
  for (const [name, value] of Object.entries(rows)) {
    console.log(`| ${name} | ${value.toLocaleString("en")} |`);
  }
  Deno.exit(count.resurrected === 0 && count.rounds > 0 ? 0 : 1);
}
