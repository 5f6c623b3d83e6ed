/**
 * Strict base64url, UTF-8 and JSON: one spelling per value, and `null` for
 * anything else.
 *
 * @module
 */

import { decodeBase64Url as decodeLax } from "@std/encoding/base64url";
import type { Payload } from "../backend.ts";

/** Bytes that own their memory, as Web Crypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The longest cookie value that is looked at, in characters. */
export const MAX_VALUE_LENGTH = 4096;

const BASE64URL = /^[A-Za-z0-9_-]*$/;
// A last character that leaves no stray bits behind one byte (two characters)
// or two bytes (three characters): RFC 4648 section 3.5.
const LAST_OF_TWO = /[AQgw]$/;
const LAST_OF_THREE = /[AEIMQUYcgkosw048]$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Checks the JSON text of a session that a cookie is to hold.
 *
 * @throws {RangeError} If it would be too long, in whatever spelling.
 */
export function checkLength(text: string): void {
  if (text.length <= MAX_VALUE_LENGTH) return;
  throw new RangeError(
    `Cannot save session: its data are ${text.length} characters as JSON, over the limit of ${MAX_VALUE_LENGTH} bytes for a cookie; store less, or use the kv backend`,
  );
}

/** Encodes text as UTF-8. */
export function encodeUtf8(text: string): Bytes {
  return encoder.encode(text);
}

/** Decodes UTF-8, or returns `null` where the bytes are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Writes bytes in hexadecimal digits. */
export function encodeHex(bytes: ArrayBuffer): string {
  let text = "";
  for (const byte of new Uint8Array(bytes)) {
    text += byte.toString(16).padStart(2, "0");
  }
  return text;
}

/** Decodes base64url in its one canonical spelling without padding. */
export function decodeBase64Url(text: string): Bytes | null {
  return isCanonical(text) ? decodeLax(text) : null;
}

/** Whether text is base64url in its one canonical spelling without padding. */
export function isCanonical(text: string): boolean {
  if (!BASE64URL.test(text)) return false;
  switch (text.length % 4) {
    case 1:
      return false;
    case 2:
      return LAST_OF_TWO.test(text);
    case 3:
      return LAST_OF_THREE.test(text);
  }
  return true;
}

/** Decodes base64url in its one canonical spelling with padding. */
export function decodePaddedBase64Url(text: string): Bytes | null {
  const bare = text.replace(/={1,2}$/, "");
  return padBase64Url(bare) === text ? decodeBase64Url(bare) : null;
}

/** Appends the padding that `encodeBase64Url` leaves out. */
export function padBase64Url(text: string): string {
  return text + "=".repeat((4 - text.length % 4) % 4);
}

/**
 * Parses a JSON object; `null` for any other JSON and for none. So is one with
 * a number such as `1e400`: what is not finite, JSON could not hold again.
 */
export function parseJsonObject(text: string | null): Payload | null {
  if (text === null) return null;
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const isObject = typeof value === "object" && !Array.isArray(value);
  return isObject && isFinite(value) ? value : null;
}

/** Whether all numbers in JSON data are finite. */
function isFinite(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(isFinite);
}
