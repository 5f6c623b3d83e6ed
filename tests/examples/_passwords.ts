/**
 * Logins without the 600,000 rounds that each of them costs.
 *
 * @module
 */

import { decodeBase64Url } from "@std/encoding/base64url";

const SUSANS_SALT = "MzeJXh8pIzMQDPPCMwANEw";
const DAVIDS_SALT = "q9Jnl9CK6RXRcH9I85oJ-w";
const NOBODYS_SALT = "AAAAAAAAAAAAAAAAAAAAAA";

/** `hashlib.pbkdf2_hmac("sha256", password, salt, 600000)` of Python 3.11. */
const KEYS: [password: string, salt: string, key: string][] = [
  ["hello", SUSANS_SALT, "hXQZvyjuUL5Bw289uY7plpDqZc2MLR9jDg7GMHiTSpY"],
  ["bye", SUSANS_SALT, "17-23E_tZXAX9eAG-m5U-CGgkLEHGqpwpU9Mz5m4IZQ"],
  ["hello", DAVIDS_SALT, "PJbKzM-0q3d0bamHvfeMQj6qszW47UyIL3d905JcLfQ"],
  ["bye", DAVIDS_SALT, "cruyLKJB3VNgOEv4pShNedZL1Y65du8Hc0oFPhV3q7I"],
  ["", NOBODYS_SALT, "ZCf5sFgmzUyINw9KHbD3D7yfZeEhzG4rZ3uutOc2Yog"],
];

/** From now on these keys are known; all others are derived as ever. */
export function knowKeys(): void {
  const known = new Map<string, ArrayBuffer>();
  for (const [password, salt, key] of KEYS) {
    const bytes = new TextEncoder().encode(password);
    const id = [bytes, decodeBase64Url(salt), 600_000, 256].join(";");
    known.set(id, decodeBase64Url(key).buffer);
  }
  const { subtle } = crypto;
  const { importKey, deriveBits } = subtle;
  const passwords = new WeakMap<CryptoKey, string>();
  Object.assign(subtle, {
    async importKey(...args: Parameters<SubtleCrypto["importKey"]>) {
      const key = await importKey.apply(subtle, args);
      const [_format, bytes, algorithm] = args;
      if (algorithm === "PBKDF2") passwords.set(key, String(bytes));
      return key;
    },
    deriveBits(...args: Parameters<SubtleCrypto["deriveBits"]>) {
      const [algorithm, key, length] = args;
      const { salt, iterations } = algorithm as Pbkdf2Params; // where it is one
      const id = [passwords.get(key), salt, iterations, length].join(";");
      const bits = known.get(id)?.slice();
      return bits ? Promise.resolve(bits) : deriveBits.apply(subtle, args);
    },
  });
}
