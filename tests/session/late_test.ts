import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Session, SessionDict } from "../../mod.ts";
import {
  captureErrors,
  captureRejections,
  MemoryBackend,
  requestWith,
} from "../_helpers.ts";
import { newSession, nextTurn, requestOf, storeOf, visit } from "./_visits.ts";

/** How the handling of a request ends, and what is left of its session. */
const ENDS: Record<string, (session: Session) => Promise<SessionDict>> = {
  "the response has left": (session) =>
    keptOf(session, () => new Response("Hello")),
  "the handler has thrown": (session) =>
    keptOf(session, () => {
      throw new Error("broken");
    }),
  "the handler has returned no Response": (session) =>
    keptOf(session, () => undefined as unknown as Response),
  "session.commit() has written": async (session) => {
    const request = requestOf("id1");
    const dict = await session.open(request);
    await session.commit(request, new Response("Hello"));
    return dict;
  },
  "the wrapper has ended, and it is read only then": async (session) => {
    const request = requestOf("id1");
    await session.wrap(() => new Response("Hello"))(request);
    return await session.get(request);
  },
  "a save has failed": async (session) => {
    const request = requestOf("id1");
    const dict = await session.open(request);
    dict.x = 10n;
    dict.save();
    await session.commit(request, new Response("Hello")).catch(() => {});
    delete dict.x;
    return dict;
  },
};

/** The dictionary of a request whose handler has ended. */
async function keptOf(
  session: Session,
  respond: () => Response,
): Promise<SessionDict> {
  const kept: SessionDict[] = [];
  const keep = (dict: SessionDict) => void kept.push(dict);
  await visit(session, keep, { value: "id1", respond }).catch(() => {});
  return kept[0];
}

for (const [what, end] of Object.entries(ENDS)) {
  for (const method of ["save", "delete"] as const) {
    Deno.test(`dict.${method}() rejects, is logged once and writes nothing once ${what}`, async () => {
      const backend = new MemoryBackend();
      backend.records.set("id1", { planted: "planted" });
      const dict = await end(newSession({ backend }));
      using errors = captureErrors();
      const error = await assertRejects(
        () => dict[method](),
        Error,
        `Cannot ${method} session: the response has left`,
      );
      assertEquals(errors.lines, [[error]]);
      assert(!error.message.includes("planted"), error.message);
      assertEquals({ ...dict } as unknown, { planted: "planted" });
      assertEquals([backend.previous, backend.removed], [[], []]);
    });
  }
}

for (const method of ["save", "delete"] as const) {
  Deno.test(`dict.${method}() that is late and not awaited is no unhandled rejection`, async () => {
    const dict = await keptOf(newSession(), () => new Response("Hello"));
    using errors = captureErrors();
    using rejections = captureRejections();
    dict[method]();
    await nextTurn();
    assertEquals(rejections.reasons, []);
    assertStringIncludes(String(errors.lines), `${method} it before`);
  });
}

Deno.test("dict.save() is not late while the wrapper waits for another write", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const values = [promise, Promise.resolve("second")];
  const backend = storeOf(null, { save: () => values.shift()! }); // there are two
  let dict: SessionDict | undefined;
  const session = newSession({ backend });
  const handler = session.wrap(async (request) => {
    dict = await session.get(request);
    dict.save();
    return new Response("Hello");
  });
  const response = handler(requestWith());
  await nextTurn();
  const saved = dict?.save();
  resolve("first");
  await saved;
  const [line] = (await response).headers.getSetCookie();
  assertStringIncludes(line, "session=second");
});
