/**
 * Cookies: reading one name from a request, checking attributes, and writing
 * `Set-Cookie` lines.
 *
 * @module
 */

import { type Cookie, setCookie } from "@std/http/cookie";
import { checkCookieAge, checkType, kindOf } from "../backends/check.ts";

/** The longest name and value that browsers keep, together (RFC 6265bis). */
export const MAX_COOKIE_LENGTH = 4096;
/** The most values of one name that are tried. */
const MAX_CANDIDATES = 4;

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
  name: string;
  line: string;
}

/** Makes the line from a value, or the deletion from `null`. */
export type CookieWriter = (value: string | null) => OutgoingCookie;

const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PATH = /^\/[\x20-\x3A\x3C-\x7E]*$/;
const DOMAIN = /^\.?[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$/;

type Check = (option: string, value: unknown) => void;

const ATTRIBUTE_CHECKS: Record<keyof CookieOptions, Check> = {
  path: oneOf('a string that begins with "/" and has no ";"', PATH),
  domain: oneOf("a host name", DOMAIN),
  secure: checkBoolean,
  httpOnly: checkBoolean,
  sameSite: oneOf('"Strict", "Lax" or "None"', /^(Strict|Lax|None)$/),
  maxAge: checkCookieAge,
  partitioned: checkBoolean,
};

/**
 * Completes cookie attributes, and checks that a browser will take them.
 *
 * @throws {TypeError} If the name or an attribute is not what it must be.
 * @throws {RangeError} If the lifetime is over 400 days.
 */
export function checkCookieOptions(
  name: string,
  options: CookieOptions,
  nameOption = "cookieName",
): CookieOptions {
  if (typeof name !== "string" || !COOKIE_NAME.test(name)) {
    throw new TypeError(
      `Cannot use ${nameOption}: it is not a cookie name; use letters, digits, - and _`,
    );
  }
  checkType("cookieOptions", options, "object");
  for (const [key, value] of Object.entries(options)) {
    checkAttribute(key, value);
  }
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

/**
 * Prepares the `Set-Cookie` lines of one cookie: what stands behind the value
 * is the same each time.
 *
 * The attributes must have passed {@linkcode checkCookieOptions}.
 */
export function cookieWriter(
  name: string,
  attributes: CookieOptions,
): CookieWriter {
  const set = formatCookie({ ...attributes, name, value: "" });
  // Not `deleteCookie`, which takes no `sameSite`: a cookie is deleted with the
  // attributes it was set with.
  const expires = new Date(0);
  const deletion = formatCookie({
    ...attributes,
    name,
    value: "",
    maxAge: 0,
    expires,
  });
  const start = `${name}=`;
  const end = set.slice(start.length);
  return (value) => ({
    name,
    line: value === null ? deletion : start + value + end,
  });
}

function formatCookie(cookie: Cookie): string {
  const headers = new Headers();
  setCookie(headers, cookie);
  return headers.getSetCookie()[0];
}

/**
 * Finds the distinct values of one cookie. Everything else in the header may
 * be garbage.
 *
 * @returns None, the only one, or the first four.
 */
export function readCookie(
  header: string | null,
  name: string,
): undefined | string | string[] {
  if (header === null) return undefined;
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

function checkAttribute(key: string, value: unknown): void {
  if (!Object.hasOwn(ATTRIBUTE_CHECKS, key)) {
    const known = Object.keys(ATTRIBUTE_CHECKS).join(", ");
    refuse(key, `the attributes are ${known}`);
  }
  if (value === undefined) return;
  const check = ATTRIBUTE_CHECKS[key as keyof CookieOptions]; // seen above
  check(`cookieOptions.${key}`, value);
}

function checkBoolean(option: string, value: unknown): void {
  checkType(option, value, "boolean");
}

function oneOf(expected: string, pattern: RegExp): Check {
  return (option, value) => {
    if (typeof value === "string" && pattern.test(value)) return;
    throw new TypeError(
      `Cannot use ${option}: it must be ${expected}, not ${
        typeof value === "string" ? "this one" : kindOf(value)
      }`,
    );
  };
}

function refuse(attribute: string, mend: string): never {
  throw new TypeError(`Cannot use cookieOptions.${attribute}: ${mend}`);
}

function withoutUndefined(options: CookieOptions): CookieOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
}
