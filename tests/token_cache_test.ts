import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import { jwtBackend } from "../backends/jwt.ts";
import {
  MAX_CACHED_TOKENS,
  TokenCache,
} from "../backends/tokens/token_cache.ts";
import { Session } from "../session.ts";
import { Random } from "./_random.ts";
import {
  countVerifications,
  forgeToken,
  KEY,
  NOW,
  OTHER_KEY,
  otherSpellings,
} from "./_tokens.ts";

/** Claims, and the times in seconds at which they hold or do not. */
const MOVING_CLOCKS: [
  what: string,
  claims: Record<string, number>,
  steps: [now: number, holds: boolean][],
][] = [
  ["exp", { exp: NOW + 100 }, [
    [NOW, true],
    [NOW + 99.999, true],
    [NOW + 100, false],
    [NOW + 1e9, false],
    [NOW + 99, true],
    [NOW + 101, false],
    [NOW - 1e9, true],
  ]],
  ["nbf", { nbf: NOW }, [
    [NOW, true],
    [NOW - 60, true],
    [NOW - 60.001, false],
    [NOW + 1e9, true],
    [NOW - 1e9, false],
    [NOW, true],
  ]],
  ["iat", { iat: NOW }, [
    [NOW, true],
    [NOW - 60, true],
    [NOW - 61, false],
    [NOW + 1e9, true],
    [NOW - 1e9, false],
    [NOW, true],
  ]],
];

function fullCache(): TokenCache {
  const cache = new TokenCache();
  for (let n = 0; n < MAX_CACHED_TOKENS; n++) cache.set(`token${n}`, `${n}`);
  return cache;
}

function makeBackend() {
  return jwtBackend({ secretKey: KEY, clock: () => NOW * 1000 });
}

function makeSession() {
  return new Session({ secretKey: KEY, clock: () => NOW * 1000 });
}

function requestWith(token: string): Request {
  const headers = { Cookie: `session=${token}` };
  return new Request("http://localhost/", { headers });
}

Deno.test("TokenCache holds 1,024 tokens", () => {
  assertStrictEquals(MAX_CACHED_TOKENS, 1024);
  const cache = fullCache();
  for (let n = 0; n < MAX_CACHED_TOKENS; n++) {
    assertStrictEquals(cache.get(`token${n}`), `${n}`);
  }
});

Deno.test("TokenCache.get() returns undefined for a token it does not know", () => {
  const cache = fullCache();
  for (const token of ["", "token", "token1024", "__proto__", "constructor"]) {
    assertStrictEquals(cache.get(token), undefined);
  }
});

Deno.test("TokenCache.set() drops the oldest token beyond the bound", () => {
  const cache = fullCache();
  cache.set("one", "1");
  cache.set("two", "2");
  assertStrictEquals(cache.get("token0"), undefined);
  assertStrictEquals(cache.get("token1"), undefined);
  assertStrictEquals(cache.get("token2"), "2");
  assertStrictEquals(cache.get("one"), "1");
  assertStrictEquals(cache.get("two"), "2");
});

Deno.test("TokenCache.set() replaces the text of a token and drops none", () => {
  const cache = fullCache();
  cache.set("token5", "new");
  assertStrictEquals(cache.get("token5"), "new");
  assertStrictEquals(cache.get("token0"), "0");
});

Deno.test("TokenCache.set() refreshes a token it knows", () => {
  const cache = fullCache();
  cache.set("token0", "new");
  cache.set("one", "1");
  assertStrictEquals(cache.get("token0"), "new");
  assertStrictEquals(cache.get("token1"), undefined);
});

Deno.test("TokenCache.get() refreshes a token", () => {
  const cache = fullCache();
  cache.get("token0");
  cache.set("one", "1");
  assertStrictEquals(cache.get("token0"), "0");
  assertStrictEquals(cache.get("token1"), undefined);
});

Deno.test("TokenCache.get() refreshes the newest token too", () => {
  const cache = fullCache();
  const newest = `token${MAX_CACHED_TOKENS - 1}`;
  cache.get(newest);
  cache.get("token0");
  cache.get(newest);
  for (let n = 0; n < MAX_CACHED_TOKENS - 1; n++) cache.set(`new${n}`, "");
  assertStrictEquals(cache.get("token0"), undefined);
  assertNotEquals(cache.get(newest), undefined);
});

