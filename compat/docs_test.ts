/** The code of docs/frameworks.md, on the real frameworks. */

import { TestClient } from "@denizen/session/testing";
import { assert, assertEquals } from "@std/assert";

const PAGE = Deno.readTextFileSync(
  new URL("../docs/frameworks.md", import.meta.url),
);
/** What the packages of the page are called here. */
const NAMES = {
  "jsr:@denizen/session": "@denizen/session",
  "jsr:@hono/hono": "hono",
  "jsr:@oak/oak": "@oakserver/oak",
  "jsr:@std/http": "@std/http",
  // Stands for Fresh, which is not on npm.
  "jsr:@fresh/core": import.meta.resolve("../tests/docs/packages/fresh.ts"),
};

Deno.env.set("SECRET_KEY", "k".repeat(32));

/** Checks and imports the code below a heading. */
// deno-lint-ignore no-explicit-any -- whatever the code exports
async function load(heading: string): Promise<any> {
  const [, section] = PAGE.split(`\n## ${heading}\n`);
  let code = /```ts[^\n]*\n([^]*?)```/.exec(section)?.[1] ?? "";
  for (const [name, here] of Object.entries(NAMES)) {
    code = code.replaceAll(`"${name}`, `"${here}`);
  }
  const dir = import.meta.dirname;
  const path = await Deno.makeTempFile({ dir, prefix: "docs_", suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, code);
    const args = ["check", "--quiet", path];
    const command = new Deno.Command(Deno.execPath(), { args, cwd: dir });
    const { success, stderr } = await command.output();
    assert(success, new TextDecoder().decode(stderr));
    return await import(`file://${path}`);
  } finally {
    await Deno.remove(path);
  }
}

/** Visits the site that both pages make. */
async function visit(
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<void> {
  const client = new TestClient(fetch);
  for (const visits of [1, 2]) {
    assertEquals(await (await client.get("/")).json(), { visits });
  }
  assertEquals((await client.get("/home")).status, 302);
  assertEquals(
    (await client.post("/login", { form: { id: "2" } })).status,
    401,
  );
  assertEquals(
    (await client.post("/login", { form: { id: "1" } })).status,
    302,
  );
  assertEquals(await (await client.get("/home")).text(), "Hello, susan!");
  await client.post("/logout");
  assertEquals((await client.get("/home")).status, 302);
}

Deno.test("docs: Hono", async () => {
  const { default: app } = await load("Hono");
  await visit((request) => app.fetch(request));
});

Deno.test("docs: Oak", async () => {
  const { app } = await load("Oak");
  app.addEventListener("error", (event: Event) => event.preventDefault());
  await visit(async (request) => {
    const { body, status, headers } = await app.handle(request);
    return new Response(body, { status, headers });
  });
});

Deno.test({
  name: "docs: routes of @std/http",
  ignore: !await hasRoute(),
  async fn() {
    const { handler } = await load("Routes of `@std/http`");
    const client = new TestClient(handler);
    assertEquals(await (await client.get("/users/7")).json(), { id: "7" });
    assertEquals((await client.get("/nowhere")).status, 404);
  },
});

Deno.test("docs: Fresh, whose context changes its next", async () => {
  const { sessions } = await load("Fresh");
  const ctx = {
    req: new Request("http://localhost/"),
    next: () => Promise.resolve(new Response("page")),
  };
  const answer = sessions(ctx);
  ctx.next = () => Promise.reject(new Error("another's"));
  assertEquals(await (await answer).text(), "page");
});

/** Whether the vendored `@std/http` is the real one. */
async function hasRoute(): Promise<boolean> {
  try {
    const name = "@std/http/unstable-route";
    return typeof (await import(name)).route === "function";
  } catch {
    return false;
  }
}
