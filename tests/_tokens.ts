/**
 * Tokens made by hand, good and bad ones, with `crypto.subtle` alone.
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";

/** The secret that tokens are signed with unless a test says otherwise. */
export const KEY = "the first secret of these tests, 32+";
/** A secret that nothing under test knows unless a test says so. */
export const OTHER_KEY = "another secret of these tests, 32+ too";
/** The injected clock's time, in seconds. */
export const NOW = 1_700_000_000;
/** The header of a token that is as it should be. */
export const HEADER = '{"alg":"HS256","typ":"JWT"}';
/** The characters of base64url, in the order of their values. */
export const ALPHABET =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** What a token is forged from: texts or bytes as they are. */
export interface Forgery {
  header?: string | Uint8Array<ArrayBuffer>;
  payload?: string | Uint8Array<ArrayBuffer>;
  key?: string | Uint8Array<ArrayBuffer>;
  hash?: "SHA-256" | "SHA-384" | "SHA-512";
}

/** A token with a valid MAC over whatever it says. */
export function forgeToken(forgery: Forgery = {}): Promise<string> {
  const { header = HEADER, payload = '{"n":1}' } = forgery;
  const input = `${encodeBase64Url(header)}.${encodeBase64Url(payload)}`;
  return signInput(input, forgery);
}

/** Appends a valid MAC to a signing input, however that is spelled. */
export async function signInput(
  input: string,
  { key = KEY, hash = "SHA-256" }: Forgery = {},
): Promise<string> {
  const encoder = new TextEncoder();
  const hmacKey = await crypto.subtle.importKey(
    "raw",
    typeof key === "string" ? encoder.encode(key) : key,
    { name: "HMAC", hash },
    false,
    ["sign"],
  );
  const mac = await crypto.subtle.sign("HMAC", hmacKey, encoder.encode(input));
  return `${input}.${encodeBase64Url(mac)}`;
}

/** The spellings of a last character whose stray bits a lax decoder drops. */
export function otherSpellings(token: string): string[] {
  const value = ALPHABET.indexOf(token.slice(-1));
  return [1, 2, 3].map((bits) => token.slice(0, -1) + ALPHABET[value | bits]);
}

/** Runs a function, and counts how often it has a signature verified. */
export async function countVerifications(
  run: () => unknown,
): Promise<number> {
  const { subtle } = crypto;
  const original = subtle.verify;
  let count = 0;
  subtle.verify = (...args) => {
    count++;
    return original.apply(subtle, args);
  };
  try {
    await run();
  } finally {
    subtle.verify = original;
  }
  return count;
}
