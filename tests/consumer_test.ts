/** A project that depends on the module as one does from JSR, with no flags. */

import { assert } from "@std/assert";

const ROOT = `${import.meta.dirname}/..`;

const CONFIG = {
  links: [ROOT],
  imports: { "@denizen/session": "jsr:@denizen/session@^0.1.0" },
  vendor: true,
  lock: false,
};

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

Deno.test("the module checks and runs in a project that depends on it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/deno.json`, JSON.stringify(CONFIG));
    await Deno.writeTextFile(`${dir}/main.ts`, MAIN);
    await Deno.symlink(`${ROOT}/vendor`, `${dir}/vendor`, { type: "dir" });
    for (const command of [["check", "main.ts"], ["run", "main.ts"]]) {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["--quiet", ...command],
        cwd: dir,
      }).output();
      assert(success, new TextDecoder().decode(stderr));
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
