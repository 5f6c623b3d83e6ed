import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import example from "../../examples/login.ts";
import { locationOf } from "../_login.ts";
import { knowKeys } from "./_passwords.ts";
import {
  DAVID,
  headingOf,
  PROGRAM,
  SUSAN,
  textOf,
  Visitor,
} from "./_visitor.ts";

knowKeys();

/** Where a visitor without a login is sent to. */
const TARGETS: [path: string, location: string][] = [
  ["/", "/login?next=%2F"],
  ["/?a=1&b=2", "/login?next=%2F%3Fa%3D1%26b%3D2"],
  ["/codes", "/login?next=%2Fcodes"],
  ["/inside", "/login?next=%2Finside"],
  ["/admin", "/login?next=/admin"],
];

/** The pages, and what their heading is for susan. */
const PAGES: [path: string, heading: string][] = [
  ["/", "Hello, susan!"],
  ["/codes", "Recovery codes"],
  ["/inside", "Look inside"],
  ["/admin", "Administration"],
];

/** What a browser asks for a page with. */
const PERSON = { Accept: "text/html,*/*;q=0.8" };

Deno.test("login.ts sends a visitor without a login to the login page", async () => {
  const visitor = new Visitor(example);
  for (const [path, location] of TARGETS) {
    assertEquals(locationOf(await visitor.get(path)), [302, location]);
  }
  assertEquals(visitor.cookieNames, []);
});

Deno.test("login.ts shows a login form that a password manager can fill in", async () => {
  const response = await new Visitor(example).get("/login?next=%2F");
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
  const visitor = new Visitor(example);
  assertEquals((await visitor.get("/nowhere", PROGRAM)).status, 404);
  assertEquals((await visitor.get("/logout", PROGRAM)).status, 404);
  assertEquals((await visitor.post("/admin")).status, 404);
});

Deno.test("login.ts says that a password is wrong, and keeps what else was typed", async () => {
  const visitor = new Visitor(example);
  const fields = { ...SUSAN, password: "a wrong one", remember: "on" };
  const response = await visitor.post("/login?next=%2Fcodes", fields);
  assertEquals(response.status, 401);
  const html = await response.text();
  assertStringIncludes(html, 'id="error" role="alert"');
  assertStringIncludes(html, 'aria-describedby="error"');
  assertStringIncludes(html, 'value="susan"');
  assert(/type="checkbox" checked/.test(html));
  // The form goes to its own address, with `next`.
  assertEquals(/<form[^>]*action/.test(html), false);
  assertEquals(html.includes("a wrong one"), false);
  assertEquals(visitor.cookieNames, []);
});

Deno.test("login.ts escapes the name of a user who does not exist", async () => {
  const response = await new Visitor(example).post("/login", {
    username: `"><script>alert('&')</script>`,
  });
  assertEquals(response.status, 401);
  const html = await response.text();
  assertEquals(html.includes("<script>alert"), false);
  assertStringIncludes(html, "&#34;&#62;&#60;script&#62;");
});

Deno.test("login.ts takes a request without a form for a wrong password", async () => {
  const response = await new Visitor(example).send("/login", {
    method: "POST",
    body: "{}",
    headers: { "Content-Type": "application/json" },
  });
  assertEquals(response.status, 401);
});

Deno.test("login.ts lets susan go everywhere until she logs out", async () => {
  const visitor = new Visitor(example);
  const response = await visitor.post("/login?next=%2Fadmin%3Fa%3D1", SUSAN);
  assertEquals(locationOf(response), [302, "/admin?a=1"]);
  assertEquals(visitor.cookieNames, ["session"]);
  for (const [path, heading] of PAGES) {
    const page = await visitor.get(path);
    assertEquals(page.status, 200);
    assertEquals(page.headers.get("Cache-Control"), "no-store");
    assertStringIncludes(await page.text(), `<h1>${heading}</h1>`);
  }
  assertEquals(locationOf(await visitor.post("/logout")), [302, "/login"]);
  const after = await visitor.get("/");
  assertEquals(locationOf(after), [302, "/login?next=%2F"]);
  assertStringIncludes(await visitor.page("/login"), "You are logged out.");
});

