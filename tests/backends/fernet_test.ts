import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
} from "@std/assert";
import {
  type Backend,
  fernetBackend,
  type FernetBackendOptions,
} from "../../backends/fernet.ts";
import { Session } from "../../mod.ts";
import { KEY, NOW, OTHER_KEY, stoppedClock } from "../_helpers.ts";
import { countCalls } from "../_tokens.ts";
import { fromBase64, toBase64 } from "./_base64.ts";

/** As many bytes as a Fernet key has, which are taken as they are. */
const RAW_KEY = "k".repeat(32);

/** What a token consists of. */
interface Parts {
  version: number;
  time: bigint;
  ciphertext: Uint8Array<ArrayBuffer>;
  /** How much of it there is. */
  signedBytes: number;
}

const BAD_SPELLINGS: [why: string, spell: (token: string) => string][] = [
  ["without its padding", (token) => token.replace(/=+$/, "")],
  ["with half of its padding", (token) => token.slice(0, -1)],
  ["with more padding", (token) => token + "="],
  ["with a stray bit", (token) => token.slice(0, -3) + after(token.at(-3))],
  [
    "in the standard alphabet",
    (token) => token.replaceAll("-", "+").replaceAll("_", "/"),
  ],
  ["with a space before it", (token) => ` ${token}`],
  ["with a line break after it", (token) => `${token}\n`],
  ["in quotes", (token) => `"${token}"`],
  ["with percent-encoding", (token) => token.replaceAll("=", "%3D")],
  ["twice", (token) => token + token],
  ["in two halves", (token) => `${token.slice(0, 60)}.${token.slice(60)}`],
];

/** Parts of a token whose MAC is right all the same. */
const FORGERIES: [why: string, parts: Partial<Parts>][] = [
  ["version 0x00", { version: 0 }],
  ["version 0x7F", { version: 0x7F }],
  ["version 0x81", { version: 0x81 }],
  ["a time 61 s ahead", { time: BigInt(NOW + 61) }],
  ["a time beyond 32 bits", { time: BigInt(NOW) + 2n ** 32n }],
  ["a time beyond 53 bits", { time: 2n ** 63n + BigInt(NOW) }],
  ["a time of all bits", { time: 2n ** 64n - 1n }],
  ["a time as old as maxAge", { time: BigInt(NOW - 100) }],
  ["the time 0", { time: 0n }],
  ["a version and nothing else", { signedBytes: 1 }],
  ["no IV", { signedBytes: 9 }],
  ["no ciphertext", { ciphertext: new Uint8Array() }],
  ["half a block", { ciphertext: new Uint8Array(8) }],
  ["a block and a half", { ciphertext: new Uint8Array(24) }],
  ["a block of padding errors", { ciphertext: new Uint8Array(16) }],
];

const BAD_CONTENTS: [
  why: string,
  content: string | Uint8Array<ArrayBuffer>,
][] = [
  ["nothing", ""],
  ["text", "hello"],
  ["an array", "[]"],
  ["null", "null"],
  ["half an object", '{"n":1'],
  ["a byte order mark", '\uFEFF{"n":1}'],
  ["invalid UTF-8", new Uint8Array([0x7B, 0x22, 0xC0, 0x22, 0x3A, 0x31, 0x7D])],
  ["an exp beyond all numbers", '{"exp":1e400}'],
  ["a number beyond all numbers within", '{"a":[{"n":[1e400]}]}'],
];

/** When a token of `NOW` is read, and whether it holds. */
const TIMES: [
  what: string,
  options: Partial<FernetBackendOptions>,
  now: number,
  holds: boolean,
][] = [
  ["accepts a token from 60 s ahead", {}, NOW - 60, true],
  ["refuses a token from further ahead", {}, NOW - 60.001, false],
  ["accepts a token until its maxAge", { maxAge: 100 }, NOW + 99.999, true],
  ["refuses a token from its maxAge on", { maxAge: 100 }, NOW + 100, false],
  ["accepts a token for ever without maxAge", {}, NOW * 2, true],
];

const encoder = new TextEncoder();

function newBackend(options: Partial<FernetBackendOptions> = {}): Backend {
  const { clock } = stoppedClock();
  return fernetBackend({ secretKey: RAW_KEY, clock, ...options });
}

/** A token with a good MAC over whatever it holds. */
async function forge(
  parts: Partial<Parts>,
  content: string | Uint8Array<ArrayBuffer> = '{"n":1}',
): Promise<string> {
  const iv = new Uint8Array(16);
  const key = encoder.encode(RAW_KEY);
  const [signing, encryption] = await Promise.all([
    crypto.subtle.importKey(
      "raw",
      key.slice(0, 16),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    ),
    crypto.subtle.importKey("raw", key.slice(16), "AES-CBC", false, [
      "encrypt",
    ]),
  ]);
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  const ciphertext = parts.ciphertext ??
    new Uint8Array(
      await crypto.subtle.encrypt({ name: "AES-CBC", iv }, encryption, bytes),
    );
  const head = new DataView(new ArrayBuffer(9));
  head.setUint8(0, parts.version ?? 0x80);
  head.setBigUint64(1, parts.time ?? BigInt(NOW));
  const signed = new Uint8Array([
    ...new Uint8Array(head.buffer),
    ...iv,
    ...ciphertext,
  ]).slice(0, parts.signedBytes);
  const mac = await crypto.subtle.sign("HMAC", signing, signed);
  return toBase64(new Uint8Array([...signed, ...new Uint8Array(mac)]));
}

