import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import {
  type Backend,
  Session,
  type SessionDict,
  withSession,
} from "../session.ts";
import {
  attributesOf,
  cookieSetBy,
  KEY,
  lineOf,
  MemoryBackend,
  NOW,
  OTHER_KEY,
  payloadOf,
  requestWith,
  signToken,
  stoppedClock,
} from "./_helpers.ts";

const DAY = 86_400;
const { clock } = stoppedClock();

/** Cookie values that are no session, made from one that is. */
const GARBAGE: Record<string, (token: string) => string | Promise<string>> = {
  "an empty value": () => "",
  "a word": () => "garbage",
  "two dots": () => "..",
  "a wrong MAC": (token) => token.slice(0, -43) + "A".repeat(43),
  "a MAC of another key": () => signToken({ n: 1 }, OTHER_KEY),
  "no MAC": (token) => token.slice(0, -43),
  "no MAC and no dot": (token) => token.slice(0, -44),
  "a payload that was changed": (token) => {
    const [header, , mac] = token.split(".");
    return `${header}.${encodeBase64Url('{"n":2}')}.${mac}`;
  },
  "a header of alg none": (token) =>
    `${encodeBase64Url('{"alg":"none"}')}.${token.split(".")[1]}.`,
  "a signed header of another alg": () =>
    signToken({ n: 1 }, KEY, '{"alg":"none","typ":"JWT"}'),
  "quotes around the token": (token) => `"${token}"`,
  "a percent-encoded dot": (token) => token.replace(".", "%2E"),
  "padding after the token": (token) => `${token}=`,
  "bytes outside of ASCII": () => "\xE9\xFF",
  "a value of 60 KB": () => "x".repeat(61_440),
  "a payload that is no JSON": () => signToken("{"),
  "a payload that is an array": () => signToken([1]),
  "a payload that is null": () => signToken(null),
  "a payload that is a string": () => signToken('"n"'),
  "an exp that has come": () => signToken({ n: 1, exp: NOW }),
  "an exp that is a string": () => signToken({ n: 1, exp: `${NOW + 60}` }),
  "an exp that is null": () => signToken({ n: 1, exp: null }),
  "an nbf more than a minute ahead": () => signToken({ n: 1, nbf: NOW + 61 }),
  "an iat more than a minute ahead": () => signToken({ n: 1, iat: NOW + 61 }),
};

const CLAIMS = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "_started"];

const circular: Record<string, unknown> = {};
circular.self = circular;

/** What JSON can't hold, and how an error names it. */
const NO_JSON: [what: string, value: unknown, fragment: string][] = [
  ["a BigInt", 10n, '"x"'],
  ["NaN", NaN, '"x"'],
  ["Infinity", -Infinity, '"x"'],
  ["a function", () => 1, '"x"'],
  ["a symbol", Symbol("s"), '"x"'],
  ["a Map", new Map([["a", 1]]), '"x"'],
  ["a Set", new Set([1]), '"x"'],
  ["bytes", new Uint8Array(2), '"x"'],
  ["a nested BigInt", { list: [1, { deep: 10n }] }, '"x"'],
  ["a nested NaN", [[NaN]], '"x"'],
  ["a circular object", circular, "circular"],
];

const VARY: [before: string | undefined, after: string][] = [
  [undefined, "Cookie"],
  ["Accept-Encoding", "Accept-Encoding, Cookie"],
  ["Set-Cookie-Like", "Set-Cookie-Like, Cookie"],
  ["Cookie", "Cookie"],
  ["cookie", "cookie"],
  ["Accept,COOKIE , Origin", "Accept,COOKIE , Origin"],
  ["*", "*"],
  ["Accept, *", "Accept, *"],
];

function newSession(
  options: ConstructorParameters<typeof Session>[0] = {},
): Session {
  return new Session({ secretKey: KEY, clock, ...options });
}

/** One request of a visitor with this cookie value. */
function visit(
  session: Session,
  edit: (dict: SessionDict) => unknown = () => {},
  value?: string,
  response = () => new Response("Hello"),
): Promise<Response> {
  const handler = withSession(session, async (_request, dict) => {
    await edit(dict);
    return response();
  });
  return handler(
    requestWith(value === undefined ? undefined : `session=${value}`),
  );
}

/** The cookie value of a new visitor with these data. */
async function valueWith(
  session: Session,
  data: Record<string, unknown>,
): Promise<string> {
  const response = await visit(session, (dict) => {
    Object.assign(dict, data);
    dict.save();
  });
  return cookieSetBy(response)!; // it was saved
}

/** The data behind a cookie value. */
async function dataOf(
  session: Session,
  value: string | undefined,
): Promise<Record<string, unknown>> {
  return { ...await session.get(requestWith(`session=${value}`)) };
}

// Reading

Deno.test("session.get() returns an empty session without a cookie", async () => {
  const dict = await newSession().get(requestWith());
  assertEquals({ ...dict }, {});
});

Deno.test("session.get() returns an empty session when only other cookies are there", async () => {
  const session = newSession();
  const value = await valueWith(session, { n: 1 });
  const dict = await session.get(requestWith(`session2=${value}; a=b`));
  assertEquals({ ...dict }, {});
});

Deno.test("session.get() returns the data that were saved", async () => {
  const session = newSession();
  const data = { n: 1, s: "ü", list: [1, { a: null }], yes: true };
  assertEquals(await dataOf(session, await valueWith(session, data)), data);
});

for (const [what, make] of Object.entries(GARBAGE)) {
  Deno.test(`session.get() returns an empty session for ${what}`, async () => {
    const value = await make(await valueWith(newSession(), { n: 1 }));
    assertEquals(await dataOf(newSession(), value), {});
  });
}

Deno.test("session.get() returns a session until the second before exp", async () => {
  const value = await signToken({ n: 1, exp: NOW + 1 });
  assertEquals(await dataOf(newSession(), value), { n: 1 });
});

Deno.test("session.get() returns a session whose iat and nbf are within clock skew", async () => {
  const value = await signToken({ n: 1, iat: NOW + 60, nbf: NOW + 60 });
  assertEquals(await dataOf(newSession(), value), { n: 1 });
});

Deno.test("session.get() decodes nothing before it is called", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const handler = session.wrap(() => new Response("Hello"));
  await handler(requestWith("session=id1"));
  assertEquals(backend.loaded, []);
});

Deno.test("session.get() decodes once per request", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const request = requestWith("session=id1");
  await Promise.all([session.get(request), session.get(request)]);
  await session.get(request);
  assertEquals(backend.loaded, ["id1"]);
});

Deno.test("session.get() returns the same object for the same request", async () => {
  const session = newSession();
  const request = requestWith();
  assertStrictEquals(await session.get(request), await session.get(request));
});

Deno.test("session.get() returns the same object while the first read is under way", async () => {
  const session = newSession();
  const request = requestWith(`session=${await signToken({ n: 1 })}`);
  const [a, b] = await Promise.all([
    session.get(request),
    session.get(request),
  ]);
  assertStrictEquals(a, b);
});

Deno.test("session.get() returns the object that withSession() passes", async () => {
  const session = newSession();
  const handler = withSession(session, async (request, dict) => {
    assertStrictEquals(await session.get(request), dict);
    return new Response("Hello");
  });
  await handler(requestWith());
});

