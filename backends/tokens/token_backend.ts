/**
 * The part of a backend that all signed tokens share: the memory of verified
 * ones, and the checks of a payload.
 *
 * @module
 */

import type { Backend, Payload, RejectReason } from "../backend.ts";
import { checkPayload } from "../check.ts";
import { timeBy, timeProblem } from "../claims.ts";
import { checkLength, MAX_VALUE_LENGTH, parseJsonObject } from "./bytes.ts";
import { TokenCache } from "./token_cache.ts";

/** Makes tokens of one kind, and verifies them. Times are in seconds. */
export interface TokenCodec {
  /** What a token looks like; whoever doesn't is not worth a look at its MAC. */
  readonly form: RegExp;
  /** Makes a token that carries a text. */
  encode(text: string, now: number): Promise<string>;
  /** The text that a token carries, or `null` where the token is not valid. */
  decode(token: string): Promise<string | null>;
  /** The text of a token that was valid once, where it can be read off it. */
  read?(token: string): string;
  /** What is wrong with a token's own time, if it has one. */
  timeProblem?(token: string, now: number): RejectReason | undefined;
}

/** A session as a token that its codec makes and verifies. */
export class TokenBackend implements Backend {
  readonly authenticated = true;
  readonly #codec: TokenCodec;
  readonly #clock: () => number;
  readonly #cache: TokenCache;

  /** Makes a backend of one kind of token, with a memory of its own. */
  constructor(
    codec: TokenCodec,
    clock: () => number = Date.now,
    cacheBytes?: number,
  ) {
    this.#codec = codec;
    this.#clock = clock;
    this.#cache = new TokenCache(cacheBytes);
  }

  // Not async: a token seen before costs its reader no turn of the event loop.
  load(token: string): Payload | null | Promise<Payload | null> {
    if (typeof token !== "string") return null; // A parameter that is missing.
    const payload = this.#recall(token);
    if (payload === undefined) return this.#verify(token);
    return this.#problemOf(token, payload) === undefined ? payload : null;
  }

  async save(payload: Payload): Promise<string> {
    checkPayload(payload);
    const text = JSON.stringify(payload);
    // Before any work: the data may be as large as a form.
    checkLength(text);
    const token = await this.#codec.encode(text, this.#now());
    if (token.length <= MAX_VALUE_LENGTH) this.#remember(token, text);
    return token;
  }

  /**
   * Only a token that is remembered: one that is not has been removed by a
   * logout meanwhile, or its next visitor renews it.
   */
  renew(token: string, claims: Payload): Promise<string | null> {
    const payload = this.#recall(token);
    return payload === undefined
      ? Promise.resolve(null)
      : this.save({ ...payload, ...claims });
  }

  remove(token: string): Promise<void> {
    this.#cache.delete(token);
    return Promise.resolve();
  }

  async explain(token: string): Promise<RejectReason> {
    if (typeof token !== "string") return "malformed";
    if (token.length > MAX_VALUE_LENGTH) return "too long";
    if (!this.#codec.form.test(token)) return "malformed";
    const text = await this.#codec.decode(token);
    if (text === null) return "signature";
    const payload = parseJsonObject(text);
    return payload && this.#problemOf(token, payload) || "malformed";
  }

  async #verify(token: string): Promise<Payload | null> {
    if (token.length > MAX_VALUE_LENGTH) return null;
    if (!this.#codec.form.test(token)) return null;
    const text = await this.#codec.decode(token);
    const payload = parseJsonObject(text);
    if (text === null || payload === null) return null;
    if (this.#problemOf(token, payload) !== undefined) return null;
    this.#remember(token, text);
    return payload;
  }

  /** The payload of a token seen before, parsed anew for each reader. */
  #recall(token: string): Payload | undefined {
    const text = this.#cache.get(token);
    return text === undefined
      ? undefined
      : JSON.parse(text || this.#codec.read!(token)); // there, or with its text
  }

  #remember(token: string, text: string): void {
    this.#cache.set(flatten(token), this.#codec.read === undefined ? text : "");
  }

  #problemOf(token: string, payload: Payload): RejectReason | undefined {
    const now = this.#now();
    return this.#codec.timeProblem?.(token, now) ?? timeProblem(payload, now);
  }

  #now(): number {
    return timeBy(this.#clock);
  }
}

/**
 * Copies a string, so that it keeps none of the longer one it was cut from, such
 * as a whole `Cookie` header.
 */
function flatten(text: string): string {
  return (" " + text).slice(1);
}
