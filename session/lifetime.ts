/**
 * How long a session lives: until when it holds, when it is renewed, and when
 * it ends however active it is.
 *
 * @module
 */

import type { Payload } from "../backends/backend.ts";
import { isCurrent, isTime, STARTED } from "../backends/claims.ts";

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
    return this.#limits.clock() / 1000;
  }

  /** The payload if it is still good by every limit. */
  accept(payload: Payload | null): Payload | null {
    return payload !== null && isCurrent(payload, this.now) &&
        this.#isWithinLimits(payload)
      ? payload
      : null;
  }

  /** Whether half of the session's time has passed, and more is to be had. */
  isRenewalDue(payload: Payload): boolean {
    const { maxAge } = this.#limits;
    const { exp, iat } = payload;
    const end = isTime(iat) ? iat + maxAge : exp;
    if (!isTime(end) || end - this.now >= maxAge / 2) return false;
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
    const { maxAge, absoluteMaxAge = Infinity } = this.#limits;
    const now = Math.floor(this.now);
    const start = started ?? now;
    const exp = Math.min(now + maxAge, start + absoluteMaxAge);
    return { ...payload, [STARTED]: start, iat: now, exp };
  }

  #isWithinLimits(payload: Payload): boolean {
    const { maxAge, absoluteMaxAge } = this.#limits;
    const { iat, exp } = payload;
    // A token of our own making says when it was last renewed.
    if (isTime(payload[STARTED]) && isTime(iat) && this.now >= iat + maxAge) {
      return false;
    }
    if (absoluteMaxAge === undefined) return true;
    const start = startOf(payload);
    return exp !== undefined && start !== undefined &&
      this.now < start + absoluteMaxAge;
  }
}

/** When a session began, in seconds; a foreign token may tell by `iat` alone. */
export function startOf(payload: Payload): number | undefined {
  return [payload[STARTED], payload.iat].find(isTime);
}
