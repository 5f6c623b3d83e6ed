/** What `deno doc` shows of the module. */

import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { runDeno } from "../_processes.ts";
import { SOURCES } from "../_sources.ts";

/** A default as the source writes it: `{value}`, or code in backticks. */
const DEFAULT = /^ *\* @default (?:\{(.+)\}|(`.+`))$/gm;

/** Something that `deno doc` tells as JSON. */
type Node = Record<string, unknown>;

/** What `deno doc` tells of all doors. */
async function docOf(): Promise<Node[]> {
  const doors = Object.values(config.exports);
  const { stdout } = await runDeno(["doc", "--json", ...doors]);
  return [...nodesIn(JSON.parse(stdout))];
}

/** All objects in a JSON value. */
function* nodesIn(value: unknown): Generator<Node> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield value as Node;
  for (const part of Object.values(value)) yield* nodesIn(part);
}

Deno.test("deno doc shows all that may be left out as such, and defaults whole", async () => {
  const nodes = await docOf();

  // Such a parameter is printed by its name and type, as if it were required.
  const withDefaults = nodes.filter(({ kind }) => kind === "assign")
    .map(({ left }) => (left as Node).name);
  assertEquals(withDefaults, []);

  const shown = nodes.map(({ kind, value }) =>
    kind === "default"
      ? value
      : /^@default (.*)/s.exec(String(kind === "unsupported" && value))?.[1]
  ).filter((value) => value !== undefined);
  const written = [...SOURCES.values()].flatMap((text) =>
    Array.from(text.matchAll(DEFAULT), ([, value, code]) => value ?? code)
  );
  for (const value of shown) {
    assert(written.includes(String(value)), `${value}`);
  }
  assert(shown.length >= written.length, "a default is not shown");
});

Deno.test("deno doc shows an example of each function and class", async () => {
  const doors = (await docOf()).filter(({ symbols }) => Array.isArray(symbols));
  assert(doors.length > 0);
  const without = doors.flatMap(({ module_doc: doc, symbols }) =>
    (symbols as Node[]).filter(({ name, declarations }) => {
      const doorCode = JSON.stringify(doc);
      return (declarations as Node[]).some(({ kind, jsDoc }) =>
        (kind === "function" || kind === "class") &&
        ![...nodesIn(jsDoc)].some((tag) => tag.kind === "example") &&
        !doorCode.includes(`${name}(`)
      );
    })
  );
  assertEquals(without.map(({ name }) => name), []);
});

Deno.test("the task check holds every door to its documentation", () => {
  const [, doors] = config.tasks.check.command.split("deno doc --lint ");
  const named = doors.split(" ").map((path) => `./${path}`);
  assertEquals(named.sort(), Object.values(config.exports).sort());
});
