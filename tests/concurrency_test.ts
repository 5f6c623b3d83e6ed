/**
 * Requests that overlap, in an order that a seed decides: at each step of a
 * handler, of the network and of the store, any of those who wait may be next.
 *
 * What is promised, on every backend: the last save wins, and no record is torn
 * or mixed of two. On kv, where the server holds the data, also that what has
 * ended stays so, and that a renewal undoes no save.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type KvBackend, kvBackend, type KvStore } from "../backends/kv.ts";
import {
  Login,
  Session,
  type SessionDict,
  type SessionOptions,
  withSession,
} from "../mod.ts";
import { cookieSetBy, KEY, requestWith, stoppedClock } from "./_helpers.ts";
import { DAY } from "./_login.ts";
import { Random } from "./_random.ts";

const SEEDS = Array.from({ length: 16 }, (_, index) => index + 1);
const REQUESTS = 8;
const USER = 1;
const OTHER_USER = 2;
const ENDED = "it was ended by another request";

const COOKIE_BACKENDS = ["jwt", "fernet", "base64"] as const;

/** How a session can be ended, by the name of what does it. */
const ENDINGS: Record<string, (race: KvRace, value: string) => Promise<void>> =
  {
    "dict.delete()": async ({ session }, value) => {
      const request = requestWith(`session=${value}`);
      const dict = await session.get(request);
      await dict.delete();
    },
    "login.loginUser()": async ({ session }, value) => {
      const login = new Login(session);
      await login.loginUser(requestWith(`session=${value}`), { id: USER });
    },
    "login.logoutUser()": async ({ session }, value) => {
      await new Login(session).logoutUser(requestWith(`session=${value}`));
    },
    "backend.removeUser()": ({ backend }) => backend.removeUser(USER),
    "backend.removeUserSession()": async ({ backend }) => {
      for (const { key } of await backend.userSessions(USER)) {
        await backend.removeUserSession(USER, key);
      }
    },
  };

/** A stretch of time: its ends are numbers of events. */
interface Span {
  begin: number;
  end: number;
}

/** A request, what it read, and what it wrote, by their numbers. */
interface Visit extends Span {
  read: number | undefined;
  saved: number | undefined;
  isRenewal: boolean;
}

/** The one cookie of a browser with several tabs. */
interface Jar {
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
class Race implements Disposable {
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

