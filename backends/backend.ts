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
 * - `"reused"`: a remember-me token came a second time, and so was stolen
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
  | "user"
  | "reused";

/**
 * A key to sign with: at least 32 bytes, as bytes or as a string that is taken
 * as UTF-8, or an HMAC-SHA-256 `CryptoKey`.
 */
export type SecretKey = string | Uint8Array | CryptoKey;

/**
 * Turns a session into a cookie value, and back.
 *
 * The built-in backends implement it, and so can yours: pass it as the
 * `backend` option of a session. To keep sessions in a database, `storeBackend`
 * of `./store` takes less.
 *
 * @example A backend that logs what another one does
 * ```ts
 * import { type Backend, Session } from "@denizen/session";
 * import { fernetBackend } from "@denizen/session/fernet";
 * import { generateSecretKey } from "@denizen/session/helpers";
 * import { assertEquals } from "@std/assert";
 *
 * const log: string[] = [];
 * const fernet = fernetBackend({ secretKey: generateSecretKey() });
 * const backend: Backend = {
 *   authenticated: fernet.authenticated,
 *   load(value) {
 *     log.push("load");
 *     return fernet.load(value);
 *   },
 *   save(payload) {
 *     log.push("save");
 *     return fernet.save(payload);
 *   },
 * };
 *
 * const session = new Session({ backend });
 * const value = await session.encode({ n: 1 });
 * assertEquals(await session.decode(value), { n: 1 });
 * assertEquals(log, ["save", "load"]);
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
   * @returns The content, for one reader who may change it, or `null` where the
   * value is not valid. A failure of the backend itself, such as an unreachable
   * store, is thrown.
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

  /**
   * Is called by a session that will use the backend, which shall tell the time
   * by the session's clock.
   *
   * @param clock Milliseconds since the epoch.
   */
  useClock?(clock: () => number): void;
}
