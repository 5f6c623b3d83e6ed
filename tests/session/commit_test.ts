import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { cookieSetBy, MemoryBackend, open, requestWith } from "../_helpers.ts";
import { dataOf, DAY, newSession, requestOf, savedAgo } from "./_visits.ts";

Deno.test("session.commit() writes what was saved", async () => {
  const session = newSession();
  const request = requestWith();
  const dict = await open(session, request);
  dict.n = 1;
  dict.save();
  const response = await session.commit(request, new Response("Hello"));
  assertEquals(response.headers.get("Vary"), "Cookie");
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("session.commit() twice sets the cookie once", async () => {
  const session = newSession();
  const request = requestWith();
  (await open(session, request)).save();
  const first = await session.commit(request, new Response("Hello"));
  const second = await session.commit(request, first);
  assertEquals(second.headers.getSetCookie().length, 1);
  assertEquals(second.headers.get("Vary"), "Cookie");
  assertEquals(await second.text(), "Hello");
});

Deno.test("session.commit() twice renews once", async () => {
  const backend = new MemoryBackend();
  const { session, value } = await savedAgo(8 * DAY, { backend });
  const request = requestOf(value);
  await open(session, request);
  const first = await session.commit(request, new Response("Hello"));
  const second = await session.commit(request, first);
  assertEquals(backend.previous, [undefined, value]);
  assertEquals(second.headers.getSetCookie().length, 1);
});

Deno.test("session.commit() saves by autoSave", async () => {
  const session = newSession({ autoSave: true });
  const request = requestWith();
  (await open(session, request)).n = 1;
  const response = await session.commit(request, new Response("Hello"));
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("session.commit() returns the same response where no session was read", async () => {
  const response = new Response("Hello");
  const request = requestWith("session=x");
  assertStrictEquals(await newSession().commit(request, response), response);
  assertEquals([...response.headers.keys()], ["content-type"]);
});

Deno.test("session.commit() rejects where a save did", async () => {
  const session = newSession();
  const request = requestWith();
  const dict = await open(session, request);
  dict.x = 10n;
  dict.save();
  await assertRejects(
    () => session.commit(request, new Response("Hello")),
    TypeError,
    '"x"',
  );
});
