import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { redirect } from "../helpers.ts";
import type { GuardOptions } from "../login.ts";
import {
  Browser,
  cookiesOf,
  locationOf,
  ORIGIN,
  Site,
  type User,
} from "./_login.ts";

type Check = GuardOptions<User>["check"];

const CHECKS: [what: string, check: Check, isIn: boolean][] = [
  ["true", () => true, true],
  ["a promise of true", () => Promise.resolve(true), true],
  ["false", () => false, false],
  ["a promise of false", () => Promise.resolve(false), false],
  ["what it sees in the user", ({ name }) => name === "susan", true],
  ["what it misses in the user", ({ name }) => name === "david", false],
];

/** The forms of `location`, and where each leads. */
const LOCATIONS: [
  what: string,
  location: NonNullable<GuardOptions<User>["location"]>,
  expected: [status: number, location: string | null],
][] = [
  ["a string", "/stop", [302, "/stop"]],
  ["a URL in a string", "https://a.example/b?c", [
    302,
    "https://a.example/b?c",
  ]],
  ["a function", () => "/stop", [302, "/stop"]],
  ["a function of the request", ({ url }) => `${url}/stop`, [
    302,
    `${ORIGIN}/page/stop`,
  ]],
  ["an async function", () => Promise.resolve("/stop"), [302, "/stop"]],
  ["a Response", new Response("Stop", { status: 418 }), [418, null]],
  ["a redirect", redirect("/stop", 303), [303, "/stop"]],
  ["an immutable redirect", Response.redirect(`${ORIGIN}/stop`, 307), [
    307,
    `${ORIGIN}/stop`,
  ]],
  [
    "a function that makes a Response",
    () => new Response("Stop", { status: 418 }),
    [418, null],
  ],
  [
    "an async function that makes a Response",
    () => Promise.resolve(new Response("Stop", { status: 418 })),
    [418, null],
  ],
];

/** Ways to fail. */
const FAILURES: [how: string, fail: () => Promise<never>][] = [
  ["throws", () => {
    throw new Error("broken");
  }],
  ["rejects", () => Promise.reject(new Error("broken"))],
];

function secret(): Response {
  return new Response("Secret");
}

async function problemOf(response: Response): Promise<unknown[]> {
  const type = response.headers.get("Content-Type");
  const problem = await response.json();
  assertEquals(typeof problem.title, "string");
  return [response.status, type, problem.status];
}

for (const [what, check, isIn] of CHECKS) {
  Deno.test(`login.required() lets the user ${isIn ? "in" : "not in"} where check returns ${what}`, async () => {
    const site = new Site();
    const page = site.login.required(secret, { check });
    const response = await (await site.loggedIn()).get(page);
    assertEquals(response.status, isIn ? 200 : 403);
    assertEquals(await response.text() === "Secret", isIn);
  });

  Deno.test(`login.required() lets the user ${isIn ? "in" : "not in"} where userChecker returns ${what}`, async () => {
    const site = new Site({ login: { userChecker: check } });
    const page = site.login.required(secret);
    const response = await (await site.loggedIn()).get(page);
    assertEquals(response.status, isIn ? 200 : 403);
  });
}

Deno.test("check takes the place of userChecker", async () => {
  const site = new Site({ login: { userChecker: () => false } });
  const page = site.login.required(secret, { check: () => true });
  assertEquals((await (await site.loggedIn()).get(page)).status, 200);
});

Deno.test("check is asked once, and not for a visitor", async () => {
  const site = new Site();
  const asked: string[] = [];
  const check = ({ name }: User) => asked.push(name) > 0;
  const page = site.login.required(secret, { check });
  await new Browser().get(page);
  assertEquals(asked, []);
  await (await site.loggedIn()).get(page);
  assertEquals(asked, ["susan"]);
});

for (const [how, fail] of FAILURES) {
  Deno.test(`login.required() lets nobody in where check ${how}`, async () => {
    const site = new Site();
    const page = site.login.required(secret, { check: fail });
    const browser = await site.loggedIn();
    await assertRejects(() => browser.get(page), Error, "broken");
  });
}

for (const [what, location, expected] of LOCATIONS) {
  Deno.test(`login.required() sends a visitor where location is ${what}`, async () => {
    const { login } = new Site();
    const page = login.required(secret, { location });
    for (const browser of [new Browser(), new Browser()]) {
      const response = await browser.get(page, "/page");
      assertEquals(locationOf(response), expected);
      if (expected[0] === 418) assertEquals(await response.text(), "Stop");
    }
  });

  Deno.test(`login.required() sends a refused user where location is ${what}`, async () => {
    const site = new Site();
    const check = () => false;
    const page = site.login.required(secret, { check, location });
    const browser = await site.loggedIn();
    for (let visit = 0; visit < 2; visit++) {
      const response = await browser.get(page, "/page");
      assertEquals(locationOf(response), expected);
      if (expected[0] === 418) assertEquals(await response.text(), "Stop");
    }
  });
}

Deno.test("location comes before 401 and 403 for a script, too", async () => {
  const site = new Site();
  const options = { check: () => false, location: "/stop" };
  const page = site.login.required(secret, options);
  const headers = { "Sec-Fetch-Mode": "cors" };
  for (const browser of [new Browser(), await site.loggedIn()]) {
    const response = await browser.get(page, "/", headers);
    assertEquals(locationOf(response), [302, "/stop"]);
  }
});

