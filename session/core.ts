/**
 * The inside of a session: its configuration, and the rules that follow from it.
 *
 * @module
 */

import type { Backend, Payload, SecretKey } from "../backends/backend.ts";
import { isCurrent, isTime, STARTED } from "../backends/claims.ts";
import { toKeyList } from "../backends/tokens/keys.ts";
import { MAX_COOKIE_LENGTH, type OutgoingCookie } from "./cookie.ts";
import {
  makeBackend,
  resolveOptions,
  type SessionConfig,
  type SessionOptions,
} from "./options.ts";

/** The characters of a cookie value (RFC 6265 section 4.1.1). */
const COOKIE_VALUE = /^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]+$/;

const CORES = new WeakMap<object, SessionCore>();

/** The inside of a session, for the code beside it in this package. */
export class SessionCore {
  #config: SessionConfig;

  constructor(session: object, options: SessionOptions) {
    this.#config = resolveOptions(options);
    CORES.set(session, this);
  }

  get config(): SessionConfig {
    return this.#config;
  }

  /** @throws {TypeError} If it needs a secret key and has none. */
  get backend(): Backend {
    const { backend } = this.#config;
    if (backend === undefined) {
      throw new TypeError(
        "Cannot use session: it has no secretKey; pass one to new Session(), to initialize() or assign it",
      );
    }
    return backend;
  }

  /** Replaces the options that are given. */
  configure(options: SessionOptions): void {
    this.#config = resolveOptions({ ...this.#config.options, ...options });
  }

  /** The backend for a key other than the session's own. */
  backendFor(secretKey: SecretKey | undefined): Backend {
    if (secretKey === undefined) return this.backend;
    const { options, maxAge, clock } = this.#config;
    if (typeof options.backend === "object") {
      throw new TypeError(
        "Cannot use another secret key: the backend is an object, made with its own",
      );
    }
    const keys = toKeyList(secretKey);
    return makeBackend(options.backend, { keys, maxAge, clock });
  }

  /** The payload if it is still good by every limit of this session. */
  accept(payload: Payload | null): Payload | null {
    if (payload === null) return null;
    return this.isCurrent(payload) && this.#isWithinLimits(payload)
      ? payload
      : null;
  }

  /** Whether the payload's own claims allow it now. */
  isCurrent(payload: Payload): boolean {
    return isCurrent(payload, this.#config.clock() / 1000);
  }

  /** Whether half of the session's time has passed, and more is to be had. */
  isRenewalDue(payload: Payload): boolean {
    const { clock, maxAge } = this.#config;
    const { exp, iat } = payload;
    const end = isTime(iat) ? iat + maxAge : exp;
    if (!isTime(end) || end - clock() / 1000 >= maxAge / 2) return false;
    const renewed = this.stamp({}, startOf(payload));
    return !isTime(exp) || Number(renewed.exp) > exp;
  }

  /**
   * Adds the claims that bound a session's life.
   *
   * @param payload The data, or a payload to renew.
   * @param started When the session began, in seconds; now where undefined.
   */
  stamp(payload: Payload, started: number | undefined): Payload {
    const { clock, maxAge, absoluteMaxAge } = this.#config;
    const now = Math.floor(clock() / 1000);
    const start = started ?? now;
    const exp = Math.min(now + maxAge, start + (absoluteMaxAge ?? Infinity));
    return { ...payload, [STARTED]: start, iat: now, exp };
  }

  /** Whether a browser would keep the cookie. */
  fits(value: string): boolean {
    return this.#config.cookieName.length + value.length <= MAX_COOKIE_LENGTH;
  }

  /**
   * Checks a value that a backend made.
   *
   * @throws {TypeError} If a cookie can't hold it.
   * @throws {RangeError} If a browser would drop the cookie.
   */
  checkValue(value: string): void {
    if (!COOKIE_VALUE.test(value)) {
      throw new TypeError(
        "Cannot save session: the backend made a value with characters that a cookie cannot hold; encode it as base64url",
      );
    }
    if (this.fits(value)) return;
    const { cookieName } = this.#config;
    throw new RangeError(
      `Cannot save session: the cookie's name and value are ${
        cookieName.length + value.length
      } bytes, over the limit of ${MAX_COOKIE_LENGTH}; store less, or use the kv backend`,
    );
  }

  /** The session's cookie for a response, or its deletion. */
  cookie(request: Request, value: string | null): OutgoingCookie {
    const { cookies } = this.#config;
    return this.isSecure(request)
      ? cookies.secure(value)
      : cookies.plain(value);
  }

  /** Whether cookies for this request are Secure. */
  isSecure(request: Request): boolean {
    return this.#config.cookieOptions.secure ??
      request.url.startsWith("https:");
  }

  #isWithinLimits(payload: Payload): boolean {
    const { clock, maxAge, absoluteMaxAge } = this.#config;
    const now = clock() / 1000;
    const { iat, exp } = payload;
    // A token of our own making says when it was last renewed.
    if (isTime(payload[STARTED]) && isTime(iat) && now >= iat + maxAge) {
      return false;
    }
    if (absoluteMaxAge === undefined) return true;
    const start = startOf(payload);
    return exp !== undefined && start !== undefined &&
      now < start + absoluteMaxAge;
  }
}

/** Finds the inside of a session. */
export function coreOf(session: object): SessionCore {
  const core = CORES.get(session);
  if (core === undefined) {
    throw new TypeError(
      "Cannot use session: it is not a Session of this module",
    );
  }
  return core;
}

/** When a session began, in seconds; a foreign token may tell by `iat` alone. */
export function startOf(payload: Payload): number | undefined {
  return [payload[STARTED], payload.iat].find(isTime);
}
