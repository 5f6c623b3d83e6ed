import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Session } from "../../mod.ts";
import { cookieSetBy, MemoryBackend, requestWith } from "../_helpers.ts";
import { dataOf, newSession } from "./_visits.ts";

/** What an application does with a request. */
type Use = (request: Request) => Promise<void>;

/** What the error tells the application to do. */
const MENDS = [
  "session.wrap()",
  "withSession()",
  "session.open() and then session.commit()",
];

const COOKIE = "session=id1";

/** Requests whose session nobody sends, though a wrapper may be near. */
const UNSENT: Record<string, (session: Session, use: Use) => Promise<unknown>> =
  {
    "without a wrapper": (_session, use) => use(requestWith(COOKIE)),
    "under the wrapper of another session": (_session, use) =>
      below(newSession({ cookieName: "other" }), use),
    "on a clone of the wrapped request": (session, use) =>
      below(session, (request) => use(request.clone())),
    "on a Request made of the wrapped one": (session, use) =>
      below(session, (request) => use(new Request(request))),
    "on a Request that takes the place of the wrapped one": (session, use) =>
      below(session, ({ url, headers }) => use(new Request(url, { headers }))),
    "on a clone of the opened request": async (session, use) => {
      const request = requestWith(COOKIE);
      await session.open(request);
      await use(request.clone());
    },
    "on a wrapped request whose clone was opened": (session, use) =>
      below(newSession({ cookieName: "other" }), async (request) => {
        await session.open(request.clone());
        await use(request);
      }),
  };

/** Copies of a request. */
const COPIES: Record<string, (request: Request) => Request> = {
  "request.clone()": (request) => request.clone(),
  "new Request(request)": (request) => new Request(request),
};

/** Uses a request below a wrapper. */
function below(session: Session, use: Use): Promise<Response> {
  const handler = session.wrap(async (request) => {
    await use(request);
    return new Response("Hello");
  });
  return handler(requestWith(COOKIE));
}

for (const [where, run] of Object.entries(UNSENT)) {
  for (const method of ["save", "delete"] as const) {
    Deno.test(`dict.${method}() throws at once ${where}, and changes nothing`, async () => {
      const backend = new MemoryBackend();
      backend.records.set("id1", { n: 1 });
      const session = newSession({ backend });
      await run(session, async (request) => {
        const dict = await session.get(request);
        const error = assertThrows(
          () => dict[method](),
          TypeError,
          `Cannot ${method} session: nothing would send it`,
        );
        for (const mend of MENDS) assertStringIncludes(error.message, mend);
        assertEquals({ ...dict } as unknown, { n: 1 });
      });
      assertEquals(backend.previous, []);
      assertEquals(backend.removed, []);
    });
  }
}

for (const [copying, copy] of Object.entries(COPIES)) {
  Deno.test(`dict.save() works on ${copying} once that was opened`, async () => {
    const session = newSession();
    const request = copy(requestWith());
    const dict = await session.open(request);
    dict.n = 1;
    dict.save();
    const response = await session.commit(request, new Response("Hello"));
    assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
  });

  Deno.test(`dict.save() works on ${copying} where that is what was wrapped`, async () => {
    const session = newSession();
    const handler = session.wrap(async (request) => {
      const dict = await session.get(request);
      dict.n = 1;
      dict.save();
      return new Response("Hello");
    });
    const response = await handler(copy(requestWith()));
    assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
  });
}

Deno.test("dict.save() works in a wrapper though the session was read before it", async () => {
  const session = newSession();
  const request = requestWith();
  const dict = await session.get(request);
  const handler = session.wrap(() => {
    dict.n = 1;
    dict.save();
    return new Response("Hello");
  });
  const response = await handler(request);
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});
