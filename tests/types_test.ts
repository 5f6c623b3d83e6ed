import { assertEquals, assertThrows } from "@std/assert";
import { base64Backend } from "../backends/base64.ts";
import { fernetBackend } from "../backends/fernet.ts";
import { jwtBackend } from "../backends/jwt.ts";
import { kvBackend, type KvStore, type StoreBackend } from "../backends/kv.ts";
import {
  type Backend,
  generateSecretKey,
  isCrossOrigin,
  Login,
  type LoginOptions,
  type Payload,
  redirect,
  safeNextPath,
  type SecretKey,
  Session,
  type SessionDict,
  type SessionOptions,
  withSession,
} from "../mod.ts";
import { KEY, requestWith } from "./_helpers.ts";

/** `true` where both types are the same, `any` being the same as `any` alone. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

interface Data {
  n: number;
  user: { name: string };
}

interface User {
  id: number;
  name: string;
}

interface Params {
  page: string;
}

/** What a wrapper makes of a handler with two arguments of its own. */
type PageHandler = (
  request: Request,
  id: number,
  params: Params,
) => Promise<Response>;

const session = new Session<Data>({ secretKey: KEY });
const untyped = new Session({ secretKey: KEY });
const login = new Login(session, {
  userLoader: (id: number): User => ({ id, name: "susan" }),
});

/** Compiles for `true` alone. */
function assertType<_T extends true>(): void {}

// The type checker does the testing. What runs shows that the code is real.

Deno.test("Session<Data> types the data of withSession() as optional", async () => {
  const handler = withSession(session, (request, dict) => {
    assertType<Equal<typeof request, Request>>();
    assertType<Equal<typeof dict, SessionDict<Data>>>();
    assertType<Equal<typeof dict.n, number | undefined>>();
    assertType<Equal<typeof dict.user, { name: string } | undefined>>();
    dict.n = 1;
    dict.n = undefined;
    delete dict.n;
    // @ts-expect-error -- a string is no number
    dict.n = "1";
    // @ts-expect-error -- no such property
    dict.m = 1;
    // @ts-expect-error -- may be undefined
    void (() => dict.user.name);
    return new Response("Hello");
  });
  assertEquals((await handler(requestWith())).status, 200);
});

Deno.test("Session<Data> types what get() returns", async () => {
  const dict = await session.open(requestWith());
  assertType<Equal<typeof dict, SessionDict<Data>>>();
  assertType<Equal<ReturnType<typeof dict.save>, Promise<void>>>();
  assertType<Equal<ReturnType<typeof dict.delete>, Promise<void>>>();
  // @ts-expect-error -- takes no argument
  await dict.save(1);
  // deno-lint-ignore no-unused-vars -- never called: it would throw
  function assign() {
    // @ts-expect-error -- the name of a method
    dict.save = () => Promise.resolve();
    // @ts-expect-error -- the name of a method
    dict.delete = 1;
  }
});

Deno.test("Session<Data> takes an interface and a type alias alike", () => {
  type Alias = { n: number };
  const aliased = new Session<Alias>({ secretKey: KEY });
  assertType<
    Equal<Awaited<ReturnType<typeof aliased.get>>, SessionDict<Alias>>
  >();
  // @ts-expect-error -- data are an object
  void (() => new Session<string>());
});

Deno.test("Session without a type has data of any type", async () => {
  const dict = await untyped.get(requestWith());
  // deno-lint-ignore no-explicit-any -- this is what is tested
  assertType<Equal<typeof dict.anything, any>>();
  dict.anything = { deep: [1] };
  assertEquals(dict.anything.deep[0], 1);

  withSession(untyped, (_request, dict) => {
    // deno-lint-ignore no-explicit-any -- this is what is tested
    assertType<Equal<typeof dict.anything, any>>();
    return new Response(dict.anything.deep);
  });
});

