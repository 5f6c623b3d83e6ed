/**
 * The options of a session, checked and completed.
 *
 * @module
 */

import type { Backend, RejectReason, SecretKey } from "../backends/backend.ts";
import {
  checkCookieAge,
  checkOptions,
  type Checks,
  checkSeconds,
  ofType,
} from "../backends/check.ts";
import { toKeyList } from "../backends/tokens/keys.ts";
import { base64Backend } from "../backends/base64.ts";
import { fernetBackend } from "../backends/fernet.ts";
import { JwtCodec, SESSION_TYPE } from "../backends/tokens/jwt_token.ts";
import { TokenBackend } from "../backends/tokens/token_backend.ts";
import { type CookieOptions, NamedCookie } from "./cookie.ts";
import { Lifetime } from "./lifetime.ts";

/** Options of a session; all of them may be left out. */
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
   * @default `{ path: "/", httpOnly: true, sameSite: "Lax" }`
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
   * Is told why a cookie was not taken, for a log. It never sees the cookie.
   * What it throws is logged by `console.error`.
   */
  onReject?: (reason: RejectReason, request: Request) => void;
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
export interface BackendSettings {
  keys: readonly SecretKey[];
  maxAge: number;
  clock: () => number;
}

const BACKENDS: Record<BackendName, (settings: BackendSettings) => Backend> = {
  jwt: ({ keys, clock }) =>
    new TokenBackend(
      new JwtCodec({ keys, type: SESSION_TYPE }),
      clock,
    ),
  fernet: ({ keys, maxAge, clock }) =>
    fernetBackend({ secretKey: keys, maxAge, clock }),
  base64: ({ clock }) => base64Backend({ clock }),
};

const CHECKS: Checks<SessionOptions> = {
  secretKey: () => {}, // Checked by toKeyList, where it is undefined too.
  backend: () => {}, // Checked by makeBackend.
  cookieName: () => {}, // Checked by NamedCookie.
  cookieOptions: ofType("object"),
  maxAge: checkCookieAge,
  absoluteMaxAge: checkSeconds,
  autoSave: ofType("boolean"),
  onReject: ofType("function"),
  clock: ofType("function"),
};

/** How long a session lives without being renewed, in seconds: 14 days. */
const DEFAULT_MAX_AGE = 1_209_600;

/** Options that were checked and completed. */
export interface SessionConfig {
  /** The options as they were given. */
  options: SessionOptions;
  /** The secret keys; none where there is none yet. */
  keys: readonly SecretKey[];
  /** Absent where the backend needs a key and there is none yet. */
  backend: Backend | undefined;
  /** How to make a backend with other keys. */
  settings: Omit<BackendSettings, "keys">;
  /** The session's cookie. */
  cookie: NamedCookie;
  /** How long a session lives. */
  lifetime: Lifetime;
  /** Whether a session is saved when its data have changed. */
  autoSave: boolean;
  /** Is told why a cookie was not taken. */
  onReject: SessionOptions["onReject"];
}

/**
 * Checks and completes options.
 *
 * @param given The options.
 * @param before Those that hold where nothing else is given.
 * @throws {TypeError} If one is not of the kind it must be.
 * @throws {RangeError} If a key is too short or a lifetime out of range.
 */
export function resolveOptions(
  given: SessionOptions | undefined,
  before?: SessionOptions,
): SessionConfig {
  const options = { ...before, ...checkOptions(given, CHECKS) };
  const { cookieName = "session", cookieOptions = {} } = options;
  const { autoSave = false, clock = Date.now } = options;
  const { maxAge = DEFAULT_MAX_AGE, absoluteMaxAge } = options;
  const keys = Object.freeze(
    "secretKey" in options ? toKeyList(options.secretKey) : [],
  );
  const settings = { maxAge, clock };
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
      : makeBackend(options.backend, { ...settings, keys }),
    settings,
    cookie: new NamedCookie(cookieName, cookieOptions),
    lifetime: new Lifetime({ maxAge, absoluteMaxAge, clock }),
    autoSave,
    onReject: options.onReject,
  };
}

/**
 * Makes a backend by its name; an object is one already.
 *
 * @throws {TypeError} If there is none of that name, or it is no backend.
 */
export function makeBackend(
  backend: SessionOptions["backend"] = "jwt",
  settings: BackendSettings,
): Backend {
  if (typeof backend === "string") {
    if (!Object.hasOwn(BACKENDS, backend)) {
      const known = Object.keys(BACKENDS).map((name) => `"${name}"`);
      throw new TypeError(
        `Cannot use backend: the names known are ${known.join(", ")}, not ${
          JSON.stringify(backend)
        }; or pass a Backend`,
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
  backend.useClock?.(settings.clock);
  return backend;
}

function needsKey(backend: SessionOptions["backend"] = "jwt"): boolean {
  return backend === "jwt" || backend === "fernet";
}
