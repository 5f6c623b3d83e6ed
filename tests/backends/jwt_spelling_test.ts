/** A token has one spelling: every other one is refused, signed or not. */

import { assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { ALPHABET, otherSpellings, signInput } from "../_tokens.ts";
import { assertRefused, forge, HEADER, newBackend } from "./_jwt.ts";

/** The MAC as a lax decoder reads it, which drops stray bits. */
function laxMacOf(token: string): Uint8Array {
  return Uint8Array.fromBase64(token.split(".")[2], { alphabet: "base64url" });
}

Deno.test("jwtBackend.load() refuses a token of another number of parts", async () => {
  const token = await forge();
  const [header, payload, mac] = token.split(".");
  const others = [
    header,
    `${header}.${payload}`,
    `${header}.${payload}.`,
    `.${payload}.${mac}`,
    `${header}..${mac}`,
    `${token}.`,
    `.${token}`,
    `${token}.${mac}`,
    `${header}.${payload}..${mac}`,
    // These are signed.
    await signInput(header),
    await signInput(`${header}.${payload}.`),
    await signInput(`${header}.${payload}.${payload}`),
  ];
  for (const other of others) await assertRefused(other);
});

Deno.test("jwtBackend.load() refuses every other spelling of a signature's last character", async () => {
  const lastOnes = new Set<string>();
  for (let n = 0; lastOnes.size < 16; n++) {
    const token = await forge({ payload: `{"n":${n}}` });
    const backend = newBackend();
    lastOnes.add(token.slice(-1));
    for (const state of ["cold", "warm"]) {
      for (const other of otherSpellings(token)) {
        assertEquals(laxMacOf(other), laxMacOf(token));
        assertStrictEquals(await backend.load(other), null, state);
      }
      assertEquals(await backend.load(token), { n });
    }
  }
  assertEquals([...lastOnes].sort().join(""), "048AEIMQUYcgkosw");
});

Deno.test("jwtBackend.load() refuses any other character in any place", async () => {
  const backend = newBackend();
  const token = await backend.save({ n: 1 });
  for (let place = 0; place < token.length; place++) {
    const value = ALPHABET.indexOf(token[place]);
    for (const other of [ALPHABET[value ^ 1], ALPHABET[value ^ 32], "=", "."]) {
      if (other === token[place]) continue;
      const tampered = token.slice(0, place) + other + token.slice(place + 1);
      assertStrictEquals(await backend.load(tampered), null, tampered);
    }
  }
});

Deno.test("jwtBackend.load() refuses a token with padding or white space around it", async () => {
  const backend = newBackend();
  const token = await backend.save({ n: 1 });
  for (const blank of ["=", "==", " ", "\t", "\n", "\r\n", "\0", "\u00A0"]) {
    await assertRefused(token + blank, backend);
    await assertRefused(blank + token, backend);
    await assertRefused(token.replaceAll(".", `${blank}.`), backend);
    await assertRefused(token.replaceAll(".", `.${blank}`), backend);
  }
});

Deno.test("jwtBackend.load() refuses a part in a second spelling that is signed", async () => {
  const one = encodeBase64Url(HEADER.padEnd(35)); // "=" is left out.
  const two = encodeBase64Url(HEADER.padEnd(34)); // "==" is left out.
  const payload = encodeBase64Url('{"n":1}'); // 7 bytes
  const safe = encodeBase64Url('{"n":"~~>??>"}');
  const standard = safe.replaceAll("-", "+").replaceAll("_", "/");
  assertNotEquals(standard, safe);
  const inputs = [
    `${one}=.${payload}`,
    `${two}==.${payload}`,
    `${one}.${payload}==`,
    `${one}.${payload}\n`,
    `${one} .${payload}`,
    `${one}.${standard}`,
    ...otherSpellings(payload).map((other) => `${one}.${other}`),
    ...otherSpellings(two).map((other) => `${other}.${payload}`),
  ];
  for (const header of [one, two]) {
    const good = await signInput(`${header}.${payload}`);
    assertEquals(await newBackend().load(good), { n: 1 });
  }
  for (const input of inputs) await assertRefused(await signInput(input));
});

Deno.test("jwtBackend.load() refuses a MAC that was cut or lengthened", async () => {
  const [header, payload, mac] = (await forge()).split(".");
  const bytes = decodeBase64Url(mac);
  const others = [
    new Uint8Array(0),
    bytes.slice(0, 1),
    bytes.slice(0, 16),
    bytes.slice(0, 31),
    bytes.slice(1),
    new Uint8Array([...bytes, 0]),
    new Uint8Array([0, ...bytes]),
    new Uint8Array([...bytes, ...bytes]),
    new Uint8Array(32),
  ];
  for (const other of others) {
    await assertRefused(`${header}.${payload}.${encodeBase64Url(other)}`);
  }
});

Deno.test("jwtBackend.load() refuses the parts of two tokens in one", async () => {
  const backend = newBackend();
  const [header, one, macOfOne] = (await backend.save({ n: 1 })).split(".");
  const [, two, macOfTwo] = (await backend.save({ n: 2 })).split(".");
  assertEquals(await backend.load(`${header}.${one}.${macOfOne}`), { n: 1 });
  await assertRefused(`${header}.${one}.${macOfTwo}`, backend);
  await assertRefused(`${header}.${two}.${macOfOne}`, backend);
  await assertRefused(`${one}.${header}.${macOfOne}`, backend);
});
