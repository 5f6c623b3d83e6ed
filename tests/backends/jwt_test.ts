import { assertEquals, assertStrictEquals } from "@std/assert";
import { KEY, NOW, OTHER_KEY } from "../_helpers.ts";
import { countCalls } from "../_tokens.ts";
import { assertRefused, forge, HEADER, newBackend } from "./_jwt.ts";

const BAD_PAYLOADS: [
  why: string,
  payload: string | Uint8Array<ArrayBuffer>,
][] = [
  ["an array as payload", "[]"],
  ["an array of a payload", '[{"n":1}]'],
  ["null as payload", "null"],
  ["a string as payload", '"x"'],
  ["a number as payload", "1"],
  ["no payload", ""],
  ["a payload that is no JSON", "n=1"],
  ["half a payload", '{"n":1'],
  ["two payloads", '{"n":1}{"n":2}'],
  ["a byte order mark before the payload", '\uFEFF{"n":1}'],
  ["3,000 levels of nesting that never end", "[".repeat(3000)],
  ["a payload of one invalid byte", new Uint8Array([0xFF])],
  [
    "a string with half a surrogate pair in UTF-8",
    new Uint8Array([0x7B, 0x22, 0xED, 0xA0, 0x80, 0x22, 0x3A, 0x31, 0x7D]),
  ],
  ["an exp beyond all numbers", '{"exp":1e400}'],
  ["a number beyond all numbers within", '{"a":[{"n":[1e400]}]}'],
  ["an nbf beyond all numbers", '{"nbf":-1e400}'],
  ["the last of two exp, which is over", `{"exp":${NOW + 9},"exp":${NOW - 9}}`],
];

/** What a `Cookie` header may hold in place of a token. */
const GARBAGE: [why: string, token: string][] = [
  ["nothing", ""],
  ["one dot", "."],
  ["two dots", ".."],
  ["a word", "undefined"],
  ["100,000 dots", ".".repeat(100_000)],
  ["1,000,000 characters", "A".repeat(1_000_000)],
  ["JSON", '{"alg":"none"}.{"n":1}.'],
  ["a letter outside of ASCII", "é.é.é"],
  ["half a surrogate pair", "\uD800.\uDC00.\uD800"],
  ["a NUL", "\0.\0.\0"],
  ["__proto__", "__proto__"],
];

Deno.test("jwtBackend.load() reads a token made by hand", async () => {
  const token = await forge({ payload: '{"n":1}' });
  assertEquals(await newBackend().load(token), { n: 1 });
});

Deno.test("jwtBackend.load() refuses a token of another key", async () => {
  await assertRefused(await forge({ key: OTHER_KEY }));
  await assertRefused(await forge({ key: `${KEY}!` }));
});

Deno.test("jwtBackend.save() makes a token of exactly the payload", async () => {
  const payload = { n: 1, exp: NOW + 60, list: [null, "x"] };
  const token = await newBackend().save(payload);
  assertEquals(token, await forge({ payload: JSON.stringify(payload) }));
});

for (const [why, payload] of BAD_PAYLOADS) {
  Deno.test(`jwtBackend.load() refuses ${why}`, async () => {
    await assertRefused(await forge({ payload }));
  });
}

for (const [why, token] of GARBAGE) {
  Deno.test(`jwtBackend.load() refuses ${why} in place of a token`, async () => {
    await assertRefused(token);
  });
}

Deno.test("jwtBackend.load() verifies nothing that is no token by its form", async () => {
  const backend = newBackend();
  const token = await forge();
  const count = await countCalls(async () => {
    for (const [, garbage] of GARBAGE) await backend.load(garbage);
    await backend.load(token.slice(0, -1));
    await backend.load(`${token}=`);
    await backend.load(`${token}${"A".repeat(4096)}`);
  }, "verify");
  assertStrictEquals(count, 0);
});

Deno.test("jwtBackend.load() parses nothing whose MAC is wrong", async () => {
  const token = await forge({ key: OTHER_KEY, header: '{"alg":"none"}' });
  const original = JSON.parse;
  let count = 0;
  JSON.parse = (...args) => {
    count++;
    return original(...args);
  };
  try {
    await newBackend().load(token);
  } finally {
    JSON.parse = original;
  }
  assertStrictEquals(count, 0);
});

Deno.test("jwtBackend.load() reads a token of 4,096 characters, and no longer one", async () => {
  const header = HEADER.padEnd(30); // A length that leaves no bits over.
  const payloads = [3000, 3001].map((length) =>
    JSON.stringify({ x: "x".repeat(length) })
  );
  const [longest, longer] = await Promise.all(
    payloads.map((payload) => forge({ header, payload })),
  );
  assertEquals([longest.length, longer.length], [4096, 4097]);
  assertEquals(await newBackend().load(longest), JSON.parse(payloads[0]));
  await assertRefused(longer);
});

Deno.test("jwtBackend.load() refuses a token over 4,096 characters that it made itself", async () => {
  const backend = newBackend();
  await assertRefused(await backend.save({ x: "x".repeat(3010) }), backend);
});

Deno.test("jwtBackend.load() reads nesting as deep as a token can hold", async () => {
  const payload = `{"a":${"[".repeat(1450)}${"]".repeat(1450)}}`;
  const token = await forge({ payload });
  assertStrictEquals(JSON.stringify(await newBackend().load(token)), payload);
});
