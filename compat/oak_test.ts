/** The middleware of `@denizen/session/oak` under the real Oak. */

import {
  fresh,
  required,
  sessions,
  type SessionState,
} from "@denizen/session/oak";
import { Application, HttpServerNative, Router } from "@oakserver/oak";
import { assert, assertEquals } from "@std/assert";
import { DAVID, makeSite, SUSAN, type User, Visit } from "./_site.ts";

type Site = ReturnType<typeof makeSite>;
type State = SessionState<Site["session"], User>;
type App = Application<State>;

/** An application whose handlers have sessions, and what it throws. */
function makeApp(): Site & { app: App; visit: Visit; errors: string[] } {
  const site = makeSite();
  const app: App = new Application({
    logErrors: false,
    serverConstructor: HttpServerNative,
  });
  const errors: string[] = [];
  app.addEventListener("error", ({ error }) => void errors.push(String(error)));
  app.use(sessions(site.session));
  const visit = new Visit((request) => handle(app, request), site);
  return { ...site, app, visit, errors };
}

async function handle(app: App, request: Request): Promise<Response> {
  const response = await app.handle(request);
  assert(response !== undefined);
  const { body, status, headers } = response;
  return new Response(body, { status, headers });
}

/** Serves an application as Deno does. */
async function serve(
  app: App,
  test: (origin: string) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const listening = Promise.withResolvers<number>();
  app.addEventListener("listen", ({ port }) => listening.resolve(port));
  const { signal } = stop;
  app.listen({ hostname: "127.0.0.1", port: 0, signal });
  try {
    await test(`http://127.0.0.1:${await listening.promise}`);
  } finally {
    // Its promise never settles.
    stop.abort();
  }
}

/** Counts in the visitor's session. */
function count({ session }: State): number {
  session.n = (session.n ?? 0) + 1;
  session.save();
  return session.n;
}

Deno.test("Oak: a session counts visits, and ctx.state.session is typed", async () => {
  const { app, visit } = makeApp();
  app.use((ctx) => {
    // @ts-expect-error: the data have types
    const text: string | undefined = ctx.state.session.n;
    ctx.response.body = [count(ctx.state), text];
  });
  const first = await visit.sees("/", { text: "[1,null]" });
  assertEquals(first.headers.get("Cache-Control"), "no-store");
  assertEquals(first.headers.get("Vary"), "Cookie");
  await visit.sees("/", { text: "[2,1]" });
});

