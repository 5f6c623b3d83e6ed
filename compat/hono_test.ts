/** The middleware of `@denizen/session/hono` under the real Hono. */

import {
  fresh,
  required,
  sessions,
  type SessionVariables,
} from "@denizen/session/hono";
import { assert, assertEquals } from "@std/assert";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { setCookie } from "hono/cookie";
import { serveStatic, upgradeWebSocket } from "hono/deno";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE } from "hono/streaming";
import {
  captureErrors,
  DAVID,
  makeSite,
  SUSAN,
  type User,
  Visit,
} from "./_site.ts";

type Site = ReturnType<typeof makeSite>;
type Variables = SessionVariables<Site["session"], User>;
type App = Hono<{ Variables: Variables }>;

/** An application whose handlers have sessions. */
function makeApp(): Site & { app: App; visit: Visit } {
  const site = makeSite();
  const app: App = new Hono();
  app.use(sessions(site.session));
  return { ...site, app, visit: new Visit(app.fetch, site) };
}

/** Counts in the visitor's session. */
function count({ session }: Variables): number {
  session.n = (session.n ?? 0) + 1;
  session.save();
  return session.n;
}

Deno.test("Hono: a session counts visits, and c.var.session is typed", async () => {
  const { app, visit } = makeApp();
  app.get("/", (c) => {
    // @ts-expect-error: the data have types
    const text: string | undefined = c.var.session.n;
    return c.json([count(c.var), text]);
  });
  const first = await visit.sees("/", { text: "[1,null]" });
  assertEquals(first.headers.get("Cache-Control"), "no-store");
  assertEquals(first.headers.get("Vary"), "Cookie");
  await visit.sees("/", { text: "[2,1]" });
});

Deno.test("Hono: a page that only reads sets no cookie", async () => {
  const { app, visit } = makeApp();
  app.get("/", (c) => c.text(`${c.var.session.n}`));
  const response = await visit.sees("/", { text: "undefined" });
  assertEquals(response.headers.getSetCookie(), []);
});

for (
  const [what, redirect] of [
    ["c.redirect()", undefined],
    [
      "Response.redirect()",
      () => Response.redirect("http://localhost/there", 303),
    ],
  ] as const
) {
  Deno.test(`Hono: ${what} carries the session`, async () => {
    const { app, visit } = makeApp();
    app.get("/", (c) => {
      count(c.var);
      return redirect?.() ?? c.redirect("http://localhost/there", 303);
    });
    const response = await visit.sees("/", { status: 303 });
    assertEquals(response.headers.get("Location"), "http://localhost/there");
    assertEquals(await visit.data(), { n: 1 });
  });
}

Deno.test("Hono: a page that is not found carries the session", async () => {
  const { app, visit } = makeApp();
  app.use(async (c, next) => {
    count(c.var);
    await next();
  });
  await visit.sees("/nowhere", { status: 404, text: "404 Not Found" });
  assertEquals(await visit.data(), { n: 1 });
  app.notFound((c) => c.text(`nothing for ${count(c.var)}`, 404));
  await visit.sees("/nowhere", { status: 404, text: "nothing for 3" });
  assertEquals(await visit.data(), { n: 3 });
});

Deno.test("Hono: a handler that throws saves nothing", async () => {
  using errors = captureErrors();
  const { app, visit } = makeApp();
  app.get("/", (c) => {
    count(c.var);
    throw new Error("broken");
  });
  await visit.sees("/", { status: 500, text: "Internal Server Error" });
  assertEquals(await visit.data(), {});
  app.onError((error, c) => c.text(error.message, 500));
  await visit.sees("/", { status: 500, text: "broken" });
  assertEquals(await visit.data(), {});
  assertEquals(errors.lines.length, 1);
});

