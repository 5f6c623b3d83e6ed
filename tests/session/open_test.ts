import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { Session, type SessionDict } from "../../mod.ts";
import {
  cookieSetBy,
  MemoryBackend,
  requestWith,
  signToken,
} from "../_helpers.ts";
import { dataOf, newSession, requestOf, storeOf } from "./_visits.ts";

/** Saves a number. */
function put(dict: SessionDict, n: number): void {
  dict.n = n;
  dict.save();
}

Deno.test("session.open() returns what session.get() returns, before and after it", async () => {
  const session = newSession();
  const request = requestOf(await signToken({ n: 1 }));
  const before = await session.get(request);
  const dict = await session.open(request);
  assertStrictEquals(dict, before);
  assertStrictEquals(await session.get(request), dict);
  assertEquals({ ...dict } as unknown, { n: 1 });
});

Deno.test("session.open() twice opens one session", async () => {
  const session = newSession();
  const request = requestWith();
  const dict = await session.open(request);
  assertStrictEquals(await session.open(request), dict);
  put(dict, 1);
  const response = await session.commit(request, new Response("Hello"));
  assertEquals(response.headers.getSetCookie().length, 1);
});

Deno.test("session.open() lets what session.get() returned be saved", async () => {
  const session = newSession();
  const request = requestWith();
  const dict = await session.get(request);
  await session.open(request);
  put(dict, 1);
  const response = await session.commit(request, new Response("Hello"));
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("session.open() returns an empty session for a cookie that is not taken", async () => {
  const dict = await newSession().open(requestOf("garbage"));
  assertEquals({ ...dict }, {});
});

Deno.test("session.open() rejects without a secret key, and may be tried again", async () => {
  const session = new Session();
  const request = requestWith();
  await assertRejects(() => session.open(request), TypeError, "secretKey");
  session.initialize({ backend: new MemoryBackend() });
  put(await session.open(request), 1);
});

Deno.test("session.open() rejects for what is no Request", async () => {
  const request = { headers: new Headers() } as Request;
  await assertRejects(() => newSession().open(request), TypeError, "Request");
});

Deno.test("session.open() passes on that the store is down", async () => {
  const load = () => Promise.reject(new Error("store is down"));
  const session = newSession({ backend: storeOf(null, { load }) });
  await assertRejects(
    () => session.open(requestOf("id")),
    Error,
    "store is down",
  );
});

Deno.test("session.open() below a wrapper leaves it to the wrapper to send", async () => {
  const session = newSession();
  const handler = session.wrap(async (request) => {
    put(await session.open(request), 1);
    return new Response("Hello");
  });
  const response = await handler(requestWith());
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("session.commit() below a wrapper is not the end", async () => {
  const session = newSession();
  const handler = session.wrap(async (request) => {
    const dict = await session.open(request);
    put(dict, 1);
    const response = await session.commit(request, new Response("Hello"));
    assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
    put(dict, 2);
    return response;
  });
  const response = await handler(requestWith());
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 2 });
});

Deno.test("session.commit() around a wrapper sets the cookie once", async () => {
  const session = newSession();
  const request = requestWith();
  await session.open(request);
  const handler = session.wrap(async (request) => {
    put(await session.get(request), 1);
    return new Response("Hello");
  });
  const response = await session.commit(request, await handler(request));
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("session.open() after session.commit() begins with the request's cookie anew", async () => {
  const session = newSession();
  const request = requestOf(await signToken({ n: 1 }));
  const first = await session.open(request);
  put(first, 2);
  await session.commit(request, new Response("Hello"));
  const second = await session.open(request);
  assert(second !== first);
  assertEquals(second.n, 1);
  put(second, 3);
  const response = await session.commit(request, new Response("Hello"));
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 3 });
});

Deno.test("session.open() of one session opens no other", async () => {
  const [session, other] = ["a", "b"].map((cookieName) =>
    newSession({ cookieName })
  );
  const request = requestWith();
  put(await session.open(request), 1);
  put(await other.open(request), 2);
  const response = await other.commit(
    request,
    await session.commit(request, new Response("Hello")),
  );
  const names = response.headers.getSetCookie().map((line) => line[0]);
  assertEquals(names.sort(), ["a", "b"]);
});
