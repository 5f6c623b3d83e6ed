import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import example from "../../examples/login.ts";
import { locationOf } from "../_login.ts";
import { knowKeys } from "./_passwords.ts";
import { DAVID, SUSAN, Visitor } from "./_visitor.ts";

knowKeys();

/** Where a visitor without a login is sent to. */
const TARGETS: [path: string, location: string][] = [
  ["/", "/login?next=%2F"],
  ["/?a=1&b=2", "/login?next=%2F%3Fa%3D1%26b%3D2"],
  ["/fresh", "/login?next=%2Ffresh"],
  ["/admin", "/login?next=/admin"],
];

/** The pages, and what their heading is for susan. */
const PAGES: [path: string, heading: string][] = [
  ["/", "Hello, susan!"],
  ["/fresh", "Your login is fresh"],
  ["/admin", "Administration"],
];

/** The names of the cookies that a visitor has. */
function cookiesOf(visitor: Visitor): string[] {
  return [...visitor.cookies.keys()].sort();
}

Deno.test("login.ts sends a visitor without a login to the login page", async () => {
  const visitor = new Visitor(example);
  for (const [path, location] of TARGETS) {
    assertEquals(locationOf(await visitor.get(path)), [302, location]);
  }
  assertEquals(locationOf(await visitor.post("/logout")), [302, "/login"]);
  assertEquals(cookiesOf(visitor), []);
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
  assertEquals((await visitor.get("/nowhere")).status, 404);
  assertEquals((await visitor.get("/logout")).status, 404);
  assertEquals((await visitor.post("/admin")).status, 404);
});

Deno.test("login.ts says that a password is wrong, and keeps what else was typed", async () => {
  const visitor = new Visitor(example);
  const fields = { ...SUSAN, password: "bye", remember: "on" };
  const response = await visitor.post("/login?next=%2Ffresh", fields);
  assertEquals(response.status, 401);
  const html = await response.text();
  assertStringIncludes(html, 'id="error" role="alert"');
  assertStringIncludes(html, 'aria-describedby="error"');
  assertStringIncludes(html, 'value="susan"');
  assert(/type="checkbox" checked/.test(html));
  // The form goes to its own address, with `next`.
  assertEquals(/<form[^>]*action/.test(html), false);
  assertEquals(html.includes("bye"), false);
  assertEquals(cookiesOf(visitor), []);
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
  assertEquals(cookiesOf(visitor), ["session"]);
  for (const [path, heading] of PAGES) {
    const page = await visitor.get(path);
    assertEquals(page.status, 200);
    assertEquals(page.headers.get("Cache-Control"), "no-store");
    assertStringIncludes(await page.text(), `<h1>${heading}</h1>`);
  }
  assertEquals(locationOf(await visitor.post("/logout")), [302, "/login"]);
  assertEquals(cookiesOf(visitor), []);
  const after = await visitor.get("/");
  assertEquals(locationOf(after), [302, "/login?next=%2F"]);
});

Deno.test("login.ts remembers david, but not for fresh or admin pages", async () => {
  const visitor = new Visitor(example);
  const fields = { ...DAVID, remember: "on" };
  const response = await visitor.post("/login?next=//evil.example/", fields);
  assertEquals(locationOf(response), [302, "/"]);
  assertEquals(cookiesOf(visitor), ["_remember", "session"]);
  visitor.cookies.delete("session");
  assertStringIncludes(await visitor.page(), "<h1>Hello, david!</h1>");
  assertEquals(cookiesOf(visitor), ["_remember", "session"]);
  const fresh = await visitor.get("/fresh");
  assertEquals(locationOf(fresh), [302, "/login?next=%2Ffresh"]);
  const again = await visitor.page("/login?next=%2Ffresh");
  assertStringIncludes(again, "logged in as <strong>david</strong>");
  assertStringIncludes(again, 'value="david"');
  const admin = await visitor.get("/admin");
  assertEquals(admin.status, 403);
  assertStringIncludes(await admin.text(), "Sorry, david");
  await visitor.post("/logout");
  assertEquals(cookiesOf(visitor), []);
});

Deno.test("login.ts refuses login and logout from another origin", async () => {
  const visitor = new Visitor(example);
  await visitor.logIn({ ...SUSAN, remember: "on" });
  const before = [...visitor.cookies];
  assertEquals(before.length, 2);
  const foreign = { "Sec-Fetch-Site": "same-site" };
  for (const path of ["/login", "/logout"]) {
    assertEquals((await visitor.post(path, DAVID, foreign)).status, 403);
    assertEquals([...visitor.cookies], before);
  }
  assertStringIncludes(await visitor.page(), "<h1>Hello, susan!</h1>");
});