Deno.test("Hono: an HTTPException is an answer, and saves", async () => {
  const { app, visit } = makeApp();
  app.get("/", (c) => {
    count(c.var);
    throw new HTTPException(401, { message: "who?" });
  });
  await visit.sees("/", { status: 401, text: "who?" });
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Hono: a thrown Response is an answer, and saves", async () => {
  const { app, visit } = makeApp();
  app.use("/*", secureHeaders());
  app.get("/", (c) => {
    count(c.var);
    throw new Response("stop", { status: 409 });
  });
  await visit.sees("/", { status: 409, text: "stop" });
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Hono: a save that fails is an error page", async () => {
  using _errors = captureErrors();
  const { app, visit } = makeApp();
  app.get("/", (c) => {
    Object.assign(c.var.session, { text: "x".repeat(5000) });
    c.var.session.save();
    return c.text("fine");
  });
  const response = await visit.sees("/", { status: 500 });
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("Hono: other cookies and headers stay, once each", async () => {
  const { app, visit } = makeApp();
  app.use(secureHeaders());
  app.use(async (c, next) => {
    await next();
    setCookie(c, "after", "1");
    c.header("Vary", "Accept", { append: true });
  });
  app.get("/", (c) => {
    setCookie(c, "other", "1");
    c.header("Cache-Control", "private");
    return c.text(`${count(c.var)}`);
  });
  const { headers } = await visit.sees("/", { text: "1" });
  const names = headers.getSetCookie().map((line) => line.split("=")[0]);
  assertEquals(names, ["other", "after", "session"]);
  assertEquals(headers.get("Cache-Control"), "private");
  assertEquals(headers.get("Vary"), "Accept, Cookie");
  assert(headers.has("X-Frame-Options"));
});

Deno.test("Hono: a stream carries the session, and can't save it any more", async () => {
  using errors = captureErrors();
  const { app, visit } = makeApp();
  app.get("/", (c) => {
    count(c.var);
    return stream(c, async (stream) => {
      await stream.write("one");
      await stream.sleep(1);
      const late = await Promise.allSettled([c.var.session.save()]);
      await stream.write(late[0].status);
    });
  });
  await visit.sees("/", { text: "onerejected" });
  assertEquals(await visit.data(), { n: 1 });
  assert(errors.lines[0].includes("the response has left"), errors.lines[0]);
});

Deno.test("Hono: server-sent events carry the session", async () => {
  const { app, visit } = makeApp();
  app.get("/", (c) => {
    const data = `${count(c.var)}`;
    return streamSSE(c, (stream) => stream.writeSSE({ data }));
  });
  const response = await visit.sees("/", { text: "data: 1\n\n" });
  assertEquals(response.headers.get("Content-Type"), "text/event-stream");
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Hono: a WebSocket carries the session", async () => {
  const { app, session } = makeApp();
  app.get(
    "/",
    upgradeWebSocket((c) => {
      const n = count(c.var as Variables);
      return { onOpen: (_event, socket) => socket.send(`${n}`) };
    }),
  );
  const lines: string[][] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const response = await app.fetch(request);
      lines.push(response.headers.getSetCookie());
      return response;
    },
  );
  try {
    const socket = new WebSocket(`ws://127.0.0.1:${server.addr.port}/`);
    const text = await new Promise((resolve, reject) => {
      socket.onmessage = ({ data }) => resolve(data);
      socket.onerror = reject;
    });
    assertEquals(text, "1");
    socket.close();
    await new Promise((resolve) => socket.onclose = resolve);
    const headers = { Cookie: lines[0][0].split(";")[0] };
    const dict = await session.get(
      new Request("http://localhost/", { headers }),
    );
    assertEquals({ ...dict }, { n: 1 });
  } finally {
    await server.shutdown();
  }
});

Deno.test("Hono: static files are served below and above the session", async () => {
  const { app, session, login } = makeApp();
  const root = import.meta.dirname;
  const file = await Deno.readTextFile(`${root}/deno.json`);
  app.get("/*", serveStatic({ root }));
  const visit = new Visit(app.fetch, { session, login });
  const below = await visit.sees("/deno.json", { text: file });
  assertEquals(below.headers.get("Vary"), "Cookie");

  const outside: App = new Hono();
  outside.get("/*", serveStatic({ root }));
  outside.use(sessions(session));
  const above = await new Visit(outside.fetch, { session }).sees("/deno.json", {
    text: file,
  });
  assertEquals(above.headers.get("Vary"), null);
});

