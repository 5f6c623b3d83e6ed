import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { type Payload, withSession } from "../../mod.ts";
import {
  captureErrors,
  cookieSetBy,
  MemoryBackend,
  NOW,
  payloadOf,
  requestWith,
  SAVED,
  signToken,
  stoppedClock,
} from "../_helpers.ts";
import {
  dataOf,
  DAY,
  newSession,
  requestOf,
  savedAgo,
  storeOf,
  visit,
} from "./_visits.ts";

/** A record of which more than half of 100 seconds has passed. */
const DUE: Payload = {
  n: 1,
  _started: NOW - 80,
  [SAVED]: NOW - 80,
  exp: NOW + 20,
};

Deno.test("a session is not renewed up to half of its maxAge", async () => {
  const { session, value } = await savedAgo(50, { maxAge: 100 });
  const response = await visit(session, () => {}, { value });
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("a session is renewed when it is read past half of its maxAge", async () => {
  const { session, value } = await savedAgo(51, { maxAge: 100 });
  const response = await visit(session, () => {}, { value });
  const payload = payloadOf(cookieSetBy(response));
  const { n, _started, exp, [SAVED]: saved } = payload;
  assertEquals([n, _started, saved, exp], [1, NOW, NOW + 51, NOW + 151]);
  assertEquals(response.headers.get("Cache-Control"), "no-store");
});

Deno.test("a renewed session lives on past its first maxAge", async () => {
  const { session, value: first, advance } = await savedAgo(0, { maxAge: 100 });
  let value: string | undefined = first;
  for (let i = 0; i < 5; i++) {
    advance(80);
    assertEquals(await dataOf(session, value), { n: 1 });
    value = cookieSetBy(await visit(session, () => {}, { value }));
  }
});

Deno.test("a session is not renewed when it is not read", async () => {
  const { session, value } = await savedAgo(80, { maxAge: 100 });
  const handler = session.wrap(() => new Response("Hello"));
  const response = await handler(requestWith(`session=${value}`));
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("a session is not renewed when it has expired", async () => {
  const { session, value } = await savedAgo(101, { maxAge: 100 });
  const response = await visit(session, () => {}, { value });
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("a session is not renewed when the handler throws", async () => {
  const backend = new MemoryBackend();
  const { session, value } = await savedAgo(80, { backend, maxAge: 100 });
  const fail = () => {
    throw new Error("broken");
  };
  await assertRejects(() => visit(session, fail, { value }), Error, "broken");
  assertEquals(backend.previous.length, 1);
});

Deno.test("renewal does not save what was not to be saved", async () => {
  const { session, value } = await savedAgo(80, { maxAge: 100 }, { list: [1] });
  const response = await visit(session, (dict) => {
    dict.list.push(2);
    dict.n = 1;
  }, { value });
  assertEquals(await dataOf(session, cookieSetBy(response)), { list: [1] });
});

Deno.test("dict.save() renews too, with one cookie", async () => {
  const { session, value } = await savedAgo(80, { maxAge: 100 });
  const response = await visit(session, (dict) => {
    dict.n++;
    dict.save();
  }, { value });
  assertEquals(response.headers.getSetCookie().length, 1);
  const payload = payloadOf(cookieSetBy(response));
  const { n, _started, exp, [SAVED]: saved } = payload;
  assertEquals([n, _started, saved, exp], [2, NOW, NOW + 80, NOW + 180]);
});

// Foreign tokens

Deno.test("a foreign token without exp and iat is not renewed", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock });
  const value = await signToken({ n: 1 });
  advance(1_000 * DAY);
  const response = await visit(session, () => {}, { value });
  assertEquals(response.headers.getSetCookie(), []);
});

for (const claims of [{ iat: NOW }, { exp: NOW + 100 }]) {
  const [name] = Object.keys(claims);
  Deno.test(`a foreign token with ${name} alone is renewed past half of maxAge`, async () => {
    const { clock, advance } = stoppedClock();
    const session = newSession({ clock, maxAge: 100 });
    const value = await signToken({ n: 1, ...claims });
    advance(50);
    const early = await visit(session, () => {}, { value });
    assertEquals(early.headers.getSetCookie(), []);
    advance(1);
    const late = await visit(session, () => {}, { value });
    const { n, exp } = payloadOf(cookieSetBy(late));
    assertEquals([n, exp], [1, NOW + 151]);
  });
}

Deno.test("a foreign token whose exp is later than a renewal's is not renewed", async () => {
  const session = newSession({ maxAge: 100 });
  const value = await signToken({ n: 1, iat: NOW - 60, exp: NOW + 101 });
  const response = await visit(session, () => {}, { value });
  assertEquals(response.headers.getSetCookie(), []);
});

// Stores

Deno.test("renewal without renew() saves the record that is there, under its value", async () => {
  const backend = new MemoryBackend();
  const { session, value } = await savedAgo(80, { backend, maxAge: 100 });
  const response = await visit(session, () => {
    // Another request saves meanwhile.
    backend.records.set(value, { ...backend.records.get(value), n: 2 });
  }, { value });
  assertEquals(backend.previous, [undefined, value]);
  assertEquals(cookieSetBy(response), value);
  const { n, _started, exp } = backend.records.get(value) ?? {};
  assertEquals([n, _started, exp], [2, NOW, NOW + 180]);
});

Deno.test("renewal without renew() brings back no session that has ended meanwhile", async () => {
  const backend = new MemoryBackend();
  const { session, value } = await savedAgo(80, { backend, maxAge: 100 });
  const end = () => void backend.records.delete(value);
  const response = await visit(session, end, { value });
  assertEquals(response.headers.getSetCookie(), []);
  assertEquals(backend.records.size, 0);
});

Deno.test("renewal by renew() saves nothing", async () => {
  const renewed: [string, unknown, unknown][] = [];
  const backend = storeOf(DUE, {
    save: () => Promise.reject(new Error("Nothing is to be saved")),
    renew: (value, { _started, exp }) => {
      renewed.push([value, _started, exp]);
      return Promise.resolve("id");
    },
  });
  const session = newSession({ backend, maxAge: 100 });
  const response = await visit(session, () => {}, { value: "id" });
  assertEquals(renewed, [["id", NOW - 80, NOW + 100]]);
  assertEquals(cookieSetBy(response), "id");
});

for (const [what, value] of [["nothing", null], ["4,090 characters", "x"]]) {
  Deno.test(`renewal sets no cookie where renew() returns ${what}`, async () => {
    const renewed = value && value.repeat(4_090);
    const backend = storeOf(DUE, { renew: () => Promise.resolve(renewed) });
    const session = newSession({ backend, maxAge: 100 });
    const response = await visit(session, () => {}, { value: "id" });
    assertEquals(response.headers.getSetCookie(), []);
    assertEquals(await response.text(), "Hello");
  });
}

Deno.test("renewal sets no cookie where a foreign token would become too long", async () => {
  const text = "x".repeat(2_960);
  const value = await signToken({ text, exp: NOW + 10 });
  const session = newSession({ maxAge: 100 });
  assertEquals(await dataOf(session, value), { text });
  const response = await visit(session, () => {}, { value });
  assertEquals(response.headers.getSetCookie(), []);
  assertEquals(await response.text(), "Hello");
});

Deno.test("renewal that fails is logged, and the page is served", async () => {
  const failure = new Error("store is down");
  const backend = storeOf(DUE, { save: () => Promise.reject(failure) });
  const session = newSession({ backend, maxAge: 100 });
  using log = captureErrors();
  const response = await visit(session, () => {}, { value: "id" });
  assertEquals(await response.text(), "Hello");
  assertEquals(response.headers.getSetCookie(), []);
  const [[error]] = log.lines;
  assert(error instanceof Error);
  assertEquals(log.lines.length, 1);
  assertStringIncludes(error.message, "Cannot renew session");
  assertStrictEquals(error.cause, failure);
});

Deno.test("renewal sets no cookie of characters that a cookie can't hold", async () => {
  const backend = storeOf(DUE, {
    save: () => Promise.resolve("x; Domain=evil.example"),
  });
  using log = captureErrors();
  const session = newSession({ backend, maxAge: 100 });
  const response = await visit(session, () => {}, { value: "id" });
  assertEquals(response.headers.getSetCookie(), []);
  assertEquals(log.lines.length, 1);
});

for (const [when, seconds] of [["due", 60], ["not due", 0]] as const) {
  Deno.test(`a wrapper whose renewal is ${when} leaves the cookie that a copy of its request has set`, async () => {
    const { session, value } = await savedAgo(seconds, { maxAge: 100 });
    const save = session.wrap(async (request) => {
      const dict = await session.get(request);
      dict.n = 2;
      dict.save();
      return new Response("Hello");
    });
    const request = requestOf(value);
    const handler = withSession(session, () => save(new Request(request)));
    const saved = cookieSetBy(await handler(request));
    assertEquals(await dataOf(session, saved), { n: 2 });
  });
}
