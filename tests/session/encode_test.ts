import { assertEquals, assertRejects } from "@std/assert";
import { type Payload, Session } from "../../mod.ts";
import {
  KEY,
  MemoryBackend,
  NOW,
  OTHER_KEY,
  requestWith,
  signToken,
  stoppedClock,
} from "../_helpers.ts";
import { newSession } from "./_visits.ts";

Deno.test("session.encode() makes a token of exactly the payload", async () => {
  const payload = { n: 1, exp: NOW + 60, iss: "me", save: "data" };
  const token = await newSession().encode(payload);
  assertEquals(token, await signToken(payload));
});

Deno.test("session.encode() takes another key", async () => {
  const session = newSession();
  const token = await session.encode({ n: 1 }, OTHER_KEY);
  assertEquals(token, await signToken({ n: 1 }, OTHER_KEY));
  assertEquals(await session.decode(token), {});
  assertEquals(await session.decode(token, OTHER_KEY), { n: 1 });
});

Deno.test("session.encode() and decode() with another key need none in the session", async () => {
  const session = new Session();
  const token = await session.encode({ n: 1 }, KEY);
  assertEquals(await session.decode(token, KEY), { n: 1 });
});

Deno.test("session.encode() rejects another key that is too short", async () => {
  await assertRejects(
    () => newSession().encode({ n: 1 }, "short"),
    RangeError,
    "secretKey",
  );
});

Deno.test("session.encode() rejects a payload that is too long for a cookie", async () => {
  await assertRejects(
    () => newSession().encode({ text: "x".repeat(4_096) }),
    RangeError,
    "4096",
  );
});

Deno.test("session.encode() and decode() go through the session's backend", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await session.encode({ n: 1 });
  assertEquals(backend.records.get(value), { n: 1 });
  assertEquals(await session.decode(value), { n: 1 });
});

Deno.test("session.encode() and decode() take no other key over a backend of one's own", async () => {
  const session = newSession({ backend: new MemoryBackend() });
  for (const key of [KEY, OTHER_KEY]) {
    await assertRejects(
      () => session.encode({ n: 1 }, key),
      TypeError,
      "the backend is an object",
    );
    await assertRejects(
      () => session.decode("value", key),
      TypeError,
      "the backend is an object",
    );
  }
});

Deno.test("session.decode() returns the whole payload, claims included", async () => {
  const payload = { n: 1, exp: NOW + 60, iss: "me", _started: NOW };
  const token = await signToken(payload);
  assertEquals(await newSession().decode(token), payload);
});

Deno.test("session.decode() returns {} for a value that is not valid", async () => {
  const session = newSession();
  const garbage = ["", "garbage", `${await signToken({ n: 1 })}A`];
  for (const value of garbage) assertEquals(await session.decode(value), {});
});

Deno.test("session.decode() returns {} for what is no string", async () => {
  const value = null as unknown as string;
  assertEquals(await newSession().decode(value), {});
});

Deno.test("session.decode() returns {} for a token whose exp has come", async () => {
  const token = await signToken({ n: 1, exp: NOW });
  assertEquals(await newSession().decode(token), {});
});

Deno.test("session.decode() returns {} for a store's record whose exp has come", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  backend.records.set("old", { n: 1, exp: NOW });
  backend.records.set("new", { n: 1, exp: NOW + 1 });
  assertEquals(await session.decode("old"), {});
  assertEquals(await session.decode("new"), { n: 1, exp: NOW + 1 });
});

Deno.test("session.decode() with another key holds a Fernet token to maxAge", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ backend: "fernet", clock, maxAge: 100 });
  const token = await session.encode({ n: 1 }, OTHER_KEY);
  advance(99);
  assertEquals(await session.decode(token, OTHER_KEY), { n: 1 });
  advance(2);
  assertEquals(await session.decode(token, OTHER_KEY), {});
});

for (
  const payload of [undefined, null, "text", 1, [1], new Map(), new Date()]
) {
  Deno.test(`session.encode() rejects ${Deno.inspect(payload)} for a payload`, async () => {
    await assertRejects(
      () => newSession().encode(payload as unknown as Payload),
      TypeError,
      "Cannot use payload",
    );
  });
}

Deno.test("session.encode() takes a dictionary", async () => {
  const session = newSession();
  const dict = await session.get(requestWith());
  dict.n = 1;
  assertEquals(await session.decode(await session.encode(dict)), { n: 1 });
});