/** The next character. */
function after(character = ""): string {
  return String.fromCharCode(character.charCodeAt(0) + 1);
}

Deno.test("fernetBackend.save() makes another token each time", async () => {
  const backend = newBackend();
  assertNotEquals(await backend.save({ n: 1 }), await backend.save({ n: 1 }));
});

Deno.test("fernetBackend.save() writes the version and the time in whole seconds", async () => {
  const clock = () => NOW * 1000 + 999;
  const bytes = fromBase64(await newBackend({ clock }).save({ n: 1 }));
  assertEquals(bytes[0], 0x80);
  assertEquals(new DataView(bytes.buffer).getBigUint64(1), BigInt(NOW));
});

Deno.test("fernetBackend.save() leaves nothing of the data readable", async () => {
  const token = await newBackend().save({ name: "susan", admin: true });
  const text = new TextDecoder("latin1").decode(fromBase64(token));
  assert(!text.includes("susan"));
  assert(!text.includes("admin"));
});

Deno.test("fernetBackend.load() reads a token that was made by hand", async () => {
  const backend = newBackend({ maxAge: 100 });
  assertEquals(await backend.load(await forge({})), { n: 1 });
});

Deno.test("fernetBackend.load() returns null for another key's token", async () => {
  const token = await forge({});
  for (const secretKey of [KEY, OTHER_KEY, "l".repeat(32)]) {
    assertStrictEquals(await newBackend({ secretKey }).load(token), null);
  }
});

Deno.test("fernetBackend.load() returns null for any changed character, and any part", async () => {
  const backend = newBackend();
  const token = await backend.save({ n: 1 });
  for (let i = 0; i < token.length; i++) {
    const changed = token[i] === "A" ? "B" : "A";
    const mutation = token.slice(0, i) + changed + token.slice(i + 1);
    for (const other of [mutation, token.slice(0, i), token.slice(i + 1)]) {
      assertStrictEquals(await backend.load(other), null, `character ${i}`);
    }
  }
});

for (const [why, spell] of BAD_SPELLINGS) {
  Deno.test(`fernetBackend.load() returns null for a token ${why}`, async () => {
    const token = await forge({});
    assert(token.endsWith("=="), "there is padding to spell");
    assert(/[-_]/.test(token), "there are characters to spell");
    assertNotEquals(spell(token), token);
    const [cold, warm] = [newBackend(), newBackend()];
    assertEquals(await warm.load(token), { n: 1 });
    assertStrictEquals(await cold.load(spell(token)), null);
    assertStrictEquals(await warm.load(spell(token)), null);
  });
}

for (const [why, parts] of FORGERIES) {
  Deno.test(`fernetBackend.load() returns null for ${why} under a good MAC`, async () => {
    const backend = newBackend({ maxAge: 100 });
    assertStrictEquals(await backend.load(await forge(parts)), null);
  });
}

for (const [why, content] of BAD_CONTENTS) {
  Deno.test(`fernetBackend.load() returns null when the content is ${why}`, async () => {
    const token = await forge({}, content);
    assertStrictEquals(await newBackend().load(token), null);
  });
}

for (const [what, options, then, holds] of TIMES) {
  Deno.test(`fernetBackend.load() ${what}, remembered or not`, async () => {
    let now = NOW;
    const clock = () => now * 1000;
    const [cold, warm] = [options, options].map((options) =>
      newBackend({ ...options, clock })
    );
    const token = await newBackend().save({ n: 1 });
    assertEquals(await warm.load(token), { n: 1 });
    now = then;
    for (const backend of [cold, warm]) {
      assertEquals(await backend.load(token), holds ? { n: 1 } : null);
    }
  });
}

Deno.test("fernetBackend.load() reads a token of after 2106, when seconds outgrow 32 bits", async () => {
  const backends = [0, 0].map(() =>
    newBackend({ clock: () => (2 ** 32 + NOW) * 1000, maxAge: 1 })
  );
  const token = await backends[0].save({ n: 1 });
  for (const backend of backends) {
    assertEquals(await backend.load(token), { n: 1 });
  }
});

Deno.test("fernetBackend.load() verifies nothing that is no token by its form", async () => {
  const backend = newBackend();
  const token = await forge({});
  const lengths = [0, 1, 32, 56, 57, 58, 72, 74, 88, 90];
  const count = await countCalls(async () => {
    for (const length of lengths) {
      await backend.load(toBase64(new Uint8Array(length).fill(0x80)));
    }
    await backend.load(token.slice(0, -1));
    await backend.load(token.padEnd(4097, "A"));
  }, "verify");
  assertEquals(count, 0);
});

Deno.test("fernetBackend.load() reads no token of over 4,096 characters", async () => {
  const backend = newBackend();
  const longest = await backend.save({ text: "x".repeat(2996) });
  assertEquals(longest.length, 4088);
  assert(await newBackend().load(longest));
  const longer = await backend.save({ text: "x".repeat(2997) });
  assertEquals(longer.length, 4108);
  for (const reader of [newBackend(), backend]) {
    assertStrictEquals(await reader.load(longer), null);
  }
});

Deno.test("Session with Fernet reads nothing from a JWT of its key", async () => {
  const { clock } = stoppedClock();
  const options = { secretKey: KEY, clock };
  const jwt = await new Session(options).encode({ n: 1 });
  const session = new Session({ ...options, backend: "fernet" });
  assertEquals(await session.decode(jwt), {});
});
