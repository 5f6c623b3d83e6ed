/** What README.md, CONTRIBUTING.md and docs/*.md have in common. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { TestClient } from "../../helpers/testing.ts";
import { KEY } from "../_helpers.ts";
import { hasPython, runDeno, runPython } from "../_processes.ts";
import { ROOT } from "../_sources.ts";
import { BLOCKS, nameOf, TEXTS, withFiles, withProject } from "./_code.ts";

Deno.env.set("SECRET_KEY", KEY);

/** Languages whose code a test looks at; of the others there is nothing to check. */
const CHECKED = ["ts", "tsx", "sh", "json", "python", "sql"];
const CHECK_PYTHON = `
import ast, json, sys
for code in json.loads(sys.argv[1]): ast.parse(code)
print("true")
`;

/** The code of one language. */
function codeOf(language: string): string[] {
  return BLOCKS.filter((block) => block.language === language)
    .map(({ code }) => code);
}

/** What an anchor is made of a heading, as GitHub does. */
function anchorsIn(text: string): string[] {
  const code = /^ *```[^]*?^ *```/gm;
  return Array.from(
    text.replaceAll(code, "").matchAll(/^#+ (.*)$/gm),
    ([, heading]) =>
      heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
  );
}

/** The links of a page to other files, and within it. */
function linksIn(text: string): string[] {
  return Array.from(text.matchAll(/\]\(([^)]+)\)/g), ([, link]) => link)
    .filter((link) => !/^https?:/.test(link));
}

/** The files of the project, but those that are made or fetched. */
function* filesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (/^(\.|vendor$|node_modules$)/.test(name)) continue;
    if (isDirectory) yield* filesIn(`${folder}${name}/`);
    else yield `./${folder}${name}`;
  }
}

Deno.test("the code of all pages is of a language that is checked", () => {
  const others = BLOCKS.filter(({ language }) => !CHECKED.includes(language));
  assertEquals(others.map(({ page, line }) => `${page}:${line}`), []);
});

Deno.test("the tasks that pages name exist", () => {
  const names = [...TEXTS.values()].flatMap((text) =>
    Array.from(text.matchAll(/deno task ([a-z][\w:]*)/g), ([, name]) => name)
  );
  assert(names.length > 0);
  assertEquals(names.filter((name) => !(name in config.tasks)), []);
});

Deno.test("the JSON of all pages can be read", () => {
  for (const code of codeOf("json")) JSON.parse(code);
});

Deno.test("the Python of all pages can be compiled", async () => {
  const codes = codeOf("python");
  if (codes.length === 0 || !await hasPython("ast")) return;
  assertEquals(await runPython(CHECK_PYTHON, codes), true);
});

for (const [page, text] of TEXTS) {
  Deno.test(`${page}: its links lead somewhere`, () => {
    const wrong = linksIn(text).filter((link) => {
      const [path, anchor] = link.split("#");
      const url = new URL(path, new URL(page, ROOT));
      const target = path === "" ? page : url.href.slice(ROOT.href.length);
      try {
        Deno.statSync(new URL(target, ROOT));
      } catch {
        return true;
      }
      return anchor !== undefined &&
        !anchorsIn(TEXTS.get(target) ?? "").includes(anchor);
    });
    assertEquals(wrong, []);
  });
}

Deno.test("docs/testing.md: its tests pass", async () => {
  const files = BLOCKS.filter(({ page }) => page === "docs/testing.md")
    .map((block) => [nameOf(block), block.code]);
  assert(files.every(([name]) => name?.endsWith("_test.ts")));
  await withProject(Object.fromEntries(files), async (cwd) => {
    const args = ["test", "--no-check", "--no-prompt"];
    const { code, stdout, stderr } = await runDeno(args, { cwd });
    assertEquals(code, 0, stdout + stderr);
    assertStringIncludes(stdout, "0 failed");
  });
});

Deno.test("docs/deployment.md: what Deno Deploy gets counts visits", async () => {
  type Main = {
    default: { fetch: (request: Request) => Promise<Response> };
  };
  await withFiles<Main>("docs/deployment.md", ["main.ts"], async (main) => {
    const client = new TestClient(main.default.fetch);
    await client.get("/");
    const second = await client.get("/");
    assertEquals(await second.text(), "You were here 2 times");
  });
});

Deno.test("CONTRIBUTING.md: the files and folders that it names are there", () => {
  const files = [...filesIn("")];
  const text = TEXTS.get("CONTRIBUTING.md") ?? "";
  const names = Array.from(
    text.matchAll(/`([\w./]+(?:\.ts|\.md|\.json|\/))`/g),
    ([, name]) => `/${name}`,
  );
  assert(names.length > 20);
  const wrong = names.filter((name) =>
    !/\bx[._/]|\bx_/.test(name) && // stands for any name
    !files.some((file) =>
      file.endsWith(name) || name.endsWith("/") && file.includes(name)
    )
  );
  assertEquals(wrong, []);
});
