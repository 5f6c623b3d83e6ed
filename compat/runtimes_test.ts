/**
 * The module on other runtimes: one bundle, served by each runtime's own server.
 * Node and Bun are got by npx, workerd comes with Miniflare.
 */

import { TestClient } from "@denizen/session/testing";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

/** A runtime, and what is not there or other than elsewhere. */
interface Runtime {
  name: string;
  /** Its package, which npx gets; Deno has none. */
  npm?: string;
  /** What serves the bundle, in `runtimes`. */
  runner: string;
  hasWebSocket?: boolean;
}

const RUNTIMES: Runtime[] = [
  { name: "Deno", runner: "deno.mjs", hasWebSocket: true },
  { name: "Node 22", npm: "node@22", runner: "node.mjs" },
  { name: "Node 24", npm: "node@24", runner: "node.mjs" },
  { name: "Bun", npm: "bun@1", runner: "bun.mjs" },
  {
    name: "workerd",
    npm: "node@24",
    runner: "workerd.mjs",
    hasWebSocket: true,
  },
];

const TEXT = "text/plain";

/** What pages answer with: the type, and the text at the first visit. */
const PAGES: [
  path: string,
  status: number,
  type: string | null,
  text: string,
][] = [
  ["/text", 200, TEXT, "1"],
  ["/html", 200, "text/html", "<b>1</b>"],
  ["/json", 200, "application/json", "1"],
  ["/none", 204, null, ""],
  ["/redirect", 303, null, ""],
  ["/fixed-redirect", 303, null, ""],
  ["/bytes", 200, null, "1"],
  ["/stream", 200, null, "1;2;3;"],
  ["/events", 200, "text/event-stream", "1;2;3;"],
  ["/thrown", 409, TEXT, "stop"],
];

/** Runs a program to its end, and returns what it prints. */
async function print(program: string, args: string[]): Promise<string> {
  const command = new Deno.Command(program, { args, stderr: "inherit" });
  const { code, stdout } = await command.output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(code, 0, text);
  return text.trim();
}

/** Makes the bundle of a site; returns where it is. */
async function bundle(site: string): Promise<URL> {
  const path = `${directory}/${site}.mjs`;
  const entry = `${import.meta.dirname}/runtimes/${site}.ts`;
  const platform = ["--platform", "browser"];
  await print(Deno.execPath(), [
    "bundle",
    "--quiet",
    ...platform,
    "-o",
    path,
    entry,
  ]);
  return new URL(`file://${path}`);
}

/** The command that runs a script on a runtime. */
async function commandOf(
  { npm, runner }: Runtime,
  script: URL,
  stderr: "inherit" | "piped" = "inherit",
): Promise<Deno.Command> {
  const path = `${import.meta.dirname}/runtimes/${runner}`;
  // Not by npx itself, which would not pass on the signal to end.
  const program = npm === undefined
    ? Deno.execPath()
    : await print("npx", ["--yes", npm, "-e", "console.log(process.execPath)"]);
  const args = npm === undefined ? ["run", "--allow-all", path] : [path];
  return new Deno.Command(program, {
    args: [...args, script.href],
    stdout: "piped",
    stderr,
  });
}

/** Serves the bundle on a runtime while a test runs. */
async function serve(
  runtime: Runtime,
  script: URL,
  test: (origin: string) => Promise<void>,
): Promise<void> {
  const command = await commandOf(runtime, script);
  const child = command.spawn();
  try {
    const reader = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    const { value = "" } = await reader.read();
    await test(new URL(value.trim()).origin);
    await reader.cancel();
  } finally {
    child.kill();
    await child.status;
  }
}

async function checkSuite(t: Deno.TestContext, origin: string): Promise<void> {
  const names: string[] = await (await get(`${origin}/checks`)).json();
  assert(names.length >= 40);
  for (const name of names) {
    await t.step(name, async () => {
      const query = new URLSearchParams({ check: name });
      const error = await (await get(`${origin}/?${query}`)).json();
      assert(error === null, error);
    });
  }
}

function get(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(10_000) });
}

