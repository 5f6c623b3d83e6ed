import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import {
  decodeBase64Url,
  decodePaddedBase64Url,
  decodeUtf8,
  encodeUtf8,
  padBase64Url,
  parseJsonObject,
} from "../backends/bytes.ts";
import { ALPHABET } from "./_tokens.ts";

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
  ["a space at the end", "Zm9v "],
  ["a space inside", "Zm 9v"],
  ["a tab", "Zm9v\t"],
  ["a line feed at the end", "Zm9v\n"],
  ["a line feed in place of padding", "Zm8\n"],
  ["two line feeds in place of padding", "Zg\n\n"],
  ["a line feed inside", "Zm9v\nZm9v"],
  ["a carriage return", "Zm9v\r\n"],
  ["a no-break space", "Zm9v\u00A0"],
  ["a byte order mark", "\uFEFFZm9v"],
  ["a NUL", "Zm9\0"],
  ["a dot", "Zm9."],
  ["a comma", "Zm9,"],
  ["a percent sign", "Zm%3D"],
  ["a letter outside of ASCII", "Zm9é"],
  ["full-width letters", "Ｚｍ９ｖ"],
  ["half a surrogate pair", "Zm9\uD800"],
  ["an equals sign alone", "="],
  ["two equals signs alone", "=="],
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
  ["percent-encoded padding", "Zg%3D%3D"],
];

const INVALID_UTF8: [why: string, bytes: number[]][] = [
  ["a byte that never occurs", [0xFF]],
  ["a continuation byte alone", [0x80]],
  ["an overlong NUL", [0xC0, 0x80]],
  ["an overlong slash", [0xE0, 0x80, 0xAF]],
  ["half a surrogate pair", [0xED, 0xA0, 0x80]],
  ["a character above U+10FFFF", [0xF4, 0x90, 0x80, 0x80]],
  ["a character cut off at the end", [0x61, 0xE2, 0x82]],
  ["a character cut off inside", [0xE2, 0x82, 0x61]],
];

const NOT_JSON_OBJECTS: [why: string, text: string][] = [
  ["nothing", ""],
  ["white space", " "],
  ["an array", "[]"],
  ["an array of an object", '[{"n":1}]'],
  ["null", "null"],
  ["a string", '"x"'],
  ["a number", "1"],
  ["a boolean", "true"],
  ["a byte order mark", '\uFEFF{"n":1}'],
  ["a trailing comma", '{"n":1,}'],
  ["a second value", "{}{}"],
  ["a trailing NUL", "{}\0"],
  ["single quotes", "{'n':1}"],
  ["a bare name", "{n:1}"],
  ["NaN", '{"n":NaN}'],
  ["a comment", "{}//"],
  ["half an object", '{"n":'],
];

for (const [text, bare, padded] of RFC_4648_VECTORS) {
  Deno.test(`decodeBase64Url() reads the RFC 4648 vector "${text}"`, () => {
    assertEquals(decodeBase64Url(bare), encodeUtf8(text));
  });

  Deno.test(`decodePaddedBase64Url() reads the RFC 4648 vector "${text}"`, () => {
    assertEquals(decodePaddedBase64Url(padded), encodeUtf8(text));
  });

  Deno.test(`padBase64Url() pads the RFC 4648 vector "${text}"`, () => {
    assertEquals(padBase64Url(bare), padded);
  });
}

for (const [why, text] of MALFORMED) {
  Deno.test(`decodeBase64Url() refuses ${why}`, () => {
    assertStrictEquals(decodeBase64Url(text), null);
  });

  Deno.test(`decodePaddedBase64Url() refuses ${why}`, () => {
    assertStrictEquals(decodePaddedBase64Url(text), null);
  });
}

for (const [why, text] of NOT_PADDED_RIGHT) {
  Deno.test(`decodePaddedBase64Url() refuses ${why}`, () => {
    assertStrictEquals(decodePaddedBase64Url(text), null);
  });
}

Deno.test("decodeBase64Url() refuses padding", () => {
  for (const [, bare, padded] of RFC_4648_VECTORS) {
    if (padded !== bare) assertStrictEquals(decodeBase64Url(padded), null);
    assertStrictEquals(decodeBase64Url(`${bare}=`), null);
  }
});

Deno.test("decodeBase64Url() uses the URL-safe alphabet", () => {
  assertEquals(decodeBase64Url("-_-_"), new Uint8Array([251, 255, 191]));
});

Deno.test("decodeBase64Url() takes one spelling of each single byte", () => {
  const decoded: number[] = [];
  for (const first of ALPHABET) {
    for (const last of ALPHABET) {
      const bytes = decodeBase64Url(first + last);
      if (bytes !== null) decoded.push(...bytes);
    }
  }
  assertEquals(decoded, Array.from({ length: 256 }, (_, byte) => byte));
});

Deno.test("decodeBase64Url() takes one spelling of each byte after another", () => {
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

Deno.test("decodeBase64Url() reads what encodeBase64Url() wrote, at any length", () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 151 + length);
    const text = encodeBase64Url(bytes);
    assertEquals(decodeBase64Url(text), bytes);
    assertEquals(decodePaddedBase64Url(padBase64Url(text)), bytes);
  }
});

for (const [why, bytes] of INVALID_UTF8) {
  Deno.test(`decodeUtf8() refuses ${why}`, () => {
    assertStrictEquals(decodeUtf8(new Uint8Array(bytes)), null);
  });
}

Deno.test("decodeUtf8() reads every length of character", () => {
  const text = "a\0é€🦕\u{10FFFF}";
  assertEquals(decodeUtf8(encodeUtf8(text)), text);
});

Deno.test("decodeUtf8() reads valid bytes after it has refused others", () => {
  assertStrictEquals(decodeUtf8(new Uint8Array([0x61, 0xE2])), null);
  assertEquals(decodeUtf8(new Uint8Array([0x62])), "b");
});

Deno.test("decodeUtf8() keeps a byte order mark", () => {
  const bytes = new Uint8Array([0xEF, 0xBB, 0xBF, 0x7B, 0x7D]);
  assertEquals(decodeUtf8(bytes), "\uFEFF{}");
});

for (const [why, text] of NOT_JSON_OBJECTS) {
  Deno.test(`parseJsonObject() refuses ${why}`, () => {
    assertStrictEquals(parseJsonObject(text), null);
  });
}

Deno.test("parseJsonObject() refuses the absence of a text", () => {
  assertStrictEquals(parseJsonObject(null), null);
});

Deno.test("parseJsonObject() reads an object", () => {
  const text = ' {"n":1,"list":[null,"x"],"nested":{"ok":true}}\r\n';
  assertEquals(parseJsonObject(text), {
    n: 1,
    list: [null, "x"],
    nested: { ok: true },
  });
});

Deno.test("parseJsonObject() keeps __proto__ as a plain property", () => {
  const object = parseJsonObject('{"__proto__":{"isAdmin":true}}');
  assert(object !== null);
  assertEquals(Object.keys(object), ["__proto__"]);
  assertStrictEquals(Object.getPrototypeOf(object), Object.prototype);
  assertStrictEquals(object.isAdmin, undefined);
});

Deno.test("parseJsonObject() survives 100,000 levels of nesting", () => {
  const open = '{"a":'.repeat(100_000);
  assertStrictEquals(parseJsonObject(open), null);
  assert(parseJsonObject(`${open}1${"}".repeat(100_000)}`) !== null);
});