Deno.test("session.get() returns another object for another request", async () => {
  const session = newSession();
  const value = await valueWith(session, { list: [1] });
  const first = await session.get(requestWith(`session=${value}`));
  first.list.push(2);
  const second = await session.get(requestWith(`session=${value}`));
  assertEquals(second.list, [1]);
});

Deno.test("session.get() rejects for what is no Request", async () => {
  const request = { headers: new Headers() } as Request;
  await assertRejects(() => newSession().get(request), TypeError, "Request");
});

// Secret keys

Deno.test("session.get() rejects without a secret key", async () => {
  const session = new Session();
  await assertRejects(
    () => session.get(requestWith()),
    TypeError,
    "secretKey",
  );
});

Deno.test("withSession() rejects without a secret key", async () => {
  const handler = withSession(new Session(), () => new Response("Hello"));
  await assertRejects(() => handler(requestWith()), TypeError, "secretKey");
});

Deno.test("session.encode() rejects without a secret key", async () => {
  await assertRejects(
    () => new Session().encode({ n: 1 }),
    TypeError,
    "secretKey",
  );
});

Deno.test("session.decode() rejects without a secret key", async () => {
  await assertRejects(() => new Session().decode("x"), TypeError, "secretKey");
});

Deno.test("dict.save() rejects without a secret key", async () => {
  const session = new Session({ backend: new MemoryBackend() });
  const dict = await session.get(requestWith());
  session.initialize({ backend: "jwt" });
  await assertRejects(() => dict.save(), TypeError, "secretKey");
});

Deno.test("new Session() throws for a secret key that is undefined", () => {
  assertThrows(
    () => new Session({ secretKey: undefined }),
    TypeError,
    "secretKey",
  );
});

Deno.test("session.secretKey can be set later", async () => {
  const session = new Session({ clock });
  session.secretKey = KEY;
  assertEquals(session.secretKey, KEY);
  assertEquals(await dataOf(session, await signToken({ n: 1 })), { n: 1 });
});

Deno.test("session.secretKey forgets the tokens of the key before", async () => {
  const session = newSession();
  const value = await valueWith(session, { n: 1 });
  assertEquals(await dataOf(session, value), { n: 1 });
  session.secretKey = OTHER_KEY;
  assertEquals(await dataOf(session, value), {});
});

Deno.test("session.secretKey takes a string, its bytes or a CryptoKey alike", async () => {
  const bytes = new TextEncoder().encode(KEY);
  const cryptoKey = await crypto.subtle.importKey(
    "raw",
    bytes,
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  );
  const token = await signToken({ n: 1 });
  for (const secretKey of [KEY, bytes, cryptoKey]) {
    const session = newSession({ secretKey });
    assertEquals(await session.encode({ n: 1 }), token);
    assertEquals(await dataOf(session, token), { n: 1 });
  }
});

Deno.test("session.secretKey is not changed by later writes to its bytes", async () => {
  const bytes = new TextEncoder().encode(KEY);
  const session = newSession({ secretKey: bytes });
  bytes.fill(0);
  assertEquals(await session.encode({ n: 1 }), await signToken({ n: 1 }));
});

Deno.test("session.get() accepts a token of each of four keys", async () => {
  const old = ["2", "3", "4"].map((digit) => digit.repeat(32));
  const session = newSession({ secretKey: [KEY, ...old] });
  for (const key of [KEY, ...old]) {
    assertEquals(await dataOf(session, await signToken({ key }, key)), { key });
  }
});

Deno.test("dict.save() signs with the first key", async () => {
  const session = newSession({ secretKey: [KEY, OTHER_KEY] });
  const value = await valueWith(session, { n: 1 });
  assertEquals(await session.decode(value, OTHER_KEY), {});
  assertEquals((await session.decode(value, KEY)).n, 1);
});

Deno.test("dict.save() re-issues a session of an old key with the first", async () => {
  const session = newSession({ secretKey: [KEY, OTHER_KEY] });
  const old = await signToken({ n: 1 }, OTHER_KEY);
  const response = await visit(session, (dict) => void dict.save(), old);
  const value = cookieSetBy(response);
  assertEquals(await dataOf(newSession(), value), { n: 1 });
});

Deno.test("renewal re-issues a session of an old key with the first", async () => {
  const { clock, advance } = stoppedClock();
  const old = newSession({ secretKey: OTHER_KEY, clock });
  const value = await valueWith(old, { n: 1 });
  const session = newSession({ secretKey: [KEY, OTHER_KEY], clock });
  advance(8 * DAY);
  const response = await visit(session, () => {}, value);
  const renewed = cookieSetBy(response);
  assertEquals(await dataOf(newSession({ clock }), renewed), { n: 1 });
});

Deno.test("session.get() refuses a token of a key that was dropped", async () => {
  const session = newSession({ secretKey: [KEY, OTHER_KEY] });
  const value = await signToken({ n: 1 }, OTHER_KEY);
  assertEquals(await dataOf(session, value), { n: 1 });
  session.secretKey = [KEY];
  assertEquals(await dataOf(session, value), {});
});

// The dictionary

Deno.test("dict shows its data only", async () => {
  const session = newSession();
  const value = await valueWith(session, { a: 1, b: [2] });
  const dict = await session.get(requestWith(`session=${value}`));
  assertEquals({ ...dict } as Record<string, unknown>, { a: 1, b: [2] });
  assertEquals(Object.keys(dict), ["a", "b"]);
  assertEquals(JSON.stringify(dict), '{"a":1,"b":[2]}');
  assertEquals(Object.getOwnPropertyNames(dict), ["a", "b"]);
  const names = [];
  for (const name in dict) names.push(name);
  assertEquals(names, ["a", "b"]);
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
  }, value);
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

  Deno.test(`session.get() keeps the method where a foreign token holds ${name}`, async () => {
    const value = await signToken({ [name]: "x", n: 1 });
    const dict = await newSession().get(requestWith(`session=${value}`));
    assertEquals({ ...dict } as Record<string, unknown>, { n: 1 });
    assertEquals(typeof dict[name], "function");
  });
}

Deno.test("dict methods are not enumerable after data were set", async () => {
  const dict = await newSession().get(requestWith());
  dict.n = 1;
  assertEquals(Object.entries(dict), [["n", 1]]);
});

for (const name of ["__proto__", "constructor", "toString", "then"]) {
  Deno.test(`session.get() keeps ${name} in a payload as plain data`, async () => {
    const value = await signToken(`{"${name}":{"admin":true},"n":1}`);
    const dict = await newSession().get(requestWith(`session=${value}`));
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
    const value = cookieSetBy(response);
    const dict = await session.get(requestWith(`session=${value}`));
    assertEquals(JSON.stringify(dict), `{"${name}":{"admin":true}}`);
    assertEquals(dict.admin, undefined);
  });
}

// Claims

Deno.test("session.get() keeps claims out of the data", async () => {
  const claims = {
    iss: "a",
    sub: "b",
    aud: "c",
    exp: NOW + 60,
    nbf: NOW,
    iat: NOW,
    jti: "d",
    _started: NOW,
  };
  assertEquals(Object.keys(claims).sort(), CLAIMS.toSorted());
  const value = await signToken({ ...claims, n: 1 });
  assertEquals(await dataOf(newSession(), value), { n: 1 });
});

