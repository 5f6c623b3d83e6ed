import { assertEquals } from "@std/assert";
import {
  type Backend,
  type Payload,
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

const session = new Session<Data>({ secretKey: KEY });
const untyped = new Session({ secretKey: KEY });

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

Deno.test("Session<Data> types the data of get()", async () => {
  const dict = await session.get(requestWith());
  assertType<Equal<typeof dict, SessionDict<Data>>>();
  assertType<Equal<typeof dict.n, number | undefined>>();
  assertEquals(dict.n, undefined);
});

Deno.test("Session<Data> types the methods of its dictionary", async () => {
  const dict = await session.get(requestWith());
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
    (_request, dict, id: number, params: { page: string }) => {
      assertType<Equal<typeof dict.n, number | undefined>>();
      assertType<Equal<typeof id, number>>();
      return Response.json({ id, ...params });
    },
  );
  assertType<
    Equal<
      typeof handler,
      (
        request: Request,
        id: number,
        params: { page: string },
      ) => Promise<Response>
    >
  >();
  const response = await handler(requestWith(), 1, { page: "2" });
  assertEquals(await response.json(), { id: 1, page: "2" });
  // @ts-expect-error -- an argument is missing
  void (() => handler(requestWith(), 1));
  // @ts-expect-error -- an argument is of another type
  void (() => handler(requestWith(), "1", { page: "2" }));
});

Deno.test("session.wrap() keeps the types of extra arguments", async () => {
  const handler = session.wrap(
    (request, id: number, params: { page: string }) => {
      assertType<Equal<typeof request, Request>>();
      return Response.json({ id, ...params });
    },
  );
  assertType<
    Equal<
      typeof handler,
      (
        request: Request,
        id: number,
        params: { page: string },
      ) => Promise<Response>
    >
  >();
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