Deno.test("withSession() keeps the types of extra arguments", async () => {
  const handler = withSession(
    session,
    (_request, dict, id: number, params: Params) => {
      assertType<Equal<typeof dict.n, number | undefined>>();
      assertType<Equal<typeof id, number>>();
      return Response.json({ id, ...params });
    },
  );
  assertType<Equal<typeof handler, PageHandler>>();
  const response = await handler(requestWith(), 1, { page: "2" });
  assertEquals(await response.json(), { id: 1, page: "2" });
  // @ts-expect-error -- an argument is missing
  void (() => handler(requestWith(), 1));
  // @ts-expect-error -- an argument is of another type
  void (() => handler(requestWith(), "1", { page: "2" }));
});

Deno.test("session.wrap() keeps the types of extra arguments", async () => {
  const handler = session.wrap(
    (request, id: number, params: Params) => {
      assertType<Equal<typeof request, Request>>();
      return Response.json({ id, ...params });
    },
  );
  assertType<Equal<typeof handler, PageHandler>>();
  const response = await handler(requestWith(), 1, { page: "2" });
  assertEquals(await response.json(), { id: 1, page: "2" });
  // @ts-expect-error -- an argument is missing
  void (() => handler(requestWith()));
});

Deno.test("wrappers without extra arguments take none", async () => {
  const dictful = withSession(session, () => new Response("Hello"));
  const bare = session.wrap(() => new Response("Hello"));
  type Bare = (request: Request) => Promise<Response>;
  assertType<Equal<typeof dictful, Bare>>();
  assertType<Equal<typeof bare, Bare>>();
  // @ts-expect-error -- the handler takes no more
  void (() => dictful(requestWith(), 1));
  assertEquals((await dictful(requestWith())).status, 200);
  assertEquals((await bare(requestWith())).status, 200);
});

Deno.test("wrappers nest with their types", async () => {
  const other = new Session<{ s: string }>({ secretKey: KEY, cookieName: "b" });
  const handler = session.wrap(
    withSession(
      session,
      withSession(other, (_request, b, a: SessionDict<Data>, id: number) => {
        assertType<Equal<typeof b.s, string | undefined>>();
        assertType<Equal<typeof a.n, number | undefined>>();
        return Response.json({ id });
      }),
    ),
  );
  assertType<
    Equal<typeof handler, (request: Request, id: number) => Promise<Response>>
  >();
  assertEquals(await (await handler(requestWith(), 1)).json(), { id: 1 });
});

Deno.test("wrappers refuse what is no handler", () => {
  // @ts-expect-error -- no Response
  void (() => session.wrap(() => "Hello"));
  // @ts-expect-error -- no Response
  void (() => withSession(session, () => Promise.resolve("Hello")));
  // @ts-expect-error -- no Session
  void (() => withSession({}, () => new Response("Hello")));
});

Deno.test("Deno.serve() takes wrapped handlers", () => {
  const withInfo = withSession(
    session,
    (_request, dict, info: Deno.ServeHandlerInfo) => {
      assertType<Equal<typeof info, Deno.ServeHandlerInfo>>();
      return Response.json({ n: dict.n, transport: info.remoteAddr.transport });
    },
  );
  const wrapped = session.wrap(
    (_request, info: Deno.ServeHandlerInfo<Deno.NetAddr>) =>
      new Response(info.remoteAddr.hostname),
  );
  const bare = withSession(session, () => new Response("Hello"));
  // Never called: the types are the test.
  void (() => Deno.serve(withInfo));
  void (() => Deno.serve(wrapped));
  void (() => Deno.serve(bare));
  void (() => Deno.serve({ port: 0 }, withInfo));
  void ({ fetch: withInfo } satisfies Deno.ServeDefaultExport);
  void ({ fetch: bare } satisfies Deno.ServeDefaultExport);
});

Deno.test("session.commit(), encode() and decode() are typed", async () => {
  const request = requestWith();
  const response = session.commit(request, new Response("Hello"));
  const token = session.encode({ anything: [1] });
  const payload = session.decode(await token, new Uint8Array(32));
  assertType<Equal<typeof response, Promise<Response>>>();
  assertType<Equal<typeof token, Promise<string>>>();
  assertType<Equal<Awaited<typeof payload>, Record<string, unknown>>>();
  assertEquals(await payload, {});
  await response;
});

