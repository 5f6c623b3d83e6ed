import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type FreshOptions,
  type GuardOptions,
  Login,
  type LoginOptions,
  Session,
} from "../mod.ts";
import { KEY } from "./_helpers.ts";
import { Browser, ORIGIN, Site, UNSIGNED, type User } from "./_login.ts";

type ErrorType = typeof TypeError | typeof RangeError;

const A_FUNCTION = "must be a function";
const A_TARGET = "must be a string or a function";
const DAYS = "a whole number of days from 1 to 400";
const AN_ORIGIN = 'write it as "https://example.com"';

/** Bad options: the option that an error names, and how it says to mend it. */
const BAD_OPTIONS: [
  name: keyof LoginOptions<User>,
  value: unknown,
  type: ErrorType,
  mend: string,
][] = [
  ["loginUrl", 1, TypeError, A_TARGET],
  ["loginUrl", null, TypeError, A_TARGET],
  ["loginUrl", true, TypeError, A_TARGET],
  ["loginUrl", {}, TypeError, A_TARGET],
  ["loginUrl", new URL(ORIGIN), TypeError, A_TARGET],
  ["userLoader", {}, TypeError, A_FUNCTION],
  ["userLoader", null, TypeError, A_FUNCTION],
  ["userLoader", "load", TypeError, A_FUNCTION],
  ["userChecker", true, TypeError, A_FUNCTION],
  ["userChecker", null, TypeError, A_FUNCTION],
  ["userChecker", "admin", TypeError, A_FUNCTION],
  ["securityStamp", "stamp", TypeError, A_FUNCTION],
  ["securityStamp", null, TypeError, A_FUNCTION],
  ["securityStamp", 1, TypeError, A_FUNCTION],
  ["rememberCookieName", "", TypeError, "letters, digits"],
  ["rememberCookieName", "a b", TypeError, "letters, digits"],
  ["rememberCookieName", "a;b", TypeError, "letters, digits"],
  ["rememberCookieName", "a=b", TypeError, "letters, digits"],
  ["rememberCookieName", "a\r\nb", TypeError, "letters, digits"],
  ["rememberCookieName", "caf\u00E9", TypeError, "letters, digits"],
  ["rememberCookieName", 1, TypeError, "rememberCookieName"],
  ["rememberCookieName", null, TypeError, "rememberCookieName"],
  ["rememberCookieName", "session", TypeError, "the session's cookie"],
  ["rememberDays", 0, RangeError, DAYS],
  ["rememberDays", -1, RangeError, DAYS],
  ["rememberDays", 1.5, RangeError, DAYS],
  ["rememberDays", 401, RangeError, DAYS],
  ["rememberDays", NaN, RangeError, DAYS],
  ["rememberDays", Infinity, RangeError, DAYS],
  ["rememberDays", "30", TypeError, "must be a number"],
  ["rememberDays", null, TypeError, "must be a number"],
  ["rememberDays", true, TypeError, "must be a number"],
  ["trustedOrigins", [""], TypeError, AN_ORIGIN],
  ["trustedOrigins", ["null"], TypeError, AN_ORIGIN],
  ["trustedOrigins", ["app.example.com"], TypeError, AN_ORIGIN],
  ["trustedOrigins", ["https://app.example.com/"], TypeError, AN_ORIGIN],
  ["trustedOrigins", ["https://app.example.com/a"], TypeError, AN_ORIGIN],
  ["trustedOrigins", ["https://app.example.com:443"], TypeError, AN_ORIGIN],
  ["trustedOrigins", ["https://App.example.com"], TypeError, AN_ORIGIN],
  ["trustedOrigins", ["https://u@app.example.com"], TypeError, AN_ORIGIN],
  ["trustedOrigins", ["https://*.example.com"], TypeError, AN_ORIGIN],
  ["trustedOrigins", ["*"], TypeError, AN_ORIGIN],
  ["trustedOrigins", ["https://a.example", "*"], TypeError, AN_ORIGIN],
  ["trustedOrigins", [undefined], TypeError, AN_ORIGIN],
  ["trustedOrigins", [null], TypeError, AN_ORIGIN],
  ["trustedOrigins", [1], TypeError, AN_ORIGIN],
  ["trustedOrigins", "https://app.example.com", TypeError, "trustedOrigins"],
  ["trustedOrigins", 1, TypeError, "trustedOrigins"],
  ["trustedOrigins", {}, TypeError, "trustedOrigins"],
];

