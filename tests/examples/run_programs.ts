/** The examples as they are started. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { kvBackend, type StoreBackend } from "../../backends/kv.ts";
import { Login, Session } from "../../mod.ts";
import { cookieSetBy, KEY } from "../_helpers.ts";
import { runDeno, serving } from "../_processes.ts";
import { SUSAN, textOf, Visitor } from "./_visitor.ts";

/** Examples, and what one of their pages says. */
const EXAMPLES: [file: string, path: string, text: string][] = [
  ["counter.ts", "/", '{"n":1}'],
  ["config.ts", "/", "<code>fernet</code>"],
  ["login.ts", "/login", 'name="remember"'],
  ["roles.ts", "/login", 'name="remember"'],
  ["kv.ts", "/login", 'name="password"'],
  ["sqlite.ts", "/", '{"n":1}'],
  ["oauth.ts", "/login", "Log in with Small"],
  ["mail.ts", "/login", 'name="address"'],
];

const ENV = {
  PORT: "0",
  SECRET_KEY: KEY,
  SESSION_SECRET_KEY: KEY,
  SESSION_COOKIE_NAME: "session",
  SESSION_TYPE: "fernet",
};

const FOR_PROVIDER = "--allow-net=127.0.0.1,localhost";

/** The arguments to run an example, as its head comment says. */
async function argsOf(file: string, ...more: string[]): Promise<string[]> {
  const url = new URL(`../../examples/${file}`, import.meta.url);
  const line = / \* {5}deno run (.*)/.exec(await Deno.readTextFile(url));
  assert(line !== null, `${file} does not say how to run it`);
  const args = line[1].split(" ");
  assertEquals(args.pop(), `examples/${file}`);
  return ["run", "--no-prompt", ...args, ...more, `examples/${file}`];
}

/** A port that nobody listened at a moment ago. */
function freePort(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `${listener.addr.port}`;
}

for (const [file, path, text] of EXAMPLES) {
  Deno.test(`${file} runs by deno run, with the permissions it names`, async () => {
    const output = await serving(await argsOf(file), async (origin) => {
      assertStringIncludes(await new Visitor(origin).page(path), text);
    }, { env: ENV });
    assert(!output.includes("SECRET_KEY"), output);
  });
}

Deno.test("sessions.ts runs by deno run, and signs with the key in SECRET_KEY", async () => {
  await serving(await argsOf("sessions.ts"), async (origin) => {
    const visitor = new Visitor(origin);
    const session = new Session({ secretKey: KEY });
    visitor.take("session", await session.encode({ name: "ann" }));
    assertStringIncludes(textOf(await visitor.page()), "Logged in as ann");
  }, { env: ENV });
});

Deno.test("sessions.ts runs by deno serve, at its port alone, without a key", async () => {
  const output = await served([], "sessions.ts", {}, async (origin) => {
    const visitor = new Visitor(origin);
    const page = await visitor.submit("/", { name: "susan" });
    assertStringIncludes(textOf(page), "Logged in as susan");
    assertStringIncludes(await visitor.submit("/logout"), "Not logged in");
  });
  assertEquals(output.match(/Serving at/g)?.length, 1);
  assertStringIncludes(output, "SECRET_KEY is not set");
});

for (const [file, path, text] of EXAMPLES) {
  Deno.test(`${file} runs by deno serve --parallel`, async () => {
    const flags = ["--parallel", "--unstable-kv"];
    if (file === "oauth.ts") flags.push(FOR_PROVIDER);
    const output = await served(flags, file, ENV, async (origin) => {
      // More than one connection, and so more than one worker.
      for (let i = 0; i < 6; i++) {
        assertStringIncludes(await ask(origin + path), text);
      }
    });
    assertEquals(output.match(/Serving at/g)?.length, 1, output);
    assert(!/rror|taken/.test(output), output);
  });
}