for (const claim of CLAIMS) {
  Deno.test(`dict.save() rejects data under the claim ${claim}`, async () => {
    const dict = await newSession().get(requestWith());
    dict[claim] = NOW;
    await assertRejects(() => dict.save(), TypeError, `"${claim}"`);
  });
}

Deno.test("dict.save() puts the data at the top level, beside iat, exp and _started", async () => {
  const value = await valueWith(newSession(), { n: 1, name: "susan" });
  assertEquals(payloadOf(value), {
    n: 1,
    name: "susan",
    iat: NOW,
    exp: NOW + 14 * DAY,
    _started: NOW,
  });
});

Deno.test("dict.save() makes a token of HS256 and type JWT", async () => {
  const value = await valueWith(newSession(), { n: 1 });
  assertEquals(await signToken(payloadOf(value)), value);
});

Deno.test("dict.save() takes whole seconds from the clock", async () => {
  const session = newSession({ clock: () => NOW * 1000 + 999 });
  assertEquals(payloadOf(await valueWith(session, {})).iat, NOW);
});

// Saving

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
  const dict = await newSession({ backend }).get(requestWith());
  const promise = dict.save();
  assertEquals(backend.records.size, 1);
  await promise;
});

Deno.test("dict.save() is awaited by the wrapper", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const backend: Backend = {
    authenticated: true,
    load: () => null,
    save: () => promise,
  };
  const response = visit(
    newSession({ backend }),
    (dict) => void dict.save(),
  );
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

Deno.test("dict.save() passes a store the value that it loaded", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await valueWith(session, { n: 1 });
  await visit(session, (dict) => void dict.save(), value);
  assertEquals(backend.previous, [undefined, value]);
});

Deno.test("dict.save() shows a store the writes of a request in their order", async () => {
  const order: unknown[] = [];
  const backend: Backend = {
    authenticated: true,
    load: () => null,
    async save({ n }) {
      order.push(`begin ${n}`);
      await Promise.resolve();
      order.push(`end ${n}`);
      return "id";
    },
  };
  await visit(newSession({ backend }), (dict) => {
    for (dict.n = 1; dict.n < 3; dict.n++) dict.save();
  });
  assertEquals(order, ["begin 1", "end 1", "begin 2", "end 2"]);
});

for (const [what, value, fragment] of NO_JSON) {
  Deno.test(`dict.save() rejects ${what}`, async () => {
    const dict = await newSession().get(requestWith());
    dict.x = value;
    await assertRejects(() => dict.save(), TypeError, fragment);
  });
}

Deno.test("dict.save() leaves out what is undefined", async () => {
  const session = newSession();
  const value = await valueWith(session, { n: 1, gone: undefined });
  assertEquals(await dataOf(session, value), { n: 1 });
});

Deno.test("dict.save() tells no data in its errors", async () => {
  const dict = await newSession().get(requestWith());
  for (const value of [10n, new Map([["planted", "planted"]])]) {
    dict.x = { planted: "planted", list: ["planted", value] };
    const error = await assertRejects(() => dict.save(), TypeError);
    assert(!error.message.includes("planted"), error.message);
  }
});

Deno.test("dict.save() makes the wrapper reject where it did", async () => {
  const error = await assertRejects(
    () => visit(newSession(), (dict) => (dict.x = 10n, void dict.save())),
    TypeError,
    '"x"',
  );
  assertStringIncludes(error.message, "Cannot save session");
});

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
    const backend: Backend = {
      authenticated: true,
      load: () => null,
      save: () => Promise.resolve("x".repeat(length)),
    };
    const session = newSession({ backend, cookieName });
    const dict = await session.get(requestWith());
    await dict.save();
    length++;
    const error = await assertRejects(() => dict.save(), RangeError, "4097");
    assertStringIncludes(error.message, "4096");
    assertStringIncludes(error.message, "kv");
  });
}

Deno.test("dict.save() rejects data that make a token too long", async () => {
  const session = newSession();
  const dict = await session.get(requestWith());
  dict.text = "x".repeat(2_900);
  await dict.save();
  dict.text = "x".repeat(3_100);
  await assertRejects(() => dict.save(), RangeError, "4096");
});

Deno.test("dict.save() makes the wrapper reject where the cookie is too long", async () => {
  await assertRejects(
    () =>
      visit(newSession(), (dict) => {
        dict.text = "x".repeat(4_096);
        dict.save();
      }),
    RangeError,
    "4096",
  );
});

Deno.test("dict.save() rejects a store's value that no cookie can hold", async () => {
  for (const value of ["a;b", "a b", "a\r\nb", "ü", ""]) {
    const backend: Backend = {
      authenticated: true,
      load: () => null,
      save: () => Promise.resolve(value),
    };
    const dict = await newSession({ backend }).get(requestWith());
    await assertRejects(() => dict.save(), TypeError, "Cannot save session");
  }
});

Deno.test("dict.save() rejects once the response has left", async () => {
  let kept: SessionDict | undefined;
  await visit(newSession(), (dict) => void (kept = dict));
  await assertRejects(async () => await kept?.save(), Error, "response");
});

Deno.test("dict.delete() rejects once the response has left", async () => {
  let kept: SessionDict | undefined;
  await visit(newSession(), (dict) => void (kept = dict));
  await assertRejects(async () => await kept?.delete(), Error, "response");
});

Deno.test("dict.save() rejects once the handler has thrown", async () => {
  let kept: SessionDict | undefined;
  await assertRejects(() =>
    visit(newSession(), (dict) => {
      kept = dict;
      throw new Error("broken");
    })
  );
  await assertRejects(async () => await kept?.save(), Error, "response");
});

// Deleting

const DELETED: Parameters<typeof newSession>[0][] = [
  {},
  { cookieName: "__Host-session" },
  {
    cookieOptions: {
      path: "/app",
      domain: "example.com",
      secure: true,
      httpOnly: false,
      sameSite: "None",
      partitioned: true,
    },
  },
  { cookieOptions: { sameSite: "Strict", maxAge: 60 } },
];

for (const options of DELETED) {
  Deno.test(`dict.delete() removes the cookie with the attributes of ${JSON.stringify(options)}`, async () => {
    const session = newSession(options);
    const { cookieName: name = "session" } = options ?? {};
    const set = await visit(session, (dict) => void dict.save());
    const deleted = await visit(session, (dict) => void dict.delete());
    const attributes = attributesOf(lineOf(set, name));
    assertEquals(
      attributesOf(lineOf(deleted, name)).filter((attribute) =>
        !/^(Max-Age|Expires)=/.test(attribute)
      ),
      attributes.filter((attribute) => !attribute.startsWith("Max-Age=")),
    );
    assertEquals(cookieSetBy(deleted, name), "");
    assert(attributesOf(lineOf(deleted, name)).includes("Max-Age=0"));
  });
}

Deno.test("dict.delete() empties the session for the rest of the request", async () => {
  const session = newSession();
  const request = requestWith(`session=${await signToken({ n: 1, m: 2 })}`);
  const dict = await session.get(request);
  dict.delete();
  assertEquals({ ...await session.get(request) }, {});
});

