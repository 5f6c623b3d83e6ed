import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  Browser,
  cookiesOf,
  locationOf,
  ORIGIN,
  sendRaw,
  Site,
  type User,
} from "../_login.ts";
import { FAILURES, SCRIPT, secret } from "./_common.ts";

type LoginUrl = string | ((request: Request) => string | Promise<string>);

/** Paths as a browser asks for them, and as it is sent back to them. */
const PATHS: [path: string, back: string][] = [
  ["/", "/"],
  ["/account", "/account"],
  ["/account?a=1&b=2&a=3", "/account?a=1&b=2&a=3"],
  ["/account?next=/other", "/account?next=/other"],
  ["/account?q=a+b%20c%26d%3De", "/account?q=a+b%20c%26d%3De"],
  ["/account?", "/account"],
  ["/account?q=%", "/account?q=%"],
  ["/account?q=%23#top", "/account?q=%23"],
  ["/caf\u00E9?q=\u00FC", "/caf%C3%A9?q=%C3%BC"],
  ["/\u4F60\u597D/\u{1F36A}", "/%E4%BD%A0%E5%A5%BD/%F0%9F%8D%AA"],
  ["/a%2Fb", "/a%2Fb"],
  ["/a%5Cb", "/a%5Cb"],
  ["/a%20b", "/a%20b"],
  ["/a'b(c)*!~", "/a'b(c)*!~"],
  ["/a//b", "/a//b"],
  ["/login/help", "/login/help"],
  ["/logins", "/logins"],
  [`/${"a".repeat(2047)}`, `/${"a".repeat(2047)}`],
];

/** Paths that no login page shall lead to. */
const NO_NEXT = [
  "//evil",
  "//evil.example/a",
  "///evil",
  "/\\evil",
  "/..//evil",
  "/%2e%2e//evil",
  `/${"a".repeat(2048)}`,
  `/?${"a".repeat(2047)}`,
];

/** Login pages, paths, and where a visitor is sent from there. */
const LOGIN_URLS: [loginUrl: LoginUrl, path: string, location: string][] = [
  ["/signin", "/a", "/signin?next=%2Fa"],
  ["/signin", "/login", "/signin?next=%2Flogin"],
  ["/login?lang=de", "/a?b=c", "/login?lang=de&next=%2Fa%3Fb%3Dc"],
  ["/login#form", "/a", "/login?next=%2Fa#form"],
  ["/login?lang=de#form", "/a", "/login?lang=de&next=%2Fa#form"],
  ["/login#form?a#b", "/a", "/login?next=%2Fa#form?a#b"],
  [`${ORIGIN}/login`, "/a", `${ORIGIN}/login?next=%2Fa`],
  ["https://id.example/in", "/a", "https://id.example/in?next=%2Fa"],
  [() => "/signin", "/a", "/signin?next=%2Fa"],
  [() => Promise.resolve("/signin?a=b"), "/a", "/signin?a=b&next=%2Fa"],
  [({ url }) => `${new URL(url).pathname}/in`, "/a", "/a/in?next=%2Fa"],
  // No URL that can be parsed: a mistake, but no failure.
  [() => "https://[", "/a", "https://[?next=%2Fa"],
  // The login page itself.
  ["/login", "/login", "/login"],
  ["/login", "/login?next=%2Fa", "/login"],
  ["/login?lang=de", "/login", "/login?lang=de"],
  ["/login#form", "/login?lang=de", "/login#form"],
  [`${ORIGIN}/login`, "/login", `${ORIGIN}/login`],
  [() => "/signin", "/signin", "/signin"],
  [() => Promise.resolve("/signin"), "/signin?a=b", "/signin"],
];

const METHODS: [method: string, hasNext: boolean][] = [
  ["GET", true],
  ["HEAD", true],
  ["POST", false],
  ["PUT", false],
  ["PATCH", false],
  ["DELETE", false],
  ["OPTIONS", false],
];

Deno.test("login.required() runs the handler with the user", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  let seen: unknown[] = [];
  const page = site.login.required((request, user) => {
    seen = [request, user];
    return secret();
  });
  const request = browser.request("/");
  const response = await page(request);
  assertEquals(await response.text(), "Secret");
  assertStrictEquals(seen[0], request);
  assertStrictEquals(seen[1], site.susan);
});

Deno.test("login.required() sends an anonymous visitor to the login page", async () => {
  const { login } = new Site();
  let isIn = false;
  const page = login.required(() => {
    isIn = true;
    return secret();
  });
  const response = await new Browser().get(page);
  assertEquals(locationOf(response), [302, "/login?next=%2F"]);
  assertEquals(cookiesOf(response), []);
  assertEquals(isIn, false);
});

for (const [path, back] of PATHS) {
  Deno.test(`login.required() and loginUser() lead back to ${path.slice(0, 40)}`, async () => {
    const site = new Site();
    const browser = new Browser();
    const page = site.login.required(secret);
    const sent = await browser.get(page, path);
    const location = sent.headers.get("Location") ?? "";
    assert(location.startsWith("/login?next=%2F"), location);
    const response = await site.logIn(browser, site.susan, {}, location);
    assertEquals(locationOf(response), [302, back]);
    assertEquals((await browser.get(page, back)).status, 200);
  });
}