Deno.test("login.ts remembers david, but not for fresh or admin pages", async () => {
  const visitor = new Visitor(example);
  const fields = { ...DAVID, remember: "on" };
  const response = await visitor.post("/login?next=//evil.example/", fields);
  assertEquals(locationOf(response), [302, "/"]);
  assertEquals(visitor.cookieNames, ["_remember", "session"]);
  visitor.lose("session");
  assertStringIncludes(await visitor.page(), "<h1>Hello, david!</h1>");
  assertEquals(visitor.cookieNames, ["_remember", "session"]);
  const fresh = await visitor.get("/codes");
  assertEquals(locationOf(fresh), [302, "/login?next=%2Fcodes"]);
  const again = await visitor.page("/login?next=%2Fcodes");
  assertStringIncludes(again, "<strong>david</strong>. Your password once");
  assertStringIncludes(again, 'value="david"');
  const admin = await visitor.get("/admin");
  assertEquals(admin.status, 403);
  assertStringIncludes(await admin.text(), "Sorry, david");
  assertEquals((await visitor.page()).includes('href="/admin"'), false);
  await visitor.post("/logout");
  assertEquals(visitor.cookieNames, ["session"]); // For the message.
});

Deno.test("login.ts refuses login and logout from another origin", async () => {
  const visitor = new Visitor(example);
  await visitor.logIn({ ...SUSAN, remember: "on" });
  const names = ["_remember", "session"];
  const before = names.map((name) => visitor.cookie(name));
  const foreign = { "Sec-Fetch-Site": "same-site" };
  for (const path of ["/login", "/logout"]) {
    assertEquals((await visitor.post(path, DAVID, foreign)).status, 403);
    assertEquals(names.map((name) => visitor.cookie(name)), before);
  }
  assertStringIncludes(await visitor.page(), "<h1>Hello, susan!</h1>");
});

Deno.test("login.ts tells a person of a wrong turn once, and a program by 404", async () => {
  const visitor = new Visitor(example);
  await visitor.logIn(SUSAN);
  for (let i = 0; i < 100; i++) {
    const response = await visitor.get("/nowhere", PERSON);
    assertEquals(locationOf(response), [302, "/"]);
  }
  assertStringIncludes(await visitor.page(), 'role="status">A wrong turn');
  assertEquals((await visitor.page()).includes("role="), false);
  assertEquals((await visitor.get("/nowhere", PROGRAM)).status, 404);
});

Deno.test("login.ts asks nobody for a password who is logged in, unless it is needed", async () => {
  const visitor = new Visitor(example);
  await visitor.logIn({ ...SUSAN, remember: "on" });
  for (const next of ["/", "/admin", "/codes", "/login", "//evil.example"]) {
    const path = `/login?next=${encodeURIComponent(next)}`;
    const [status, location] = locationOf(await visitor.get(path));
    assertEquals(status, 302);
    assertEquals(location, next.startsWith("//") ? "/" : next);
  }
  visitor.lose("session");
  assertEquals(locationOf(await visitor.get("/login")), [302, "/"]);
  const again = await visitor.page("/login?next=/codes");
  assertStringIncludes(textOf(again), "Your password once more");
});

Deno.test("login.ts says what it is, and whom it knows", async () => {
  const page = textOf(await new Visitor(example).page("/login"));
  for (const word of ["@denizen/session", "susan", "hello", "david", "bye"]) {
    assertStringIncludes(page, word);
  }
});

Deno.test("login.ts lets a user's password be tried ten times, from anywhere", async () => {
  const fields = { ...DAVID, password: "hello" };
  for (let i = 0; i < 10; i++) {
    const { status } = await new Visitor(example).post("/login", fields);
    assertEquals(status, 401);
  }
  const response = await new Visitor(example).post("/login", DAVID);
  assertEquals(response.status, 429);
  assertEquals(response.headers.get("Retry-After"), "300");
  const page = await response.text();
  assertEquals(headingOf(page), "Log in");
  assertStringIncludes(textOf(page), "Too many tries");
  await new Visitor(example).logIn(SUSAN);
});

Deno.test("login.ts lets an address try forty times, whatever the names", async () => {
  const visitor = new Visitor(example);
  for (let i = 0; i < 40; i++) {
    const fields = { username: `user ${i}`, password: "x".repeat(1025) };
    assertEquals((await visitor.post("/login", fields)).status, 401);
  }
  assertEquals((await visitor.post("/login", SUSAN)).status, 429);
  await new Visitor(example).logIn(SUSAN);
});
