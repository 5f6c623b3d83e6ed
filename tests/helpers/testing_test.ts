import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  TestClient,
  type TestClientOptions,
  type TestHandler,
} from "../../helpers/testing.ts";
import {
  flash,
  isCrossOrigin,
  redirect,
  type SessionOptions,
  takeFlashes,
} from "../../mod.ts";
import { serve } from "../_helpers.ts";
import { locationOf, Site, type User } from "../_login.ts";
import { WatchedStore } from "../_watched_store.ts";

/** Says what the server got. */
async function echo(request: Request): Promise<Response> {
  const { method, url, headers } = request;
  const shown = ["accept", "content-type", "origin", "cookie", "x-test"];
  return Response.json({
    method,
    url,
    headers: Object.fromEntries(
      [...headers].filter(([name]) => shown.includes(name)),
    ),
    body: await request.text(),
  });
}

const PAGE = "text/html,application/xhtml+xml,*/*;q=0.8";

/** A small application with all that logins need. */
function application({ login, session, susan }: Site): TestHandler {
  const home = login.required((_request, user) => new Response(user.name));
  const money = login.fresh(() => new Response("Money"));
  return session.wrap(async (request) => {
    if (isCrossOrigin(request)) return new Response(null, { status: 403 });
    const dict = await session.get(request);
    const { pathname } = new URL(request.url);
    if (request.method === "POST" && pathname === "/login") {
      const form = await request.formData();
      if (form.get("password") !== "hello") {
        flash(dict, "Wrong password");
        return redirect("/login", 303);
      }
      const remember = form.has("remember");
      return await login.loginUser(request, susan, { remember });
    }
    if (pathname === "/login") return Response.json(takeFlashes(dict));
    if (pathname === "/logout") return await login.logoutUser(request);
    return await (pathname === "/money" ? money : home)(request);
  });
}

/** A client's visit from the first page to the last. */
async function visit(client: TestClient<User>): Promise<void> {
  const away = await client.get("/?page=2");
  assertEquals(locationOf(away), [302, "/login?next=%2F%3Fpage%3D2"]);
  const path = away.headers.get("Location") ?? "";
  const wrong = await client.post(path, { form: { password: "bye" } });
  assertEquals(locationOf(wrong), [303, "/login"]);
  assertEquals(await (await client.get("/login")).json(), [
    { text: "Wrong password", category: "message" },
  ]);
  assertEquals(await (await client.get("/login")).json(), []);

  const form = new FormData();
  form.set("password", "hello");
  form.set("remember", "on");
  const right = await client.post(path, { form });
  assertEquals(locationOf(right), [302, "/?page=2"]);
  assertEquals(await (await client.get("/")).text(), "susan");
  assertEquals(await (await client.get("/money")).text(), "Money");
  client.cookies.delete("session");
  assertEquals(await (await client.get("/")).text(), "susan");
  assertEquals((await client.get("/money")).status, 302);

  await client.post("/logout");
  assertEquals(client.cookies.get("session"), undefined);
  assertEquals(client.cookies.get("_remember"), undefined);
  assertEquals((await client.get("/")).status, 302);
}

Deno.test("TestClient visits an application without a server", async () => {
  const site = new Site();
  await visit(new TestClient(application(site), { clock: site.clock }));
});

Deno.test("TestClient visits a server by its URL", async () => {
  const site = new Site();
  await serve(application(site), async (url) => {
    await visit(new TestClient(url, { clock: site.clock }));
    await visit(new TestClient(new URL(url), { clock: site.clock }));
  });
});

Deno.test("client.loginAs() logs in without the login page, for a handler and for a server", async () => {
  const site = new Site();
  const { login, clock } = site;
  const handler = application(site);
  await serve(handler, async (url) => {
    for (const target of [handler, url]) {
      const client = new TestClient(target, { login, clock });
      await client.loginAs(site.susan);
      assertEquals(await (await client.get("/money")).text(), "Money");
      await client.loginAs(site.david, { fresh: false });
      assertEquals(await (await client.get("/")).text(), "david");
      assertEquals((await client.get("/money")).status, 302);
      await client.loginAs(site.susan, { remember: 5 });
      client.cookies.delete("session");
      assertEquals(await (await client.get("/")).text(), "susan");
    }
  });
});

