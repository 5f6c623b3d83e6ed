import { assert, assertEquals } from "@std/assert";
import { fresh, required, sessions } from "../../frameworks/hono.ts";
import { TestClient } from "../../helpers/testing.ts";
import { Login, Session } from "../../mod.ts";
import { cookieSetBy, KEY, requestWith } from "../_helpers.ts";
import { app, HttpException, type Middleware } from "./_hono.ts";

interface User {
  id: number;
}

function makeSite() {
  const session = new Session<{ n: number }>({ secretKey: KEY });
  const login = new Login<User>(session, { userLoader: (id) => ({ id }) });
  return { session, login };
}

/** Counts in the session that the middleware has left, and answers. */
function countThen(answer: () => Response): Middleware {
  return (c) => {
    // deno-lint-ignore no-explicit-any -- the fake has no types
    const session = c.var.session as any;
    session.n = (session.n ?? 0) + 1;
    session.save();
    return answer();
  };
}

/** What a response has put into the visitor's session. */
async function savedBy(session: Session, response: Response): Promise<unknown> {
  const value = cookieSetBy(response) ?? "";
  return { ...await session.get(requestWith(`session=${value}`)) };
}

const ANSWERS: Record<string, () => Response> = {
  "a text": () => new Response("text"),
  "an immutable redirect": () => Response.redirect("http://localhost/x"),
  "an HTTPException": () => {
    throw new HttpException("who?");
  },
  "a thrown Response": () => {
    throw new Response("stop", { status: 409 });
  },
};
const EXPECTED: Record<string, [status: number, text: string]> = {
  "a text": [200, "text"],
  "an immutable redirect": [302, ""],
  "an HTTPException": [401, "who?"],
  "a thrown Response": [409, "stop"],
};

for (const [what, answer] of Object.entries(ANSWERS)) {
  Deno.test(`hono: sessions() saves onto ${what}`, async () => {
    const { session } = makeSite();
    const handler = app(sessions(session), countThen(answer));
    const response = await handler(requestWith());
    assertEquals(await savedBy(session, response), { n: 1 });
    assertEquals([response.status, await response.text()], EXPECTED[what]);
  });
}