const GOOD_OPTIONS: LoginOptions<User>[] = [
  {},
  { loginUrl: undefined, userLoader: undefined, userChecker: undefined },
  { securityStamp: undefined, rememberCookieName: undefined },
  { rememberDays: undefined, trustedOrigins: undefined },
  { loginUrl: "https://id.example/?a#b" },
  { rememberDays: 1 },
  { rememberDays: 400 },
  { trustedOrigins: [] },
  { trustedOrigins: ["https://a.example", "http://[::1]:8000"] },
  { rememberCookieName: "__Secure-remember" },
];

const BAD_GUARDS: [
  name: keyof GuardOptions<User>,
  value: unknown,
  mend: string,
][] = [
  ["check", true, A_FUNCTION],
  ["check", null, A_FUNCTION],
  ["check", "admin", A_FUNCTION],
  ["check", {}, A_FUNCTION],
  ["location", 1, "must be"],
  ["location", null, "must be"],
  ["location", true, "must be"],
  ["location", {}, "must be"],
  ["location", new URL(ORIGIN), "must be"],
];

const BAD_AGES: [maxAge: unknown, type: ErrorType, mend: string][] = [
  [0, RangeError, "above 0"],
  [-0, RangeError, "above 0"],
  [-1, RangeError, "above 0"],
  [NaN, RangeError, "above 0"],
  [-Infinity, RangeError, "above 0"],
  ["900", TypeError, "must be a number"],
  ["soon", TypeError, "must be a number"],
  [null, TypeError, "must be a number"],
  [true, TypeError, "must be a number"],
  [{}, TypeError, "must be a number"],
  [900n, TypeError, "must be a number"],
];

/** What cannot be done over a session that anybody can write. */
const UNSIGNED_CALLS: [
  name: string,
  call: (login: Login<User>, request: Request) => Promise<unknown>,
][] = [
  ["loginUser()", (login, request) => login.loginUser(request, SUSAN)],
  ["logoutUser()", (login, request) => login.logoutUser(request)],
  ["getCurrentUser()", (login, request) => login.getCurrentUser(request)],
  ["requireUser()", (login, request) => login.requireUser(request)],
  ["required()", (login, request) => login.required(secret)(request)],
  ["fresh()", (login, request) => login.fresh(secret)(request)],
];

const SUSAN: User = { id: 1, name: "susan", stamp: "s1" };
const UNSIGNED_MEND = "its backend is unsigned, so anyone could name " +
  "themselves any user; use another backend";

function secret(): Response {
  return new Response("Secret");
}

function makeSession(): Session {
  return new Session({ secretKey: KEY });
}

for (const [name, value, type, mend] of BAD_OPTIONS) {
  Deno.test(`new Login() throws for ${name}: ${Deno.inspect(value)}`, () => {
    const options: LoginOptions<User> = { [name]: value };
    const error = assertThrows(() => new Login(makeSession(), options), type);
    assertStringIncludes(error.message, `Cannot use ${name}`);
    assertStringIncludes(error.message, mend);
  });
}

for (const options of GOOD_OPTIONS) {
  Deno.test(`new Login() takes ${Deno.inspect(options)}`, async () => {
    const login = new Login(makeSession(), options);
    const request = new Browser().request("/");
    assertEquals(await login.getCurrentUser(request), null);
  });
}

Deno.test("new Login() throws where the session's cookie has the name of the remember cookie", () => {
  const session = new Session({ secretKey: KEY, cookieName: "_remember" });
  const error = assertThrows(() => new Login(session), TypeError);
  assertStringIncludes(error.message, 'rememberCookieName "_remember"');
  new Login(session, { rememberCookieName: "stay" });
});

Deno.test("new Login() throws for what is no Session", () => {
  for (const session of [undefined, null, {}, { secretKey: KEY }]) {
    // deno-lint-ignore no-explicit-any -- what a script may pass
    assertThrows(() => new Login(session as any), TypeError);
  }
});

