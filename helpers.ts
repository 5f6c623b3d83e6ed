/**
 * Small helpers around sessions: redirects, safe ones too, cross-origin
 * requests and secret keys.
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
import { isForeign } from "./helpers/origin.ts";

export {
  type Flash,
  flash,
  type Flashable,
  takeFlashes,
} from "./helpers/flash.ts";

const REDIRECT_STATUSES: readonly number[] = [301, 302, 303, 307, 308];
const MAX_NEXT_LENGTH = 2048;
/** White space, control characters, backslashes. */
const UNSAFE_IN_NEXT = /[\s\p{Cc}\\]/u;
/** Stands for the origin of the request, which a safe path never leaves. */
const ORIGIN = "http://origin.invalid";
/** In exact case: to a server, `get` is another method than `GET`. */
const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

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
 * @param status The status: 301, 302, 303, 307 or 308; by default 302.
 * @returns The response.
 * @throws {TypeError} If the location is no string and no URL.
 * @throws {RangeError} If the status is none of a redirect.
 */
export function redirect(location: string | URL, status?: number): Response {
  const code = status === undefined ? 302 : status;
  if (!REDIRECT_STATUSES.includes(code)) {
    throw new RangeError(
      `Cannot redirect with status ${String(code)}: use one of ${
        REDIRECT_STATUSES.join(", ")
      }`,
    );
  }
  if (typeof location !== "string" && !(location instanceof URL)) {
    throw new TypeError(
      `Cannot redirect: the location must be a string or a URL, not ${typeof location}`,
    );
  }
  return new Response(null, {
    status: code,
    headers: { Location: toHeaderValue(String(location)) },
  });
}

/**
 * Checks where a client asks to be sent on to, such as the `next` parameter of
 * a login page: only a path of this site is safe.
 *
 * @example Usage
 * ```ts
 * import { safeNextPath } from "@denizen/session/helpers";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(safeNextPath("/cart?page=2"), "/cart?page=2");
 * assertEquals(safeNextPath("//evil.example/"), "/");
 * assertEquals(safeNextPath(null, "/home"), "/home");
 * ```
 *
 * @param next What the client asks for; anything at all.
 * @param fallback Where to go instead; by default to "/".
 * @returns The path, with its query and hash, or the fallback.
 */
export function safeNextPath(next: unknown, fallback?: string): string {
  return safePathOf(next) ?? fallback ?? "/";
}

/**
 * Whether a request that may change something was sent by a page of another
 * origin: the mark of cross-site request forgery. Login and logout check it
 * themselves; check it for the forms of an application that do more.
 *
 * @example Guard all forms of an application
 * ```ts
 * import { isCrossOrigin } from "@denizen/session/helpers";
 * import { assertEquals } from "@std/assert";
 *
 * function handler(request: Request): Response {
 *   if (isCrossOrigin(request)) return new Response(null, { status: 403 });
 *   return new Response("Done");
 * }
 *
 * const headers = { "Sec-Fetch-Site": "cross-site" };
 * const forged = new Request("http://localhost/", { method: "POST", headers });
 * assertEquals(handler(forged).status, 403);
 * ```
 *
 * @param request The request. GET, HEAD and OPTIONS change nothing, and pass.
 * @param trustedOrigins Other origins that may send such requests, exactly as
 * in the `Origin` header, such as `https://app.example.com`; by default none.
 * @returns Whether to refuse the request.
 * @throws {TypeError} If the origins are no array: a string would trust every
 * origin that is a part of it.
 */
export function isCrossOrigin(
  request: Request,
  trustedOrigins?: readonly string[],
): boolean {
  if (trustedOrigins !== undefined && !Array.isArray(trustedOrigins)) {
    throw new TypeError(
      `Cannot use trustedOrigins: it must be an array, not ${typeof trustedOrigins}`,
    );
  }
  return !SAFE_METHODS.includes(request.method) &&
    isForeign(request, trustedOrigins ?? []);
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

/** The path of this site that a client asks for, and nothing else. */
function safePathOf(next: unknown): string | undefined {
  if (typeof next !== "string" || next.length > MAX_NEXT_LENGTH) return;
  if (!/^\/(?!\/)/.test(next) || UNSAFE_IN_NEXT.test(next)) return;
  if (!next.isWellFormed()) return;
  const url = URL.parse(next, ORIGIN);
  if (url === null) return;
  const path = url.pathname + url.search + url.hash;
  // A path such as `/..//host` resolves to one that names a host.
  return path.startsWith("//") ? undefined : path;
}

/** A header holds no character above U+00FF: the rest is percent-encoded. */
function toHeaderValue(location: string): string {
  return location.toWellFormed().replace(
    /[^\x20-\x7E]/gu,
    (character) => encodeURIComponent(character),
  );
}
