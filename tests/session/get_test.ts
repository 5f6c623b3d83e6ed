import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import { withSession } from "../../mod.ts";
import {
  KEY,
  MemoryBackend,
  NOW,
  OTHER_KEY,
  requestWith,
  signToken,
} from "../_helpers.ts";
import { dataOf, newSession, storeOf, valueWith } from "./_visits.ts";

/** Cookie values that are no session, made from one that is. */
const GARBAGE: Record<string, (token: string) => string | Promise<string>> = {
  "an empty value": () => "",
  "a word": () => "garbage",
  "two dots": () => "..",
  "a wrong MAC": (token) => token.slice(0, -43) + "A".repeat(43),
  "a MAC of another key": () => signToken({ n: 1 }, OTHER_KEY),
  "no MAC": (token) => token.slice(0, -43),
  "no MAC and no dot": (token) => token.slice(0, -44),
  "a payload that was changed": (token) => {
    const [header, , mac] = token.split(".");
    return `${header}.${encodeBase64Url('{"n":2}')}.${mac}`;
  },
  "a header of alg none": (token) =>
    `${encodeBase64Url('{"alg":"none"}')}.${token.split(".")[1]}.`,
  "a signed header of another alg": () =>
    signToken({ n: 1 }, KEY, '{"alg":"none","typ":"JWT"}'),
  "quotes around the token": (token) => `"${token}"`,
  "a percent-encoded dot": (token) => token.replace(".", "%2E"),
  "padding after the token": (token) => `${token}=`,
  "bytes outside of ASCII": () => "\xE9\xFF",
  "a value of 60 KB": () => "x".repeat(61_440),
  "a payload that is no JSON": () => signToken("{"),
  "a payload that is an array": () => signToken([1]),
  "a payload that is null": () => signToken(null),
  "a payload that is a string": () => signToken('"n"'),
  "an exp that has come": () => signToken({ n: 1, exp: NOW }),
  "an exp that is a string": () => signToken({ n: 1, exp: `${NOW + 60}` }),
  "an exp that is null": () => signToken({ n: 1, exp: null }),
  "an nbf more than a minute ahead": () => signToken({ n: 1, nbf: NOW + 61 }),
  "an iat more than a minute ahead": () => signToken({ n: 1, iat: NOW + 61 }),
};

/** `a`, `b`: valid; `x1` and so on: garbage. */
const SEVERAL: [cookies: string, expected: string | undefined][] = [
  ["a a", "a"],
  ["a x1", "a"],
  ["x1 a", "a"],
  ["x1 x2 x3 a", "a"],
  ["x1 x1 x1 x1 a a", "a"],
  ["a a x1 a", "a"],
  ["a b", undefined],
  ["b x1 a", undefined],
  ["x1 x2", undefined],
  ["x1 x2 x3 x4 a", undefined],
];

Deno.test("session.get() returns an empty session without a cookie", async () => {
  assertEquals({ ...await newSession().get(requestWith()) }, {});
});

Deno.test("session.get() returns an empty session when only other cookies are there", async () => {
  const session = newSession();
  const value = await valueWith(session, { n: 1 });
  const dict = await session.get(requestWith(`session2=${value}; a=b`));
  assertEquals({ ...dict }, {});
});

Deno.test("session.get() returns the data that were saved", async () => {
  const session = newSession();
  const data = { n: 1, s: "ü", list: [1, { a: null }], yes: true };
  assertEquals(await dataOf(session, await valueWith(session, data)), data);
});

for (const [what, make] of Object.entries(GARBAGE)) {
  Deno.test(`session.get() returns an empty session for ${what}`, async () => {
    const value = await make(await valueWith(newSession(), { n: 1 }));
    assertEquals(await dataOf(newSession(), value), {});
  });
}

Deno.test("session.get() returns a session until the second before exp", async () => {
  const value = await signToken({ n: 1, exp: NOW + 1 });
  assertEquals(await dataOf(newSession(), value), { n: 1 });
});

Deno.test("session.get() returns a session whose iat and nbf are within clock skew", async () => {
  const value = await signToken({ n: 1, iat: NOW + 60, nbf: NOW + 60 });
  assertEquals(await dataOf(newSession(), value), { n: 1 });
});

Deno.test("session.get() rejects for what is no Request", async () => {
  const request = { headers: new Headers() } as Request;
  await assertRejects(() => newSession().get(request), TypeError, "Request");
});

// Once per request

Deno.test("session.get() decodes nothing before it is called", async () => {
  const backend = new MemoryBackend();
  const handler = newSession({ backend }).wrap(() => new Response("Hello"));
  await handler(requestWith("session=id1"));
  assertEquals(backend.loaded, []);
});

Deno.test("session.get() decodes once per request, and returns one object", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const request = requestWith("session=id1");
  const [first, second] = await Promise.all([
    session.get(request),
    session.get(request),
  ]);
  assertStrictEquals(first, second);
  assertStrictEquals(await session.get(request), first);
  assertEquals(backend.loaded, ["id1"]);
});

Deno.test("session.get() returns the object that withSession() passes", async () => {
  const session = newSession();
  const handler = withSession(session, async (request, dict) => {
    assertStrictEquals(await session.get(request), dict);
    return new Response("Hello");
  });
  await handler(requestWith());
});

Deno.test("session.get() returns another object for another request", async () => {
  const session = newSession();
  const value = await valueWith(session, { list: [1] });
  const first = await session.get(requestWith(`session=${value}`));
  first.list.push(2);
  assertEquals(await dataOf(session, value), { list: [1] });
});

Deno.test("session.get() tries again after a read that failed", async () => {
  let reads = 0;
  const load = () =>
    ++reads === 1
      ? Promise.reject(new Error("store is down"))
      : Promise.resolve({ n: 1 });
  const session = newSession({ backend: storeOf(null, { load }) });
  const request = requestWith("session=id");
  await assertRejects(() => session.get(request), Error, "store is down");
  assertEquals((await session.get(request)).n, 1);
});

// Several cookies

for (const [cookies, expected] of SEVERAL) {
  Deno.test(`session.get() finds ${expected ?? "nobody"} in the cookies ${cookies}`, async () => {
    const tokens: Record<string, string> = {
      a: await signToken({ name: "a" }),
      b: await signToken({ name: "b" }),
    };
    const header = cookies.split(" ").map((name) =>
      `session=${tokens[name] ?? name}`
    ).join("; ");
    // Once with an empty cache of tokens, and once with a full one.
    const session = newSession();
    for (let i = 0; i < 2; i++) {
      const dict = await session.get(requestWith(header));
      assertEquals(dict.name, expected);
    }
  });
}

Deno.test("session.get() takes the only valid one of two cookies, not an expired one", async () => {
  const backend = new MemoryBackend();
  backend.records.set("old", { n: 1, exp: NOW });
  backend.records.set("new", { n: 2, exp: NOW + 1 });
  const request = requestWith("session=old; session=new");
  assertEquals((await newSession({ backend }).get(request)).n, 2);
});

Deno.test("dict.save() updates the session that was found among several", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await valueWith(session, { n: 1 });
  const handler = withSession(session, (_request, dict) => {
    dict.n++;
    dict.save();
    return new Response("Hello");
  });
  await handler(requestWith(`session=forged; session=${value}`));
  assertEquals(backend.previous, [undefined, value]);
  assertEquals(backend.records.get(value)?.n, 2);
});
