/**
 * Writes of the same record, one after the other.
 *
 * @module
 */

/** Writes a record; tells whether it was there. */
export type Write = () => boolean | Promise<boolean>;

/** What is to be written next. */
interface Waiting {
  write: Write;
  result: Promise<boolean>;
}

/**
 * Does one write of a record at a time. Of those that wait meanwhile only the
 * last is done, and its result is the others' too: it would win anyway, and the
 * store is spared what nobody would see.
 */
export class LatestWrites {
  /** By the record, the end of the write that is being done. */
  readonly #ends = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Waiting>();

  /** Writes now, or after the write of the same record that is being done. */
  run(key: string, write: Write): Promise<boolean> {
    const end = this.#ends.get(key);
    if (end === undefined) return this.#begin(key, write);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.write = write;
      return waiting.result;
    }
    const next: Waiting = {
      write,
      result: end.then(() => {
        this.#waiting.delete(key);
        return this.#begin(key, next.write);
      }),
    };
    this.#waiting.set(key, next);
    return next.result;
  }

  async #begin(key: string, write: Write): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends.set(key, promise);
    try {
      return await write();
    } finally {
      if (!this.#waiting.has(key)) this.#ends.delete(key);
      resolve();
    }
  }
}
