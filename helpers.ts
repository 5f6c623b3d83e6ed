/**
 * Small helpers around sessions: redirects and secret keys.
 *
 * @example Make a secret key
 * ```ts
 * import { generateSecretKey } from "@denizen/session/helpers";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(generateSecretKey().length, 43);
 * ```
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";

const REDIRECT_STATUSES: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Makes a redirect. Unlike `Response.redirect` it takes a relative location,
 * and its headers can be changed.
 *
 * @example Usage
 * ```ts
 * import { redirect } from "@denizen/session/helpers";
 * import { assertEquals } from "@std/assert";
 *
 * const response = redirect("/login");
 * assertEquals(response.status, 302);
 * assertEquals(response.headers.get("Location"), "/login");
 * ```
 *
 * @param location Where to go: a path or a URL. Check it with `safeNextPath`
 * where a client had a say in it.
 * @param status The status: 301, 302, 303, 307 or 308.
 * @returns The response.
 * @throws {RangeError} If the status is none of a redirect.
 */
export function redirect(location: string | URL, status = 302): Response {
  if (!REDIRECT_STATUSES.includes(status)) {
    throw new RangeError(
      `Cannot redirect with status ${status}: use one of ${
        REDIRECT_STATUSES.join(", ")
      }`,
    );
  }
  return new Response(null, {
    status,
    headers: { Location: toHeaderValue(String(location)) },
  });
}

/**
 * Makes a secret key: 32 random bytes as base64url, 43 characters.
 *
 * Keep it out of the source: print one, and put it into the environment of the
 * service.
 *
 * ```sh
 * deno eval 'import { generateSecretKey } from "jsr:@denizen/session/helpers"; console.log(generateSecretKey())'
 * ```
 *
 * @example Usage
 * ```ts
 * import { generateSecretKey } from "@denizen/session/helpers";
 * import { Session } from "@denizen/session";
 * import { assert } from "@std/assert";
 *
 * const session = new Session({ secretKey: generateSecretKey() });
 * assert(session.secretKey);
 * ```
 *
 * @returns The key.
 */
export function generateSecretKey(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/** A header holds no character above U+00FF: the rest is percent-encoded. */
function toHeaderValue(location: string): string {
  return location.toWellFormed().replace(
    /[^\x20-\x7E]/gu,
    (character) => encodeURIComponent(character),
  );
}
