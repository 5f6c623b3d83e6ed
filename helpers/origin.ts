/**
 * Whether a request was sent by a page of another origin.
 *
 * @module
 */

/**
 * Whether a browser sent the request for a page of another origin, whatever
 * the method. A request without the headers that tell is from no browser.
 *
 * @see {@link https://www.w3.org/TR/fetch-metadata/ | Fetch Metadata}
 */
export function isForeign(
  request: Request,
  trustedOrigins: readonly string[],
): boolean {
  const { headers } = request;
  const origin = headers.get("Origin");
  if (origin !== null && isOrigin(origin) && trustedOrigins.includes(origin)) {
    return false;
  }
  const site = headers.get("Sec-Fetch-Site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  if (origin === null) return false;
  return !isOrigin(origin) || new URL(origin).host !== ownHost(request);
}

/** Whether text is an origin as a browser writes it; `null` is none. */
export function isOrigin(text: string): boolean {
  // URL takes "*" for a letter; nobody who writes it means that host.
  const url = URL.parse(text);
  return url !== null && url.origin === text && !text.includes("*");
}

/** HTTP/2 has no `Host` header, but a URL made of its authority. */
function ownHost(request: Request): string | null {
  const host = request.headers.get("Host");
  if (host !== null) return host.toLowerCase();
  const url = URL.parse(request.url);
  return url === null || url.username || url.password ? null : url.host;
}