/** Many wait for what the first one begins, such as the import of a key. */
async function checkFirst(origin: string): Promise<void> {
  const visits = Array.from({ length: 20 }, async () => {
    const response = await get(`${origin}/text`);
    assertEquals(await response.text(), "1");
  });
  await Promise.all(visits);
}

async function checkPages(origin: string): Promise<void> {
  for (const [path, status, type, text] of PAGES) {
    const client = new TestClient(origin);
    const response = await client.get(path);
    assertEquals(await response.text(), text, path);
    assertEquals(response.status, status, path);
    const [found] = response.headers.get("Content-Type")?.split(";") ?? [];
    if (type !== null) assertEquals(found, type, path);
    assertEquals(response.headers.getSetCookie().length, 1, path);
    const second = await client.get("/text");
    assertEquals(await second.text(), "2", path);
  }
}

async function checkLogin(origin: string): Promise<void> {
  const client = new TestClient(origin);
  for (let i = 0; i < 2; i++) {
    const members = await client.get("/members");
    assertEquals(await members.text(), "Members only");
    assert(members.headers.get("Content-Type")?.startsWith("text/plain"));
  }
  const away = await client.get("/guarded");
  assertEquals(away.headers.get("Location"), "/login?next=%2Fguarded");
  await away.body?.cancel();
  const entered = await client.post("/login?next=%2Fguarded", {
    form: { id: "7" },
  });
  assertEquals(entered.headers.get("Location"), "/guarded");
  assertEquals(entered.headers.getSetCookie().length, 2);
  await entered.body?.cancel();
  assertEquals(await (await client.get("/guarded")).text(), "user 7");
  client.cookies.delete("session");
  assertEquals(await (await client.get("/guarded")).text(), "user 7");
  const left = await client.post("/logout");
  await left.body?.cancel();
  const again = await client.get("/guarded");
  assertEquals(again.status, 302);
  await again.body?.cancel();
}

async function checkHono(origin: string): Promise<void> {
  const client = new TestClient(origin);
  for (const n of ["1", "2"]) {
    assertEquals(await (await client.get("/hono/text")).text(), n);
  }
  const away = await client.get("/hono/home");
  assertEquals(away.headers.get("Location"), "/login?next=%2Fhono%2Fhome");
  await away.body?.cancel();
  // Without a length, so that the body limit makes another request.
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const body = new Blob(["id=7"]).stream();
  const init = { method: "POST", headers, body };
  const entered = await client.fetch("/hono/login", init);
  assertEquals([entered.status, await entered.text()], [302, ""]);
  assertEquals(await (await client.get("/hono/home")).text(), "user 7");
}

async function checkWebSocket(origin: string): Promise<void> {
  const socket = new WebSocket(`${origin.replace("http", "ws")}/socket`);
  const closed = new Promise((resolve) => socket.onclose = resolve);
  const text = await new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = reject;
  });
  assertEquals(text, "hello");
  socket.close();
  await closed;
}

const directory = await Deno.makeTempDir();
addEventListener(
  "unload",
  () => Deno.removeSync(directory, { recursive: true }),
);
const script = await bundle("site");

for (const runtime of RUNTIMES) {
  const { name, hasWebSocket = false } = runtime;
  Deno.test(`${name}: the module does what it does on Deno`, async (t) => {
    await serve(runtime, script, async (origin) => {
      await t.step("first visits at once", () => checkFirst(origin));
      await checkSuite(t, origin);
      await t.step("pages that save", () => checkPages(origin));
      await t.step("logins", () => checkLogin(origin));
      await t.step("Hono", () => checkHono(origin));
      if (hasWebSocket) {
        await t.step("WebSockets", () => checkWebSocket(origin));
      }
    });
  });
}

for (const site of ["key_at_import", "response_at_import"]) {
  Deno.test(`workerd: no ${site.replaceAll("_", " ")}`, async () => {
    const runtime = RUNTIMES.find(({ name }) => name === "workerd")!; // it is there
    const command = await commandOf(runtime, await bundle(site), "piped");
    const { stderr } = await command.output();
    assertStringIncludes(
      new TextDecoder().decode(stderr),
      "Disallowed operation called within global scope",
    );
  });
}
