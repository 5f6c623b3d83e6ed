/**
 * Requests as raw bytes: what no well-behaved client sends.
 *
 * @module
 */

/** What came back. */
export interface Answer {
  status: number;
  headers: Headers;
  /** One character for each byte. */
  body: string;
}

const END_OF_HEAD = "\r\n\r\n";
const decoder = new TextDecoder("latin1");

/** A connection to a server on this machine, for one request after the other. */
export class RawConnection implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(65_536);
  #received = "";
  #isOpen = true;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async open(port: number): Promise<RawConnection> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return new RawConnection(connection);
  }

  /** Whether the server may be asked again. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Sends a request, one byte for each character, and reads the answer.
   *
   * @param timeout How long that may take, in milliseconds.
   * @throws {Error} If there is no answer, or not a whole one.
   */
  async send(request: string, timeout = 5000): Promise<Answer> {
    const timer = setTimeout(() => this[Symbol.dispose](), timeout);
    try {
      await this.#write(request);
      return await this.#read(request.startsWith("HEAD "));
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#connection.close();
  }

  async #write(text: string): Promise<void> {
    let bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    try {
      while (bytes.length > 0) {
        bytes = bytes.subarray(await this.#connection.write(bytes));
      }
    } catch (error) {
      // A server that refuses a long header does not read it to its end.
      if (!isHangUp(error)) throw error;
    }
  }

  async #read(isHead: boolean): Promise<Answer> {
    const end = await this.#find(END_OF_HEAD);
    const head = this.#take(end + END_OF_HEAD.length);
    const [statusLine, ...lines] = head.trimEnd().split("\r\n");
    const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(statusLine) ?? [];
    if (status === undefined) throw new Error(`No answer: ${statusLine}`);
    const headers = new Headers(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
    );
    const body = isHead ? "" : await this.#readBody(headers);
    if (headers.get("Connection") === "close") this[Symbol.dispose]();
    return { status: Number(status), headers, body };
  }

  async #readBody(headers: Headers): Promise<string> {
    if (headers.get("Transfer-Encoding") !== "chunked") {
      return await this.#readBytes(Number(headers.get("Content-Length") ?? 0));
    }
    let body = "";
    for (;;) {
      const end = await this.#find("\r\n");
      const length = parseInt(this.#take(end + 2), 16);
      body += await this.#readBytes(length);
      await this.#readBytes(2);
      if (length === 0) return body;
    }
  }

  async #readBytes(length: number): Promise<string> {
    while (this.#received.length < length) await this.#receive();
    return this.#take(length);
  }

  async #find(text: string): Promise<number> {
    for (;;) {
      const index = this.#received.indexOf(text);
      if (index !== -1) return index;
      await this.#receive();
    }
  }

  #take(length: number): string {
    const taken = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return taken;
  }

  async #receive(): Promise<void> {
    const length = this.#isOpen
      ? await this.#connection.read(this.#buffer)
      : null;
    if (length === null) throw new Error("The connection died");
    this.#received += decoder.decode(this.#buffer.subarray(0, length));
  }
}

function isHangUp(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe;
}
