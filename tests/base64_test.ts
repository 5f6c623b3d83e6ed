import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import { base64Backend, type Payload } from "../backends/base64.ts";
import { Session } from "../session.ts";
import { cookieSetBy, NOW, requestWith, stoppedClock } from "./_helpers.ts";

/** The real thing, where it is installed. */
const PYTHON = "/usr/bin/python3";

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

const BAD_CONTENTS: [why: string, content: string | Uint8Array][] = [
  ["an array", "[]"],
  ["null", "null"],
  ["a string", '"n"'],
  ["a number", "1"],
  ["true", "true"],
  ["no JSON", "n=1"],
  ["half an object", '{"n":1'],
  ["two objects", '{"n":1}{"n":2}'],
  ["a byte order mark", '\uFEFF{"n":1}'],
  [
    "invalid UTF-8",
    new Uint8Array([0x7B, 0x22, 0xC0, 0x22, 0x3A, 0x31, 0x7D]),
  ],
];

const OUT_OF_TIME: [why: string, payload: string][] = [
  ["exp that is now", `{"exp":${NOW}}`],
  ["exp long ago", '{"exp":0}'],
  ["exp as text", `{"exp":"${NOW + 9}"}`],
  ["exp null", '{"exp":null}'],
  ["exp beyond all numbers", '{"exp":1e400}'],
  ["nbf more than 60 s ahead", `{"nbf":${NOW + 61}}`],
  ["iat more than 60 s ahead", `{"iat":${NOW + 61}}`],
];

const IN_TIME: [what: string, payload: string][] = [
  ["no claim", '{"n":1}'],
  ["exp a second ahead", `{"exp":${NOW + 1}}`],
  ["nbf 60 s ahead", `{"nbf":${NOW + 60}}`],
  ["iat 60 s ahead", `{"iat":${NOW + 60}}`],
];

function encode(content: string | Uint8Array): string {
  const bare = encodeBase64Url(content);
  return bare + "=".repeat((4 - bare.length % 4) % 4);
}

Deno.test("base64Backend() is not authenticated", () => {
  assertEquals(base64Backend().authenticated, false);
});

Deno.test("base64Backend() keeps nothing that could be removed or renewed", () => {
  const backend = base64Backend();
  assertEquals(backend.remove, undefined);
  assertEquals(backend.renew, undefined);
});

Deno.test("base64Backend() refuses a secret key", () => {
  const options = { clock: Date.now, secretKey: "k".repeat(32) };
  const error = assertThrows(() => base64Backend(options), TypeError);
  assertStringIncludes(error.message, "signs nothing");
  assert(!error.message.includes("kkk"));
});

for (const [data, value] of COMPACT_VALUES) {
  Deno.test(`base64Backend.save() writes ${JSON.stringify(data)} as Python would`, async () => {
    assertEquals(await base64Backend().save(data), value);
  });
}

Deno.test("base64Backend.save() rejects what JSON cannot hold", async () => {
  const backend = base64Backend();
  await assertRejects(() => backend.save({ n: 1n }), TypeError);
});

for (const [data, value] of [...PYTHON_VALUES, ...COMPACT_VALUES]) {
  Deno.test(`base64Backend.load() reads ${value}`, async () => {
    assertEquals(await base64Backend().load(value), data);
  });
}

for (const [why, value] of BAD_SPELLINGS) {
  Deno.test(`base64Backend.load() returns null for ${why}`, async () => {
    assertEquals(await base64Backend().load(value), null);
  });
}

for (const [why, content] of BAD_CONTENTS) {
  Deno.test(`base64Backend.load() returns null when the content is ${why}`, async () => {
    assertEquals(await base64Backend().load(encode(content)), null);
  });
}

for (const [why, payload] of OUT_OF_TIME) {
  Deno.test(`base64Backend.load() returns null for ${why}`, async () => {
    const backend = base64Backend({ clock: () => NOW * 1000 });
    assertEquals(await backend.load(encode(payload)), null);
  });
}

