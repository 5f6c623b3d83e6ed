/**
 * Tokens beside the session's: of a type of their own, under keys that are
 * derived for one purpose from the session's, so that none is ever taken for
 * another.
 *
 * @module
 */

import type { Payload, SecretKey } from "../backends/backend.ts";
import { COOKIE } from "../backends/claims.ts";
import { MAX_VALUE_LENGTH } from "../backends/tokens/bytes.ts";
import { JwtCodec } from "../backends/tokens/jwt_token.ts";
import { deriveHmacKey } from "../backends/tokens/keys.ts";
import { TokenBackend } from "../backends/tokens/token_backend.ts";
import { TokenCache } from "../backends/tokens/token_cache.ts";
import type { SessionCore } from "../session/core.ts";

/** They are seldom read twice. */
const CACHE_BYTES = 65_536;
/** Room for the tokens that were forgotten while somebody is at work on them. */
const FORGOTTEN_BYTES = 65_536;

/** What tells tokens of one kind from all others. */
export interface TokenKind {
  /** The `typ` header (RFC 8725 section 3.11). */
  type: string;
  /** What the key is derived for. */
  purpose: string;
  /** What can't be done without a key, for an error. */
  action: string;
}

/** Makes and reads the tokens of one kind that belong to one session. */
export class PurposeTokens {
  readonly #core: SessionCore;
  readonly #kind: TokenKind;
  readonly #forgotten = new TokenCache(FORGOTTEN_BYTES);
  #keys: readonly SecretKey[] = [];
  #backend: Promise<TokenBackend> | undefined;

  /** Makes the tokens of a kind. */
  constructor(core: SessionCore, kind: TokenKind) {
    this.#core = core;
    this.#kind = kind;
  }

  /** @throws {TypeError} If there is no secret key to sign with. */
  checkKey(): void {
    if (this.#core.config.keys.length > 0) return;
    throw new TypeError(
      `Cannot ${this.#kind.action}: the session has no secretKey; give it one, whatever the backend`,
    );
  }

  /**
   * Makes a token, which names the session's cookie.
   *
   * @throws {RangeError} If it is too long to be read again.
   */
  async make(payload: Payload): Promise<string> {
    this.checkKey();
    const name = this.#core.config.cookie.name;
    const tokens = await this.#tokens();
    const token = await tokens.save({ ...payload, [COOKIE]: name });
    if (token.length <= MAX_VALUE_LENGTH) return token;
    throw new RangeError(
      `Cannot ${this.#kind.action}: the token has ${token.length} characters, over the limit of ${MAX_VALUE_LENGTH}; use a shorter id, security stamp and purpose`,
    );
  }

  /** The content of a token; `"expired"` if it was one of these once. */
  async read(token: string): Promise<Payload | "expired" | null> {
    if (this.#core.config.keys.length === 0) return null;
    const tokens = await this.#tokens();
    const payload = await tokens.load(token);
    if (payload === null) {
      return await tokens.explain(token) === "expired" ? "expired" : null;
    }
    return payload[COOKIE] === this.#core.config.cookie.name ? payload : null;
  }

  /** A token in place of one; `null` where that has just been forgotten. */
  async renew(token: string, payload: Payload): Promise<string | null> {
    return this.#forgotten.get(token) === undefined
      ? await this.make(payload)
      : null;
  }

  /** Forgets a token: whoever is at work on it shall not renew it. */
  forget(token: string): void {
    this.#forgotten.set(token);
  }

  /** The tokens' backend; made anew when the session's keys change. */
  #tokens(): Promise<TokenBackend> {
    const { keys, settings: { clock } } = this.#core.config;
    if (this.#backend === undefined || keys !== this.#keys) {
      const { purpose, type } = this.#kind;
      this.#keys = keys;
      const derived = keys.map((key) => deriveHmacKey(key, purpose));
      this.#backend = Promise.all(derived).then((keys) =>
        new TokenBackend(new JwtCodec({ keys, type }), clock, CACHE_BYTES)
      );
    }
    return this.#backend;
  }
}
