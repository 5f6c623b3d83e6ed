/**
 * A stand-in for `@std/encoding/base64url` on machines that can't reach JSR.
 *
 * @module
 */

const ALPHABET =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Encodes bytes, or text as UTF-8, as base64url without padding. */
export function encodeBase64Url(
  data: ArrayBuffer | Uint8Array | string,
): string {
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : new Uint8Array(data);
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const bits = a << 16 | b << 8 | c;
    for (const shift of [18, 12, 6, 0]) text += ALPHABET[bits >> shift & 63];
  }
  return text.slice(0, Math.ceil(bytes.length * 4 / 3));
}

/** Decodes base64url, with or without padding; stray trailing bits are dropped. */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> {
  // A character for each byte of it in UTF-8.
  const utf8 = Array.from(
    new TextEncoder().encode(text),
    (byte) => String.fromCharCode(byte),
  ).join("");
  if (/=[^=]$/.test(utf8)) {
    throw new TypeError(
      "Cannot decode input as base64: it has an invalid character",
    );
  }
  const bare = utf8.replace(/={1,2}$/, "");
  if (bare.length % 4 === 1) {
    throw new RangeError(
      "Cannot decode input as base64: its length must not leave a remainder of 1 when divided by 4",
    );
  }
  const bytes = new Uint8Array(Math.floor(bare.length * 3 / 4));
  for (let i = 0, bits = 0; i < bare.length; i++) {
    const value = ALPHABET.indexOf(bare[i]);
    if (value === -1) {
      throw new TypeError(
        "Cannot decode input as base64: it has an invalid character",
      );
    }
    bits = bits << 6 | value;
    if (i % 4 === 0) continue;
    bytes[Math.floor(i / 4) * 3 + i % 4 - 1] = bits >> 6 - i % 4 * 2;
  }
  return bytes;
}