Deno.test("dict.delete() removes the stored record", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await valueWith(session, { n: 1 });
  await visit(session, (dict) => void dict.delete(), value);
  assertEquals(backend.removed, [value]);
  assertEquals(await dataOf(session, value), {});
});

Deno.test("dict.delete() removes a record of the same request", async () => {
  const backend = new MemoryBackend();
  await visit(newSession({ backend }), (dict) => {
    dict.save();
    dict.delete();
  });
  assertEquals(backend.records.size, 0);
});

Deno.test("dict.delete() removes nothing where there was no valid session", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  await visit(session, (dict) => void dict.delete(), "forged");
  assertEquals(backend.removed, []);
});

Deno.test("dict.delete() works with a store that has no remove()", async () => {
  const backend: Backend = {
    authenticated: true,
    load: () => ({ n: 1 }),
    save: () => Promise.resolve("id"),
  };
  const response = await visit(
    newSession({ backend }),
    (dict) => void dict.delete(),
    "id",
  );
  assertEquals(cookieSetBy(response), "");
});

Deno.test("dict.delete() after dict.save() wins", async () => {
  const response = await visit(newSession(), (dict) => {
    dict.save();
    dict.delete();
  });
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(cookieSetBy(response), "");
});

Deno.test("dict.save() after dict.delete() starts a session anew", async () => {
  const { clock, advance } = stoppedClock();
  const backend = new MemoryBackend();
  const session = newSession({ clock, backend });
  const value = await valueWith(session, { n: 1 });
  advance(DAY);
  const response = await visit(session, (dict) => {
    dict.delete();
    dict.m = 2;
    dict.save();
  }, value);
  assertEquals(response.headers.getSetCookie().length, 1);
  const next = cookieSetBy(response) ?? "";
  assertNotEquals(next, value);
  assertEquals(await dataOf(session, next), { m: 2 });
  assertEquals(backend.records.get(next)?._started, NOW + DAY);
});

Deno.test("dict.delete() cancels a renewal that is due", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock });
  const value = await valueWith(session, { n: 1 });
  advance(8 * DAY);
  const response = await visit(session, (dict) => void dict.delete(), value);
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(cookieSetBy(response), "");
});

Deno.test("dict.delete() makes the wrapper reject where the store fails", async () => {
  const failure = new Error("store is down");
  const backend: Backend = {
    authenticated: true,
    load: () => ({ n: 1 }),
    save: () => Promise.resolve("id"),
    remove: () => Promise.reject(failure),
  };
  const error = await assertRejects(() =>
    visit(newSession({ backend }), (dict) => void dict.delete(), "id")
  );
  assertStrictEquals(error, failure);
});

// What is written

Deno.test("withSession() sets no cookie when the session is only read", async () => {
  const session = newSession();
  const value = await valueWith(session, { n: 1 });
  const response = await visit(session, (dict) => void dict.n, value);
  assertEquals(response.headers.getSetCookie(), []);
  assertEquals(response.headers.has("Cache-Control"), false);
});

Deno.test("withSession() sets no cookie for a change that is not saved", async () => {
  const response = await visit(newSession(), (dict) => dict.n = 1);
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("withSession() sets no cookie in place of garbage", async () => {
  const response = await visit(newSession(), () => {}, "garbage");
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("withSession() leaves the handler's cookies alone when nothing is saved", async () => {
  const lines = ["session=mine", "theme=dark", "theme=light"];
  const response = await visit(newSession(), () => {}, undefined, () => {
    const response = new Response("Hello");
    for (const line of lines) response.headers.append("Set-Cookie", line);
    return response;
  });
  assertEquals(response.headers.getSetCookie(), lines);
});

Deno.test("withSession() replaces a cookie of its name, and leaves the others", async () => {
  const session = newSession();
  const edit = (dict: SessionDict) => void dict.save();
  const response = await visit(session, edit, undefined, () => {
    const response = new Response("Hello");
    for (
      const line of [
        "theme=dark; Path=/",
        "session=mine; Path=/",
        "session2=x",
        "a=session=y",
        "session=again",
      ]
    ) response.headers.append("Set-Cookie", line);
    return response;
  });
  const lines = response.headers.getSetCookie();
  assertEquals(
    lines.filter((line) => !line.startsWith("session=")).sort(),
    ["a=session=y", "session2=x", "theme=dark; Path=/"],
  );
  assertEquals(lines.length, 4);
  assertEquals(await dataOf(session, cookieSetBy(response)), {});
  assertEquals(cookieSetBy(response)?.split(".").length, 3);
});

Deno.test("session.wrap() returns the handler's own response where no session was read", async () => {
  const response = new Response("Hello");
  const handler = newSession().wrap(() => response);
  assertStrictEquals(await handler(requestWith("session=x")), response);
  assertEquals([...response.headers.keys()], ["content-type"]);
});

for (const [before, after] of VARY) {
  Deno.test(`withSession() makes Vary "${after}" of "${before ?? ""}"`, async () => {
    for (const edit of [() => {}, (dict: SessionDict) => void dict.save()]) {
      const response = await visit(newSession(), edit, undefined, () => {
        const headers = new Headers();
        if (before !== undefined) headers.set("Vary", before);
        return new Response("Hello", { headers });
      });
      assertEquals(response.headers.get("Vary"), after);
    }
  });
}

Deno.test("withSession() forbids storing a response that sets a session cookie", async () => {
  for (const name of ["save", "delete"] as const) {
    const response = await visit(newSession(), (dict) => void dict[name]());
    assertEquals(response.headers.get("Cache-Control"), "no-store");
  }
});

Deno.test("withSession() keeps the handler's Cache-Control", async () => {
  const headers = { "Cache-Control": "private, max-age=60" };
  const response = await visit(
    newSession(),
    (dict) => void dict.save(),
    undefined,
    () => new Response("Hello", { headers }),
  );
  assertEquals(response.headers.get("Cache-Control"), "private, max-age=60");
});

// Renewal and lifetimes

Deno.test("session.get() enforces maxAge through exp", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100 });
  const value = await valueWith(session, { n: 1 });
  assertEquals(payloadOf(value).exp, NOW + 100);
  advance(99);
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

Deno.test("session.get() ends a session of 14 days by default", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock });
  const value = await valueWith(session, { n: 1 });
  advance(1_209_599);
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

Deno.test("session.get() ends older sessions when maxAge is lowered", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock });
  const value = await valueWith(session, { n: 1 });
  session.initialize({ maxAge: 100 });
  advance(99);
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

Deno.test("a session is not renewed up to half of its maxAge", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100 });
  const value = await valueWith(session, { n: 1 });
  advance(50);
  const response = await visit(session, () => {}, value);
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("a session is renewed when it is read past half of its maxAge", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100 });
  const value = await valueWith(session, { n: 1 });
  advance(51);
  const response = await visit(session, () => {}, value);
  assertEquals(payloadOf(cookieSetBy(response)), {
    n: 1,
    iat: NOW + 51,
    exp: NOW + 151,
    _started: NOW,
  });
  assertEquals(response.headers.get("Cache-Control"), "no-store");
});

Deno.test("a renewed session lives on past its first maxAge", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100 });
  let value = await valueWith(session, { n: 1 });
  for (let i = 0; i < 5; i++) {
    advance(80);
    assertEquals(await dataOf(session, value), { n: 1 });
    const response = await visit(session, () => {}, value);
    value = cookieSetBy(response) ?? "";
  }
});

