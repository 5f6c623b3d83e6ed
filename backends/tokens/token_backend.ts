/**
 * The part of a backend that all signed tokens share: the memory of verified
 * ones, and the checks of a payload.
 *
 * @module
 */

import type { Backend, Payload } from "../backend.ts";
import { flatten, MAX_VALUE_LENGTH, parseJsonObject } from "../bytes.ts";
import { isCurrent } from "../claims.ts";
import { TokenCache } from "./token_cache.ts";

/** Makes tokens of one kind, and verifies them. Times are in seconds. */
export interface TokenCodec {
  /** Makes a token that carries a text. */
  encode(text: string, now: number): Promise<string>;
  /** The text that a token carries, or `null` where the token is not valid. */
  decode(token: string, now: number): Promise<string | null>;
  /** Whether a token that was valid once is so now; yes without this method. */
  isTimely?(token: string, now: number): boolean;
}

/** A session as a token that its codec makes and verifies. */
export class TokenBackend implements Backend {
  readonly authenticated = true;
  readonly #codec: TokenCodec;
  readonly #clock: () => number;
  readonly #cache = new TokenCache();

  /** Makes a backend of one kind of token, with a memory of its own. */
  constructor(codec: TokenCodec, clock: () => number = Date.now) {
    this.#codec = codec;
    this.#clock = clock;
  }

  // Not async: a token seen before costs its reader no turn of the event loop.
  load(token: string): Payload | null | Promise<Payload | null> {
    const text = this.#cache.get(token);
    if (text === undefined) return this.#verify(token);
    const now = this.#now();
    if (this.#codec.isTimely?.(token, now) === false) return null;
    return current(text, now);
  }

  async save(payload: Payload): Promise<string> {
    const text = JSON.stringify(payload);
    const token = await this.#codec.encode(text, this.#now());
    if (token.length <= MAX_VALUE_LENGTH) this.#cache.set(token, text);
    return token;
  }

  remove(token: string): Promise<void> {
    this.#cache.delete(token);
    return Promise.resolve();
  }

  async #verify(token: string): Promise<Payload | null> {
    if (token.length > MAX_VALUE_LENGTH) return null;
    const now = this.#now();
    const text = await this.#codec.decode(token, now);
    if (text === null) return null;
    const payload = current(text, now);
    if (payload !== null) this.#cache.set(flatten(token), text);
    return payload;
  }

  #now(): number {
    return this.#clock() / 1000;
  }
}

function current(text: string, now: number): Payload | null {
  const payload = parseJsonObject(text);
  return payload !== null && isCurrent(payload, now) ? payload : null;
}
