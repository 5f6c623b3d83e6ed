import { assertEquals } from "@std/assert";
import counter from "../../examples/counter.ts";
import { attributesOf, lineOf } from "../_helpers.ts";
import { assertCounts, Visitor } from "./_visitor.ts";

Deno.test("counter.ts counts each visitor's requests", async () => {
  for (const visitor of [new Visitor(counter), new Visitor(counter)]) {
    await assertCounts(visitor, "/");
  }
});

Deno.test("counter.ts sets a cookie that scripts can't read", async () => {
  const response = await new Visitor(counter).get();
  assertEquals(attributesOf(lineOf(response)), [
    "HttpOnly",
    "Path=/",
    "SameSite=Lax",
  ]);
});