  /** A session with the number 0 in it, and perhaps a user. */
  async begin(user?: number): Promise<Jar> {
    const jar = { value: "" };
    const data = user === undefined ? {} : { _user_id: user };
    await this.run([this.#request(jar, (dict) => {
      Object.assign(dict, { a: 0, b: 0, ...data });
      dict.save();
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
    edit: (dict: SessionDict) => unknown,
  ): Promise<Response> {
    const handler = withSession(this.session, async (_request, dict) => {
      await edit(dict);
      return new Response();
    });
    const response = await handler(requestWith(`session=${jar.value}`));
    await this.scheduler.pause(); // The way back, on which others may overtake.
    jar.value = cookieSetBy(response) ?? jar.value;
    return response;
  }
}

/** A history over a real database whose operations are delayed. */
class KvRace extends Race {
  readonly backend: KvBackend;
  readonly kv: Deno.Kv;

  private constructor(seed: number, kv: Deno.Kv, areReadsPrompt: boolean) {
    const backends: KvBackend[] = [];
    super(seed, ({ time, scheduler }) => {
      const store = delayed(kv, scheduler.pause, areReadsPrompt);
      backends.push(kvBackend(store, { clock: time.clock }));
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

  /** How many records there are, and how many entries of users. */
  async count(): Promise<[records: number, entries: number]> {
    const keys = await Array.fromAsync(
      this.kv.list({ prefix: ["sessions"] }),
      ({ key }) => key[1],
    );
    const count = (what: string) => keys.filter((key) => key === what).length;
    return [count("records"), count("users")];
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
    set: (key, value, options) => slowly(() => kv.set(key, value, options)),
    delete: (key) => slowly(() => kv.delete(key)),
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

/** Defines a test of each seed, over a backend that keeps data in the cookie. */
function testCookies(what: string, run: (race: Race) => Promise<void>): void {
  for (const backend of COOKIE_BACKENDS) {
    const secretKey = backend === "base64" ? {} : { secretKey: KEY };
    Deno.test(`${backend}: ${what}`, () =>
      forEachSeed(async (seed) => {
        using race = new Race(seed, () => ({ backend, ...secretKey }));
        await run(race);
      }));
  }
}

function testKv(
  what: string,
  run: (race: KvRace) => Promise<void>,
  areReadsPrompt = false,
): void {
  Deno.test(`kv: ${what}`, () =>
    forEachSeed(async (seed) => {
      using race = await KvRace.open(seed, areReadsPrompt);
      await run(race);
    }));
}

function testAll(what: string, run: (race: Race) => Promise<void>): void {
  testCookies(what, run);
  testKv(what, run);
}

async function forEachSeed(
  run: (seed: number) => Promise<void>,
): Promise<void> {
  for (const seed of SEEDS) {
    try {
      await run(seed);
    } catch (cause) {
      throw new Error(`The history of seed ${seed} went wrong`, { cause });
    }
  }
}

/**
 * Checks that a request read what was written last. Of writes that overlap,
 * any may be the last; one that was over before another began is not.
 */
function assertLast({ read, begin, end }: Visit, writes: Visit[]): void {
  const written = (visit: Visit) => visit.saved ?? visit.read;
  const isOverwritten = (write: Span) =>
    writes.some((other) => write.end < other.begin && other.end < begin);
  const start: Span = { begin: 0, end: 0 };
  const candidates = writes.filter((write) =>
    written(write) === read && write.begin < end
  );
  const spans: Span[] = read === 0 ? [start, ...candidates] : candidates;
  assert(
    spans.some((write) => !isOverwritten(write)),
    `${read} was read, and was overwritten before`,
  );
}

/** Lets many requests of one browser race, and checks what each of them read. */
async function raceOn(
  race: Race,
  jar: Jar,
  isWrite: (visit: Visit) => boolean,
): Promise<void> {
  // Where few save, none hides what became of another's.
  const saves = race.random.pick([0, 1, 1, 2, REQUESTS]);
  await race.run(Array.from({ length: REQUESTS }, async (_, index) => {
    await race.scheduler.delay(12);
    await race.visit(jar, index < saves);
  }));
  await race.read(jar);
  const writes = race.visits.filter(isWrite);
  for (const visit of race.visits) assertLast(visit, writes);
}

testAll("of saves that overlap the last one wins, whole", async (race) => {
  const jar = await race.begin();
  await raceOn(race, jar, ({ saved }) => saved !== undefined);
  assert(!race.visits.some(({ isRenewal }) => isRenewal));
});

testAll("requests that follow each other lose no update", async (race) => {
  const { random, session } = race;
  const visitors = Array.from({ length: 3 }, () => ({ value: "" }));
  const visit = withSession(session, async (_request, dict) => {
    const n = dict.n ?? 0;
    await race.scheduler.pause();
    dict.n = n + 1;
    dict.save();
    return new Response();
  });
  const counts = await race.run(visitors.map(async (jar) => {
    const count = random.integer(2, 8);
    for (let i = 0; i < count; i++) {
      if (random.chance(0.2)) race.time.advance(8 * DAY / count);
      const response = await visit(requestWith(`session=${jar.value}`));
      jar.value = cookieSetBy(response) ?? jar.value;
    }
    return count;
  }));
  const read = withSession(session, (_request, dict) => Response.json(dict.n));
  const found = await race.run(visitors.map(async ({ value }) => {
    const response = await read(requestWith(`session=${value}`));
    return await response.json();
  }));
  assertEquals(found, counts);
});

testCookies(
  "a renewal brings nothing back that was overwritten before it",
  async (race) => {
    const jar = await race.begin();
    race.time.advance(8 * DAY);
    // A renewal carries the data that it read: it is one more write.
    const isWrite = ({ saved, isRenewal }: Visit) =>
      saved !== undefined || isRenewal;
    await raceOn(race, jar, isWrite);
  },
);

testKv("a renewal that overlaps a save leaves what was saved", async (race) => {
  const jar = await race.begin();
  race.time.advance(8 * DAY);
  await raceOn(race, jar, ({ saved }) => saved !== undefined);
  const { exp } = await decode(race, jar);
  assertEquals(exp, race.time.clock() / 1000 + 14 * DAY);
});

for (const [name, end] of Object.entries(ENDINGS)) {
  testKv(
    `no save or renewal brings a session back that ${name} has ended`,
    async (race) => {
      const { scheduler, random } = race;
      const { value } = await race.begin(USER);
      if (random.chance(0.7)) race.time.advance(8 * DAY);
      const ending: Span = { begin: Infinity, end: Infinity };

      async function finish(): Promise<void> {
        await scheduler.delay(40);
        ending.begin = scheduler.now();
        await end(race, value);
        ending.end = scheduler.now();
      }

      async function visit(): Promise<void> {
        await scheduler.delay(40);
        try {
          await race.visit({ value }, random.chance(0.7));
        } catch (error) {
          assert(error instanceof Error);
          assertStringIncludes(error.message, ENDED);
          assert(
            ending.begin < scheduler.now(),
            "Nobody has ended the session",
          );
        }
      }

      await race.run([finish(), ...Array.from({ length: REQUESTS }, visit)]);
      for (const { begin, read } of race.visits) {
        if (begin > ending.end) assertEquals(read, undefined);
      }
      assertEquals((await race.read({ value })).read, undefined);
      const left = name === "login.loginUser()" ? 1 : 0;
      assertEquals(await race.count(), [left, left]);
    },
  );
}

testKv(
  "backend.removeUser() leaves other users' sessions alone",
  async (race) => {
    const mine = [await race.begin(USER), await race.begin(USER)];
    const other = await race.begin(OTHER_USER);
    const begun = race.scheduler.now();
    await race.run<unknown>([
      race.backend.removeUser(USER),
      ...mine.map((jar) => race.visit(jar, true).catch(() => {})),
      ...Array.from({ length: REQUESTS }, () => race.visit(other, true)),
    ]);
    for (const jar of mine) {
      assertEquals((await race.read(jar)).read, undefined);
    }
    const last = await race.read(other);
    const ids = await race.run([race.backend.userSessions(OTHER_USER)]);
    assertEquals(ids.flat().map(({ payload }) => payload.a), [last.read]);
    assert(last.begin > begun);
    assertEquals(await race.count(), [1, 1]);
  },
);

testKv(
  "backend.removeUser() ends the sessions that are being begun",
  async (race) => {
    const { backend, random } = race;
    const values: string[] = [];
    async function begin(): Promise<void> {
      try {
        values.push(await backend.save({ _user_id: USER }));
      } catch (error) {
        assert(error instanceof Error);
        assertStringIncludes(error.message, ENDED);
      }
    }
    const before = Array.from({ length: random.integer(1, 5) }, begin);
    await race.run([...before, backend.removeUser(USER)]);
    for (const value of values) {
      assertEquals(await race.run([Promise.try(() => backend.load(value))]), [
        null,
      ]);
    }
    assertEquals(await race.count(), [0, 0]);
    // From now on they may log in again.
    await race.run([begin()]);
    assertEquals(await race.count(), [1, 1]);
  },
  true,
);

async function decode(race: Race, { value }: Jar) {
  const [payload] = await race.run([race.session.decode(value)]);
  return payload;
}
