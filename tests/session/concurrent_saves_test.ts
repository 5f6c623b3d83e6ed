import { assert, assertEquals } from "@std/assert";
import { withSession } from "../../session.ts";
import { cookieSetBy, requestWith } from "../_helpers.ts";
import {
  type Jar,
  type Race,
  REQUESTS,
  type Span,
  testAll,
  testCookies,
  testKv,
  type Visit,
} from "./_race.ts";
import { DAY } from "./_visits.ts";

// On every backend the last save wins, and no record is torn or mixed of two.
// On kv, where the server holds the data, a renewal undoes no save either.

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
  const [{ exp }] = await race.run([race.session.decode(jar.value)]);
  assertEquals(exp, race.time.clock() / 1000 + 14 * DAY);
});
