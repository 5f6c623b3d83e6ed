import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import example from "../../examples/roles.ts";
import { locationOf } from "../_login.ts";
import { knowKeys } from "./_passwords.ts";
import { DAVID, SUSAN, Visitor } from "./_visitor.ts";

knowKeys();

const SCRIPT = { Accept: "application/json", "Sec-Fetch-Mode": "cors" };

/** Sees that a script is told why it gets no report. */
async function assertRefused(visitor: Visitor, status: number): Promise<void> {
  const response = await visitor.get("/api/report", SCRIPT);
  assertEquals(response.status, status);
  const type = response.headers.get("Content-Type");
  assertEquals(type, "application/problem+json");
  assertEquals((await response.json()).status, status);
}

Deno.test("roles.ts lets nobody in without a login", async () => {
  const visitor = new Visitor(example);
  const home = await visitor.get();
  assertEquals(locationOf(home), [302, "/login?next=%2F"]);
  assertEquals(locationOf(await visitor.get("/articles")), [302, "/"]);
  assertEquals(locationOf(await visitor.get("/admin")), [302, "/"]);
  const report = await visitor.get("/api/report");
  assertEquals(locationOf(report), [302, "/login?next=%2Fapi%2Freport"]);
  await assertRefused(visitor, 401);
  assertEquals((await visitor.get("/login")).status, 200);
  assertEquals((await visitor.get("/nowhere")).status, 404);
});

Deno.test("roles.ts lets an editor edit, not rule", async () => {
  const visitor = new Visitor(example);
  const wrong = await visitor.post("/login", { ...DAVID, password: "hello" });
  assertEquals(wrong.status, 401);
  await visitor.logIn(DAVID);
  const start = await visitor.page();
  assertStringIncludes(start, "david: editor<");
  assertStringIncludes(start, 'href="/articles"');
  assert(!/href="\/(admin|api)/.test(start), start);
  assertStringIncludes(await visitor.page("/articles"), "david edits.");
  assertEquals(locationOf(await visitor.get("/admin")), [302, "/"]);
  await assertRefused(visitor, 403);
});

Deno.test("roles.ts lets an admin rule until she logs out", async () => {
  const visitor = new Visitor(example);
  await visitor.logIn(SUSAN);
  assertStringIncludes(await visitor.page(), 'href="/admin"');
  assertStringIncludes(await visitor.page("/admin"), "susan rules.");
  const report = await visitor.get("/api/report", SCRIPT);
  assertEquals(await report.json(), { users: ["susan", "david"] });
  assertEquals(locationOf(await visitor.post("/logout")), [302, "/"]);
  await assertRefused(visitor, 401);
});
