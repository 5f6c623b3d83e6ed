/**
 * What a session adds to a response on its way out.
 *
 * @module
 */

import type { OutgoingCookie } from "./cookie.ts";
import { Note } from "./runtime.ts";

const VARIES_ON_COOKIE = /(^|,)\s*(cookie|\*)\s*(,|$)/i;

/** What a session has to say to the browser and to caches. */
export interface Additions {
  /** Whose response it is. */
  request: Request;
  /** The cookies to set, one of each name, in place of any that is there. */
  cookies: readonly OutgoingCookie[] | undefined;
  /**
   * Whether nobody may store the response, as where it sets a cookie; the
   * application's own `Cache-Control` stands.
   */
  isPrivate: boolean;
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
  const isAgain = Sent.isByAnother(response, additions.request);
  const isShared = additions.cookies !== undefined && !isSentOnce(response);
  if (!isAgain && !isShared) {
    try {
      writeHeaders(response.headers, additions);
      if (additions.cookies !== undefined) Sent.note(response, additions);
      return response;
    } catch {
      // Immutable headers: of `Response.redirect()`, `fetch()` and the like.
    }
  }
  const result = copy(response);
  if (isAgain) Sent.clean(response, result.headers);
  writeHeaders(result.headers, additions);
  return result;
}

/**
 * Whether a response has a body, which is gone once it was sent, or upgrades its
 * connection. Asking for the body makes a stream of it, so its type will do.
 */
function isSentOnce(response: Response): boolean {
  const { status, headers } = response;
  if (status === 101) return true;
  const hasNoBody = status === 204 || status === 205 ||
    status >= 300 && status < 400;
  return !hasNoBody && (headers.has("Content-Type") || response.body !== null);
}

/**
 * A note on a response that cookies were set on: should it be sent again, they
 * are not that visitor's.
 */
class Sent extends Note {
  #request: Request;
  #lines: string[] = [];

  private constructor(response: Response, request: Request) {
    super(response);
    this.#request = request;
  }

  static note(response: Response, { request, cookies = [] }: Additions): void {
    if (!(#request in response)) new Sent(response, request);
    const sent = response as unknown as Sent;
    for (const { line } of cookies) sent.#lines.push(line);
  }

  static isByAnother(response: Response, request: Request): boolean {
    return #request in response &&
      (response as unknown as Sent).#request !== request;
  }

  /** Removes those cookies from the headers of a copy. */
  static clean(response: Response, headers: Headers): void {
    const lines = (response as unknown as Sent).#lines;
    const others = headers.getSetCookie()
      .filter((line) => !lines.includes(line));
    headers.delete("Set-Cookie");
    for (const line of others) headers.append("Set-Cookie", line);
  }
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
      const isReplaced = cookies.some(({ name }) =>
        line.startsWith(`${name}=`)
      );
      if (!isReplaced) headers.append("Set-Cookie", line);
    }
  }
  for (const { line } of cookies) headers.append("Set-Cookie", line);
}

/** Copies a response, to have headers of its own. */
function copy(response: Response): Response {
  const { status, statusText, headers } = response;
  // Not `response` itself as the options, which takes twice the time to read.
  return new Response(response.body, { status, statusText, headers });
}
