import { assert, assertEquals } from "@std/assert";
import { countEndings } from "../../bench/endings.ts";
import { storeBackend } from "../../backends/store.ts";
import { SqliteStore } from "../../examples/sqlite.ts";
import { storeTests } from "../../helpers/testing.ts";
import { Served } from "../_processes.ts";
import { Visitor } from "./_visitor.ts";

async function openStores() {
  const directory = await Deno.makeTempDir();
  const [store, other] = [1, 2].map(() =>
    new SqliteStore(`${directory}/sessions.db`)
  );
  const close = async () => {
    store[Symbol.dispose]();
    other[Symbol.dispose]();
    await Deno.remove(directory, { recursive: true });
  };
  return { store, other, close };
}

for (const { name, run } of storeTests(openStores)) {
  Deno.test(`sqlite: ${name}`, run);
}

Deno.test("sqlite.ts deletes what has expired", () => {
  using store = new SqliteStore(":memory:");
  store.set("a", { text: "1", user: "susan", expiresIn: 0 });
  store.set("b", { text: "2", user: "susan", expiresIn: 60_000 });
  assertEquals(store.keysOf("susan"), ["b"]);
});

Deno.test("sqlite.ts: 200 saves of one session at once: none fails, and the last one wins", async () => {
  using store = new SqliteStore(":memory:");
  const backend = storeBackend(store);
  const id = await backend.save({ n: 0 });
  await Promise.all(
    Array.from({ length: 200 }, (_, i) => backend.save({ n: i + 1 }, id)),
  );
  assertEquals(await backend.load(id), { n: 200 });
});

Deno.test("sqlite.ts counts a visitor's requests to two processes on one file", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const env = { PORT: "0", SQLITE_PATH: `${directory}/sessions.db` };
    const args = ["run", "--no-prompt", "--allow-all", "examples/sqlite.ts"];
    await using one = await Served.start(args, { env });
    await using two = await Served.start(args, { env });
    let cookie: string | undefined;
    for (let n = 1; n <= 6; n++) {
      const visitor = new Visitor(n % 2 ? one.origin : two.origin);
      visitor.take("session", cookie);
      assertEquals(JSON.parse(await visitor.page("/")), { n });
      cookie = visitor.cookie();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("sqlite.ts: of four processes none reads again what a session saved that any has ended", async () => {
  const count = await countEndings("sqlite", 32, 10);
  assertEquals(count.resurrected, 0);
  assertEquals(count.failures, {});
  assert(count.rounds > 8 && count.refused > 8, Deno.inspect(count));
});
