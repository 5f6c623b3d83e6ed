/**
 * Tokens made by hand, good and bad ones, with `crypto.subtle` alone.
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";
import { KEY, macOf } from "./_helpers.ts";

/** The header of a session's token. */
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
  { key = KEY, hash }: Forgery = {},
): Promise<string> {
  return `${input}.${await macOf(input, key, hash)}`;
}

/** The spellings of a last character whose stray bits a lax decoder drops. */
export function otherSpellings(token: string): string[] {
  const value = ALPHABET.indexOf(token.slice(-1));
  return [1, 2, 3].map((bits) => token.slice(0, -1) + ALPHABET[value | bits]);
}

/** Runs a function, and counts its calls of these methods of `crypto.subtle`. */
export async function countCalls(
  run: () => unknown,
  ...names: (keyof SubtleCrypto)[]
): Promise<number> {
  const { subtle } = crypto;
  let count = 0;
  for (const name of names) {
    const method = subtle[name];
    const value = (...args: unknown[]) => {
      count++;
      return Reflect.apply(method, subtle, args);
    };
    Object.defineProperty(subtle, name, { value, configurable: true });
  }
  try {
    await run();
  } finally {
    // The methods of the prototype are there again.
    for (const name of names) Reflect.deleteProperty(subtle, name);
  }
  return count;
}
