/**
 * Fernet tokens as bytes in and bytes out: AES-128-CBC, then HMAC-SHA-256.
 *
 * @see {@link https://github.com/fernet/spec/blob/master/Spec.md | Fernet Spec}
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";
import type { RejectReason } from "../backend.ts";
import { type Bytes, decodePaddedBase64Url, padBase64Url } from "./bytes.ts";
import { CLOCK_SKEW } from "../claims.ts";
import { importHmacBytes } from "./keys.ts";

/** The bytes of a Fernet key: one half signs, the other encrypts. */
export const FERNET_KEY_BYTES = 32;

const VERSION = 0x80;
const AES_CBC = "AES-CBC";
const BLOCK_BYTES = 16;
const MAC_BYTES = 32;
const TIME_OFFSET = 1;
const IV_OFFSET = 9;
const CIPHERTEXT_OFFSET = IV_OFFSET + BLOCK_BYTES;
/** The characters that spell the version and the time, and nothing else. */
const HEAD_LENGTH = IV_OFFSET / 3 * 4;

/** The two halves of a Fernet key. */
export interface FernetKey {
  /** For HMAC-SHA-256. */
  signing: CryptoKey;
  /** For AES-128-CBC. */
  encryption: CryptoKey;
}

/** What a token is made with beside its content. */
export interface FernetEncryptOptions {
  /** The key that signs and encrypts. */
  key: FernetKey;
  /** When it is made, in whole seconds since the epoch. */
  time: number;
  /** 16 bytes that no other token has; random ones where left out. */
  iv?: Bytes;
}

/** Imports the 32 bytes of a key: the first half signs, the second encrypts. */
export async function importFernetKey(bytes: Bytes): Promise<FernetKey> {
  const half = FERNET_KEY_BYTES / 2;
  const [signing, encryption] = await Promise.all([
    importHmacBytes(bytes.slice(0, half)),
    crypto.subtle.importKey("raw", bytes.slice(half), AES_CBC, false, [
      "encrypt",
      "decrypt",
    ]),
  ]);
  return { signing, encryption };
}

/** Makes a token: Fernet Spec, Generating. */
export async function encryptToken(
  data: Bytes,
  options: FernetEncryptOptions,
): Promise<string> {
  const { key, time } = options;
  const iv = options.iv ?? crypto.getRandomValues(new Uint8Array(BLOCK_BYTES));
  const algorithm = { name: AES_CBC, iv };
  const ciphertext = new Uint8Array(
    await crypto.subtle.encrypt(algorithm, key.encryption, data),
  );
  const signedLength = CIPHERTEXT_OFFSET + ciphertext.length;
  const token = new Uint8Array(signedLength + MAC_BYTES);
  token[0] = VERSION;
  new DataView(token.buffer).setBigUint64(TIME_OFFSET, BigInt(time));
  token.set(iv, IV_OFFSET);
  token.set(ciphertext, CIPHERTEXT_OFFSET);
  const signed = token.subarray(0, signedLength);
  const mac = await crypto.subtle.sign("HMAC", key.signing, signed);
  token.set(new Uint8Array(mac), signedLength);
  return padBase64Url(encodeBase64Url(token));
}

/**
 * Reads a token: Fernet Spec, Verifying, but for its time, and the MAC is first,
 * so that nothing unsigned is looked at. What is wrong with a token is not told.
 *
 * @param keys The keys, tried in their order.
 */
export async function decryptToken(
  token: string,
  keys: readonly FernetKey[],
): Promise<Bytes | null> {
  const bytes = decodePaddedBase64Url(token);
  if (bytes === null || !hasTokenLength(bytes)) return null;
  const key = await findKey(bytes, keys);
  if (key === undefined || bytes[0] !== VERSION) return null;
  const iv = bytes.subarray(IV_OFFSET, CIPHERTEXT_OFFSET);
  const ciphertext = bytes.subarray(CIPHERTEXT_OFFSET, -MAC_BYTES);
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(
        { name: AES_CBC, iv },
        key.encryption,
        ciphertext,
      ),
    );
  } catch (error) {
    if (isBadPadding(error)) return null;
    throw error;
  }
}

/**
 * What is wrong with the time in a well-formed token, if anything. All times
 * are in seconds.
 */
export function tokenTimeProblem(
  token: string,
  now: number,
  maxAge = Infinity,
): RejectReason | undefined {
  const time = timeOf(token);
  if (time > now + CLOCK_SKEW) return "not yet valid";
  return now >= time + maxAge ? "expired" : undefined;
}

/** At least one block of ciphertext, and whole blocks only. */
function hasTokenLength(bytes: Bytes): boolean {
  const length = bytes.length - CIPHERTEXT_OFFSET - MAC_BYTES;
  return length >= BLOCK_BYTES && length % BLOCK_BYTES === 0;
}

/** The key that made the token's MAC. */
async function findKey(
  bytes: Bytes,
  keys: readonly FernetKey[],
): Promise<FernetKey | undefined> {
  const signed = bytes.subarray(0, -MAC_BYTES);
  const mac = bytes.subarray(-MAC_BYTES);
  for (const key of keys) {
    if (await crypto.subtle.verify("HMAC", key.signing, mac, signed)) {
      return key;
    }
  }
}

function isBadPadding(error: unknown): boolean {
  return error instanceof DOMException && error.name === "OperationError";
}

/** When a token was made, in seconds since the epoch. */
function timeOf(token: string): number {
  const head = token.slice(0, HEAD_LENGTH);
  const bytes = atob(head.replaceAll("-", "+").replaceAll("_", "/"));
  let time = 0;
  for (let i = TIME_OFFSET; i < IV_OFFSET; i++) {
    time = time * 256 + bytes.charCodeAt(i);
  }
  return time;
}
