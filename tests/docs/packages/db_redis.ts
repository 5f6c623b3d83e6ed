/**
 * Stands for `jsr:@db/redis`, with its public signatures.
 *
 * @module
 */

interface Client {
  sendCommand(command: string, args?: string[]): Promise<unknown>;
}

/** Connects to a server. */
export function connect(
  _options: { hostname: string; port?: number },
): Promise<Client> {
  return Promise.resolve({ sendCommand: () => Promise.resolve(null) });
}
