/**
 * A session as plain base64url JSON: **a client can read all of it and write
 * whatever it likes into it**. Nothing is signed, so every value of such a
 * session is a visitor's own claim, like a query parameter: good for the
 * language or the theme of a page, never for who somebody is, what they may do
 * or what they owe. A `Login` refuses this backend.
 *
 * The value is what Muffin's `session_type="base64"` reads and writes.
 *
 * @example What a client can do to it
 * ```ts
 * import { base64Backend } from "@denizen/session/base64";
 * import { assertEquals } from "@std/assert";
 *
 * const backend = base64Backend();
 * assertEquals(backend.authenticated, false);
 * assertEquals(await backend.load(btoa('{"admin":true}')), { admin: true });
 * ```
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";
import type { Backend, Payload, RejectReason } from "./backend.ts";
import {
  checkLength,
  decodePaddedBase64Url,
  decodeUtf8,
  MAX_VALUE_LENGTH,
  padBase64Url,
  parseJsonObject,
} from "./tokens/bytes.ts";
import { checkOptions, checkPayload, ofType } from "./check.ts";
import { timeBy, timeProblem } from "./claims.ts";

export type { Backend, Payload } from "./backend.ts";

/** Options of {@linkcode base64Backend}. There is no key: nothing is signed. */
export interface Base64BackendOptions {
  /**
   * Milliseconds since the epoch; for tests.
   *
   * @default {Date.now}
   */
  clock?: () => number;
}

/**
 * Makes a backend of URL-safe base64, with padding, of the JSON text (RFC 4648
 * section 5). A client can read and rewrite the session, its times included.
 *
 * @example Usage
 * ```ts
 * import { base64Backend } from "@denizen/session/base64";
 * import { assertEquals } from "@std/assert";
 *
 * const backend = base64Backend();
 * const value = await backend.save({ theme: "dark" });
 * assertEquals(value, "eyJ0aGVtZSI6ImRhcmsifQ==");
 * assertEquals(await backend.load(value), { theme: "dark" });
 * ```
 *
 * @param options The options.
 * @returns The backend.
 * @throws {TypeError} If it is given a secret key, which would protect nothing.
 */
export function base64Backend(options?: Base64BackendOptions): Backend {
  if (Object.hasOwn(options ?? {}, "secretKey")) {
    throw new TypeError(
      "Cannot use secretKey: the base64 backend signs nothing; use the jwt or the fernet backend",
    );
  }
  return new Base64Backend(options);
}

class Base64Backend implements Backend {
  readonly authenticated = false;
  readonly #clock: () => number;

  constructor(options: Base64BackendOptions | undefined) {
    const checks = { clock: ofType("function") };
    this.#clock = checkOptions(options, checks).clock ?? Date.now;
  }

  load(value: string): Payload | null {
    const payload = this.#read(value);
    return payload && this.#problemOf(payload) === undefined ? payload : null;
  }

  explain(value: string): RejectReason {
    const payload = this.#read(value);
    if (payload === null && value?.length > MAX_VALUE_LENGTH) return "too long";
    return payload && this.#problemOf(payload) || "malformed";
  }

  // deno-lint-ignore require-await -- what can't be saved is a rejection
  async save(payload: Payload): Promise<string> {
    checkPayload(payload);
    const text = JSON.stringify(payload);
    checkLength(text);
    return padBase64Url(encodeBase64Url(text));
  }

  #read(value: string): Payload | null {
    if (typeof value !== "string" || value.length > MAX_VALUE_LENGTH) {
      return null;
    }
    const bytes = decodePaddedBase64Url(value);
    return parseJsonObject(bytes && decodeUtf8(bytes));
  }

  #problemOf(payload: Payload): RejectReason | undefined {
    return timeProblem(payload, timeBy(this.#clock));
  }
}
