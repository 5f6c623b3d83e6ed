import { assertEquals, assertRejects } from "@std/assert";
import { redirect } from "../../helpers.ts";
import type { GuardOptions } from "../../mod.ts";
import {
  Browser,
  cookiesOf,
  locationOf,
  ORIGIN,
  Site,
  type User,
} from "../_login.ts";
import { FAILURES, SCRIPT, secret } from "./_common.ts";

const CHECKS: [
  what: string,
  check: GuardOptions<User>["check"],
  isIn: boolean,
][] = [
  ["true", () => true, true],
  ["a promise of true", () => Promise.resolve(true), true],
  ["false", () => false, false],
  ["a promise of false", () => Promise.resolve(false), false],
  ["what it sees in the user", ({ name }) => name === "susan", true],
  ["what it misses in the user", ({ name }) => name === "david", false],
];

/** What a check may answer that is neither yes nor no. */
const NO_ANSWERS: [answer: unknown, kind: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  [1, "number"],
  ["", "string"],
  ["no", "string"],
  [{ isAdmin: false }, "object"],
  [["admin"], "an array"],
  [() => true, "function"],
  [new Response("No", { status: 403 }), "object"],
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

for (const [what, check, isIn] of CHECKS) {
  const outcome = isIn ? "in" : "not in";

  Deno.test(`login.required() lets the user ${outcome} where check returns ${what}`, async () => {
    const site = new Site();
    const page = site.login.required(secret, { check });
    const response = await (await site.loggedIn()).get(page);
    assertEquals(response.status, isIn ? 200 : 403);
    assertEquals(await response.text() === "Secret", isIn);
  });

  Deno.test(`login.required() lets the user ${outcome} where userChecker returns ${what}`, async () => {
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

for (const [answer, kind] of NO_ANSWERS) {
  for (const later of [false, true]) {
    const how = later ? "a promise of " : "";

    Deno.test(`login.required() lets nobody in where check returns ${how}${Deno.inspect(answer)}, and says so`, async () => {
      const site = new Site();
      const check = () => later ? Promise.resolve(answer) : answer;
      const options = { check, location: "/stop" } as GuardOptions<User>;
      const browser = await site.loggedIn();
      for (
        const page of [
          site.login.required(secret, options),
          site.login.fresh(secret, options),
        ]
      ) {
        await assertRejects(
          () => browser.get(page),
          TypeError,
          `Cannot check user: check() returned ${kind}; return true or false`,
        );
      }
    });
  }
}

for (const [how, fail] of FAILURES) {
  Deno.test(`login.required() lets nobody in where check ${how}`, async () => {
    const site = new Site();
    const page = site.login.required(secret, { check: fail });
    const browser = await site.loggedIn();
    await assertRejects(() => browser.get(page), Error, "broken");
  });
}

for (const [what, location, expected] of LOCATIONS) {
  for (const isKnown of [false, true]) {
    const who = isKnown ? "a refused user" : "a visitor";

    Deno.test(`login.required() sends ${who} where location is ${what}, each time`, async () => {
      const site = new Site();
      const check = () => false;
      const page = site.login.required(secret, { check, location });
      const browser = isKnown ? await site.loggedIn() : new Browser();
      for (let visit = 0; visit < 2; visit++) {
        const response = await browser.get(page, "/page");
        assertEquals(locationOf(response), expected);
        if (expected[0] === 418) assertEquals(await response.text(), "Stop");
      }
    });
  }
}

Deno.test("location comes before 401 and 403 for a script, too", async () => {
  const site = new Site();
  const options = { check: () => false, location: "/stop" };
  const page = site.login.required(secret, options);
  for (const browser of [new Browser(), await site.loggedIn()]) {
    const response = await browser.get(page, "/", SCRIPT);
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

for (const result of [undefined, null, "", 5]) {
  Deno.test(`login.required() rejects a location that returns ${Deno.inspect(result)}`, async () => {
    const location = () => result as string;
    const page = new Site().login.required(secret, { location });
    await assertRejects(
      () => new Browser().get(page),
      TypeError,
      "Cannot use location",
    );
  });
}

Deno.test("location as one Response gives the cookies of one visitor to no other", async () => {
  const site = new Site();
  const location = redirect("/stop");
  const page = site.session.wrap(
    site.login.required(secret, { check: () => false, location }),
  );
  const first = await (await site.remembered()).get(page);
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