Deno.test("Oak: a page that only reads sets no cookie", async () => {
  const { app, visit } = makeApp();
  app.use((ctx) => void (ctx.response.body = `${ctx.state.session.n}`));
  const response = await visit.sees("/", { text: "undefined" });
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("Oak: a redirect carries the session", async () => {
  const { app, visit } = makeApp();
  app.use((ctx) => {
    count(ctx.state);
    ctx.response.redirect("/there");
  });
  const response = await visit.sees("/", { status: 302 });
  assertEquals(response.headers.get("Location"), "/there");
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Oak: a page that is not found carries the session", async () => {
  const { app, visit } = makeApp();
  app.use((ctx) => void count(ctx.state));
  await visit.sees("/", { status: 404 });
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Oak: a handler that throws saves nothing", async () => {
  const { app, visit, errors } = makeApp();
  app.use((ctx) => {
    count(ctx.state);
    if (ctx.request.url.pathname === "/400") ctx.throw(400, "bad");
    throw new Error("broken");
  });
  await visit.sees("/", { status: 500, text: "Internal Server Error" });
  await visit.sees("/400", { status: 400, text: "bad" });
  assertEquals(await visit.data(), {});
  assertEquals(errors.length, 2);
});

Deno.test("Oak: a save that fails is an error page", async () => {
  const { app, visit, errors } = makeApp();
  app.use((ctx) => {
    Object.assign(ctx.state.session, { text: "x".repeat(5000) });
    ctx.state.session.save();
  });
  const response = await visit.sees("/", { status: 500 });
  assertEquals(response.headers.getSetCookie(), []);
  assert(errors[0].includes("over the limit"), errors[0]);
});

Deno.test("Oak: other cookies and headers stay, once each", async () => {
  const { session } = makeSite();
  const app: App = new Application();
  app.use(async (ctx, next) => {
    await ctx.cookies.set("first", "1");
    await next();
    await ctx.cookies.set("last", "1");
  });
  app.use(sessions(session));
  app.use(async (ctx) => {
    await ctx.cookies.set("other", "1");
    ctx.response.headers.set("Cache-Control", "private");
    ctx.response.headers.set("Vary", "Accept");
    ctx.response.body = `${count(ctx.state)}`;
  });
  const visit = new Visit((request) => handle(app, request), { session });
  const { headers } = await visit.sees("/", { text: "1" });
  const names = headers.getSetCookie().map((line) => line.split("=")[0]);
  assertEquals(names.sort(), ["first", "last", "other", "session"]);
  assertEquals(headers.get("Cache-Control"), "private");
  assertEquals(headers.get("Vary"), "Accept, Cookie");
});

Deno.test("Oak: a stream carries the session", async () => {
  const { app, visit } = makeApp();
  app.use((ctx) => {
    count(ctx.state);
    ctx.response.body = new Blob(["one", "two"]).stream();
  });
  await visit.sees("/", { text: "onetwo" });
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Oak: server-sent events carry the session, and can't save it any more", async () => {
  const { app, session } = makeApp();
  const late = Promise.withResolvers<string>();
  app.use(async (ctx) => {
    count(ctx.state);
    const target = await ctx.sendEvents();
    const error = console.error;
    console.error = () => {};
    ctx.state.session.save().catch(({ message }) => late.resolve(message));
    console.error = error;
    target.dispatchMessage("hello");
    await target.close();
  });
  await serve(app, async (origin) => {
    const response = await fetch(origin);
    assert((await response.text()).includes("data: hello"));
    const [line] = response.headers.getSetCookie();
    const headers = { Cookie: line.split(";")[0] };
    const dict = await session.get(new Request(origin, { headers }));
    assertEquals({ ...dict }, { n: 1 });
    assert((await late.promise).includes("the response has left"));
  });
});

Deno.test("Oak: a save that fails before events that nobody awaits fails the request alone", async () => {
  const { app, errors } = makeApp();
  app.use((ctx) => {
    ctx.state.session.n = NaN;
    ctx.state.session.save();
    ctx.sendEvents();
  });
  await serve(app, async (origin) => {
    const response = await fetch(origin);
    assertEquals(response.status, 500);
    await response.body?.cancel();
  });
  assert(errors.every((error) => error.includes("Cannot save session")));
});

Deno.test("Oak: a WebSocket reads the session, and a save with it is an error", async () => {
  const { app, errors } = makeApp();
  const failed = new Promise((resolve) =>
    app.addEventListener("error", resolve)
  );
  app.use((ctx) => {
    const { session } = ctx.state;
    const socket = ctx.upgrade();
    socket.onopen = () => {
      socket.send(`${session.n}`);
      socket.close();
    };
    if (ctx.request.url.pathname === "/save") count(ctx.state);
  });
  await serve(app, async (origin) => {
    for (const path of ["/", "/save"]) {
      const socket = new WebSocket(origin.replace("http", "ws") + path);
      const closed = new Promise((resolve) => socket.onclose = resolve);
      const text = await new Promise((resolve, reject) => {
        socket.onmessage = ({ data }) => resolve(data);
        socket.onerror = reject;
      });
      assertEquals(text, path === "/" ? "undefined" : "1");
      await closed;
    }
  });
  await failed;
  assertEquals(errors.length, 1);
  assert(
    errors[0].includes("Oak sends a WebSocket without headers"),
    errors[0],
  );
});

Deno.test("Oak: a static file carries the session", async () => {
  const { app, visit } = makeApp();
  const root = `${import.meta.dirname}`;
  app.use(async (ctx) => {
    count(ctx.state);
    await ctx.send({ root });
  });
  const text = await Deno.readTextFile(`${root}/deno.json`);
  await visit.sees("/deno.json", { text });
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Oak: response.with() carries the session", async () => {
  const { app, session, visit } = makeApp();
  const kept = new Response(null, { status: 204 });
  const answers: Record<string, () => Response> = {
    "/text": () => new Response("text", { status: 203 }),
    "/redirect": () => Response.redirect("http://localhost/there", 303),
    "/kept": () => kept,
  };
  app.use((ctx) => {
    if (!ctx.request.url.search) count(ctx.state);
    ctx.response.with(answers[ctx.request.url.pathname]());
  });
  await visit.sees("/text", { status: 203, text: "text" });
  await visit.sees("/redirect", { status: 303 });
  await visit.sees("/kept", { status: 204 });
  assertEquals(await visit.data(), { n: 3 });

  const other = new Visit((request) => handle(app, request), { session });
  const response = await other.sees("/kept?read", { status: 204 });
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("Oak: a thrown Response is an answer, and saves", async () => {
  const { app, visit } = makeApp();
  app.use((ctx) => {
    count(ctx.state);
    throw new Response("stop", { status: 409 });
  });
  await visit.sees("/", { status: 409, text: "stop" });
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Oak: a form logs in, and out", async () => {
  const { app, login, visit } = makeApp();
  const router = new Router<State>();
  router.post("/login", async (ctx) => {
    const form = await ctx.request.body.form();
    const user = form.get("id") === "1" ? SUSAN : DAVID;
    ctx.response.with(await login.loginUser(ctx.request.source!, user));
  });
  router.post("/logout", async (ctx) => {
    ctx.response.with(await login.logoutUser(ctx.request.source!));
  });
  router.get("/", required(login), (ctx) => {
    ctx.response.body = ctx.state.user.name;
  });
  app.use(router.routes());
  const response = await visit.post("/login?next=/x", { form: { id: "1" } });
  assertEquals(response.headers.get("Location"), "/x");
  await visit.sees("/", { text: "susan" });
  await visit.post("/logout");
  await visit.sees("/", { status: 302 });
});

Deno.test("Oak: guards let in whom they should", async () => {
  const { app, login, visit } = makeApp();
  const inner = new Router<State>();
  inner.get("/user", required(login), (ctx) => {
    ctx.response.body = ctx.state.user.name;
  });
  inner.get(
    "/admin",
    required(login, { check: ({ isAdmin }) => isAdmin }),
    (ctx) => {
      ctx.response.body = "admin";
    },
  );
  inner.get("/fresh", fresh(login, { maxAge: 60 }), (ctx) => {
    ctx.response.body = "fresh";
  });
  const router = new Router<State>();
  router.use("/inner", inner.routes());
  app.use(router.routes());

  const sent = await visit.sees("/inner/user?x=1", { status: 302 });
  assertEquals(
    sent.headers.get("Location"),
    "/login?next=%2Finner%2Fuser%3Fx%3D1",
  );
  assertEquals(sent.headers.get("Cache-Control"), "no-store");
  await visit.loginAs(DAVID, { fresh: false });
  await visit.sees("/inner/admin", { status: 403 });
  await visit.sees("/inner/fresh", { status: 302 });
  await visit.loginAs(SUSAN);
  await visit.sees("/inner/user", { text: "susan" });
  await visit.sees("/inner/admin", { text: "admin" });
  await visit.sees("/inner/fresh", { text: "fresh" });
});

Deno.test("Oak: requireUser() sends away whom it does not let in", async () => {
  const { app, login, visit } = makeApp();
  app.use(async (ctx) => {
    const user = await login.requireUser(ctx.request.source!);
    ctx.response.body = user.name;
  });
  const response = await visit.sees("/", { status: 302 });
  assertEquals(response.headers.get("Location"), "/login?next=%2F");
  await visit.loginAs(SUSAN);
  await visit.sees("/", { text: "susan" });
});

Deno.test("Oak: a middleware saves after a guard that is a route's handler", async () => {
  const { app, login, visit } = makeApp();
  app.use(async (ctx, next) => {
    await next();
    count(ctx.state);
  });
  const page = login.required((_request, user) => new Response(user.name));
  app.use(async (ctx) => ctx.response.with(await page(ctx.request.source!)));
  await visit.sees("/", { status: 302 });
  await visit.loginAs(SUSAN);
  await visit.sees("/", { text: "susan" });
  assertEquals(await visit.data(), { n: 2 });
});

Deno.test("Oak: a body limit refuses a form, and the session stays", async () => {
  const { app, visit } = makeApp();
  app.use(async (ctx) => {
    count(ctx.state);
    const text = await ctx.request.body.text();
    if (text.length > 10) ctx.response.status = 413;
    ctx.response.body = text;
  });
  const response = await visit.post("/", { form: { text: "x".repeat(20) } });
  assertEquals(response.status, 413);
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Oak: a state that requests share is refused", async () => {
  const { session } = makeSite();
  const app: App = new Application({ contextState: "alias", logErrors: false });
  app.use(sessions(session));
  app.use((ctx) => void (ctx.response.body = "text"));
  const visit = new Visit((request) => handle(app, request), { session });
  await visit.sees("/", { status: 500 });
});

Deno.test("Oak: on Node's server there is no Request, and the middleware says so", async () => {
  const { session } = makeSite();
  // Without a `serverConstructor`, Oak of npm takes Node's.
  const app: App = new Application({ logErrors: false });
  const failed = new Promise<string>((resolve) =>
    app.addEventListener("error", ({ error }) => resolve(String(error)))
  );
  app.use(sessions(session));
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const stop = new AbortController();
  const listening = new Promise((resolve) =>
    app.addEventListener("listen", resolve)
  );
  const { signal } = stop;
  const served = app.listen({ hostname: "127.0.0.1", port, signal });
  await listening;
  let status: number | undefined;
  for (let i = 0; i < 50 && status === undefined; i++) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      await response.body?.cancel();
      ({ status } = response);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  stop.abort();
  assertEquals(status, 500);
  assert((await failed).includes("Oak has no Request of this server"));
  await Promise.race([
    served,
    new Promise((resolve) => setTimeout(resolve, 50)),
  ]);
});