Deno.test("location is not asked for a user who is let in", async () => {
  const site = new Site();
  const location = () => Promise.reject(new Error("asked"));
  const page = site.login.required(secret, { location });
  assertEquals((await (await site.loggedIn()).get(page)).status, 200);
});

Deno.test("location as a function may ask who is logged in", async () => {
  const site = new Site();
  const page = site.login.required(secret, {
    check: () => false,
    location: async (request) =>
      `/stop/${(await site.login.getCurrentUser(request))?.name}`,
  });
  const response = await (await site.loggedIn()).get(page);
  assertEquals(locationOf(response), [302, "/stop/susan"]);
  assertEquals(site.loaded, [1]);
});

Deno.test("location as one Response gives the cookies of one visitor to no other", async () => {
  const site = new Site();
  const location = redirect("/stop");
  const page = site.session.wrap(
    site.login.required(secret, { check: () => false, location }),
  );
  const browser = new Browser();
  await site.logIn(browser, site.susan, { remember: true });
  browser.cookies.delete("session");
  const first = await browser.get(page);
  assertEquals(cookiesOf(first), ["_remember", "session"]);
  const second = await new Browser().get(page);
  assertEquals(cookiesOf(second), []);
  assertEquals(location.headers.getSetCookie(), []);
  assertEquals(second.headers.get("Vary"), "Cookie");
});

Deno.test("location as one Response serves many requests at a time", async () => {
  const location = new Response("Stop", { status: 418 });
  const page = new Site().login.required(secret, { location });
  const responses = await Promise.all(
    Array.from({ length: 5 }, () => new Browser().get(page)),
  );
  const texts = responses.map((response) => response.text());
  assertEquals(await Promise.all(texts), Array(5).fill("Stop"));
});

Deno.test("login.requireUser() returns the user", async () => {
  const site = new Site();
  const request = (await site.loggedIn()).request("/");
  assertStrictEquals(await site.login.requireUser(request), site.susan);
});

Deno.test("login.requireUser() throws a redirect under a wrapper, which sends it", async () => {
  const { login, session } = new Site();
  const handler = session.wrap(async (request) => {
    await login.requireUser(request);
    return secret();
  });
  const response = await new Browser().get(handler, "/a?b=c");
  assertEquals(locationOf(response), [302, "/login?next=%2Fa%3Fb%3Dc"]);
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  assertEquals(response.headers.get("Vary"), "Cookie");
});

Deno.test("login.requireUser() throws 401 for a script", async () => {
  const { login, session } = new Site();
  const handler = session.wrap(async (request) => {
    await login.requireUser(request);
    return secret();
  });
  const headers = { Accept: "application/json" };
  const response = await new Browser().get(handler, "/", headers);
  const expected = [401, "application/problem+json", 401];
  assertEquals(await problemOf(response), expected);
});

Deno.test("login.requireUser() throws 403 where check refuses", async () => {
  const site = new Site();
  const handler = site.session.wrap(async (request) => {
    await site.login.requireUser(request, { check: () => false });
    return secret();
  });
  const response = await (await site.loggedIn()).get(handler);
  assertEquals(response.status, 403);
});

Deno.test("login.requireUser() goes by userChecker", async () => {
  const site = new Site({ login: { userChecker: () => false } });
  const handler = site.session.wrap(async (request) => {
    await site.login.requireUser(request);
    return secret();
  });
  const response = await (await site.loggedIn()).get(handler);
  assertEquals(response.status, 403);
});

Deno.test("login.requireUser() throws what location says", async () => {
  const { login, session } = new Site();
  const location = new Response("Stop", { status: 418 });
  const handler = session.wrap(async (request) => {
    await login.requireUser(request, { location });
    return secret();
  });
  for (let visit = 0; visit < 2; visit++) {
    const response = await new Browser().get(handler);
    assertEquals([response.status, await response.text()], [418, "Stop"]);
  }
});

Deno.test("login.requireUser() throws a Response without a wrapper, too", async () => {
  const { login } = new Site();
  const request = new Browser().request("/");
  const thrown = await login.requireUser(request).catch((error) => error);
  assert(thrown instanceof Response);
  assertEquals(locationOf(thrown), [302, "/login?next=%2F"]);
});

Deno.test("login.requireUser() keeps the page of a known user out of every cache", async () => {
  const site = new Site();
  const handler = site.session.wrap(async (request) => {
    const { name } = await site.login.requireUser(request);
    return new Response(name);
  });
  const response = await (await site.loggedIn()).get(handler);
  assertEquals(await response.text(), "susan");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
});

for (const result of [undefined, null, "", 5]) {
  const fault = () => result as unknown as string;

  Deno.test(`login.required() rejects a location that returns ${Deno.inspect(result)}`, async () => {
    const { login } = new Site();
    const handler = login.required(() => new Response(), { location: fault });
    await assertRejects(
      () => handler(new Request("http://localhost/")),
      TypeError,
      "location",
    );
  });

  Deno.test(`login.required() rejects a loginUrl that returns ${Deno.inspect(result)}`, async () => {
    const { login } = new Site({ login: { loginUrl: fault } });
    const handler = login.required(() => new Response());
    await assertRejects(
      () => handler(new Request("http://localhost/")),
      TypeError,
      "loginUrl",
    );
  });
}
