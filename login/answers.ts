/**
 * What is answered to a request that is not let in.
 *
 * @module
 */

import { redirect, safeNextPath } from "../helpers.ts";
import { isResponse, type MaybePromise } from "../session/runtime.ts";

/** Where to send a visitor: a URL, or a response as it is. */
export type Location = string | Response;

/** Computes where to send a visitor from the request. */
export type LocationFunction = (request: Request) => MaybePromise<Location>;

/**
 * What lets a request in, which each 401 must say (RFC 9110 section 11.6.1):
 * a cookie, whose name for it browsers ignore, or a key (RFC 6750 section 3).
 */
export type Challenge = "Cookie" | "Bearer";

/** The bodies of responses that answer many requests. */
const BODIES = new WeakMap<Response, Promise<Blob>>();

/** Resolves a location to a response of this request's own. */
export async function toResponse(
  request: Request,
  location: Location | LocationFunction,
): Promise<Response> {
  if (isResponse(location)) return await copy(location);
  const target = typeof location === "string"
    ? location
    : await location(request);
  if (!isResponse(target)) {
    return redirect(checkUrl("location", target));
  }
  if (!target.bodyUsed) return target;
  throw new TypeError(
    "Cannot use location: its function returned a Response that was sent before; make a new one each time",
  );
}

/**
 * Sends a visitor to the login page and, if they came to see a page, back to it
 * afterwards. Whoever can't follow a redirect to a page, such as a script, is
 * told in JSON.
 */
export async function toLogin(
  request: Request,
  loginUrl: string | ((request: Request) => MaybePromise<string>),
  challenge: Challenge,
): Promise<Response> {
  if (!isNavigation(request)) {
    return refuse(request, 401, "Log in first", challenge);
  }
  const target = typeof loginUrl === "function"
    ? checkUrl("loginUrl", await loginUrl(request))
    : loginUrl;
  const next = nextOf(request, target);
  if (next === undefined) return redirect(target);
  const [page, ...hash] = target.split("#");
  const separator = page.includes("?") ? "&" : "?";
  const url = `${page}${separator}next=${encodeURIComponent(next)}`;
  return redirect([url, ...hash].join("#"));
}

/**
 * Refuses a request: in text to a person, else as problem details (RFC 9457).
 *
 * @param challenge What would let it in, with a 401.
 */
export function refuse(
  request: Request,
  status: 401 | 403,
  detail: string,
  challenge?: Challenge,
): Response {
  const isPage = isNavigation(request);
  const title = status === 401 ? "Unauthorized" : "Forbidden";
  const body = isPage
    ? `${detail}\n`
    : JSON.stringify({ type: "about:blank", title, status, detail });
  const headers = new Headers({
    "Content-Type": isPage
      ? "text/plain; charset=utf-8"
      : "application/problem+json",
  });
  if (challenge !== undefined) headers.set("WWW-Authenticate", challenge);
  return new Response(body, { status, headers });
}

function checkUrl(option: string, url: unknown): string {
  if (typeof url === "string" && url !== "") return url;
  throw new TypeError(
    `Cannot use ${option}: its function returned no URL; return a string that is not empty`,
  );
}

/** Whether a browser is to show the answer as a page. */
export function isNavigation({ headers }: Request): boolean {
  const mode = headers.get("Sec-Fetch-Mode");
  if (mode !== null) return mode === "navigate";
  // Scripts and command line clients send "*/*".
  const accept = headers.get("Accept");
  return accept === null || /\btext\/html\b/i.test(accept);
}

/** The page to come back to: none after a form, nor the login page itself. */
function nextOf(request: Request, loginUrl: string): string | undefined {
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  const url = URL.parse(request.url);
  if (url === null || URL.parse(loginUrl, url)?.pathname === url.pathname) {
    return undefined;
  }
  return safeNextPath(url.pathname + url.search, "") || undefined;
}

/** Copies a response whose body is read once: clones would pile up unread. */
async function copy(response: Response): Promise<Response> {
  const { status, statusText, headers } = response;
  let body = BODIES.get(response);
  // A blob, which keeps the type that Bun tells by no header.
  if (body === undefined) BODIES.set(response, body = response.blob());
  const blob = await body;
  return new Response(blob.size === 0 ? null : blob, {
    status,
    statusText,
    headers: new Headers(headers), // not the same ones
  });
}