Deno.test("a session is not renewed when it is not read", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100 });
  const value = await valueWith(session, { n: 1 });
  advance(80);
  const handler = session.wrap(() => new Response("Hello"));
  const response = await handler(requestWith(`session=${value}`));
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("an expired session is not renewed", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100 });
  const value = await valueWith(session, { n: 1 });
  advance(101);
  const response = await visit(session, () => {}, value);
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("renewal does not save what was not to be saved", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100 });
  const value = await valueWith(session, { list: [1] });
  advance(80);
  const response = await visit(session, (dict) => {
    dict.list.push(2);
    dict.n = 1;
  }, value);
  assertEquals(await dataOf(session, cookieSetBy(response)), { list: [1] });
});

Deno.test("dict.save() renews too, with one cookie", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100 });
  const value = await valueWith(session, { n: 1 });
  advance(80);
  const response = await visit(session, (dict) => {
    dict.n++;
    dict.save();
  }, value);
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(payloadOf(cookieSetBy(response)), {
    n: 2,
    iat: NOW + 80,
    exp: NOW + 180,
    _started: NOW,
  });
});

Deno.test("renewal passes a store the value it loaded", async () => {
  const { clock, advance } = stoppedClock();
  const backend = new MemoryBackend();
  const session = newSession({ clock, backend, maxAge: 100 });
  const value = await valueWith(session, { n: 1 });
  advance(80);
  const response = await visit(session, () => {}, value);
  assertEquals(backend.previous, [undefined, value]);
  assertEquals(cookieSetBy(response), value);
  assertEquals(backend.records.get(value)?.exp, NOW + 180);
});

Deno.test("renewal makes the wrapper reject where the store fails", async () => {
  const failure = new Error("store is down");
  const backend: Backend = {
    authenticated: true,
    load: () => ({ n: 1, iat: NOW - 80, exp: NOW + 20, _started: NOW - 80 }),
    save: () => Promise.reject(failure),
  };
  const session = newSession({ backend, maxAge: 100 });
  const error = await assertRejects(() => visit(session, () => {}, "id"));
  assertStrictEquals(error, failure);
});

Deno.test("a foreign token without exp is accepted, and not renewed", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock });
  const value = await signToken({ n: 1 });
  advance(1_000 * DAY);
  const response = await visit(
    session,
    (dict) => assertEquals({ ...dict } as unknown, { n: 1 }),
    value,
  );
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("a foreign token gets exp and _started when it is saved", async () => {
  const value = await signToken({ n: 1 });
  const response = await visit(
    newSession(),
    (dict) => void dict.save(),
    value,
  );
  assertEquals(payloadOf(cookieSetBy(response)), {
    n: 1,
    iat: NOW,
    exp: NOW + 14 * DAY,
    _started: NOW,
  });
});

Deno.test("absoluteMaxAge refuses a foreign token without exp", async () => {
  const session = newSession({ absoluteMaxAge: 1_000 });
  assertEquals(await dataOf(session, await signToken({ n: 1 })), {});
  const value = await signToken({ n: 1, iat: NOW, _started: NOW });
  assertEquals(await dataOf(session, value), {});
});

Deno.test("absoluteMaxAge ends a session however active it is", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100, absoluteMaxAge: 150 });
  let value = await valueWith(session, { n: 1 });
  for (const seconds of [60, 60]) {
    advance(seconds);
    const response = await visit(session, (dict) => {
      assertEquals(dict.n, 1);
      dict.save();
    }, value);
    value = cookieSetBy(response) ?? "";
    assertEquals(payloadOf(value)._started, NOW);
    assertEquals(payloadOf(value).exp, NOW + 150);
  }
  advance(29);
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

Deno.test("absoluteMaxAge counts from a start that renewal keeps", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100, absoluteMaxAge: 150 });
  const value = await valueWith(session, { n: 1 });
  advance(60);
  const response = await visit(session, () => {}, value);
  const renewed = cookieSetBy(response);
  assertEquals(payloadOf(renewed)._started, NOW);
  assertEquals(payloadOf(renewed).exp, NOW + 150);
});

Deno.test("absoluteMaxAge leaves nothing to renew in the end", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, maxAge: 100, absoluteMaxAge: 150 });
  const value = await valueWith(session, { n: 1 });
  advance(60);
  const renewed = cookieSetBy(await visit(session, () => {}, value));
  advance(80);
  const response = await visit(session, () => {}, renewed);
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("absoluteMaxAge holds for sessions from before it was set", async () => {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock });
  const value = await valueWith(session, { n: 1 });
  session.initialize({ absoluteMaxAge: 150 });
  advance(149);
  assertEquals(await dataOf(session, value), { n: 1 });
  advance(1);
  assertEquals(await dataOf(session, value), {});
});

for (const what of ["renewal", "dict.save()"]) {
  Deno.test(`absoluteMaxAge counts from the iat of a foreign token, which ${what} keeps`, async () => {
    const { clock, advance } = stoppedClock();
    const session = newSession({ clock, maxAge: 100, absoluteMaxAge: 150 });
    const value = await signToken({ n: 1, iat: NOW, exp: NOW + 100 });
    advance(60);
    const response = await visit(session, (dict) => {
      assertEquals(dict.n, 1);
      if (what !== "renewal") dict.save();
    }, value);
    const payload = payloadOf(cookieSetBy(response));
    assertEquals([payload._started, payload.exp], [NOW, NOW + 150]);
  });
}

// autoSave

const CHANGES: Record<string, (dict: SessionDict) => unknown> = {
  "a new property": (dict) => dict.x = 1,
  "a changed property": (dict) => dict.n = 2,
  "a deleted property": (dict) => delete dict.n,
  "a change in a nested object": (dict) => dict.user.name = "david",
  "a change in a nested array": (dict) => dict.list[0].push(2),
};

const NO_CHANGES: Record<string, (dict: SessionDict) => unknown> = {
  "nothing was done": () => {},
  "a property was set to what it was": (dict) => dict.n = 1,
  "a change was taken back": (dict) => (dict.n = 2, dict.n = 1),
  "a nested object was replaced by its like": (dict) =>
    dict.user = { name: "susan" },
};

const AUTO_SAVED = { n: 1, user: { name: "susan" }, list: [[1]] };

for (const [what, edit] of Object.entries(CHANGES)) {
  Deno.test(`autoSave saves ${what}`, async () => {
    const session = newSession({ autoSave: true });
    const value = await valueWith(session, AUTO_SAVED);
    let expected: Record<string, unknown> | undefined;
    const response = await visit(session, (dict) => {
      edit(dict);
      expected = structuredClone({ ...dict } as Record<string, unknown>);
    }, value);
    assertEquals(await dataOf(session, cookieSetBy(response)), expected!);
  });
}

for (const [what, edit] of Object.entries(NO_CHANGES)) {
  Deno.test(`autoSave sets no cookie when ${what}`, async () => {
    const session = newSession({ autoSave: true });
    const value = await valueWith(session, AUTO_SAVED);
    const response = await visit(session, edit, value);
    assertEquals(response.headers.getSetCookie(), []);
  });
}