Deno.test("TokenCache.delete() forgets a token", () => {
  const cache = fullCache();
  cache.delete("token5");
  assertStrictEquals(cache.get("token5"), undefined);
  assertStrictEquals(cache.get("token4"), "4");
});

Deno.test("TokenCache.delete() forgets the newest token", () => {
  const cache = fullCache();
  cache.set("one", "1");
  cache.delete("one");
  assertStrictEquals(cache.get("one"), undefined);
  cache.set("one", "2");
  assertStrictEquals(cache.get("one"), "2");
});

Deno.test("TokenCache.delete() makes room for another token", () => {
  const cache = fullCache();
  cache.delete("token5");
  cache.set("one", "1");
  assertStrictEquals(cache.get("token0"), "0");
});

Deno.test("TokenCache.delete() ignores a token it does not know", () => {
  const cache = fullCache();
  cache.delete("one");
  assertStrictEquals(cache.get("token0"), "0");
});

Deno.test("TokenCache agrees with a plain list over 20,000 random steps", () => {
  const random = new Random(1);
  const cache = new TokenCache();
  let list: { token: string; text: string }[] = []; // The newest last.
  for (let step = 0; step < 20_000; step++) {
    const token = `token${random.integer(0, 1500)}`;
    const known = list.find((entry) => entry.token === token);
    const others = () => list.filter((entry) => entry !== known);
    switch (random.integer(0, 9)) {
      case 0:
        cache.delete(token);
        list = others();
        break;
      case 1:
      case 2:
      case 3:
      case 4:
        cache.set(token, `${step}`);
        list = [...others(), { token, text: `${step}` }].slice(-1024);
        break;
      default:
        assertStrictEquals(cache.get(token), known?.text, `step ${step}`);
        if (known !== undefined) list = [...others(), known];
    }
  }
  assert(list.length > 1000, "The bound was never reached");
});

Deno.test("jwtBackend.load() verifies a token once", async () => {
  const backend = makeBackend();
  const token = await forgeToken();
  const count = await countVerifications(async () => {
    for (let n = 0; n < 5; n++) await backend.load(token);
  });
  assertStrictEquals(count, 1);
});

Deno.test("jwtBackend.load() does not verify a token that was just made", async () => {
  const backend = makeBackend();
  const token = await backend.save({ n: 1 });
  const count = await countVerifications(async () => {
    assertEquals(await backend.load(token), { n: 1 });
  });
  assertStrictEquals(count, 0);
});

Deno.test("jwtBackend.load() remembers no token that it refused", async () => {
  const backend = makeBackend();
  const tokens = await Promise.all([
    forgeToken({ key: OTHER_KEY }),
    forgeToken({ header: '{"alg":"none"}' }),
    forgeToken({ payload: "[]" }),
    forgeToken({ payload: '{"exp":1}' }),
    forgeToken({ payload: '{"exp":"x"}' }),
  ]);
  for (const token of tokens) {
    const count = await countVerifications(async () => {
      for (let n = 0; n < 3; n++) {
        assertStrictEquals(await backend.load(token), null);
      }
    });
    assertStrictEquals(count, 3);
  }
});

Deno.test("jwtBackend.load() remembers the whole token, not its signature", async () => {
  const backend = makeBackend();
  const token = await backend.save({ n: 1 });
  const [header, payload, mac] = token.split(".");
  const [, otherPayload] = (await backend.save({ n: 2 })).split(".");
  assertEquals(await backend.load(token), { n: 1 });
  const others = [
    `${header}.${otherPayload}.${mac}`,
    `${payload}.${header}.${mac}`,
    `${token}.`,
    `${token}=`,
    ...otherSpellings(token),
  ];
  for (const other of others) {
    assertStrictEquals(await backend.load(other), null, other);
  }
});

Deno.test("jwtBackend.load() shares its memory with no other backend", async () => {
  const token = await makeBackend().save({ n: 1 });
  const other = jwtBackend({ secretKey: OTHER_KEY });
  assertStrictEquals(await other.load(token), null);
  const count = await countVerifications(() => makeBackend().load(token));
  assertStrictEquals(count, 1);
});

