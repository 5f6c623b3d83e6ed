/**
 * The default backend: a session as an HS256 JSON Web Token (RFC 7519), signed
 * but readable.
 *
 * @example Sign and verify a token
 * ```ts
 * import { jwtBackend } from "@denizen/session/jwt";
 * import { generateSecretKey } from "@denizen/session/helpers";
 * import { assertEquals } from "@std/assert";
 *
 * const backend = jwtBackend({ secretKey: generateSecretKey() });
 * const token = await backend.save({ n: 1 });
 * assertEquals(await backend.load(token), { n: 1 });
 * assertEquals(await backend.load(token + "A"), null);
 * ```
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";
import type { Backend, Payload, SecretKey } from "./backend.ts";
import {
  type Bytes,
  decodeBase64Url,
  decodeUtf8,
  encodeUtf8,
  parseJsonObject,
} from "./_bytes.ts";
import { isCurrent } from "./_claims.ts";
import { importHmacKey, toKeyList } from "./_keys.ts";
import { TokenCache } from "./_token_cache.ts";

export type { Backend, Payload, SecretKey } from "./backend.ts";

/** The longest token that is looked at, in characters. */
const MAX_TOKEN_LENGTH = 4096;
const SIGNATURE_BYTES = 32;

/** Options of {@linkcode jwtBackend}. */
export interface JwtBackendOptions {
  /**
   * The secret key, or a list of them for rotation: the first signs, all
   * verify, at most four.
   */
  secretKey: SecretKey | readonly SecretKey[];
  /**
   * The `typ` header (RFC 8725 section 3.11): a token of one type is never
   * accepted as another. A token without a type counts as a `JWT`.
   *
   * @default {"JWT"}
   */
  type?: string;
  /**
   * Milliseconds since the epoch; for tests.
   *
   * @default {Date.now}
   */
  clock?: () => number;
}

/**
 * Makes a backend of HS256 JSON Web Tokens. A session makes its own from its
 * `secretKey`; this is for tokens outside of sessions.
 *
 * @example Rotate keys
 * ```ts
 * import { jwtBackend } from "@denizen/session/jwt";
 * import { assertEquals } from "@std/assert";
 *
 * const [oldKey, newKey] = ["a".repeat(32), "b".repeat(32)];
 * const token = await jwtBackend({ secretKey: oldKey }).save({ n: 1 });
 * const rotated = jwtBackend({ secretKey: [newKey, oldKey] });
 * assertEquals(await rotated.load(token), { n: 1 });
 * ```
 *
 * @param options The options; a secret key is needed.
 * @returns The backend.
 * @throws {TypeError} If the key list is empty or a key is of another kind.
 * @throws {RangeError} If a key has fewer than 32 bytes (RFC 7518 section 3.2)
 * or there are more than four.
 */
export function jwtBackend(options: JwtBackendOptions): Backend {
  return new JwtBackend(options);
}

class JwtBackend implements Backend {
  readonly authenticated = true;
  readonly #secretKeys: readonly SecretKey[];
  readonly #type: string;
  readonly #clock: () => number;
  readonly #header: string;
  readonly #cache = new TokenCache();
  #keys: CryptoKey[] | undefined;

  constructor(options: JwtBackendOptions) {
    this.#secretKeys = toKeyList(options.secretKey);
    this.#type = options.type ?? "JWT";
    this.#clock = options.clock ?? Date.now;
    const header = JSON.stringify({ alg: "HS256", typ: this.#type });
    this.#header = encodeBase64Url(header);
  }

  // Not async: a token seen before costs its reader no turn of the event loop.
  load(token: string): Payload | null | Promise<Payload | null> {
    const text = this.#cache.get(token);
    if (text === undefined) return this.#verify(token);
    return this.#current(parseJsonObject(text));
  }

  async save(payload: Payload): Promise<string> {
    const text = JSON.stringify(payload);
    const signingInput = `${this.#header}.${encodeBase64Url(text)}`;
    const [key] = this.#keys ?? await this.#importKeys();
    const signature = await crypto.subtle.sign(
      "HMAC",
      key,
      encodeUtf8(signingInput),
    );
    const token = `${signingInput}.${encodeBase64Url(signature)}`;
    if (token.length <= MAX_TOKEN_LENGTH) this.#cache.set(token, text);
    return token;
  }

  remove(token: string): Promise<void> {
    this.#cache.delete(token);
    return Promise.resolve();
  }

  async #importKeys(): Promise<CryptoKey[]> {
    return this.#keys = await Promise.all(this.#secretKeys.map(importHmacKey));
  }

  #current(payload: Payload | null): Payload | null {
    const now = this.#clock() / 1000;
    return payload !== null && isCurrent(payload, now) ? payload : null;
  }

  /** RFC 7515 section 5.2: the signature first, and only then what it covers. */
  async #verify(token: string): Promise<Payload | null> {
    if (token.length > MAX_TOKEN_LENGTH) return null;
    const parts = token.split(".");
    if (parts.length !== 3) return null;
    const [header, body, mac] = parts;
    const signature = decodeBase64Url(mac);
    if (signature?.length !== SIGNATURE_BYTES) return null;
    const signingInput = encodeUtf8(`${header}.${body}`);
    if (!await this.#isSigned(signature, signingInput)) return null;

    if (header !== this.#header && !this.#acceptsHeader(header)) return null;
    const text = decodeText(body);
    const payload = this.#current(parseJsonObject(text));
    if (text !== null && payload !== null) {
      this.#cache.set(flatten(token), text);
    }
    return payload;
  }

  async #isSigned(signature: Bytes, signingInput: Bytes): Promise<boolean> {
    for (const key of this.#keys ?? await this.#importKeys()) {
      if (await crypto.subtle.verify("HMAC", key, signature, signingInput)) {
        return true;
      }
    }
    return false;
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
      : this.#type === "JWT";
  }
}

function decodeText(part: string): string | null {
  const bytes = decodeBase64Url(part);
  return bytes && decodeUtf8(bytes);
}

/** Copies a string, so that it keeps none of the longer one it came from. */
function flatten(token: string): string {
  return decodeUtf8(encodeUtf8(token)) ?? token;
}
