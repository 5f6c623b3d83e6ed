/** What a backend promises to whoever calls it: here, without a session. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Payload } from "../../backends/backend.ts";
import { NOW } from "../_helpers.ts";
import { testEach } from "./_every_backend.ts";

const OUT_OF_TIME: [why: string, claims: Payload][] = [
  ["exp is now", { exp: NOW }],
  ["exp was a millisecond ago", { exp: NOW - 0.001 }],
  ["exp was long ago", { exp: 0 }],
  ["exp is negative", { exp: -1 }],
  ["exp is text", { exp: `${NOW + 9}` }],
  ["exp is null", { exp: null }],
  ["exp is true", { exp: true }],
  ["exp is a list", { exp: [NOW + 9] }],
  ["nbf is more than 60 s ahead", { nbf: NOW + 60.001 }],
  ["nbf is ahead of a good exp", { nbf: NOW + 100, exp: NOW + 200 }],
  ["nbf is text", { nbf: `${NOW}` }],
  ["nbf is null", { nbf: null }],
  ["iat is more than 60 s ahead", { iat: NOW + 60.001 }],
  ["iat is ahead of a good exp", { iat: NOW + 100, exp: NOW + 200 }],
];

const IN_TIME: [what: string, claims: Payload][] = [
  ["exp is in a millisecond", { exp: NOW + 0.001 }],
  ["exp is in ten thousand years", { exp: 3e11 }],
  ["nbf is now", { nbf: NOW }],
  ["nbf is 60 s ahead", { nbf: NOW + 60 }],
  ["iat is 60 s ahead", { iat: NOW + 60 }],
  ["iat and nbf are 0", { iat: 0, nbf: 0 }],
];

/** A claim, and the times in seconds at which it holds or does not. */
const MOVING_CLOCKS: [claim: string, steps: [now: number, holds: boolean][]][] =
  [
    ["exp", [
      [NOW - 60, true],
      [NOW - 0.001, true],
      [NOW, false],
      [NOW + 1e9, false],
      [NOW - 1, true],
      [NOW + 1, false],
    ]],
    ["nbf", [
      [NOW, true],
      [NOW - 60, true],
      [NOW - 60.001, false],
      [NOW + 1e9, true],
      [NOW - 1e9, false],
      [NOW, true],
    ]],
  ];

testEach("load() returns what save() was given", async (fixture) => {
  const payload = {
    "имя": 'Zoë 🦕\u{10FFFF}\u2028 "quoted" \\ \n\0',
    number: -1.5e-7,
    flags: [true, false, null],
    nested: { list: [{ deep: {} }], "": 0, "a.b c": "" },
    lone: "\uD800",
    exp: NOW + 1,
    jti: "id",
    save: 1,
  };
  const value = await fixture.backend.save(payload);
  assertEquals(await fixture.backend.load(value), payload);
  assertEquals(await fixture.newBackend().load(value), payload);
});

testEach("load() returns an empty payload", async ({ backend }) => {
  assertEquals(await backend.load(await backend.save({})), {});
});

testEach("load() gives each reader data of its own", async (fixture) => {
  const { backend } = fixture;
  const payload = { n: 1, cart: [{ sku: "a" }], user: { name: "Susan" } };
  const text = JSON.stringify(payload);
  const value = await backend.save(payload);
  for (let read = 0; read < 4; read++) {
    const data = await backend.load(value) as Partial<typeof payload>;
    assertEquals(JSON.stringify(data), text, `read ${read}`);
    data.cart?.push({ sku: "b" });
    Object.assign(data.user ?? {}, { isAdmin: true });
    delete data.n;
    Object.assign(data, { exp: 1, isAdmin: true });
  }
});

testEach("save() is not reached by later edits", async ({ backend }) => {
  const payload = { n: 1, cart: [{ sku: "a" }] };
  const saving = backend.save(payload);
  payload.cart.push({ sku: "b" });
  const value = await saving;
  payload.n = 2;
  assertEquals(await backend.load(value), { n: 1, cart: [{ sku: "a" }] });
});

testEach("save() rejects what JSON cannot hold", async ({ backend }) => {
  const loop: Payload = {};
  loop.self = loop;
  for (const payload of [{ n: 1n }, loop]) {
    await assertRejects(() => backend.save(payload), TypeError);
  }
});

testEach(
  "load() takes __proto__ and constructor as plain data",
  async (fixture) => {
    const text =
      '{"__proto__":{"admin":true,"_user_id":7,"exp":1},"constructor":{"prototype":{"admin":true}},"in":{"__proto__":null}}';
    const { backend } = fixture;
    const value = await backend.save(JSON.parse(text));
    for (const read of ["first", "second"]) {
      const payload = await backend.load(value);
      assert(payload !== null, read);
      assertEquals(JSON.stringify(payload), text, read);
      assertEquals(Object.getPrototypeOf(payload), Object.prototype, read);
      assertEquals(payload.admin, undefined, read);
      assert(!("admin" in {}), read);
    }
  },
);

for (const [why, claims] of OUT_OF_TIME) {
  testEach(`load() returns null when ${why}`, async (fixture) => {
    const { backend } = fixture;
    const value = await backend.save({ n: 1, ...claims });
    for (const one of [backend, backend, fixture.newBackend()]) {
      assertEquals(await one.load(value), null);
    }
  });
}

for (const [what, claims] of IN_TIME) {
  testEach(`load() accepts that ${what}`, async (fixture) => {
    const { backend } = fixture;
    const value = await backend.save({ n: 1, ...claims });
    for (const one of [backend, backend, fixture.newBackend()]) {
      assertEquals(await one.load(value), { n: 1, ...claims });
    }
  });
}

for (const [claim, steps] of MOVING_CLOCKS) {
  testEach(`load() checks ${claim} each time`, async (fixture) => {
    const claims = { [claim]: NOW };
    const value = await fixture.backend.save(claims);
    for (const [now, holds] of steps) {
      fixture.now = now;
      const loaded = await fixture.backend.load(value);
      assertEquals(loaded, holds ? claims : null, `at ${now}`);
    }
  });
}

testEach("load() accepts later what came too early", async (fixture) => {
  const value = await fixture.backend.save({ nbf: NOW });
  const reader = fixture.newBackend();
  fixture.now = NOW - 61;
  assertEquals(await reader.load(value), null);
  fixture.now = NOW;
  assertEquals(await reader.load(value), { nbf: NOW });
});

testEach("load() and save() may be called at once", async (fixture) => {
  const saves = Array.from(
    { length: 20 },
    (_, n) => fixture.backend.save({ n }),
  );
  const values = await Promise.all(saves);
  const reader = fixture.newBackend();
  const loaded = await Promise.all(values.map((value) => reader.load(value)));
  assertEquals(loaded, values.map((_, n) => ({ n })));
});

testEach(
  "authenticated tells whether a client can make a value",
  ({ backend, traits }) => {
    assertEquals(backend.authenticated, traits.isAuthenticated);
  },
);
