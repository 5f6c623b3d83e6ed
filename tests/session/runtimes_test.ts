/** What other runtimes do to responses; `compat/` asks the real ones. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Login, Session, withSession } from "../../mod.ts";
import { cookieSetBy, KEY, requestWith } from "../_helpers.ts";

/** As `Response` is where a server on Node has put its own in place of it. */
class Foreign {
  readonly headers = new Headers({ "Content-Type": "text/plain" });
  readonly status = 200;
  readonly type = "default";
  readonly [Symbol.toStringTag] = "Response";
}

function foreign(): Response {
  return new Foreign() as unknown as Response; // as that server says
}

/** Saves, and answers. */
function saving(answer: () => Response): () => Promise<Response> {
  const session = new Session({ secretKey: KEY });
  const handler = withSession(session, (_request, dict) => {
    dict.save();
    return answer();
  });
  return () => handler(requestWith());
}

Deno.test("a response of another class carries the session, returned or thrown", async () => {
  const thrown = saving(() => {
    throw foreign();
  });
  for (const visit of [saving(foreign), thrown]) {
    assert(cookieSetBy(await visit()) !== undefined);
  }
});

Deno.test("what is like a response is none", async () => {
  const { headers, status } = new Response();
  await assertRejects(
    saving(() => ({ headers, status }) as Response), // as an application may err
    TypeError,
    "the handler returned no Response",
  );
});

Deno.test("on Bun the body of a response is not asked for", async () => {
  Object.defineProperty(globalThis, "Bun", { value: {}, configurable: true });
  try {
    for (const [body, isItself] of [["text", true], [null, false]] as const) {
      const response = new Response(body);
      response.headers.delete("Content-Type"); // Bun has none yet.
      let asked = 0;
      Object.defineProperty(response, "body", {
        get: () => {
          asked++;
          return null;
        },
      });
      const answer = await saving(() => response)();
      assert(cookieSetBy(answer) !== undefined);
      assertEquals(answer === response, isItself);
      assertEquals(asked, isItself ? 0 : 1);
    }
  } finally {
    Reflect.deleteProperty(globalThis, "Bun");
  }
});

Deno.test("a guard's own response keeps the type that no header tells", async () => {
  const session = new Session({ secretKey: KEY });
  const login = new Login(session, { userLoader: (id: number) => ({ id }) });
  const location = new Response("Members only", { status: 403 });
  location.headers.delete("Content-Type");
  const type = "text/plain;charset=utf-8";
  location.blob = () => Promise.resolve(new Blob(["Members only"], { type }));
  const handler = login.required(() => new Response(), { location });
  const response = await handler(requestWith());
  assertEquals(response.headers.get("Content-Type"), type);
  assertEquals(await response.text(), "Members only");
});
