import { assertEquals, assertStrictEquals } from "@std/assert";
import type { RejectReason } from "../../session.ts";
import type { Session, SessionOptions } from "../../mod.ts";
import {
  type Fixture,
  testEach,
  type Traits,
} from "../backends/_every_backend.ts";
import { TestKv } from "../backends/_kv.ts";
import {
  captureErrors,
  captureRejections,
  cookieSetBy,
  NOW,
  OTHER_KEY,
  requestWith,
  signToken,
} from "../_helpers.ts";
import { countCalls } from "../_tokens.ts";
import {
  DAY,
  newSession,
  nextTurn,
  requestOf,
  storeOf,
  visit,
} from "./_visits.ts";

/** A value that is well-formed for each backend, but for the one of ids. */
const LONG = "x".repeat(4_097);

/** Cookies of a request, why a session of any backend takes none, and where. */
const REJECTED: [
  what: string,
  reason: RejectReason,
  make: (fixture: Fixture) => Promise<string> | string,
  wanted?: Partial<Traits>,
][] = [
  ["a value that is none of the backend's", "malformed", () => "no~value"],
  ["an empty value", "malformed", () => ""],
  [
    "an exp that is no number",
    "malformed",
    ({ session }) => session.encode({ exp: "soon" }),
  ],
  [
    "an exp that has come",
    "expired",
    ({ session }) => session.encode({ exp: NOW }),
  ],
  [
    "a session older than maxAge",
    "expired",
    ({ session }) => session.encode({ _saved: NOW - 14 * DAY }),
  ],
  [
    "an nbf that is ahead",
    "not yet valid",
    ({ session }) => session.encode({ nbf: NOW + 61 }),
  ],
  [
    "a session of another name",
    "other session",
    ({ session }) => session.encode({ _cookie: "admin" }),
  ],
  [
    "two sessions",
    "ambiguous",
    async ({ session }) => {
      const values = [{ n: 1 }, { n: 2 }].map((data) => session.encode(data));
      return (await Promise.all(values)).join("; session=");
    },
  ],
  [
    "a token of another key",
    "signature",
    (fixture) => fixture.newSession({ secretKey: OTHER_KEY }).encode({ n: 1 }),
    { isKept: false, isAuthenticated: true },
  ],
  ["what no cookie can hold", "too long", () => LONG, { isKept: false }],
  ["what is too long for an id", "malformed", () => LONG, { isKept: true }],
  [
    "a session that was ended",
    "unknown",
    async ({ backend, session }) => {
      const value = await session.encode({ n: 1 });
      await backend.remove?.(value);
      return value;
    },
    { isKept: true },
  ],
];

/** Values that a backend of one's own finds or does not, and the reason. */
const OWN: [
  what: string,
  options: SessionOptions,
  reason: RejectReason,
][] = [
  ["finds nothing", { backend: storeOf(null) }, "malformed"],
  [
    "finds nothing and explains it",
    { backend: storeOf(null, { explain: () => "unknown" }) },
    "unknown",
  ],
  [
    "finds nothing and explains it later",
    { backend: storeOf(null, { explain: () => Promise.resolve("signature") }) },
    "signature",
  ],
  ["finds an old session", { backend: storeOf({ exp: NOW }) }, "expired"],
  [
    "finds a session past absoluteMaxAge",
    {
      backend: storeOf({ _started: NOW - DAY, exp: NOW + DAY }),
      absoluteMaxAge: DAY,
    },
    "expired",
  ],
  [
    "finds another session, and would explain nothing",
    {
      backend: storeOf({ _cookie: "admin" }, { explain: () => "malformed" }),
    },
    "other session",
  ],
];

const broken = new Error("broken");

/** Ways in which those who are asked fail, at once and later. */
const FAILURES: [how: string, fail: () => never | Promise<never>][] = [
  ["throws", () => {
    throw broken;
  }],
  ["rejects", () => Promise.reject(broken)],
];

/** What a session tells of a request whose cookies it reads. */
interface Told {
  request: Request;
  /** The data that are found in spite of all. */
  data: Record<string, unknown>;
  /** The arguments of each call. */
  calls: unknown[][];
}

/** Reads a session twice, and waits until `onReject` was called so often. */
async function readTwice(
  newSession: (options: SessionOptions) => Session,
  cookies: string,
  count = 1,
): Promise<Told> {
  const calls: unknown[][] = [];
  const told = Promise.withResolvers<void>();
  const session = newSession({
    onReject(...call) {
      calls.push(call);
      if (calls.length === count) told.resolve();
    },
  });
  const handler = session.wrap(async (request) => {
    await session.get(request);
    return Response.json(await session.get(request));
  });
  const request = requestWith(cookies);
  const data = await (await handler(request)).json();
  if (count > 0) await told.promise;
  await nextTurn();
  return { request, data, calls };
}

for (const [what, reason, make, wanted] of REJECTED) {
  testEach(`onReject is told "${reason}" of ${what}, once`, async (fixture) => {
    const { request, data, calls } = await readTwice(
      (options) => fixture.newSession(options),
      `session=${await make(fixture)}`,
    );
    assertEquals(data, {});
    // The reason and the request: nothing of what the cookie says.
    assertEquals(calls, [[reason, request]]);
    assertStrictEquals(calls[0][1], request);
  }, wanted);
}

