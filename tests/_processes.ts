/**
 * What the tests run in processes of their own: Deno and Python.
 *
 * @module
 */

import { assert } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const PYTHON = "/usr/bin/python3";
/** What examples heed, or tell their workers. */
const SETTINGS = [
  "SECRET_KEY",
  "PORT",
  "DENIZEN_EXAMPLE_ORIGIN",
  "DENIZEN_EXAMPLE_PROVIDER",
];
/** Longer than any process takes on a busy machine, in milliseconds. */
const DEADLINE = 60_000;

/** Where Deno runs, and under which environment variables. */
export interface DenoOptions {
  /** The folder; default: the project's. */
  cwd?: string | URL;
  /** What is set besides the environment of the tests. */
  env?: Record<string, string>;
}

/** What a process has left. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs Deno to its end. */
export function runDeno(args: string[], options?: DenoOptions): Promise<Ended> {
  return ended(denoCommand(args, options));
}

/** A server in a process of its own, until it is disposed of. */
export class Served implements AsyncDisposable {
  /** Where it serves, as it said. */
  readonly origin: string;
  readonly #child: Deno.ChildProcess;
  readonly #reads: Promise<string>;

  private constructor(
    origin: string,
    child: Deno.ChildProcess,
    reads: Promise<string>,
  ) {
    this.origin = origin;
    this.#child = child;
    this.#reads = reads;
  }

  /** Runs Deno up to the line that says where it serves. */
  static async start(args: string[], options?: DenoOptions): Promise<Served> {
    const child = denoCommand(args, options).spawn();
    const origin = Promise.withResolvers<string | undefined>();
    let output = "";
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        output += text;
        const line = /(http:\/\/[^\s/]+).*\n/.exec(output);
        if (line !== null) origin.resolve(line[1]);
      }
    };
    const reads = Promise.all([read(child.stdout), read(child.stderr)])
      .then(() => output);
    reads.then(() => origin.resolve(undefined), origin.reject);
    const url = await origin.promise;
    assert(url !== undefined, output);
    return new Served(url, child, reads);
  }

  /** Ends it; returns all that it has printed. */
  async stop(): Promise<string> {
    try {
      this.#child.kill("SIGKILL"); // A worker that hangs would let it wait.
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
    return await this.#reads;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Runs Deno while the test runs, from the line on that says where it serves.
 *
 * @returns What it has printed until its end.
 */
export async function serving(
  args: string[],
  test: (origin: string) => Promise<void>,
  options?: DenoOptions,
): Promise<string> {
  await using served = await Served.start(args, options);
  await test(served.origin);
  return await served.stop();
}

/**
 * Runs a script of Python's, which finds its input as JSON in `sys.argv[1]`
 * and prints JSON.
 */
export async function runPython(
  script: string,
  input: unknown,
): Promise<unknown> {
  const args = ["-c", script, JSON.stringify(input)];
  const { code, stdout, stderr } = await ended(command(PYTHON, args));
  assert(code === 0, stderr);
  return JSON.parse(stdout);
}

/** Whether there is a Python that has a module. */
export async function hasPython(module: string): Promise<boolean> {
  const script = "import importlib.util as u, sys; " +
    "sys.exit(u.find_spec(sys.argv[1]) is None)";
  try {
    return (await ended(command(PYTHON, ["-c", script, module]))).code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function denoCommand(
  args: string[],
  { cwd = ROOT, env = {} }: DenoOptions = {},
): Deno.Command {
  const rest = Deno.env.toObject();
  for (const name of SETTINGS) delete rest[name];
  return command(Deno.execPath(), args, {
    cwd,
    clearEnv: true,
    env: { ...rest, NO_COLOR: "1", ...env },
  });
}

function command(
  program: string,
  args: string[],
  options?: Deno.CommandOptions,
): Deno.Command {
  return new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(DEADLINE),
    ...options,
  });
}

async function ended(command: Deno.Command): Promise<Ended> {
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
