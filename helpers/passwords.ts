/**
 * Passwords as PBKDF2-HMAC-SHA-256 hashes (RFC 8018), made with Web Crypto.
 *
 * The form is that of Python's passlib. Those of Werkzeug (Flask), Django and
 * the example of Microdot are read as well, so that users move over with their
 * passwords. Only those of Microdot's with more than 64 bytes do not: that
 * example has an HMAC of its own for them.
 *
 * @example Hash a password, and verify it
 * ```ts
 * import { hashPassword, verifyPassword } from "@denizen/session/passwords";
 * import { assert } from "@std/assert";
 *
 * const hash = await hashPassword("correct horse battery staple");
 * assert(hash.startsWith("$pbkdf2-sha256$600000$"));
 * assert(await verifyPassword("correct horse battery staple", hash));
 * assert(!await verifyPassword("wrong", hash));
 * assert(!await verifyPassword("wrong", undefined)); // There is no such user.
 * ```
 *
 * @module
 */

import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { checkType } from "../backends/check.ts";
import { guard } from "../backends/stores/unawaited.ts";

/** What one guess costs whoever got hold of the hashes; see OWASP's advice. */
const ITERATIONS = 600_000;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** The longest password, in bytes: no person types more. */
const MAX_BYTES = 1024;

/** Bytes that own their memory, as Web Crypto wants them. */
type Bytes = Uint8Array<ArrayBuffer>;

/** A hash in its parts. */
interface Hash {
  iterations: number;
  salt: Bytes;
  key: Bytes;
}

/** Reads bytes from text. */
type Decode = (text: string) => Bytes;

/** Forms of a hash, with keys of 32 bytes, and how salt and key are written. */
const FORMS: readonly [form: RegExp, salt: Decode, key: Decode][] = [
  // passlib: base64 with "." for "+", without padding.
  [
    /^\$pbkdf2-sha256\$(?<rounds>[1-9]\d{0,8})\$(?<salt>(?:[A-Za-z\d./]{4})*(?:[A-Za-z\d./]{2,3})?)\$(?<key>[A-Za-z\d./]{43})$/,
    fromBase64,
    fromBase64,
  ],
  // Werkzeug: text and hexadecimal digits.
  [
    /^pbkdf2:sha256:(?<rounds>[1-9]\d{0,8})\$(?<salt>[^$]+)\$(?<key>[\da-f]{64})$/,
    encode,
    fromHex,
  ],
  // Django: text and base64.
  [
    /^pbkdf2_sha256\$(?<rounds>[1-9]\d{0,8})\$(?<salt>[^$]+)\$(?<key>[A-Za-z\d+/]{43}=)$/,
    encode,
    fromBase64,
  ],
  // Microdot's example: hexadecimal digits.
  [
    /^pbkdf2-hmac-sha256:(?<salt>(?:[\da-f]{2})+):(?<rounds>[1-9]\d{0,8}):(?<key>[\da-f]{64})$/,
    fromHex,
    fromHex,
  ],
];

/** Nobody's hash: no password leads to it. */
const NOBODY: Hash = {
  iterations: ITERATIONS,
  salt: new Uint8Array(SALT_BYTES),
  key: new Uint8Array(KEY_BYTES),
};

/** How many hashes are being made, and what waits for its turn. */
let running = 0;
const waiting: (() => void)[] = [];

/**
 * Hashes a password, to be stored in place of it. It takes tenths of a second,
 * and so does each guess of whoever steals the hash.
 *
 * @example Usage
 * ```ts
 * import { hashPassword } from "@denizen/session/passwords";
 * import { assert } from "@std/assert";
 *
 * const hash = await hashPassword("correct horse battery staple");
 * assert(hash.startsWith("$pbkdf2-sha256$600000$"));
 * ```
 *
 * @param password The password, as it was typed.
 * @returns The hash: `$pbkdf2-sha256$600000$<salt>$<key>`.
 * @throws {TypeError} If it is no string.
 * @throws {RangeError} If it has more than 1,024 bytes.
 */
export function hashPassword(password: string): Promise<string> {
  return guard(hash(password));
}

/**
 * Whether a password belongs to a hash.
 *
 * Without a hash, because there is no such user, the answer is no and takes as
 * long: the time names no users.
 *
 * @example A hash that Django made
 * ```ts
 * import { verifyPassword } from "@denizen/session/passwords";
 * import { assert } from "@std/assert";
 *
 * const hash =
 *   "pbkdf2_sha256$1$salt$+BpWJdSiLIBOJDJnsyen3BzTiW25rdULdCKqXEsxahM=";
 * assert(await verifyPassword("hello", hash));
 * assert(!await verifyPassword("wrong", hash));
 * assert(!await verifyPassword("wrong", undefined)); // There is no such user.
 * ```
 *
 * @param password The password, as it was typed; anything at all.
 * @param hash The hash that was stored, if there is one.
 * @returns Whether it does; `false` for more than 1,024 bytes, before any work.
 * @throws {TypeError} If the hash is of a form that is not known: nobody shall
 * be locked out silently.
 */
