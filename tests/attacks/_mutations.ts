/**
 * Small changes to texts: what a hostile or broken client makes of a token, a
 * header or a URL.
 *
 * @module
 */

import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import type { Random } from "../_random.ts";

/** What means something to some parser between here and a session. */
const SPECIALS = [
  ...' \t;,="\\/.:@?#&%+-_<>[]{}()\x00\x01\x7F\x80\x85\xA0\xAD\xFF',
  "==",
  "; ",
  "..",
  "//",
  "/\\",
  "%00",
  "%0a",
  "%2e%2e",
  "%2F",
  "%5C",
  "%ED%A0%80",
  "\xC3\xA9",
  "\xEF\xBB\xBF",
  "__proto__",
  "constructor",
  "http://",
  "https:",
  "evil.example",
  "null",
  "1e400",
];

type Mutation = (text: string, random: Random) => string;

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  flipBit,
  (text, random) => splice(text, random, 0, random.pick(SPECIALS)),
  (text, random) => splice(text, random, 1, random.pick(SPECIALS)),
  (text, random) => splice(text, random, random.integer(1, 8), ""),
  (text, random) => text.slice(0, random.integer(0, text.length)),
  (text, random) => text.slice(random.integer(0, text.length)),
  (text) => text + text,
  (text, random) => `${random.pick(SPECIALS)}${text}`,
  (text, random) => `${text}${random.pick(SPECIALS)}`,
  (text, random) => text + text.slice(random.integer(0, text.length)),
  (text, random) => text + "A".repeat(random.integer(1, 5000)),
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text) => encodeURIComponent(text),
  (text) => [...text].reverse().join(""),
  (text, random) => escapeOne(text, random),
  (text) => `"${text}"`,
];

/** Changes a text a little, once or more. */
export function mutate(text: string, random: Random): string {
  do {
    text = random.pick(MUTATIONS)(text, random);
  } while (random.chance(0.25));
  return text;
}

const TOKEN_MUTATIONS: readonly ((
  token: string,
  random: Random,
  others: readonly string[],
) => string)[] = [
  mutate,
  mutate,
  mutate,
  respell,
  (token) => token.replaceAll("-", "+").replaceAll("_", "/"),
  (token) => `${token}=`,
  (token, random, others) => cross(token, random.pick(others), random),
  (token, random, others) => exchangePart(token, random.pick(others), random),
  (token, random) => editJson(token, random, 0),
  (token, random) => editJson(token, random, 1),
  (token) => token.slice(0, token.lastIndexOf(".") + 1),
];

/** Changes a token, by itself or with parts of others. */
export function mutateToken(
  token: string,
  random: Random,
  others: readonly string[],
): string {
  return random.pick(TOKEN_MUTATIONS)(token, random, others);
}

/** Text of one byte per character that nobody planned. */
export function garbage(random: Random): string {
  const length = random.integer(0, random.chance(0.05) ? 6000 : 40);
  let text = "";
  while (text.length < length) {
    text += random.chance(0.3)
      ? random.pick(SPECIALS)
      : String.fromCharCode(random.integer(0x20, 0xFF));
  }
  return text;
}

function flipBit(text: string, random: Random): string {
  if (text === "") return text;
  const index = random.integer(0, text.length - 1);
  const code = text.charCodeAt(index) ^ (1 << random.integer(0, 7));
  return text.slice(0, index) + String.fromCharCode(code & 0xFF) +
    text.slice(index + 1);
}

function splice(
  text: string,
  random: Random,
  length: number,
  insert: string,
): string {
  const index = random.integer(0, text.length);
  return text.slice(0, index) + insert + text.slice(index + length);
}

function escapeOne(text: string, random: Random): string {
  if (text === "") return text;
  const index = random.integer(0, text.length - 1);
  const code = text.charCodeAt(index).toString(16).padStart(2, "0");
  return `${text.slice(0, index)}%${code}${text.slice(index + 1)}`;
}

/** The last character with other stray bits, which a lax decoder drops. */
function respell(token: string, random: Random): string {
  const code = token.charCodeAt(token.length - 1) + random.integer(1, 3);
  return token.slice(0, -1) + String.fromCharCode(code & 0x7F);
}

/** The beginning of one token and the end of another. */
function cross(token: string, other: string, random: Random): string {
  const index = random.integer(0, token.length);
  return token.slice(0, index) + other.slice(index);
}

function exchangePart(token: string, other: string, random: Random): string {
  const parts = token.split(".");
  const index = random.integer(0, parts.length - 1);
  parts[index] = other.split(".")[index] ?? "";
  return parts.join(".");
}

/** Changes what one part says, and leaves the signature. */
function editJson(token: string, random: Random, index: number): string {
  const parts = token.split(".");
  if (index >= parts.length) return mutate(token, random);
  const bytes = decodeBase64Url(parts[index]);
  const text = String.fromCharCode(...bytes)
    .replace("HS256", random.pick(["none", "HS512", "RS256", "HS256"]))
    .replace(/(?<="_?user_id":)[12]/, (id) => `${3 - Number(id)}`);
  const edited = random.chance(0.5) ? mutate(text, random) : text;
  parts[index] = encodeBase64Url(
    Uint8Array.from(edited, (character) => character.charCodeAt(0)),
  );
  return parts.join(".");
}
