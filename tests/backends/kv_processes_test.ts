import { assert, assertEquals } from "@std/assert";
import { kvBackend } from "../../backends/kv.ts";
import { countEndings } from "../../bench/endings.ts";
import { runDeno } from "../_processes.ts";

/** Reads two sessions, saves the first and begins another. */
const OTHER_PROCESS = `
import { kvBackend } from "./backends/kv.ts";
const [path, id, ended] = Deno.args;
using kv = await Deno.openKv(path);
const backend = kvBackend(kv);
const before = [await backend.load(id), await backend.load(ended)];
await backend.save({ _user_id: 7, n: 2 }, id);
const begun = await backend.save({ _user_id: 7, n: 0 });
console.log(JSON.stringify({ before, begun }));`;

Deno.test("kvBackend shows two processes on one file the same sessions", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/sessions.db`;
    using kv = await Deno.openKv(path);
    const backend = kvBackend(kv);
    const id = await backend.save({ _user_id: 7, n: 1 });
    const ended = await backend.save({ _user_id: 8 });
    await backend.removeUser(8);

    const args = ["eval", "--no-check", OTHER_PROCESS, path, id, ended];
    const { code, stdout, stderr } = await runDeno(args);
    assertEquals(code, 0, stderr);
    const { before, begun } = JSON.parse(stdout);

    assertEquals(before, [{ _user_id: 7, n: 1 }, null]);
    assertEquals(await backend.load(id), { _user_id: 7, n: 2 });
    assertEquals(await backend.load(begun), { _user_id: 7, n: 0 });
    await backend.removeUser(7);
    assertEquals(await backend.load(id), null);
    assertEquals(await backend.load(begun), null);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("kv: of four processes none reads again what a session saved that any has ended", async () => {
  const count = await countEndings("kv", 24, 5);
  assertEquals(count.resurrected, 0);
  assert(count.rounds > 8 && count.refused > 8, Deno.inspect(count));
});
