/**
 * What a session is configured to do, and the rules that follow from it.
 *
 * @module
 */

import type { Backend, Payload, SecretKey } from "./backends/backend.ts";
import { isCurrent, isTime, STARTED } from "./backends/_claims.ts";
import { toKeyList } from "./backends/_keys.ts";
import { base64Backend } from "./backends/base64.ts";
import { fernetBackend } from "./backends/fernet.ts";
import { jwtBackend } from "./backends/jwt.ts";
import { checkCookieAge, checkSeconds, checkType } from "./backends/_check.ts";
import {
  checkCookieOptions,
  type CookieOptions,
  type CookieWriter,
  cookieWriter,
  MAX_COOKIE_LENGTH,
  type OutgoingCookie,
} from "./_cookie.ts";

/** Options of a session; all of them have a default. */
export interface SessionOptions {
  /**
   * The secret key, or a list of keys for rotation: the first signs, all
   * verify, at most four. Every backend that signs needs one; it can be given
   * later, by `initialize` or by assigning to `secretKey`.
   */
  secretKey?: SecretKey | readonly SecretKey[];
  /**
   * How a session becomes a cookie value: the name of a built-in backend, or a
   * backend of your own.
   *
   * @default {"jwt"}
   */
  backend?: BackendName | Backend;
  /**
   * The name of the cookie. A `__Host-` or `__Secure-` name gets the
   * attributes that it demands.
   *
   * @default {"session"}
   */
  cookieName?: string;
  /**
   * Attributes of the cookie, merged over the default.
   *
   * @default {{ path: "/", httpOnly: true, sameSite: "Lax" }}
   */
  cookieOptions?: CookieOptions;
  /**
   * How long a session lives without being renewed, in seconds: at most 400
   * days. Past half of it, a request that reads the session renews it.
   *
   * @default {1_209_600}
   */
  maxAge?: number;
  /**
   * How long a session lives at most, however active it is, in seconds.
   * Without it, there is no such limit.
   */
  absoluteMaxAge?: number;
  /**
   * Whether a session is saved at the end of the request when its data have
   * changed, nested data included.
   *
   * @default {false}
   */
  autoSave?: boolean;
  /**
   * Milliseconds since the epoch; for tests.
   *
   * @default {Date.now}
   */
  clock?: () => number;
}

/** The names of the built-in backends. */
export type BackendName = "jwt" | "fernet" | "base64";

/** What a built-in backend is made from. */
interface BackendSettings {
  keys: readonly SecretKey[];
  maxAge: number;
  clock: () => number;
}

const BACKENDS: Record<BackendName, (settings: BackendSettings) => Backend> = {
  jwt: ({ keys, clock }) => jwtBackend({ secretKey: keys, clock }),
  fernet: ({ keys, maxAge, clock }) =>
    fernetBackend({ secretKey: keys, maxAge, clock }),
  base64: ({ clock }) => base64Backend({ clock }),
};

/** How long a session lives without being renewed, in seconds: 14 days. */
const DEFAULT_MAX_AGE = 1_209_600;

/** Options that were checked and completed. */
interface Config {
  options: SessionOptions;
  keys: readonly SecretKey[];
  /** Absent where the backend needs a key and there is none yet. */
  backend: Backend | undefined;
  cookieName: string;
  cookieOptions: CookieOptions;
  cookies: Record<"secure" | "plain", CookieWriter>;
  maxAge: number;
  absoluteMaxAge: number | undefined;
  autoSave: boolean;
  clock: () => number;
}

/** The characters of a cookie value (RFC 6265 section 4.1.1). */
const COOKIE_VALUE = /^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]+$/;

const CORES = new WeakMap<object, SessionCore>();

/** The inside of a session, for the code beside it in this package. */
export class SessionCore {
  #config: Config;

  constructor(session: object, options: SessionOptions) {
    this.#config = resolve(options);
    CORES.set(session, this);
  }

  get config(): Config {
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
    this.#config = resolve({ ...this.#config.options, ...options });
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

function resolve(options: SessionOptions): Config {
  const { cookieName = "session", cookieOptions = {} } = options;
  const { autoSave = false, clock = Date.now } = options;
  const { maxAge = DEFAULT_MAX_AGE, absoluteMaxAge } = options;
  checkCookieAge("maxAge", maxAge);
  if (absoluteMaxAge !== undefined) {
    checkSeconds("absoluteMaxAge", absoluteMaxAge);
  }
  checkType("autoSave", autoSave, "boolean");
  checkType("clock", clock, "function");
  const keys = Object.freeze(
    "secretKey" in options ? toKeyList(options.secretKey) : [],
  );
  const attributes = checkCookieOptions(cookieName, cookieOptions);
  return {
    // Copies: what the caller does with the originals later changes nothing.
    options: {
      ...options,
      cookieOptions: { ...cookieOptions },
      ...(keys.length > 0 &&
        { secretKey: Array.isArray(options.secretKey) ? keys : keys[0] }),
    },
    keys,
    backend: keys.length === 0 && needsKey(options.backend)
      ? undefined
      : makeBackend(options.backend, { keys, maxAge, clock }),
    cookieName,
    cookieOptions: Object.freeze(attributes),
    cookies: {
      secure: cookieWriter(cookieName, { ...attributes, secure: true }),
      plain: cookieWriter(cookieName, attributes),
    },
    maxAge,
    absoluteMaxAge,
    autoSave,
    clock,
  };
}

function makeBackend(
  backend: SessionOptions["backend"] = "jwt",
  settings: BackendSettings,
): Backend {
  if (typeof backend === "string") {
    if (!Object.hasOwn(BACKENDS, backend)) {
      const known = Object.keys(BACKENDS).map((name) => `"${name}"`);
      throw new TypeError(
        `Cannot use backend: the names known are ${
          known.join(", ")
        }, not this one; or pass a Backend`,
      );
    }
    if (!needsKey(backend) && settings.keys.length > 0) {
      throw new TypeError(
        `Cannot use secretKey with the ${backend} backend: it signs nothing; use "jwt", or leave the key out`,
      );
    }
    return BACKENDS[backend](settings);
  }
  if (
    typeof backend?.load !== "function" || typeof backend.save !== "function" ||
    typeof backend.authenticated !== "boolean"
  ) {
    throw new TypeError(
      "Cannot use backend: a Backend has load(), save() and the boolean `authenticated`",
    );
  }
  return backend;
}

function needsKey(backend: SessionOptions["backend"] = "jwt"): boolean {
  return backend === "jwt" || backend === "fernet";
}
