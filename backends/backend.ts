/**
 * The interface between a session and the form it takes in a cookie.
 *
 * @module
 */

/** The content of a session: any data that JSON can hold. */
export type Payload = Record<string, unknown>;

/**
 * Why a cookie's value is not taken:
 *
 * - `"malformed"`: it is no value of this backend, or its content is no session
 * - `"too long"`: no cookie can be this long
 * - `"signature"`: another key has made it, or somebody has changed it
 * - `"unknown"`: the store has no such session; it has been ended
 * - `"expired"`, `"not yet valid"`: by its own times or the session's limits
 * - `"other session"`: it is the cookie of a Session of another name
 * - `"ambiguous"`: several cookies of the name have a valid value
 * - `"user"`: its login has ended: the user is not found, or has another
 *   security stamp
 */
export type RejectReason =
  | "malformed"
  | "too long"
  | "signature"
  | "unknown"
  | "expired"
  | "not yet valid"
  | "other session"
  | "ambiguous"
  | "user";

/**
 * A key to sign with: at least 32 bytes, as bytes or as a string that is taken
 * as UTF-8, or an HMAC-SHA-256 `CryptoKey`.
 */
export type SecretKey = string | Uint8Array | CryptoKey;

/**
 * Turns a session into a cookie value, and back.
 *
 * The built-in backends implement it, and so can yours: pass it as the
 * `backend` option of a session.
 *
 * @example A backend that keeps sessions in memory
 * ```ts
 * import { type Backend, type Payload, Session } from "@denizen/session";
 * import { assertEquals } from "@std/assert";
 *
 * const records = new Map<string, Payload>();
 * const memory: Backend = {
 *   authenticated: true,
 *   load: (id) => records.get(id) ?? null,
 *   save(payload, previous = crypto.randomUUID()) {
 *     records.set(previous, payload);
 *     return Promise.resolve(previous);
 *   },
 *   remove(id) {
 *     records.delete(id);
 *     return Promise.resolve();
 *   },
 * };
 *
 * const session = new Session({ backend: memory });
 * const value = await session.encode({ n: 1 });
 * assertEquals(await session.decode(value), { n: 1 });
 * ```
 */
export interface Backend {
  /**
   * Whether a client is unable to make a value that `load` accepts. A `false`
   * one is no ground for a login.
   */
  readonly authenticated: boolean;

  /**
   * Reads a cookie value.
   *
   * @param value What the client sent; anything at all.
   * @returns The content, or `null` where the value is not valid. A failure of
   * the backend itself, such as an unreachable store, is thrown.
   */
  load(value: string): Payload | null | Promise<Payload | null>;

  /**
   * Makes a cookie value of a session's content.
   *
   * @param payload The content, which nobody else will change.
   * @param previous The value that `load` or `save` knew this session by.
   * @returns The new cookie value; it may be the previous one. A backend that
   * keeps sessions rejects where another request has ended this one.
   */
  save(payload: Payload, previous?: string): Promise<string>;

  /**
   * Extends a session's life, and leaves its data as they are, whatever another
   * request has saved meanwhile. Without this method, a session is renewed by
   * `load` and `save`.
   *
   * @param value The value that `load` knew the session by.
   * @param claims The claims to replace: `exp`, `_started`, `_saved` and
   * `_cookie`.
   * @returns The cookie value, or `null` where the session has ended, or is
   * better renewed another time.
   */
  renew?(value: string, claims: Payload): Promise<string | null>;

  /**
   * Ends a session, where the backend keeps anything of it.
   *
   * @param value The value that `load` or `save` knew the session by.
   */
  remove?(value: string): Promise<void>;

  /**
   * Tells why `load` answered `null`, for the session's `onReject`.
   *
   * @param value The value.
   */
  explain?(value: string): RejectReason | Promise<RejectReason>;
}
