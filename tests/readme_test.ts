import { generateSecretKey, type Session } from "@denizen/session";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const README = Deno.readTextFileSync(new URL("README.md", ROOT));

const TESTS = import.meta.dirname;

/** What a block of the README imports, and where a test finds it. */
const IMPORTS: [string, string][] = [
  ["jsr:@denizen/session", "@denizen/session"],
  ["jsr:@std/assert", "@std/assert"],
  ["jsr:@std/http/unstable-route", "../_route.ts"],
];

/** The code below a heading of the README. */
function codeBelow(heading: string, index = 0): string {
  const section = README.split(/^##+ /m).find((text) =>
    text.startsWith(`${heading}\n`)
  );
  assert(section !== undefined, `no section "${heading}"`);
  const blocks = [...section.matchAll(/^```ts ignore\n(.*?)^```$/gms)];
  assert(blocks.length > index, `no code in "${heading}"`);
  return blocks[index][1];
}

/** Puts each piece of code into a file of its own for the time of a test. */
async function withFiles(
  pieces: string[],
  test: (...paths: string[]) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir({ dir: TESTS, prefix: ".readme_" });
  try {
    const paths = pieces.map((code, index) => {
      for (const [from, to] of IMPORTS) code = code.replaceAll(from, to);
      const path = `${dir}/${index}.ts`;
      Deno.writeTextFileSync(path, code);
      return path;
    });
    await test(...paths);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Imports what a block exports. */
async function load<Exports>(code: string): Promise<Exports> {
  Deno.env.set("SECRET_KEY", generateSecretKey());
  let exports: unknown;
  await withFiles([code], async (path) => {
    const [folder, file] = path.split(/[\\/]/).slice(-2);
    exports = await import(`./${folder}/${file}`);
  });
  return exports as Exports; // as the caller says
}

async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout) +
    new TextDecoder().decode(stderr);
  assert(success, text);
  return text;
}

type Handler = (request: Request) => Promise<Response>;

function visit(path: string, response?: Response): Request {
  const cookies = response?.headers.getSetCookie() ?? [];
  const pairs = cookies.map((line) => line.split(";")[0]);
  const headers = { Cookie: pairs.join("; ") };
  return new Request(`http://localhost${path}`, { headers });
}

