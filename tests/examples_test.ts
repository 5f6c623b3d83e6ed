import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import counter from "../examples/counter.ts";
import sessions from "../examples/sessions.ts";
import { Session } from "../session.ts";
import { attributesOf, cookieSetBy, KEY, lineOf } from "./_helpers.ts";

const ROOT = new URL("../", import.meta.url);
const INFO: Deno.ServeHandlerInfo = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 },
  completed: Promise.resolve(),
};

type Send = (request: Request) => Response | Promise<Response>;

/** A browser without a window: keeps the session cookie, and follows redirects. */
class Visitor {
  readonly #origin: string;
  readonly #send: Send;
  #cookie: string | undefined;

  constructor(send: Send, origin = "http://127.0.0.1:8000") {
    this.#send = send;
    this.#origin = origin;
  }

  get(path: string): Promise<Response> {
    return this.send(path, {});
  }

  post(path: string, fields: Record<string, string> = {}): Promise<Response> {
    return this.send(path, {
      method: "POST",
      body: new URLSearchParams(fields),
    });
  }

  async send(path: string, init: RequestInit): Promise<Response> {
    const request = new Request(new URL(path, this.#origin), {
      ...init,
      redirect: "manual",
    });
    if (this.#cookie) request.headers.set("Cookie", `session=${this.#cookie}`);
    const response = await this.#send(request);
    this.#cookie = cookieSetBy(response) ?? this.#cookie;
    const location = response.headers.get("Location");
    if (location === null) return response;
    await response.body?.cancel();
    return await this.get(location);
  }
}

function visitorTo(example: Deno.ServeDefaultExport): Visitor {
  return new Visitor((request) => example.fetch(request, INFO));
}

/** The permissions that the head comment of an example names. */
async function permissionsOf(file: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(file, ROOT));
  const flags = new RegExp(`^ \\*     deno run (.*) ${file}$`, "m").exec(text);
  assert(flags !== null, `${file} does not say how to run it`);
  return flags[1].split(" ");
}

/** Runs Deno while the test runs, from its line "Serving at" on. */
async function running(
  args: string[],
  env: Record<string, string>,
  test: (visitor: Visitor, origin: string, output: string) => Promise<void>,
): Promise<void> {
  const { SECRET_KEY: _key, PORT: _port, ...rest } = Deno.env.toObject();
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    clearEnv: true,
    env: { ...rest, NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = child.stderr.text();
  const decoder = new TextDecoderStream();
  const reader = child.stdout.pipeThrough(decoder).getReader();
  let output = "";
  let origin: string | undefined;
  try {
    while (origin === undefined) {
      const { value, done } = await reader.read();
      if (done) break;
      output += value;
      origin = /Serving at (http:\S+)\n/.exec(output)?.[1];
    }
    if (origin === undefined) throw new Error(output + await errors);
    await test(new Visitor(fetch, origin), origin, output);
  } finally {
    await stop(child);
    await reader.cancel();
    await errors;
  }
}

async function stop(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill();
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof TypeError)) throw error;
  }
  await child.status;
}

async function assertCounts(visitor: Visitor, path: string): Promise<void> {
  for (const n of [1, 2, 3]) {
    const response = await visitor.get(path);
    assertEquals(response.headers.get("Content-Type"), "application/json");
    assertEquals(await response.json(), { n });
  }
}

async function assertRemembers(visitor: Visitor): Promise<void> {
  const first = await visitor.get("/");
  assertStringIncludes(await first.text(), "Not logged in");
  const page = await (await visitor.post("/", { name: "susan" })).text();
  assertStringIncludes(textOf(page), "Logged in as susan");
  const last = await (await visitor.post("/logout")).text();
  assertStringIncludes(last, "Not logged in");
}

/** What a page says. */
function textOf(html: string): string {
  return html.replace(/<[^>]*>/g, "");
}

// The counter

Deno.test("counter.ts counts a visitor's requests", async () => {
  await assertCounts(visitorTo(counter), "/");
});

Deno.test("counter.ts counts for each visitor", async () => {
  const [susan, david] = [visitorTo(counter), visitorTo(counter)];
  await assertCounts(susan, "/");
  await assertCounts(david, "/");
});

