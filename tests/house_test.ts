import { assert, assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { ROOT, SOURCES } from "./_sources.ts";

/** An import or re-export of a published file, by paths from the top. */
interface Import {
  from: string;
  to: string;
  isType: boolean;
}

/** What may not be imported where; public types may, where it says so. */
const FORBIDDEN: [from: RegExp, to: RegExp, areTypesFine?: boolean][] = [
  [/^backends\//, /^(session|login|helpers)\b/],
  [/^session\b/, /^login\b/],
  [/^helpers\b/, /^(session|login)\b/, true],
  [/^/, /^(tests|bench|examples|compat)\//],
  [/^/, /^npm:/],
];

const DOORS: readonly string[] = Object.values(config.exports)
  .map((path) => path.slice("./".length));
const MOST_FILES = 9;

/** Not within a comment, where examples are. */
const IMPORT =
  /^(?:import|export)\s+(type\s)?(?:[\w\s{},*$]+\sfrom\s+)?"([^"]+)"|^[^*\n]*\bimport\("([^"]+)"/gm;
const MODULE_DOC = /^\/\*\*\n(?: \*(?: .*)?\n)* \* @module\n \*\/\n/;

const files = [...SOURCES.keys()];
const imports = files.flatMap(importsOf);

function importsOf(from: string): Import[] {
  const found = SOURCES.get(from)?.matchAll(IMPORT) ?? [];
  return Array.from(found, ([, type, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic;
    const to = specifier.startsWith(".")
      ? new URL(specifier, new URL(from, ROOT)).href.slice(ROOT.href.length)
      : specifier;
    return { from, to, isType: type !== undefined };
  });
}

Deno.test("the house has the doors that deno.json names", () => {
  for (const door of DOORS) assert(files.includes(door), door);
  // Where no import is found, none can be wrong.
  assert(imports.some(({ to }) => to === "session/core.ts"));
});

Deno.test("the source has no import cycle", () => {
  let left = files;
  for (let before = 0; left.length !== before;) {
    before = left.length;
    // Whoever imports nothing that is left is on no cycle.
    left = left.filter((path) =>
      imports.some(({ from, to }) => from === path && left.includes(to))
    );
  }
  assertEquals(left, []);
});

for (const [from, to, areTypesFine = false] of FORBIDDEN) {
  const who = from.source === "^" ? "" : ` in ${from.source}`;
  Deno.test(`no source file${who} imports ${to.source}`, () => {
    const wrong = imports.filter((one) =>
      from.test(one.from) && to.test(one.to) &&
      !(areTypesFine && one.isType && DOORS.includes(one.to))
    );
    assertEquals(wrong, []);
  });
}

Deno.test("the top level holds doors alone", () => {
  const top = files.filter((path) => !path.includes("/"));
  assertEquals(top.filter((path) => !DOORS.includes(path)), []);
});

Deno.test("no source folder holds more than nine files", () => {
  const folders = Map.groupBy(files, (path) => path.replace(/[^/]*$/, ""));
  for (const [folder, { length }] of folders) {
    assert(length <= MOST_FILES, `${folder} holds ${length}`);
  }
});

Deno.test("each source file begins with a module doc comment", () => {
  const wrong = files.filter((path) =>
    !MODULE_DOC.test(SOURCES.get(path) ?? "")
  );
  assertEquals(wrong, []);
});
