import {
  assert,
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
  type LoginUserOptions,
  type LogoutUserOptions,
  Session,
} from "../../mod.ts";
import { KEY } from "../_helpers.ts";
import { Browser, ORIGIN, Site, UNSIGNED, type User } from "../_login.ts";
import { secret } from "./_common.ts";

type ErrorType = typeof TypeError | typeof RangeError;

/** A value that an option can't have, and how the error says to mend it. */
type Bad<Options> = [
  name: keyof Options,
  value: unknown,
  mend: string,
  ErrorClass?: ErrorType,
];

const A_FUNCTION = "must be a function";
const A_TARGET = "must be a string or a function";
const A_NAME = "letters, digits";
const A_NUMBER = "must be a number";
const DAYS = "a whole number of days from 1 to 400";
const AN_ORIGIN = 'write it as "https://example.com"';
const AN_ARRAY = "must be an array";

const BAD_OPTIONS: Bad<LoginOptions<User>>[] = [
  ["loginUrl", 1, A_TARGET],
  ["loginUrl", null, A_TARGET],
  ["loginUrl", new URL(ORIGIN), A_TARGET],
  ["loginUrl", "", 'leave it out for "/login"'],
  ["userLoader", "load", A_FUNCTION],
  ["userLoader", null, A_FUNCTION],
  ["userChecker", true, A_FUNCTION],
  ["userChecker", null, A_FUNCTION],
  ["securityStamp", "stamp", A_FUNCTION],
  ["securityStamp", null, A_FUNCTION],
  ["rememberCookieName", "", A_NAME],
  ["rememberCookieName", "a b", A_NAME],
  ["rememberCookieName", "a;b", A_NAME],
  ["rememberCookieName", "a\r\nb", A_NAME],
  ["rememberCookieName", 1, "a string"],
  ["rememberCookieName", null, "a string"],
  ["rememberCookieName", "session", "the session's cookie has that name"],
  ...["__Hostel", "__host", "__Secure", "__SECURED"].map(
    (
      name,
    ): Bad<LoginOptions<User>> => ["rememberCookieName", name, `"${name}"`],
  ),
  ["rememberDays", 0, DAYS, RangeError],
  ["rememberDays", -1, DAYS, RangeError],
  ["rememberDays", 1.5, DAYS, RangeError],
  ["rememberDays", 401, DAYS, RangeError],
  ["rememberDays", NaN, DAYS, RangeError],
  ["rememberDays", Infinity, DAYS, RangeError],
  ["rememberDays", "30", A_NUMBER],
  ["rememberDays", null, A_NUMBER],
  ["rememberDays", true, A_NUMBER],
  ["trustedOrigins", [""], AN_ORIGIN],
  ["trustedOrigins", ["null"], AN_ORIGIN],
  ["trustedOrigins", ["app.example.com"], AN_ORIGIN],
  ["trustedOrigins", ["https://app.example.com/"], AN_ORIGIN],
  ["trustedOrigins", ["https://app.example.com/a"], AN_ORIGIN],
  ["trustedOrigins", ["https://app.example.com:443"], AN_ORIGIN],
  ["trustedOrigins", ["https://App.example.com"], AN_ORIGIN],
  ["trustedOrigins", ["https://u@app.example.com"], AN_ORIGIN],
  ["trustedOrigins", ["https://*.example.com"], AN_ORIGIN],
  ["trustedOrigins", ["*"], AN_ORIGIN],
  ["trustedOrigins", ["https://a.example", "*"], "number 2 is not an origin"],
  ["trustedOrigins", [undefined], AN_ORIGIN],
  ["trustedOrigins", [null], AN_ORIGIN],
  ["trustedOrigins", [1], AN_ORIGIN],
  ["trustedOrigins", "https://app.example.com", AN_ARRAY],
  ["trustedOrigins", {}, AN_ARRAY],
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

const BAD_GUARDS: Bad<GuardOptions<User>>[] = [
  ["check", true, A_FUNCTION],
  ["check", null, A_FUNCTION],
  ["location", 1, A_TARGET],
  ["location", null, A_TARGET],
  ["location", new URL(ORIGIN), A_TARGET],
];

const BAD_AGES: Bad<FreshOptions<User>>[] = [
  ["maxAge", 0, "above 0", RangeError],
  ["maxAge", -0, "above 0", RangeError],
  ["maxAge", -1, "above 0", RangeError],
  ["maxAge", NaN, "above 0", RangeError],
  ["maxAge", -Infinity, "above 0", RangeError],
  ["maxAge", "900", A_NUMBER],
  ["maxAge", null, A_NUMBER],
  ["maxAge", 900n, A_NUMBER],
];

const BAD_LOGINS: Bad<LoginUserOptions>[] = [
  ["redirectUrl", 1, "must be a string"],
  ["redirectUrl", null, "must be a string"],
  ["redirectUrl", new URL(ORIGIN), "must be a string"],
];

const BAD_LOGOUTS: Bad<LogoutUserOptions>[] = [
  ["redirectUrl", 1, "must be a string"],
  ["redirectUrl", null, "must be a string"],
];

const SUSAN: User = { id: 1, name: "susan", stamp: "s1" };

/** All that a login does with a request. */
const CALLS: [
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

const UNSIGNED_MEND = "its backend is unsigned, so anyone could name " +
  "themselves any user; use another backend";

function makeSession(): Session {
  return new Session({ secretKey: KEY });
}

function post(): Request {
  return new Browser().request("/", { method: "POST" });
}

/** Sees that options are refused, with an error that names the one to mend. */
async function assertBad<Options>(
  call: (options: Options) => unknown,
  [name, value, mend, ErrorClass = TypeError]: Bad<Options>,
): Promise<void> {
  const options = { [name]: value } as Options;
  const error = await assertRejects(async () => {
    await call(options);
  }, ErrorClass);
  assertStringIncludes(error.message, `Cannot use ${String(name)}`);
  assertStringIncludes(error.message, mend);
}

for (const bad of BAD_OPTIONS) {
  Deno.test(`new Login() throws for ${bad[0]}: ${Deno.inspect(bad[1])}`, () =>
    assertBad((options) => new Login(makeSession(), options), bad));
}

for (const bad of BAD_LOGINS) {
  Deno.test(`login.loginUser() rejects ${bad[0]}: ${Deno.inspect(bad[1])}`, () =>
    assertBad(
      (options) => new Site().login.loginUser(post(), SUSAN, options),
      bad,
    ));
}

for (const bad of BAD_LOGOUTS) {
  Deno.test(`login.logoutUser() rejects ${bad[0]}: ${Deno.inspect(bad[1])}`, () =>
    assertBad((options) => new Site().login.logoutUser(post(), options), bad));
}

for (const bad of BAD_GUARDS) {
  const what = `${bad[0]}: ${Deno.inspect(bad[1])}`;

  Deno.test(`login.required() throws for ${what}`, () =>
    assertBad((options) => new Site().login.required(secret, options), bad));

  Deno.test(`login.fresh() throws for ${what}`, () =>
    assertBad((options) => new Site().login.fresh(secret, options), bad));

  Deno.test(`login.requireUser() rejects ${what}`, () =>
    assertBad((options) => new Site().login.requireUser(post(), options), bad));
}

for (const bad of BAD_AGES) {
  Deno.test(`login.fresh() throws for maxAge: ${Deno.inspect(bad[1])}`, () =>
    assertBad((options) => new Site().login.fresh(secret, options), bad));
}

for (const options of GOOD_OPTIONS) {
  Deno.test(`new Login() takes ${Deno.inspect(options)}`, async () => {
    const login = new Login(makeSession(), options);
    const request = new Browser().request("/");
    assertEquals(await login.getCurrentUser(request), null);
  });
}

for (const handler of [undefined, null, {}, "page", new Response("Hello")]) {
  Deno.test(`guards refuse ${Deno.inspect(handler)} as a handler, before there is a request`, () => {
    const { login } = new Site();
    // deno-lint-ignore no-explicit-any -- what a script may pass
    const none = handler as any;
    const message = "Cannot use handler: it must be a function";
    assertThrows(() => login.required(none), TypeError, message);
    assertThrows(() => login.fresh(none), TypeError, message);
  });
}

Deno.test("new Login() throws for what is no Session", () => {
  for (const session of [undefined, null, {}, { secretKey: KEY }]) {
    // deno-lint-ignore no-explicit-any -- what a script may pass
    assertThrows(() => new Login(session as any), TypeError);
  }
});

Deno.test("new Login() throws for a second one over the same session", () => {
  const session = makeSession();
  assertThrows(() => new Login(session, { loginUrl: "" }), TypeError);
  const login = new Login(session); // The one before has come to nothing.
  assertThrows(
    () => new Login(session, { rememberCookieName: "stay" }),
    TypeError,
    "Cannot make login: the session has one already",
  );
  session.initialize({ cookieName: "other" });
  assertThrows(() => new Login(session), TypeError, "has one already");
  assert(login instanceof Login);
});

Deno.test("new Login() keeps its options when their object changes", async () => {
  const options: LoginOptions<User> = { loginUrl: "/in" };
  const login = new Login(makeSession(), options);
  options.loginUrl = "/out";
  const response = await new Browser().get(login.required(secret));
  assertEquals(response.headers.get("Location"), "/in?next=%2F");
});

Deno.test("login refuses a session whose cookie takes the remember cookie's name later", async () => {
  const site = new Site({ login: { rememberCookieName: "stay" } });
  const error = await assertRejects(async () => {
    site.session.initialize({ cookieName: "stay" });
    await site.ask(new Browser());
  }, TypeError);
  assertStringIncludes(error.message, 'rememberCookieName "stay"');
  site.session.initialize({ cookieName: "other" });
  assertEquals(await site.ask(new Browser()), null);
});

Deno.test("login.userLoader() throws for what is no function", () => {
  for (const load of [undefined, null, {}, "load"]) {
    const { login } = new Site();
    assertThrows(
      // deno-lint-ignore no-explicit-any -- what a script may pass
      () => login.userLoader(load as any),
      TypeError,
      "Cannot use userLoader",
    );
  }
});

Deno.test("new Login() throws for an unsigned session", () => {
  const sessions = [
    new Session({ backend: UNSIGNED }),
    new Session({ backend: UNSIGNED, secretKey: KEY }),
    new Session({ backend: "base64" }),
  ];
  for (const session of sessions) {
    assertThrows(() => new Login(session), TypeError, UNSIGNED_MEND);
  }
});

for (const [name, call] of CALLS) {
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

  Deno.test(`login.${name} rejects what is no Request`, async () => {
    const request = { url: ORIGIN, headers: new Headers() } as Request;
    await assertRejects(
      () => call(new Site().login, request),
      TypeError,
      "the Request",
    );
  });
}

Deno.test("login works once an unsigned session has a signed backend again", async () => {
  const site = new Site();
  site.session.initialize({ backend: UNSIGNED });
  site.session.initialize({ backend: "jwt" });
  assertEquals(await site.ask(await site.loggedIn()), site.susan);
});

Deno.test("new Login() needs no secret key of the session yet", async () => {
  const site = new Site({ isKeyless: true });
  await assertRejects(() => site.ask(new Browser()), TypeError, "secretKey");
  site.session.initialize({ secretKey: KEY });
  assertEquals(await site.ask(await site.loggedIn()), site.susan);
});
