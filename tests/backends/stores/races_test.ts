/** Two requests at a time: the second happens at each moment of the first. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { StoreBackend } from "../../../backends/store.ts";
import { NOW, SAVED } from "../../_helpers.ts";
import { type Outcome, testRaces, testStores } from "../_stores.ts";
import { ENDED } from "../_test_store.ts";

const HOUR = 3600;
const CLAIMS = { _started: NOW, [SAVED]: NOW, exp: NOW + HOUR };

/** Ways to end the session of the user 7. */
const ENDINGS: Record<
  string,
  (backend: StoreBackend, id: string) => Promise<unknown>
> = {
  "remove()": (backend, id) => backend.remove(id),
  "removeUser()": (backend) => backend.removeUser(7),
  "removeUserSession()": async (backend) => {
    for (const { key } of await backend.userSessions(7)) {
      await backend.removeUserSession(7, key);
    }
  },
};

const isDone = ({ status }: PromiseSettledResult<unknown>) =>
  status === "fulfilled";

/** Sees that something was done, or refused because the session has ended. */
function assertDoneOrEnded(result: PromiseSettledResult<unknown>): void {
  if (result.status === "rejected") {
    assertStringIncludes(result.reason.message, ENDED);
  }
}

/** Sees that a session has ended, and that nothing of it is left. */
async function assertEnded(
  { ran, interrupted, backend }: Outcome<unknown>,
  id: string,
): Promise<void> {
  assertDoneOrEnded(ran);
  assertDoneOrEnded(interrupted);
  assertEquals(await backend.load(id), null);
  assertEquals(await backend.userSessions(7), []);
}

for (const [name, end] of Object.entries(ENDINGS)) {
  const prepare = (backend: StoreBackend) => backend.save({ _user_id: 7 });
  const save = (backend: StoreBackend, id: string) =>
    backend.save({ _user_id: 7, n: 1 }, id);

  testRaces(`a save brings back no session that ${name} ends meanwhile`, {
    prepare,
    run: save,
    interrupt: end,
    check: (outcome) => assertEnded(outcome, outcome.begun),
  });

  testRaces(`a renewal brings back no session that ${name} ends meanwhile`, {
    prepare,
    run: (backend, id) => backend.renew(id, { ...CLAIMS }),
    interrupt: end,
    async check(outcome) {
      const { begun, ran } = outcome;
      assert(ran.status === "fulfilled", "a renewal is never an error");
      assert([begun, null].includes(ran.value as string));
      await assertEnded(outcome, begun);
    },
  });

  testRaces(`${name} ends a session that is saved meanwhile`, {
    prepare,
    run: end,
    interrupt: save,
    check: (outcome) => assertEnded(outcome, outcome.begun),
  });
}

for (const times of [1, 2]) {
  testRaces(`removeUser() ends what is being begun, for time ${times}`, {
    async prepare(backend) {
      if (times === 2) await backend.removeUser(7);
    },
    run: (backend) => backend.save({ _user_id: 7 }),
    isFromAnswer: true,
    interrupt: (backend) => backend.removeUser(7),
    async check({ ran, store, backend }) {
      assertDoneOrEnded(ran);
      assertEquals(await backend.userSessions(7), []);
      if (isDone(ran) && "value" in ran) {
        assertEquals(await backend.load(`${ran.value}`), null);
      }
      assertEquals(await store.lastingEntries(), []);
    },
  });
}

testStores(
  "removeUser() ends what was being saved when it was called",
  async (store) => {
    const backend = store.backend();
    const known = await backend.save({ _user_id: 7 });
    const saves = [undefined, known, known].map((previous) =>
      backend.save({ _user_id: 7 }, previous)
    );
    const results = Promise.allSettled(saves);
    await backend.removeUser(7);
    for (const result of await results) {
      assertDoneOrEnded(result);
      if (result.status === "fulfilled") {
        assertEquals(await backend.load(result.value), null);
      }
    }
    assertEquals(await backend.userSessions(7), []);
  },
);