Deno.test("README: the quick start serves and counts visits", async () => {
  await withFiles([codeBelow("Quick start")], async (path) => {
    const server = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", "--allow-env", path],
      env: { DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0", NO_COLOR: "1" },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const reader = server.stderr.getReader();
    try {
      let output = "";
      while (!output.includes("\n")) {
        const { value, done } = await reader.read();
        assert(!done, "the quick start ended");
        output += new TextDecoder().decode(value);
      }
      const url = /http:\S+/.exec(output)?.[0] ?? "";
      const first = await fetch(url);
      assertEquals(await first.text(), "You were here 1 times");
      const headers = visit("/", first).headers;
      const second = await fetch(url, { headers });
      assertEquals(await second.text(), "You were here 2 times");
    } finally {
      server.kill();
      await reader.cancel();
      await server.status;
    }
  });
});

Deno.test("README: the quick start is under 30 lines", () => {
  assert(codeBelow("Quick start").split("\n").length < 30);
});

Deno.test("README: the code has the types that it shows", async () => {
  const blocks = [
    codeBelow("Quick start"),
    codeBelow("Sessions"),
    codeBelow("Logins"),
    codeBelow("Logins", 1),
    codeBelow("Testing your application"),
  ];
  await withFiles(blocks, async (...paths) => {
    await deno("check", "--quiet", ...paths);
  });
});

Deno.test("README: a session keeps a cart", async () => {
  const { handler } = await load<{ handler: Handler }>(codeBelow("Sessions"));
  const first = await handler(visit("/"));
  assertEquals(await first.json(), ["tea"]);
  const second = await handler(visit("/", first));
  assertEquals(await second.json(), ["tea", "tea"]);
});

Deno.test("README: a user logs in", async () => {
  const { handler } = await load<{ handler: Handler }>(codeBelow("Logins"));
  assertEquals((await handler(visit("/"))).status, 302);
  const body = new URLSearchParams({ user: "1", remember: "on" });
  const request = new Request("http://localhost/login", {
    method: "POST",
    body,
  });
  const response = await handler(request);
  assertEquals(response.headers.getSetCookie().length, 2);
  const home = await handler(visit("/", response));
  assertEquals(await home.text(), "Hello, susan!");
  const password = await handler(visit("/password", response));
  assertEquals(password.status, 200);
  assertEquals((await handler(visit("/nowhere"))).status, 404);
});

Deno.test("README: the test of an application passes", async () => {
  await withFiles([codeBelow("Testing your application")], async (path) => {
    assertStringIncludes(await deno("test", path), "1 passed");
  });
});

Deno.test("README: routes of @std/http read the session", async () => {
  const { handler } = await load<{ handler: Handler }>(
    codeBelow("Routes of `@std/http`"),
  );
  const response = await handler(visit("/users/7"));
  assertEquals(await response.json(), { id: "7" });
  assertEquals(response.headers.get("Vary"), "Cookie");
});

/** Has the public signature of Hono's context, and its way to merge headers. */
class HonoContext {
  readonly req: { raw: Request };
  error: Error | undefined;
  #res: Response | undefined;

  constructor(request: Request) {
    this.req = { raw: request };
  }

  get res(): Response | undefined {
    return this.#res;
  }

  set res(response: Response | undefined) {
    if (this.#res !== undefined && response !== undefined) {
      response = new Response(response.body, response);
      const present = this.#res.headers;
      if (present.has("Set-Cookie")) response.headers.delete("Set-Cookie");
      for (const [name, value] of present) {
        if (name === "set-cookie") response.headers.append(name, value);
        else if (name !== "content-type") response.headers.set(name, value);
      }
    }
    this.#res = response;
  }
}

// What a recipe keeps its sessions in is its own: the test reads the cookie.
async function saveName(session: Session, request: Request): Promise<void> {
  const dict = await session.get(request);
  dict.name = "susan";
  await dict.save();
}

Deno.test("README: Hono's middleware saves the session", async () => {
  const code = codeBelow("Hono").replace(
    "const session",
    "export const session",
  );
  const { session, sessions } = await load<{
    session: Session;
    sessions: (c: HonoContext, next: () => Promise<void>) => Promise<void>;
  }>(code);
  const context = new HonoContext(visit("/"));
  await sessions(context, async () => {
    await saveName(session, context.req.raw);
    context.res = new Response(null, { headers: { "Set-Cookie": "other=1" } });
  });
  const names = context.res?.headers.getSetCookie().map((line) =>
    line.split("=")[0]
  );
  assertEquals(names, ["other", "session"]);
});

Deno.test("README: Hono's middleware saves nothing of a failed request", async () => {
  const code = codeBelow("Hono").replace(
    "const session",
    "export const session",
  );
  const { session, sessions } = await load<{
    session: Session;
    sessions: (c: HonoContext, next: () => Promise<void>) => Promise<void>;
  }>(code);
  const context = new HonoContext(visit("/"));
  await sessions(context, async () => {
    await saveName(session, context.req.raw);
    context.error = new Error("failed");
    context.res = new Response("failed", { status: 500 });
  });
  assertEquals(context.res?.headers.getSetCookie(), []);
});

Deno.test("README: Oak's middleware saves the session", async () => {
  const code = codeBelow("Oak").replace(
    "const session",
    "export const session",
  );
  const context = {
    request: { source: visit("/") },
    response: { headers: new Headers({ "Set-Cookie": "other=1" }) },
  };
  const { session, sessions } = await load<{
    session: Session;
    sessions: (
      ctx: typeof context,
      next: () => Promise<void>,
    ) => Promise<void>;
  }>(code);
  await sessions(context, () => saveName(session, context.request.source));
  const names = context.response.headers.getSetCookie().map((line) =>
    line.split("=")[0]
  );
  assertEquals(names, ["other", "session"]);
});

Deno.test("README: Fresh's middleware saves the session", async () => {
  const code = codeBelow("Fresh").replace(
    "const session",
    "export const session",
  );
  const context = {
    req: visit("/"),
    next: () => Promise.resolve(new Response()),
  };
  const { session, sessions } = await load<{
    session: Session;
    sessions: (ctx: typeof context) => Promise<Response>;
  }>(code);
  context.next = async () => {
    await saveName(session, context.req);
    return new Response("Hello");
  };
  const response = await sessions(context);
  assertEquals(response.headers.getSetCookie().length, 1);
});
