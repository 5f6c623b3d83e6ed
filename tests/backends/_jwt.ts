/**
 * Backends of tokens of a type that no session has, and tokens of it that are
 * made by hand.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import {
  type Backend,
  jwtBackend,
  type SecretKey,
} from "../../backends/jwt.ts";
import { KEY, NOW } from "../_helpers.ts";
import { type Forgery, forgeToken } from "../_tokens.ts";

/** The type of the tokens. */
export const TYPE = "test";
/** Their header. */
export const HEADER = `{"alg":"HS256","typ":"${TYPE}"}`;

/** A backend whose clock stands still. */
export function newBackend(
  secretKey: SecretKey | readonly SecretKey[] = KEY,
  type = TYPE,
): Backend {
  return jwtBackend({ secretKey, type, clock: () => NOW * 1000 });
}

/** A token with a valid MAC over whatever it says. */
export function forge(forgery: Forgery = {}): Promise<string> {
  return forgeToken({ header: HEADER, ...forgery });
}

/** Asserts that a token is refused, and still is when it is seen again. */
export async function assertRefused(
  token: string,
  backend = newBackend(),
): Promise<void> {
  assertStrictEquals(await backend.load(token), null, token.slice(0, 200));
  assertStrictEquals(await backend.load(token), null, "at the second read");
}
