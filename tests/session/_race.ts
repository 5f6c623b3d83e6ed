/**
 * Requests that overlap, in an order that a seed decides: at each step of a
 * handler, of the network and of the store, any of those who wait may be next.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  kvBackend,
  type KvStore,
  type StoreBackend,
} from "../../backends/kv.ts";
import {
  Login,
  Session,
  type SessionDict,
  type SessionOptions,
  withSession,
} from "../../mod.ts";
import { cookieSetBy, KEY, requestWith, stoppedClock } from "../_helpers.ts";
import { Random } from "../_random.ts";

/** How many requests race for one session. */
export const REQUESTS = 8;

const SEEDS = Array.from({ length: 16 }, (_, index) => index + 1);
/** Fewer for a real database, which takes its time. */
const KV_SEEDS = SEEDS.slice(0, 8);

const COOKIE_BACKENDS = ["jwt", "fernet", "base64"] as const;

/** A stretch of time: its ends are numbers of events. */
export interface Span {
  begin: number;
  end: number;
}

/** A request, what it read, and what it wrote, by their numbers. */
export interface Visit extends Span {
  read: number | undefined;
  saved: number | undefined;
  isRenewal: boolean;
}

/** The one cookie of a browser with several tabs. */
export interface Jar {
  value: string;
}

/** Lets those who wait go on, one at a time, in an order that a seed decides. */
class Scheduler implements Disposable {
  readonly #random: Random;
  readonly #waiting: (() => void)[] = [];
  readonly #channel = new MessageChannel();
  #time = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Waits for its turn. */
  readonly pause = (): Promise<void> =>
    new Promise((resolve) => this.#waiting.push(resolve));

  /** Waits for a random number of turns. */
  async delay(most: number): Promise<void> {
    for (let i = this.#random.integer(0, most); i > 0; i--) await this.pause();
  }

  /** The number of an event. */
  now(): number {
    return ++this.#time;
  }

  /** Runs until all are done. */
  async run<T>(work: readonly Promise<T>[]): Promise<T[]> {
    let isDone = false;
    const results = Promise.all(work).finally(() => isDone = true);
    results.catch(() => {}); // They are awaited below.
    while (!isDone) {
      await this.#turnEventLoop();
      // Now and then nobody goes on, so that the store may be faster.
      if (this.#waiting.length === 0 || this.#random.chance(0.2)) continue;
      const index = this.#random.integer(0, this.#waiting.length - 1);
      const [goOn] = this.#waiting.splice(index, 1);
      goOn();
    }
    return await results;
  }

  [Symbol.dispose](): void {
    this.#channel.port1.close();
    this.#channel.port2.close();
  }

  #turnEventLoop(): Promise<void> {
    const { port1, port2 } = this.#channel;
    return new Promise((resolve) => {
      port2.onmessage = () => resolve();
      port1.postMessage(0);
    });
  }
}

/** One history of requests that overlap. */
export class Race implements Disposable {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly session: Session;
  readonly time = stoppedClock();
  /** Everybody's requests that were answered. */
  readonly visits: Visit[] = [];
  #count = 0;

  constructor(
    seed: number,
    options: (race: Race) => SessionOptions,
  ) {
    this.random = new Random(seed);
    this.scheduler = new Scheduler(this.random);
    this.session = new Session({ clock: this.time.clock, ...options(this) });
  }

  [Symbol.dispose](): void {
    this.scheduler[Symbol.dispose]();
  }

  /** A session with the number 0 in it. */
  async begin(
    save = (dict: SessionDict, _request: Request): unknown => dict.save(),
  ): Promise<Jar> {
    const jar = { value: "" };
    await this.run([this.#request(jar, (dict, request) => {
      Object.assign(dict, { a: 0, b: 0 });
      return save(dict, request);
    })]);
    return jar;
  }

  run<T>(work: readonly Promise<T>[]): Promise<T[]> {
    return this.scheduler.run(work);
  }

  /** Reads the session, which must be whole. */
  async read(jar: Jar): Promise<Visit> {
    const [visit] = await this.run([this.visit({ ...jar }, false)]);
    return visit;
  }

