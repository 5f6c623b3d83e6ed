/** A project that depends on the module as one does from JSR, with no flags. */

import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { runDeno } from "../_processes.ts";
import { type Block, BLOCKS, nameOf, withProject } from "./_code.ts";

const MAIN = `
import { Login, Session, type SessionDict, withSession } from "@denizen/session";
import { base64Backend } from "@denizen/session/base64";
import { fernetBackend } from "@denizen/session/fernet";
import { safeNextPath } from "@denizen/session/helpers";
import { jwtBackend } from "@denizen/session/jwt";
import { kvBackend, type KvStore } from "@denizen/session/kv";
import type { LoginOptions } from "@denizen/session/login";
import type { SessionOptions } from "@denizen/session/session";

const options: SessionOptions = { secretKey: "k".repeat(32) };
const session = new Session<{ n: number }>(options);
const handler: Deno.ServeHandler = withSession(
  session,
  (_request, dict: SessionDict<{ n: number }>, info: Deno.ServeHandlerInfo) =>
    Response.json({ n: dict.n, from: info.remoteAddr }),
);
const loginOptions: LoginOptions<{ id: number }> = {
  userLoader: (id) => ({ id }),
};
const login = new Login(session, loginOptions);
export const sessionOf = (kv: KvStore): Session =>
  new Session({ backend: kvBackend(kv) });
console.log(
  typeof handler,
  typeof login.required,
  typeof base64Backend,
  typeof fernetBackend,
  typeof jwtBackend,
  safeNextPath("/"),
);
`;

/** Every door of the module. */
const DOORS = Object.keys(config.exports).map((door, index) =>
  `export * as door${index} from "@denizen/session${door.slice(1)}";`
).join("\n");

/** Where a block lies: a folder for each page, a file for each block. */
function pathOf(block: Block): string {
  const folder = block.page.replace(/\W/g, "_");
  return `${folder}/${nameOf(block) ?? `line_${block.line}.ts`}`;
}

Deno.test("the module and the code of the docs check in a project that depends on it", async () => {
  const files: Record<string, string> = { "main.ts": MAIN + DOORS };
  for (const block of BLOCKS) {
    if (block.language === "ts") files[pathOf(block)] = block.code;
  }
  await withProject(files, async (cwd) => {
    const args = ["check", "--quiet", ...Object.keys(files)];
    const { code, stderr } = await runDeno(args, { cwd });
    assertEquals(code, 0, stderr);
  });
});

Deno.test("the module runs in a project that depends on it", async () => {
  await withProject({ "main.ts": MAIN + DOORS }, async (cwd) => {
    const { stdout } = await runDeno(["run", "--no-prompt", "main.ts"], {
      cwd,
    });
    assertEquals(stdout, "function function function function function /\n");
  });
});
