/**
 * What a session adds to a response on its way out.
 *
 * @module
 */

import type { OutgoingCookie } from "./cookie.ts";

/**
 * What the runtime itself writes where a body is text. No other type is a sure
 * sign of one: an answer to HEAD has its page's.
 */
const TEXT = "text/plain;charset=UTF-8";
const VARIES_ON_COOKIE = /(^|,)\s*(cookie|\*)\s*(,|$)/i;

/** What a session has to say to the browser and to caches. */
export interface Additions {
  /** The cookies to set, one of each name, in place of any that is there. */
  cookies: readonly OutgoingCookie[] | undefined;
  /**
   * Whether nobody may store the response, as where it sets a cookie; the
   * application's own `Cache-Control` stands.
   */
  isPrivate: boolean;
}

/** Whether a response sets or deletes a cookie already. */
export function setsCookie({ headers }: Response, name: string): boolean {
  return headers.getSetCookie().some((line) => isOf(line, name));
}

/**
 * Finishes a response that depends on cookies.
 *
 * An application may keep a response and send it again, and no visitor may get
 * the cookies of the one before: cookies are set on a copy, unless it is sure
 * that nobody can send the response twice. Copies cost their body's fast path.
 *
 * @returns The response to send.
 */
export function finishResponse(
  response: Response,
  additions: Additions,
): Response {
  if (response.type === "error") return response;
  if (additions.cookies === undefined || isSentOnce(response)) {
    try {
      writeHeaders(response.headers, additions);
      return response;
    } catch {
      // Immutable headers: of `Response.redirect()`, `fetch()` and the like.
    }
  }
  const result = copy(response);
  writeHeaders(result.headers, additions);
  return result;
}

/**
 * Whether a response has a body, which is gone once it was sent, or upgrades its
 * connection.
 */
function isSentOnce(response: Response): boolean {
  return response.status === 101 ||
    response.headers.get("Content-Type") === TEXT || hasBody(response);
}

/** Asks for the body, which makes a stream of it. */
function hasBody(response: Response): boolean {
  if (!("Bun" in globalThis)) return response.body !== null;
  // Bun forgets that a body is text when it is asked for it.
  const { body } = response.clone();
  body?.cancel();
  return body !== null;
}

function writeHeaders(
  headers: Headers,
  { cookies, isPrivate }: Additions,
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
  if (headers.has("Set-Cookie")) {
    const present = headers.getSetCookie();
    headers.delete("Set-Cookie");
    for (const line of present) {
      const isReplaced = cookies.some(({ name }) => isOf(line, name));
      if (!isReplaced) headers.append("Set-Cookie", line);
    }
  }
  for (const { line } of cookies) headers.append("Set-Cookie", line);
}

/** Whether a `Set-Cookie` line is that of a cookie. */
function isOf(line: string, name: string): boolean {
  return line.startsWith(`${name}=`);
}

/** Copies a response, to have headers of its own. */
function copy(response: Response): Response {
  const { status, statusText } = response;
  // Some servers on Node would let both have the same headers.
  const headers = new Headers(response.headers);
  // Not `response` itself as the options, which takes twice the time to read.
  return new Response(response.body, { status, statusText, headers });
}
