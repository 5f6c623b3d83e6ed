/** What the code of docs/logins.md does, as one application. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import { TestClient } from "../../helpers/testing.ts";
import type { Login, Session } from "../../mod.ts";
import { KEY } from "../_helpers.ts";
import type { Handler } from "../_login.ts";
import { BLOCKS, nameOf, withFiles } from "./_code.ts";

Deno.env.set("SECRET_KEY", KEY);

const PAGE = "docs/logins.md";
const PASSWORD = "a password of twelve";

// Nobody waits for a hash.
const derive = crypto.subtle.deriveBits.bind(crypto.subtle);
crypto.subtle.deriveBits = (algorithm, key, length) =>
  derive({ ...(algorithm as Pbkdf2Params), iterations: 1 }, key, length);

interface User {
  id: number;
  name: string;
  mail: string;
  hash: string;
  role: string;
  stamp: string;
}

/** What a file exports: mostly handlers. */
// deno-lint-ignore no-explicit-any -- of any further arguments
type File = Record<string, (request: Request, ...rest: any[]) => any>;

/** The application, once with each test. */
class Application {
  readonly users: Map<number, User>;
  readonly files: Record<string, File>;
  routes: Record<string, Handler> = {};
  readonly #session: Session;
  readonly #login: Login<User>;

