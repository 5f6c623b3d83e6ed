import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { Payload } from "../../mod.ts";
import { MemoryBackend, NOW, requestWith } from "../_helpers.ts";
import { PRINTABLE, takenCharacters } from "./_refusals.ts";
import {
  dataOf,
  newSession,
  nextTurn,
  savedAgo,
  storeOf,
  valueWith,
  visit,
} from "./_visits.ts";

/** What a cookie may hold (RFC 6265 section 4.1.1). */
const VALUE_CHARACTERS = PRINTABLE.replace(/[ ",;\\]/g, "");

const PLACES: [where: string, valueWith: (character: string) => string][] = [
  ["alone", (character) => character],
  ["first", (character) => `${character}a`],
  ["inside", (character) => `a${character}a`],
  ["last", (character) => `a${character}`],
];

const EXPIRED: [what: string, record: Payload][] = [
  ["an exp that has come", { exp: NOW }],
  ["an nbf more than a minute ahead", { nbf: NOW + 61 }],
  ["an iat more than a minute ahead", { iat: NOW + 61 }],
];

// Reading

Deno.test("session.get() checks the exp of a store's record", async () => {
  const backend = new MemoryBackend();
  const { session, value, advance } = await savedAgo(99, {
    backend,
    maxAge: 100,
  });
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

for (const [what, record] of EXPIRED) {
  Deno.test(`session.get() takes no record of a store with ${what} alone`, async () => {
    const backend = storeOf({ n: 1, ...record });
    assertEquals(await dataOf(newSession({ backend }), "id"), {});
  });
}

// Writing

Deno.test("dict.save() passes a store the value that it loaded", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await valueWith(session, { n: 1 });
  await visit(session, (dict) => void dict.save(), { value });
  assertEquals(backend.previous, [undefined, value]);
});

Deno.test("dict.save() again passes a store the value that it saved", async () => {
  const backend = new MemoryBackend();
  await visit(newSession({ backend }), (dict) => {
    dict.save();
    dict.save();
  });
  assertEquals(backend.previous, [undefined, "id1"]);
});

Deno.test("dict.save() passes a store no value that it did not find", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  await visit(session, (dict) => void dict.save(), { value: "forged" });
  assertEquals(backend.previous, [undefined]);
});

Deno.test("dict.save() shows a store the writes of a request in their order", async () => {
  const order: unknown[] = [];
  const backend = storeOf(null, {
    async save({ n }) {
      order.push(`begin ${n}`);
      await Promise.resolve();
      order.push(`end ${n}`);
      return "id";
    },
  });
  await visit(newSession({ backend }), (dict) => {
    for (dict.n = 1; dict.n < 3; dict.n++) dict.save();
  });
  assertEquals(order, ["begin 1", "end 1", "begin 2", "end 2"]);
});

Deno.test("dict.save() that is refused lets nothing overtake the write before it", async () => {
  const written: unknown[] = [];
  const backend = storeOf(null, {
    async save({ n }) {
      if (n === 1) await nextTurn();
      written.push(n);
      return "id";
    },
  });
  await visit(newSession({ backend }), async (dict) => {
    dict.n = 1;
    dict.save();
    dict.n = new Date();
    await assertRejects(() => dict.save(), TypeError);
    dict.n = 2;
    await dict.save();
  });
  assertEquals(written, [1, 2]);
});

for (const [where, valueWith] of PLACES) {
  Deno.test(`dict.save() takes a store's value with exactly the characters that may stand ${where} in a cookie`, async () => {
    let value = "";
    const backend = storeOf(null, { save: () => Promise.resolve(value) });
    const session = newSession({ backend });
    const taken = await takenCharacters((character) => {
      value = valueWith(character);
      return visit(session, (dict) => dict.save());
    });
    assertEquals(taken, VALUE_CHARACTERS);
  });
}

Deno.test("dict.save() rejects a store's value that is empty", async () => {
  const backend = storeOf(null, { save: () => Promise.resolve("") });
  await assertRejects(
    () => visit(newSession({ backend }), (dict) => dict.save()),
    TypeError,
    "Cannot save session",
  );
});

// Failures

for (const way of ["throws", "rejects"]) {
  const failure = new Error("store is down");
  const fail = () => {
    if (way === "throws") throw failure;
    return Promise.reject(failure);
  };

  for (const cookies of ["session=a", "session=a; session=b"]) {
    Deno.test(`session.get() passes on that a store ${way} at load of ${cookies}`, async () => {
      const session = newSession({ backend: storeOf(null, { load: fail }) });
      const request = requestWith(cookies);
      assertStrictEquals(
        await assertRejects(() => session.get(request)),
        failure,
      );
    });
  }

  Deno.test(`withSession() passes on that a store ${way} at load`, async () => {
    const session = newSession({ backend: storeOf(null, { load: fail }) });
    const response = visit(session, () => {}, { value: "id" });
    assertStrictEquals(await assertRejects(() => response), failure);
  });

  Deno.test(`dict.save() passes on that a store ${way} at save`, async () => {
    const session = newSession({ backend: storeOf(null, { save: fail }) });
    const response = visit(session, async (dict) => {
      const error = await assertRejects(() => dict.save());
      assertStrictEquals(error, failure);
    });
    assertStrictEquals(await assertRejects(() => response), failure);
  });
}

// Stores of no type

Deno.test("session.get() takes undefined from a store for nothing", async () => {
  const load = () => undefined as unknown as null;
  const backend = storeOf(null, { load });
  assertEquals(await dataOf(newSession({ backend }), "id"), {});
});

for (const found of ["{}", 1, true, [1]]) {
  Deno.test(`session.get() refuses ${Deno.inspect(found)} from a store`, async () => {
    const load = () => found as unknown as Payload;
    const session = newSession({ backend: storeOf(null, { load }) });
    for (
      const call of [
        () => dataOf(session, "id"),
        () => session.decode("id"),
        () => session.get(requestWith("session=a; session=b")),
      ]
    ) {
      await assertRejects(call, TypeError, "load() returned");
    }
  });
}

Deno.test("dict.save() refuses no string from a store", async () => {
  for (const value of [undefined, null, 1, ["id"]]) {
    const save = () => Promise.resolve(value as unknown as string);
    const session = newSession({ backend: storeOf(null, { save }) });
    await assertRejects(
      () => visit(session, (dict) => dict.save()),
      TypeError,
      "save() returned",
    );
  }
});

Deno.test("session.get() awaits what is no Promise but has a then()", async () => {
  const found = {
    then: (resolve: (payload: Payload) => void) => resolve({ n: 1 }),
  };
  const load = () => found as unknown as Promise<Payload>;
  const session = newSession({ backend: storeOf(null, { load }) });
  assertEquals(await dataOf(session, "id"), { n: 1 });
});
