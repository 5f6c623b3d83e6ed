import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withSession } from "../../session.ts";
import { requestWith } from "../_helpers.ts";
import { type KvRace, REQUESTS, type Span, testKv } from "./_race.ts";
import { DAY } from "./_visits.ts";

// What has ended on the server stays so, whoever saves or renews meanwhile.

const USER = 1;
const OTHER_USER = 2;
const ENDED = "it was ended by another request";

/** How a session can be ended, by the name of what does it. */
const ENDINGS: Record<string, (race: KvRace, value: string) => Promise<void>> =
  {
    "dict.delete()": async ({ session }, value) => {
      const handler = withSession(session, async (_request, dict) => {
        await dict.delete();
        return new Response();
      });
      await handler(requestWith(`session=${value}`));
    },
    "login.loginUser()": async ({ login }, value) => {
      await login.loginUser(requestWith(`session=${value}`), { id: USER });
    },
    "backend.removeUser()": ({ backend }) => backend.removeUser(USER),
    "backend.removeUserSession()": async ({ backend }) => {
      for (const { key } of await backend.userSessions(USER)) {
        await backend.removeUserSession(USER, key);
      }
    },
  };

for (const [name, end] of Object.entries(ENDINGS)) {
  testKv(
    `no save or renewal brings a session back that ${name} has ended`,
    async (race) => {
      const { scheduler, random } = race;
      const { value } = await race.beginAs(USER);
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
          await race.visit({ value }, random.chance(0.5));
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
    const mine = [await race.beginAs(USER), await race.beginAs(USER)];
    const other = await race.beginAs(OTHER_USER);
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
