/**
 * A line to a server that can be cut in the middle of an answer.
 *
 * @module
 */

/** A line; what passes it is counted. */
export class Proxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: number;
  readonly #ends = new Set<Deno.TcpConn>();
  readonly #done: Promise<void>;
  /** After how many more bytes of answers the line is cut, once. */
  cutAfter = Infinity;

  /** Leads to a port of this machine. */
  constructor(target: number) {
    this.#target = target;
    this.#done = this.#serve();
  }

  /** The port to connect to. */
  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#cut();
    await this.#done;
  }

  async #serve(): Promise<void> {
    const lines: Promise<unknown>[] = [];
    try {
      for await (const near of this.#listener) {
        const port = this.#target;
        const far = await Deno.connect({ hostname: "127.0.0.1", port });
        this.#ends.add(near).add(far);
        lines.push(pass(near, (bytes) => write(far, bytes)));
        lines.push(pass(far, (bytes) => this.#answer(near, bytes)));
      }
    } catch {
      // It is over.
    }
    await Promise.all(lines);
  }

  async #answer(near: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
    const isCut = bytes.length > this.cutAfter;
    await write(near, bytes.subarray(0, this.cutAfter));
    this.cutAfter = isCut ? Infinity : this.cutAfter - bytes.length;
    if (isCut) this.#cut();
  }

  #cut(): void {
    for (const end of this.#ends) {
      try {
        end.close();
      } catch {
        // The other side has closed it.
      }
    }
    this.#ends.clear();
  }
}

async function pass(
  from: Deno.TcpConn,
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (;;) {
      const length = await from.read(buffer);
      if (length === null) return;
      await take(buffer.subarray(0, length));
    }
  } catch {
    // It was cut.
  }
}

async function write(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await to.write(bytes));
}
