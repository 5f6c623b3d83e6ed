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
/** Characters of a token's MAC: some bits of them tell most tokens apart. */
const KEY_START = -12;
const KEY_END = -4;

/**
 * Keeps whole verified tokens, each with a text where one can't be read off it.
 * They are found by a small number, which costs less than a string as a key;
 * where two tokens have the same one, the later takes the place of the other.
 *
 * New entries and those asked for go into the younger of two generations. When
 * that one is full, it becomes the older, and the older one is dropped whole:
 * nothing keeps an order of use, which would cost more than the tokens.
 */
export class TokenCache {
  readonly #maxBytes: number;
  /** A token, or a token, a space and its text. */
  #young = new Map<number, string>();
  #old = new Map<number, string>();
  #youngBytes = 0;

  /** Makes a cache that takes about so many bytes at most. */
  constructor(maxBytes = DEFAULT_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The text that was kept with a token; `undefined` if it is not known. */
  get(token: string): string | undefined {
    const key = keyOf(token);
    let entry = this.#young.get(key);
    if (entry === undefined) {
      entry = this.#old.get(key);
      if (entry === undefined) return undefined;
      this.#add(key, entry);
    }
    // A token has no space; what a client sends in place of one may have some.
    const end = entry.indexOf(" ");
    if (end === -1) return entry === token ? "" : undefined;
    return end === token.length && entry.startsWith(token)
      ? entry.slice(end + 1)
      : undefined;
  }

  /** Remembers a token, and a text with it. */
  set(token: string, text = ""): void {
    this.#add(keyOf(token), text === "" ? token : `${token} ${text}`);
  }

  /** Forgets a token. */
  delete(token: string): void {
    this.#young.delete(keyOf(token));
    this.#old.delete(keyOf(token));
  }

  #add(key: number, entry: string): void {
    this.#young.set(key, entry);
    // A text outside of Latin-1 takes two bytes for each character.
    this.#youngBytes += ENTRY_BYTES + entry.length;
    if (this.#youngBytes < this.#maxBytes / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }
}

function keyOf(token: string): number {
  const { length } = token;
  let key = 0;
  for (let i = length + KEY_START; i < length + KEY_END; i++) {
    key = (Math.imul(key, 31) + token.charCodeAt(i)) & 0x3FFF_FFFF;
  }
  return key;
}