Deno.test("client.loginAs() works with a store, and with every cookie's attributes", async () => {
  const sessions: SessionOptions[] = [
    { backend: new WatchedStore().backend() },
    { cookieName: "__Host-session" },
    { cookieOptions: { secure: true, sameSite: "Strict", maxAge: 60 } },
    { cookieOptions: { path: "/app" } },
  ];
  for (const session of sessions) {
    const site = new Site({ session });
    const client = new TestClient(
      site.login.required((_request, { name }) => new Response(name)),
      { login: site.login, clock: site.clock },
    );
    await client.loginAs(site.susan);
    assertEquals(await (await client.get("/app")).text(), "susan");
  }
});

Deno.test("client.loginAs() rejects where the cookie is for elsewhere", async () => {
  const rows: [SessionOptions["cookieOptions"], origin: string][] = [
    [{ domain: "example.com" }, "http://localhost"],
    [{ secure: true }, "http://example.com"],
  ];
  for (const [cookieOptions, origin] of rows) {
    const { login, susan } = new Site({ session: { cookieOptions } });
    const client = new TestClient<User>(echo, { login, origin });
    await assertRejects(
      () => client.loginAs(susan),
      TypeError,
      `Cannot log in: a browser at ${origin} keeps no cookie of these cookieOptions; pass the origin that they are for`,
    );
    const right = new TestClient<User>(echo, {
      login,
      origin: "https://example.com",
    });
    await right.loginAs(susan);
    assert(right.cookies.get("session"));
  }
});

Deno.test("client.loginAs() rejects without a login, and what loginUser() rejects", async () => {
  const { login, susan } = new Site();
  await assertRejects(
    () => new TestClient<User>(echo).loginAs(susan),
    TypeError,
    "the client knows no Login; pass it as the option login",
  );
  const client = new TestClient<User>(echo, { login });
  await assertRejects(
    () => client.loginAs({} as User),
    TypeError,
    "the user has no id",
  );
  await assertRejects(
    () => client.loginAs(susan, { remembered: true } as object),
    TypeError,
    "did you mean remember?",
  );
});

Deno.test("client.get() asks as a browser does, with further headers", async () => {
  const client = new TestClient(echo, { origin: "https://shop.example" });
  assertEquals(await (await client.get("/a?b=c#d")).json(), {
    method: "GET",
    url: "https://shop.example/a?b=c#d",
    headers: { accept: PAGE },
    body: "",
  });
  const headers = { Accept: "image/png", "X-Test": "1" };
  const image = await (await client.get("a", headers)).json();
  assertEquals(image.headers, { accept: "image/png", "x-test": "1" });
});

Deno.test("client.post() sends a form, or JSON, from its own origin", async () => {
  const client = new TestClient(echo);
  const form = { a: "1 &=", "\u00FC": "\u20AC" };
  const encoded = "a=1+%26%3D&%C3%BC=%E2%82%AC";
  const base = { accept: PAGE, origin: "http://localhost" };
  const urlencoded = "application/x-www-form-urlencoded;charset=UTF-8";
  for (const fields of [form, new URLSearchParams(form)]) {
    const sent = await (await client.post("/", { form: fields })).json();
    const headers = { ...base, "content-type": urlencoded };
    assertEquals([sent.headers, sent.body], [headers, encoded]);
  }
  const files = new FormData();
  files.set("a", new File(["x"], "a.txt"));
  const { headers: { "content-type": type }, body } =
    await (await client.post("/", { form: files })).json();
  assert(type.startsWith("multipart/form-data; boundary=") && body.length > 50);
  for (const body of [undefined, {}, { form: {} }]) {
    const sent = await (await client.post("/", body)).json();
    assertEquals([sent.method, sent.body], ["POST", ""]);
  }
  for (const json of [{ a: [1, null] }, null, "text", 0, false]) {
    const { headers, body } = await (await client.post("/", { json })).json();
    assertEquals(body, JSON.stringify(json));
    assertEquals(headers, {
      ...base,
      accept: "application/json",
      "content-type": "application/json",
    });
  }
  const headers = { Origin: "https://evil.example" };
  const foreign = await (await client.post("/", { headers })).json();
  assertEquals(foreign.headers.origin, "https://evil.example");
});

