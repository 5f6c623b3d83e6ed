import { assertEquals, assertStrictEquals } from "@std/assert";
import type { SessionDict } from "../../mod.ts";
import { cookieSetBy, requestWith } from "../_helpers.ts";
import { dataOf, newSession, valueWith, visit } from "./_visits.ts";

const VARY: [before: string | undefined, after: string][] = [
  [undefined, "Cookie"],
  ["Accept-Encoding", "Accept-Encoding, Cookie"],
  ["Set-Cookie-Like", "Set-Cookie-Like, Cookie"],
  ["X-Cookie", "X-Cookie, Cookie"],
  ["Cookie-2", "Cookie-2, Cookie"],
  ["Cookie", "Cookie"],
  ["cookie", "cookie"],
  ["Accept,COOKIE , Origin", "Accept,COOKIE , Origin"],
  ["*", "*"],
  ["Accept, *", "Accept, *"],
];

/** Responses that an application can keep, and send any number of times. */
const CONSTANTS: Record<string, Response> = {
  "a redirect": Response.redirect("http://localhost/next"),
  "a bare status": new Response(null, { status: 204 }),
  "a location": new Response(null, {
    status: 302,
    headers: { Location: "/next" },
  }),
  "a status with Content-Type": new Response(null, {
    status: 304,
    headers: { "Content-Type": "text/html" },
  }),
  "an answer to HEAD": new Response(null, {
    headers: { "Content-Type": "text/html" },
  }),
};

const save = (dict: SessionDict) => void dict.save();

// What is written

Deno.test("withSession() sets no cookie when the session is only read", async () => {
  const session = newSession();
  const value = await valueWith(session, { n: 1 });
  const response = await visit(session, (dict) => void dict.n, { value });
  assertEquals(response.headers.getSetCookie(), []);
  assertEquals(response.headers.has("Cache-Control"), false);
});

Deno.test("withSession() sets no cookie in place of garbage", async () => {
  const response = await visit(newSession(), () => {}, { value: "garbage" });
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("withSession() leaves the handler's cookies alone when nothing is saved", async () => {
  const lines = ["session=mine", "theme=dark", "theme=light"];
  const respond = () => responseWith(lines);
  const response = await visit(newSession(), () => {}, { respond });
  assertEquals(response.headers.getSetCookie(), lines);
});

Deno.test("withSession() replaces a cookie of its name, and leaves the others", async () => {
  const session = newSession();
  const others = ["theme=dark; Path=/", "session2=x", "a=session=y"];
  const lines = ["session=mine; Path=/", ...others, "session=again"];
  const respond = () => responseWith(lines);
  const response = await visit(session, (dict) => {
    dict.n = 1;
    dict.save();
  }, { respond });
  const after = response.headers.getSetCookie();
  assertEquals(
    after.filter((line) => !line.startsWith("session=")).sort(),
    others.toSorted(),
  );
  assertEquals(after.length, others.length + 1);
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("session.wrap() returns the handler's own response where no session was read", async () => {
  const response = new Response("Hello");
  const handler = newSession().wrap(() => response);
  assertStrictEquals(await handler(requestWith("session=x")), response);
  assertEquals([...response.headers.keys()], ["content-type"]);
});

for (const [before, after] of VARY) {
  Deno.test(`withSession() makes Vary "${after}" of "${before ?? ""}"`, async () => {
    const headers = new Headers(before === undefined ? {} : { Vary: before });
    for (const edit of [() => {}, save]) {
      const respond = () => new Response("Hello", { headers });
      const response = await visit(newSession(), edit, { respond });
      assertEquals(response.headers.get("Vary"), after);
    }
  });
}

for (const name of ["save", "delete"] as const) {
  Deno.test(`withSession() forbids storing the response of a ${name}`, async () => {
    const response = await visit(newSession(), (dict) => void dict[name]());
    assertEquals(response.headers.get("Cache-Control"), "no-store");
  });
}

Deno.test("withSession() keeps the handler's Cache-Control", async () => {
  const headers = { "Cache-Control": "private, max-age=60" };
  const respond = () => new Response("Hello", { headers });
  const response = await visit(newSession(), save, { respond });
  assertEquals(response.headers.get("Cache-Control"), "private, max-age=60");
});

// Any response

Deno.test("withSession() copies a response whose headers are immutable", async () => {
  const respond = () => Response.redirect("http://localhost/next", 303);
  for (const [edit, cookies] of [[save, 1], [() => {}, 0]] as const) {
    const response = await visit(newSession(), edit, { respond });
    assertEquals(response.status, 303);
    assertEquals(response.headers.get("Location"), "http://localhost/next");
    assertEquals(response.headers.getSetCookie().length, cookies);
    assertEquals(response.headers.get("Vary"), "Cookie");
  }
});

Deno.test("withSession() keeps the status, headers and body of a response", async () => {
  const respond = () =>
    new Response(new TextEncoder().encode("Hello"), {
      status: 418,
      statusText: "Teapot",
      headers: { "X-Pot": "short" },
    });
  const response = await visit(newSession(), save, { respond });
  assertEquals(response.status, 418);
  assertEquals(response.statusText, "Teapot");
  assertEquals(response.headers.get("X-Pot"), "short");
  assertEquals(await response.text(), "Hello");
});

Deno.test("withSession() leaves a stream unread", async () => {
  let isPulled = false;
  const stream = new ReadableStream({
    pull(controller) {
      isPulled = true;
      controller.enqueue(new TextEncoder().encode("Hello"));
      controller.close();
    },
  }, { highWaterMark: 0 });
  const respond = () => new Response(stream);
  const response = await visit(newSession(), save, { respond });
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(isPulled, false);
  assertEquals(await response.text(), "Hello");
});

Deno.test("withSession() lets Response.error() pass", async () => {
  const respond = () => Response.error();
  const response = await visit(newSession(), save, { respond });
  assertEquals(response.type, "error");
  assertEquals(response.headers.getSetCookie(), []);
});

for (const [what, constant] of Object.entries(CONSTANTS)) {
  for (const way of ["returned", "thrown"]) {
    Deno.test(`${what} that is ${way} to two visitors leaks no cookie`, async () => {
      const session = newSession();
      const respond = () => {
        if (way === "thrown") throw constant;
        return constant;
      };
      const first = await visit(session, save, { respond });
      assertEquals(constant.headers.getSetCookie(), []);
      const second = await visit(session, () => {}, { respond });
      assertEquals(first.headers.getSetCookie().length, 1);
      assertEquals(second.headers.getSetCookie(), []);
      assertEquals(constant.headers.getSetCookie(), []);
      assertEquals(constant.headers.has("Cache-Control"), false);
    });
  }
}

function responseWith(cookies: string[]): Response {
  const response = new Response("Hello");
  for (const line of cookies) response.headers.append("Set-Cookie", line);
  return response;
}
