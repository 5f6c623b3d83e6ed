/** The options of the backends; their keys and stores have files of their own. */

import { assertEquals, assertThrows } from "@std/assert";
import { type Backend, base64Backend } from "../../backends/base64.ts";
import { fernetBackend } from "../../backends/fernet.ts";
import { jwtBackend } from "../../backends/jwt.ts";
import { kvBackend } from "../../backends/kv.ts";
import { KEY } from "../_helpers.ts";
import { testEach } from "./_every_backend.ts";
import { brokenStore } from "./_kv.ts";

type Make = (options: object) => Backend;

const jwt: Make = (options) =>
  jwtBackend({ secretKey: KEY, type: "test", ...options });
const fernet: Make = (options) => fernetBackend({ secretKey: KEY, ...options });

const MAKERS: [name: string, make: Make][] = [
  ["jwtBackend", jwt],
  ["fernetBackend", fernet],
  ["base64Backend", base64Backend],
  ["kvBackend", (options) => kvBackend(brokenStore(), options)],
];

/** What is wrong about an option of every backend. */
const BAD_OPTIONS: [options: object, message: string][] = [
  [
    { clok: Date.now },
    "Cannot use clok: there is no such option; did you mean clock?",
  ],
  [{ clock: 0 }, "Cannot use clock: it must be a function, not number"],
  [{ clock: null }, "Cannot use clock: it must be a function, not null"],
];

const BAD_MAX_AGES: [
  maxAge: unknown,
  ErrorClass: typeof TypeError | typeof RangeError,
][] = [
  [0, RangeError],
  [-1, RangeError],
  [0.5, RangeError],
  [NaN, RangeError],
  ["60", TypeError],
  [null, TypeError],
];

for (const [name, make] of MAKERS) {
  for (const [options, message] of BAD_OPTIONS) {
    Deno.test(`${name}() refuses ${Deno.inspect(options)}`, () => {
      assertThrows(() => make(options), TypeError, message);
    });
  }

  Deno.test(`${name}() takes an option that is undefined`, () => {
    make({ clock: undefined });
  });
}

for (const type of [1, null, ["JWT"]]) {
  Deno.test(`jwtBackend() refuses ${Deno.inspect(type)} as type`, () => {
    assertThrows(() => jwt({ type }), TypeError, "Cannot use type");
  });
}

for (const [maxAge, ErrorClass] of BAD_MAX_AGES) {
  Deno.test(`fernetBackend() refuses ${Deno.inspect(maxAge)} as maxAge`, () => {
    assertThrows(() => fernet({ maxAge }), ErrorClass, "Cannot use maxAge");
  });
}

Deno.test("base64Backend() refuses a secret key", () => {
  const error = assertThrows(
    () => base64Backend({ secretKey: KEY } as object),
    TypeError,
    "Cannot use secretKey: the base64 backend signs nothing",
  );
  assertEquals(error.message.includes(KEY), false);
});

testEach(
  "the backend goes by the real clock unless told otherwise",
  async (fixture) => {
    const backend = fixture.newBackendWithoutClock();
    const now = Math.floor(Date.now() / 1000);
    const [past, future] = [{ exp: now - 1 }, { exp: now + 60 }];
    assertEquals(await backend.load(await backend.save(past)), null);
    assertEquals(await backend.load(await backend.save(future)), future);
  },
);
