/**
 * A stand-in for `@std/http/cookie` on machines that can't reach JSR.
 *
 * @module
 */

/** An HTTP cookie. */
export interface Cookie {
  name: string;
  value: string;
  expires?: Date | number;
  maxAge?: number;
  domain?: string;
  path?: string;
  secure?: boolean;
  httpOnly?: boolean;
  partitioned?: boolean;
  sameSite?: "Strict" | "Lax" | "None";
  unparsed?: string[];
}

const INVALID_NAME = /[^\x21-\x7E]|[()@<>,;:\\"[\]?={}]/;
const INVALID_VALUE = /[^\x21-\x7E]|[",;\\]/;
const INVALID_PATH = /[^\x20-\x7E]|;/;
const INVALID_DOMAIN = /^-|[-.]$/;

/** Appends a `Set-Cookie` header. */
export function setCookie(headers: Headers, cookie: Cookie): void {
  const { name, value } = cookie;
  if (name === "") return;
  if (INVALID_NAME.test(name)) {
    throw new SyntaxError(`Invalid cookie name: "${name}"`);
  }
  if (INVALID_VALUE.test(value)) {
    throw new SyntaxError(`Invalid value of cookie "${name}"`);
  }
  // The real one does so too, to the caller's object.
  if (name.startsWith("__Secure")) cookie.secure = true;
  if (name.startsWith("__Host")) {
    cookie.path = "/";
    cookie.secure = true;
    delete cookie.domain;
  }
  const line = [`${name}=${value}`];
  if (cookie.secure) line.push("Secure");
  if (cookie.httpOnly) line.push("HttpOnly");
  if (cookie.partitioned) line.push("Partitioned");
  if (Number.isInteger(cookie.maxAge)) {
    if (Number(cookie.maxAge) < 0) throw new RangeError("Invalid Max-Age");
    line.push(`Max-Age=${cookie.maxAge}`);
  }
  if (cookie.domain && INVALID_DOMAIN.test(cookie.domain)) {
    throw new SyntaxError(`Invalid domain of cookie "${name}"`);
  }
  if (cookie.domain) line.push(`Domain=${cookie.domain}`);
  if (cookie.sameSite) line.push(`SameSite=${cookie.sameSite}`);
  if (cookie.path && INVALID_PATH.test(cookie.path)) {
    throw new SyntaxError(`Invalid path of cookie "${name}"`);
  }
  if (cookie.path) line.push(`Path=${cookie.path}`);
  if (cookie.expires) {
    line.push(`Expires=${new Date(cookie.expires).toUTCString()}`);
  }
  headers.append("Set-Cookie", line.join("; "));
}

/** Parses the `Set-Cookie` headers of a response. */
export function getSetCookies(headers: Headers): Cookie[] {
  return headers.getSetCookie().map((line) => {
    const [pair, ...attributes] = line.split("; ");
    const cookie: Cookie = {
      name: pair.slice(0, pair.indexOf("=")),
      value: pair.slice(pair.indexOf("=") + 1),
    };
    for (const attribute of attributes) {
      const [key, value] = attribute.split("=");
      switch (key.toLowerCase()) {
        case "secure":
          cookie.secure = true;
          break;
        case "httponly":
          cookie.httpOnly = true;
          break;
        case "max-age":
          cookie.maxAge = Number(value);
          break;
        case "domain":
          cookie.domain = value;
          break;
        case "samesite":
          cookie.sameSite = value as Cookie["sameSite"];
          break;
        case "path":
          cookie.path = value;
          break;
        case "expires":
          cookie.expires = new Date(value);
          break;
        default:
          (cookie.unparsed ??= []).push(`${key}=${value ?? ""}`);
      }
    }
    return cookie;
  });
}
