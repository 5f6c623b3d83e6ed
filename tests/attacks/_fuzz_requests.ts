/**
 * The requests that the fuzzer makes: good ones, with something wrong.
 *
 * @module
 */

import { garbage, mutate, mutateToken } from "./_mutations.ts";
import type { FuzzSite } from "./_fuzz_sites.ts";
import type { Random } from "../_random.ts";

/** A good cookie, and whom it is for. */
export interface GoodCookie {
  cookieName: string;
  token: string;
  userName: string;
}

/** A request, one byte for each character. */
export interface FuzzRequest {
  method: string;
  target: string;
  headers: readonly (readonly [name: string, value: string])[];
  body: string;
}

const NEXT = [
  "/",
  "/codes?a=1#b",
  "/login",
  "//evil.example",
  "/\\evil.example",
  "/..//evil.example",
  "/%2e%2e//evil.example",
  "/%09/evil.example",
  "http://evil.example",
  "javascript:alert(1)",
];
const HOSTS = [
  "a b",
  "good@evil.example",
  "",
  "[::1",
  "a:99999",
  "a#",
  "EVIL.example",
];
const ORIGINS = [
  "null",
  "http://evil.example",
  "https://evil.example",
  "http://{host}",
  "https://{host}",
  "http://{host}.evil.example",
];
const SITES = ["same-origin", "same-site", "cross-site", "none"];
const MODES = ["navigate", "cors", "no-cors", "websocket"];
const TYPES = ["text/html", "*/*", "application/json", "text/html;q=0"];

/** Makes a request to a site out of good cookies. */
export function makeRequest(
  random: Random,
  site: FuzzSite,
  cookies: readonly GoodCookie[],
  host: string,
): FuzzRequest {
  const form = site.forms.find(({ chance }) => random.chance(chance));
  const [method, route] = (form?.route ?? random.pick(site.routes)).split(" ");
  const headers: [string, string][] = [
    ["Host", random.chance(0.1) ? vary(HOSTS, random) : host],
  ];
  const add = (name: string, values: readonly string[], chance: number) => {
    while (random.chance(chance)) headers.push([name, vary(values, random)]);
  };
  // Who is logged out by a good form of their own would be known no more.
  if (site.isStored && method === "POST") {
    headers.push(["Sec-Fetch-Site", "cross-site"]);
  }
  add("Origin", ORIGINS, 0.3);
  add("Sec-Fetch-Site", SITES, 0.3);
  add("Sec-Fetch-Mode", MODES, 0.2);
  add("Accept", TYPES, 0.3);
  do headers.push(["Cookie", cookieHeader(random, cookies)]); while (
    random.chance(0.03)
  );
  const body = form === undefined ? "" : toLine(mutate(form.body, random));
  if (body !== "") {
    headers.push(["Content-Type", "application/x-www-form-urlencoded"]);
    headers.push(["Content-Length", `${body.length}`]);
  }
  return {
    method,
    body,
    target: toLine(form ? route : targetOf(route, random)) || "/",
    headers: headers.map(([name, value]) => [
      name,
      toLine(value.replaceAll("{host}", host)),
    ]),
  };
}

/** The request as it goes over the wire. */
export function textOf(request: FuzzRequest): string {
  const { method, target, headers, body } = request;
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${target} HTTP/1.1`, ...lines, "", body].join("\r\n");
}

/** What the server makes of the headers of one name. */
export function headerOf(
  { headers }: FuzzRequest,
  wanted: string,
): string | undefined {
  const values = headers
    .filter(([name]) => name === wanted)
    .map(([, value]) => value.replace(/^[ \t]+|[ \t]+$/g, ""));
  if (values.length === 0) return undefined;
  return values.join(wanted === "Cookie" ? "; " : ", ");
}

function targetOf(route: string, random: Random): string {
  if (route === "/door") {
    const next = vary(NEXT, random);
    return `/door?next=${random.chance(0.5) ? next : escapeBytes(next)}`;
  }
  return random.chance(0.1) ? mutate(route, random) : route;
}

function vary(values: readonly string[], random: Random): string {
  if (random.chance(0.1)) return garbage(random);
  const value = random.pick(values);
  return random.chance(0.3) ? mutate(value, random) : value;
}

function cookieHeader(
  random: Random,
  cookies: readonly GoodCookie[],
): string {
  const pairs: string[] = [];
  for (let count = random.integer(0, 4); count > 0; count--) {
    pairs.push(cookiePair(random, cookies));
  }
  const separator = random.chance(0.9) ? "; " : random.pick([";", ",", ";;"]);
  const header = pairs.join(separator);
  return random.chance(0.1) ? mutate(header, random) : header;
}

function cookiePair(random: Random, cookies: readonly GoodCookie[]): string {
  const cookie = random.pick(cookies);
  const isGood = random.chance(0.3);
  const others = cookies.map(({ token }) => token);
  const token = isGood
    ? cookie.token
    : random.chance(0.1)
    ? garbage(random)
    : mutateToken(cookie.token, random, others);
  if (random.chance(0.8)) return `${cookie.cookieName}=${token}`;
  const { cookieName } = random.pick(cookies);
  const name = random.chance(0.5) ? cookieName : mutate(cookieName, random);
  return random.chance(0.5) ? `${name}=${token}` : ` ${name}\t = ${token} `;
}

/** Percent-encodes bytes, so that a query brings them to the server. */
function escapeBytes(text: string): string {
  return text.replace(
    /[^\w/.]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** Bytes that stay on their line: the rest is between Deno and the client. */
function toLine(text: string): string {
  return text.replace(/[\r\n\u0100-\uFFFF]/g, "?");
}