  /**
   * A request that reads the session, and may write a number of its own into
   * it, in two places.
   */
  async visit(jar: Jar, isSave: boolean): Promise<Visit> {
    const { random, scheduler } = this;
    const visit: Visit = {
      begin: 0,
      end: 0,
      read: undefined,
      saved: undefined,
      isRenewal: false,
    };
    await scheduler.pause();
    visit.begin = scheduler.now();
    const response = await this.#request(jar, async (dict) => {
      assertEquals(dict.a, dict.b, "The record is torn");
      visit.read = dict.a;
      await scheduler.delay(12);
      if (!isSave || dict.a === undefined) return;
      visit.saved = ++this.#count;
      dict.a = visit.saved;
      await scheduler.pause();
      dict.b = visit.saved;
      const saving = dict.save();
      dict.a = "too late";
      if (random.chance(0.5)) await saving;
      await scheduler.pause();
    });
    visit.isRenewal = visit.saved === undefined &&
      cookieSetBy(response) !== undefined;
    visit.end = scheduler.now();
    this.visits.push(visit);
    return visit;
  }

  async #request(
    jar: Jar,
    edit: (dict: SessionDict, request: Request) => unknown,
  ): Promise<Response> {
    const handler = withSession(this.session, async (request, dict) => {
      await edit(dict, request);
      return new Response();
    });
    const response = await handler(requestWith(`session=${jar.value}`));
    await this.scheduler.pause(); // The way back, on which others may overtake.
    jar.value = cookieSetBy(response) ?? jar.value;
    return response;
  }
}

/** A history over a real database whose operations are delayed. */
export class KvRace extends Race {
  readonly backend: StoreBackend;
  readonly kv: Deno.Kv;
  readonly login = new Login<{ id: number }>(this.session);

  private constructor(seed: number, kv: Deno.Kv, areReadsPrompt: boolean) {
    const backends: StoreBackend[] = [];
    super(seed, ({ scheduler }) => {
      const store = delayed(kv, scheduler.pause, areReadsPrompt);
      backends.push(kvBackend(store));
      return { backend: backends[0], secretKey: KEY };
    });
    [this.backend] = backends;
    this.kv = kv;
  }

  static async open(seed: number, areReadsPrompt = false): Promise<KvRace> {
    const kv = await Deno.openKv(":memory:");
    return new KvRace(seed, kv, areReadsPrompt);
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    this.kv.close();
  }

  /** A session of a user with the number 0 in it. */
  beginAs(id: number): Promise<Jar> {
    return this.begin((_dict, request) =>
      this.login.loginUser(request, { id })
    );
  }

  /** How many sessions there are, and how many entries of users. */
  async count(): Promise<[sessions: number, entries: number]> {
    let [sessions, entries] = [0, 0];
    for await (const { key, value } of this.kv.list({ prefix: ["sessions"] })) {
      if (key[1] === "users") entries++;
      // What is no object marks that a user's sessions were ended.
      else if (value instanceof Uint8Array && value[0] === 0x7B) sessions++;
    }
    return [sessions, entries];
  }
}

/** Defines a test of each seed, over a backend that keeps data in the cookie. */
export function testCookies(
  what: string,
  run: (race: Race) => Promise<void>,
): void {
  for (const backend of COOKIE_BACKENDS) {
    const secretKey = backend === "base64" ? {} : { secretKey: KEY };
    Deno.test(`${backend}: ${what}`, () =>
      forEachSeed(SEEDS, async (seed) => {
        using race = new Race(seed, () => ({ backend, ...secretKey }));
        await run(race);
      }));
  }
}

/** Defines a test of each seed, over a backend that keeps data in a store. */
export function testKv(
  what: string,
  run: (race: KvRace) => Promise<void>,
  areReadsPrompt = false,
): void {
  Deno.test(`kv: ${what}`, () =>
    forEachSeed(KV_SEEDS, async (seed) => {
      using race = await KvRace.open(seed, areReadsPrompt);
      await run(race);
    }));
}

/** Defines a test of each seed, over each backend. */
export function testAll(
  what: string,
  run: (race: Race) => Promise<void>,
): void {
  testCookies(what, run);
  testKv(what, run);
}

async function forEachSeed(
  seeds: readonly number[],
  run: (seed: number) => Promise<void>,
): Promise<void> {
  for (const seed of seeds) {
    try {
      await run(seed);
    } catch (cause) {
      throw new Error(`The history of seed ${seed} went wrong`, { cause });
    }
  }
}

/** A store that takes its time before and after all that it does. */
function delayed(
  kv: Deno.Kv,
  pause: () => Promise<void>,
  areReadsPrompt: boolean,
): KvStore {
  async function slowly<T>(work: () => Promise<T>): Promise<T> {
    await pause();
    const result = await work();
    await pause();
    return result;
  }
  return {
    async get(key) {
      if (!areReadsPrompt) await pause();
      const entry = await kv.get(key);
      await pause();
      return entry;
    },
    async *list(selector) {
      await pause();
      for await (const entry of kv.list(selector)) {
        yield entry;
        await pause();
      }
    },
    atomic() {
      const operation = kv.atomic();
      const atomic: ReturnType<KvStore["atomic"]> = {
        check: (...entries) => (operation.check(...entries), atomic),
        set(key, value, options) {
          operation.set(key, value, options);
          return atomic;
        },
        delete: (key) => (operation.delete(key), atomic),
        commit: () => slowly(() => operation.commit()),
      };
      return atomic;
    },
  };
}