testEach(
  "onReject is told nothing of a session that is taken",
  async (fixture) => {
    const value = await fixture.session.encode({ n: 1 });
    for (
      const cookies of [
        `session=${value}`,
        `session=no~value; session=${value}`,
        `other=no~value; session=${value}`,
      ]
    ) {
      const { data, calls } = await readTwice(
        (options) => fixture.newSession(options),
        cookies,
        0,
      );
      assertEquals([data, calls], [{ n: 1 }, []]);
    }
  },
);

for (const [what, own, reason] of OWN) {
  Deno.test(`onReject is told "${reason}" where a backend of one's own ${what}`, async () => {
    const { data, calls } = await readTwice(
      (options) => newSession({ ...own, ...options }),
      "session=id",
    );
    assertEquals(data, {});
    assertEquals(calls.map(([reason]) => reason), [reason]);
  });
}

Deno.test('onReject is told "expired" of a Fernet token by its own time', async () => {
  const clock = () => (NOW - 14 * DAY) * 1000;
  const old = newSession({ backend: "fernet", clock });
  const { calls } = await readTwice(
    (options) => newSession({ backend: "fernet", ...options }),
    `session=${await old.encode({ n: 1 })}`,
  );
  assertEquals(calls.map(([reason]) => reason), ["expired"]);
});

Deno.test("onReject is told of each cookie where several are not taken", async () => {
  const old = await signToken({ exp: NOW });
  const forged = await signToken({ n: 1 }, OTHER_KEY);
  const { calls } = await readTwice(
    newSession,
    `session=no~value; session=${old}; session=${forged}`,
    3,
  );
  const reasons = calls.map(([reason]) => String(reason)).sort();
  assertEquals(reasons, ["expired", "malformed", "signature"]);
});

for (const cookies of [undefined, "other=no~value", "session"]) {
  Deno.test(`onReject is told nothing where the cookies are ${cookies}`, async () => {
    const calls: unknown[] = [];
    const session = newSession({ onReject: (reason) => calls.push(reason) });
    await session.get(requestWith(cookies));
    await nextTurn();
    assertEquals(calls, []);
  });
}

Deno.test("onReject is told nothing of what session.decode() is given", async () => {
  const calls: unknown[] = [];
  const session = newSession({ onReject: (reason) => calls.push(reason) });
  assertEquals(await session.decode("no~value"), {});
  await nextTurn();
  assertEquals(calls, []);
});

Deno.test("a cookie that is not taken leaves room for a new session", async () => {
  const session = newSession({ onReject: () => {} });
  const response = await visit(session, (dict) => {
    dict.n = 1;
    dict.save();
  }, { value: "no~value" });
  const { data, calls } = await readTwice(
    newSession,
    `session=${cookieSetBy(response)}`,
    0,
  );
  assertEquals([data, calls], [{ n: 1 }, []]);
});

// What it costs, and whom it fails

for (const backend of ["jwt", "fernet"] as const) {
  Deno.test(`a ${backend} token is verified once where nobody asks why it is not taken`, async () => {
    const forger = newSession({ backend, secretKey: OTHER_KEY });
    const value = await forger.encode({ n: 1 });
    const session = newSession({ backend });
    const read = async () => {
      await session.get(requestOf(value));
      await nextTurn();
    };
    assertEquals(await countCalls(read, "verify"), 1);
  });
}

Deno.test("a store is read once where nobody asks why a cookie is not taken", async () => {
  using store = await TestKv.open();
  const session = newSession({ backend: store.backend() });
  const asked: string[] = [];
  store.hook = ({ when, what }) => when === "before" && asked.push(what);
  await session.get(requestOf("A".repeat(43)));
  await nextTurn();
  assertEquals(asked, ["get"]);
});

Deno.test("a backend explains nothing where nobody asks, nor what it has found", async () => {
  const explain = () => {
    throw new Error("It was asked");
  };
  const found = { n: 1, exp: NOW + DAY };
  await newSession({ backend: storeOf(null, { explain }) })
    .get(requestOf("id"));
  const { data } = await readTwice(
    (options) =>
      newSession({ backend: storeOf(found, { explain }), ...options }),
    "session=id",
    0,
  );
  assertEquals(data, { n: 1 });
});

for (const [how, fail] of FAILURES) {
  const ways: [who: string, options: SessionOptions][] = [
    ["onReject", { onReject: fail }],
    ["explain() of a backend", {
      onReject: () => {},
      backend: storeOf(null, { explain: fail }),
    }],
  ];

  for (const [who, options] of ways) {
    Deno.test(`${who} that ${how} is logged, and fails no request`, async () => {
      using errors = captureErrors();
      using rejections = captureRejections();
      const response = await visit(newSession(options), () => {}, {
        value: "no~value",
      });
      assertEquals(await response.text(), "Hello");
      await nextTurn();
      assertEquals(rejections.reasons, []);
      assertEquals(errors.lines, [[broken]]);
    });
  }
}