Deno.test("Hono: a form logs in, and out", async () => {
  const { app, login, visit } = makeApp();
  app.post("/login", async (c) => {
    const { id } = await c.req.parseBody();
    return await login.loginUser(c.req.raw, id === "1" ? SUSAN : DAVID);
  });
  app.post("/logout", (c) => login.logoutUser(c.req.raw));
  app.get("/", required(login), (c) => c.text(c.var.user.name));
  const response = await visit.post("/login?next=/x", { form: { id: "1" } });
  assertEquals(response.headers.get("Location"), "/x");
  await visit.sees("/", { text: "susan" });
  await visit.post("/logout");
  await visit.sees("/", { status: 302 });
});

/** A form as a browser sends it that does not know its length yet. */
function chunked(text: string): RequestInit {
  const headers = {
    "Content-Type": "application/x-www-form-urlencoded",
    Origin: "http://localhost",
  };
  const body = new Blob([text]).stream();
  return { method: "POST", headers, body };
}

for (const isAbove of [true, false]) {
  const where = isAbove ? "above" : "below";
  Deno.test(`Hono: a form logs in with a body limit ${where} the session`, async () => {
    const site = makeSite();
    const { session, login } = site;
    const app: App = new Hono();
    const limit = bodyLimit({ maxSize: 100 });
    const middleware = [limit, sessions(session)];
    app.use(...(isAbove ? middleware : middleware.reverse()));
    app.use(async (c, next) => {
      await next();
      count(c.var);
    });
    app.post("/login", async (c) => {
      const form = await c.req.raw.clone().formData();
      return await login.loginUser(
        c.req.raw,
        form.get("id") === "1" ? SUSAN : DAVID,
      );
    });
    app.get("/", required(login), (c) => c.text(c.var.user.name));
    app.post("/", async (c) => {
      const dict = await session.get(c.req.raw);
      const user = await login.requireUser(c.req.raw);
      assert(dict === c.var.session);
      return c.text(user.name);
    });
    const visit = new Visit(app.fetch, site);
    await visit.fetch("/login", chunked("id=1"));
    assertEquals(await visit.data(), { n: 1 });
    await visit.sees("/", { text: "susan" });
    const posted = await visit.fetch("/", chunked("id=1"));
    assertEquals(await posted.text(), "susan");
    const refused = await visit.fetch("/", chunked("x".repeat(101)));
    assertEquals(refused.status, 413);
    assertEquals(await visit.data(), { n: 3 });
  });
}

Deno.test("Hono: guards let in whom they should", async () => {
  const { app, login, visit } = makeApp();
  app.get("/user", required(login), (c) => c.text(c.var.user.name));
  app.get(
    "/admin",
    required(login, { check: ({ isAdmin }) => isAdmin }),
    (c) => c.text("admin"),
  );
  app.get("/fresh", fresh(login, { maxAge: 60 }), (c) => c.text("fresh"));
  app.get(
    "/away",
    required(login, { location: "/elsewhere" }),
    (c) => c.text("in"),
  );

  const sent = await visit.sees("/user?x=1", { status: 302 });
  assertEquals(sent.headers.get("Location"), "/login?next=%2Fuser%3Fx%3D1");
  assertEquals(sent.headers.get("Cache-Control"), "no-store");
  assertEquals(
    (await visit.get("/away")).headers.get("Location"),
    "/elsewhere",
  );

  await visit.loginAs(DAVID, { fresh: false });
  await visit.sees("/user", { text: "david" });
  await visit.sees("/admin", { status: 403 });
  await visit.sees("/fresh", { status: 302 });
  await visit.loginAs(SUSAN);
  await visit.sees("/admin", { text: "admin" });
  await visit.sees("/fresh", { text: "fresh" });
});

