/**
 * What each entry point weighs, bundled and minified, and how long it takes to
 * import it.
 *
 *     deno task bench:size
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const RUNS = 9;

async function run(...args: string[]): Promise<string> {
  const options = { args, cwd: ROOT, stderr: "inherit" } as const;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), options)
    .output();
  if (!success) Deno.exit(1);
  return new TextDecoder().decode(stdout);
}

/** The bytes of an entry point, minified, and those compressed by gzip. */
async function sizesOf(path: string): Promise<[number, number]> {
  const flags = ["--quiet", "--minify", "--platform", "browser"];
  const text = await run("bundle", ...flags, path);
  const zipped = new Blob([text]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const { byteLength } = await new Response(zipped).arrayBuffer();
  return [text.length, byteLength];
}

/** Milliseconds to import an entry point in a new process; the median. */
async function importTimeOf(path: string): Promise<number> {
  const url = JSON.stringify(new URL(path, ROOT).href);
  const code =
    `const t = performance.now(); await import(${url}); console.log(performance.now() - t)`;
  const times = [];
  for (let i = 0; i < RUNS; i++) times.push(Number(await run("eval", code)));
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)];
}

console.log("| entry point | kB minified | kB gzip | import ms |");
console.log("| --- | ---: | ---: | ---: |");
for (const [name, path] of Object.entries(config.exports)) {
  const [size, zipped] = await sizesOf(path);
  const time = await importTimeOf(path);
  const cells = [size / 1000, zipped / 1000, time].map((n) => n.toFixed(1));
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
