import { assert, assertEquals, assertRejects } from "@std/assert";
import { fresh, required, sessions } from "../../frameworks/oak.ts";
import { Login, Session } from "../../mod.ts";
import { captureErrors, cookieSetBy, KEY, requestWith } from "../_helpers.ts";
import { answer, type Middleware, OakContext } from "./_oak.ts";

interface User {
  id: number;
}

function makeSite() {
  const session = new Session<{ n: number }>({ secretKey: KEY });
  const login = new Login<User>(session, { userLoader: (id) => ({ id }) });
  return { session, login };
}

/** Counts in the session that the middleware has left, and goes on. */
function countThen(then: (ctx: OakContext) => unknown = () => {}): Middleware {
  return (ctx) => {
    const { session } = ctx.state;
    session.n = (session.n ?? 0) + 1;
    session.save();
    return then(ctx);
  };
}

/** What a response has put into the visitor's session. */
async function savedBy(session: Session, response: Response): Promise<unknown> {
  const value = cookieSetBy(response) ?? "";
  return { ...await session.get(requestWith(`session=${value}`)) };
}

/** The cookies of a user who has logged in. */
async function cookiesOf(login: Login<User>, isFresh = true): Promise<string> {
  const options = { fresh: isFresh };
  const response = await login.loginUser(requestWith(), { id: 7 }, options);
  return `session=${cookieSetBy(response)}`;
}

const KEPT = new Response(null, { status: 204 });
const ANSWERS: Record<string, (ctx: OakContext) => unknown> = {
  "a body": (ctx) => ctx.response.body = "text",
  "response.with()": (ctx) => ctx.response.with(new Response("text")),
  "an immutable response": (ctx) =>
    ctx.response.with(Response.redirect("http://localhost/x")),
  "a response that is kept": (ctx) => ctx.response.with(KEPT),
  "a thrown Response": () => {
    throw new Response("stop", { status: 409 });
  },
  "server-sent events": (ctx) => ctx.sendEvents(),
};

const EXPECTED: Record<string, [status: number, text: string]> = {
  "a body": [200, "text"],
  "response.with()": [200, "text"],
  "an immutable response": [302, ""],
  "a response that is kept": [204, ""],
  "a thrown Response": [409, "stop"],
  "server-sent events": [200, "events"],
};

for (const [what, then] of Object.entries(ANSWERS)) {
  Deno.test(`oak: sessions() saves onto ${what}`, async () => {
    const { session } = makeSite();
    const ctx = new OakContext(requestWith());
    const response = await answer(ctx, sessions(session), countThen(then));
    assertEquals(await savedBy(session, response), { n: 1 });
    assertEquals(response.headers.get("Vary"), "Cookie");
    assertEquals([response.status, await response.text()], EXPECTED[what]);
    assertEquals(KEPT.headers.getSetCookie(), []);
  });
}

Deno.test("oak: sessions() saves nothing of a handler that throws", async () => {
  const { session } = makeSite();
  const ctx = new OakContext(requestWith());
  const response = await answer(
    ctx,
    sessions(session),
    countThen(() => {
      throw new Error("broken");
    }),
  );
  assertEquals(response.status, 500);
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("oak: a save after the events have begun rejects", async () => {
  using errors = captureErrors();
  const { session } = makeSite();
  const ctx = new OakContext(requestWith());
  let late: Promise<void> | undefined;
  await answer(ctx, sessions(session), async (ctx) => {
    assertEquals(await ctx.sendEvents(), "target");
    late = ctx.state.session.save();
  });
  await assertRejects(() => late!, Error, "the response has left"); // it was
  assertEquals(errors.lines.length, 1);
});

Deno.test("oak: an error after the events have begun is passed on", async () => {
  const { session } = makeSite();
  const ctx = new OakContext(requestWith());
  const failing = answer(ctx, sessions(session), async (ctx) => {
    await ctx.sendEvents();
    throw new Error("broken");
  });
  await assertRejects(() => failing, Error, "broken");
});

Deno.test("oak: a WebSocket reads the session, and can't save it", async () => {
  const { session } = makeSite();
  const upgrade: Middleware = (ctx) => ctx.upgrade();
  const middleware = sessions(session);
  const reading = new OakContext(requestWith());
  reading.response.headers.set("Set-Cookie", "other=1");
  await answer(reading, middleware, upgrade);
  await assertRejects(
    () =>
      answer(
        new OakContext(requestWith()),
        middleware,
        countThen((ctx) => ctx.upgrade()),
      ),
    Error,
    "Cannot save session: Oak sends a WebSocket without headers",
  );
});

Deno.test("oak: sessions() keeps the headers that there are, once", async () => {
  const { session } = makeSite();
  const ctx = new OakContext(requestWith());
  const { headers } = ctx.response;
  headers.set("Vary", "Accept");
  headers.append("Set-Cookie", "a=1");
  headers.append("Set-Cookie", "b=1");
  const response = await answer(ctx, sessions(session), countThen());
  const names = response.headers.getSetCookie().map((line) =>
    line.split("=")[0]
  );
  assertEquals(names, ["a", "b", "session"]);
  assertEquals(response.headers.get("Vary"), "Accept, Cookie");
  assert(ctx.response.headers === headers);
});

for (const [name, guard] of Object.entries({ required, fresh })) {
  for (const isBelow of [true, false]) {
    const where = isBelow ? "below sessions()" : "alone";
    Deno.test(`oak: ${name}() ${where} lets in users, and saves`, async () => {
      const { session, login } = makeSite();
      const middleware: Middleware[] = [
        ...(isBelow ? [sessions(session)] : []),
        guard(login),
        async (ctx) => {
          const dict = await session.get(ctx.request.source!); // it is there
          dict.n = ctx.state.user.id;
          dict.save();
        },
      ];
      const away = await answer(new OakContext(requestWith()), ...middleware);
      assertEquals(away.headers.get("Location"), "/login?next=%2F");
      const request = requestWith(await cookiesOf(login));
      const response = await answer(new OakContext(request), ...middleware);
      assertEquals(response.headers.get("Cache-Control"), "no-store");
      assertEquals(await savedBy(session, response), { n: 7 });
    });
  }
}

Deno.test("oak: guards heed their options", async () => {
  const { login } = makeSite();
  const request = requestWith(await cookiesOf(login, false));
  for (
    const [guard, status] of [
      [required(login, { check: ({ id }) => id === 1 }), 403],
      [fresh(login, { maxAge: 60 }), 302],
    ] as const
  ) {
    const response = await answer(new OakContext(request), guard);
    assertEquals(response.status, status);
  }
});

Deno.test("oak: a state that requests share, and a server without requests, are refused", async () => {
  const { session } = makeSite();
  const shared = new OakContext(requestWith());
  shared.state = shared.app.state;
  for (
    const [ctx, message] of [
      [shared, "Cannot use ctx.state"],
      [new OakContext(undefined), "Oak has no Request of this server"],
    ] as const
  ) {
    const response = await answer(ctx, sessions(session));
    assertEquals(response.status, 500);
    assert((await response.text()).includes(message));
  }
});
