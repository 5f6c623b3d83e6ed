/**
 * Forged tokens: a good session's, but for what an attacker changes.
 *
 * @module
 */

import { KEY, NOW, SAVED } from "../_helpers.ts";
import { DAY, rememberKey } from "../_login.ts";
import { type Forgery, forgeToken } from "../_tokens.ts";

/** The key from before, which verifies still. */
export const OLD_KEY = "the secret before it of these tests, 32+";

/** Susan's session as JSON text, some claims changed. */
export function payload(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    _user_id: "susan",
    _fresh: true,
    _auth_time: NOW,
    _stamp: "s1",
    _started: NOW,
    [SAVED]: NOW,
    exp: NOW + 3600,
    ...changes,
  });
}

/** Susan's session as JSON text, with one claim as the text it is. */
export function claimText(name: string, text: string): string {
  const others = payload({ [name]: undefined });
  return `${others.slice(0, -1)},"${name}":${text}}`;
}

/** A token of susan's session, but for what is given. */
export function forge(forgery: Forgery = {}): Promise<string> {
  return forgeToken({ payload: payload(), ...forgery });
}

/** A token of david's session. */
export function forgeDavid(
  changes: Record<string, unknown> = {},
  key = KEY,
): Promise<string> {
  const david = { _user_id: "david", _stamp: "d1", ...changes };
  return forge({ payload: payload(david), key });
}

/** The header of a remember token. */
export const REMEMBER_HEADER = '{"alg":"HS256","typ":"remember+jwt"}';

/** A remember token of susan's, but for what is given. */
export async function forgeRemember(forgery: Forgery = {}): Promise<string> {
  const payload = JSON.stringify({
    user_id: "susan",
    days: 30,
    stamp: "s1",
    auth_time: NOW,
    _cookie: "session",
    exp: NOW + 30 * DAY,
  });
  const key = await rememberKey();
  return forgeToken({ header: REMEMBER_HEADER, payload, key, ...forgery });
}

/** A cookie header with these values of the session's cookie. */
export function cookie(...values: string[]): string {
  return `Cookie: ${values.map((value) => `session=${value}`).join("; ")}`;
}
