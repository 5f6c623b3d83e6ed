/**
 * Stands for `npm:redis`, with its public signatures.
 *
 * @module
 */

interface Client {
  connect(): Promise<Client>;
  sendCommand(args: string[]): Promise<unknown>;
}

/** Makes a client that is not connected yet. */
export function createClient(_options?: { url?: string }): Client {
  const client: Client = {
    connect: () => Promise.resolve(client),
    sendCommand: () => Promise.resolve(null),
  };
  return client;
}