export function verifyPassword(
  password: unknown,
  hash: string | null | undefined,
): Promise<boolean> {
  return guard(verify(password, hash));
}

/**
 * Whether a hash is weaker than one made today, or of another form: hash the
 * password anew after it was verified.
 *
 * @example Usage
 * ```ts
 * import { needsRehash } from "@denizen/session/passwords";
 * import { assert } from "@std/assert";
 *
 * assert(needsRehash("pbkdf2-hmac-sha256:00ff:1000:00ff"));
 * ```
 *
 * @param hash The hash that was stored.
 * @returns Whether it should be replaced.
 * @throws {TypeError} If it is no string.
 */
export function needsRehash(hash: string): boolean {
  checkType("hash", hash, "string");
  const [, form, rounds] = hash.split("$");
  return form !== "pbkdf2-sha256" || !(Number(rounds) >= ITERATIONS);
}

async function hash(password: string): Promise<string> {
  const bytes = bytesOf(password);
  if (bytes === null) {
    throw new RangeError(
      `Cannot hash password: it has more than ${MAX_BYTES} bytes`,
    );
  }
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const key = await derive(bytes, { iterations: ITERATIONS, salt }, KEY_BYTES);
  return `$pbkdf2-sha256$${ITERATIONS}$${toBase64(salt)}$${toBase64(key)}`;
}

async function verify(
  password: unknown,
  hash: string | null | undefined,
): Promise<boolean> {
  const isNobody = hash === undefined || hash === null;
  const { iterations, salt, key } = isNobody ? NOBODY : parse(hash);
  const bytes = typeof password === "string" ? bytesOf(password) : null;
  if (bytes === null) return false;
  const derived = await derive(bytes, { iterations, salt }, key.length);
  return isEqual(derived, key) && !isNobody;
}

/** The bytes of a password, or `null` where it is too long to be one. */
function bytesOf(password: string): Bytes | null {
  if (typeof password !== "string") {
    throw new TypeError(
      `Cannot hash password: it must be a string, not ${typeof password}`,
    );
  }
  // A string has no fewer bytes than characters.
  if (password.length > MAX_BYTES) return null;
  const bytes = encode(password);
  return bytes.length > MAX_BYTES ? null : bytes;
}

function parse(hash: string): Hash {
  for (const [form, decodeSalt, decodeKey] of FORMS) {
    const { rounds, salt, key } = form.exec(hash)?.groups ?? {};
    if (key === undefined) continue;
    const iterations = Number(rounds);
    return { iterations, salt: decodeSalt(salt), key: decodeKey(key) };
  }
  throw new TypeError(
    "Cannot verify password: its hash has none of the forms that are known; those are PBKDF2-SHA256 of passlib, Werkzeug, Django and Microdot's example",
  );
}

async function derive(
  password: Bytes,
  { iterations, salt }: Pick<Hash, "iterations" | "salt">,
  length: number,
): Promise<Bytes> {
  await begin();
  try {
    const key = await crypto.subtle.importKey(
      "raw",
      password,
      "PBKDF2",
      false,
      [
        "deriveBits",
      ],
    );
    const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
    return new Uint8Array(
      await crypto.subtle.deriveBits(algorithm, key, length * 8),
    );
  } finally {
    end();
  }
}

/** Waits while too many are being made: a core is left to other requests. */
async function begin(): Promise<void> {
  const most = Math.max(1, (navigator.hardwareConcurrency || 2) - 1);
  if (running < most) running++;
  else await new Promise<void>((resolve) => waiting.push(resolve));
}

/** Hands the turn to who has waited longest. */
function end(): void {
  const next = waiting.shift();
  if (next === undefined) running--;
  else next();
}

/** Takes the same time wherever two values differ. */
function isEqual(a: Bytes, b: Bytes): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

function encode(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** passlib's base64: "." for "+", without padding. */
function toBase64(bytes: Bytes): string {
  return encodeBase64Url(bytes).replaceAll("-", ".").replaceAll("_", "/");
}

/** Base64 of any spelling. */
function fromBase64(text: string): Bytes {
  return decodeBase64Url(text.replaceAll(/[+.]/g, "-").replaceAll("/", "_"));
}

function fromHex(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
