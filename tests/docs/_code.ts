/**
 * The code in README.md, CONTRIBUTING.md and docs/*.md.
 *
 * A piece of code is a module of its own. Where its first line is a comment
 * with a file's name, such as `// auth.ts`, those below it import it by that.
 *
 * @module
 */

import { assert } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);
const PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

/** Packages that the code imports, and what stands for them here. */
const STAND_INS: Record<string, string[]> = {
  db_redis: ["jsr:@db/redis", "@db/redis"],
  fresh: ["jsr:@fresh/core", "@fresh/core", "fresh"],
  hono: ["jsr:@hono/hono", "@hono/hono", "npm:hono", "hono"],
  ioredis: ["npm:ioredis", "ioredis"],
  kv_oauth: ["jsr:@deno/kv-oauth"],
  oak: ["jsr:@oak/oak", "@oak/oak", "npm:@oakserver/oak"],
  pg: ["npm:pg", "pg"],
  redis: ["npm:redis", "redis"],
  route: ["jsr:@std/http/unstable-route", "@std/http/unstable-route"],
};
const PACKAGES: Record<string, string> = Object.fromEntries(
  Object.entries(STAND_INS).flatMap(([file, names]) =>
    names.map((name) => [name, import.meta.resolve(`./packages/${file}.ts`)])
  ),
);

/** A piece of code. */
export interface Block {
  /** The page that it is in, such as `"docs/logins.md"`. */
  page: string;
  /** The line at which it begins. */
  line: number;
  /** The heading that it is below. */
  heading: string;
  /** Such as `"ts"`. */
  language: string;
  code: string;
}

/** The pages, README.md first, and the text of each. */
export const TEXTS: ReadonlyMap<string, string> = new Map(
  [...PAGES, ...docPages()].map((page) => [
    page,
    Deno.readTextFileSync(new URL(page, ROOT)),
  ]),
);

/** All pieces of code, in their order. */
export const BLOCKS: Block[] = [...TEXTS].flatMap(blocksIn);

function docPages(): string[] {
  const names = [...Deno.readDirSync(new URL("docs", ROOT))]
    .map(({ name }) => name);
  return names.filter((name) => name.endsWith(".md")).sort()
    .map((name) => `docs/${name}`);
}

function blocksIn([page, text]: [page: string, text: string]): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let block: Block | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^ *```(\w*)/.exec(line);
    if (fence === null) {
      if (block) block.code += `${line}\n`;
      else heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    } else if (block) {
      blocks.push(block);
      block = undefined;
    } else {
      const [, language] = fence;
      block = { page, line: index + 2, heading, language, code: "" };
    }
  }
  return blocks;
}

/** The name of a block's file, where it has one. */
export function nameOf({ code }: Block): string | undefined {
  return /^\/\/ (\w+\.tsx?)\b/.exec(code)?.[1];
}

/** The TypeScript below a heading. */
export function codeBelow(heading: string, page = "README.md"): string {
  const block = BLOCKS.find((block) =>
    block.page === page && block.heading === heading && block.language === "ts"
  );
  assert(block !== undefined, `no code below "${heading}" of ${page}`);
  return block.code;
}

/** Imports what a piece of code exports. */
export async function load<Exports>(code: string): Promise<Exports> {
  return await import(
    `data:application/typescript,${encodeURIComponent(withStandIns(code))}`
  );
}

/** Imports what the files of a page export, and calls what tests them. */
export async function withFiles<Modules>(
  page: string,
  names: string[],
  test: (...modules: Modules[]) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    for (const block of BLOCKS) {
      const name = block.page === page && nameOf(block);
      if (!name) continue;
      await Deno.writeTextFile(
        `${directory}/${name}`,
        withStandIns(block.code),
      );
    }
    const urls = names.map((name) => `file://${directory}/${name}`);
    await test(...await Promise.all(urls.map((url) => import(url))));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function withStandIns(code: string): string {
  for (const [name, url] of Object.entries(PACKAGES)) {
    code = code.replaceAll(`"${name}"`, `"${url}"`);
  }
  return code;
}

/**
 * Puts files into a project that depends on the module as one does from JSR,
 * for the time of a test.
 */
export async function withProject(
  files: Record<string, string>,
  test: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const project = {
    links: [`${import.meta.dirname}/../..`],
    imports: {
      "@denizen/session": `jsr:@denizen/session@^${config.version}`,
      "@std/assert": "jsr:@std/assert@1",
      ...PACKAGES,
    },
    vendor: true,
    lock: false,
  };
  try {
    for (
      const [path, text] of Object.entries({
        ...files,
        "deno.json": JSON.stringify(project),
      })
    ) {
      const folder = /.*\//.exec(path)?.[0] ?? "";
      await Deno.mkdir(`${directory}/${folder}`, { recursive: true });
      await Deno.writeTextFile(`${directory}/${path}`, text);
    }
    const vendor = new URL("vendor", ROOT);
    await Deno.symlink(vendor, `${directory}/vendor`, { type: "dir" });
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
