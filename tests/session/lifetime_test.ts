import { assertEquals, assertRejects } from "@std/assert";
import {
  cookieSetBy,
  NOW,
  payloadOf,
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
  valueWith,
  visit,
} from "./_visits.ts";

Deno.test("session.get() enforces maxAge through exp", async () => {
  const { session, value, advance } = await savedAgo(99, { maxAge: 100 });
  assertEquals(payloadOf(value).exp, NOW + 100);
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

Deno.test("session.get() ends a session of 14 days by default", async () => {
  const { session, value, advance } = await savedAgo(1_209_599);
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

Deno.test("session.get() ends older sessions when maxAge is lowered", async () => {
  const { session, value, advance } = await savedAgo(99);
  session.initialize({ maxAge: 100 });
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

Deno.test("session.get() accepts a foreign token without exp for ever", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock });
  const value = await signToken({ n: 1 });
  advance(1_000 * DAY);
  assertEquals(await dataOf(session, value), { n: 1 });
});

Deno.test("dict.save() gives a foreign token exp and _started", async () => {
  const value = await signToken({ n: 1 });
  const response = await visit(
    newSession(),
    (dict) => void dict.save(),
    { value },
  );
  const payload = payloadOf(cookieSetBy(response));
  const { n, _started, exp, [SAVED]: saved } = payload;
  assertEquals([n, _started, saved, exp], [1, NOW, NOW, NOW + 14 * DAY]);
});

Deno.test("dict.save() again keeps the start of a new session", async () => {
  const { clock, advance } = stoppedClock();
  const response = await visit(newSession({ clock }), async (dict) => {
    await dict.save();
    advance(10);
    await dict.save();
  });
  const { _started, [SAVED]: saved } = payloadOf(cookieSetBy(response));
  assertEquals([_started, saved], [NOW, NOW + 10]);
});

// absoluteMaxAge

Deno.test("absoluteMaxAge refuses a foreign token without exp", async () => {
  const session = newSession({ absoluteMaxAge: 1_000 });
  assertEquals(await dataOf(session, await signToken({ n: 1 })), {});
  const value = await signToken({ n: 1, iat: NOW, _started: NOW });
  assertEquals(await dataOf(session, value), {});
});

Deno.test("absoluteMaxAge refuses a foreign token that tells no start", async () => {
  const session = newSession({ absoluteMaxAge: 1_000 });
  const value = await signToken({ n: 1, exp: NOW + 60 });
  assertEquals(await dataOf(session, value), {});
});

Deno.test("absoluteMaxAge ends a session however active it is", async () => {
  const { session, value: first, advance } = await savedAgo(0, {
    maxAge: 100,
    absoluteMaxAge: 150,
  });
  let value = first;
  for (const seconds of [60, 60]) {
    advance(seconds);
    const response = await visit(session, (dict) => {
      assertEquals(dict.n, 1);
      dict.save();
    }, { value });
    value = cookieSetBy(response) ?? "";
    assertEquals(payloadOf(value)._started, NOW);
    assertEquals(payloadOf(value).exp, NOW + 150);
  }
  advance(29);
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

Deno.test("absoluteMaxAge counts from a start that renewal keeps", async () => {
  const { session, value } = await savedAgo(60, {
    maxAge: 100,
    absoluteMaxAge: 150,
  });
  const renewed = cookieSetBy(await visit(session, () => {}, { value }));
  assertEquals(payloadOf(renewed)._started, NOW);
  assertEquals(payloadOf(renewed).exp, NOW + 150);
});

Deno.test("absoluteMaxAge leaves nothing to renew in the end", async () => {
  const { session, value, advance } = await savedAgo(60, {
    maxAge: 100,
    absoluteMaxAge: 150,
  });
  const renewed = cookieSetBy(await visit(session, () => {}, { value }));
  advance(80);
  const response = await visit(session, () => {}, { value: renewed });
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("absoluteMaxAge holds for sessions from before it was set", async () => {
  const { session, value, advance } = await savedAgo(149);
  session.initialize({ absoluteMaxAge: 150 });
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

for (const way of ["renewal", "dict.save()"]) {
  Deno.test(`absoluteMaxAge counts from the iat of a foreign token, which ${way} keeps`, async () => {
    const { clock, advance } = stoppedClock();
    const session = newSession({ clock, maxAge: 100, absoluteMaxAge: 150 });
    const value = await signToken({ n: 1, iat: NOW, exp: NOW + 100 });
    advance(60);
    const response = await visit(session, (dict) => {
      assertEquals(dict.n, 1);
      if (way === "dict.save()") dict.save();
    }, { value });
    const payload = payloadOf(cookieSetBy(response));
    assertEquals([payload._started, payload.exp], [NOW, NOW + 150]);
  });
}

for (const time of [NaN, Infinity, "1700000000000", 1n, null, undefined]) {
  Deno.test(`session.get() and dict.save() reject a clock that tells ${Deno.inspect(time)}`, async () => {
    const value = await valueWith(newSession(), { n: 1 });
    const session = newSession({ clock: () => time as number });
    for (
      const call of [
        () => session.get(requestOf(value)),
        () => visit(session, (dict) => dict.save()),
      ]
    ) {
      await assertRejects(call, TypeError, "Cannot use clock");
    }
  });
}