Deno.test("SessionOptions take the keys and backends there are", () => {
  const keys = (key: CryptoKey): SessionOptions[] => [
    { secretKey: KEY },
    { secretKey: new Uint8Array(32) },
    { secretKey: key },
    { secretKey: [KEY, new Uint8Array(32), key] },
    { secretKey: [KEY, KEY] as const },
    { secretKey: Deno.env.get("SECRET_KEY") },
  ];
  void keys;
  assertType<Equal<SecretKey, string | Uint8Array | CryptoKey>>();
  assertType<Equal<Payload, Record<string, unknown>>>();
  assertType<
    Equal<
      Session["secretKey"],
      SecretKey | readonly SecretKey[] | undefined
    >
  >();
  const backend: Backend = {
    authenticated: false,
    load: () => Promise.resolve(null),
    save: () => Promise.resolve("id"),
  };
  void ({ backend } satisfies SessionOptions);
  void ({ backend: "jwt" } satisfies SessionOptions);
  // @ts-expect-error -- an unknown backend
  void ({ backend: "jwe" } satisfies SessionOptions);
  // @ts-expect-error -- an unknown attribute
  void ({ cookieOptions: { http_only: true } } satisfies SessionOptions);
  // @ts-expect-error -- not one of three
  void ({ cookieOptions: { sameSite: "lax" } } satisfies SessionOptions);
  // @ts-expect-error -- an unknown option
  void ({ secretkey: KEY } satisfies SessionOptions);
});

Deno.test("Login takes its user from the loader, over a session of any data", () => {
  assertType<Equal<typeof login, Login<User>>>();
  const asynchronous = new Login(new Session({ secretKey: KEY }), {
    userLoader: (id: string) => Promise.resolve(id === "" ? null : { id }),
  });
  assertType<Equal<typeof asynchronous, Login<{ id: string }>>>();
  type Current = Awaited<ReturnType<typeof login.getCurrentUser>>;
  type Required = Awaited<ReturnType<typeof login.requireUser>>;
  assertType<Equal<Current, User | null>>();
  assertType<Equal<Required, User>>();
});

Deno.test("Login demands a user with an id", () => {
  const session = () => new Session({ secretKey: KEY });
  // @ts-expect-error -- no id
  new Login<{ name: string }>(session());
  // @ts-expect-error -- a boolean is no id
  new Login<{ id: boolean }>(session());
  const login = new Login<{ id: number }>(session());
  // @ts-expect-error -- a string is no id of these users
  void (() => login.loginUser(requestWith(), { id: "1" }));
  login.userLoader((id) => {
    assertType<Equal<typeof id, number>>();
    return { id };
  });
  const load = login.userLoader((id: number) => Promise.resolve({ id }));
  assertType<Equal<ReturnType<typeof load>, Promise<{ id: number }>>>();
});

Deno.test("LoginOptions take functions that answer now or later", () => {
  void ({
    loginUrl: (request) => request.url,
    userChecker: ({ name }) => Promise.resolve(name !== ""),
    securityStamp: ({ name }) => name,
    trustedOrigins: ["https://app.example.com"] as const,
  } satisfies LoginOptions<User>);
  // @ts-expect-error -- users have no age
  void ({ userChecker: ({ age }) => age > 17 } satisfies LoginOptions<User>);
  // @ts-expect-error -- an unknown option
  void ({ loginurl: "/login" } satisfies LoginOptions<User>);
  // @ts-expect-error -- neither a boolean nor a number of days
  void (() => login.loginUser(requestWith(), user, { remember: "yes" }));
  const user: User = { id: 1, name: "susan" };
});

