import { assertEquals } from "@std/assert";
import { Tries } from "../../examples/_tries.ts";
import { stoppedClock } from "../_helpers.ts";

Deno.test("Tries gives each key its tries, and new ones after the time", () => {
  const { clock, advance } = stoppedClock();
  const tries = new Tries({ most: 2, seconds: 60, clock });
  const take = (key: string) => [1, 2, 3].map(() => tries.take(key));
  assertEquals(take("susan"), [true, true, false]);
  assertEquals(take("david"), [true, true, false]);
  advance(59);
  assertEquals(tries.take("susan"), false);
  advance(1);
  assertEquals(take("susan"), [true, true, false]);
});

Deno.test("Tries gives back the tries of a key", () => {
  const tries = new Tries({ most: 1 });
  assertEquals([tries.take("a"), tries.take("a")], [true, false]);
  tries.forget("a");
  assertEquals([tries.take("a"), tries.take("a")], [true, false]);
});

Deno.test("Tries takes long keys for one that begin alike", () => {
  const tries = new Tries({ most: 1 });
  assertEquals(tries.take("x".repeat(100)), true);
  assertEquals(tries.take("x".repeat(1_000_000)), false);
});

Deno.test("Tries forgets the key that was not tried for longest of 10,001", () => {
  const tries = new Tries({ most: 1 });
  for (let i = 0; i < 10_000; i++) tries.take(`${i}`);
  assertEquals(tries.take("0"), false);
  tries.take("one more");
  assertEquals(tries.take("0"), false);
  assertEquals(tries.take("1"), true);
});