Deno.test("jwtBackend.load() remembers 1,024 tokens, the least recently used one going first", async () => {
  const backend = makeBackend();
  const first = await backend.save({ n: -1 });
  const second = await backend.save({ n: -2 });
  for (let n = 0; n < 1022; n++) await backend.save({ n });
  const warm = await countVerifications(async () => {
    assertEquals(await backend.load(first), { n: -1 });
  });
  assertStrictEquals(warm, 0);
  await backend.save({ n: 1022 });
  const refreshed = await countVerifications(() => backend.load(first));
  assertStrictEquals(refreshed, 0);
  const forgotten = await countVerifications(async () => {
    assertEquals(await backend.load(second), { n: -2 });
  });
  assertStrictEquals(forgotten, 1);
});

Deno.test("jwtBackend.load() gives each reader data of its own", async () => {
  const backend = makeBackend();
  const payload = { n: 1, cart: [{ sku: "a" }], user: { name: "Susan" } };
  const text = JSON.stringify(payload);
  const token = await forgeToken({ payload: text });
  for (let read = 0; read < 4; read++) {
    const data = await backend.load(token) as Partial<typeof payload>;
    assertEquals(JSON.stringify(data), text, `read ${read}`);
    data.cart?.push({ sku: "b" });
    Object.assign(data.user ?? {}, { isAdmin: true });
    delete data.n;
    Object.assign(data, { exp: 1, isAdmin: true });
  }
});

Deno.test("jwtBackend.load() is not reached by edits of what was saved", async () => {
  const backend = makeBackend();
  const payload = { n: 1, cart: [{ sku: "a" }] };
  const saving = backend.save(payload);
  payload.cart.push({ sku: "b" });
  const token = await saving;
  payload.n = 2;
  assertEquals(await backend.load(token), { n: 1, cart: [{ sku: "a" }] });
});

Deno.test("Session.get() gives each request data of its own", async () => {
  const session = makeSession();
  const token = await session.encode({ cart: [{ sku: "a" }] });
  for (let read = 0; read < 3; read++) {
    const dict = await session.get(requestWith(token));
    assertEquals({ ...dict }, { cart: [{ sku: "a" }] }, `read ${read}`);
    dict.cart.push({ sku: "b" });
    dict.cart[0].sku = "c";
    dict.isAdmin = true;
  }
});

Deno.test("jwtBackend.remove() forgets a token", async () => {
  const backend = makeBackend();
  const token = await backend.save({ n: 1 });
  await backend.remove?.(token);
  const count = await countVerifications(async () => {
    assertEquals(await backend.load(token), { n: 1 });
  });
  assertStrictEquals(count, 1);
});

Deno.test("SessionDict.delete() forgets the session's token", async () => {
  const session = makeSession();
  const token = await session.encode({ n: 1 });
  const request = requestWith(token);
  const dict = await session.get(request);
  await dict.delete();
  await session.commit(request, new Response());
  const count = await countVerifications(() => session.decode(token));
  assertStrictEquals(count, 1);
});

for (const [what, claims, steps] of MOVING_CLOCKS) {
  Deno.test(`jwtBackend.load() checks ${what} of a token it remembers`, async () => {
    let now = NOW;
    const backend = jwtBackend({ secretKey: KEY, clock: () => now * 1000 });
    const token = await backend.save(claims);
    const count = await countVerifications(async () => {
      for (const [time, holds] of steps) {
        now = time;
        const expected = holds ? claims : null;
        assertEquals(await backend.load(token), expected, `at ${time}`);
      }
    });
    assertStrictEquals(count, 0);
  });
}

Deno.test("jwtBackend.load() accepts a token later that came too early", async () => {
  let now = NOW - 100;
  const backend = jwtBackend({ secretKey: KEY, clock: () => now * 1000 });
  const token = await forgeToken({ payload: `{"nbf":${NOW}}` });
  assertStrictEquals(await backend.load(token), null);
  now = NOW;
  assertEquals(await backend.load(token), { nbf: NOW });
});

