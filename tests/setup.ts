/**
 * Gets the dependencies: from JSR, or where that does not answer, the stand-ins
 * in `tests/jsr`.
 *
 *     deno task setup [--genuine]
 *
 * With `--genuine` it tries JSR again, and fails where that does not answer.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);
const VENDOR = new URL("vendor/", ROOT);
const STAND_INS = new URL("tests/jsr/", ROOT);
/** Marks that these are the stand-ins. */
const MARK = new URL("STAND_INS", VENDOR);
const PACKAGES = ["@std/assert", "@std/encoding", "@std/http"];

const isGenuine = Deno.args.includes("--genuine");
if (isGenuine && exists(MARK)) Deno.removeSync(VENDOR, { recursive: true });
if (!exists(MARK) && await install()) {
  console.log("Dependencies: from JSR");
} else if (isGenuine) {
  console.error("Dependencies: JSR does not answer");
  Deno.exit(1);
} else {
  copy(STAND_INS, new URL("jsr.io/", VENDOR));
  Deno.writeTextFileSync(MARK, "");
  console.log(
    "Dependencies: stand-ins from tests/jsr, as JSR did not answer; deno task setup --genuine asks it again",
  );
}

/** Lets Deno get what `deno.json` names; tells whether all of it is there. */
async function install(): Promise<boolean> {
  await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet"],
    cwd: ROOT,
    stdout: "null",
    stderr: "null",
  }).output();
  return PACKAGES.every((name) =>
    exists(new URL(`jsr.io/${name}/meta.json`, VENDOR))
  );
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url) !== undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function copy(from: URL, to: URL): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copy(new URL(`${name}/`, from), new URL(`${name}/`, to));
    else Deno.copyFileSync(new URL(name, from), new URL(name, to));
  }
}
