/**
 * A bounded memory of tokens whose signature was found valid, because a call of
 * `crypto.subtle` costs tens of microseconds.
 *
 * @module
 */

/** The most tokens a cache holds. */
export const MAX_CACHED_TOKENS = 1024;

interface Entry {
  /** The token, as a string that stands for itself. */
  token: string;
  /** The JSON text of its payload. */
  text: string;
}

/**
 * Maps whole verified tokens to their payload's JSON text, least recently used
 * out first. The text is parsed anew for each reader, so that one request's
 * edits never reach another, and its time claims are the reader's to check.
 */
export class TokenCache {
  readonly #entries = new Map<string, Entry>();
  /** Goes on where it stopped: all before it is deleted, or moved behind it. */
  #order = this.#entries.keys();
  #newest: Entry | undefined;

  /** The payload's JSON text, where the token is known. */
  get(token: string): string | undefined {
    const entry = this.#entries.get(token);
    if (entry === undefined) return undefined;
    if (entry !== this.#newest) this.#add(entry);
    return entry.text;
  }

  /**
   * Remembers a token. The string is kept as it is, so it must not be a slice:
   * that would keep the string it was cut from alive.
   */
  set(token: string, text: string): void {
    this.#add({ token, text });
    if (this.#entries.size > MAX_CACHED_TOKENS) this.#deleteOldest();
  }

  /** Forgets a token. */
  delete(token: string): void {
    this.#entries.delete(token);
  }

  #deleteOldest(): void {
    const { value: oldest } = this.#order.next();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Puts an entry last in the order of use, under its own string. */
  #add(entry: Entry): void {
    this.#entries.delete(entry.token);
    this.#entries.set(entry.token, entry);
    this.#newest = entry;
  }
}
