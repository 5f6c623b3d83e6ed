import { assertEquals } from "@std/assert";
import { Browser, locationOf, ORIGIN, Site } from "../_login.ts";

/** Login pages as asked for, the app's `redirectUrl`, and where a login leads. */
const TARGETS: [path: string, redirectUrl: string | undefined, to: string][] = [
  ["/login", undefined, "/"],
  ["/login", "/home", "/home"],
  ["/login", "https://app.example.com/", "https://app.example.com/"],
  ["/login?next=%2Fcart", undefined, "/cart"],
  ["/login?next=%2Fcart", "/home", "/cart"],
  ["/login?next=/cart", "/home", "/cart"],
  ["/login?lang=de&next=%2Fcart", "/home", "/cart"],
  ["/login?next=%2Fcart%3Fa%3D1%26b%3D2%23c", "/home", "/cart?a=1&b=2#c"],
  ["/login?next=%2Fcaf%C3%A9%3Fq%3D%C3%BC", "/home", "/caf%C3%A9?q=%C3%BC"],
  ["/login?next=%2Fa%252Fb", "/home", "/a%2Fb"],
  ["/login?next=/a&next=/b", "/home", "/a"],
  // Not safe.
  ["/login?next=", undefined, "/"],
  ["/login?next=", "/home", "/home"],
  ["/login?next=//evil.example", undefined, "/"],
  ["/login?next=//evil.example", "/home", "/home"],
  ["/login?next=%2F%09%2Fevil.example", "/home", "/home"],
  ["/login?next=https://evil.example/", "/home", "/home"],
  // The login page itself.
  ["/login?next=/login", undefined, "/"],
  ["/login?next=/login", "/home", "/home"],
  ["/login?next=/login%3Fnext%3D/cart", "/home", "/home"],
  ["/login?next=/login%23top", "/home", "/home"],
  ["/login?next=/cart/../login", "/home", "/home"],
  ["/login?next=/login/help", "/home", "/login/help"],
];

/** What the option `next` asks for, the login page, and where a login leads. */
const ASKED: [next: unknown, path: string, to: string][] = [
  ["/cart", "/login", "/cart"],
  ["/cart", "/login?next=/other", "/cart"],
  ["//evil.example", "/login?next=/other", "/other"],
  ["//evil.example", "/login?next=//evil.example", "/home"],
  ["", "/login?next=/other", "/other"],
  ["/login", "/login?next=/other", "/other"],
  ["/login?next=/cart", "/login", "/home"],
];

const REVOKED = Proxy.revocable({}, {});
REVOKED.revoke();

/** What a form's field, or a program, may hold that is no path. */
const JUNK: unknown[] = [
  undefined,
  null,
  0,
  1e400,
  10n,
  true,
  Symbol("/cart"),
  [],
  ["/cart"],
  {},
  { toString: () => "/cart" },
  Object("/cart"),
  Object.create(null),
  () => "/cart",
  new URL("http://localhost/cart"),
  new File(["/cart"], "/cart"),
  new Date(NaN),
  REVOKED.proxy,
  "\uD800",
  "/\uD800",
  "/".repeat(1e6),
  "/" + "a".repeat(1e6),
  "/a\r\nSet-Cookie: session=x",
];

for (const [path, redirectUrl, to] of TARGETS) {
  Deno.test(`login.loginUser() leads from ${path} to ${to} where redirectUrl is ${redirectUrl}`, async () => {
    const site = new Site();
    const options = { redirectUrl };
    const response = await site.logIn(new Browser(), site.susan, options, path);
    assertEquals(locationOf(response), [302, to]);
  });

  const { pathname, searchParams } = new URL(path, ORIGIN);
  const next = searchParams.get("next");

  if (next !== null) {
    Deno.test(`login.loginUser() leads with the option next of ${path} to ${to} where redirectUrl is ${redirectUrl}`, async () => {
      const site = new Site();
      const options = { next, redirectUrl };
      const browser = new Browser();
      const response = await site.logIn(browser, site.susan, options, pathname);
      assertEquals(locationOf(response), [302, to]);
    });
  }
}

for (const [next, path, to] of ASKED) {
  Deno.test(`login.loginUser() leads from ${path} to ${to} where the option next is ${JSON.stringify(next)}`, async () => {
    const site = new Site();
    const options = { next, redirectUrl: "/home" };
    const response = await site.logIn(new Browser(), site.susan, options, path);
    assertEquals(locationOf(response), [302, to]);
  });
}

for (const [index, next] of JUNK.entries()) {
  const what = index === JUNK.indexOf(REVOKED.proxy)
    ? "a revoked proxy"
    : Deno.inspect(next).slice(0, 50);

  Deno.test(`login.loginUser() heeds no ${what} as next, and logs in`, async () => {
    const site = new Site();
    const browser = new Browser();
    const path = "/login?next=/other";
    const response = await site.logIn(browser, site.susan, { next }, path);
    assertEquals(locationOf(response), [302, "/other"]);
    assertEquals(await site.ask(browser), site.susan);
  });
}

for (const field of ["/cart", undefined]) {
  Deno.test(`login.loginUser() goes by a form whose field next is ${field}`, async () => {
    const { login, susan } = new Site();
    const body = new FormData();
    if (field !== undefined) body.set("next", field);
    const request = new Browser().request("/login", { method: "POST", body });
    const next = (await request.formData()).get("next");
    const response = await login.loginUser(request, susan, { next });
    assertEquals(locationOf(response), [302, field ?? "/"]);
  });
}
