/**
 * What a session adds to a response on its way out.
 *
 * @module
 */

import type { OutgoingCookie } from "./cookie.ts";

const VARIES_ON_COOKIE = /(^|,)\s*(cookie|\*)\s*(,|$)/i;

/**
 * Finishes a response that depends on cookies: says so to caches, and sets
 * those given, at most one `Set-Cookie` per name, in place of any that is there.
 *
 * @param isPrivate Whether nobody may store the response, as when it sets a
 * cookie; the application's own `Cache-Control` stands.
 * @returns The response to send.
 */
export function finishResponse(
  response: Response,
  cookies: readonly OutgoingCookie[] | undefined,
  isPrivate: boolean,
): Response {
  if (response.type === "error") return response;
  // An application may keep a response without a body, such as a redirect, and
  // send it again: another visitor must not get the cookie.
  const result = cookies === undefined ? response : copy(response);
  try {
    writeHeaders(result.headers, cookies, isPrivate);
    return result;
  } catch {
    // Immutable headers: of `Response.redirect()`, `fetch()` and the like.
    const mutable = copy(response);
    writeHeaders(mutable.headers, cookies, isPrivate);
    return mutable;
  }
}

function writeHeaders(
  headers: Headers,
  cookies: readonly OutgoingCookie[] | undefined,
  isPrivate: boolean,
): void {
  const vary = headers.get("Vary");
  if (vary === null || !VARIES_ON_COOKIE.test(vary)) {
    headers.append("Vary", "Cookie");
  }
  if (cookies !== undefined) setCookies(headers, cookies);
  else if (!isPrivate) return;
  if (!headers.has("Cache-Control")) {
    headers.append("Cache-Control", "no-store");
  }
}

function setCookies(
  headers: Headers,
  cookies: readonly OutgoingCookie[],
): void {
  const present = headers.getSetCookie();
  if (present.length > 0) {
    headers.delete("Set-Cookie");
    for (const line of present) {
      const isReplaced = cookies.some(({ name }) =>
        line.startsWith(`${name}=`)
      );
      if (!isReplaced) headers.append("Set-Cookie", line);
    }
  }
  for (const { line } of cookies) headers.append("Set-Cookie", line);
}

/**
 * Copies a response, to have headers of its own. A WebSocket upgrade has a
 * status that no copy may have, and is never sent twice.
 */
function copy(response: Response): Response {
  const { status, statusText, headers } = response;
  if (status === 101) return response;
  // Not `response` itself as the options, which takes twice the time to read.
  return new Response(response.body, { status, statusText, headers });
}