Deno.test("Hono: a guard needs no other middleware", async () => {
  const site = makeSite();
  const app: App = new Hono();
  app.get("/", required(site.login), async (c) => {
    const dict = await site.session.get(c.req.raw);
    dict.n = 7;
    dict.save();
    return c.text(c.var.user.name);
  });
  const visit = new Visit(app.fetch, site);
  await visit.sees("/", { status: 302 });
  await visit.loginAs(SUSAN);
  await visit.sees("/", { text: "susan" });
  assertEquals(await visit.data(), { n: 7 });
});

Deno.test("Hono: a middleware saves after a guard that is a route's handler", async () => {
  const { app, login, visit } = makeApp();
  app.use(async (c, next) => {
    await next();
    count(c.var);
  });
  const page = login.required((_request, user) => new Response(user.name));
  app.get("/", (c) => page(c.req.raw));
  await visit.sees("/", { status: 302 });
  await visit.loginAs(SUSAN);
  await visit.sees("/", { text: "susan" });
  assertEquals(await visit.data(), { n: 2 });
});

Deno.test("Hono: requireUser() sends away whom it does not let in", async () => {
  const { app, login, visit } = makeApp();
  app.get("/", async (c) => {
    const user = await login.requireUser(c.req.raw);
    return c.text(user.name);
  });
  const response = await visit.sees("/", { status: 302 });
  assertEquals(response.headers.get("Location"), "/login?next=%2F");
  await visit.loginAs(SUSAN);
  await visit.sees("/", { text: "susan" });
});

Deno.test("Hono: nested routers have the session, whatever they throw", async () => {
  using _errors = captureErrors();
  const { app, login, visit } = makeApp();
  const inner: App = new Hono();
  inner.use(required(login));
  inner.get("/page", (c) => c.text(`${c.var.user.name} ${count(c.var)}`));
  inner.get("/throws", (c) => {
    count(c.var);
    throw new Error("inner");
  });
  inner.onError((error, c) => c.text(error.message, 500));
  app.route("/inner", inner);
  await visit.sees("/inner/page", { status: 302 });
  await visit.loginAs(SUSAN);
  await visit.sees("/inner/page", { text: "susan 1" });
  await visit.sees("/inner/throws", { status: 500, text: "inner" });
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Hono: HEAD saves as GET does", async () => {
  const { app, visit } = makeApp();
  app.get("/", (c) => c.text(`${count(c.var)}`));
  await visit.fetch("/", { method: "HEAD" });
  assertEquals(await visit.data(), { n: 1 });
});

Deno.test("Hono: a page that is kept gives nobody another's cookie", async () => {
  const { app, session, visit } = makeApp();
  const page = new Response(null, { status: 204 });
  app.get("/", (c) => {
    if (c.req.query("save")) count(c.var);
    return page;
  });
  await visit.sees("/?save=1", { status: 204 });
  const other = new Visit(app.fetch, { session });
  const response = await other.sees("/", { status: 204 });
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("Hono: a mounted handler can't save, and says so", async () => {
  using errors = captureErrors();
  const { app, session, visit } = makeApp();
  app.mount("/mounted", async (request: Request) => {
    const dict = await session.get(request);
    dict.n = 1;
    dict.save();
    return new Response();
  });
  await visit.sees("/mounted/", { status: 500 });
  assert(errors.lines[0].includes("nothing would send it"), errors.lines[0]);
});

Deno.test("Hono: session.wrap(app.fetch) can't tell an error page from another", async () => {
  using _errors = captureErrors();
  const site = makeSite();
  const app = new Hono();
  app.get("/", async (c) => {
    const dict = await site.session.get(c.req.raw);
    dict.n = 1;
    dict.save();
    throw new Error("broken");
  });
  const visit = new Visit(
    site.session.wrap((request) => app.fetch(request)),
    site,
  );
  await visit.sees("/", { status: 500 });
  assertEquals(await visit.data(), { n: 1 });
});
