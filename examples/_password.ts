/**
 * Passwords as PBKDF2-HMAC-SHA256 hashes (RFC 8018), made with Web Crypto.
 * Make a hash of your own:
 *
 *     deno run examples/_password.ts
 *
 * @module
 */

import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";

/** What one guess costs whoever got hold of the hashes; see OWASP's advice. */
const ITERATIONS = 600_000;

/** Nobody's hash: no password leads to 32 zero bytes. */
const NOBODY = `pbkdf2-sha256$${ITERATIONS}$${"A".repeat(22)}$${
  "A".repeat(43)
}`;

/** A hash to store: `pbkdf2-sha256$<iterations>$<salt>$<key>`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const key = await derive(password, salt, ITERATIONS);
  const [saltText, keyText] = [encodeBase64Url(salt), encodeBase64Url(key)];
  return `pbkdf2-sha256$${ITERATIONS}$${saltText}$${keyText}`;
}

/**
 * Whether a password belongs to a hash. Without a hash, because there is no
 * such user, the answer is no and takes as long: the time names no users.
 */
export async function verifyPassword(
  password: string,
  hash = NOBODY,
): Promise<boolean> {
  const [scheme, iterations, salt, key] = hash.split("$");
  if (scheme !== "pbkdf2-sha256") {
    throw new TypeError("Cannot verify password: its hash is of another kind");
  }
  return await isEqual(
    await derive(password, decodeBase64Url(salt), Number(iterations)),
    decodeBase64Url(key),
  );
}

async function derive(
  password: string,
  salt: Uint8Array<ArrayBuffer>,
  iterations: number,
): Promise<Uint8Array<ArrayBuffer>> {
  // One spelling of "é", whichever way a keyboard makes it.
  const bytes = new TextEncoder().encode(password.normalize("NFKC"));
  const key = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, [
    "deriveBits",
  ]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 256));
}

/** `verify` takes the same time wherever two values differ; `===` does not. */
async function isEqual(
  a: Uint8Array<ArrayBuffer>,
  b: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const algorithm: HmacKeyGenParams = { name: "HMAC", hash: "SHA-256" };
  const uses: KeyUsage[] = ["sign", "verify"];
  const key = await crypto.subtle.generateKey(algorithm, false, uses);
  const signature = await crypto.subtle.sign("HMAC", key, b);
  return await crypto.subtle.verify("HMAC", key, signature, a);
}

if (import.meta.main) {
  const password = prompt("Password:");
  if (password) console.log(await hashPassword(password));
}
