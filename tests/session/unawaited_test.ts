/** A promise that nobody awaits may fail: a rejection without a handler ends Deno. */

import { assertEquals, assertRejects } from "@std/assert";
import { type Backend, Session, type SessionDict } from "../../mod.ts";
import { captureRejections, requestWith } from "../_helpers.ts";
import { newSession, nextTurn, storeOf, visit } from "./_visits.ts";

const down = new Error("store is down");
const reject = () => Promise.reject(down);
const fail = () => {
  throw down;
};

/** Stores that are down, each in its way. */
const BROKEN: [how: string, backend: Backend][] = [
  ["rejects", storeOf(null, { load: reject, save: reject, remove: reject })],
  ["throws", storeOf(null, { load: fail, save: fail, remove: fail })],
];

const COOKIE = "session=id";

/** What fails without a dictionary. */
const CALLS: [what: string, call: () => Promise<unknown>][] = [
  ["get() without a key", () => new Session().get(requestWith())],
  ["get() of no Request", () => newSession().get({} as Request)],
  ["open() without a key", () => new Session().open(requestWith())],
  ["encode() without a key", () => new Session().encode({})],
  ["encode() of no JSON", () => newSession().encode({ n: 1n })],
  [
    "encode() of too much",
    () => newSession().encode({ text: "x".repeat(4096) }),
  ],
  ["decode() without a key", () => new Session().decode("a.b.c")],
  ...BROKEN.flatMap(([how, backend]): typeof CALLS => {
    const session = newSession({ backend });
    return [
      [`get() where a store ${how}`, () => session.get(requestWith(COOKIE))],
      [
        `get() of several cookies where a store ${how}`,
        () => session.get(requestWith("session=a; session=b; session=c")),
      ],
      [`open() where a store ${how}`, () => session.open(requestWith(COOKIE))],
      [`encode() where a store ${how}`, () => session.encode({})],
      [`decode() where a store ${how}`, () => session.decode("id")],
    ];
  }),
];

/** What a handler does with the dictionary, in vain. */
const EDITS: [what: string, edit: (dict: SessionDict) => Promise<unknown>][] = [
  ["save() of no JSON", (dict) => {
    dict.x = 10n;
    return dict.save();
  }],
  ["save() of a claim", (dict) => {
    dict._user_id = 1;
    return dict.save();
  }],
  ["save() of too much", (dict) => {
    dict.x = "x".repeat(4096);
    return dict.save();
  }],
];

/** What a handler does with the dictionary where the store is down. */
const WRITES: typeof EDITS = [
  ["save()", (dict) => dict.save()],
  ["delete()", (dict) => dict.delete()],
  ["save() after save()", (dict) => {
    dict.save();
    return dict.save();
  }],
  ["delete() after save()", (dict) => {
    dict.save();
    return dict.delete();
  }],
  ["save() after delete()", (dict) => {
    dict.delete();
    return dict.save();
  }],
];

/** Begins something, and does not wait for it: nothing may come of it. */
async function leaveUnawaited(begin: () => unknown): Promise<void> {
  using unhandled = captureRejections();
  begin();
  await nextTurn();
  await nextTurn();
  assertEquals(unhandled.reasons, []);
}

/** A visit whose handler begins something, and does not wait for it. */
function visitUnawaited(
  session: Session,
  edit: (dict: SessionDict) => Promise<unknown>,
): Promise<void> {
  const visiting = visit(session, async (dict) => {
    edit(dict);
    await nextTurn();
  }, { value: "id" });
  return leaveUnawaited(() => assertRejects(() => visiting));
}

for (const [what, call] of CALLS) {
  Deno.test(`session.${what} may be left unawaited`, async () => {
    await leaveUnawaited(call);
    await assertRejects(call);
  });
}

Deno.test("session.commit() may be left unawaited", async () => {
  const [, backend] = BROKEN[0];
  for (
    const [response, session] of [
      [new Response("Hello"), newSession({ backend })],
      [{} as Response, newSession()],
    ] as const
  ) {
    const request = requestWith();
    (await session.open(request)).save();
    await leaveUnawaited(() => session.commit(request, response));
  }
});

for (const [what, edit] of EDITS) {
  Deno.test(`dict.${what} may be left unawaited`, () =>
    visitUnawaited(newSession(), edit));
}

for (const [what, edit] of WRITES) {
  for (const [how, { save, remove }] of BROKEN) {
    Deno.test(`dict.${what} may be left unawaited where a store ${how}`, () => {
      const backend = storeOf({ n: 1 }, { save, remove });
      return visitUnawaited(newSession({ backend }), edit);
    });
  }
}

Deno.test("session.get() of two cookies may be left unawaited where a store fails in two ways", async () => {
  const load = (value: string) => value === "a" ? reject() : fail();
  const session = newSession({ backend: storeOf(null, { load }) });
  const request = requestWith("session=a; session=b");
  await leaveUnawaited(() => session.get(request));
});

Deno.test("session.regenerate() is awaited by the wrapper", async () => {
  const session = newSession();
  const handler = session.wrap((request) => {
    session.regenerate(request);
    return new Response("Hello");
  });
  const { headers } = await handler(requestWith());
  assertEquals(headers.getSetCookie().length, 1);
});
