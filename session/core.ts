/**
 * The inside of a session, for the code beside it in this package: the options
 * as they are at present.
 *
 * @module
 */

import type { Backend, SecretKey } from "../backends/backend.ts";
import { toKeyList } from "../backends/tokens/keys.ts";
import {
  makeBackend,
  resolveOptions,
  type SessionConfig,
  type SessionOptions,
} from "./options.ts";

const CORES = new WeakMap<object, SessionCore>();

/** The inside of a session. */
export class SessionCore {
  #config: SessionConfig;

  /** Makes the inside of a session. */
  constructor(session: object, options: SessionOptions) {
    this.#config = resolveOptions(options);
    CORES.set(session, this);
  }

  /** The options, checked and completed. */
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
    const { options, settings } = this.#config;
    if (typeof options.backend === "object") {
      throw new TypeError(
        "Cannot use another secret key: the backend is an object, made with its own",
      );
    }
    const keys = toKeyList(secretKey);
    return makeBackend(options.backend, { ...settings, keys });
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
