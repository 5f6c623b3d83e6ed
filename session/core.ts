/**
 * The inside of a session, for the code beside it in this package: the options
 * as they are at present, and which payloads they let pass.
 *
 * @module
 */

import type {
  Backend,
  Payload,
  RejectReason,
  SecretKey,
} from "../backends/backend.ts";
import { checkType, kindOf } from "../backends/check.ts";
import { COOKIE } from "../backends/claims.ts";
import { toKeyList } from "../backends/tokens/keys.ts";
import {
  makeBackend,
  resolveOptions,
  type SessionConfig,
  type SessionOptions,
} from "./options.ts";
import { andThen, attempt, isPromise, type MaybePromise } from "./runtime.ts";

const CORES = new WeakMap<object, SessionCore>();

/** The inside of a session. */
export class SessionCore {
  /** The Login over this session, if there is one. */
  login: object | undefined;
  #config: SessionConfig;

  /** Makes the inside of a session. */
  constructor(session: object, options: SessionOptions | undefined) {
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
    checkType("options", options, "object");
    this.#config = resolveOptions(options, this.#config.options);
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

  /** Reads a value, by the session's backend or another. */
  load(value: string, backend = this.backend): MaybePromise<Payload | null> {
    return andThen(backend.load(value), checkLoaded);
  }

  /** Whether a payload is a session of this kind, and still good. */
  accepts(payload: Payload | null): payload is Payload {
    return payload !== null && this.#problemOf(payload) === undefined;
  }

  /** Tells, where somebody wants to know, why a cookie's value is not taken. */
  refuse(request: Request, value: string, payload: Payload | null): void {
    if (this.#config.onReject === undefined) return;
    const reason = payload === null
      ? attempt(() => this.backend.explain?.(value) ?? "malformed")
      : this.#problemOf(payload);
    if (isPromise(reason)) {
      reason.then((reason) => this.reject(request, reason), console.error);
    } else if (reason !== undefined) this.reject(request, reason);
  }

  /** Tells, where somebody wants to know, why a cookie is not taken. */
  reject(request: Request, reason: RejectReason): void {
    // What it throws is no reason to fail the request.
    attempt(() => this.#config.onReject?.(reason, request))
      .catch(console.error);
  }

  #problemOf(payload: Payload): RejectReason | undefined {
    const { cookie, lifetime } = this.#config;
    const { [COOKIE]: name = cookie.name } = payload;
    return name === cookie.name ? lifetime.problemOf(payload) : "other session";
  }
}

/** What a backend has found; one of an application's own may find anything. */
function checkLoaded(payload: Payload | null | undefined): Payload | null {
  if (payload === null || payload === undefined) return null;
  if (typeof payload === "object" && !Array.isArray(payload)) return payload;
  throw new TypeError(
    `Cannot read session: the backend's load() returned ${
      kindOf(payload)
    }; return an object, or null`,
  );
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
