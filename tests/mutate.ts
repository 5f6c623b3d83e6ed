/**
 * Changes the source at random, and sees that the tests notice. What they
 * don't notice is not tested.
 *
 *     deno task mutate [file] [--count=300] [--seed=1] [--minutes=60]
 *
 * It works on a copy of the project. A mutant that no test can notice, because
 * it means the same, stands with the reason in `mutate_equivalent.json`.
 *
 * @module
 */

import { Random } from "./_random.ts";

/** What to look for in a line, and what to put there. */
type Mutation = [pattern: RegExp, replacement: string];

/** A changed line of the source. */
interface Mutant {
  file: string;
  line: number;
  before: string;
  after: string;
}

/** A mutant that means what the source means. */
interface Equivalent {
  file: string;
  before: string;
  after: string;
  reason: string;
}

/** A test failed, all of them passed, or it was no program. */
type Fate = "noticed" | "survived" | "invalid";

const MUTATIONS: readonly Mutation[] = [
  [/ === /g, " !== "],
  [/ !== /g, " === "],
  [/ < /g, " <= "],
  [/ <= /g, " < "],
  [/ > /g, " >= "],
  [/ >= /g, " > "],
  [/ \+ /g, " - "],
  [/ - /g, " + "],
  [/ \* /g, " / "],
  [/ && /g, " || "],
  [/ \|\| /g, " && "],
  [/ \?\? /g, " && "],
  [/\btrue\b/g, "false"],
  [/\bfalse\b/g, "true"],
  [/(?<!return )\bawait /g, ""], // with return, it means the same but in try
  [/!(?=[\w(])/g, ""],
  [/\?\.(?=\w)/g, "."],
  [/\bif \((?=.*\) )/g, "if (true || "],
  [/\bif \((?=.*\) )/g, "if (false && "],
  [/\breturn (?=[^;]+;$)/g, "return void "],
  [/(?<![\w.])\d[\d_]*(?![\w.])/g, "(1 + $&)"],
  [/^\s+[\w.#?!]+\([^=]*\);$/g, ""],
  [/\bthrow (?=new )/g, "void "],
  [/(?<=[{(] ?)\.\.\.(?=\w)/g, "...{}, ..."],
];

/**
 * The published source, but for what is a suite of tests itself, and what Redis
 * alone can run: `deno task test:redis`.
 */
const SOURCE =
  /^((session|login|helpers)\.ts|(session|login|helpers|backends|frameworks)\/(?!store_tests|stores\/redis).*\.ts)$/;
const INVALID = /could not be parsed|SyntaxError/;
/** How long the tests may take, in milliseconds; a mutant may loop. */
const DEADLINE = 120_000;

const root = new URL("../", import.meta.url).pathname;
const settings = new Map(
  Deno.args.map((argument): [string, string] => {
    const [name, value] = argument.replace(/^--/, "").split("=");
    return value === undefined ? ["file", name] : [name, value];
  }),
);
const end = Date.now() + Number(settings.get("minutes") ?? 60) * 60_000;
const copy = await Deno.makeTempDir({ prefix: "mutate-" });
try {
  await copyProject();
  const chosen = choose(findMutants(), Number(settings.get("count") ?? 300));
  if (await test([]) !== "survived") throw new Error("The tests fail as it is");
  Deno.exitCode = report(await tryMutants(chosen)) ? 0 : 1;
} finally {
  await Deno.remove(copy, { recursive: true });
}

/** Copies what the tests need, dependencies included. */
async function copyProject(): Promise<void> {
  const entries = [...Deno.readDirSync(root)].map(({ name }) => name)
    .filter((name) => name !== ".git" && name !== "coverage");
  const args = ["-r", ...entries, copy];
  const { success } = await new Deno.Command("cp", { args, cwd: root })
    .output();
  if (!success) throw new Error("Cannot copy the project");
}

function sourceFiles(folder = ""): string[] {
  const entries = [...Deno.readDirSync(root + folder)];
  return entries.flatMap(({ name, isDirectory }) => {
    const path = folder + name;
    if (isDirectory && /^(vendor|tests|\.)/.test(path)) return [];
    return isDirectory ? sourceFiles(`${path}/`) : [path];
  }).filter((path) => SOURCE.test(path));
}

/** All mutants of the source, or of the one file that was asked for. */
function findMutants(): Mutant[] {
  const files = sourceFiles()
    .filter((file) => file === (settings.get("file") ?? file));
  return files.flatMap((file) => {
    const lines = Deno.readTextFileSync(root + file).split("\n");
    return lines.flatMap((before, index) =>
      mutate(before).map((after) => ({ file, line: index + 1, before, after }))
    );
  });
}

/** The mutants of a line of code. */
function mutate(line: string): string[] {
  if (/^\s*(\/?\*|\/\/|import|export \{|type|@)/.test(line)) return [];
  return MUTATIONS.flatMap(([pattern, replacement]) =>
    [...line.matchAll(pattern)]
      .filter(({ index }) => isCode(line, index))
      .map(({ 0: match, index }) =>
        line.slice(0, index) + replacement.replace("$&", match) +
        line.slice(index + match.length)
      )
  );
}

/** Whether a place of a line is in no text and no comment. */
function isCode(line: string, index: number): boolean {
  const before = line.slice(0, index);
  const hasOpen = ['"', "'", "`"].some((quote) =>
    before.split(quote).length % 2 === 0
  );
  return !hasOpen && !before.includes("// ");
}

/** Chooses some at random, in the order of the source. */
function choose(mutants: Mutant[], count: number): Mutant[] {
  const random = new Random(Number(settings.get("seed") ?? 1));
  const left = mutants.filter((mutant) => !isEquivalent(mutant));
  const chosen = new Set<Mutant>();
  while (chosen.size < Math.min(count, left.length)) {
    chosen.add(random.pick(left));
  }
  return left.filter((mutant) => chosen.has(mutant));
}

function isEquivalent({ file, before, after }: Mutant): boolean {
  const path = new URL("mutate_equivalent.json", import.meta.url);
  const list: Equivalent[] = JSON.parse(Deno.readTextFileSync(path));
  return list.some((one) =>
    one.file === file && one.before === before.trim() &&
    one.after === after.trim()
  );
}

async function tryMutants(mutants: Mutant[]): Promise<Map<Mutant, Fate>> {
  const fates = new Map<Mutant, Fate>();
  for (const mutant of mutants) {
    if (Date.now() > end) break;
    const source = Deno.readTextFileSync(root + mutant.file);
    const lines = source.split("\n");
    lines[mutant.line - 1] = mutant.after;
    Deno.writeTextFileSync(`${copy}/${mutant.file}`, lines.join("\n"));
    const [folder] = mutant.file.split(/[/.]/);
    let fate = await test([`tests/${folder}`]);
    if (fate === "survived") fate = await test([]);
    Deno.writeTextFileSync(`${copy}/${mutant.file}`, source);
    fates.set(mutant, fate);
    console.log(
      `${fates.size}/${mutants.length} ${fate}: ${mutant.file}:${mutant.line}`,
    );
    if (fate === "survived") {
      console.log(`  - ${mutant.before.trim()}\n  + ${mutant.after.trim()}`);
    }
  }
  return fates;
}

/** Runs the tests of a folder, or all, until one fails. */
async function test(paths: string[]): Promise<Fate> {
  const options = ["--allow-all", "--no-check", "--parallel", "--fail-fast"];
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "--quiet",
      ...options,
      ...(paths.length ? paths : ["--doc"]),
    ],
    cwd: copy,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(DEADLINE),
  });
  const { success, stderr } = await command.output();
  if (success) return "survived";
  return INVALID.test(new TextDecoder().decode(stderr)) ? "invalid" : "noticed";
}

/** Prints what came of it; tells whether the tests are good enough. */
function report(fates: Map<Mutant, Fate>): boolean {
  const count = (fate: Fate) =>
    fates.values().filter((one) => one === fate).toArray().length;
  const valid = count("noticed") + count("survived");
  const share = count("noticed") / valid;
  console.log(
    `${count("noticed")} of ${valid} mutants noticed (${
      (share * 100).toFixed(1)
    } %); ${count("invalid")} were no programs`,
  );
  return share >= 0.9;
}
