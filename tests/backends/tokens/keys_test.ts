import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { fernetBackend } from "../../../backends/fernet.ts";
import {
  type Backend,
  jwtBackend,
  type SecretKey,
} from "../../../backends/jwt.ts";
import { KEY, OTHER_KEY } from "../../_helpers.ts";
import { forge, newBackend, TYPE } from "../_jwt.ts";

type SecretKeys = SecretKey | readonly SecretKey[];

/** Backends that sign, by a key each. */
const SIGNERS: Record<string, (secretKey: SecretKeys) => Backend> = {
  jwtBackend: (secretKey) => jwtBackend({ secretKey, type: TYPE }),
  fernetBackend: (secretKey) => fernetBackend({ secretKey }),
};

/** Four good keys, the newest first. */
const KEYS = ["d", "c", "b", "a"].map((letter) => letter.repeat(32));

const BAD_KEYS: [
  what: string,
  secretKey: unknown,
  ErrorClass: typeof TypeError | typeof RangeError,
  ...fragments: string[],
][] = [
  ["an empty string", "", RangeError, " 0 bytes", "generateSecretKey()"],
  ["31 bytes of text", "k".repeat(31), RangeError, "31 bytes", "than 32"],
  ["15 characters of two bytes", "é".repeat(15), RangeError, "30 bytes"],
  ["31 bytes", new Uint8Array(31).fill(7), RangeError, "31 bytes"],
  ["a short second key", [KEY, "k"], RangeError, " 1 bytes"],
  ["five keys", [...KEYS, KEY], RangeError, "5 keys", "at most 4"],
  ["an empty list", [], TypeError, "empty"],
  ["undefined", undefined, TypeError, "undefined", "environment"],
  ["null", null, TypeError, "null"],
  ["a number", 1e31, TypeError, "number"],
  ["an object", { key: KEY }, TypeError, "object"],
  ["an ArrayBuffer", new ArrayBuffer(32), TypeError, "Uint8Array"],
  ["a list in a list", [[KEY]], TypeError, "object"],
  ["a list with a hole", [KEY, undefined], TypeError, "undefined"],
];

const GOOD_KEYS: [what: string, key: string | Uint8Array][] = [
  ["a string of 32 bytes", "k".repeat(32)],
  ["a string of 16 characters of two bytes", "é".repeat(16)],
  ["a string of 1,000 bytes", "k".repeat(1000)],
  ["32 bytes", new Uint8Array(32).fill(7)],
  ["33 bytes", new Uint8Array(33).fill(7)],
  ["32 bytes inside a larger buffer", new Uint8Array(96).subarray(32, 64)],
];

const BAD_CRYPTO_KEYS: [
  what: string,
  algorithm: HmacKeyGenParams | AesKeyGenParams,
  usages: KeyUsage[],
][] = [
  ["HMAC with SHA-512", { name: "HMAC", hash: "SHA-512" }, ["sign", "verify"]],
  ["AES", { name: "AES-GCM", length: 256 }, ["encrypt", "decrypt"]],
  ["signing alone", { name: "HMAC", hash: "SHA-256" }, ["sign"]],
  ["verifying alone", { name: "HMAC", hash: "SHA-256" }, ["verify"]],
];

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", bytes, algorithm, false, [
    "sign",
    "verify",
  ]);
}

for (const [signer, make] of Object.entries(SIGNERS)) {
  for (const [what, secretKey, ErrorClass, ...fragments] of BAD_KEYS) {
    Deno.test(`${signer}() refuses ${what} as secretKey`, () => {
      const error = assertThrows(() => make(secretKey as SecretKey), Error);
      assertEquals(error.constructor, ErrorClass);
      for (const fragment of ["Cannot use secretKey", ...fragments]) {
        assertStringIncludes(error.message, fragment);
      }
      for (const key of [KEY, ...KEYS, "kkk"]) {
        assert(!error.message.includes(key));
      }
    });
  }

  for (const [what, key] of GOOD_KEYS) {
    Deno.test(`${signer}() takes ${what} as secretKey`, async () => {
      const token = await make(key).save({ n: 1 });
      assertEquals(await make(key).load(token), { n: 1 });
      assertStrictEquals(await make(KEY).load(token), null);
    });
  }

  Deno.test(`${signer}() takes text and its bytes for one key`, async () => {
    for (const key of [KEY, "k".repeat(32), "k".repeat(44)]) {
      const token = await make(key).save({ n: 1 });
      assertEquals(await make(bytesOf(key)).load(token), { n: 1 });
    }
  });

  Deno.test(`${signer}() reads tokens of all of its keys`, async () => {
    const [one, two, ...more] = KEYS;
    const backend = make([one, bytesOf(two), ...more]);
    for (const key of KEYS) {
      const token = await make(key).save({ n: 1 });
      assertEquals(await backend.load(token), { n: 1 });
    }
  });

  Deno.test(`${signer}() signs with the first of its keys`, async () => {
    const token = await make(KEYS).save({ n: 1 });
    assertEquals(await make(KEYS[0]).load(token), { n: 1 });
    assertStrictEquals(await make(KEYS.slice(1)).load(token), null);
  });

  Deno.test(`${signer}() refuses a token of a key that left the list`, async () => {
    const token = await make(KEYS[3]).save({ n: 1 });
    assertStrictEquals(await make(KEYS.slice(0, 3)).load(token), null);
  });

  Deno.test(`${signer}() keeps its keys when the caller's arrays change`, async () => {
    const bytes = bytesOf(KEY);
    const list = [bytes];
    const backends = [make(bytes), make(list)];
    bytes.fill(0);
    list[0] = bytesOf(OTHER_KEY);
    for (const backend of backends) {
      const token = await backend.save({ n: 1 });
      assertEquals(await make(KEY).load(token), { n: 1 });
    }
  });
}

for (const [what, algorithm, usages] of BAD_CRYPTO_KEYS) {
  Deno.test(`jwtBackend() refuses a CryptoKey for ${what}`, async () => {
    const key = await crypto.subtle.generateKey(algorithm, false, usages);
    assert(key instanceof CryptoKey);
    assertThrows(() => newBackend(key), TypeError, "CryptoKey");
    assertThrows(() => newBackend([KEY, key]), TypeError, "CryptoKey");
  });
}

Deno.test("jwtBackend() takes a CryptoKey of any length as it is", async () => {
  for (const key of [KEY, "short"]) {
    const cryptoKey = await importKey(bytesOf(key));
    assertStrictEquals(cryptoKey.extractable, false);
    const token = await forge({ key });
    assertEquals(await newBackend(cryptoKey).save({ n: 1 }), token);
    assertEquals(await newBackend(cryptoKey).load(token), { n: 1 });
    assertEquals(await newBackend([KEYS[0], cryptoKey]).load(token), { n: 1 });
  }
});
