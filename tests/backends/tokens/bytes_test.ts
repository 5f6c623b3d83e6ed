import { assertEquals, assertStrictEquals } from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import {
  decodeBase64Url,
  decodePaddedBase64Url,
  encodeUtf8,
  padBase64Url,
} from "../../../backends/tokens/bytes.ts";
import { ALPHABET } from "../../_tokens.ts";

/** RFC 4648 section 10: the text, bare and padded. */
const RFC_4648_VECTORS: [text: string, bare: string, padded: string][] = [
  ["", "", ""],
  ["f", "Zg", "Zg=="],
  ["fo", "Zm8", "Zm8="],
  ["foo", "Zm9v", "Zm9v"],
  ["foob", "Zm9vYg", "Zm9vYg=="],
  ["fooba", "Zm9vYmE", "Zm9vYmE="],
  ["foobar", "Zm9vYmFy", "Zm9vYmFy"],
];

/** Spellings that neither decoder takes. */
const MALFORMED: [why: string, text: string][] = [
  ["a length that no bytes have", "Z"],
  ["a length that no bytes have, after whole groups", "Zm9vY"],
  ["stray bits after one byte", "Zh"],
  ["stray bits after two bytes", "Zm9"],
  ["a plus sign", "Zm+v"],
  ["a slash", "Zm/v"],
  ["a space at the start", " Zm9v"],
  ["a space inside", "Zm 9v"],
  ["a tab", "Zm9v\t"],
  ["a line feed at the end", "Zm9v\n"],
  ["a line feed in place of padding", "Zm8\n"],
  ["two line feeds in place of padding", "Zg\n\n"],
  ["a carriage return", "Zm9v\r\n"],
  ["a NUL", "Zm9\0"],
  ["a dot", "Zm9."],
  ["a percent sign", "Zm%3D"],
  ["a letter outside of ASCII", "Zm9é"],
  ["half a surrogate pair", "Zm9\uD800"],
  ["an equals sign alone", "="],
  ["four equals signs alone", "===="],
  ["an equals sign inside", "Zg=a"],
  ["an equals sign at the start", "=Zg="],
];

const NOT_PADDED_RIGHT: [why: string, text: string][] = [
  ["no padding after one byte", "Zg"],
  ["no padding after two bytes", "Zm8"],
  ["too little padding", "Zg="],
  ["too much padding after one byte", "Zg==="],
  ["too much padding after two bytes", "Zm8=="],
  ["padding after whole groups", "Zm9v="],
  ["a group of padding", "Zm9v===="],
  ["stray bits before two equals signs", "Zh=="],
  ["stray bits before an equals sign", "Zm9="],
  ["a line feed after the padding", "Zg==\n"],
  ["a space before the padding", "Zg =="],
];

for (const [text, bare, padded] of RFC_4648_VECTORS) {
  Deno.test(`base64url reads the RFC 4648 vector "${text}"`, () => {
    assertEquals(decodeBase64Url(bare), encodeUtf8(text));
    assertEquals(decodePaddedBase64Url(padded), encodeUtf8(text));
    assertEquals(padBase64Url(bare), padded);
  });
}

for (const [why, text] of MALFORMED) {
  Deno.test(`base64url refuses ${why}`, () => {
    assertStrictEquals(decodeBase64Url(text), null);
    assertStrictEquals(decodePaddedBase64Url(text), null);
  });
}

for (const [why, text] of NOT_PADDED_RIGHT) {
  Deno.test(`padded base64url refuses ${why}`, () => {
    assertStrictEquals(decodePaddedBase64Url(text), null);
  });
}

Deno.test("base64url without padding refuses padding", () => {
  for (const [, bare, padded] of RFC_4648_VECTORS) {
    if (padded !== bare) assertStrictEquals(decodeBase64Url(padded), null);
    assertStrictEquals(decodeBase64Url(`${bare}=`), null);
  }
});

Deno.test("base64url has the URL-safe alphabet", () => {
  assertEquals(decodeBase64Url("-_-_"), new Uint8Array([251, 255, 191]));
});

Deno.test("base64url takes one spelling of each single byte", () => {
  const decoded: number[] = [];
  for (const first of ALPHABET) {
    for (const last of ALPHABET) {
      const bytes = decodeBase64Url(first + last);
      if (bytes !== null) decoded.push(...bytes);
    }
  }
  assertEquals(decoded, Array.from({ length: 256 }, (_, byte) => byte));
});

Deno.test("base64url takes one spelling of each byte after another", () => {
  const decoded: number[] = [];
  for (const middle of ALPHABET) {
    for (const last of ALPHABET) {
      const bytes = decodeBase64Url(`A${middle}${last}`);
      if (bytes !== null) decoded.push(bytes[0] * 256 + bytes[1]);
    }
  }
  // The first four bits of `middle` belong to the first byte, 0 to 3.
  assertEquals(decoded, Array.from({ length: 1024 }, (_, number) => number));
});

Deno.test("base64url reads what encodeBase64Url() wrote, at any length", () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 151 + length);
    const text = encodeBase64Url(bytes);
    assertEquals(decodeBase64Url(text), bytes);
    assertEquals(decodePaddedBase64Url(padBase64Url(text)), bytes);
  }
});
