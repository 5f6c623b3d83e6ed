/**
 * URL-safe base64 with padding, by other code than the backends have.
 *
 * @module
 */

/** Encodes bytes, or text as UTF-8. */
export function toBase64(content: string | Uint8Array): string {
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  return bytes.toBase64({ alphabet: "base64url" });
}

/** Decodes it. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}
