/**
 * The claims of a session: the names in its payload that are not data. They say
 * when it began, from when and until when it holds, whose it is.
 *
 * @module
 */

import type { Payload, RejectReason } from "./backend.ts";

/** How far ahead of ours another server's clock may be, in seconds. */
export const CLOCK_SKEW = 60;

/** When the session began, in seconds since the epoch; renewal keeps it. */
export const STARTED = "_started";
/**
 * When the session was last written, in seconds since the epoch. Not `iat`:
 * readers such as PyJWT refuse a token whose `iat` is a second ahead of them.
 */
export const SAVED = "_saved";
/** The name of the session's cookie: a token of another one is not taken. */
export const COOKIE = "_cookie";
/** Whose session it is, where a user is logged in. */
export const USER_ID = "_user_id";
/** Whether the user came through the login page in this session. */
export const FRESH = "_fresh";
/** When that was, in seconds since the epoch. */
export const AUTH_TIME = "_auth_time";
/** The user's security stamp at login. */
export const STAMP = "_stamp";
/** What the series of the visitor's remember-me tokens is stored under. */
export const SERIES = "_series";
/** The states of logins that another site is asked for. */
export const STATES = "_states";

/** Names that are never data: those of RFC 7519 section 4.1, and our own. */
export const CLAIMS: ReadonlySet<string> = new Set([
  "iss",
  "sub",
  "aud",
  "exp",
  "nbf",
  "iat",
  "jti",
  STARTED,
  SAVED,
  COOKIE,
  USER_ID,
  FRESH,
  AUTH_TIME,
  STAMP,
  SERIES,
  STATES,
]);

/**
 * What is wrong with a payload's time claims now, if anything (RFC 7519
 * sections 4.1.4 to 4.1.6).
 *
 * @param payload The payload; each claim may be absent.
 * @param now The time, in seconds since the epoch.
 */
export function timeProblem(
  { exp, nbf, iat, [SAVED]: saved }: Payload,
  now: number,
): RejectReason | undefined {
  if (exp !== undefined) {
    if (!isTime(exp)) return "malformed";
    if (now >= exp) return "expired";
  }
  return startProblem(nbf, now) ?? startProblem(iat, now) ??
    startProblem(saved, now);
}

/** No server wrote anything later than now. */
function startProblem(start: unknown, now: number): RejectReason | undefined {
  if (start === undefined) return undefined;
  if (!isTime(start)) return "malformed";
  return start > now + CLOCK_SKEW ? "not yet valid" : undefined;
}

/**
 * The time by a clock, in seconds since the epoch.
 *
 * @throws {TypeError} If it tells none: nothing would ever expire.
 */
export function timeBy(clock: () => unknown): number {
  const time = clock();
  if (isTime(time)) return time / 1000;
  throw new TypeError(
    "Cannot use clock: it told no time; return a number of milliseconds, as Date.now() does",
  );
}

/** Whether a claim is a point in time: a finite number. */
export function isTime(claim: unknown): claim is number {
  return Number.isFinite(claim);
}

/** Whether a value can be a user's id; `0` and `""` can. */
export function isUserId(id: unknown): id is string | number {
  return typeof id === "string" || Number.isSafeInteger(id);
}
