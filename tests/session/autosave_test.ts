import { assertEquals, assertRejects } from "@std/assert";
import type { SessionDict } from "../../mod.ts";
import { cookieSetBy, MemoryBackend, requestWith } from "../_helpers.ts";
import { dataOf, newSession, valueWith, visit } from "./_visits.ts";

const DATA = { n: 1, user: { name: "susan" }, list: [[1]] };

/** Changes, and the data they make of `DATA`. */
const CHANGES: [
  what: string,
  edit: (dict: SessionDict) => unknown,
  expected: Record<string, unknown>,
][] = [
  ["a new property", (dict) => dict.x = 1, { ...DATA, x: 1 }],
  ["a changed property", (dict) => dict.n = 2, { ...DATA, n: 2 }],
  ["a deleted property", (dict) => delete dict.n, {
    user: DATA.user,
    list: DATA.list,
  }],
  ["a change in a nested object", (dict) => dict.user.name = "david", {
    ...DATA,
    user: { name: "david" },
  }],
  ["a change in a nested array", (dict) => dict.list[0].push(2), {
    ...DATA,
    list: [[1, 2]],
  }],
];

const NO_CHANGES: Record<string, (dict: SessionDict) => unknown> = {
  "nothing was done": () => {},
  "a property was set to what it was": (dict) => dict.n = 1,
  "a change was taken back": (dict) => (dict.n = 2, dict.n = 1),
  "a nested object was replaced by its like": (dict) =>
    dict.user = { name: "susan" },
};

for (const [what, edit, expected] of CHANGES) {
  Deno.test(`autoSave saves ${what}`, async () => {
    const session = newSession({ autoSave: true });
    const value = await valueWith(session, DATA);
    const response = await visit(session, edit, { value });
    assertEquals(await dataOf(session, cookieSetBy(response)), expected);
  });
}

for (const [what, edit] of Object.entries(NO_CHANGES)) {
  Deno.test(`autoSave sets no cookie when ${what}`, async () => {
    const session = newSession({ autoSave: true });
    const value = await valueWith(session, DATA);
    const response = await visit(session, edit, { value });
    assertEquals(response.headers.getSetCookie(), []);
  });
}

Deno.test("autoSave sets no cookie for a new visitor without data", async () => {
  const response = await visit(newSession({ autoSave: true }));
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("autoSave saves the data of a new visitor below session.wrap()", async () => {
  const session = newSession({ autoSave: true });
  const handler = session.wrap(async (request) => {
    (await session.get(request)).n = 1;
    return new Response("Hello");
  });
  const response = await handler(requestWith());
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("autoSave saves what changed after dict.save()", async () => {
  const session = newSession({ autoSave: true });
  const response = await visit(session, (dict) => {
    dict.n = 1;
    dict.save();
    dict.n = 2;
  });
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 2 });
});

Deno.test("autoSave saves nothing twice", async () => {
  const backend = new MemoryBackend();
  await visit(newSession({ backend, autoSave: true }), (dict) => {
    dict.n = 1;
    dict.save();
  });
  assertEquals(backend.previous.length, 1);
});

Deno.test("autoSave leaves a deleted session deleted", async () => {
  const session = newSession({ autoSave: true });
  const value = await valueWith(session, { n: 1 });
  const response = await visit(session, (dict) => void dict.delete(), {
    value,
  });
  assertEquals(cookieSetBy(response), "");
});

Deno.test("autoSave saves nothing when the handler throws", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend, autoSave: true });
  await assertRejects(() =>
    visit(session, (dict) => {
      dict.n = 1;
      throw new Error("broken");
    })
  );
  assertEquals(backend.previous, []);
});

Deno.test("a session saves no change by itself without autoSave", async () => {
  const response = await visit(newSession(), (dict) => dict.n = 1);
  assertEquals(response.headers.getSetCookie(), []);
});
