/** What a secret key may be for Fernet; what it must not, as for every token. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Backend,
  fernetBackend,
  type SecretKey,
} from "../../backends/fernet.ts";
import { generateSecretKey, Session } from "../../mod.ts";
import { KEY, NOW, requestWith } from "../_helpers.ts";
import { toBase64 } from "./_base64.ts";
import { MUFFIN_KEY, PYTHON_TOKENS } from "./_fernet.ts";

const clock = () => NOW * 1000;

function backendWith(secretKey: SecretKey): Backend {
  return fernetBackend({ secretKey, clock });
}

for (const { what, secretKey, token, data } of PYTHON_TOKENS) {
  Deno.test(`fernetBackend.load() reads Python's token for ${what}`, async () => {
    assertEquals(await backendWith(secretKey).load(token), data);
  });

  Deno.test(`fernetBackend.save() makes a token for ${what}`, async () => {
    const value = await backendWith(secretKey).save({ n: 1 });
    assertEquals(await backendWith(secretKey).load(value), { n: 1 });
  });
}

Deno.test("fernetBackend() takes a key of generateSecretKey()", async () => {
  const secretKey = generateSecretKey();
  const token = await backendWith(secretKey).save({ n: 1 });
  assertEquals(await backendWith(secretKey).load(token), { n: 1 });
});

Deno.test("fernetBackend() takes a Fernet key as the 32 bytes that it spells", async () => {
  const token = await backendWith(MUFFIN_KEY).save({ n: 1 });
  const secretKey = toBase64(MUFFIN_KEY);
  assertEquals([secretKey.length, secretKey.at(-1)], [44, "="]);
  assertEquals(await backendWith(secretKey).load(token), { n: 1 });
});

Deno.test("fernetBackend() takes another 44 characters as a longer key", async () => {
  const token = await backendWith(MUFFIN_KEY).save({ n: 1 });
  const good = toBase64(MUFFIN_KEY);
  const keys = [
    good.replace("=", "A"), // no padding
    good.replace(/g=$/, "h="), // a stray bit
    new TextEncoder().encode(good), // bytes in place of text
  ];
  for (const secretKey of keys) {
    assertEquals(secretKey.length, 44);
    assertStrictEquals(await backendWith(secretKey).load(token), null);
  }
});

Deno.test("fernetBackend() refuses a CryptoKey, and says why", async () => {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ]);
  for (const secretKey of [key, [KEY, key]] as SecretKey[]) {
    assertThrows(() => backendWith(secretKey), TypeError, "pass the bytes");
  }
});

Deno.test("Session with Fernet reads a cookie of Muffin", async () => {
  const [, { secretKey, token, data }] = PYTHON_TOKENS;
  assertEquals(secretKey, MUFFIN_KEY);
  const session = new Session({ backend: "fernet", secretKey, clock });
  const dict = await session.get(requestWith(`session=${token}`));
  assertEquals({ ...dict }, data);
});