Deno.test("hono: sessions() saves nothing of a handler that throws", async () => {
  const { session } = makeSite();
  const handler = app(
    sessions(session),
    countThen(() => {
      throw new Error("broken");
    }),
  );
  const response = await handler(requestWith());
  assertEquals(response.status, 500);
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("hono: an error becomes a page once", async () => {
  const { session, login } = makeSite();
  let errors: Error[] = [];
  const handler = app(
    sessions(session),
    required(login),
    (c) => {
      ({ errors } = c);
      throw new Error("broken");
    },
  );
  const client = new TestClient<User>(handler, { login });
  await client.loginAs({ id: 1 });
  assertEquals((await client.get("/")).status, 500);
  assertEquals(errors.length, 1);
});

Deno.test("hono: headers that were set before stay on every answer", async () => {
  const { session, login } = makeSite();
  const cors: Middleware = (c, next) => {
    c.res.headers.set("Access-Control-Allow-Origin", "*");
    return next();
  };
  const throwing = countThen(ANSWERS["a thrown Response"]);
  for (
    const handler of [
      app(cors, sessions(session), throwing),
      app(cors, required(login), throwing),
      app(cors, sessions(session), countThen(ANSWERS["a text"])),
    ]
  ) {
    const { headers } = await handler(requestWith());
    assertEquals(headers.get("Access-Control-Allow-Origin"), "*");
  }
});

Deno.test("hono: two sessions go along with a request that is replaced", async () => {
  const { session } = makeSite();
  const other = new Session({ secretKey: KEY, cookieName: "other" });
  const handler = app(
    sessions(session),
    sessions(other),
    async (c) => {
      c.req.raw = new Request(c.req.raw);
      for (const one of [session, other]) {
        (await one.get(c.req.raw)).save();
      }
      return new Response();
    },
  );
  const response = await handler(requestWith());
  assertEquals(response.headers.getSetCookie().length, 2);
});

Deno.test("hono: sessions() passes on the error of a save", async () => {
  const { session } = makeSite();
  const handler = app(sessions(session), async (c) => {
    const dict = await session.get(c.req.raw);
    Object.assign(dict, { text: "x".repeat(5000) }).save();
    return new Response("text");
  });
  assertEquals((await handler(requestWith())).status, 500);
});

Deno.test("hono: sessions() passes on what is thrown and no error", async () => {
  const { session } = makeSite();
  const handler = app(sessions(session), () => {
    throw "text";
  });
  const thrown = await handler(requestWith()).catch((thrown) => thrown);
  assertEquals(thrown, "text");
});

Deno.test("hono: sessions() saves what middleware saves after a guard", async () => {
  const { session, login } = makeSite();
  const page = login.required(() => new Response("page"));
  const handler = app(
    sessions(session),
    async (c, next) => {
      await next();
      countThen(() => c.res)(c, next);
    },
    (c) => page(c.req.raw),
  );
  const client = new TestClient<User>(handler, { login });
  await client.loginAs({ id: 1 });
  const response = await client.get("/");
  assertEquals(await response.text(), "page");
  assertEquals(await savedBy(session, response), { n: 1 });
});

Deno.test("hono: sessions() keeps the headers that there are, once", async () => {
  const { session } = makeSite();
  const headers = { "Set-Cookie": "other=1", Vary: "Accept" };
  const handler = app(
    sessions(session),
    countThen(() => new Response(null, { status: 204, headers })),
  );
  const response = await handler(requestWith());
  const names = response.headers.getSetCookie().map((line) =>
    line.split("=")[0]
  );
  assertEquals(names, ["other", "session"]);
  assertEquals(response.headers.get("Vary"), "Accept, Cookie");
});

Deno.test("hono: sessions() goes along with a request that is replaced", async () => {
  const { session, login } = makeSite();
  const handler = app(
    sessions(session),
    async (c, next) => {
      for (let i = 0; i < 2; i++) c.req.raw = new Request(c.req.raw);
      await next();
    },
    async (c) => {
      assert(await session.get(c.req.raw) === c.var.session);
      return await login.loginUser(c.req.raw, { id: 1 });
    },
  );
  const response = await handler(requestWith());
  assert(cookieSetBy(response) !== undefined);
});

for (const [name, guard] of Object.entries({ required, fresh })) {
  for (const isBelow of [true, false]) {
    const where = isBelow ? "below sessions()" : "alone";
    Deno.test(`hono: ${name}() ${where} lets in users, and saves`, async () => {
      const { session, login } = makeSite();
      const handler = app(
        ...(isBelow ? [sessions(session)] : []),
        guard(login),
        async (c) => {
          const dict = await session.get(c.req.raw);
          dict.n = (c.var.user as User).id;
          dict.save();
          return new Response(null, { status: 204 });
        },
      );
      const client = new TestClient<User>(handler, { login });
      const away = await client.get("/");
      assertEquals(away.headers.get("Location"), "/login?next=%2F");
      await client.loginAs({ id: 7 });
      const response = await client.get("/");
      assertEquals(response.headers.get("Cache-Control"), "no-store");
      assertEquals(await savedBy(session, response), { n: 7 });
    });
  }
}

Deno.test("hono: fresh() sends away whose login is not", async () => {
  const { login } = makeSite();
  const handler = app(fresh(login, { maxAge: 60 }), () => new Response("in"));
  const client = new TestClient<User>(handler, { login });
  await client.loginAs({ id: 7 }, { fresh: false });
  assertEquals((await client.get("/")).status, 302);
});

Deno.test("hono: required() refuses whom its check refuses", async () => {
  const { login } = makeSite();
  const guard = required(login, { check: ({ id }) => id === 1 });
  const client = new TestClient<User>(app(guard, () => new Response()), {
    login,
  });
  await client.loginAs({ id: 7 });
  assertEquals((await client.get("/")).status, 403);
});

Deno.test("hono: a page that is not found is marked as the session's", async () => {
  const { session } = makeSite();
  const response = await app(sessions(session))(requestWith());
  assertEquals([response.status, response.headers.get("Vary")], [
    404,
    "Cookie",
  ]);
});
