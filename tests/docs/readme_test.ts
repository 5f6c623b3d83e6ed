/** What the code of README.md does. */

import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { TestClient } from "../../helpers/testing.ts";
import { Login, Session } from "../../mod.ts";
import { KEY } from "../_helpers.ts";
import type { Handler } from "../_login.ts";
import { runDeno, serving } from "../_processes.ts";
import { BLOCKS, codeBelow, load, TEXTS, withProject } from "./_code.ts";

const README = TEXTS.get("README.md") ?? "";

Deno.test("README: the quick start serves and counts visits", async () => {
  const code = codeBelow("Quick start");
  const args = /run by: deno (.*)/.exec(code)?.[1].split(" ") ?? [];
  const env = { DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" };
  await withProject({ "main.ts": code }, async (cwd) => {
    await serving(args, async (origin) => {
      const client = new TestClient(origin);
      for (const n of [1, 2]) {
        const text = await (await client.get("/")).text();
        assertEquals(text, `You were here ${n} times`);
      }
    }, { cwd, env });
  });
});

Deno.test("README: the quick start is under 30 lines", () => {
  assert(codeBelow("Quick start").split("\n").length < 30);
});

Deno.test("README: a line of shell makes a secret key", async () => {
  const code = BLOCKS.map(({ code }) => /^deno eval '(.*)'$/m.exec(code)?.[1])
    .find((code) => code !== undefined);
  await withProject({}, async (cwd) => {
    const { stdout } = await runDeno(["eval", code ?? ""], { cwd });
    assert(/^[\w-]{43}\n$/.test(stdout), stdout);
  });
});

Deno.test("README: a session keeps a cart", async () => {
  const { handler } = await load<{ handler: Handler }>(codeBelow("Sessions"));
  const client = new TestClient(handler);
  assertEquals(await (await client.get("/")).json(), ["tea"]);
  assertEquals(await (await client.get("/")).json(), ["tea", "tea"]);
});

Deno.test("README: a user logs in", async () => {
  const { handler } = await load<{ handler: Handler }>(codeBelow("Logins"));
  const client = new TestClient(handler);
  const away = await client.get("/settings");
  const login = away.headers.get("Location") ?? "";
  assertEquals(login, "/login?next=%2Fsettings");
  const form = { name: "susan", password: "hello", remember: "on" };
  const back = await client.post(login, { form });
  assertEquals(back.headers.get("Location"), "/settings");
  assert(client.cookies.get("_remember"));
  assertEquals(await (await client.get("/")).text(), "Hello, susan!");
  for (
    const [path, status] of [
      ["/settings", 200],
      ["/admin", 200],
      ["/nowhere", 404],
    ] as const
  ) {
    assertEquals((await client.get(path)).status, status);
  }
  await client.post("/logout");
  assertEquals((await client.get("/")).status, 302);
});

Deno.test("README: the test of an application passes", async () => {
  await withProject({ "main_test.ts": codeBelow("Testing") }, async (cwd) => {
    const args = ["test", "--no-check", "--no-prompt"];
    const { stdout, stderr } = await runDeno(args, { cwd });
    assertStringIncludes(stdout, "1 passed", stderr);
  });
});

/** The first cells below a line of the README. */
function namesBelow(line: string): string[] {
  const [table] = README.slice(README.indexOf(line)).split(/\n\n(?!\|)/)
    .slice(0, 1);
  return Array.from(table.matchAll(/^\| `(\w+)` /gm), ([, name]) => name);
}

for (
  const [line, make] of [
    [
      "`new Session(options)`",
      (options: object) => new Session(options),
    ],
    [
      "`new Login(session, options)`",
      (options: object) => new Login(new Session({ secretKey: KEY }), options),
    ],
  ] as const
) {
  Deno.test(`README: the table of ${line} has all options`, () => {
    const { message } = assertThrows(() => make({ nothing: 1 }), TypeError);
    const [, names = ""] = /There are (.*)/.exec(message) ?? [];
    assertEquals(namesBelow(line).sort(), names.split(", ").sort());
  });
}