Deno.test("guards keep the types of extra arguments", () => {
  const required = login.required(
    (request, user, params: Params, info?: Deno.ServeHandlerInfo) => {
      assertType<Equal<typeof request, Request>>();
      assertType<Equal<typeof user, User>>();
      return Response.json([user.name, params.page, info?.remoteAddr]);
    },
  );
  const fresh = login.fresh(
    (_request, user, params: Params, info?: Deno.ServeHandlerInfo) => {
      assertType<Equal<typeof user, User>>();
      return Response.json([params.page, info?.remoteAddr.transport]);
    },
    { maxAge: 60, check: ({ name }) => name === "susan" },
  );
  type Guarded = (
    request: Request,
    params: Params,
    info?: Deno.ServeHandlerInfo,
  ) => Promise<Response>;
  assertType<Equal<typeof required, Guarded>>();
  assertType<Equal<typeof fresh, Guarded>>();
  // @ts-expect-error -- an argument is missing
  void (() => required(requestWith()));
  // @ts-expect-error -- params have a page
  void (() => fresh(requestWith(), {}));
});

Deno.test("guards nest with wrappers, and keep their types", () => {
  const inside = withSession(
    session,
    login.required((_request, user, dict: SessionDict<Data>, id: number) => {
      assertType<Equal<typeof user, User>>();
      return Response.json([user.name, dict.n, id]);
    }),
  );
  const outside = login.required(
    withSession(session, (_request, dict, user: User, id: number) => {
      assertType<Equal<typeof dict.n, number | undefined>>();
      return Response.json([user.name, dict.n, id]);
    }),
  );
  assertType<Equal<Parameters<typeof inside>, [Request, number]>>();
  assertType<Equal<Parameters<typeof outside>, [Request, number]>>();
});

Deno.test("guards refuse what is no handler of their users", () => {
  interface Admin extends User {
    rights: string[];
  }
  const forAdmins = (_request: Request, { rights }: Admin) =>
    Response.json(rights);
  // @ts-expect-error -- not every user is an admin
  login.required(forAdmins);
  // @ts-expect-error -- a handler answers with a Response
  login.required(() => "Hello");
  // @ts-expect-error -- a user has no age
  login.required(() => new Response(), { check: ({ age }) => age > 17 });
  // @ts-expect-error -- required() knows no maxAge
  assertThrows(() => login.required(() => new Response(), { maxAge: 60 }));
});

Deno.test("Deno.serve() takes guarded handlers", () => {
  const withInfo = login.required(
    (_request, user, info: Deno.ServeHandlerInfo) =>
      Response.json([user.name, info.remoteAddr.transport]),
  );
  const bare = login.fresh(() => new Response("Hello"));
  // Never called: the types are the test.
  void (() => Deno.serve(withInfo));
  void (() => Deno.serve(bare));
  void ({ fetch: withInfo } satisfies Deno.ServeDefaultExport);
});

Deno.test("the helpers are typed", () => {
  const next = safeNextPath(Symbol("anything"), "/home");
  const response = redirect(new URL("http://localhost/"), 303);
  const isForeign = isCrossOrigin(requestWith(), [next] as const);
  assertType<Equal<typeof next, string>>();
  assertType<Equal<typeof response, Response>>();
  assertType<Equal<typeof isForeign, boolean>>();
  // @ts-expect-error -- where to go must be said
  void (() => redirect());
});

Deno.test("the backends are typed", () => {
  const backends = (kv: Deno.Kv, store: KvStore): Backend[] => [
    jwtBackend({ secretKey: [KEY, generateSecretKey()], type: "shop+jwt" }),
    fernetBackend({ secretKey: KEY }),
    base64Backend(),
    kvBackend(kv, { prefix: ["shop", 1] }),
    kvBackend(store),
  ];
  void backends;
  assertType<Equal<ReturnType<typeof kvBackend>, StoreBackend>>();
  // @ts-expect-error -- it signs, and so needs a key
  void (() => jwtBackend({}));
  // @ts-expect-error -- it signs nothing
  void (() => base64Backend({ secretKey: KEY }));
  // @ts-expect-error -- no database
  void (() => kvBackend(new Map()));
});
