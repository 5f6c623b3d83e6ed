/** What the code of README.md and docs/*.md does. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import type { Session } from "../../mod.ts";
import { KEY } from "../_helpers.ts";
import { Browser, type Handler } from "../_login.ts";
import { runDeno, serving } from "../_processes.ts";
import { BLOCKS, codeBelow, load, withProject } from "./_code.ts";
import { Context as HonoContext } from "./packages/hono.ts";

Deno.env.set("SECRET_KEY", KEY);

/** Below these headings is a middleware, `sessions`, for a `session`. */
type Recipe<Middleware> = { session: Session; sessions: Middleware };

function loadRecipe<Middleware>(heading: string): Promise<Recipe<Middleware>> {
  return load(`${codeBelow(heading)}\nexport { session };`);
}

/** Saves as the recipes say that a handler does. */
async function saveName(session: Session, request: Request): Promise<void> {
  const dict = await session.get(request);
  dict.name = "susan";
  await dict.save();
}

/** The names of the cookies that headers set. */
function namesOf(headers: Headers | undefined): string[] {
  const lines = headers?.getSetCookie() ?? [];
  return lines.map((line) => line.split("=")[0]);
}

Deno.test("README: the quick start serves and counts visits", async () => {
  const code = codeBelow("Quick start");
  const args = /run by: deno (.*)/.exec(code)?.[1].split(" ") ?? [];
  const env = { DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" };
  await withProject({ "main.ts": code }, async (cwd) => {
    await serving(args, async (origin) => {
      const first = await fetch(origin);
      assertEquals(await first.text(), "You were here 1 times");
      const [line] = first.headers.getSetCookie();
      const second = await fetch(origin, { headers: { Cookie: line } });
      assertEquals(await second.text(), "You were here 2 times");
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

Deno.test("README: its tasks exist", () => {
  const tasks = BLOCKS.filter(({ language }) => language === "sh")
    .flatMap(({ code }) => [...code.matchAll(/deno task (\S+)/g)])
    .map(([, task]) => task);
  assert(tasks.length > 0);
  for (const task of tasks) assert(task in config.tasks, task);
});

Deno.test("README: a session keeps a cart", async () => {
  const { handler } = await load<{ handler: Handler }>(codeBelow("Sessions"));
  const browser = new Browser();
  assertEquals(await (await browser.get(handler)).json(), ["tea"]);
  assertEquals(await (await browser.get(handler)).json(), ["tea", "tea"]);
});

Deno.test("README: a user logs in", async () => {
  const { handler } = await load<{ handler: Handler }>(codeBelow("Logins"));
  const browser = new Browser();
  assertEquals((await browser.get(handler)).status, 302);
  const body = new URLSearchParams({ user: "1", remember: "on" });
  await browser.send(handler, "/login", { method: "POST", body });
  assertEquals(browser.cookies.size, 2);
  assertEquals(await (await browser.get(handler)).text(), "Hello, susan!");
  for (
    const [path, status] of [["/password", 200], ["/nowhere", 404]] as const
  ) {
    assertEquals((await browser.get(handler, path)).status, status);
  }
});

Deno.test("README: a form of another site is refused", async () => {
  const code = codeBelow("Logins", 1);
  const { handler } = await load<{ handler: Handler }>(code);
  for (
    const [site, status] of [["same-origin", 200], ["cross-site", 403]] as const
  ) {
    const headers = { "Sec-Fetch-Site": site };
    const response = await new Browser().post(handler, "/", headers);
    assertEquals(response.status, status);
  }
});

Deno.test("README: the test of an application passes", async () => {
  const code = codeBelow("Testing your application");
  await withProject({ "main_test.ts": code }, async (cwd) => {
    const args = ["test", "--no-check", "--no-prompt"];
    const { stdout, stderr } = await runDeno(args, { cwd });
    assertStringIncludes(stdout, "1 passed", stderr);
  });
});

Deno.test("README: routes of @std/http read the session", async () => {
  const code = codeBelow("Routes of `@std/http`");
  const { handler } = await load<{ handler: Handler }>(code);
  const response = await new Browser().get(handler, "/users/7");
  assertEquals(await response.json(), { id: "7" });
  assertEquals(response.headers.get("Vary"), "Cookie");
});

Deno.test("README: Hono's middleware saves the session, but nothing of a failed request", async () => {
  const { session, sessions } = await loadRecipe<
    (c: HonoContext, next: () => Promise<void>) => Promise<void>
  >("Hono");
  for (const error of [undefined, new Error("failed")]) {
    const context = new HonoContext(new Request("http://localhost/"));
    await sessions(context, async () => {
      await saveName(session, context.req.raw);
      context.error = error;
      const headers = { "Set-Cookie": "other=1" };
      context.res = new Response(null, { headers });
    });
    const names = error ? ["other"] : ["other", "session"];
    assertEquals(namesOf(context.res.headers), names);
  }
});

Deno.test("README: Oak's middleware saves the session", async () => {
  const source = new Request("http://localhost/");
  const headers = new Headers({ "Set-Cookie": "other=1" });
  const context = { request: { source }, response: { headers } };
  const { session, sessions } = await loadRecipe<
    (ctx: typeof context, next: () => Promise<void>) => Promise<void>
  >("Oak");
  await sessions(context, () => saveName(session, source));
  assertEquals(namesOf(context.response.headers), ["other", "session"]);
});

Deno.test("README: Fresh's middleware saves the session", async () => {
  const req = new Request("http://localhost/");
  const { session, sessions } = await loadRecipe<
    (ctx: { req: Request; next: () => Promise<Response> }) => Promise<Response>
  >("Fresh");
  const response = await sessions({
    req,
    async next() {
      await saveName(session, req);
      return new Response("Hello");
    },
  });
  assertEquals(namesOf(response.headers), ["session"]);
});
