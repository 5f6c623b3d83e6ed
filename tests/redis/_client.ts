/**
 * A client of Redis as small as can be: it sends what it is told to, in that
 * order, connects anew after its connection was cut, and never sends anything
 * twice.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const [CR, LF] = [13, 10];

/** An error that the server has answered. */
export class RedisError extends Error {
  override name = "RedisError";
}

/** A command whose answer is not there yet. */
interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** A client of a server on this machine. */
export class RedisClient implements AsyncDisposable {
  /** The port; another one is of another server, from the next command on. */
  port: number;
  #connection: Promise<Connection> | undefined;

  /** Makes a client, which connects when it is used. */
  constructor(port: number) {
    this.port = port;
  }

  /** Sends a command; resolves to its answer. */
  readonly send = async (...args: string[]): Promise<unknown> => {
    const connection = await (this.#connection ??= this.#connect());
    return connection.send(args);
  };

  /** Sends bytes as they are, and hangs up without reading an answer. */
  async sendAndHangUp(...args: string[]): Promise<void> {
    using connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: this.port,
    });
    await connection.write(encode(args));
  }

  /** Hangs up. */
  async [Symbol.asyncDispose](): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.then((one) => one.close(), () => {});
  }

  async #connect(): Promise<Connection> {
    try {
      const { port } = this;
      const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
      tcp.setNoDelay(true);
      const connection = new Connection(tcp);
      connection.ended.then(() => this.#connection = undefined);
      return connection;
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }
}

/** A connection, until it is cut. */
class Connection {
  readonly #tcp: Deno.TcpConn;
  readonly #waiting: Waiting[] = [];
  readonly #answers = new AnswerReader();
  #unsent: Uint8Array[] = [];
  #isSending = false;
  #isOpen = true;
  /** Resolves when it is cut. */
  readonly ended: Promise<void>;

  constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
    this.ended = this.#read();
  }

  send(args: string[]): Promise<unknown> {
    if (!this.#isOpen) return Promise.reject(cut());
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ resolve, reject });
    this.#unsent.push(encode(args));
    if (!this.#isSending) this.#write();
    return promise;
  }

  async close(): Promise<void> {
    this.#end();
    await this.ended;
  }

  async #write(): Promise<void> {
    this.#isSending = true;
    try {
      while (this.#unsent.length > 0) {
        let bytes = join(this.#unsent);
        this.#unsent = [];
        while (bytes.length > 0) {
          bytes = bytes.subarray(await this.#tcp.write(bytes));
        }
      }
      this.#isSending = false;
    } catch {
      this.#end();
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const length = await this.#tcp.read(buffer);
        if (length === null) break;
        for (const answer of this.#answers.read(buffer.slice(0, length))) {
          const waiting = this.#waiting.shift();
          if (answer instanceof RedisError) waiting?.reject(answer);
          else waiting?.resolve(answer);
        }
      }
    } catch {
      // It was cut, or closed by us.
    }
    this.#end();
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#tcp.close();
    for (const { reject } of this.#waiting.splice(0)) reject(cut());
  }
}

/** Puts answers together of the bytes that arrive (RESP 2). */
class AnswerReader {
  #bytes = new Uint8Array();
  #index = 0;

  /** The answers that are whole by now. */
  *read(bytes: Uint8Array): Generator<unknown> {
    this.#bytes = join([this.#bytes.subarray(this.#index), bytes]);
    this.#index = 0;
    for (;;) {
      const start = this.#index;
      const answer = this.#answer();
      if (answer === undefined) {
        this.#index = start;
        return;
      }
      yield answer;
    }
  }

  /** The next answer; `undefined` where it is not whole. */
  #answer(): unknown {
    const line = this.#line();
    if (line === undefined) return undefined;
    const rest = line.slice(1);
    switch (line[0]) {
      case "+":
        return rest;
      case "-":
        return new RedisError(rest);
      case ":":
        return Number(rest);
      case "$":
        return rest === "-1" ? null : this.#text(Number(rest));
      case "*":
        return rest === "-1" ? null : this.#list(Number(rest));
    }
    throw new Error(`No answer begins with ${line[0]}`);
  }

  #line(): string | undefined {
    const end = this.#bytes.indexOf(CR, this.#index);
    if (end === -1 || this.#bytes[end + 1] !== LF) return undefined;
    const line = decoder.decode(this.#bytes.subarray(this.#index, end));
    this.#index = end + 2;
    return line;
  }

  #text(length: number): string | undefined {
    const end = this.#index + length;
    if (end + 2 > this.#bytes.length) return undefined;
    const text = decoder.decode(this.#bytes.subarray(this.#index, end));
    this.#index = end + 2;
    return text;
  }

  #list(length: number): unknown[] | undefined {
    const list: unknown[] = [];
    while (list.length < length) {
      const answer = this.#answer();
      if (answer === undefined) return undefined;
      list.push(answer);
    }
    return list;
  }
}

function encode(args: string[]): Uint8Array<ArrayBuffer> {
  const parts = args.map((arg) => `$${encoder.encode(arg).length}\r\n${arg}`);
  return encoder.encode([`*${args.length}`, ...parts, ""].join("\r\n"));
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(length);
  let index = 0;
  for (const part of parts) {
    bytes.set(part, index);
    index += part.length;
  }
  return bytes;
}

function cut(): Error {
  return new Deno.errors.ConnectionReset("The connection was cut");
}
