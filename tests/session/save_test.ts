import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { SessionDict, SessionOptions } from "../../mod.ts";
import {
  captureRejections,
  cookieSetBy,
  MemoryBackend,
  NOW,
  payloadOf,
  SAVED,
  signToken,
} from "../_helpers.ts";
import {
  dataOf,
  DAY,
  newSession,
  nextTurn,
  storeOf,
  valueWith,
  visit,
} from "./_visits.ts";

Deno.test("dict.save() puts the data at the top level, beside the claims", async () => {
  const value = await valueWith(newSession(), { n: 1, name: "susan" });
  const { n, name, _started, exp, [SAVED]: saved } = payloadOf(value);
  assertEquals([n, name], [1, "susan"]);
  assertEquals([_started, saved, exp], [NOW, NOW, NOW + 14 * DAY]);
});

Deno.test("dict.save() makes a token of HS256 and type JWT", async () => {
  const value = await valueWith(newSession(), { n: 1 });
  assertEquals(await signToken(payloadOf(value)), value);
});

Deno.test("dict.save() takes whole seconds from the clock", async () => {
  const session = newSession({ clock: () => NOW * 1000 + 999 });
  const { _started, exp, [SAVED]: saved } = payloadOf(
    await valueWith(session, {}),
  );
  assertEquals([_started, saved, exp], [NOW, NOW, NOW + 14 * DAY]);
});

Deno.test("dict.save() takes its snapshot when it is called", async () => {
  const session = newSession();
  const response = await visit(session, (dict) => {
    dict.n = 1;
    dict.list = [{ a: 1 }];
    dict.save();
    dict.n = 2;
    dict.list[0].a = 2;
    dict.late = true;
  });
  const value = cookieSetBy(response);
  assertEquals(await dataOf(session, value), { n: 1, list: [{ a: 1 }] });
});

Deno.test("dict.save() again keeps the later edits", async () => {
  const session = newSession();
  const response = await visit(session, (dict) => {
    dict.n = 1;
    dict.save();
    dict.n = 2;
    dict.save();
  });
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 2 });
});

Deno.test("dict.save() starts at once", async () => {
  const backend = new MemoryBackend();
  await visit(newSession({ backend }), (dict) => {
    dict.save();
    assertEquals(backend.records.size, 1);
  });
});

Deno.test("dict.save() is awaited by the wrapper", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const backend = storeOf(null, { save: () => promise });
  const response = visit(newSession({ backend }), (dict) => void dict.save());
  resolve("slow");
  assertEquals(cookieSetBy(await response), "slow");
});

Deno.test("dict.save() resolves under a handler that awaits it", async () => {
  const session = newSession();
  const response = await visit(session, async (dict) => {
    dict.n = 1;
    assertEquals(await dict.save(), undefined);
  });
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

// Failures

const FAILURES: [
  what: string,
  data: unknown,
  options: SessionOptions,
  ErrorClass: typeof Error,
  message: string,
][] = [
  ["data that JSON can't hold", 10n, {}, TypeError, 'Cannot save session: "x"'],
  ["a cookie that is too long", "x".repeat(4_096), {}, RangeError, "4096"],
  [
    "a store that is down",
    1,
    {
      backend: storeOf(null, {
        save: () => Promise.reject(new Error("store is down")),
      }),
    },
    Error,
    "store is down",
  ],
];

for (const [what, data, options, ErrorClass, message] of FAILURES) {
  Deno.test(`dict.save() makes the wrapper reject for ${what}, and nothing else`, async () => {
    using rejections = captureRejections();
    const response = visit(newSession(options), async (dict) => {
      dict.x = data;
      dict.save();
      await nextTurn();
    });
    await assertRejects(() => response, ErrorClass, message);
    assertEquals(rejections.reasons, []);
  });

  Deno.test(`dict.save() makes the wrapper reject for ${what}, though the handler caught it`, async () => {
    const response = visit(newSession(options), async (dict) => {
      dict.x = data;
      await assertRejects(() => dict.save(), ErrorClass, message);
    });
    await assertRejects(() => response, ErrorClass, message);
  });
}

Deno.test("dict.save() may succeed after a rejection", async () => {
  const session = newSession();
  const response = await visit(session, async (dict) => {
    dict.x = 10n;
    await assertRejects(() => dict.save(), TypeError);
    dict.x = 10;
    await dict.save();
  });
  assertEquals(await dataOf(session, cookieSetBy(response)), { x: 10 });
});

for (const cookieName of ["session", "s", "__Host-a-much-longer-name"]) {
  Deno.test(`dict.save() takes 4096 bytes of name and value, and no more, as ${cookieName}`, async () => {
    let length = 4096 - cookieName.length;
    const backend = storeOf(null, {
      save: () => Promise.resolve("x".repeat(length)),
    });
    const session = newSession({ backend, cookieName });
    const save = (dict: SessionDict) => dict.save();
    const { headers } = await visit(session, save);
    assertEquals(headers.getSetCookie().length, 1);
    length++;
    const error = await assertRejects(
      () => visit(session, save),
      RangeError,
      "4097",
    );
    assertStringIncludes(error.message, "4096");
    assertStringIncludes(error.message, "kv");
  });
}

Deno.test("dict.save() takes data of 2,900 bytes in a token", async () => {
  const session = newSession();
  const data = { text: "x".repeat(2_900) };
  assertEquals(await dataOf(session, await valueWith(session, data)), data);
});
