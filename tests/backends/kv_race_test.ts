/** Two requests at a time: the second happens at each moment of the first. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { KvBackend, Payload } from "../../backends/kv.ts";
import { NOW, SAVED } from "../_helpers.ts";
import { ENDED, interruptEach, type Outcome, TestKv } from "./_kv.ts";

const HOUR = 3600;
const CLAIMS = { _started: NOW, [SAVED]: NOW, exp: NOW + HOUR };

/** What a user's session may have been before it is saved as theirs. */
const BEFORE_LOGIN: [what: string, payload: Payload | undefined][] = [
  ["a new session", undefined],
  ["an anonymous session", { n: 1 }],
  ["the user's own session", { _user_id: 7, n: 1 }],
  ["another user's session", { _user_id: 8 }],
];

/** Ways to end the session of the user 7. */
const ENDINGS: Record<
  string,
  (backend: KvBackend, id: string) => Promise<unknown>
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

/** Sees that a session has ended, and that nothing of it is left for good. */
async function assertEnded(
  { ran, interrupted, store, backend }: Outcome<unknown>,
  id: string,
): Promise<void> {
  assertDoneOrEnded(ran);
  assertDoneOrEnded(interrupted);
  assertEquals(await backend.load(id), null);
  assertEquals(await backend.userSessions(7), []);
  assertEquals(await store.lastingEntries(), []);
}

for (const [name, end] of Object.entries(ENDINGS)) {
  const prepare = (backend: KvBackend) => backend.save({ _user_id: 7 });
  const save = (backend: KvBackend, id: string) =>
    backend.save({ _user_id: 7, n: 1 }, id);
  const renew = (backend: KvBackend, id: string) =>
    backend.renew(id, { ...CLAIMS });

  Deno.test(`kv: a save brings back no session that ${name} ends meanwhile`, async () => {
    await interruptEach({
      prepare,
      run: save,
      interrupt: end,
      check: (outcome) => assertEnded(outcome, outcome.begun),
    });
  });

  Deno.test(`kv: a renewal brings back no session that ${name} ends meanwhile`, async () => {
    await interruptEach({
      prepare,
      run: renew,
      interrupt: end,
      async check(outcome) {
        const { begun, ran, pause: { what, when } } = outcome;
        assert(ran.status === "fulfilled", "a renewal is never an error");
        const isRenewed = what === "commit" && when === "after";
        assertEquals(ran.value, isRenewed ? begun : null);
        await assertEnded(outcome, begun);
      },
    });
  });

  Deno.test(`kv: ${name} ends a session that is saved meanwhile`, async () => {
    await interruptEach({
      prepare,
      run: end,
      interrupt: save,
      check: (outcome) => assertEnded(outcome, outcome.begun),
    });
  });
}

for (const [what, before] of BEFORE_LOGIN) {
  Deno.test(`kv: removeUser() ends what began as ${what} and is being saved`, async () => {
    await interruptEach({
      prepare: async (backend) => before && await backend.save(before),
      run: (backend, id) => backend.save({ _user_id: 7 }, id),
      isFromAnswer: true,
      interrupt: (backend) => backend.removeUser(7),
      async check({ ran, begun, backend }) {
        assertDoneOrEnded(ran);
        assertEquals(await backend.userSessions(7), []);
        const id = isDone(ran) && "value" in ran ? `${ran.value}` : begun;
        const payload = await backend.load(id ?? "");
        assert(payload?._user_id !== 7);
      },
    });
  });
}

Deno.test("kv: removeUser() ends what is being saved for a second time", async () => {
  await interruptEach({
    prepare: (backend) => backend.removeUser(7),
    run: (backend) => backend.save({ _user_id: 7 }),
    isFromAnswer: true,
    interrupt: (backend) => backend.removeUser(7),
    async check({ ran, store, backend }) {
      assertDoneOrEnded(ran);
      assertEquals(await backend.userSessions(7), []);
      assertEquals(await store.lastingEntries(), []);
    },
  });
});

Deno.test("kv: removeUser() ends what was being saved when it was called", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const anonymous = await backend.save({ n: 1 });
  const known = await backend.save({ _user_id: 7 });
  const saves = [undefined, anonymous, known].map((previous) =>
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
});

