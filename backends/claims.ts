/**
 * The claims of a session: when it began, from when and until when it holds.
 *
 * @module
 */

import type { Payload } from "./backend.ts";

/** How far ahead of ours another server's clock may be, in seconds. */
export const CLOCK_SKEW = 60;

/** When the session began, in seconds since the epoch; renewal keeps it. */
export const STARTED = "_started";

/** Whose session it is, where a user is logged in. */
export const USER_ID = "_user_id";

/** Names that belong to the token, never to the data (RFC 7519 section 4.1). */
export const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  "iss",
  "sub",
  "aud",
  "exp",
  "nbf",
  "iat",
  "jti",
  STARTED,
]);

/**
 * Whether a payload's time claims hold now (RFC 7519 sections 4.1.4 to 4.1.6).
 *
 * @param payload The payload; each claim may be absent.
 * @param now The time, in seconds since the epoch.
 */
export function isCurrent(payload: Payload, now: number): boolean {
  const { exp, nbf, iat } = payload;
  return (exp === undefined || isTime(exp) && now < exp) &&
    (nbf === undefined || isTime(nbf) && nbf <= now + CLOCK_SKEW) &&
    (iat === undefined || isTime(iat) && iat <= now + CLOCK_SKEW);
}

/** Whether a claim is a point in time: a finite number. */
export function isTime(claim: unknown): claim is number {
  return Number.isFinite(claim);
}
