/**
 * The attributes of a cookie, and the checks that a browser will take them.
 *
 * @module
 */

import {
  checkCookieAge,
  checkOptions,
  type Checks,
  ofForm,
  ofType,
} from "../backends/check.ts";

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
 * Completes cookie attributes, and checks that a browser will take them.
 *
 * @throws {TypeError} If the name or an attribute is not what it must be.
 * @throws {RangeError} If the lifetime is over 400 days.
 */
export function checkCookieOptions(
  name: string,
  options: CookieOptions,
  nameOption: string,
): CookieOptions {
  if (typeof name !== "string" || !COOKIE_NAME.test(name)) {
    throw new TypeError(
      `Cannot use ${nameOption}: it is not a cookie name; use letters, digits, - and _`,
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

function refuse(attribute: string, mend: string): never {
  throw new TypeError(`Cannot use cookieOptions.${attribute}: ${mend}`);
}

function withoutUndefined(options: CookieOptions): CookieOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
}
