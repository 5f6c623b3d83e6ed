/**
 * HS256 JSON Web Tokens (RFC 7519, RFC 7515) as text in and text out.
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";
import type { SecretKey } from "../backend.ts";
import {
  decodeBase64Url,
  decodeUtf8,
  encodeUtf8,
  isCanonical,
  parseJsonObject,
} from "./bytes.ts";
import { importHmacKey } from "./keys.ts";
import type { TokenCodec } from "./token_backend.ts";

/** The type of a session's token; one without a type counts as this. */
export const SESSION_TYPE = "JWT";

/** 32 bytes in base64url. */
const MAC_LENGTH = 43;
const NOT_ASCII = /[^\0-\x7F]/;

/** What a codec is made from. */
export interface JwtCodecOptions {
  /** The keys, checked: the first signs, all verify. */
  keys: readonly SecretKey[];
  /** The `typ` header. */
  type: string;
}

/** Makes and verifies tokens of one type. */
export class JwtCodec implements TokenCodec {
  readonly form = /^[\w-]+\.[\w-]+\.[\w-]{43}$/;
  readonly #secretKeys: readonly SecretKey[];
  readonly #type: string;
  readonly #header: string;
  #keys: CryptoKey[] | undefined;

  constructor({ keys, type }: JwtCodecOptions) {
    this.#secretKeys = keys;
    this.#type = type;
    const header = JSON.stringify({ alg: "HS256", typ: type });
    this.#header = encodeBase64Url(header);
  }

  async encode(text: string): Promise<string> {
    const signingInput = `${this.#header}.${encodeText(text)}`;
    const [key] = this.#keys ?? await this.#importKeys();
    const signature = await crypto.subtle.sign(
      "HMAC",
      key,
      encodeUtf8(signingInput),
    );
    return `${signingInput}.${encodeMac(new Uint8Array(signature))}`;
  }

  /** RFC 7515 section 5.2: the signature first, and only then what it covers. */
  async decode(token: string): Promise<string | null> {
    const [header, body, mac] = token.split(".");
    const signature = decodeBase64Url(mac);
    if (signature === null) return null;
    const signingInput = encodeUtf8(`${header}.${body}`);
    for (const key of this.#keys ?? await this.#importKeys()) {
      if (await crypto.subtle.verify("HMAC", key, signature, signingInput)) {
        const isAccepted = header === this.#header ||
          this.#acceptsHeader(header);
        return isAccepted ? decodeText(body) : null;
      }
    }
    return null;
  }

  read(token: string): string {
    const part = token.slice(token.indexOf(".") + 1, -MAC_LENGTH - 1);
    return readText(part)!; // it was text
  }

  async #importKeys(): Promise<CryptoKey[]> {
    return this.#keys = await Promise.all(this.#secretKeys.map(importHmacKey));
  }

  /** The algorithm is ours to choose, never the token's: RFC 8725 section 3.1. */
  #acceptsHeader(part: string): boolean {
    const header = parseJsonObject(decodeText(part));
    if (header === null || header.alg !== "HS256") return false;
    if (Object.hasOwn(header, "crit") || Object.hasOwn(header, "b64")) {
      return false;
    }
    return Object.hasOwn(header, "typ")
      ? header.typ === this.#type
      : this.#type === SESSION_TYPE;
  }
}

// `btoa` and `atob` take a fraction of the time that bytes do, and every request
// waits for them.

function encodeText(text: string): string {
  return NOT_ASCII.test(text) ? encodeBase64Url(text) : encodeBinary(text);
}

/** Encodes a string that has a character for each byte. */
function encodeBinary(binary: string): string {
  const [text] = btoa(binary).split("=", 1);
  return text.replaceAll("+", "-").replaceAll("/", "_");
}

function encodeMac(mac: Uint8Array): string {
  // Not spread, which takes four times as long; any list of numbers will do.
  const bytes = mac as unknown as number[];
  return encodeBinary(String.fromCharCode.apply(null, bytes));
}

function decodeText(part: string): string | null {
  return isCanonical(part) ? readText(part) : null;
}

/** Decodes a part that is known to be canonical; `null` where it is no text. */
function readText(part: string): string | null {
  const binary = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  if (!NOT_ASCII.test(binary)) return binary;
  const bytes = decodeBase64Url(part);
  return bytes && decodeUtf8(bytes);
}
