import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { getSetCookies } from "@std/http/cookie";
import example from "../examples/kv.ts";

const ROOT = new URL("../", import.meta.url);
const FILE = "examples/kv.ts";
const ORIGIN = "http://127.0.0.1:8000";
/** Longer than any run takes on a busy machine, in milliseconds. */
const DEADLINE = 60_000;

const INFO: Deno.ServeHandlerInfo = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 },
  completed: Promise.resolve(),
};

const SUSAN = { username: "susan", password: "hello" };
const DAVID = { username: "david", password: "bye" };

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0";
const AGENTS: [device: string, userAgent: string][] = [
  ["Firefox on Linux", FIREFOX],
  [
    "Edge on Windows",
    "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0",
  ],
  [
    "Chrome on Android",
    "Mozilla/5.0 (Linux; Android 10; K) Chrome/140.0 Mobile Safari/537.36",
  ],
  [
    "Safari on iPhone",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1",
  ],
  ["curl", "curl/8.5.0"],
  ["Unknown device", "<script>alert(1)</script>"],
];

type Send = (request: Request) => Response | Promise<Response>;

/** A browser without a window. It follows no redirect. */
class Visitor {
  cookie: string | undefined;
  readonly #userAgent: string;
  readonly #origin: string;
  readonly #send: Send;

  constructor(
    userAgent = FIREFOX,
    origin = ORIGIN,
    send: Send = (request) => example.fetch(request, INFO),
  ) {
    this.#userAgent = userAgent;
    this.#origin = origin;
    this.#send = send;
  }

  async logIn(fields: Record<string, string>): Promise<void> {
    const response = await this.post("/login", fields);
    await response.body?.cancel();
    assertEquals(locationOf(response), [302, "/"]);
  }

  get(path = "/"): Promise<Response> {
    return this.#request(path, {});
  }

  post(
    path: string,
    fields: Record<string, string> = {},
    headers: HeadersInit = {},
  ): Promise<Response> {
    const body = new URLSearchParams(fields);
    return this.#request(path, { method: "POST", body, headers });
  }

  /** The page with the list of sessions. */
  async page(): Promise<string> {
    const response = await this.get();
    assertEquals(response.status, 200);
    return await response.text();
  }

  /** The sessions on the page, "this one" marked by a star. */
  async devices(): Promise<string[]> {
    return itemsOf(await this.page())
      .map(({ device, isThis }) => device + (isThis ? "*" : ""))
      .sort();
  }

  async #request(path: string, init: RequestInit): Promise<Response> {
    const request = new Request(this.#origin + path, {
      redirect: "manual",
      ...init,
    });
    request.headers.set("User-Agent", this.#userAgent);
    if (this.cookie) request.headers.set("Cookie", `session=${this.cookie}`);
    const response = await this.#send(request);
    for (const { value, maxAge } of getSetCookies(response.headers)) {
      this.cookie = maxAge === 0 ? undefined : value;
    }
    return response;
  }
}

interface Item {
  device: string;
  isThis: boolean;
  key: string;
  started: string;
}

function itemsOf(page: string): Item[] {
  return page.split("<li>").slice(1).map((item) => {
    const text = item.replace(/<[^>]*>/g, "").trim();
    const [, device, mark] = /^(.*?)( \(this one\))?,/.exec(text) ?? [];
    return {
      device,
      isThis: mark !== undefined,
      key: /name="key" value="([^"]*)"/.exec(item)?.[1] ?? "",
      started: /datetime="([^"]*)"/.exec(item)?.[1] ?? "",
    };
  });
}

function locationOf(response: Response): [number, string | null] {
  return [response.status, response.headers.get("Location")];
}

/** Leaves no session of a user, whatever a test before has left. */
async function endAll(fields: Record<string, string>): Promise<void> {
  const visitor = new Visitor();
  await visitor.logIn(fields);
  await visitor.post("/logout-everywhere");
}

async function assertLoggedOut(visitor: Visitor): Promise<void> {
  const response = await visitor.get();
  assertEquals(locationOf(response), [302, "/login?next=%2F"]);
}

Deno.test("kv.ts asks for a password", async () => {
  const visitor = new Visitor();
  await assertLoggedOut(visitor);
  const form = await (await visitor.get("/login")).text();
  assertStringIncludes(form, 'autocomplete="current-password"');
  const wrong = await visitor.post("/login", { ...SUSAN, password: "bye" });
  assertEquals(wrong.status, 401);
  const page = await wrong.text();
  assertStringIncludes(page, 'role="alert"');
  assertStringIncludes(page, 'value="susan"');
  assertEquals(visitor.cookie, undefined);
  await visitor.logIn(SUSAN);
  assertStringIncludes(await visitor.page(), "Hello, susan!");
});

Deno.test("kv.ts lists the user's own sessions, and marks this one", async () => {
  await endAll(SUSAN);
  const [laptop, phone, other] = [
    new Visitor(FIREFOX),
    new Visitor("curl/8.5.0"),
    new Visitor(),
  ];
  await laptop.logIn(SUSAN);
  await phone.logIn(SUSAN);
  await other.logIn(DAVID);
  assertEquals(await laptop.devices(), ["A device", "Firefox on Linux*"]);
  assertEquals(await phone.devices(), ["Firefox on Linux", "curl*"]);
  assertEquals(await laptop.devices(), ["Firefox on Linux*", "curl"]);
  for (const { key, started } of itemsOf(await laptop.page())) {
    assertNotEquals(key, laptop.cookie);
    const age = Date.now() - Date.parse(started);
    assert(age > -1000 && age < DEADLINE, started);
  }
});

