import {
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { Session, type SessionDict, withSession } from "../../mod.ts";
import {
  cookieSetBy,
  KEY,
  MemoryBackend,
  OTHER_KEY,
  requestWith,
  signToken,
  stoppedClock,
} from "../_helpers.ts";
import { dataOf, DAY, newSession, valueWith, visit } from "./_visits.ts";

const CALLS: Record<string, (session: Session) => Promise<unknown>> = {
  "session.get()": (session) => session.get(requestWith()),
  "session.encode()": (session) => session.encode({ n: 1 }),
  "session.decode()": (session) => session.decode("x"),
  "withSession()": (session) =>
    withSession(session, () => new Response("Hello"))(requestWith()),
};

for (const [what, call] of Object.entries(CALLS)) {
  Deno.test(`${what} rejects without a secret key`, async () => {
    await assertRejects(() => call(new Session()), TypeError, "secretKey");
  });
}

Deno.test("dict.save() rejects without a secret key", async () => {
  const session = new Session({ backend: new MemoryBackend() });
  const save = (dict: SessionDict) => {
    session.initialize({ backend: "jwt" });
    return dict.save();
  };
  await assertRejects(() => visit(session, save), TypeError, "secretKey");
});

Deno.test("session.get() needs no secret key for a store of its own", async () => {
  const session = new Session({ backend: new MemoryBackend() });
  assertEquals(await dataOf(session, await valueWith(session, { n: 1 })), {
    n: 1,
  });
});

Deno.test("session.secretKey can be set later", async () => {
  const session = new Session();
  assertEquals(session.secretKey, undefined);
  session.secretKey = KEY;
  assertEquals(session.secretKey, KEY);
  assertEquals(await dataOf(session, await signToken({ n: 1 })), { n: 1 });
});

Deno.test("session.secretKey throws for a bad key, and keeps the old", async () => {
  const session = newSession();
  assertThrows(() => session.secretKey = "short", RangeError, "secretKey");
  assertEquals(session.secretKey, KEY);
  assertEquals(await session.encode({ n: 1 }), await signToken({ n: 1 }));
});

Deno.test("session.secretKey takes a string, its bytes or a CryptoKey alike", async () => {
  const bytes = new TextEncoder().encode(KEY);
  const cryptoKey = await crypto.subtle.importKey(
    "raw",
    bytes,
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  );
  const token = await signToken({ n: 1 });
  for (const secretKey of [KEY, bytes, cryptoKey]) {
    const session = newSession({ secretKey });
    assertEquals(await session.encode({ n: 1 }), token);
    assertEquals(await dataOf(session, token), { n: 1 });
  }
});

// Copies of what was given

Deno.test("session.secretKey is not changed by later writes to its bytes", async () => {
  const secretKey = new TextEncoder().encode(KEY);
  const session = newSession({ secretKey });
  secretKey.fill(0);
  const token = await signToken({ n: 1 });
  assertEquals(await session.encode({ n: 1 }), token);
  session.initialize({ maxAge: 60 });
  assertEquals(await session.encode({ n: 1 }), token);
});

Deno.test("session.secretKey is not changed by later writes to its list", async () => {
  const secretKey = [KEY];
  const session = newSession({ secretKey });
  secretKey[0] = OTHER_KEY;
  session.initialize({ maxAge: 60 });
  assertEquals(session.secretKey, [KEY]);
  assertEquals(await session.encode({ n: 1 }), await signToken({ n: 1 }));
});

// Rotation

Deno.test("session.get() accepts a token of each of four keys", async () => {
  const old = ["2", "3", "4"].map((digit) => digit.repeat(32));
  const session = newSession({ secretKey: [KEY, ...old] });
  for (const key of [KEY, ...old]) {
    assertEquals(await dataOf(session, await signToken({ key }, key)), { key });
  }
});

Deno.test("dict.save() re-issues a session of an old key with the first", async () => {
  const session = newSession({ secretKey: [KEY, OTHER_KEY] });
  const value = await signToken({ n: 1 }, OTHER_KEY);
  const response = await visit(session, (dict) => void dict.save(), { value });
  const saved = cookieSetBy(response)!; // it was saved
  assertEquals((await session.decode(saved, KEY)).n, 1);
  assertEquals(await session.decode(saved, OTHER_KEY), {});
});

Deno.test("renewal re-issues a session of an old key with the first", async () => {
  const { clock, advance } = stoppedClock();
  const old = newSession({ secretKey: OTHER_KEY, clock });
  const value = await valueWith(old, { n: 1 });
  const session = newSession({ secretKey: [KEY, OTHER_KEY], clock });
  advance(8 * DAY);
  const renewed = cookieSetBy(await visit(session, () => {}, { value }));
  assertEquals(await dataOf(newSession({ clock }), renewed), { n: 1 });
});

Deno.test("session.secretKey forgets the tokens of a key that was replaced", async () => {
  const session = newSession();
  const value = await valueWith(session, { n: 1 });
  assertNotEquals(await dataOf(session, value), {});
  session.secretKey = OTHER_KEY;
  assertEquals(await dataOf(session, value), {});
});

Deno.test("session.secretKey forgets the tokens of a key that left the list", async () => {
  const session = newSession({ secretKey: [KEY, OTHER_KEY] });
  const value = await signToken({ n: 1 }, OTHER_KEY);
  assertEquals(await dataOf(session, value), { n: 1 });
  session.secretKey = [KEY];
  assertEquals(await dataOf(session, value), {});
});