Deno.test("autoSave sets no cookie for a new visitor without data", async () => {
  const response = await visit(newSession({ autoSave: true }));
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("autoSave saves the data of a new visitor", async () => {
  const session = newSession({ autoSave: true });
  const response = await visit(session, (dict) => dict.n = 1);
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("autoSave works below session.wrap()", async () => {
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
  const response = await visit(session, (dict) => void dict.delete(), value);
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

for (const [what, value] of NO_JSON) {
  Deno.test(`autoSave rejects ${what}`, async () => {
    const session = newSession({ autoSave: true });
    await assertRejects(
      () => visit(session, (dict) => void (dict.x = value)),
      TypeError,
    );
  });
}

// Wrappers

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

Deno.test("nested wrappers share one session, and the outermost commits once", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
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

Deno.test("nested wrappers pass an inner error on to the outer handler", async () => {
  const session = newSession();
  const inner = withSession(session, (_request, dict) => {
    dict.save();
    throw new Error("broken");
  });
  const outer = session.wrap(async (request) => {
    await assertRejects(() => inner(request), Error, "broken");
    return new Response("mended");
  });
  assertEquals(await (await outer(requestWith())).text(), "mended");
});

Deno.test("wrappers of two sessions write a cookie each", async () => {
  const a = newSession({ cookieName: "a" });
  const b = newSession({ cookieName: "b", secretKey: OTHER_KEY });
  const handler = withSession(
    a,
    withSession(b, (_request, ofB, ofA: SessionDict) => {
      ofA.n = 1;
      ofB.n = 2;
      ofA.save();
      ofB.save();
      return new Response("Hello");
    }),
  );
  const response = await handler(requestWith());
  assertEquals(response.headers.getSetCookie().length, 2);
  assertEquals(response.headers.get("Vary"), "Cookie");
  assertEquals(payloadOf(cookieSetBy(response, "a")).n, 1);
  assertEquals(payloadOf(cookieSetBy(response, "b")).n, 2);
});

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

for (const thrown of [new Error("broken"), "broken", undefined]) {
  Deno.test(`wrappers pass a thrown ${typeof thrown} through`, async () => {
    const handler = withSession(newSession(), async (_request, dict) => {
      await dict.save();
      throw thrown;
    });
    const caught = await handler(requestWith()).then(
      () => "nothing",
      (error) => error,
    );
    assertStrictEquals(caught, thrown);
  });
}

Deno.test("wrappers renew nothing when the handler throws", async () => {
  const { clock, advance } = stoppedClock();
  const backend = new MemoryBackend();
  const session = newSession({ clock, backend });
  const value = await valueWith(session, { n: 1 });
  advance(8 * DAY);
  const fail = () => {
    throw new Error("broken");
  };
  await assertRejects(() => visit(session, fail, value), Error, "broken");
  assertEquals(backend.previous.length, 1);
});

Deno.test("wrappers reject what is no Response", async () => {
  const session = newSession();
  const handler = session.wrap(() => undefined as unknown as Response);
  await assertRejects(() => handler(requestWith()), TypeError, "Response");
});

Deno.test("a request can run a second time", async () => {
  const session = newSession();
  const request = requestWith(`session=${await signToken({ n: 1 })}`);
  const count = withSession(session, (_request, dict) => {
    dict.n++;
    dict.save();
    return new Response("Hello");
  });
  const first = await count(request);
  const second = await count(request);
  // The request brings the same cookie both times.
  assertEquals(await dataOf(session, cookieSetBy(first)), { n: 2 });
  assertEquals(await dataOf(session, cookieSetBy(second)), { n: 2 });
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
  const session = newSession();
  const request = requestWith();
  let isFirst = true;
  const handler = withSession(session, async (_request, dict) => {
    await dict.save();
    if (!isFirst) return new Response("Hello");
    isFirst = false;
    throw new Error("broken");
  });
  await assertRejects(() => handler(request), Error, "broken");
  assertNotEquals(cookieSetBy(await handler(request)), undefined);
});

// commit

Deno.test("session.commit() writes what was saved", async () => {
  const session = newSession();
  const request = requestWith();
  const dict = await session.get(request);
  dict.n = 1;
  dict.save();
  const response = await session.commit(request, new Response("Hello"));
  assertEquals(response.headers.get("Vary"), "Cookie");
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("session.commit() twice sets the cookie once", async () => {
  const session = newSession();
  const request = requestWith();
  const dict = await session.get(request);
  dict.save();
  const first = await session.commit(request, new Response("Hello"));
  const second = await session.commit(request, first);
  assertEquals(second.headers.getSetCookie().length, 1);
  assertEquals(second.headers.get("Vary"), "Cookie");
  assertEquals(await second.text(), "Hello");
});

Deno.test("session.commit() twice renews once", async () => {
  const { clock, advance } = stoppedClock();
  const backend = new MemoryBackend();
  const session = newSession({ clock, backend });
  const value = await valueWith(session, { n: 1 });
  advance(8 * DAY);
  const request = requestWith(`session=${value}`);
  await session.get(request);
  const first = await session.commit(request, new Response("Hello"));
  const second = await session.commit(request, first);
  assertEquals(backend.previous.length, 2);
  assertEquals(second.headers.getSetCookie().length, 1);
});

Deno.test("session.commit() saves by autoSave, and renews", async () => {
  const session = newSession({ autoSave: true });
  const request = requestWith();
  (await session.get(request)).n = 1;
  const response = await session.commit(request, new Response("Hello"));
  assertEquals(await dataOf(session, cookieSetBy(response)), { n: 1 });
});

Deno.test("session.commit() returns the same response where no session was read", async () => {
  const response = new Response("Hello");
  const request = requestWith("session=x");
  assertStrictEquals(await newSession().commit(request, response), response);
  assertEquals(response.headers.has("Vary"), false);
});

Deno.test("session.commit() rejects where a save did", async () => {
  const session = newSession();
  const request = requestWith();
  const dict = await session.get(request);
  dict.x = 10n;
  dict.save();
  await assertRejects(
    () => session.commit(request, new Response("Hello")),
    TypeError,
    '"x"',
  );
});

// Responses

Deno.test("withSession() copies a response whose headers are immutable", async () => {
  const response = await visit(
    newSession(),
    (dict) => void dict.save(),
    undefined,
    () => Response.redirect("http://localhost/next", 303),
  );
  assertEquals(response.status, 303);
  assertEquals(response.headers.get("Location"), "http://localhost/next");
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(response.headers.get("Vary"), "Cookie");
});

Deno.test("withSession() adds Vary to a response whose headers are immutable", async () => {
  const response = await visit(
    newSession(),
    () => {},
    undefined,
    () => Response.redirect("http://localhost/next"),
  );
  assertEquals(response.headers.get("Vary"), "Cookie");
});

Deno.test("withSession() keeps the status, headers and body of a response", async () => {
  const response = await visit(
    newSession(),
    (dict) => void dict.save(),
    undefined,
    () =>
      new Response(new TextEncoder().encode("Hello"), {
        status: 418,
        statusText: "Teapot",
        headers: { "X-Pot": "short" },
      }),
  );
  assertEquals(response.status, 418);
  assertEquals(response.statusText, "Teapot");
  assertEquals(response.headers.get("X-Pot"), "short");
  assertEquals(await response.text(), "Hello");
});

Deno.test("withSession() leaves a stream unread", async () => {
  let isPulled = false;
  const stream = new ReadableStream({
    pull(controller) {
      isPulled = true;
      controller.enqueue(new TextEncoder().encode("Hello"));
      controller.close();
    },
  }, { highWaterMark: 0 });
  const response = await visit(
    newSession(),
    (dict) => void dict.save(),
    undefined,
    () => new Response(stream),
  );
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(isPulled, false);
  assertEquals(await response.text(), "Hello");
});

Deno.test("withSession() lets Response.error() pass", async () => {
  const response = await visit(
    newSession(),
    (dict) => void dict.save(),
    undefined,
    () => Response.error(),
  );
  assertEquals(response.type, "error");
  assertEquals(response.headers.getSetCookie(), []);
});

/** Responses that an application can keep, and send any number of times. */
const CONSTANTS: Record<string, Response> = {
  "a redirect": Response.redirect("http://localhost/next"),
  "a bare status": new Response(null, { status: 204 }),
  "a location": new Response(null, {
    status: 302,
    headers: { Location: "/next" },
  }),
  "a status with Content-Type": new Response(null, {
    status: 304,
    headers: { "Content-Type": "text/html" },
  }),
};

for (const [what, constant] of Object.entries(CONSTANTS)) {
  for (const way of ["returned", "thrown"]) {
    Deno.test(`${what} that is ${way} to two visitors leaks no cookie`, async () => {
      const session = newSession();
      const answer = () => {
        if (way === "thrown") throw constant;
        return constant;
      };
      const first = await visit(
        session,
        (dict) => {
          dict.name = "susan";
          dict.save();
        },
        undefined,
        answer,
      );
      const second = await visit(session, () => {}, undefined, answer);
      assertEquals(first.headers.getSetCookie().length, 1);
      assertEquals(second.headers.getSetCookie(), []);
      assertEquals(constant.headers.getSetCookie(), []);
      assertEquals(constant.headers.has("Cache-Control"), false);
    });
  }
}

// Backends

for (const way of ["throws", "rejects"]) {
  const failure = new Error("store is down");
  const fail = () => {
    if (way === "throws") throw failure;
    return Promise.reject(failure);
  };

  Deno.test(`session.get() passes on that a store ${way} at load`, async () => {
    const backend: Backend = {
      authenticated: true,
      load: fail,
      save: () => Promise.resolve("id"),
    };
    const session = newSession({ backend });
    const request = requestWith("session=id");
    assertStrictEquals(
      await assertRejects(() => session.get(request)),
      failure,
    );
    assertStrictEquals(
      await assertRejects(() => visit(session, () => {}, "id")),
      failure,
    );
  });

  Deno.test(`session.get() passes on that a store ${way} at load of several cookies`, async () => {
    const backend: Backend = {
      authenticated: true,
      load: fail,
      save: () => Promise.resolve("id"),
    };
    const request = requestWith("session=a; session=b");
    assertStrictEquals(
      await assertRejects(() => newSession({ backend }).get(request)),
      failure,
    );
  });

  Deno.test(`dict.save() passes on that a store ${way} at save`, async () => {
    const backend: Backend = {
      authenticated: true,
      load: () => null,
      save: fail,
    };
    const session = newSession({ backend });
    const dict = await session.get(requestWith());
    assertStrictEquals(await assertRejects(() => dict.save()), failure);
    assertStrictEquals(
      await assertRejects(() => visit(session, (dict) => void dict.save())),
      failure,
    );
  });
}

Deno.test("session.get() needs no secret key for a store of its own", async () => {
  const backend = new MemoryBackend();
  const session = new Session({ backend, clock });
  const value = await valueWith(session, { n: 1 });
  assertEquals(await dataOf(session, value), { n: 1 });
});

Deno.test("session.get() checks the exp of a store's record", async () => {
  const { clock, advance } = stoppedClock();
  const backend = new MemoryBackend();
  const session = newSession({ backend, clock, maxAge: 100 });
  const value = await valueWith(session, { n: 1 });
  advance(100);
  assertEquals(await dataOf(session, value), {});
});

for (
  const claims of [{ exp: NOW }, { nbf: NOW + 61 }, { iat: NOW + 61 }]
) {
  const name = Object.keys(claims)[0];
  Deno.test(`session.get() checks the ${name} of a store's record that has no other claim`, async () => {
    const backend: Backend = {
      authenticated: true,
      load: () => ({ n: 1, ...claims }),
      save: () => Promise.resolve("id"),
    };
    assertEquals(await dataOf(newSession({ backend }), "id"), {});
  });
}

// Several cookies

/** `a`, `b`: valid; `x1` and so on: garbage. */
const SEVERAL: [cookies: string, expected: string | undefined][] = [
  ["a a", "a"],
  ["a x1", "a"],
  ["x1 a", "a"],
  ["x1 x2 x3 a", "a"],
  ["x1 x1 x1 x1 a a", "a"],
  ["a a x1 a", "a"],
  ["a b", undefined],
  ["b x1 a", undefined],
  ["x1 x2", undefined],
  ["x1 x2 x3 x4 a", undefined],
];

for (const [cookies, expected] of SEVERAL) {
  Deno.test(`session.get() finds ${expected ?? "nobody"} in the cookies ${cookies}`, async () => {
    const tokens: Record<string, string> = {
      a: await signToken({ name: "a" }),
      b: await signToken({ name: "b" }),
    };
    const header = cookies.split(" ").map((name) =>
      `session=${tokens[name] ?? name}`
    ).join("; ");
    // Once with an empty cache of tokens, and once with a full one.
    const session = newSession();
    for (let i = 0; i < 2; i++) {
      const dict = await session.get(requestWith(header));
      assertEquals(dict.name, expected);
    }
  });
}

Deno.test("session.get() takes the only valid one of two cookies, not an expired one", async () => {
  const expired = await signToken({ n: 1, exp: NOW - 1 });
  const valid = await signToken({ n: 2 });
  const request = requestWith(`session=${expired}; session=${valid}`);
  assertEquals((await newSession().get(request)).n, 2);
});

Deno.test("dict.save() updates the session that was found among several", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await valueWith(session, { n: 1 });
  const handler = withSession(session, (_request, dict) => {
    dict.n++;
    dict.save();
    return new Response("Hello");
  });
  await handler(requestWith(`session=forged; session=${value}`));
  assertEquals(backend.previous, [undefined, value]);
  assertEquals(backend.records.get(value)?.n, 2);
});

// Cookie attributes

const LINES: [
  what: string,
  options: Parameters<typeof newSession>[0],
  url: string,
  attributes: string[],
][] = [
  ["by default", {}, "http://localhost/", [
    "HttpOnly",
    "Path=/",
    "SameSite=Lax",
  ]],
  ["over https", {}, "https://localhost/", [
    "HttpOnly",
    "Path=/",
    "SameSite=Lax",
    "Secure",
  ]],
  [
    "with secure over http",
    { cookieOptions: { secure: true } },
    "http://localhost/",
    ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"],
  ],
  [
    "with secure: false over https",
    { cookieOptions: { secure: false } },
    "https://localhost/",
    ["HttpOnly", "Path=/", "SameSite=Lax"],
  ],
  [
    "with secure: undefined over https",
    { cookieOptions: { secure: undefined } },
    "https://localhost/",
    ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"],
  ],
  [
    "with a __Host- name",
    { cookieName: "__Host-session" },
    "http://localhost/",
    ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"],
  ],
  [
    "with a __Secure- name",
    {
      cookieName: "__Secure-session",
      cookieOptions: { domain: "example.com", path: "/app" },
    },
    "http://localhost/",
    [
      "Domain=example.com",
      "HttpOnly",
      "Path=/app",
      "SameSite=Lax",
      "Secure",
    ],
  ],
  [
    "with all attributes",
    {
      cookieOptions: {
        path: "/a b",
        domain: ".example.com",
        secure: true,
        httpOnly: false,
        sameSite: "None",
        maxAge: 34_560_000,
        partitioned: true,
      },
    },
    "http://localhost/",
    [
      "Domain=.example.com",
      "Max-Age=34560000",
      "Partitioned",
      "Path=/a b",
      "SameSite=None",
      "Secure",
    ],
  ],
  [
    "by default where given ones are undefined",
    {
      cookieOptions: {
        path: undefined,
        httpOnly: undefined,
        sameSite: undefined,
        secure: undefined,
      },
    },
    "http://localhost/",
    ["HttpOnly", "Path=/", "SameSite=Lax"],
  ],
  [
    "merged over the default",
    { cookieOptions: { sameSite: "Strict" } },
    "http://localhost/",
    ["HttpOnly", "Path=/", "SameSite=Strict"],
  ],
];

for (const [what, options, url, attributes] of LINES) {
  Deno.test(`dict.save() sets the cookie's attributes ${what}`, async () => {
    const session = newSession(options);
    const handler = withSession(session, (_request, dict) => {
      dict.save();
      return new Response("Hello");
    });
    const response = await handler(requestWith(undefined, url));
    const line = lineOf(response, options?.cookieName);
    assertEquals(attributesOf(line), attributes);
  });
}

Deno.test("session.cookieOptions has the defaults", () => {
  assertEquals(newSession().cookieOptions, {
    path: "/",
    httpOnly: true,
    sameSite: "Lax",
  });
});

Deno.test("session.cookieOptions can be set later, over the defaults", async () => {
  const session = newSession({ cookieOptions: { path: "/old" } });
  session.cookieOptions = { sameSite: "Strict" };
  assertEquals(session.cookieOptions.sameSite, "Strict");
  const response = await visit(session, (dict) => void dict.save());
  assertEquals(attributesOf(lineOf(response)), [
    "HttpOnly",
    "Path=/",
    "SameSite=Strict",
  ]);
});

Deno.test("session.cookieOptions throws for bad ones, and keeps the old", () => {
  const session = newSession({ cookieOptions: { path: "/old" } });
  assertThrows(
    () => session.cookieOptions = { path: "new" },
    TypeError,
    "path",
  );
  assertEquals(session.cookieOptions.path, "/old");
});

Deno.test("cookieName names the cookie that is read and written", async () => {
  const session = newSession({ cookieName: "sid" });
  const handler = withSession(session, (_request, dict) => {
    dict.n = (dict.n ?? 0) + 1;
    dict.save();
    return Response.json({ n: dict.n });
  });
  const first = await handler(requestWith());
  const value = cookieSetBy(first, "sid");
  const second = await handler(requestWith(`session=x; sid=${value}`));
  assertEquals(await second.json(), { n: 2 });
});

// initialize

Deno.test("session.initialize() configures a session later", async () => {
  const session = new Session();
  session.initialize({ secretKey: KEY, cookieName: "sid", clock });
  const value = await signToken({ n: 1 });
  const dict = await session.get(requestWith(`sid=${value}`));
  assertEquals({ ...dict } as unknown, { n: 1 });
});

Deno.test("session.initialize() replaces the options it is given, and keeps the others", async () => {
  const session = newSession({ cookieName: "a", maxAge: 100 });
  session.initialize({ cookieName: "b" });
  const response = await visit(session, (dict) => void dict.save());
  assertEquals(cookieSetBy(response, "a"), undefined);
  assertEquals(payloadOf(cookieSetBy(response, "b")).exp, NOW + 100);
  session.initialize({ maxAge: 200 });
  const next = await visit(session, (dict) => void dict.save());
  assertEquals(payloadOf(cookieSetBy(next, "b")).exp, NOW + 200);
});

Deno.test("session.initialize() throws for bad options, and keeps the old", async () => {
  const session = newSession();
  assertThrows(
    () => session.initialize({ secretKey: OTHER_KEY, maxAge: 0 }),
    RangeError,
    "maxAge",
  );
  assertEquals(session.secretKey, KEY);
  assertEquals(await dataOf(session, await signToken({ n: 1 })), { n: 1 });
});

// encode and decode

Deno.test("session.encode() makes a token of exactly the payload", async () => {
  const payload = { n: 1, exp: NOW + 60, iss: "me", save: "data" };
  const token = await newSession().encode(payload);
  assertEquals(token, await signToken(payload));
});

Deno.test("session.encode() takes another key", async () => {
  const session = newSession();
  const token = await session.encode({ n: 1 }, OTHER_KEY);
  assertEquals(token, await signToken({ n: 1 }, OTHER_KEY));
  assertEquals(await session.decode(token), {});
  assertEquals(await session.decode(token, OTHER_KEY), { n: 1 });
});

Deno.test("session.encode() and decode() with another key need none in the session", async () => {
  const session = new Session({ clock });
  const token = await session.encode({ n: 1 }, KEY);
  assertEquals(await session.decode(token, KEY), { n: 1 });
});

Deno.test("session.encode() rejects another key that is too short", async () => {
  await assertRejects(
    () => newSession().encode({ n: 1 }, "short"),
    RangeError,
    "secretKey",
  );
});

Deno.test("session.encode() rejects what JSON can't hold", async () => {
  for (const [, x] of NO_JSON) {
    await assertRejects(() => newSession().encode({ x }), TypeError);
  }
});

Deno.test("session.encode() and decode() go through the session's backend", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await session.encode({ n: 1 });
  assertEquals(backend.records.get(value), { n: 1 });
  assertEquals(await session.decode(value), { n: 1 });
});

Deno.test("session.decode() returns the whole payload, claims included", async () => {
  const payload = { n: 1, exp: NOW + 60, iss: "me", _started: NOW };
  const token = await signToken(payload);
  assertEquals(await newSession().decode(token), payload);
});

for (const [what, make] of Object.entries(GARBAGE)) {
  Deno.test(`session.decode() returns {} for ${what}`, async () => {
    const session = newSession();
    const value = await make(await valueWith(session, { n: 1 }));
    assertEquals(await session.decode(value), {});
  });
}

Deno.test("session.decode() returns {} for what is no string", async () => {
  const value = null as unknown as string;
  assertEquals(await newSession().decode(value), {});
});

Deno.test("session.encode() and decode() take no other key over a backend of one's own", async () => {
  const session = newSession({ backend: new MemoryBackend() });
  for (const key of [KEY, OTHER_KEY]) {
    await assertRejects(
      () => session.encode({ n: 1 }, key),
      TypeError,
      "the backend is an object",
    );
    await assertRejects(
      () => session.decode("value", key),
      TypeError,
      "the backend is an object",
    );
  }
});
