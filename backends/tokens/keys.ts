/**
 * Secret keys: their checks, their import, and keys derived from them.
 *
 * @module
 */

import type { SecretKey } from "../backend.ts";
import { type Bytes, encodeUtf8 } from "./bytes.ts";

/** The fewest bytes a key may have (RFC 7518 section 3.2). */
export const MIN_KEY_BYTES = 32;
/** The most keys that are tried on a token. */
export const MAX_KEYS = 4;

const HMAC = { name: "HMAC", hash: "SHA-256" };

/**
 * Checks one key or a list of keys, and returns a list of its own.
 *
 * @throws {TypeError} If there is no key, or one is of another kind.
 * @throws {RangeError} If a key is too short, or there are too many.
 */
export function toKeyList(
  secretKey: SecretKey | readonly SecretKey[] | undefined,
): SecretKey[] {
  const keys: unknown[] = Array.isArray(secretKey) ? secretKey : [secretKey];
  if (keys.length === 0) {
    throw new TypeError(
      "Cannot use secretKey: the list is empty; give it at least one key",
    );
  }
  if (keys.length > MAX_KEYS) {
    throw new RangeError(
      `Cannot use secretKey: ${keys.length} keys given, at most ${MAX_KEYS} are tried; drop the oldest`,
    );
  }
  return keys.map(checkKey);
}

/** The bytes of a key that is not a `CryptoKey`. */
export function keyBytes(key: string | Uint8Array): Bytes {
  return typeof key === "string" ? encodeUtf8(key) : new Uint8Array(key);
}

/** Imports a key for HMAC-SHA-256. A `CryptoKey` is taken as it is. */
export function importHmacKey(key: SecretKey): Promise<CryptoKey> {
  if (key instanceof CryptoKey) return Promise.resolve(key);
  return importHmacBytes(keyBytes(key));
}

/** Imports bytes as a key for HMAC-SHA-256. */
export function importHmacBytes(bytes: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, HMAC, false, ["sign", "verify"]);
}

/**
 * Derives a key of its own for one purpose: HKDF-Expand of RFC 5869 section
 * 2.3 for a single block, which a non-extractable key can do too.
 */
export async function deriveHmacKey(
  key: SecretKey,
  purpose: string,
): Promise<CryptoKey> {
  const block = await crypto.subtle.sign(
    HMAC,
    await importHmacKey(key),
    encodeUtf8(`${purpose}\x01`),
  );
  return importHmacBytes(new Uint8Array(block));
}

function checkKey(key: unknown): SecretKey {
  if (key instanceof CryptoKey) return checkCryptoKey(key);
  if (typeof key !== "string" && !(key instanceof Uint8Array)) {
    const kind = key === null ? "null" : typeof key;
    throw new TypeError(
      `Cannot use secretKey: a key is a string, a Uint8Array or a CryptoKey, not ${kind}; is its environment variable set?`,
    );
  }
  const bytes = keyBytes(key);
  if (bytes.length < MIN_KEY_BYTES) {
    throw new RangeError(
      `Cannot use secretKey: it has ${bytes.length} bytes, fewer than ${MIN_KEY_BYTES}; make one with generateSecretKey()`,
    );
  }
  // A copy: what the caller does with its array later is no key change.
  return typeof key === "string" ? key : bytes;
}

function checkCryptoKey(key: CryptoKey): CryptoKey {
  // KeyAlgorithm is the common base; HMAC keys also have a `hash`.
  const { name, hash } = key.algorithm as HmacKeyAlgorithm;
  if (name !== "HMAC" || hash.name !== "SHA-256") {
    throw new TypeError(
      `Cannot use secretKey: the CryptoKey is for ${name}; import it for HMAC with SHA-256`,
    );
  }
  if (!key.usages.includes("sign") || !key.usages.includes("verify")) {
    throw new TypeError(
      'Cannot use secretKey: the CryptoKey lacks a usage; import it with ["sign", "verify"]',
    );
  }
  return key;
}