for (const [what, payload] of IN_TIME) {
  Deno.test(`base64Backend.load() accepts ${what}`, async () => {
    const backend = base64Backend({ clock: () => NOW * 1000 });
    assertEquals(await backend.load(encode(payload)), JSON.parse(payload));
  });
}

Deno.test("base64Backend.load() goes by the real clock unless told otherwise", async () => {
  const now = Math.floor(Date.now() / 1000);
  const backend = base64Backend();
  assertEquals(await backend.load(encode(`{"exp":${now - 1}}`)), null);
  assert(await backend.load(encode(`{"exp":${now + 60}}`)));
});

Deno.test("base64Backend.load() reads a value of 4,096 characters", async () => {
  const data = { text: "x".repeat(3061) };
  const value = await base64Backend().save(data);
  assertEquals(value.length, 4096);
  assertEquals(await base64Backend().load(value), data);
});

Deno.test("base64Backend.load() returns null for a longer value", async () => {
  const value = await base64Backend().save({ text: "x".repeat(3062) });
  assertEquals(value.length, 4100);
  assertEquals(await base64Backend().load(value), null);
});

Deno.test("base64Backend.load() takes __proto__ and constructor as plain data", async () => {
  const text = '{"__proto__":{"admin":true},"constructor":1}';
  const payload = await base64Backend().load(encode(text));
  assert(payload !== null);
  assertEquals(Object.keys(payload), ["__proto__", "constructor"]);
  assertEquals(Object.getPrototypeOf(payload), Object.prototype);
  assertEquals(payload.admin, undefined);
});

Deno.test("Session with base64Backend() reads what a client made up", async () => {
  const session = new Session({ backend: base64Backend() });
  const request = requestWith(`session=${encode('{"admin":true}')}`);
  assertEquals({ ...await session.get(request) }, { admin: true });
});

Deno.test("Session with base64Backend() reads back what it saved until it expires", async () => {
  const { clock, advance } = stoppedClock();
  const backend = base64Backend({ clock });
  const session = new Session({ backend, clock, maxAge: 100 });
  const request = requestWith();
  const dict = await session.get(request);
  dict.theme = "dark";
  dict.save();
  const value = cookieSetBy(await session.commit(request, new Response()));
  const read = async (): Promise<Payload> => ({
    ...await session.get(requestWith(`session=${value}`)),
  });

  assertEquals(await read(), { theme: "dark" });
  advance(99);
  assertEquals(await read(), { theme: "dark" });
  advance(1);
  assertEquals(await read(), {});
});

Deno.test("base64Backend.load() returns null or an object for any mutation of a value", async () => {
  const backend = base64Backend();
  const value = await backend.save({ name: "susan", n: [1, 2, 3] });
  for (let i = 0; i < value.length; i++) {
    for (const character of 'A_-=+/ "{\u00e9\u{1F36A}') {
      const mutation = value.slice(0, i) + character + value.slice(i + 1);
      const payload = await backend.load(mutation);
      if (payload === null) continue;
      assertEquals(encode(decode(mutation)), mutation, "another spelling");
      assertEquals(Object.getPrototypeOf(payload), Object.prototype);
    }
  }
});

Deno.test({
  name: "base64Backend exchanges values with Python both ways",
  ignore: !await exists(PYTHON),
  async fn() {
    const data = { name: "zoë €", list: [1, null, true], q: "~~~???>>>" };
    const backend = base64Backend();
    const value = await backend.save(data);
    const [read, written] = await runPython(
      `
import base64, json, sys
data = json.loads(base64.urlsafe_b64decode(sys.argv[1]))
print(json.dumps(data))
print(base64.urlsafe_b64encode(json.dumps(data).encode()).decode())`,
      value,
    );
    assertEquals(JSON.parse(read), data);
    assertEquals(await backend.load(written), data);
  },
});

function decode(value: string): Uint8Array {
  const text = atob(value.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

async function runPython(code: string, ...args: string[]): Promise<string[]> {
  const command = new Deno.Command(PYTHON, { args: ["-c", code, ...args] });
  const { success, stdout, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n");
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
