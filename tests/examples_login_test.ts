import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { getSetCookies } from "@std/http/cookie";
import { hashPassword, verifyPassword } from "../examples/_password.ts";
import loginExample from "../examples/login.ts";
import rolesExample from "../examples/roles.ts";

const ORIGIN = "http://127.0.0.1:8000";
const INFO: Deno.ServeHandlerInfo = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 },
  completed: Promise.resolve(),
};

/** A visitor to an example, with the cookies that they got there. */
class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #example: Deno.ServeDefaultExport;

  constructor(example: Deno.ServeDefaultExport) {
    this.#example = example;
  }

  async get(path: string, headers: HeadersInit = {}): Promise<Response> {
    return await this.#send(path, { headers });
  }

  async post(
    path: string,
    fields: Record<string, string> = {},
    headers: HeadersInit = {},
  ): Promise<Response> {
    const body = new URLSearchParams(fields);
    return await this.#send(path, { method: "POST", body, headers });
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const request = new Request(ORIGIN + path, init);
    const pairs = [...this.cookies].map(([name, value]) => `${name}=${value}`);
    if (pairs.length > 0) request.headers.set("Cookie", pairs.join("; "));
    const response = await this.#example.fetch(request, INFO);
    for (const { name, value, maxAge } of getSetCookies(response.headers)) {
      if (value === "" || maxAge === 0) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }
}

function locationOf(response: Response): [number, string | null] {
  return [response.status, response.headers.get("Location")];
}

const SUSAN = { username: "susan", password: "hello" };
const DAVID = { username: "david", password: "bye" };

Deno.test("verifyPassword() tells the right password from others", async () => {
  const hash = await hashPassword("caf\u00E9");
  assert(/^pbkdf2-sha256\$600000\$[\w-]{22}\$[\w-]{43}$/.test(hash), hash);
  assertEquals(await verifyPassword("caf\u00E9", hash), true);
  assertEquals(await verifyPassword("cafe\u0301", hash), true);
  assertEquals(await verifyPassword("cafe", hash), false);
  assertNotEquals(await hashPassword("caf\u00E9"), hash);
});

Deno.test("verifyPassword() derives the key that Python's hashlib does", async () => {
  // hashlib.pbkdf2_hmac("sha256", b"hello", bytes(16), 1000)
  const key = "DpZxGBiS1rO7aCZX6NuFBlUgPeXSLxdWDwksYC-Huas";
  const hash = `pbkdf2-sha256$1000$${"A".repeat(22)}$${key}`;
  assertEquals(await verifyPassword("hello", hash), true);
});

Deno.test("verifyPassword() refuses every password without a hash", async () => {
  assertEquals(await verifyPassword("hello"), false);
});

Deno.test("verifyPassword() rejects a hash of another kind", async () => {
  await assertRejects(
    () => verifyPassword("hello", "scrypt$16384$salt$key"),
    TypeError,
    "its hash is of another kind",
  );
});

Deno.test("login.ts sends a visitor without a login to the login page", async () => {
  const visitor = new Visitor(loginExample);
  const targets = [
    ["/", "/login?next=%2F"],
    ["/?a=1&b=2", "/login?next=%2F%3Fa%3D1%26b%3D2"],
    ["/fresh", "/login?next=%2Ffresh"],
    ["/admin", "/login?next=/admin"],
  ];
  for (const [path, location] of targets) {
    assertEquals(locationOf(await visitor.get(path)), [302, location]);
  }
  assertEquals(locationOf(await visitor.post("/logout")), [302, "/login"]);
  assertEquals(visitor.cookies.size, 0);
});

Deno.test("login.ts shows a login form that a password manager can fill in", async () => {
  const response = await new Visitor(loginExample).get("/login?next=%2F");
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  const html = await response.text();
  assert(/<label for="username">.*\s+<input id="username"/.test(html));
  assert(/<label for="password">.*\s+<input id="password"/.test(html));
  assertStringIncludes(html, 'autocomplete="username"');
  assertStringIncludes(html, 'autocomplete="current-password"');
  assertStringIncludes(html, 'name="remember" type="checkbox"');
  assertEquals(html.includes('role="alert"'), false);
});

Deno.test("login.ts answers 404 where there is no route", async () => {
  const visitor = new Visitor(loginExample);
  assertEquals((await visitor.get("/nowhere")).status, 404);
  assertEquals((await visitor.get("/logout")).status, 404);
  assertEquals((await visitor.post("/admin")).status, 404);
});

Deno.test("login.ts says that a password is wrong, and keeps what else was typed", async () => {
  const visitor = new Visitor(loginExample);
  const response = await visitor.post("/login?next=%2Ffresh", {
    username: "susan",
    password: "bye",
    remember: "on",
  });
  assertEquals(response.status, 401);
  const html = await response.text();
  assertStringIncludes(html, 'id="error" role="alert"');
  assertStringIncludes(html, 'aria-describedby="error"');
  assertStringIncludes(html, 'value="susan"');
  assert(/type="checkbox" checked/.test(html));
  // The form goes to its own address, with `next`.
  assertEquals(/<form[^>]*action/.test(html), false);
  assertEquals(html.includes("bye"), false);
  assertEquals(visitor.cookies.size, 0);
});

Deno.test("login.ts escapes the name of a user who does not exist", async () => {
  const visitor = new Visitor(loginExample);
  const response = await visitor.post("/login", {
    username: `"><script>alert('&')</script>`,
    password: "hello",
  });
  assertEquals(response.status, 401);
  const html = await response.text();
  assertEquals(html.includes("<script>alert"), false);
  assertStringIncludes(html, "&#34;&#62;&#60;script&#62;");
});