Deno.test("kv: removeUser() of another user stops no save", async () => {
  await interruptEach({
    prepare: (backend) => backend.save({ n: 1 }),
    run: (backend, id) => backend.save({ _user_id: 7 }, id),
    interrupt: (backend) => backend.removeUser("7"),
    async check({ begun, ran, backend }) {
      assert(isDone(ran));
      assertEquals(await backend.load(begun), { _user_id: 7 });
    },
  });
});

Deno.test("kv: removeUser() that was long ago stops no save when it is forgotten", async () => {
  await interruptEach({
    prepare: (backend) => backend.removeUser(7),
    run: (backend) => backend.save({ _user_id: 7 }),
    interrupt: (_backend, _begun, store) => store.advance(24 * HOUR),
    async check({ ran, backend }) {
      assert(ran.status === "fulfilled");
      assertEquals(await backend.load(`${ran.value}`), { _user_id: 7 });
    },
  });
});

Deno.test("kv: removeUser() leaves a session that becomes another user's meanwhile", async () => {
  await interruptEach({
    prepare: (backend) => backend.save({ _user_id: 7 }),
    run: (backend) => backend.removeUser(7),
    interrupt: (backend, id) => backend.save({ _user_id: 8 }, id),
    async check({ begun, interrupted, backend }) {
      assertDoneOrEnded(interrupted);
      const left = isDone(interrupted) ? { _user_id: 8 } : null;
      assertEquals(await backend.load(begun), left);
      assertEquals((await backend.userSessions(8)).length, left ? 1 : 0);
    },
  });
});

Deno.test("kv: userSessions() lists no session that becomes another user's meanwhile", async () => {
  await interruptEach({
    prepare: (backend) => backend.save({ _user_id: 7 }),
    run: async (backend) =>
      (await backend.userSessions(7)).map(({ payload }) => payload._user_id),
    interrupt: (backend, id) => backend.save({ _user_id: 8 }, id),
    check({ ran }) {
      assert(ran.status === "fulfilled");
      assert(!String(ran.value).includes("8"));
      return Promise.resolve();
    },
  });
});

Deno.test("kv: of two saves the last one wins, whole and with its user", async () => {
  await interruptEach({
    prepare: (backend) => backend.save({ n: 1 }),
    run: (backend, id) => backend.save({ n: 3, _user_id: 7 }, id),
    interrupt: (backend, id) =>
      backend.save({ n: 2, other: true, _user_id: 8 }, id),
    async check({ begun, ran, interrupted, store, backend }) {
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
      await backend.remove(begun);
      assertEquals(await store.lastingEntries(), []);
    },
  });
});

Deno.test("kv: a renewal leaves alone what another request saves meanwhile", async () => {
  const saved = { n: 2, ...CLAIMS, exp: NOW + 3 * HOUR };
  await interruptEach({
    prepare: (backend) => backend.save({ n: 1, ...CLAIMS }),
    run: (backend, id) => backend.renew(id, { ...CLAIMS, exp: NOW + 2 * HOUR }),
    interrupt: (backend, id) => backend.save(saved, id),
    async check({ begun, ran, backend }) {
      assert(ran.status === "fulfilled");
      assertEquals(ran.value, begun);
      const payload = await backend.load(begun);
      assertEquals(payload?.n, 2);
      assert(Number(payload?.exp) >= NOW + 2 * HOUR);
    },
  });
});

Deno.test("kv: many saves at once leave one whole record", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ a: 0, b: 0 });
  const payloads = Array.from({ length: 40 }, (_, i) => {
    const n = i + 1;
    return { a: n, b: n, _user_id: n % 3 };
  });
  await Promise.all(payloads.map((payload) => backend.save(payload, id)));
  const last = await backend.load(id);
  assert(last !== null && last.a !== 0);
  assertEquals(last.a, last.b);
  const lists = await Promise.all(
    [0, 1, 2].map((user) => backend.userSessions(user)),
  );
  assertEquals(lists.flat().map(({ payload }) => payload), [last]);
  await backend.remove(id);
  assertEquals(await store.lastingEntries(), []);
});
