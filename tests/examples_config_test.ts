import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { cookieSetBy, KEY, payloadOf } from "./_helpers.ts";

const ROOT = new URL("../", import.meta.url);
const FILE = "examples/config.ts";
/** Longer than any run takes on a busy machine, in milliseconds. */
const DEADLINE = 60_000;

const VARIABLES = ["SECRET_KEY", "COOKIE_NAME", "TYPE"] as const;
type Settings = Partial<Record<typeof VARIABLES[number], string>>;

const INFO: Deno.ServeHandlerInfo = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 },
  completed: Promise.resolve(),
};

/** Settings that are wrong, and what is said about them. */
const WRONG: [what: string, settings: Settings, message: string][] = [
  ["an unknown type", { SECRET_KEY: KEY, TYPE: "JWT" }, "Cannot use backend"],
  [
    "a property of all objects",
    { SECRET_KEY: KEY, TYPE: "valueOf" },
    "backend",
  ],
  ["a short key", { SECRET_KEY: "x".repeat(31) }, "secretKey"],
  ["an empty key", { SECRET_KEY: "" }, "secretKey"],
  ["no key", {}, "is its environment variable set?"],
  ["no key for fernet", { TYPE: "fernet" }, "is its environment variable set?"],
  ["a key for base64", { SECRET_KEY: KEY, TYPE: "base64" }, "secretKey"],
  [
    "a cookie name with a space",
    { SECRET_KEY: KEY, COOKIE_NAME: "a b" },
    "cookieName",
  ],
];

let count = 0;

/** The example, as it is under these settings. */
async function load(settings: Settings): Promise<Deno.ServeDefaultExport> {
  const before = VARIABLES.map((name) => Deno.env.get(`SESSION_${name}`));
  const set = (name: string, value: string | undefined) =>
    value === undefined
      ? Deno.env.delete(`SESSION_${name}`)
      : Deno.env.set(`SESSION_${name}`, value);
  for (const name of VARIABLES) set(name, settings[name]);
  try {
    const url = new URL(`${FILE}?${++count}`, ROOT);
    return (await import(url.href)).default;
  } finally {
    VARIABLES.forEach((name, index) => set(name, before[index]));
  }
}

function visit(
  example: Deno.ServeDefaultExport,
  cookie = "",
  path = "/",
): Response | Promise<Response> {
  const headers = { Cookie: cookie };
  const request = new Request(`http://127.0.0.1:8000${path}`, { headers });
  return example.fetch(request, INFO);
}

/** Visits twice, and returns the cookie's value of the first visit. */
async function assertCounts(
  example: Deno.ServeDefaultExport,
  cookieName = "session",
): Promise<string> {
  const first = await visit(example);
  assertStringIncludes(await first.text(), "<h1>Visit 1</h1>");
  const value = cookieSetBy(first, cookieName) ?? "";
  const second = await visit(example, `${cookieName}=${value}`);
  assertStringIncludes(await second.text(), "<h1>Visit 2</h1>");
  return value;
}

function childOf(env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--allow-env", FILE],
    cwd: ROOT,
    env: { NO_COLOR: "1", PORT: "0", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("config.ts makes JSON Web Tokens unless told otherwise", async () => {
  const value = await assertCounts(await load({ SECRET_KEY: KEY }));
  assertEquals(payloadOf(value).n, 1);
});

Deno.test("config.ts makes sessions of the type in SESSION_TYPE", async () => {
  const fernet = await load({ SECRET_KEY: KEY, TYPE: "fernet" });
  assert((await assertCounts(fernet)).startsWith("gAAAA"));
  const base64 = await load({ TYPE: "base64" });
  assertEquals(JSON.parse(atob(await assertCounts(base64))).n, 1);
});

Deno.test("config.ts names the cookie as SESSION_COOKIE_NAME says", async () => {
  const example = await load({ SECRET_KEY: KEY, COOKIE_NAME: "sid" });
  await assertCounts(example, "sid");
  const page = await (await visit(example)).text();
  assertStringIncludes(page, "<code>sid</code>");
  assertStringIncludes(page, "<code>jwt</code>");
});

Deno.test("config.ts reads the sessions of an instance with the same settings", async () => {
  const settings: Settings = { SECRET_KEY: KEY, TYPE: "fernet" };
  const value = await assertCounts(await load(settings));
  const page = await visit(await load(settings), `session=${value}`);
  assertStringIncludes(await page.text(), "Visit 2");
  const other = await load({ ...settings, SECRET_KEY: `${KEY}!` });
  const stranger = await visit(other, `session=${value}`);
  assertStringIncludes(await stranger.text(), "Visit 1");
});

Deno.test("config.ts answers 404 where there is no page", async () => {
  const response = await visit(await load({ SECRET_KEY: KEY }), "", "/no");
  assertEquals(response.status, 404);
});

for (const [what, settings, message] of WRONG) {
  Deno.test(`config.ts stops at ${what}, and says so`, async () => {
    const error = await load(settings).then(() => undefined, (error) => error);
    assert(error instanceof TypeError || error instanceof RangeError);
    assert(error.message.startsWith("Cannot use "), error.message);
    assertStringIncludes(error.message, message);
    if (settings.SECRET_KEY) {
      assert(!error.message.includes(settings.SECRET_KEY));
    }
  });
}

Deno.test("config.ts runs by deno run, with the permissions it names", async () => {
  const source = await Deno.readTextFile(new URL(FILE, ROOT));
  const line = ` *     deno run --allow-net --allow-env ${FILE}\n`;
  assertStringIncludes(source, line);
  const child = childOf({ SESSION_SECRET_KEY: KEY, SESSION_TYPE: "fernet" });
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE);
  const errors = child.stderr.text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let output = "";
    while (!output.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(await errors);
      output += value;
    }
    const origin = /Serving at (http:\S+)/.exec(output)?.[1] ?? "";
    const page = await (await fetch(origin)).text();
    assertStringIncludes(page, "<code>fernet</code>");
  } finally {
    clearTimeout(timer);
    child.kill();
    await child.status;
    await reader.cancel();
    await errors;
  }
});

Deno.test("config.ts run with a wrong type ends with the module's message", async () => {
  const child = childOf({ SESSION_SECRET_KEY: KEY, SESSION_TYPE: "token" });
  const timer = setTimeout(() => child.kill("SIGKILL"), DEADLINE);
  const { code, stderr } = await child.output();
  clearTimeout(timer);
  assertEquals(code, 1);
  const message = new TextDecoder().decode(stderr);
  assertStringIncludes(message, "TypeError: Cannot use backend");
});
