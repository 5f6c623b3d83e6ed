/** The options of the backends; their keys and stores have files of their own. */

import { assertEquals, assertThrows } from "@std/assert";
import { type Backend, base64Backend } from "../../backends/base64.ts";
import { fernetBackend } from "../../backends/fernet.ts";
import { jwtBackend, type JwtBackendOptions } from "../../backends/jwt.ts";
import { Session } from "../../mod.ts";
import { KEY } from "../_helpers.ts";
import { testEach } from "./_every_backend.ts";

type Make = (options: object) => Backend;

const jwt: Make = (options) =>
  jwtBackend({ secretKey: KEY, type: "test", ...options });
const fernet: Make = (options) => fernetBackend({ secretKey: KEY, ...options });

const MAKERS: [name: string, make: Make][] = [
  ["jwtBackend", jwt],
  ["fernetBackend", fernet],
  ["base64Backend", base64Backend],
];

/** What is wrong about an option of every backend. */
const BAD_OPTIONS: [options: object, message: string][] = [
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

for (
  const type of [
    ...[undefined, null, 1, {}, ["JWT"], ["x+jwt"]],
    ...["", "JWT", "jwt", "Jwt", "application/jwt", "Application/JWT"],
    ...["a b", "a/b", "a;b", "JWT ", "JWT\n", "caf\u00E9", '"'],
  ]
) {
  Deno.test(`jwtBackend() refuses ${Deno.inspect(type)} as type`, () => {
    assertThrows(() => jwt({ type }), TypeError, "Cannot use type");
  });
}

Deno.test("jwtBackend() demands a type", () => {
  const make: Make = (options) => jwtBackend(options as JwtBackendOptions);
  assertThrows(() => make({ secretKey: KEY }), TypeError, "Cannot use type");
});

Deno.test("jwtBackend() makes tokens of its type that no session takes", async () => {
  for (const type of ["invitation+jwt", "x", "JWT+x", "jwtx", "at.jwt"]) {
    const token = await jwt({ type }).save({ n: 1 });
    assertEquals(await new Session({ secretKey: KEY }).decode(token), {});
    assertEquals(await jwt({ type }).load(token), { n: 1 });
  }
});

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
