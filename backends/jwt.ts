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
import type { Backend, SecretKey } from "./backend.ts";
import {
  decodeBase64Url,
  decodeUtf8,
  encodeUtf8,
  parseJsonObject,
} from "./bytes.ts";
import { checkOptions, type Checks, ofType } from "./check.ts";
import { importHmacKey, toKeyList } from "./tokens/keys.ts";
import { TokenBackend, type TokenCodec } from "./tokens/token_backend.ts";

export type { Backend, Payload, SecretKey } from "./backend.ts";

const SIGNATURE_BYTES = 32;

const CHECKS: Checks<JwtBackendOptions> = {
  secretKey: () => {}, // Checked by toKeyList.
  type: ofType("string"),
  clock: ofType("function"),
};

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
  return new TokenBackend(new JwtCodec(options), options.clock);
}

class JwtCodec implements TokenCodec {
  readonly #secretKeys: readonly SecretKey[];
  readonly #type: string;
  readonly #header: string;
  #keys: CryptoKey[] | undefined;

  constructor(options: JwtBackendOptions) {
    checkOptions(options, CHECKS);
    this.#secretKeys = toKeyList(options.secretKey);
    this.#type = options.type ?? "JWT";
    const header = JSON.stringify({ alg: "HS256", typ: this.#type });
    this.#header = encodeBase64Url(header);
  }

  async encode(text: string): Promise<string> {
    const signingInput = `${this.#header}.${encodeBase64Url(text)}`;
    const [key] = this.#keys ?? await this.#importKeys();
    const signature = await crypto.subtle.sign(
      "HMAC",
      key,
      encodeUtf8(signingInput),
    );
    return `${signingInput}.${encodeBase64Url(signature)}`;
  }

  /** RFC 7515 section 5.2: the signature first, and only then what it covers. */
  async decode(token: string): Promise<string | null> {
    const parts = token.split(".");
    if (parts.length !== 3) return null;
    const [header, body, mac] = parts;
    const signature = decodeBase64Url(mac);
    if (signature?.length !== SIGNATURE_BYTES) return null;
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
      : this.#type === "JWT";
  }
}

function decodeText(part: string): string | null {
  const bytes = decodeBase64Url(part);
  return bytes && decodeUtf8(bytes);
}