/** Asks again where a worker that has just started does not answer. */
async function ask(url: string, attempts = 9): Promise<string> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const signal = AbortSignal.timeout(1000);
  try {
    const headers = { Accept: "text/html" };
    return await (await fetch(url, { client, headers, signal })).text();
  } catch (error) {
    if (attempts === 0) throw error;
    return ask(url, attempts - 1);
  }
}

/** Runs an example by deno serve while a test asks it. */
function served(
  flags: string[],
  file: string,
  env: Record<string, string>,
  test: (origin: string) => Promise<void>,
): Promise<string> {
  const port = freePort();
  const args = ["serve", "--no-prompt", "--allow-env", "--host", "127.0.0.1"];
  args.push("--port", port, ...flags, `examples/${file}`);
  return serving(args, async (origin) => {
    assertEquals(origin, `http://127.0.0.1:${port}`);
    await test(origin);
  }, { env: { DENO_JOBS: "2", ...env } });
}

Deno.test("oauth.ts logs in under deno serve --parallel, whichever worker answers", async () => {
  const flags = ["--parallel", FOR_PROVIDER];
  await served(flags, "oauth.ts", ENV, async (origin) => {
    await ask(`${origin}/login`);
    const visitor = new Visitor(origin);
    for (let i = 0; i < 3; i++) {
      const start = await visitor.get("/login/provider?next=/orders");
      await start.body?.cancel();
      const there = new URL(start.headers.get("Location") ?? "");
      const body = new URLSearchParams({ sub: "1001" });
      const redirect = "manual";
      const consent = await fetch(there, { method: "POST", body, redirect });
      await consent.body?.cancel();
      const back = new URL(consent.headers.get("Location") ?? "");
      const response = await visitor.get(back.pathname + back.search);
      await response.body?.cancel();
      assertEquals(response.headers.get("Location"), "/orders");
    }
  });
});

Deno.test("deno task demo serves at the port in PORT", async () => {
  const { command } = config.tasks.demo;
  const port = freePort();
  const [, ...args] = command.split(" ");
  await serving(args, async (origin) => {
    assertEquals(origin, `http://127.0.0.1:${port}`);
    assertStringIncludes(await new Visitor(origin).page("/login"), "A demo of");
  }, { env: { PORT: port } });
});

Deno.test("an example says so when the port in PORT is taken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const env = { PORT: `${port}` };
  const { code, stderr } = await runDeno(await argsOf("counter.ts"), { env });
  assertEquals(code, 1);
  assertStringIncludes(stderr, `Port ${port} is taken`);
});

Deno.test("config.ts run with a wrong type ends with the module's message", async () => {
  const env = { ...ENV, SESSION_TYPE: "token" };
  const { code, stderr } = await runDeno(await argsOf("config.ts"), { env });
  assertEquals(code, 1);
  assertStringIncludes(stderr, "TypeError: Cannot use backend");
});

Deno.test("kv.ts reads and writes the sessions in KV_PATH", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/sessions.db`;
  const env = { PORT: "0", KV_PATH: path };
  const args = await argsOf("kv.ts", "--allow-read", "--allow-write");
  assert(args.includes("--unstable-kv"));
  try {
    const cookie = await withStore(path, async (backend) => {
      const login = new Login(new Session({ backend }));
      const request = new Request("http://localhost/", { method: "POST" });
      return cookieSetBy(await login.loginUser(request, { id: "susan" }));
    });
    await serving(args, async (origin) => {
      const visitor = new Visitor(origin);
      visitor.take("session", cookie);
      assertStringIncludes(await visitor.page(), "Hello, susan!");
      const other = new Visitor(origin, { "User-Agent": "curl/8.5.0" });
      await other.logIn(SUSAN);
      await (await visitor.post("/logout")).body?.cancel();
    }, { env });
    const sessions = await withStore(path, (kv) => kv.userSessions("susan"));
    assertEquals(sessions.map(({ payload }) => payload.device), ["curl"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

async function withStore<Result>(
  path: string,
  use: (backend: StoreBackend) => Promise<Result>,
): Promise<Result> {
  using kv = await Deno.openKv(path);
  return await use(kvBackend(kv));
}