Deno.test("login.ts takes a request without a form for a wrong password", async () => {
  const request = new Request(`${ORIGIN}/login`, {
    method: "POST",
    body: "{}",
    headers: { "Content-Type": "application/json" },
  });
  assertEquals((await loginExample.fetch(request, INFO)).status, 401);
});

Deno.test("login.ts lets susan go everywhere until she logs out", async () => {
  const visitor = new Visitor(loginExample);
  const response = await visitor.post("/login?next=%2Fadmin%3Fa%3D1", SUSAN);
  assertEquals(locationOf(response), [302, "/admin?a=1"]);
  assertEquals([...visitor.cookies.keys()], ["session"]);
  for (
    const [path, heading] of [
      ["/", "Hello, susan!"],
      ["/fresh", "Your login is fresh"],
      ["/admin", "Administration"],
    ]
  ) {
    const page = await visitor.get(path);
    assertEquals(page.status, 200);
    assertEquals(page.headers.get("Cache-Control"), "no-store");
    assertStringIncludes(await page.text(), `<h1>${heading}</h1>`);
  }
  assertEquals(locationOf(await visitor.post("/logout")), [302, "/login"]);
  assertEquals(visitor.cookies.size, 0);
  const after = await visitor.get("/");
  assertEquals(locationOf(after), [302, "/login?next=%2F"]);
});

Deno.test("login.ts remembers david, but not for fresh or admin pages", async () => {
  const visitor = new Visitor(loginExample);
  const fields = { ...DAVID, remember: "on" };
  const response = await visitor.post("/login?next=//evil.example/", fields);
  assertEquals(locationOf(response), [302, "/"]);
  assertEquals([...visitor.cookies.keys()].sort(), ["_remember", "session"]);
  visitor.cookies.delete("session");
  const home = await visitor.get("/");
  assertStringIncludes(await home.text(), "<h1>Hello, david!</h1>");
  assertEquals([...visitor.cookies.keys()].sort(), ["_remember", "session"]);
  const fresh = await visitor.get("/fresh");
  assertEquals(locationOf(fresh), [302, "/login?next=%2Ffresh"]);
  const again = await (await visitor.get("/login?next=%2Ffresh")).text();
  assertStringIncludes(again, "logged in as <strong>david</strong>");
  assertStringIncludes(again, 'value="david"');
  const admin = await visitor.get("/admin");
  assertEquals(admin.status, 403);
  assertStringIncludes(await admin.text(), "Sorry, david");
  await visitor.post("/logout");
  assertEquals(visitor.cookies.size, 0);
});

Deno.test("login.ts refuses login and logout from another origin", async () => {
  const visitor = new Visitor(loginExample);
  await visitor.post("/login", { ...SUSAN, remember: "on" });
  const before = [...visitor.cookies];
  assertEquals(before.length, 2);
  const foreign = { "Sec-Fetch-Site": "same-site" };
  assertEquals((await visitor.post("/login", DAVID, foreign)).status, 403);
  assertEquals((await visitor.post("/logout", {}, foreign)).status, 403);
  assertEquals([...visitor.cookies], before);
  const home = await visitor.get("/");
  assertStringIncludes(await home.text(), "<h1>Hello, susan!</h1>");
});

const SCRIPT = { Accept: "application/json", "Sec-Fetch-Mode": "cors" };

Deno.test("roles.ts lets nobody in without a login", async () => {
  const visitor = new Visitor(rolesExample);
  const home = await visitor.get("/");
  assertEquals(locationOf(home), [302, "/login?next=%2F"]);
  assertEquals(locationOf(await visitor.get("/articles")), [302, "/"]);
  assertEquals(locationOf(await visitor.get("/admin")), [302, "/"]);
  const page = await visitor.get("/api/report");
  assertEquals(locationOf(page), [302, "/login?next=%2Fapi%2Freport"]);
  const report = await visitor.get("/api/report", SCRIPT);
  assertEquals(report.status, 401);
  const type = report.headers.get("Content-Type");
  assertEquals(type, "application/problem+json");
  assertEquals((await report.json()).status, 401);
  assertEquals((await visitor.get("/login")).status, 200);
  assertEquals((await visitor.get("/nowhere")).status, 404);
});

Deno.test("roles.ts lets an editor edit, not rule", async () => {
  const visitor = new Visitor(rolesExample);
  const wrong = await visitor.post("/login", { ...DAVID, password: "hello" });
  assertEquals(wrong.status, 401);
  assertEquals(locationOf(await visitor.post("/login", DAVID)), [302, "/"]);
  const home = await visitor.get("/");
  assertStringIncludes(await home.text(), "david: editor<");
  const articles = await visitor.get("/articles");
  assertStringIncludes(await articles.text(), "david edits.");
  assertEquals(locationOf(await visitor.get("/admin")), [302, "/"]);
  const report = await visitor.get("/api/report", SCRIPT);
  assertEquals(report.status, 403);
  const type = report.headers.get("Content-Type");
  assertEquals(type, "application/problem+json");
  assertEquals((await report.json()).status, 403);
});

Deno.test("roles.ts lets an admin rule until she logs out", async () => {
  const visitor = new Visitor(rolesExample);
  await visitor.post("/login", SUSAN);
  const admin = await visitor.get("/admin");
  assertStringIncludes(await admin.text(), "susan rules.");
  const report = await visitor.get("/api/report", SCRIPT);
  assertEquals(await report.json(), { users: ["susan", "david"] });
  assertEquals(locationOf(await visitor.post("/logout")), [302, "/"]);
  assertEquals((await visitor.get("/api/report", SCRIPT)).status, 401);
});
