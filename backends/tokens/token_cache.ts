/**
 * A bounded memory of tokens whose signature was found valid, because a call of
 * `crypto.subtle` costs tens of microseconds.
 *
 * @module
 */

/** What a session's cache may hold: some 50,000 visitors with little data. */
const DEFAULT_BYTES = 16 * 1024 * 1024;
/** What an entry takes beside its characters. */
const ENTRY_BYTES = 64;

/**
 * Maps whole verified tokens to what the codec wants to know of them.
 *
 * New entries and those asked for go into the younger of two generations. When
 * that one is full, it becomes the older, and the older one is dropped whole:
 * nothing keeps an order of use, which would cost more than the tokens.
 */
export class TokenCache {
  #young = new Map<string, string | null>();
  #old = new Map<string, string | null>();
  #youngBytes = 0;
  readonly #maxBytes: number;

  /** Makes a cache that takes about so many bytes at most. */
  constructor(maxBytes = DEFAULT_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /**
   * What was kept for a token, and `undefined` where it is not known. Nothing
   * but the token itself is `null`.
   */
  get(token: string): string | null | undefined {
    const young = this.#young.get(token);
    if (young !== undefined) return young;
    const old = this.#old.get(token);
    if (old !== undefined) this.set(token, old);
    return old;
  }

  /** Remembers a token, and a text with it that can't be read off it. */
  set(token: string, text: string | null): void {
    this.#young.set(flatten(token), text);
    // Two bytes for each character of the text: it may be outside of Latin-1.
    this.#youngBytes += ENTRY_BYTES + token.length + 2 * (text?.length ?? 0);
    if (this.#youngBytes < this.#maxBytes / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }

  /** Forgets a token. */
  delete(token: string): void {
    this.#young.delete(token);
    this.#old.delete(token);
  }
}

/**
 * Copies a string, so that it keeps none of the longer one it was cut from, such
 * as a whole `Cookie` header.
 */
function flatten(text: string): string {
  return (" " + text).slice(1);
}
