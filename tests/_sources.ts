/**
 * The source that is published.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };

/** The top of the project. */
export const ROOT = new URL("../", import.meta.url);

/** The text of each source file, by its path from the top. */
export const SOURCES: ReadonlyMap<string, string> = new Map(
  config.publish.include.flatMap(sourcesOf).sort().map((path) => [
    path,
    Deno.readTextFileSync(new URL(path, ROOT)),
  ]),
);

/** The source files that an entry of `publish.include` means. */
function sourcesOf(entry: string): string[] {
  if (entry === "*.ts") return sourcesIn("");
  const { isDirectory } = Deno.statSync(new URL(entry, ROOT));
  return isDirectory ? sourcesIn(`${entry}/`, true) : [];
}

function sourcesIn(folder: string, isDeep = false): string[] {
  const entries = [...Deno.readDirSync(new URL(folder, ROOT))];
  return entries.flatMap(({ name, isDirectory }) => {
    if (isDirectory) return isDeep ? sourcesIn(`${folder}${name}/`, true) : [];
    return name.endsWith(".ts") ? [folder + name] : [];
  });
}
