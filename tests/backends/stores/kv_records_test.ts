/**
 * How long a database keeps what is stored, and how long a write is tried. The
 * database of these tests deletes each value as soon as it may.
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { NOW, SAVED } from "../../_helpers.ts";
import { ENDED, TestKv } from "../_kv.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const CLAIMS = { _started: NOW, [SAVED]: NOW, exp: NOW + HOUR };

Deno.test("the store keeps a session and its user until it expires, and not for good", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ _user_id: 7, ...CLAIMS });
  await store.advance(HOUR - 1);
  assertEquals(await backend.load(id), { _user_id: 7, ...CLAIMS });
  assertEquals((await backend.userSessions(7)).length, 1);
  await store.advance(1);
  assertEquals(await backend.load(id), null);
  assertEquals(await backend.userSessions(7), []);
  await store.advance(HOUR);
  assertEquals(await store.entries(), []);
});

Deno.test("the store lets a request save the session that it read just before it expired", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ _user_id: 7, ...CLAIMS });
  await store.advance(HOUR + MINUTE - 1);
  const payload = { _user_id: 7, ...CLAIMS, exp: NOW + 2 * HOUR };
  assertEquals(await backend.save(payload, id), id);
  assertEquals(await backend.load(id), payload);
  assertEquals((await backend.userSessions(7)).length, 1);
});

Deno.test("the store keeps a session without exp for ever", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ _user_id: 7 });
  await store.advance(100 * YEAR);
  assertEquals(await backend.load(id), { _user_id: 7 });
  assertEquals((await backend.userSessions(7)).length, 1);
});

Deno.test("the store keeps a session that is renewed, and its user, as much longer", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ _user_id: 7, ...CLAIMS });
  const exp = NOW + 2 * HOUR;
  await backend.renew(id, { ...CLAIMS, exp });
  await store.advance(2 * HOUR - 1);
  assertEquals(await backend.load(id), { _user_id: 7, ...CLAIMS, exp });
  assertEquals((await backend.userSessions(7)).length, 1);
  await store.advance(HOUR);
  assertEquals(await store.entries(), []);
});

Deno.test("the store remembers a removeUser() for longer than any save takes, and not for good", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  // After the first answer, and before what was asked for then.
  const removal = async () => {
    await backend.removeUser(7);
    assertEquals(await store.lastingEntries(), []);
    await store.advance(10 * MINUTE);
  };
  store.hookAt(1, removal, true);
  const saving = backend.save({ _user_id: 7 });
  await assertRejects(() => saving, Error, ENDED);
  assertEquals(await backend.userSessions(7), []);
  await store.advance(DAY);
  assertEquals(await store.entries(), []);
});

/** Saves a session again and again, just before others write it. */
function overtake(store: TestKv, id: string, most = Infinity) {
  const backend = store.backend();
  const others = { saves: 0 };
  store.hook = async ({ when, what }) => {
    const isDue = when === "before" && what === "commit";
    if (!isDue || others.saves === most) return;
    await backend.save({ n: ++others.saves }, id);
  };
  return others;
}

Deno.test("a save wins in the end though 99 other requests are faster", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ n: 0 });
  const others = overtake(store, id, 99);
  await backend.save({ mine: true }, id);
  assertEquals(others.saves, 99);
  assertEquals(await backend.load(id), { mine: true });
});

Deno.test("a write gives up with an error where other requests are always faster", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ n: 0 });
  const writes = [
    () => backend.save({ mine: true }, id),
    () => backend.remove(id),
  ];
  for (const write of writes) {
    const others = overtake(store, id);
    const error = await assertRejects(write, Error, "requests were faster");
    assertStringIncludes(error.message, ` ${others.saves} times`);
    assert(others.saves >= 100);
    assertEquals(await backend.load(id), { n: others.saves });
  }
});