for (const path of NO_NEXT) {
  Deno.test(`login.required() leads nobody back to ${path.slice(0, 40)}`, async () => {
    const page = new Site().login.required(secret);
    const response = await new Browser().get(page, path);
    assertEquals(locationOf(response), [302, "/login"]);
  });
}

for (const [loginUrl, path, location] of LOGIN_URLS) {
  Deno.test(`login.required() leads from ${path} to ${location} where loginUrl is ${loginUrl}`, async () => {
    const { login } = new Site({ login: { loginUrl } });
    const response = await new Browser().get(login.required(secret), path);
    assertEquals(locationOf(response), [302, location]);
  });
}

for (const [how, fail] of FAILURES) {
  Deno.test(`login.required() passes on the error of a loginUrl that ${how}`, async () => {
    const { login } = new Site({ login: { loginUrl: fail } });
    const page = login.required(secret);
    await assertRejects(() => new Browser().get(page), Error, "broken");
  });
}

for (const url of [undefined, null, "", 5]) {
  Deno.test(`login.required() rejects a loginUrl that returns ${Deno.inspect(url)}`, async () => {
    const loginUrl = () => url as string;
    const page = new Site({ login: { loginUrl } }).login.required(secret);
    await assertRejects(
      () => new Browser().get(page),
      TypeError,
      "Cannot use loginUrl",
    );
  });
}

for (const [method, hasNext] of METHODS) {
  Deno.test(`login.required() ${hasNext ? "leads" : "does not lead"} back after ${method}`, async () => {
    const page = new Site().login.required(secret);
    const response = await new Browser().send(page, "/a", { method });
    const location = hasNext ? "/login?next=%2Fa" : "/login";
    assertEquals(locationOf(response), [302, location]);
  });
}

Deno.test("login.required() does not lead back after get in small letters", async () => {
  const page = new Site().login.required(secret);
  const hostname = "127.0.0.1";
  const server = Deno.serve({ hostname, port: 0, onListen() {} }, page);
  const text = "get /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const answer = await sendRaw(server.addr.port, text);
  await server.shutdown();
  assert(/^location: \/login\r$/im.test(answer), answer);
});

Deno.test("login.required() keeps responses out of every cache", async () => {
  const site = new Site();
  const guard = { check: ({ name }: User) => name === "susan" };
  const page = site.login.required(secret, guard);
  const susan = await site.loggedIn();
  const david = await site.loggedIn(site.david);
  const responses = [
    await susan.get(page),
    await david.get(page),
    await david.get(page, "/", SCRIPT),
    await new Browser().get(page),
    await new Browser().get(page, "/", SCRIPT),
  ];
  const statuses = responses.map(({ status }) => status);
  assertEquals(statuses, [200, 403, 403, 302, 401]);
  for (const { headers } of responses) {
    assertEquals(headers.get("Cache-Control"), "no-store");
    assertEquals(headers.get("Vary"), "Cookie");
  }
});

Deno.test("login.required() keeps the handler's Cache-Control and Vary", async () => {
  const site = new Site();
  const headers = { "Cache-Control": "private, max-age=60", Vary: "Accept" };
  const page = site.login.required(() => new Response("Secret", { headers }));
  const response = await (await site.loggedIn()).get(page);
  assertEquals(response.headers.get("Cache-Control"), "private, max-age=60");
  assertEquals(response.headers.get("Vary"), "Accept, Cookie");
});

Deno.test("login.required() takes a response with immutable headers", async () => {
  const site = new Site();
  const page = site.login.required(() => Response.redirect(`${ORIGIN}/a`));
  const response = await (await site.loggedIn()).get(page);
  assertEquals(locationOf(response), [302, `${ORIGIN}/a`]);
  assertEquals(response.headers.get("Cache-Control"), "no-store");
});

Deno.test("login.required() takes a thrown Response for an answer", async () => {
  const site = new Site();
  const page = site.login.required(async (request) => {
    const dict = await site.session.get(request);
    dict.seen = true;
    dict.save();
    throw new Response("Teapot", { status: 418 });
  });
  const browser = await site.loggedIn();
  const response = await browser.get(page);
  assertEquals(response.status, 418);
  assertEquals(cookiesOf(response), ["session"]);
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  assertEquals((await site.data(browser)).seen, true);
});

for (const [how, fail] of FAILURES) {
  Deno.test(`login.required() passes on the error of a handler that ${how}`, async () => {
    const site = new Site();
    const browser = await site.loggedIn();
    const page = site.login.required(fail);
    await assertRejects(() => browser.get(page), Error, "broken");
  });
}

Deno.test("login.required() serves many visitors at a time", async () => {
  const site = new Site();
  const page = site.login.required((_request, { name }) => new Response(name));
  const browsers = [
    await site.loggedIn(),
    await site.loggedIn(site.david),
    new Browser(),
  ];
  const responses = await Promise.all(
    browsers.map((browser) => browser.get(page)),
  );
  const texts = responses.map((response) => response.text());
  assertEquals(await Promise.all(texts), ["susan", "david", ""]);
});