Deno.test("client.fetch() sends what fetch takes, a Request's options included", async () => {
  const client = new TestClient(echo);
  const init = { method: "PUT", body: "x", headers: { "X-Test": "1" } };
  const sent = await (await client.fetch("/thing", init)).json();
  assertEquals([sent.method, sent.body], ["PUT", "x"]);
  assertEquals(sent.headers["x-test"], "1");
  const controller = new AbortController();
  controller.abort(new Error("stopped"));
  const aborted = new TestClient((request) => {
    request.signal.throwIfAborted();
    return new Response();
  });
  const { signal } = controller;
  await assertRejects(() => aborted.fetch("/", { signal }), Error, "stopped");
});

Deno.test("TestClient follows no redirect, and passes on what a handler throws", async () => {
  const site = () => {
    const { status, headers } = redirect("/elsewhere");
    return new Response("Go on", { status, headers });
  };
  const response = await new TestClient(site).get("/");
  assertEquals(locationOf(response), [302, "/elsewhere"]);
  await serve(site, async (url) => {
    const response = await new TestClient(url).get("/");
    assertEquals(locationOf(response), [302, "/elsewhere"]);
    assertEquals(await response.text(), "Go on");
  });
  const broken = new TestClient(() => {
    throw new Error("broken");
  });
  await assertRejects(() => broken.get("/"), Error, "broken");
});

Deno.test("TestClient hands over a stream of a server as it comes", async () => {
  // It never ends by itself.
  const start = (controller: ReadableStreamDefaultController) =>
    controller.enqueue(new Uint8Array(1));
  const site = () => new Response(new ReadableStream({ start }));
  await serve(site, async (url) => {
    const { body } = await new TestClient(url).get("/");
    const reader = body?.getReader();
    assertEquals((await reader?.read())?.value?.length, 1);
    await reader?.cancel();
  });
});

Deno.test("TestClients share no cookies", async () => {
  const site = new Site();
  const handler = application(site);
  const [one, other] = [1, 2].map(() =>
    new TestClient<User>(handler, { login: site.login, clock: site.clock })
  );
  await one.loginAs(site.susan);
  assertEquals((await one.get("/")).status, 200);
  assertEquals((await other.get("/")).status, 302);
});

Deno.test("TestClient rejects what is no origin, and what answers no response", async () => {
  for (const origin of ["example.com", "", "about:blank"]) {
    const make = () => new TestClient(echo, { origin });
    assertThrows(make, TypeError, "it takes a handler, or an origin");
  }
  for (const answer of [undefined, null, "Hello", {}]) {
    const client = new TestClient(() => answer as Response);
    const asking = () => client.get("/");
    await assertRejects(asking, TypeError, "the handler returned no Response");
  }
});

Deno.test("TestClient rejects what is no option, and says what there is", () => {
  const wrong: [options: unknown, message: string][] = [
    [{ orgin: "http://localhost" }, "did you mean origin?"],
    [{ origin: 8000 }, "Cannot use origin: it must be a string, not number"],
    [{ clock: 0 }, "Cannot use clock"],
    [{ login: {} }, "Cannot use login: it has no loginUser() method"],
    [{ login: null }, "Cannot use login"],
    ["http://localhost", "Cannot use options"],
  ];
  for (const [options, message] of wrong) {
    const make = () => new TestClient(echo, options as TestClientOptions<User>);
    assertThrows(make, TypeError, message);
  }
});

Deno.test("client.post() rejects what is no body, and says what there is", async () => {
  const client = new TestClient(echo);
  const wrong: [body: unknown, message: string][] = [
    [{ password: "hello" }, "There are form, json, headers"],
    ["password=hello", "Cannot use options: it must be an object"],
    [{ form: "password=hello" }, "Cannot use form: it must be an object"],
    [new FormData(), "Cannot post: pass the form as { form }"],
    [new URLSearchParams("a=b"), "Cannot post: pass the form as { form }"],
  ];
  for (const [body, message] of wrong) {
    const posting = client.post("/", body as object);
    await assertRejects(() => posting, TypeError, message);
  }
});
