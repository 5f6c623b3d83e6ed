import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { cookieSetBy, NOW, requestWith, signToken } from "../_helpers.ts";
import { dataOf, newSession, requestOf, valueWith, visit } from "./_visits.ts";

/** What every token may say of itself, and no session's data. */
const CLAIMS = {
  iss: "a",
  sub: "b",
  aud: "c",
  exp: NOW + 60,
  nbf: NOW,
  iat: NOW,
  jti: "d",
  _started: NOW,
};

Deno.test("dict shows its data only", async () => {
  const session = newSession();
  const value = await valueWith(session, { a: 1, b: [2] });
  const dict = await session.get(requestOf(value));
  dict.c = 3;
  const data = { a: 1, b: [2], c: 3 };
  assertEquals({ ...dict } as unknown, data);
  assertEquals(Object.keys(dict), Object.keys(data));
  assertEquals(Object.getOwnPropertyNames(dict), Object.keys(data));
  assertEquals(JSON.stringify(dict), JSON.stringify(data));
  const names = [];
  for (const name in dict) names.push(name);
  assertEquals(names, Object.keys(data));
});

Deno.test("dict takes new data and lets go of old ones", async () => {
  const session = newSession();
  const value = await valueWith(session, { a: 1, b: 2 });
  const response = await visit(session, (dict) => {
    assert("a" in dict);
    delete dict.a;
    assert(!("a" in dict));
    dict.c = 3;
    dict.save();
  }, { value });
  assertEquals(await dataOf(session, cookieSetBy(response)), { b: 2, c: 3 });
});

for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"]) {
  Deno.test(`dict has no ${name} of its own making`, async () => {
    const dict = await newSession().get(requestWith());
    assert(!(name in dict));
    assertEquals(dict[name], undefined);
  });
}

for (const name of ["save", "delete"] as const) {
  Deno.test(`dict refuses data under the name ${name}`, async () => {
    const dict = await newSession().get(requestWith());
    const { [name]: method } = dict;
    const data = dict as Record<string, unknown>;
    assertThrows(() => data[name] = 1, TypeError, `"${name}"`);
    assertThrows(() => Object.assign(data, { [name]: 1 }), TypeError);
    assertStrictEquals(dict[name], method);
    assertEquals({ ...dict }, {});
  });

  Deno.test(`dict.${name} can be handed on`, async () => {
    const response = await visit(newSession(), (dict) => {
      const { [name]: method } = dict;
      return method();
    });
    assertEquals(response.headers.getSetCookie().length, 1);
  });

  Deno.test(`session.get() keeps the method where a foreign token holds ${name}`, async () => {
    const value = await signToken({ [name]: "x", n: 1 });
    const dict = await newSession().get(requestOf(value));
    assertEquals({ ...dict } as unknown, { n: 1 });
    assertEquals(typeof dict[name], "function");
  });
}

for (const name of ["__proto__", "constructor", "toString", "then"]) {
  Deno.test(`session.get() keeps ${name} in a payload as plain data`, async () => {
    const value = await signToken(`{"${name}":{"admin":true},"n":1}`);
    const dict = await newSession().get(requestOf(value));
    assert(Object.hasOwn(dict, name));
    assertEquals(JSON.stringify(dict), `{"${name}":{"admin":true},"n":1}`);
    assertEquals(dict.admin, undefined);
    assertEquals(Reflect.get({}, "admin"), undefined);
  });

  Deno.test(`dict.save() keeps ${name} as plain data`, async () => {
    const session = newSession();
    const response = await visit(session, (dict) => {
      dict[name] = { admin: true };
      dict.save();
    });
    const dict = await session.get(requestOf(cookieSetBy(response)));
    assertEquals(JSON.stringify(dict), `{"${name}":{"admin":true}}`);
    assertEquals(dict.admin, undefined);
  });
}

Deno.test("session.get() keeps claims out of the data", async () => {
  const value = await signToken({ ...CLAIMS, n: 1 });
  assertEquals(await dataOf(newSession(), value), { n: 1 });
});
