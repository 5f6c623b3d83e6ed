/**
 * A redis-server on a free port, with a folder of its own.
 *
 * @module
 */

import { RedisClient } from "./_client.ts";

/** How long to wait for a server at most, in milliseconds. */
const DEADLINE = 20_000;

/** Settings of a server, as its configuration file has them. */
export type Settings = Record<string, string>;

/** A server that runs until it is disposed of. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #directory: string;
  readonly #settings: Settings;
  #child: Deno.ChildProcess;

  private constructor(port: number, directory: string, settings: Settings) {
    this.port = port;
    this.#directory = directory;
    this.#settings = settings;
    this.#child = this.#spawn();
  }

  /** Starts a server, which keeps nothing on disk unless it is told to. */
  static async start(settings: Settings = {}): Promise<RedisServer> {
    const directory = await Deno.makeTempDir({ prefix: "redis" });
    const server = new RedisServer(freePort(), directory, settings);
    await server.isReady();
    return server;
  }

  /** Starts it again, with what it has on disk. */
  async restart(): Promise<void> {
    this.#child = this.#spawn();
    await this.isReady();
  }

  /** Starts it again, and does not wait until it has read what is on disk. */
  async restartSlowly(): Promise<void> {
    this.#child = this.#spawn();
    await until(() => this.#ask().then(() => true, isLoading));
  }

  /** Ends it at once; what it has on disk stays. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  /** Waits until it answers. */
  async isReady(): Promise<void> {
    await until(() => this.#ask().then(() => true, () => false));
  }

  /** Ends it and deletes its folder, where nothing can be waited for. */
  end(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    Deno.removeSync(this.#directory, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    await this.#child.status;
  }

  async #ask(): Promise<void> {
    await using client = new RedisClient(this.port);
    await client.send("PING");
  }

  #spawn(): Deno.ChildProcess {
    const settings: Settings = {
      port: String(this.port),
      bind: "127.0.0.1",
      dir: this.#directory,
      save: "",
      ...this.#settings,
    };
    return new Deno.Command("redis-server", {
      args: Object.entries(settings).flatMap((
        [name, value],
      ) => [`--${name}`, ...value.split(" ")]),
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  }
}

/** Waits until something holds, by asking again and again. */
export async function until(ask: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + DEADLINE;
  while (!await ask()) {
    if (Date.now() > end) throw new Error("It does not come about");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function isLoading(error: Error): boolean {
  return error.message.startsWith("LOADING");
}

/** A port that nobody listened at a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
