/** Many saves of one session at a time. */

import { assert, assertEquals } from "@std/assert";
import { storeBackend } from "../../../backends/store.ts";
import { countCalls } from "../../_tokens.ts";
import { changed, MemoryStore } from "../_memory.ts";
import { testStores } from "../_stores.ts";

testStores(
  "200 saves of one session at once: none fails, and the last one wins",
  async (store) => {
    const backend = store.backend();
    const id = await backend.save({ _user_id: 7, n: 0 });
    const saves = Array.from(
      { length: 200 },
      (_, i) => backend.save({ _user_id: 7, n: i + 1 }, id),
    );
    assertEquals(new Set(await Promise.all(saves)), new Set([id]));
    assertEquals(await backend.load(id), { _user_id: 7, n: 200 });
  },
);

testStores(
  "200 saves of one session at once by two servers leave one whole record",
  async (store) => {
    const backends = [store.backend(), store.backend()];
    const id = await backends[0].save({ a: 0, b: 0 });
    await Promise.all(Array.from({ length: 200 }, (_, i) => {
      const n = i + 1;
      return backends[i % 2].save({ a: n, b: n }, id);
    }));
    const { a, b } = await backends[0].load(id) ?? {};
    assertEquals(a, b);
    assert([199, 200].includes(Number(a)));
  },
);

Deno.test("of 200 renewals at once one is written, and none fails", async () => {
  const store = new MemoryStore();
  let writes = 0;
  const backend = storeBackend(changed(store, {
    replace(...args) {
      const isReplaced = store.replace(...args);
      if (isReplaced) writes++;
      return Promise.resolve(isReplaced);
    },
  }));
  const id = await backend.save({ n: 1 });
  const claims = { _saved: 1, exp: 1e10 };
  const renewals = Array.from({ length: 200 }, () => backend.renew(id, claims));
  assertEquals(new Set(await Promise.all(renewals)), new Set([id]));
  assertEquals(writes, 1);
  assertEquals(await backend.load(id), { n: 1, ...claims });
});

Deno.test("the id of a session that comes often is hashed once", async () => {
  const backend = storeBackend(new MemoryStore());
  const id = await backend.save({ n: 0 });
  const visit = async () => {
    await backend.load(id);
    await backend.save({ n: 1 }, id);
  };
  assertEquals(await countCalls(visit, "digest"), 0);
});

Deno.test("of saves that wait for one another the last alone is written", async () => {
  const store = new MemoryStore();
  const { promise, resolve } = Promise.withResolvers<void>();
  const written: string[] = [];
  const backend = storeBackend(changed(store, {
    async replace(key, record) {
      await promise;
      written.push(record.text);
      return store.replace(key, record);
    },
  }));
  const id = await backend.save({ n: 0 });
  const saves = [1, 2, 3, 4].map((n) => backend.save({ n }, id));
  resolve();
  assertEquals(await Promise.all(saves), Array(4).fill(id));
  assertEquals(written, ['{"n":1}', '{"n":4}']);
  await backend.save({ n: 5 }, id);
  assertEquals(await backend.load(id), { n: 5 });
});

Deno.test("a save that waited for one that failed is done", async () => {
  const store = new MemoryStore();
  let isBroken = true;
  const backend = storeBackend(changed(store, {
    replace(key, record) {
      if (isBroken) {
        isBroken = false;
        throw new Error("The disk is full");
      }
      return store.replace(key, record);
    },
  }));
  const id = await backend.save({ n: 0 });
  const [first, second] = await Promise.allSettled([
    backend.save({ n: 1 }, id),
    backend.save({ n: 2 }, id),
  ]);
  assertEquals([first.status, second.status], ["rejected", "fulfilled"]);
  assertEquals(await backend.load(id), { n: 2 });
});
