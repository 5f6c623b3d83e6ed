/**
 * How long a session lives: until when it holds, when it is renewed, and when
 * it ends however active it is.
 *
 * @module
 */

import type { Payload, RejectReason } from "../backends/backend.ts";
import {
  isTime,
  SAVED,
  STARTED,
  timeBy,
  timeProblem,
} from "../backends/claims.ts";

/** The limits of a session's life. */
export interface Limits {
  /** Seconds without a renewal. */
  maxAge: number;
  /** Seconds in all; without end where `undefined`. */
  absoluteMaxAge: number | undefined;
  /** Milliseconds since the epoch. */
  clock: () => number;
}

/** The life of the sessions of one kind. */
export class Lifetime {
  readonly #limits: Limits;

  /** Makes the rules that follow from limits. */
  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The time, in seconds since the epoch. */
  get now(): number {
    return timeBy(this.#limits.clock);
  }

  /** What is wrong with a payload by these limits, if anything. */
  problemOf(payload: Payload): RejectReason | undefined {
    const { maxAge, absoluteMaxAge } = this.#limits;
    const { now } = this;
    const saved = payload[SAVED];
    // Of our own making: a `maxAge` that was lowered since acts at once.
    if (isTime(saved) && now >= saved + maxAge) return "expired";
    if (absoluteMaxAge !== undefined) {
      const start = startOf(payload);
      // Without an end or a start, it would have none.
      if (payload.exp === undefined || start === undefined) return "expired";
      if (now >= start + absoluteMaxAge) return "expired";
    }
    return timeProblem(payload, now);
  }

  /** Whether half of the session's time has passed, and more is to be had. */
  isRenewalDue(payload: Payload): boolean {
    const { maxAge } = this.#limits;
    const { exp, [SAVED]: saved = payload.iat } = payload;
    const end = isTime(saved) ? saved + maxAge : exp;
    if (!isTime(end) || end - this.now >= maxAge / 2) return false;
    return !isTime(exp) || Number(this.#end(startOf(payload))) > exp;
  }

  /**
   * Adds the claims that bound a session's life.
   *
   * @param payload The session, which is changed.
   * @param started When it began, in seconds since the epoch; now where
   * `undefined`.
   */
  stamp(payload: Payload, started: number | undefined): void {
    const now = Math.floor(this.now);
    payload[STARTED] = started ?? now;
    payload[SAVED] = now;
    payload.exp = this.#end(started);
  }

  /** When a session ends that is written now. */
  #end(started: number | undefined): number {
    const { maxAge, absoluteMaxAge = Infinity } = this.#limits;
    const now = Math.floor(this.now);
    return Math.min(now + maxAge, (started ?? now) + absoluteMaxAge);
  }
}

/** When a session began, in seconds; a foreign token may tell by `iat` alone. */
export function startOf(payload: Payload): number | undefined {
  return [payload[STARTED], payload.iat].find(isTime);
}
