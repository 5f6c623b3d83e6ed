/**
 * One cookie of a name: read from requests, written to responses.
 *
 * @module
 */

import { type Cookie, setCookie } from "@std/http/cookie";
import {
  checkCookieAge,
  checkOptions,
  type Checks,
  kindOf,
  ofForm,
  ofType,
} from "../backends/check.ts";

/** The longest name and value that browsers keep, together (RFC 6265bis). */
const MAX_LENGTH = 4096;
/** The most values of one name that are tried. */
const MAX_CANDIDATES = 4;

/** The characters of a cookie value (RFC 6265 section 4.1.1). */
const VALUE = /^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]+$/;

const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PATH = /^\/[\x20-\x3A\x3C-\x7E]*$/;
const DOMAIN = /^\.?[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$/;

const CHECKS: Checks<CookieOptions> = {
  path: ofForm('a string that begins with "/" and has no ";"', PATH),
  domain: ofForm("a host name", DOMAIN),
  secure: ofType("boolean"),
  httpOnly: ofType("boolean"),
  sameSite: ofForm('"Strict", "Lax" or "None"', /^(Strict|Lax|None)$/),
  maxAge: checkCookieAge,
  partitioned: ofType("boolean"),
};

/**
 * The attributes of a cookie. Those left out keep their default.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2 | RFC 6265}
 */
export interface CookieOptions {
  /**
   * The path below which the cookie is sent.
   *
   * @default {"/"}
   */
  path?: string;
  /**
   * The domain whose hosts get the cookie. Without one, this host only.
   */
  domain?: string;
  /**
   * Whether the cookie is sent over https only. Without it, the cookie is
   * Secure exactly when the URL of the request is https; behind a proxy that
   * ends TLS, set it to `true`.
   */
  secure?: boolean;
  /**
   * Whether the cookie is kept from the page's scripts.
   *
   * @default {true}
   */
  httpOnly?: boolean;
  /**
   * Whether the cookie goes along with requests from other sites. `"None"`
   * demands `secure: true`.
   *
   * @default {"Lax"}
   */
  sameSite?: "Strict" | "Lax" | "None";
  /**
   * How long the browser keeps the cookie, in seconds, at most 400 days.
   * Without it, until the browser is closed.
   */
  maxAge?: number;
  /**
   * Whether the cookie of an embedded page is kept apart for each site that
   * embeds it. It demands `secure: true`.
   *
   * @default {false}
   */
  partitioned?: boolean;
}

/** A `Set-Cookie` line for a cookie of this name. */
export interface OutgoingCookie {
  /** The name. */
  name: string;
  /** The whole header. */
  line: string;
}

/** A cookie's name and attributes, with all that follows from them. */
export class NamedCookie {
  /** The name. */
  readonly name: string;
  /** The attributes, defaults included. */
  readonly attributes: Readonly<CookieOptions>;
  /** What stands behind the value, on a secure request and on a plain one. */
  readonly #tails: readonly [secure: string, plain: string];

  /**
   * Makes a cookie.
   *
   * @param option What the name is the value of, for an error.
   * @throws {TypeError} If the name or an attribute is not what it must be.
   * @throws {RangeError} If the lifetime is over 400 days.
   */
  constructor(name: string, options: CookieOptions, option = "cookieName") {
    this.name = name;
    this.attributes = Object.freeze(checkCookieOptions(name, options, option));
    this.#tails = [this.#tail(true), this.#tail(false)];
  }

  /**
   * Finds the distinct values of the cookie. Everything else in the header may
   * be garbage.
   *
   * @returns None, the only one, or the first four.
   */
  read(request: Request): undefined | string | string[] {
    const header = request.headers.get("Cookie");
    return header === null ? undefined : valuesIn(header, this.name);
  }

  /**
   * Sets the cookie.
   *
   * @param maxAge How long the browser keeps it, where that differs each time.
   */
  set(request: Request, value: string, maxAge?: number): OutgoingCookie {
    const isSecure = request.url.startsWith("https:");
    const tail = maxAge === undefined
      ? this.#tails[isSecure ? 0 : 1]
      : this.#tail(isSecure, { maxAge });
    return { name: this.name, line: `${this.name}=${value}${tail}` };
  }

  /** Deletes the cookie, with the attributes it was set with. */
  delete(request: Request): OutgoingCookie {
    // Not by `deleteCookie`, which takes no `sameSite`.
    const changes = { maxAge: 0, expires: new Date(0) };
    const tail = this.#tail(request.url.startsWith("https:"), changes);
    return { name: this.name, line: `${this.name}=${tail}` };
  }

  /** Whether a browser would keep the cookie. */
  fits(value: string): boolean {
    return this.name.length + value.length <= MAX_LENGTH;
  }

  /**
   * Checks a value that a backend made.
   *
   * @throws {TypeError} If a cookie can't hold it.
   * @throws {RangeError} If a browser would drop the cookie.
   */
  check(value: string): void {
    if (typeof value !== "string") {
      throw new TypeError(
        `Cannot save session: the backend's save() returned ${
          kindOf(value)
        }; return the cookie's value, a string`,
      );
    }
    if (!VALUE.test(value)) {
      throw new TypeError(
        "Cannot save session: the backend made a value with characters that a cookie cannot hold; encode it as base64url",
      );
    }
    if (this.fits(value)) return;
    throw new RangeError(
      `Cannot save session: the cookie's name and value are ${
        this.name.length + value.length
      } bytes, over the limit of ${MAX_LENGTH}; store less, or use the kv backend`,
    );
  }

  #tail(isSecure: boolean, changes: Partial<Cookie> = {}): string {
    const headers = new Headers();
    const { name, attributes } = this;
    const secure = attributes.secure ?? isSecure;
    setCookie(headers, { ...attributes, ...changes, secure, name, value: "" });
    return headers.getSetCookie()[0].slice(`${name}=`.length);
  }
}

