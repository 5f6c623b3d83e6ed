import {
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  type Payload,
  Session,
  type SessionDict,
  withSession,
} from "../../mod.ts";
import {
  cookieSetBy,
  MemoryBackend,
  OTHER_KEY,
  payloadOf,
  requestWith,
  signToken,
} from "../_helpers.ts";
import { dataOf, newSession, nextTurn, storeOf, visit } from "./_visits.ts";

const broken = new Error("broken");
const down = new Error("store is down");

Deno.test("session.wrap() lets code below it read and save", async () => {
  const session = newSession();
  const handler = session.wrap(async (request) => {
    const dict = await session.get(request);
    dict.n = 1;
    dict.save();
    return new Response("Hello");
  });
  const response = await handler(requestWith());
  assertEquals(await response.text(), "Hello");
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("session.wrap() takes a handler that is not async", async () => {
  const handler = newSession().wrap(() => new Response("Hello"));
  assertEquals(await (await handler(requestWith())).text(), "Hello");
});

Deno.test("withSession() refuses what is no Session", () => {
  const none = [undefined, null, {}, Object.create(Session.prototype)];
  for (const session of none) {
    assertThrows(
      () => withSession(session, () => new Response("Hello")),
      TypeError,
      "not a Session",
    );
  }
});

for (const handler of [undefined, null, {}, "page", new Response("Hello")]) {
  Deno.test(`wrappers refuse ${String(handler)} as a handler, before there is a request`, () => {
    const session = newSession();
    // deno-lint-ignore no-explicit-any -- what a script may pass
    const none = handler as any;
    const message = "Cannot use handler: it must be a function";
    assertThrows(() => session.wrap(none), TypeError, message);
    assertThrows(() => withSession(session, none), TypeError, message);
  });
}

Deno.test("wrappers pass extra arguments on", async () => {
  const session = newSession();
  const seen: unknown[] = [];
  const bare = session.wrap((_request, ...rest: [number, string]) => {
    seen.push(...rest);
    return new Response("Hello");
  });
  const dictful = withSession(
    session,
    (_request, _dict, ...rest: [number, string]) => {
      seen.push(...rest);
      return new Response("Hello");
    },
  );
  await bare(requestWith(), 1, "a");
  await dictful(requestWith(), 2, "b");
  assertEquals(seen, [1, "a", 2, "b"]);
});

for (const autoSave of [false, true]) {
  Deno.test(`session.wrap() lets a response leave while a read is under way, autoSave: ${autoSave}`, async () => {
    const { promise, resolve } = Promise.withResolvers<Payload>();
    const backend = storeOf(null, { load: () => promise });
    const session = newSession({ backend, autoSave });
    const reads: Promise<SessionDict>[] = [];
    const handler = session.wrap((request) => {
      reads.push(session.get(request));
      return new Response("Hello");
    });
    const response = await handler(requestWith("session=id"));
    assertEquals(response.headers.get("Vary"), "Cookie");
    assertEquals(response.headers.getSetCookie(), []);
    resolve({ n: 1 });
    assertEquals({ ...await reads[0] } as unknown, { n: 1 });
  });
}

// Nesting

Deno.test("nested wrappers share one session, and the outermost commits once", async () => {
  const session = newSession();
  const inner = withSession(session, (_request, dict) => {
    dict.inner = true;
    dict.save();
    return new Response("Hello");
  });
  const outer = session.wrap(withSession(session, async (request, dict) => {
    const response = await inner(request);
    assertEquals(response.headers.getSetCookie(), []);
    assertEquals(response.headers.has("Vary"), false);
    assertEquals(dict.inner, true);
    dict.outer = true;
    await dict.save();
    return response;
  }));
  const response = await outer(requestWith());
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(response.headers.get("Vary"), "Cookie");
  const value = cookieSetBy(response);
  assertEquals(await dataOf(session, value), { inner: true, outer: true });
});

Deno.test("nested wrappers return the outer handler's response", async () => {
  const session = newSession();
  const inner = session.wrap(() => new Response("inner"));
  const outer = withSession(session, async (request, dict) => {
    await inner(request);
    dict.save();
    return new Response("outer");
  });
  const response = await outer(requestWith());
  assertEquals(await response.text(), "outer");
  assertEquals(response.headers.getSetCookie().length, 1);
});

for (const way of ["throws", "rejects"]) {
  Deno.test(`nested wrappers pass on that an inner handler ${way}, and the outer one saves`, async () => {
    const session = newSession();
    const inner = session.wrap(() => {
      if (way === "throws") throw broken;
      return Promise.reject(broken);
    });
    const outer = withSession(session, async (request, dict) => {
      assertStrictEquals(await assertRejects(() => inner(request)), broken);
      dict.n = 1;
      await dict.save();
      return new Response("mended");
    });
    const response = await outer(requestWith());
    assertEquals(await response.text(), "mended");
    assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
  });
}

Deno.test("wrappers of two sessions write a cookie each", async () => {
  const a = newSession({ cookieName: "a" });
  const b = newSession({ cookieName: "b", secretKey: OTHER_KEY });
  const handler = a.wrap(withSession(b, async (request, ofB) => {
    const ofA = await a.get(request);
    ofA.n = 1;
    ofB.n = 2;
    ofA.save();
    ofB.save();
    return new Response("Hello");
  }));
  const response = await handler(requestWith());
  assertEquals(response.headers.getSetCookie().length, 2);
  assertEquals(response.headers.get("Vary"), "Cookie");
  assertEquals(payloadOf(cookieSetBy(response, "a")).n, 1);
  assertEquals(payloadOf(cookieSetBy(response, "b")).n, 2);
});

// What is thrown

for (const kind of ["thrown", "rejected", "thrown at once"]) {
  Deno.test(`a Response that is ${kind} is treated as returned`, async () => {
    const session = newSession();
    const thrown = new Response("Stop", { status: 403 });
    const handler = withSession(session, (_request, dict) => {
      dict.n = 1;
      dict.save();
      if (kind === "thrown at once") throw thrown;
      if (kind === "rejected") return Promise.reject(thrown);
      return (async () => {
        await Promise.resolve();
        throw thrown;
      })();
    });
    const response = await handler(requestWith());
    assertEquals(response.status, 403);
    assertEquals(await response.text(), "Stop");
    assertEquals(response.headers.get("Vary"), "Cookie");
    assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
  });
}

Deno.test("a Response thrown through nested wrappers is committed once", async () => {
  const session = newSession();
  const handler = session.wrap(withSession(session, (_request, dict) => {
    dict.save();
    throw new Response("Stop", { status: 403 });
  }));
  const response = await handler(requestWith());
  assertEquals(response.status, 403);
  assertEquals(response.headers.getSetCookie().length, 1);
});

for (const thrown of [broken, "broken", undefined]) {
  Deno.test(`wrappers pass a thrown ${typeof thrown} through`, async () => {
    const response = visit(newSession(), async (dict) => {
      await dict.save();
      throw thrown;
    });
    const caught = await response.then(() => "nothing", (error) => error);
    assertStrictEquals(caught, thrown);
  });
}

Deno.test("wrappers pass an error through that hides a save's failure", async () => {
  const backend = storeOf(null, { save: () => Promise.reject(down) });
  const response = visit(newSession({ backend }), (dict) => {
    dict.save();
    throw broken;
  });
  assertStrictEquals(await assertRejects(() => response), broken);
});

Deno.test("wrappers let a store's write end before an error passes through", async () => {
  const events: string[] = [];
  const { promise, resolve } = Promise.withResolvers<string>();
  const backend = storeOf(null, {
    save: () => promise.finally(() => events.push("saved")),
  });
  const response = visit(newSession({ backend }), (dict) => {
    dict.save();
    throw broken;
  }).catch(() => events.push("rejected"));
  await nextTurn();
  assertEquals(events, []);
  resolve("id");
  await response;
  assertEquals(events, ["saved", "rejected"]);
});

for (const way of ["returned", "resolved to"]) {
  Deno.test(`wrappers reject what is no Response and is ${way}`, async () => {
    const nothing = undefined as unknown as Response;
    const handler = newSession().wrap(() =>
      way === "returned" ? nothing : Promise.resolve(nothing)
    );
    await assertRejects(() => handler(requestWith()), TypeError, "Response");
  });
}

// A second run

Deno.test("a request can run a second time, and brings the same cookie", async () => {
  const session = newSession();
  const request = requestWith(`session=${await signToken({ n: 1 })}`);
  const byArgument = withSession(session, (_request, dict) => {
    dict.n++;
    dict.save();
    return new Response("Hello");
  });
  const byGet = session.wrap(async (request) => {
    const dict = await session.get(request);
    dict.n++;
    await dict.save();
    return new Response("Hello");
  });
  for (const count of [byArgument, byGet, byGet, byArgument]) {
    const response = await count(request);
    assertEquals(await dataOf(session, cookieSetBy(response)), { n: 2 });
  }
});

Deno.test("a second run of a request writes nothing of the first", async () => {
  const session = newSession();
  const request = requestWith();
  let isFirst = true;
  const handler = withSession(session, (_request, dict) => {
    assertEquals({ ...dict }, {});
    if (isFirst) {
      dict.n = 1;
      dict.save();
    }
    isFirst = false;
    return new Response("Hello");
  });
  assertNotEquals(cookieSetBy(await handler(request)), undefined);
  assertEquals(cookieSetBy(await handler(request)), undefined);
});

Deno.test("a request can run again after an error", async () => {
  const session = newSession({ backend: new MemoryBackend() });
  const request = requestWith();
  let isFirst = true;
  const handler = withSession(session, async (_request, dict) => {
    await dict.save();
    if (!isFirst) return new Response("Hello");
    isFirst = false;
    throw broken;
  });
  assertStrictEquals(await assertRejects(() => handler(request)), broken);
  assertNotEquals(cookieSetBy(await handler(request)), undefined);
});