  constructor(files: Record<string, File>) {
    this.files = files;
    // The file's own: "devices.ts" has a backend that keeps sessions.
    const all: unknown = { ...files["auth.ts"], ...files["devices.ts"] };
    const { session, login, users } = all as {
      session: Session;
      login: Login<User>;
      users: Map<number, User>;
    };
    [this.users, this.#session, this.#login] = [users, session, login];
    users.set(1, {
      id: 1,
      name: "susan",
      mail: "susan@example.com",
      hash: `pbkdf2-hmac-sha256:00:1:${"00".repeat(32)}`, // nobody's password
      role: "reader",
      stamp: "1",
    });
  }

  /** A browser that comes for the first time. */
  client(): TestClient<User> {
    const handler = this.#session.wrap((request) => {
      const route = `${request.method} ${new URL(request.url).pathname}`;
      return this.routes[route]?.(request) ??
        new Response(route, { status: 404 });
    });
    return new TestClient(handler, { login: this.#login });
  }

  /** One in which Susan is logged in. */
  async susan(fresh = true): Promise<TestClient<User>> {
    const client = this.client();
    await client.loginAs(this.users.get(1)!, { fresh }); // she is there
    return client;
  }
}

/** Tests the application of these files and those that they import. */
function testFiles(
  name: string,
  names: string[],
  test: (application: Application) => Promise<void>,
): void {
  // A database that a file opens stays open as long as its server runs.
  const sanitizeResources = !names.includes("devices.ts");
  Deno.test(`${PAGE}: ${name}`, { sanitizeResources }, async () => {
    const all = ["auth.ts", ...names];
    await withFiles<File>(PAGE, all, async (...files) => {
      const entries = all.map((name, i): [string, File] => [name, files[i]]);
      await test(new Application(Object.fromEntries(entries)));
    });
  });
}

async function textOf(response: Response | Promise<Response>): Promise<string> {
  return await (await response).text();
}

async function statusOf(response: Promise<Response>): Promise<number> {
  return (await response).status;
}

/** The address in a text or a header. */
function pathIn(text: string | null): string {
  return /https?:\/\/[^/]+(\/\S*)/.exec(text ?? "")?.[1] ?? text ?? "";
}

Deno.test(`${PAGE}: its files have a name each`, () => {
  const names = BLOCKS.filter(({ page, language }) =>
    page === PAGE && language === "ts"
  ).map(nameOf);
  assert(names.every((name) => name !== undefined));
  assertEquals(new Set(names).size, names.length);
});

testFiles(
  "a visitor signs up, and logs in by the form",
  ["sign_up.ts", "login_form.ts", "pages.ts"],
  async (application) => {
    const { files } = application;
    application.routes = {
      "POST /sign-up": files["sign_up.ts"].postSignUp,
      "GET /login": files["login_form.ts"].showLogin,
      "POST /login": files["login_form.ts"].postLogin,
      "GET /": files["pages.ts"].front,
      "GET /home": files["pages.ts"].home,
      "GET /basket": files["pages.ts"].basket,
    };
    const first = application.client();
    const form = { name: "david", mail: "d@example.com", password: PASSWORD };
    const short = { ...form, password: "short" };
    for (
      const [sent, status] of [[short, 400], [form, 302], [form, 409]] as const
    ) {
      assertEquals(
        await statusOf(first.post("/sign-up", { form: sent })),
        status,
      );
    }
    assertStringIncludes(await textOf(first.get("/")), "david");

    const client = application.client();
    assertStringIncludes(await textOf(client.get("/")), "stranger");
    const away = await client.get("/home?page=2");
    const login = pathIn(away.headers.get("Location"));
    assertStringIncludes(await textOf(client.get(login)), 'name="password"');
    const wrong = { ...form, password: "wrong" };
    assertEquals(await statusOf(client.post(login, { form: wrong })), 401);
    const remembered = { ...form, remember: "on" };
    const back = await client.post(login, { form: remembered });
    assertEquals(back.headers.get("Location"), "/home?page=2");
    assert(client.cookies.get("_remember"));
    assertStringIncludes(await textOf(client.get("/home")), "david");

    const hidden = { ...form, next: "/basket" };
    const there = await client.post("/login", { form: hidden });
    assertEquals(there.headers.get("Location"), "/basket");
    assertStringIncludes(await textOf(client.get("/basket")), "a device");
  },
);

testFiles(
  "a form of another site, and one that is too large, are refused",
  ["login_form.ts"],
  async (application) => {
    application.routes["POST /login"] =
      application.files["login_form.ts"].postLogin;
    const client = application.client();
    const headers = { Origin: "https://evil.example" };
    assertEquals(await statusOf(client.post("/login", { headers })), 403);
    const form = { name: "x".repeat(10_000) };
    assertEquals(await statusOf(client.post("/login", { form })), 413);
    assertEquals(await statusOf(client.post("/login", { json: {} })), 401);
  },
);

testFiles("roles let editors in", ["roles.ts"], async (application) => {
  const { files, users } = application;
  application.routes = {
    "GET /desk": files["roles.ts"].desk,
    "GET /drafts": files["roles.ts"].drafts,
  };
  const client = await application.susan();
  assertEquals(await statusOf(client.get("/desk")), 403);
  assertEquals((await client.get("/drafts")).headers.get("Location"), "/");
  users.get(1)!.role = "editor"; // she is there
  assertEquals(await statusOf(client.get("/desk")), 200);
  assertEquals(await statusOf(client.get("/drafts")), 200);
});

testFiles("a script comes in by a key", ["api.ts"], async (application) => {
  const { files, users } = application;
  application.routes = {
    "GET /api/me": files["api.ts"].whoAmI,
    "POST /api/key": files["api.ts"].makeKey,
  };
  const { key } = await (await (await application.susan()).post("/api/key"))
    .json();
  const script = application.client();
  const ask = (key: string) =>
    script.fetch("/api/me", {
      headers: { Authorization: `Bearer ${key}`, Accept: "*/*" },
    });
  assertEquals(await (await ask(key)).json(), { id: 1, name: "susan" });
  assertEquals(await statusOf(ask(`${key}x`)), 401);
  const headers = { Authorization: `Bearer ${key}` };
  const made = await script.post("/api/key", { headers });
  assertEquals(made.status, 302); // it is not fresh
  users.get(1)!.stamp = "2"; // she is there
  assertEquals(await statusOf(ask(key)), 401);
});

testFiles(
  "a new password needs a fresh login, and ends the others",
  ["settings.ts", "new_password.ts", "pages.ts"],
  async (application) => {
    const { files } = application;
    application.routes = {
      "GET /settings": files["settings.ts"].settings,
      "GET /profile": files["settings.ts"].profile,
      "POST /password": files["new_password.ts"].postPassword,
      "GET /home": files["pages.ts"].home,
    };
    const stale = await application.susan(false);
    assertEquals(await statusOf(stale.get("/settings")), 302);
    assertStringIncludes(await textOf(stale.get("/profile")), "Some");
    const client = await application.susan();
    assertEquals(await statusOf(client.get("/settings")), 200);
    assertStringIncludes(await textOf(client.get("/profile")), "All");
    const form = { password: PASSWORD };
    const changed = await client.post("/password", { form });
    assertEquals(changed.headers.get("Location"), "/settings");
    assertEquals(await statusOf(client.get("/home")), 200);
    assertEquals(await statusOf(stale.get("/home")), 302);
  },
);

testFiles(
  "a logout ends one login, or all",
  ["log_out.ts", "pages.ts"],
  async (application) => {
    const { files } = application;
    application.routes = {
      "POST /logout": files["log_out.ts"].postLogout,
      "POST /everywhere": files["log_out.ts"].logOutEverywhere,
      "GET /home": files["pages.ts"].home,
    };
    const [one, other, third] = await Promise.all(
      [1, 2, 3].map(() => application.susan()),
    );
    await one.post("/logout");
    await other.post("/everywhere");
    for (const client of [one, other, third]) {
      assertEquals(await statusOf(client.get("/home")), 302);
    }
  },
);

testFiles("a user ends their sessions", ["devices.ts"], async (application) => {
  const { files, users } = application;
  application.routes = {
    "POST /login": files["devices.ts"].postLogin,
    "GET /devices": files["devices.ts"].showDevices,
    "POST /devices": files["devices.ts"].postDevices,
  };
  const { hashPassword } = await import("../../helpers/passwords.ts");
  users.get(1)!.hash = await hashPassword(PASSWORD); // she is there
  const clients = [];
  for (const device of ["laptop", "phone", "tablet"]) {
    const client = application.client();
    const form = { name: "susan", password: PASSWORD };
    await client.post("/login", { form, headers: { "User-Agent": device } });
    clients.push(client);
  }
  const [laptop, phone, tablet] = clients;
  const page = await textOf(laptop.get("/devices"));
  assertEquals(page.match(/<li>\w+/g)?.length, 3);
  assertStringIncludes(page, "laptop (this)");
  const key = /<li>phone[^]*?value="(\w+)"/.exec(page)?.[1] ?? "";
  await laptop.post("/devices", { form: { key } });
  assertEquals(await statusOf(phone.get("/devices")), 302);
  assertEquals(await statusOf(tablet.get("/devices")), 200);
  await laptop.post("/devices", { form: { others: "yes" } });
  assertEquals(await statusOf(tablet.get("/devices")), 302);
  assertEquals(await statusOf(laptop.get("/devices")), 200);
});

testFiles(
  "a link in a mail resets a password, once",
  ["reset.ts", "pages.ts"],
  async (application) => {
    const { files } = application;
    const mails: string[] = [];
    application.routes = {
      "POST /forgot": (request) =>
        files["reset.ts"].postForgot(
          request,
          (...mail: string[]) => void mails.push(mail.join(" ")),
        ),
      "GET /reset": files["reset.ts"].showReset,
      "POST /reset": files["reset.ts"].postReset,
      "GET /home": files["pages.ts"].home,
    };
    const client = application.client();
    const answers = ["susan@example.com", "nobody@example.com"].map((mail) =>
      textOf(client.post("/forgot", { form: { mail } }))
    );
    assertEquals(await answers[0], await answers[1]);
    assertEquals(mails.length, 1);
    const link = pathIn(mails[0]);
    const token = link.replace("/reset?token=", "");
    assertStringIncludes(await textOf(client.get(link)), token);
    const form = { token, password: PASSWORD };
    assertEquals(await statusOf(client.post("/reset", { form })), 302);
    assertEquals(await statusOf(client.get("/home")), 200);
    assertEquals(await statusOf(client.post("/reset", { form })), 410);
    assertEquals(await statusOf(client.get(link)), 410);
  },
);

testFiles(
  "a provider logs in who began in this browser",
  ["oauth.ts", "pages.ts"],
  async (application) => {
    const { files } = application;
    application.routes = {
      "GET /oauth": files["oauth.ts"].begin,
      "GET /oauth/callback": files["oauth.ts"].callback,
      "GET /home": files["pages.ts"].home,
    };
    const client = application.client();
    const begun = await client.get("/oauth?next=/home");
    const query = new URL(begun.headers.get("Location") ?? "").searchParams;
    const provider = async (
      input: Request | URL | string,
      init?: RequestInit,
    ) => {
      const request = new Request(input, init);
      if (request.url.endsWith("/user")) {
        return Response.json({ name: "susan" });
      }
      const verifier = (await request.formData()).get("code_verifier");
      const bytes = new TextEncoder().encode(String(verifier));
      const digest = await crypto.subtle.digest("SHA-256", bytes);
      return encodeBase64Url(digest) === query.get("code_challenge")
        ? Response.json({ access_token: "1" })
        : new Response(null, { status: 400 });
    };
    const fetchBefore = globalThis.fetch;
    globalThis.fetch = provider;
    try {
      const path = `/oauth/callback?code=1&state=${query.get("state")}`;
      const headers = { "Sec-Fetch-Site": "cross-site" };
      const other = application.client();
      assertEquals(await statusOf(other.get(path, headers)), 403);
      const forged = "/oauth/callback?code=1&state=forged";
      assertEquals(await statusOf(client.get(forged, headers)), 403);
      const back = await client.get(path, headers);
      assertEquals(back.headers.get("Location"), "/home");
      assertEquals(await statusOf(client.get("/home")), 200);
      assertEquals(await statusOf(client.get(path, headers)), 403);
    } finally {
      globalThis.fetch = fetchBefore;
    }
  },
);

testFiles(
  "Deno KV OAuth leads to a login",
  ["kv_oauth.ts", "pages.ts"],
  async (application) => {
    const { files } = application;
    application.routes = {
      "GET /oauth": files["kv_oauth.ts"].begin,
      "GET /oauth/callback": files["kv_oauth.ts"].callback,
      "GET /home": files["pages.ts"].home,
    };
    const client = application.client();
    assertEquals(await statusOf(client.get("/oauth")), 302);
    const fetchBefore = globalThis.fetch;
    globalThis.fetch = () => Promise.resolve(Response.json({ login: "susan" }));
    try {
      const headers = { "Sec-Fetch-Site": "cross-site" };
      const path = "/oauth/callback?code=1&state=2";
      assertEquals(await statusOf(client.get(path, headers)), 403);
      client.cookies.keep(
        new URL("http://localhost"),
        new Headers({ "Set-Cookie": "oauth-session=1; Path=/" }),
      );
      const back = await client.get(path, headers);
      assertEquals(back.headers.get("Location"), "/cart");
      assertEquals(await statusOf(client.get("/home")), 200);
    } finally {
      globalThis.fetch = fetchBefore;
    }
  },
);

testFiles("flashes are shown once", ["flashes.ts"], async (application) => {
  const { files } = application;
  application.routes = {
    "POST /name": files["flashes.ts"].postName,
    "POST /logout": files["flashes.ts"].postLogout,
    "GET /": files["flashes.ts"].show,
  };
  const client = await application.susan();
  await client.post("/name");
  const page = await textOf(client.get("/"));
  assertStringIncludes(page, '<p class="success">Your name was changed</p>');
  assert(!(await textOf(client.get("/"))).includes("changed"));
  await client.post("/logout");
  assertStringIncludes(await textOf(client.get("/")), "You are logged out");
});

testFiles(
  "admins have a login of their own",
  ["admins.ts"],
  async (application) => {
    const { adminLogin } = application.files["admins.ts"] as unknown as {
      adminLogin: Login<{ id: number; name: string }>;
    };
    const admin = adminLogin.required((_request, { name }) =>
      new Response(name)
    );
    application.routes["GET /admin"] = admin;
    const susan = await application.susan();
    assertEquals(await statusOf(susan.get("/admin")), 302);
    const root = new TestClient(admin, { login: adminLogin });
    await root.loginAs({ id: 1, name: "root" });
    assertEquals(await textOf(root.get("/admin")), "root");
  },
);

testFiles("the router leads to all of it", ["main.ts"], async (application) => {
  const { default: main } = application.files["main.ts"] as unknown as {
    default: { fetch: Handler };
  };
  const client = new TestClient(main.fetch);
  const form = { name: "david", mail: "d@example.com", password: PASSWORD };
  assertEquals(await statusOf(client.get("/home")), 302);
  assertEquals(await statusOf(client.get("/login")), 200);
  assertEquals(await statusOf(client.post("/sign-up", { form })), 302);
  assertStringIncludes(await textOf(client.get("/home")), "david");
  assertEquals(await statusOf(client.get("/nowhere")), 404);
});
