/**
 * Fernet tokens as bytes in and bytes out: AES-128-CBC, then HMAC-SHA-256.
 *
 * @see {@link https://github.com/fernet/spec/blob/master/Spec.md | Fernet Spec}
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";
import {
  type Bytes,
  decodeBase64Url,
  decodePaddedBase64Url,
  padBase64Url,
} from "../bytes.ts";
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

/** When a token is read, and how old it may be. */
export interface FernetTimes {
  /** The time, in seconds since the epoch. */
  now: number;
  /** How long it is valid, in seconds; without end where `undefined`. */
  maxAge: number | undefined;
}

/** What a token is read with. */
export interface FernetDecryptOptions extends FernetTimes {
  /** The keys, tried in their order. */
  keys: readonly FernetKey[];
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
 * Reads a token: Fernet Spec, Verifying, but the MAC is first, so that nothing
 * unsigned is looked at. What is wrong with a token is not told.
 */
export async function decryptToken(
  token: string,
  options: FernetDecryptOptions,
): Promise<Bytes | null> {
  const bytes = decodePaddedBase64Url(token);
  if (bytes === null || !hasTokenLength(bytes)) return null;
  const key = await findKey(bytes, options.keys);
  if (key === undefined) return null;
  if (bytes[0] !== VERSION || !hasGoodTime(bytes, options)) return null;
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

/** Whether the time in a well-formed token is past, and not too long ago. */
export function isTimely(token: string, times: FernetTimes): boolean {
  const head = decodeBase64Url(token.slice(0, HEAD_LENGTH));
  return head?.length === IV_OFFSET && hasGoodTime(head, times);
}

function hasGoodTime(bytes: Bytes, { now, maxAge }: FernetTimes): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + TIME_OFFSET);
  const time = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  return time <= now + CLOCK_SKEW &&
    (maxAge === undefined || now < time + maxAge);
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