Deno.test("counter.ts sets a cookie that scripts can't read", async () => {
  const response = await visitorTo(counter).get("/");
  await response.body?.cancel();
  assertEquals(attributesOf(lineOf(response)), [
    "HttpOnly",
    "Path=/",
    "SameSite=Lax",
  ]);
});

// The form

Deno.test("sessions.ts tells a new visitor that they are not logged in", async () => {
  const response = await visitorTo(sessions).get("/");
  const page = await response.text();
  assertEquals(response.status, 200);
  assertEquals(
    response.headers.get("Content-Type"),
    "text/html; charset=utf-8",
  );
  assertStringIncludes(page, "<!DOCTYPE html>");
  assertStringIncludes(textOf(page), "Not logged in");
  assert(!page.includes("Logged in as"));
});

Deno.test("sessions.ts shows a form whose field has a label", async () => {
  const page = await (await visitorTo(sessions).get("/")).text();
  const id = /<label for="([^"]+)">/.exec(page)?.[1];
  const field = /<input ([^>]*)name="name"/.exec(page)?.[1];
  assertEquals(field?.includes(`id="${id}"`), true);
  assertStringIncludes(page, '<form method="post" action="/">');
});

Deno.test("sessions.ts remembers a name, and forgets it at logout", async () => {
  await assertRemembers(visitorTo(sessions));
});

Deno.test("sessions.ts answers a post with a redirect by 303", async () => {
  for (const path of ["/", "/logout"]) {
    const response = await sessions.fetch(
      new Request(`http://localhost${path}`, {
        method: "POST",
        body: new URLSearchParams({ name: "susan" }),
      }),
      INFO,
    );
    assertEquals(response.status, 303);
    assertEquals(response.headers.get("Location"), "/");
    assertEquals(response.headers.getSetCookie().length, 1);
  }
});

Deno.test("sessions.ts keeps the name of the last post", async () => {
  const visitor = visitorTo(sessions);
  for (const name of ["susan", "david"]) {
    const response = await visitor.post("/", { name });
    const page = await response.text();
    assertStringIncludes(textOf(page), `Logged in as ${name}`);
  }
});

Deno.test("sessions.ts escapes a name", async () => {
  const visitor = visitorTo(sessions);
  const name = `<script>alert("1")</script>&'`;
  const page = await (await visitor.post("/", { name })).text();
  assert(!page.includes("<script>alert"), page);
  assert(!page.includes("</script>&"), page);
  const escaped = /Logged in as <strong>(.*)<\/strong>/.exec(page)?.[1];
  const text = escaped?.replace(
    /&#(\d+);/g,
    (_match, code) => String.fromCharCode(Number(code)),
  );
  assertEquals(text, name);
});

Deno.test("sessions.ts takes a name outside of ASCII", async () => {
  const visitor = visitorTo(sessions);
  const page = await (await visitor.post("/", { name: "Zoë 🦕" })).text();
  assertStringIncludes(textOf(page), "Logged in as Zoë 🦕");
});

const BAD_NAMES: Record<string, RequestInit> = {
  "no name": { body: new URLSearchParams() },
  "an empty name": { body: new URLSearchParams({ name: "" }) },
  "a blank name": { body: new URLSearchParams({ name: "  " }) },
  "a long name": { body: new URLSearchParams({ name: "x".repeat(101) }) },
  "no form": { body: "name" },
  "no body": {},
  "a file": { body: formWithFile() },
};

function formWithFile(): FormData {
  const form = new FormData();
  form.set("name", new File(["susan"], "name.txt"));
  return form;
}

for (const [what, init] of Object.entries(BAD_NAMES)) {
  Deno.test(`sessions.ts answers ${what} with a 400`, async () => {
    const visitor = visitorTo(sessions);
    const response = await visitor.send("/", { method: "POST", ...init });
    await response.body?.cancel();
    assertEquals(response.status, 400);
    assertEquals(response.headers.getSetCookie(), []);
  });
}

