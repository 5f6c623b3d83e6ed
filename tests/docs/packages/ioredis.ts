/**
 * Stands for `npm:ioredis`, with its public signatures.
 *
 * @module
 */

/** A client that connects by itself. */
export class Redis {
  constructor(_url?: string) {}

  /** Sends a command. */
  call(_command: string, ..._args: string[]): Promise<unknown> {
    return Promise.resolve(null);
  }
}

export default Redis;
