/** What Deno KV is asked for, and what else may be found there. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { kvBackend } from "../../backends/kv.ts";
import { TestKv } from "./_kv.ts";

/** What somebody else may have written where a record is. */
const FOREIGN_VALUES: [what: string, value: unknown][] = [
  ["text", '{"n":1}'],
  ["an object", { n: 1 }],
  ["invalid UTF-8", new Uint8Array([0x7B, 0x22, 0xC0, 0x22, 0x3A, 0x31, 0x7D])],
];

for (const [what, value] of FOREIGN_VALUES) {
  Deno.test(`kvBackend takes ${what} in the place of a record for no session`, async () => {
    using store = await TestKv.open();
    const backend = store.backend();
    const id = await backend.save({ n: 1 });
    await store.spoilWith(value);
    assertEquals(await backend.load(id), null);
    assertEquals(await backend.renew(id, { n: 2 }), null);
    await backend.remove(id);
    assertEquals(await store.entries(), []);
  });
}

Deno.test("kvBackend takes any exp, and 65,536 bytes, though Deno KV has limits of its own", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = kvBackend(kv);
  backend.useClock(() => 0);
  for (const exp of [0, -1e300, 0.1, 2 ** 53, 1e300]) {
    const id = await backend.save({ exp });
    assertEquals(await backend.load(id), exp > 0 ? { exp } : null);
  }
  const payload = { text: "x".repeat(65_536 - '{"text":""}'.length) };
  assertEquals(await backend.load(await backend.save(payload)), payload);
});

Deno.test("kvBackend passes on that the database is closed", async () => {
  const kv = await Deno.openKv(":memory:");
  const backend = kvBackend(kv);
  const id = await backend.save({ n: 1 });
  kv.close();
  const calls = [
    async () => await backend.load(id),
    () => backend.save({ n: 2 }, id),
    () => backend.remove(id),
    () => backend.removeUser(7),
  ];
  for (const call of calls) await assertRejects(call, Deno.errors.BadResource);
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

Deno.test("kvBackend.save() wins in the end though 99 other processes are faster", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ n: 0 });
  const others = overtake(store, id, 99);
  await backend.save({ mine: true }, id);
  assertEquals(others.saves, 99);
  assertEquals(await backend.load(id), { mine: true });
});

Deno.test("kvBackend.save() gives up where other processes are always faster, and remove() does not", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ n: 0 });
  const others = overtake(store, id);
  await assertRejects(
    () => backend.save({ mine: true }, id),
    Error,
    "Cannot write session: other processes were faster 100 times",
  );
  assert(others.saves >= 100);
  assertEquals(await backend.load(id), { n: others.saves });
  await backend.remove(id);
  assertEquals(await backend.load(id), null);
});