Deno.test("Session.get() checks maxAge and absoluteMaxAge of a token it remembers", async () => {
  let now = NOW;
  const session = new Session({
    secretKey: KEY,
    maxAge: 100,
    absoluteMaxAge: 150,
    clock: () => now * 1000,
  });
  // Claims of a token from before these limits were set.
  const idle = await session.encode(
    { n: 1, _started: NOW, iat: NOW, exp: NOW + 1000 },
  );
  const renewed = await session.encode(
    { n: 2, _started: NOW, iat: NOW + 90, exp: NOW + 1000 },
  );
  const read = async (token: string): Promise<object> => ({
    ...await session.get(requestWith(token)),
  });
  now = NOW + 99;
  assertEquals([await read(idle), await read(renewed)], [{ n: 1 }, { n: 2 }]);
  now = NOW + 100;
  assertEquals([await read(idle), await read(renewed)], [{}, { n: 2 }]);
  now = NOW + 149;
  assertEquals(await read(renewed), { n: 2 });
  now = NOW + 150;
  assertEquals(await read(renewed), {});
  now = NOW + 99;
  assertEquals([await read(idle), await read(renewed)], [{ n: 1 }, { n: 2 }]);
});

Deno.test("Session.secretKey refuses a remembered token of a key that it replaced", async () => {
  const session = makeSession();
  const token = await session.encode({ n: 1 });
  assertEquals(await session.decode(token), { n: 1 });
  session.secretKey = OTHER_KEY;
  assertEquals(await session.decode(token), {});
  assertEquals({ ...await session.get(requestWith(token)) }, {});
});

Deno.test("Session.secretKey refuses a remembered token of a key that left the list", async () => {
  const session = makeSession();
  session.secretKey = [OTHER_KEY, KEY];
  const token = await forgeToken();
  assertEquals(await session.decode(token), { n: 1 });
  session.secretKey = [OTHER_KEY];
  assertEquals(await session.decode(token), {});
});

Deno.test("Session.initialize() refuses a remembered token of a key that it replaced", async () => {
  const session = makeSession();
  const token = await session.encode({ n: 1 });
  assertEquals(await session.decode(token), { n: 1 });
  session.initialize({ secretKey: OTHER_KEY });
  assertEquals(await session.decode(token), {});
});

Deno.test("Session.secretKey reads a token again when its key comes back", async () => {
  const session = makeSession();
  const token = await session.encode({ n: 1 });
  session.secretKey = OTHER_KEY;
  assertEquals(await session.decode(token), {});
  session.secretKey = KEY;
  assertEquals(await session.decode(token), { n: 1 });
});

Deno.test("Session.secretKey is not undone by a read that was under way", async () => {
  const session = makeSession();
  const token = await forgeToken();
  const reading = session.decode(token);
  session.secretKey = OTHER_KEY;
  await reading;
  assertEquals(await session.decode(token), {});
});

Deno.test("Session.secretKey is not undone by a save that was under way", async () => {
  const session = makeSession();
  const saving = session.encode({ n: 1 });
  session.secretKey = OTHER_KEY;
  const token = await saving;
  const expected = await new Session({ secretKey: OTHER_KEY }).decode(token);
  assertEquals(await session.decode(token), expected);
});

Deno.test("Session.decode() remembers nothing of a key that is not the session's", async () => {
  const session = makeSession();
  const token = await session.encode({ n: 1 }, OTHER_KEY);
  assertEquals(await session.decode(token, OTHER_KEY), { n: 1 });
  assertEquals(await session.decode(token), {});
  assertEquals(await session.decode(token, OTHER_KEY), { n: 1 });
});

Deno.test("Session.get() keeps none of the Cookie header that a token came in", async () => {
  // 1,000 headers of 60,000 characters; a bare token has 150.
  const code = `
    const { Session } = await import("${import.meta.resolve("../session.ts")}");
    const { KEY } = await import("${import.meta.resolve("./_tokens.ts")}");
    const session = new Session({ secretKey: KEY });
    const maker = new Session({ secretKey: KEY });
    const read = async (n) => {
      const token = await maker.encode({ n, text: "x".repeat(30) });
      const Cookie = "a=" + "x".repeat(60_000) + "; session=" + token;
      const headers = { Cookie };
      const dict = await session.get(new Request("http://localhost/", { headers }));
      if (dict.n !== n) throw new Error("The token was not read");
    };
    const used = () => (gc(), Deno.memoryUsage().heapUsed);
    await read(-1);
    const before = used();
    for (let n = 0; n < 1000; n++) await read(n);
    console.log(used() - before);
  `;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--v8-flags=--expose-gc", code],
    cwd: new URL("..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  const growth = Number(decoder.decode(stdout));
  assert(growth < 20_000_000, `The heap grew by ${growth} bytes`);
});
