/**
 * The code in README.md and docs/*.md.
 *
 * @module
 */

import { assert } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** Packages that the code imports, and what stands for them here. */
export const PACKAGES: Record<string, string> = {
  "jsr:@fresh/core": import.meta.resolve("./packages/fresh.ts"),
  "jsr:@hono/hono": import.meta.resolve("./packages/hono.ts"),
  "jsr:@oak/oak": import.meta.resolve("./packages/oak.ts"),
  "jsr:@std/http/unstable-route": import.meta.resolve("./packages/route.ts"),
};

/** A piece of code. */
export interface Block {
  /** The file that it is in, such as `"README.md"`. */
  file: string;
  /** The line at which it begins. */
  line: number;
  /** The heading that it is below. */
  heading: string;
  /** Such as `"ts"`. */
  language: string;
  code: string;
}

/** All pieces of code, in their order; those of README.md come first. */
export const BLOCKS: Block[] = docFiles().flatMap(blocksOf);

function docFiles(): string[] {
  const files: string[] = [];
  try {
    for (const { name } of Deno.readDirSync(new URL("docs", ROOT))) {
      if (name.endsWith(".md")) files.push(`docs/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return ["README.md", ...files.sort()];
}

function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  const lines = Deno.readTextFileSync(new URL(file, ROOT)).split("\n");
  let heading = "";
  let block: Block | undefined;
  for (const [index, text] of lines.entries()) {
    const fence = /^ *```(\w*)/.exec(text);
    if (fence === null) {
      if (block) block.code += `${text}\n`;
      else heading = /^#+ (.*)$/.exec(text)?.[1] ?? heading;
    } else if (block) {
      blocks.push(block);
      block = undefined;
    } else {
      const [, language] = fence;
      block = { file, line: index + 2, heading, language, code: "" };
    }
  }
  return blocks;
}

/** The TypeScript below a heading. */
export function codeBelow(heading: string, index = 0): string {
  const block = BLOCKS.filter((block) =>
    block.heading === heading && block.language === "ts"
  ).at(index);
  assert(block !== undefined, `no code below "${heading}"`);
  return block.code;
}

/** Imports what a piece of code exports. */
export async function load<Exports>(code: string): Promise<Exports> {
  for (const [name, url] of Object.entries(PACKAGES)) {
    code = code.replaceAll(`"${name}"`, `"${url}"`);
  }
  return await import(
    `data:application/typescript,${encodeURIComponent(code)}`
  );
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
  const config = {
    links: [`${import.meta.dirname}/../..`],
    imports: { "@denizen/session": "jsr:@denizen/session@^0.1.0", ...PACKAGES },
    vendor: true,
    lock: false,
  };
  try {
    for (
      const [name, text] of Object.entries({
        ...files,
        "deno.json": JSON.stringify(config),
      })
    ) {
      await Deno.writeTextFile(`${directory}/${name}`, text);
    }
    const vendor = new URL("vendor", ROOT);
    await Deno.symlink(vendor, `${directory}/vendor`, { type: "dir" });
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