Deno.test("kv.ts names devices", async () => {
  for (const [device, userAgent] of AGENTS) {
    await endAll(SUSAN);
    const visitor = new Visitor(userAgent);
    await visitor.logIn(SUSAN);
    assertEquals(await visitor.devices(), [`${device}*`]);
  }
});

Deno.test("kv.ts ends one session, and leaves the others", async () => {
  await endAll(SUSAN);
  const [laptop, phone] = [new Visitor(FIREFOX), new Visitor("curl/8.5.0")];
  await laptop.logIn(SUSAN);
  await phone.logIn(SUSAN);
  await phone.page();
  const item = itemsOf(await laptop.page()).find(({ isThis }) => !isThis);
  const response = await laptop.post("/end", { key: item?.key ?? "" });
  assertEquals(locationOf(response), [303, "/"]);
  await assertLoggedOut(phone);
  assertEquals(await laptop.devices(), ["Firefox on Linux*"]);
});

Deno.test("kv.ts ends the session that asks for it", async () => {
  const visitor = new Visitor();
  await visitor.logIn(SUSAN);
  const item = itemsOf(await visitor.page()).find(({ isThis }) => isThis);
  await visitor.post("/end", { key: item?.key ?? "" });
  await assertLoggedOut(visitor);
});

Deno.test("kv.ts ends no session of another user", async () => {
  const [susan, david] = [new Visitor(), new Visitor()];
  await susan.logIn(SUSAN);
  await david.logIn(DAVID);
  const keys = itemsOf(await david.page()).map(({ key }) => key);
  for (const key of [...keys, david.cookie ?? "", "", "garbage"]) {
    const response = await susan.post("/end", { key });
    assertEquals(locationOf(response), [303, "/"]);
  }
  assertStringIncludes(await david.page(), "Hello, david!");
});

Deno.test("kv.ts logs out everywhere, but no other user", async () => {
  const [laptop, phone, other] = [new Visitor(), new Visitor(), new Visitor()];
  await laptop.logIn(SUSAN);
  await phone.logIn(SUSAN);
  await other.logIn(DAVID);
  const copy = new Visitor();
  copy.cookie = laptop.cookie;
  const response = await laptop.post("/logout-everywhere");
  assertEquals(locationOf(response), [302, "/login"]);
  assertEquals(laptop.cookie, undefined);
  await assertLoggedOut(phone);
  await assertLoggedOut(copy);
  assertStringIncludes(await other.page(), "Hello, david!");
  await laptop.logIn(SUSAN);
});

Deno.test("kv.ts logs out, and a copy of the cookie is worthless", async () => {
  const visitor = new Visitor();
  await visitor.logIn(SUSAN);
  const copy = new Visitor();
  copy.cookie = visitor.cookie;
  assertEquals(locationOf(await visitor.post("/logout")), [302, "/login"]);
  await assertLoggedOut(visitor);
  await assertLoggedOut(copy);
});

for (const path of ["/end", "/logout-everywhere", "/logout", "/login"]) {
  Deno.test(`kv.ts refuses a form of another site at ${path}`, async () => {
    const visitor = new Visitor();
    await visitor.logIn(SUSAN);
    const [item] = itemsOf(await visitor.page());
    const headers = { "Sec-Fetch-Site": "cross-site" };
    const fields = { ...SUSAN, key: item.key };
    const response = await visitor.post(path, fields, headers);
    assertEquals(response.status, 403);
    assertStringIncludes(await visitor.page(), "Hello, susan!");
  });
}

for (const path of ["/end", "/logout-everywhere"]) {
  Deno.test(`kv.ts asks a visitor at ${path} to log in`, async () => {
    const response = await new Visitor().post(path, { key: "x" });
    assertEquals(locationOf(response), [302, "/login"]);
  });
}

Deno.test("kv.ts answers 404 where there is no route", async () => {
  assertEquals((await new Visitor().get("/nowhere")).status, 404);
  assertEquals((await new Visitor().get("/logout-everywhere")).status, 404);
});

Deno.test("kv.ts runs by deno run, with the permissions it names, and keeps sessions in KV_PATH", async () => {
  const line = "--unstable-kv --allow-net --allow-env";
  const source = await Deno.readTextFile(new URL(FILE, ROOT));
  assertStringIncludes(source, ` *     deno run ${line} ${FILE}\n`);
  const directory = await Deno.makeTempDir();
  const stored = `${line} --allow-read --allow-write`;
  const path = `${directory}/sessions.db`;
  try {
    let cookie: string | undefined;
    await running(line, {}, async (visitor) => {
      await visitor.logIn(SUSAN);
      assertEquals(await visitor.devices(), ["Firefox on Linux*"]);
    });
    await running(stored, { KV_PATH: path }, async (visitor) => {
      await visitor.logIn(SUSAN);
      cookie = visitor.cookie;
    });
    await running(stored, { KV_PATH: path }, async (visitor) => {
      visitor.cookie = cookie;
      assertEquals(await visitor.devices(), ["Firefox on Linux*"]);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Runs the example while the test runs. */
async function running(
  permissions: string,
  env: Record<string, string>,
  test: (visitor: Visitor) => Promise<void>,
): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions.split(" "), FILE],
    cwd: ROOT,
    env: { NO_COLOR: "1", PORT: "0", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
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
    const origin = /Serving at (http:\S+)/.exec(output)?.[1];
    await test(new Visitor(FIREFOX, origin, fetch));
  } finally {
    clearTimeout(timer);
    child.kill();
    await child.status;
    await reader.cancel();
    await errors;
  }
}