testRaces("removeUser() of another user stops no save", {
  prepare: (backend) => backend.save({ n: 1 }),
  run: (backend, id) => backend.save({ _user_id: 7 }, id),
  interrupt: (backend) => backend.removeUser("7"),
  async check({ begun, ran, backend }) {
    assert(isDone(ran));
    assertEquals(await backend.load(begun), { _user_id: 7 });
  },
});

testRaces("removeUser() that was long ago stops no save when it is forgotten", {
  prepare: (backend) => backend.removeUser(7),
  run: (backend) => backend.save({ _user_id: 7 }),
  interrupt: (_backend, _begun, store) => store.advance(24 * HOUR),
  async check({ ran, backend }) {
    assert(ran.status === "fulfilled");
    assertEquals(await backend.load(`${ran.value}`), { _user_id: 7 });
  },
});

testStores(
  "removeUser() is remembered for longer than any save takes, and not for good",
  async (store) => {
    const backend = store.backend();
    // After the first answer, and before what was asked for then.
    const removal = async () => {
      await backend.removeUser(7);
      assertEquals(await store.lastingEntries(), []);
      await store.advance(HOUR / 6);
    };
    store.hookAt(1, removal, true);
    const [result] = await Promise.allSettled([backend.save({ _user_id: 7 })]);
    assert(result.status === "rejected");
    assertDoneOrEnded(result);
    assertEquals(await backend.userSessions(7), []);
    await store.advance(24 * HOUR);
    assertEquals(await store.entries(), []);
  },
);

testRaces(
  "userSessions() lists no session that becomes another user's meanwhile",
  {
    prepare: (backend) => backend.save({ _user_id: 7 }),
    run: async (backend) =>
      (await backend.userSessions(7)).map(({ payload }) => payload._user_id),
    interrupt: (backend, id) => backend.save({ _user_id: 8 }, id),
    check({ ran }) {
      assert(ran.status === "fulfilled");
      assert(!String(ran.value).includes("8"));
      return Promise.resolve();
    },
  },
);

testRaces("of two saves the last one wins, whole and with its user", {
  prepare: (backend) => backend.save({ n: 1 }),
  run: (backend, id) => backend.save({ n: 3, _user_id: 7 }, id),
  interrupt: (backend, id) =>
    backend.save({ n: 2, other: true, _user_id: 8 }, id),
  async check({ begun, ran, interrupted, backend }) {
    assert(isDone(ran) && isDone(interrupted));
    const payload = await backend.load(begun);
    const [user, other] = payload?.n === 3 ? [7, 8] : [8, 7];
    assertEquals(
      payload,
      user === 7 ? { n: 3, _user_id: 7 } : { n: 2, other: true, _user_id: 8 },
    );
    const sessions = await backend.userSessions(user);
    assertEquals(sessions.map(({ payload }) => payload), [payload]);
    assertEquals(await backend.userSessions(other), []);
  },
});

testRaces("a renewal leaves alone what another request saves meanwhile", {
  prepare: (backend) => backend.save({ n: 1, ...CLAIMS }),
  run: (backend, id) => backend.renew(id, { ...CLAIMS, exp: NOW + 2 * HOUR }),
  interrupt: (backend, id) =>
    backend.save({ n: 2, ...CLAIMS, exp: NOW + 3 * HOUR }, id),
  async check({ begun, ran, backend }) {
    assert(ran.status === "fulfilled");
    assertEquals(ran.value, begun);
    const payload = await backend.load(begun);
    assertEquals(payload?.n, 2);
    assert(Number(payload?.exp) >= NOW + 2 * HOUR);
  },
});

testStores(
  "a renewal gives up where saves always come in between",
  async (store) => {
    const backend = store.backend();
    const id = await backend.save({ n: 0, ...CLAIMS });
    let n = 0;
    store.hook = ({ when, what }) => {
      // After each read; whoever saves has renewed the session too.
      const isRead = when === "after" && ["get", "GET"].includes(what);
      return isRead ? backend.save({ n: ++n, ...CLAIMS }, id) : undefined;
    };
    const renewed = await backend.renew(id, { exp: NOW + 2 * HOUR });
    store.hook = undefined;
    assertEquals(await backend.load(id), { n, ...CLAIMS });
    assertEquals(renewed, null);
  },
);
