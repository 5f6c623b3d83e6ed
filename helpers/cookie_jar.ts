/**
 * The cookies of a browser (RFC 6265 section 5).
 *
 * @module
 */

/** A cookie as it is kept. */
interface Kept {
  name: string;
  value: string;
  domain: string;
  isHostOnly: boolean;
  path: string;
  isSecure: boolean;
  /** Milliseconds since the epoch. */
  end: number;
}

/**
 * Keeps cookies, and sends each where it belongs.
 *
 * @example Look at a cookie that a client has
 * ```ts
 * import { TestClient } from "@denizen/session/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const headers = { "Set-Cookie": "theme=dark; Path=/shop" };
 * const client = new TestClient(() => new Response("Hello", { headers }));
 * await client.get("/shop/");
 * assertEquals(client.cookies.get("theme"), "dark");
 * assertEquals(client.cookies.headerFor(new URL("http://localhost/")), "");
 * ```
 */
export class CookieJar {
  readonly #clock: () => number;
  #cookies: Kept[] = [];

  /**
   * Makes a jar without cookies.
   *
   * @param clock Milliseconds since the epoch.
   */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * The value of a cookie.
   *
   * @param name The name.
   * @returns The value, or `undefined` where there is none.
   */
  get(name: string): string | undefined {
    return this.#alive().find((one) => one.name === name)?.value;
  }

  /**
   * Deletes a cookie, as a browser does that is closed.
   *
   * @param name The name.
   */
  delete(name: string): void {
    this.#cookies = this.#cookies.filter((one) => one.name !== name);
  }

  /**
   * Keeps the cookies of a response.
   *
   * @param url Where it came from.
   * @param headers Its headers.
   * @returns How many a browser would not refuse.
   */
  keep(url: URL, headers: Headers): number {
    let count = 0;
    for (const line of headers.getSetCookie()) {
      const kept = this.#parse(url, line);
      if (kept === undefined) continue;
      count++;
      this.#cookies = this.#cookies.filter((one) => !isSame(one, kept));
      if (kept.end > this.#clock()) this.#cookies.push(kept);
    }
    return count;
  }

  /**
   * The `Cookie` header of a request.
   *
   * @param url Where it goes.
   * @returns The header; empty where there are no cookies for it.
   */
  headerFor(url: URL): string {
    return this.#alive()
      .filter((cookie) => belongsTo(cookie, url))
      .sort((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }

  #alive(): Kept[] {
    const now = this.#clock();
    return this.#cookies.filter(({ end }) => now < end);
  }

  /** The cookie of a line; `undefined` where a browser would refuse it. */
  #parse(url: URL, line: string): Kept | undefined {
    const [[name, value], ...rest] = line.split(";").map(toPair);
    if (name === "" || value === undefined) return;
    // Of several attributes of a name, the last counts.
    const attributes = new Map(
      rest.map(([name, value = ""]) => [name.toLowerCase(), value]),
    );
    const isSecure = attributes.has("secure");
    const domain = attributes.get("domain")?.replace(/^\./, "").toLowerCase();
    const path = attributes.get("path");
    if (domain && !isWithin(url.hostname, domain)) return;
    if (isSecure && !isTrustworthy(url)) return;
    if (/^__(secure|host)-/i.test(name) && !isSecure) return;
    if (/^__host-/i.test(name) && (path !== "/" || domain)) return;
    return {
      name,
      value,
      domain: domain || url.hostname,
      isHostOnly: !domain,
      path: path?.startsWith("/") ? path : defaultPath(url),
      isSecure,
      end: this.#endOf(attributes),
    };
  }

  /** When a cookie of these attributes ends; `Max-Age` goes before `Expires`. */
  #endOf(attributes: Map<string, string>): number {
    const maxAge = attributes.get("max-age") ?? "";
    if (/^-?\d+$/.test(maxAge)) return this.#clock() + Number(maxAge) * 1000;
    const expires = Date.parse(attributes.get("expires") ?? "");
    return Number.isNaN(expires) ? Infinity : expires;
  }
}

/** A name and what stands behind the first `=`, if there is one. */
function toPair(text: string): [name: string, value?: string] {
  const index = text.indexOf("=");
  return index === -1
    ? [text.trim()]
    : [text.slice(0, index).trim(), text.slice(index + 1).trim()];
}

function isSame(a: Kept, b: Kept): boolean {
  return a.name === b.name && a.domain === b.domain && a.path === b.path;
}

function belongsTo(cookie: Kept, url: URL): boolean {
  const { domain, isHostOnly, path, isSecure } = cookie;
  const isHost = isHostOnly
    ? url.hostname === domain
    : isWithin(url.hostname, domain);
  const isPath = url.pathname === path ||
    url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
  return isHost && isPath && (!isSecure || isTrustworthy(url));
}

function isWithin(host: string, domain: string): boolean {
  return host === domain ||
    host.endsWith(`.${domain}`) && !/^[\d.]+$|:/.test(host); // no address
}

/** Browsers take secure cookies from this machine, too. */
function isTrustworthy({ protocol, hostname }: URL): boolean {
  return protocol === "https:" ||
    ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}

/** The folder of the page that set the cookie. */
function defaultPath({ pathname }: URL): string {
  return pathname.slice(0, Math.max(pathname.lastIndexOf("/"), 1));
}
