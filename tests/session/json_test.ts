import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Session } from "../../mod.ts";
import { cookieSetBy, NOW } from "../_helpers.ts";
import { countCalls } from "../_tokens.ts";
import { dataOf, newSession, visit } from "./_visits.ts";

class Point {
  x = 1;
}

const circular: Record<string, unknown> = {};
circular.self = circular;

/** What the error says to do. */
const MEND = "use plain objects, arrays, strings, finite numbers, booleans";

/** An array in an array, and so on. */
function nested(depth: number): unknown[] {
  let array: unknown[] = [];
  for (let i = 1; i < depth; i++) array = [array];
  return array;
}

function likeObject(): unknown {
  return JSON.parse('{"__proto__":{"admin":true},"constructor":1}');
}

/** What JSON can't hold, and what the error says of it. */
const NO_JSON: [what: string, value: unknown, ...fragments: string[]][] = [
  ["a BigInt", 10n, '"x"', "bigint"],
  ["a boxed BigInt", Object(10n), '"x"', "BigInt"],
  ["NaN", NaN, '"x"', "NaN"],
  ["Infinity", -Infinity, '"x"', "-Infinity"],
  ["a function", () => 1, '"x"', "function"],
  ["a symbol", Symbol("s"), '"x"', "symbol"],
  ["a Map", new Map([["a", 1]]), '"x"', "Map"],
  ["a Set", new Set([1]), '"x"', "Set"],
  ["bytes", new Uint8Array(2), '"x"', "Uint8Array"],
  ["an ArrayBuffer", new ArrayBuffer(2), '"x"', "ArrayBuffer"],
  ["a RegExp", /a/, '"x"', "RegExp"],
  ["an Error", new Error("broken"), '"x"', "Error"],
  ["a promise", Promise.resolve(1), '"x"', "Promise"],
  ["Headers", new Headers(), '"x"', "Headers"],
  ["a nested BigInt", { list: [1, { deep: 10n }] }, '"x"', "bigint"],
  ["a nested NaN", [[NaN]], '"x"', "NaN"],
  ["a Date", new Date(0), '"x"', "Date"],
  ["a URL", new URL("http://localhost/"), '"x"', "URL"],
  ["an object of a class", new Point(), '"x"', "Point"],
  ["a boxed string", Object("text"), '"x"', "String"],
  ["a boxed NaN", Object(NaN), '"x"', "Number"],
  ["undefined in an array", [1, undefined], '"x"', "undefined"],
  ["a hole in an array", new Array(1), '"x"', "undefined"],
  ["a circular object", circular, '"x"', "circle"],
  ["an array in 2,000 others", nested(2_001), '"x"', "too deeply nested"],
];

/** What a session gives back for a value. */
const JSON_VALUES: [what: string, value: unknown, kept: unknown][] = [
  ["a string", "ü\u2028\u{1F600}", "ü\u2028\u{1F600}"],
  ["an empty string", "", ""],
  ["a number", -1.5e300, -1.5e300],
  ["0", 0, 0],
  ["a boolean", false, false],
  ["null", null, null],
  ["an array", [1, [2, []], "3"], [1, [2, []], "3"]],
  ["an object", { a: { b: {} } }, { a: { b: {} } }],
  ["an object without a prototype", Object.create(null), {}],
  ["names like those of objects", likeObject(), likeObject()],
  ["undefined in an object", { a: 1, gone: undefined }, { a: 1 }],
];

const CLAIMS = [
  "iss",
  "sub",
  "aud",
  "exp",
  "nbf",
  "iat",
  "jti",
  "_started",
  "_saved",
  "_cookie",
  "_user_id",
  "_fresh",
  "_auth_time",
  "_stamp",
  "_states",
  "_series",
];

/** The ways in which a value gets into a session. */
const WAYS: Record<string, (session: Session, x: unknown) => Promise<unknown>> =
  {
    "dict.save()": (session, x) =>
      visit(session, (dict) => {
        dict.x = x;
        return dict.save();
      }),
    "autoSave": (session, x) => visit(session, (dict) => void (dict.x = x)),
    "session.encode()": (session, x) => session.encode({ x }),
  };

for (const [what, value, ...fragments] of NO_JSON) {
  for (const [way, save] of Object.entries(WAYS)) {
    Deno.test(`${way} rejects ${what}`, async () => {
      const session = newSession({ autoSave: way === "autoSave" });
      const error = await assertRejects(() => save(session, value), TypeError);
      for (const fragment of [...fragments, MEND]) {
        assertStringIncludes(error.message, fragment);
      }
    });
  }
}

for (const [what, value, kept] of JSON_VALUES) {
  Deno.test(`dict.save() keeps ${what}`, async () => {
    const session = newSession();
    const response = await visit(session, (dict) => {
      dict.x = value;
      dict.save();
    });
    assertEquals(await dataOf(session, cookieSetBy(response)), { x: kept });
  });
}

Deno.test("dict.save() leaves out what is undefined", async () => {
  const session = newSession();
  const response = await visit(session, (dict) => {
    dict.n = 1;
    dict.gone = undefined;
    dict.save();
  });
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

for (const claim of CLAIMS) {
  Deno.test(`dict.save() rejects data under the claim ${claim}`, async () => {
    const save = visit(newSession(), (dict) => {
      dict[claim] = NOW;
      return dict.save();
    });
    await assertRejects(() => save, TypeError, `"${claim}"`);
  });
}

Deno.test("dict.save() names the property at the top, wherever the value is", async () => {
  const save = visit(newSession(), (dict) => {
    dict.first = { x: 1 };
    dict.second = { x: [{ deep: 10n }] };
    return dict.save();
  });
  await assertRejects(() => save, TypeError, '"second"');
});

for (const value of [10n, new Map([["planted", "planted"]])]) {
  Deno.test(`dict.save() tells no data beside a ${typeof value} in its error`, async () => {
    const save = visit(newSession(), (dict) => {
      dict.x = { planted: "planted", list: ["planted", value] };
      return dict.save();
    });
    const error = await assertRejects(() => save, TypeError);
    assert(!error.message.includes("planted"), error.message);
  });
}

Deno.test("dict.save() rejects a symbol for a name, wherever it is", async () => {
  const edits: ((dict: object) => unknown)[] = [
    (dict) => Reflect.set(dict, Symbol("s"), 1),
    (dict) => Reflect.set(dict, "x", [{ [Symbol("s")]: 1 }]),
  ];
  for (const edit of edits) {
    const save = visit(newSession(), (dict) => {
      edit(dict);
      return dict.save();
    });
    await assertRejects(() => save, TypeError, "symbol");
  }
});

for (const method of ["jwt", "fernet"] as const) {
  Deno.test(`dict.save() makes no ${method} token of data as large as a file`, async () => {
    const session = newSession({ backend: method });
    const count = await countCalls(
      async () => {
        const save = visit(session, (dict) => {
          dict.x = "x".repeat(5_000);
          return dict.save();
        });
        await assertRejects(() => save, RangeError, "over the limit of 4096");
      },
      "sign",
      "encrypt",
    );
    assertEquals(count, 0);
  });
}