Deno.test("sessions.ts takes a name of 100 characters", async () => {
  const name = "x".repeat(100);
  const response = await visitorTo(sessions).post("/", { name });
  assertStringIncludes(textOf(await response.text()), name);
});

Deno.test("sessions.ts counts visits beside the name", async () => {
  const visitor = visitorTo(sessions);
  await (await visitor.post("/", { name: "susan" })).body?.cancel();
  await assertCounts(visitor, "/counter");
  const page = await (await visitor.get("/")).text();
  assertStringIncludes(textOf(page), "Logged in as susan");
});

const NO_ROUTES: [method: string, path: string][] = [
  ["GET", "/nowhere"],
  ["GET", "/logout"],
  ["POST", "/counter"],
  ["DELETE", "/"],
  ["GET", "/constructor"],
  ["GET", "//"],
];

for (const [method, path] of NO_ROUTES) {
  Deno.test(`sessions.ts answers ${method} ${path} with a 404`, async () => {
    const request = new Request(`http://localhost${path}`, { method });
    const response = await sessions.fetch(request, INFO);
    assertEquals(response.status, 404);
    assertStringIncludes(await response.text(), "Not found");
  });
}

Deno.test("sessions.ts takes garbage cookies for no session", async () => {
  const headers = { Cookie: "=x; session=garbage; session;" };
  const request = new Request("http://localhost/", { headers });
  const response = await sessions.fetch(request, INFO);
  assertEquals(response.status, 200);
  assertStringIncludes(await response.text(), "Not logged in");
});

// As they are started

Deno.test("counter.ts runs by deno run, with the permissions it names", async () => {
  const flags = await permissionsOf("examples/counter.ts");
  const args = ["run", "--no-prompt", ...flags, "examples/counter.ts"];
  const env = { PORT: freePort() };
  await running(args, env, async (visitor, origin, output) => {
    assertEquals(origin, `http://127.0.0.1:${env.PORT}`);
    assertStringIncludes(output, "SECRET_KEY is not set");
    await assertCounts(visitor, "/");
  });
});

Deno.test("sessions.ts runs by deno run, with the permissions it names", async () => {
  const flags = await permissionsOf("examples/sessions.ts");
  const args = ["run", "--no-prompt", ...flags, "examples/sessions.ts"];
  const env = { PORT: "0", SECRET_KEY: KEY };
  await running(args, env, async (visitor, _origin, output) => {
    assert(!output.includes("SECRET_KEY"), output);
    await assertRemembers(visitor);
    await assertCounts(visitor, "/counter");
  });
});

Deno.test("sessions.ts signs with the key in SECRET_KEY", async () => {
  const flags = await permissionsOf("examples/sessions.ts");
  const args = ["run", "--no-prompt", ...flags, "examples/sessions.ts"];
  const env = { PORT: "0", SECRET_KEY: KEY };
  await running(args, env, async (_visitor, origin) => {
    const value = await new Session({ secretKey: KEY }).encode({ name: "ann" });
    const headers = { Cookie: `session=${value}` };
    const page = await (await fetch(origin, { headers })).text();
    assertStringIncludes(textOf(page), "Logged in as ann");
  });
});

Deno.test("sessions.ts runs by deno serve, at its port alone", async () => {
  const port = freePort();
  const args = ["serve", "--no-prompt", "--allow-env", "--host", "127.0.0.1"];
  args.push("--port", port, "examples/sessions.ts");
  await running(args, {}, async (visitor, origin, output) => {
    assertEquals(origin, `http://127.0.0.1:${port}`);
    assertEquals(output.match(/Serving at/g)?.length, 1);
    await assertRemembers(visitor);
  });
});

Deno.test("counter.ts says so when its port is taken", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-N", "-E", "examples/counter.ts"],
    cwd: ROOT,
    env: { NO_COLOR: "1", PORT: `${port}` },
  }).output();
  const message = new TextDecoder().decode(stderr);
  assertEquals(code, 1);
  assertStringIncludes(message, `Port ${port} is taken`);
});

/** A port that nobody listened at a moment ago. */
function freePort(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `${listener.addr.port}`;
}
