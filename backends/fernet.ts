/**
 * A session as a Fernet token: encrypted with AES-128-CBC and signed with
 * HMAC-SHA-256, so that a client can neither read nor change it.
 *
 * The tokens are those of Python's `cryptography.fernet` and of Muffin's
 * `session_type="fernet"`.
 *
 * @example Encrypt and decrypt a token
 * ```ts
 * import { fernetBackend } from "@denizen/session/fernet";
 * import { generateSecretKey } from "@denizen/session/helpers";
 * import { assertEquals } from "@std/assert";
 *
 * const backend = fernetBackend({ secretKey: generateSecretKey() });
 * const token = await backend.save({ n: 1 });
 * assertEquals(await backend.load(token), { n: 1 });
 * assertEquals(await backend.load(token.replace("g", "h")), null);
 * ```
 *
 * @see {@link https://github.com/fernet/spec/blob/master/Spec.md | Fernet Spec}
 *
 * @module
 */

import type { Backend, RejectReason, SecretKey } from "./backend.ts";
import {
  type Bytes,
  decodePaddedBase64Url,
  decodeUtf8,
  encodeUtf8,
} from "./tokens/bytes.ts";
import {
  decryptToken,
  encryptToken,
  FERNET_KEY_BYTES,
  type FernetKey,
  importFernetKey,
  tokenTimeProblem,
} from "./tokens/fernet_token.ts";
import { checkOptions, type Checks, checkSeconds, ofType } from "./check.ts";
import { keyBytes, toKeyList } from "./tokens/keys.ts";
import { TokenBackend, type TokenCodec } from "./tokens/token_backend.ts";

export type { Backend, Payload, SecretKey } from "./backend.ts";

/** What keys are derived for (RFC 5869 section 3.2). */
const KEY_PURPOSE = "denizen fernet";

const CHECKS: Checks<FernetBackendOptions> = {
  secretKey: () => {}, // Checked by checkKeys.
  maxAge: checkSeconds,
  clock: ofType("function"),
};

/** Options of {@linkcode fernetBackend}. */
export interface FernetBackendOptions {
  /**
   * The secret key, or a list of them for rotation: the first encrypts, all
   * decrypt, at most four. A key is one of
   *
   * - a Fernet key: 32 bytes as base64url with padding, 44 characters, as
   *   `Fernet.generate_key()` makes them in Python;
   * - exactly 32 bytes, as a `Uint8Array` or as a string in UTF-8: they are the
   *   Fernet key, as they are in Muffin;
   * - anything longer, such as `generateSecretKey()` makes: the Fernet key is
   *   derived from it by HKDF-SHA-256, with no salt and the info
   *   `denizen fernet`.
   *
   * A `CryptoKey` is none: it signs or encrypts, and this needs both.
   */
  secretKey: SecretKey | readonly SecretKey[];
  /**
   * How long a token is valid after it was made, in seconds: what the Fernet
   * Spec calls its TTL. Without it, the payload's own `exp` is the only end.
   */
  maxAge?: number;
  /**
   * Milliseconds since the epoch; for tests.
   *
   * @default {Date.now}
   */
  clock?: () => number;
}

/**
 * Makes a backend of Fernet tokens. A session makes its own from its
 * `secretKey`; this is for tokens outside of sessions.
 *
 * @example Share a key with Python's `cryptography.fernet`
 * ```ts
 * import { fernetBackend } from "@denizen/session/fernet";
 * import { assertEquals } from "@std/assert";
 *
 * // The Fernet Spec's example key. Make one with Fernet.generate_key().
 * const secretKey = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
 * const backend = fernetBackend({ secretKey, maxAge: 3600 });
 * const token = await backend.save({ n: 1 });
 * assertEquals(await backend.load(token), { n: 1 });
 * ```
 *
 * @param options The options; a secret key is needed.
 * @returns The backend.
 * @throws {TypeError} If the key list is empty, a key is a `CryptoKey` or of
 * another kind, or `maxAge` is not a number.
 * @throws {RangeError} If a key has fewer than 32 bytes, there are more than
 * four, or `maxAge` is not above 0.
 */
export function fernetBackend(options: FernetBackendOptions): Backend {
  const codec = new FernetCodec(options);
  return new TokenBackend(codec, options.clock);
}

class FernetCodec implements TokenCodec {
  readonly form = /^[\w-]+={0,2}$/;
  readonly #secretKeys: readonly (string | Uint8Array)[];
  readonly #maxAge: number | undefined;
  #keys: FernetKey[] | undefined;

  constructor(options: FernetBackendOptions) {
    const { secretKey, maxAge } = checkOptions(options, CHECKS);
    this.#secretKeys = checkKeys(secretKey);
    this.#maxAge = maxAge;
  }

  async encode(text: string, now: number): Promise<string> {
    const [key] = this.#keys ?? await this.#importKeys();
    return encryptToken(encodeUtf8(text), { key, time: Math.floor(now) });
  }

  async decode(token: string): Promise<string | null> {
    const keys = this.#keys ?? await this.#importKeys();
    const bytes = await decryptToken(token, keys);
    return bytes && decodeUtf8(bytes);
  }

  timeProblem(token: string, now: number): RejectReason | undefined {
    return tokenTimeProblem(token, now, this.#maxAge);
  }

  async #importKeys(): Promise<FernetKey[]> {
    return this.#keys = await Promise.all(
      this.#secretKeys.map(async (key) =>
        importFernetKey(await fernetKey(key))
      ),
    );
  }
}

/** The 32 bytes that a secret key stands for. */
function fernetKey(key: string | Uint8Array): Bytes | Promise<Bytes> {
  const decoded = typeof key === "string" ? decodePaddedBase64Url(key) : null;
  if (decoded?.length === FERNET_KEY_BYTES) return decoded;
  const bytes = keyBytes(key);
  return bytes.length === FERNET_KEY_BYTES ? bytes : deriveKey(bytes);
}

/** HKDF of RFC 5869, with no salt. */
async function deriveKey(bytes: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", bytes, "HKDF", false, [
    "deriveBits",
  ]);
  const algorithm = {
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info: encodeUtf8(KEY_PURPOSE),
  };
  return new Uint8Array(
    await crypto.subtle.deriveBits(algorithm, key, FERNET_KEY_BYTES * 8),
  );
}

function checkKeys(
  secretKey: SecretKey | readonly SecretKey[] | undefined,
): (string | Uint8Array)[] {
  const keys: unknown[] = Array.isArray(secretKey) ? secretKey : [secretKey];
  // Before toKeyList, which says what a CryptoKey must be for a JWT.
  if (keys.some((key) => key instanceof CryptoKey)) {
    throw new TypeError(
      "Cannot use secretKey: the fernet backend makes two keys of one, which a CryptoKey does not allow; pass the bytes it was imported from",
    );
  }
  return toKeyList(secretKey).filter(isBytesOrText);
}

function isBytesOrText(key: SecretKey): key is string | Uint8Array {
  return !(key instanceof CryptoKey);
}
