/**
 * HS256 JSON Web Tokens (RFC 7519), signed but readable: what sessions are by
 * default, here for other purposes.
 *
 * @example Sign and verify a token
 * ```ts
 * import { jwtBackend } from "@denizen/session/jwt";
 * import { generateSecretKey } from "@denizen/session/helpers";
 * import { assertEquals } from "@std/assert";
 *
 * const backend = jwtBackend({
 *   secretKey: generateSecretKey(),
 *   type: "invitation+jwt",
 * });
 * const token = await backend.save({ n: 1 });
 * assertEquals(await backend.load(token), { n: 1 });
 * assertEquals(await backend.load(token + "A"), null);
 * ```
 *
 * @module
 */

import type { Backend, SecretKey } from "./backend.ts";
import { checkOptions, type Checks, ofType } from "./check.ts";
import { toKeyList } from "./tokens/keys.ts";
import { JwtCodec } from "./tokens/jwt_token.ts";
import { TokenBackend } from "./tokens/token_backend.ts";

export type { Backend, Payload, SecretKey } from "./backend.ts";

/** A media type without its `application/` (RFC 7515 section 4.1.9). */
const TYPE = /^[\w!#$&^.+-]+$/;

const CHECKS: Checks<JwtBackendOptions> = {
  secretKey: () => {}, // Checked by toKeyList.
  type: checkTokenType,
  clock: ofType("function"),
};

/** Options of {@linkcode jwtBackend}. */
export interface JwtBackendOptions {
  /**
   * The secret key, or a list of them for rotation: the first signs, all
   * verify, at most four.
   */
  secretKey: SecretKey | readonly SecretKey[];
  /**
   * The `typ` header (RFC 8725 section 3.11), such as `"invitation+jwt"`: a
   * token of one type is never accepted as another. Sessions have the type
   * `JWT`, which is not to be had here.
   */
  type: string;
  /**
   * Milliseconds since the epoch; for tests.
   *
   * @default {Date.now}
   */
  clock?: () => number;
}

/**
 * Makes a backend of HS256 JSON Web Tokens for something else than sessions,
 * which make their own. Give the payload an `exp`, in seconds since the epoch:
 * without one, a token never expires.
 *
 * @example Rotate keys
 * ```ts
 * import { jwtBackend } from "@denizen/session/jwt";
 * import { assertEquals } from "@std/assert";
 *
 * const [oldKey, newKey] = ["a".repeat(32), "b".repeat(32)];
 * const type = "invitation+jwt";
 * const token = await jwtBackend({ secretKey: oldKey, type }).save({ n: 1 });
 * const rotated = jwtBackend({ secretKey: [newKey, oldKey], type });
 * assertEquals(await rotated.load(token), { n: 1 });
 * ```
 *
 * @param options The options; a secret key and a type are needed.
 * @returns The backend.
 * @throws {TypeError} If the key list is empty, a key is of another kind, or
 * there is no type, or that of sessions.
 * @throws {RangeError} If a key has fewer than 32 bytes (RFC 7518 section 3.2)
 * or there are more than four.
 */
export function jwtBackend(options: JwtBackendOptions): Backend {
  const { secretKey, type, clock } = checkOptions(options, CHECKS);
  checkTokenType("type", type); // It is needed.
  const codec = new JwtCodec({ keys: toKeyList(secretKey), type });
  return new TokenBackend(codec, clock);
}

function checkTokenType(
  option: string,
  type: unknown,
): asserts type is string {
  const isOwn = typeof type === "string" && TYPE.test(type) &&
    !/^(application\/)?jwt$/i.test(type);
  if (isOwn) return;
  throw new TypeError(
    `Cannot use ${option}: a token needs a type of its own, or it would be a session; such as "invitation+jwt"`,
  );
}
