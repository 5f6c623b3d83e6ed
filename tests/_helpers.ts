/**
 * What several test files share.
 *
 * @module
 */

import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import type {
  Backend,
  JsonData,
  Payload,
  Session,
  SessionDict,
} from "../session.ts";

/** A secret key that is good for tests only. */
export const KEY = "correct horse battery staple, and a pony";
/** Another one. */
export const OTHER_KEY = "a wrong horse and an empty battery, alas";
/** When the injected clock starts, in seconds. */
export const NOW = 1_700_000_000;
/** The claim that says when a session was last written. */
export const SAVED = "_saved";

/** A clock that stands still until it is told to go on. */
export function stoppedClock(): {
  clock: () => number;
  advance: (seconds: number) => void;
} {
  let now = NOW * 1000;
  return {
    clock: () => now,
    advance: (seconds) => void (now += seconds * 1000),
  };
}

/** A request with this `Cookie` header. */
export function requestWith(
  cookies?: string,
  url = "http://localhost/",
): Request {
  const headers = new Headers();
  if (cookies !== undefined) headers.set("Cookie", cookies);
  return new Request(url, { headers });
}

/** The dictionary of a request that `session.commit()` will answer. */
export function open<Data extends object & JsonData<Data>>(
  session: Session<Data>,
  request: Request,
): Promise<SessionDict<Data>> {
  return session.open(request);
}

/** Serves a handler on this machine while a test runs. */
export async function serve(
  handler: Deno.ServeHandler<Deno.NetAddr>,
  test: (url: string, port: number) => Promise<void>,
  onError = (error: unknown) => new Response(String(error), { status: 500 }),
): Promise<void> {
  const hostname = "127.0.0.1";
  const options = { hostname, port: 0, onListen() {}, onError };
  const server = Deno.serve(options, handler);
  try {
    const { port } = server.addr;
    await test(`http://${hostname}:${port}/`, port);
  } finally {
    await server.shutdown();
  }
}

/** The value that a response sets a cookie to, where it does. */
export function cookieSetBy(
  response: Response,
  name = "session",
): string | undefined {
  const line = lineOf(response, name);
  return line?.slice(name.length + 1).split(";")[0];
}

/** The `Set-Cookie` line of a name. */
export function lineOf(
  response: Response,
  name = "session",
): string | undefined {
  return response.headers.getSetCookie().find((line) =>
    line.startsWith(`${name}=`)
  );
}

/** The attributes of a `Set-Cookie` line, in alphabetical order. */
export function attributesOf(line: string | undefined): string[] {
  return line?.split("; ").slice(1).sort() ?? [];
}

/** What a token says, signed or not. */
export function payloadOf(token: string | undefined): Payload {
  const part = token?.split(".")[1] ?? "";
  return JSON.parse(new TextDecoder().decode(decodeBase64Url(part)));
}

/** A token made elsewhere with our key: `payload` is JSON text or its value. */
export async function signToken(
  payload: unknown,
  key: string | Uint8Array<ArrayBuffer> = KEY,
  header = '{"alg":"HS256","typ":"JWT"}',
): Promise<string> {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  const input = `${encodeBase64Url(header)}.${encodeBase64Url(text)}`;
  return `${input}.${await macOf(input, key)}`;
}

/** The MAC of a text, as a token's last part. */
export async function macOf(
  text: string,
  key: string | Uint8Array<ArrayBuffer> = KEY,
  hash: "SHA-256" | "SHA-384" | "SHA-512" = "SHA-256",
): Promise<string> {
  const encoder = new TextEncoder();
  const hmacKey = await crypto.subtle.importKey(
    "raw",
    typeof key === "string" ? encoder.encode(key) : key,
    { name: "HMAC", hash },
    false,
    ["sign"],
  );
  const mac = await crypto.subtle.sign("HMAC", hmacKey, encoder.encode(text));
  return encodeBase64Url(mac);
}

/** A backend that keeps records in memory and counts what it is asked. */
export class MemoryBackend implements Backend {
  readonly authenticated = true;
  readonly records = new Map<string, Payload>();
  readonly loaded: string[] = [];
  readonly previous: (string | undefined)[] = [];
  readonly removed: string[] = [];

  // deno-lint-ignore require-await -- a store that is far away takes its time
  async load(id: string): Promise<Payload | null> {
    this.loaded.push(id);
    return this.records.get(id) ?? null;
  }

  save(payload: Payload, previous?: string): Promise<string> {
    this.previous.push(previous);
    const id = previous ?? `id${this.previous.length}`;
    this.records.set(id, payload);
    return Promise.resolve(id);
  }

  remove(id: string): Promise<void> {
    this.removed.push(id);
    this.records.delete(id);
    return Promise.resolve();
  }

  /** Fails the next time that it is asked for this, and then works again. */
  failOnce(method: "save" | "remove", error: Error): void {
    this[method] = (): Promise<never> => {
      Reflect.deleteProperty(this, method);
      return Promise.reject(error);
    };
  }
}

/** Collects what goes to `console.error`, until it is disposed of. */
export function captureErrors(): Disposable & { lines: unknown[][] } {
  const original = console.error;
  const lines: unknown[][] = [];
  console.error = (...line) => void lines.push(line);
  return { lines, [Symbol.dispose]: () => void (console.error = original) };
}

/** Collects the rejections that nobody handles, until it is disposed of. */
export function captureRejections(): Disposable & { reasons: unknown[] } {
  const reasons: unknown[] = [];
  const listen = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    reasons.push(event.reason);
  };
  addEventListener("unhandledrejection", listen);
  const stop = () => removeEventListener("unhandledrejection", listen);
  return { reasons, [Symbol.dispose]: stop };
}
