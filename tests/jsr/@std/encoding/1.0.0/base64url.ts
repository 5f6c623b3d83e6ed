/**
 * A stand-in for `@std/encoding/base64url` on machines that can't reach JSR.
 *
 * @module
 */

const SPELLING = { alphabet: "base64url", omitPadding: true } as const;

/** Encodes bytes, or text as UTF-8, as base64url without padding. */
export function encodeBase64Url(
  data: ArrayBuffer | Uint8Array | string,
): string {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : new Uint8Array(data);
  return bytes.toBase64(SPELLING);
}

/** Decodes base64url, with or without padding; stray trailing bits are dropped. */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text.replace(/=+$/, ""), SPELLING);
  } catch {
    throw new TypeError("Cannot decode base64url: the input is malformed");
  }
}