Deno.test("new Login() keeps its options when their object changes", async () => {
  const options: LoginOptions<User> = { loginUrl: "/in" };
  const login = new Login(makeSession(), options);
  options.loginUrl = "/out";
  const response = await new Browser().get(login.required(secret));
  assertEquals(response.headers.get("Location"), "/in?next=%2F");
});

Deno.test("login.userLoader() throws for what is no function", () => {
  for (const load of [undefined, null, {}, "load"]) {
    const { login } = new Site();
    const error = assertThrows(
      // deno-lint-ignore no-explicit-any -- what a script may pass
      () => login.userLoader(load as any),
      TypeError,
    );
    assertStringIncludes(error.message, "Cannot use userLoader");
  }
});

for (const [name, value, mend] of BAD_GUARDS) {
  const what = `${name}: ${Deno.inspect(value)}`;
  const options: GuardOptions<User> = { [name]: value };

  for (const guard of ["required", "fresh"] as const) {
    Deno.test(`login.${guard}() throws for ${what}`, () => {
      const { login } = new Site();
      const error = assertThrows(
        () => login[guard](secret, options),
        TypeError,
      );
      assertStringIncludes(error.message, `Cannot use ${name}`);
      assertStringIncludes(error.message, mend);
    });
  }

  Deno.test(`login.requireUser() rejects ${what}`, async () => {
    const { login } = new Site();
    const request = new Browser().request("/");
    const error = await assertRejects(
      () => login.requireUser(request, options),
      TypeError,
    );
    assertStringIncludes(error.message, `Cannot use ${name}`);
  });
}

for (const [maxAge, type, mend] of BAD_AGES) {
  Deno.test(`login.fresh() throws for maxAge: ${Deno.inspect(maxAge)}`, () => {
    const options = { maxAge } as FreshOptions<User>;
    const { login } = new Site();
    const error = assertThrows(() => login.fresh(secret, options), type);
    assertStringIncludes(error.message, "Cannot use maxAge");
    assertStringIncludes(error.message, mend);
  });
}

Deno.test("new Login() throws for an unsigned session", () => {
  const session = new Session({ backend: UNSIGNED });
  assertThrows(() => new Login(session), TypeError, UNSIGNED_MEND);
});

Deno.test("new Login() throws for an unsigned session that has a secret key", () => {
  const session = new Session({ backend: UNSIGNED, secretKey: KEY });
  assertThrows(() => new Login(session), TypeError, UNSIGNED_MEND);
});

Deno.test("new Login() throws for an unsigned built-in backend", () => {
  const session = new Session({ backend: "base64" });
  assertThrows(() => new Login(session), TypeError, UNSIGNED_MEND);
});

for (const [name, call] of UNSIGNED_CALLS) {
  Deno.test(`login.${name} rejects once the session is unsigned`, async () => {
    const site = new Site({ isKeyless: true });
    site.session.initialize({ backend: UNSIGNED });
    const browser = new Browser();
    const payload = { _user_id: 1, _fresh: true };
    browser.cookies.set("session", await UNSIGNED.save(payload));
    await assertRejects(
      () => call(site.login, browser.request("/")),
      TypeError,
      UNSIGNED_MEND,
    );
    assertEquals(site.loaded, []);
  });
}

Deno.test("login works once an unsigned session has a signed backend again", async () => {
  const site = new Site();
  site.session.initialize({ backend: UNSIGNED });
  site.session.initialize({ backend: "jwt" });
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  assertEquals(await site.ask(browser), site.susan);
});

Deno.test("new Login() needs no secret key of the session yet", async () => {
  const site = new Site({ isKeyless: true });
  const request = new Browser().request("/");
  await assertRejects(
    () => site.login.getCurrentUser(request),
    TypeError,
    "secretKey",
  );
  site.session.initialize({ secretKey: KEY });
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  assertEquals(await site.ask(browser), site.susan);
});

Deno.test("new Login() throws for an empty loginUrl", () => {
  assertThrows(
    () => new Login(makeSession(), { loginUrl: "" }),
    TypeError,
    "Cannot use loginUrl",
  );
});