/**
 * Completes cookie attributes, and checks that a browser will take them.
 *
 * @throws {TypeError} If the name or an attribute is not what it must be.
 * @throws {RangeError} If the lifetime is over 400 days.
 */
function checkCookieOptions(
  name: string,
  options: CookieOptions,
  nameOption: string,
): CookieOptions {
  if (typeof name !== "string" || !COOKIE_NAME.test(name)) {
    throw new TypeError(
      `Cannot use ${nameOption}: it is not a cookie name; use letters, digits, - and _`,
    );
  }
  if (/^__(http|(host|secure)(?!-))/i.test(name)) {
    throw new TypeError(
      `Cannot use ${nameOption} "${name}": it begins like a prefix that browsers know; write __Host- or __Secure-, or choose another name`,
    );
  }
  checkOptions(options, CHECKS, "cookieOptions");
  const attributes: CookieOptions = {
    path: "/",
    httpOnly: true,
    sameSite: "Lax",
    ...withoutUndefined(options),
  };
  // Browsers ignore the case of these prefixes (RFC 6265bis section 4.1.3).
  const isHost = /^__host-/i.test(name);
  if (isHost || /^__secure-/i.test(name)) {
    if (attributes.secure === false) {
      refuse(`secure with a ${name} cookie`, "it must be true");
    }
    attributes.secure = true;
  }
  if (isHost) {
    if (attributes.domain !== undefined) {
      refuse(`domain with a ${name} cookie`, "leave it out");
    }
    if (attributes.path !== "/") {
      refuse(`path with a ${name} cookie`, 'it must be "/"');
    }
  }
  if (!attributes.secure) {
    const needsSecure = attributes.sameSite === "None"
      ? 'sameSite "None"'
      : attributes.partitioned && "partitioned";
    if (needsSecure) refuse(needsSecure, "add secure: true");
  }
  return attributes;
}

function valuesIn(header: string, name: string): undefined | string | string[] {
  let found: undefined | string | string[];
  for (let start = 0; start < header.length;) {
    let end = header.indexOf(";", start);
    if (end === -1) end = header.length;
    const value = valueOf(name, header, start, end);
    if (value !== undefined) {
      if (found === undefined) found = value;
      else if (typeof found === "string") {
        if (found !== value) found = [found, value];
      } else if (!found.includes(value)) {
        found.push(value);
        if (found.length === MAX_CANDIDATES) break;
      }
    }
    start = end + 1;
  }
  return found;
}

/** The value of one pair, where its name matches; only space and tab are trimmed. */
function valueOf(
  name: string,
  header: string,
  start: number,
  end: number,
): string | undefined {
  while (start < end && isBlank(header, start)) start++;
  if (!header.startsWith(name, start)) return undefined;
  start += name.length;
  while (start < end && isBlank(header, start)) start++;
  if (start >= end || header[start] !== "=") return undefined;
  start++;
  while (start < end && isBlank(header, start)) start++;
  while (start < end && isBlank(header, end - 1)) end--;
  return header.slice(start, end);
}

function isBlank(text: string, index: number): boolean {
  const character = text[index];
  return character === " " || character === "\t";
}

function refuse(attribute: string, mend: string): never {
  throw new TypeError(`Cannot use cookieOptions.${attribute}: ${mend}`);
}

function withoutUndefined(options: CookieOptions): CookieOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
}
