import { assertEquals, assertStrictEquals } from "@std/assert";
import { base64Backend, type Payload } from "../../backends/base64.ts";
import { fromBase64, toBase64 } from "./_base64.ts";

/** `urlsafe_b64encode(json.dumps(data).encode())` of Python 3.11. */
const PYTHON_VALUES: [data: Payload, value: string][] = [
  [{}, "e30="],
  [{ n: 1 }, "eyJuIjogMX0="],
  [{ n: 12 }, "eyJuIjogMTJ9"],
  [{ n: 123 }, "eyJuIjogMTIzfQ=="],
  [{ q: "~~~???>>>" }, "eyJxIjogIn5-fj8_Pz4-PiJ9"],
  [{ name: "zoë €" }, "eyJuYW1lIjogInpvXHUwMGViIFx1MjBhYyJ9"],
];

/** The same with `separators=(",", ":"), ensure_ascii=False`. */
const COMPACT_VALUES: [data: Payload, value: string][] = [
  [{}, "e30="],
  [{ n: 1 }, "eyJuIjoxfQ=="],
  [{ n: 12 }, "eyJuIjoxMn0="],
  [{ n: 123 }, "eyJuIjoxMjN9"],
  [{ q: "~~~???>>>" }, "eyJxIjoifn5-Pz8_Pj4-In0="],
  [{ name: "zoë €" }, "eyJuYW1lIjoiem_DqyDigqwifQ=="],
];

const BAD_SPELLINGS: [why: string, value: string][] = [
  ["nothing", ""],
  ["padding alone", "=="],
  ["no padding", "eyJuIjoxfQ"],
  ["half of the padding", "eyJuIjoxfQ="],
  ["more padding", "eyJuIjoxfQ==="],
  ["padding that is not due", "eyJuIjoxMjN9="],
  ["padding in the middle", "eyJuIjox=fQ="],
  ["one character too many", "eyJuIjoxMjN9e"],
  ["one stray bit", "eyJuIjoxfR=="],
  ["a stray bit of two", "eyJuIjoxMn1="],
  ["the standard alphabet", "eyJxIjoifn5+Pz8/Pj4+In0="],
  ["a space before", " eyJuIjoxfQ=="],
  ["a line break after", "eyJuIjoxfQ==\n"],
  ["a space within", "eyJu IjoxfQ=="],
  ["quotes", '"eyJuIjoxfQ=="'],
  ["percent-encoding", "eyJuIjoxfQ%3D%3D"],
  ["characters above ASCII", "éyJuIjoxfQ=="],
  ["a JWT", "eyJhbGciOiJIUzI1NiJ9.eyJuIjoxfQ.AAAA"],
];

const BAD_CONTENTS: [why: string, content: string][] = [
  ["white space", " "],
  ["an array", "[]"],
  ["an array of an object", '[{"n":1}]'],
  ["null", "null"],
  ["a string", '"n"'],
  ["a number", "1"],
  ["true", "true"],
  ["no JSON", "n=1"],
  ["half an object", '{"n":1'],
  ["two objects", '{"n":1}{"n":2}'],
  ["a byte order mark", '\uFEFF{"n":1}'],
  ["a trailing comma", '{"n":1,}'],
  ["a trailing NUL", '{"n":1}\0'],
  ["NaN", '{"n":NaN}'],
  ["a number beyond all numbers", '{"n":1e400}'],
  ["a number below all numbers", '{"n":-1e400}'],
  ["a number beyond all numbers within", '{"a":[{"n":[1e400]}]}'],
];

const INVALID_UTF8: [why: string, bytes: number[]][] = [
  ["a byte that never occurs", [0xFF]],
  ["a continuation byte alone", [0x80]],
  ["an overlong NUL", [0xC0, 0x80]],
  ["an overlong slash", [0xE0, 0x80, 0xAF]],
  ["half a surrogate pair", [0xED, 0xA0, 0x80]],
  ["a character above U+10FFFF", [0xF4, 0x90, 0x80, 0x80]],
  ["a character cut off", [0xE2, 0x82]],
];

Deno.test("base64Backend() keeps nothing that could be removed or renewed", () => {
  const backend = base64Backend();
  assertEquals([backend.remove, backend.renew], [undefined, undefined]);
});

for (const [data, value] of COMPACT_VALUES) {
  Deno.test(`base64Backend.save() writes ${JSON.stringify(data)} as Python would`, async () => {
    assertEquals(await base64Backend().save(data), value);
  });
}

for (const [data, value] of PYTHON_VALUES) {
  Deno.test(`base64Backend.load() reads Python's ${JSON.stringify(data)}`, async () => {
    assertEquals(await base64Backend().load(value), data);
  });
}

for (const [why, value] of BAD_SPELLINGS) {
  Deno.test(`base64Backend.load() returns null for ${why}`, async () => {
    assertStrictEquals(await base64Backend().load(value), null);
  });
}

for (const [why, content] of BAD_CONTENTS) {
  Deno.test(`base64Backend.load() returns null when the content is ${why}`, async () => {
    assertStrictEquals(await base64Backend().load(toBase64(content)), null);
  });
}

for (const [why, bytes] of INVALID_UTF8) {
  Deno.test(`base64Backend.load() returns null when a text has ${why}`, async () => {
    const backend = base64Backend();
    const [start, end] = ['{"n":"', '"}'].map((text) =>
      new TextEncoder().encode(text)
    );
    const content = new Uint8Array([...start, ...bytes, ...end]);
    assertStrictEquals(await backend.load(toBase64(content)), null);
    const good = new Uint8Array([...start, 0xC3, 0xA9, ...end]);
    assertEquals(await backend.load(toBase64(good)), { n: "é" });
  });
}

Deno.test("base64Backend.load() reads white space around JSON", async () => {
  assertEquals(await base64Backend().load(toBase64(' {"n":1}\r\n')), { n: 1 });
});

Deno.test("base64Backend.load() survives 1,500 levels of nesting", async () => {
  const [open, close] = ["[", "]"].map((bracket) => bracket.repeat(1500));
  assertStrictEquals(await base64Backend().load(toBase64(open)), null);
  const payload = await base64Backend().load(toBase64(`{"a":${open}${close}}`));
  assertEquals(JSON.stringify(payload), `{"a":${open}${close}}`);
});

Deno.test("base64Backend.load() reads a value of 4,096 characters, and no longer one", async () => {
  const backend = base64Backend();
  const data = { text: "x".repeat(3061) };
  const value = await backend.save(data);
  assertEquals(value.length, 4096);
  assertEquals(await backend.load(value), data);
  const longer = await backend.save({ text: "x".repeat(3062) });
  assertEquals(longer.length, 4100);
  assertStrictEquals(await backend.load(longer), null);
});

Deno.test("base64Backend.load() returns null or an object for any mutation of a value", async () => {
  const backend = base64Backend();
  const value = await backend.save({ name: "susan", n: [1, 2, 3] });
  for (let i = 0; i < value.length; i++) {
    for (const character of 'A_-=+/ "{\u00e9\u{1F36A}') {
      const mutation = value.slice(0, i) + character + value.slice(i + 1);
      const payload = await backend.load(mutation);
      if (payload === null) continue;
      assertEquals(toBase64(fromBase64(mutation)), mutation, "respelled");
      assertEquals(Object.getPrototypeOf(payload), Object.prototype);
    }
  }
});
