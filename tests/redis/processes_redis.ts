/**
 * Several processes on one Redis; `deno task endings redis` counts for longer.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { countEndings } from "../../bench/endings.ts";

Deno.test("redis: of four processes none reads again what a session saved that any has ended", async () => {
  const count = await countEndings("redis", 400, 10);
  assertEquals(count.resurrected, 0);
  assertEquals(count.failures, {});
  assert(count.rounds > 50 && count.refused > 10, Deno.inspect(count));
});
