import { inspect } from "node:util";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { base64Backend } from "../backends/base64.ts";
import { fernetBackend } from "../backends/fernet.ts";
import { jwtBackend } from "../backends/jwt.ts";
import {
  type Backend,
  Login,
  redirect,
  type SecretKey,
  Session,
  type SessionDict,
  withSession,
} from "../mod.ts";
import { open, serve } from "./_helpers.ts";

/** What shall be found nowhere. */
const PLANTED = {
  key: "planted-key-0123456789-0123456789-0123456789",
  shortKey: "planted-short-key",
  value: "planted-value",
  token: "planted-header.planted-payload.planted-signature",
  userId: "planted-user",
};
const { key, shortKey, value, token, userId } = PLANTED;

type Attempt = [what: string, attempt: () => unknown];

/** What a program in JavaScript may pass. */
// deno-lint-ignore no-explicit-any -- it is the wrong kind of value
type Anything = any;

const shortBytes = new TextEncoder().encode(shortKey);
const keyBytes = new TextEncoder().encode(key);

const KEYS: Attempt[] = [
  ["a short key", () => new Session({ secretKey: shortKey })],
  ["short bytes", () => new Session({ secretKey: shortBytes })],
  ["a short second key", () => new Session({ secretKey: [key, shortKey] })],
  ["five keys", () => new Session({ secretKey: Array(5).fill(key) })],
  ["a key in an object", () => sessionOf({ key })],
  ["a key in a function", () => sessionOf(() => key)],
  ["bytes in an array", () => sessionOf([[...keyBytes]])],
  ["an ArrayBuffer", () => sessionOf(keyBytes.buffer)],
  ["a promise of a key", () => sessionOf(Promise.resolve(key))],
  ["a Headers of a key", () => sessionOf(new Headers({ key }))],
  ["an AES key", async () => sessionOf(await importKey("AES-CBC"))],
  ["an HKDF key", async () => sessionOf(await importKey("HKDF"))],
  [
    "a key of HMAC-SHA-512",
    async () =>
      sessionOf(await importKey({ name: "HMAC", hash: "SHA-512" }, ["sign"])),
  ],
  [
    "a key that only signs",
    async () =>
      sessionOf(await importKey({ name: "HMAC", hash: "SHA-256" }, ["sign"])),
  ],
  ["a short key later", () => {
    new Session().secretKey = shortKey;
  }],
  ["initialize()", () => new Session().initialize({ secretKey: shortKey })],
  [
    "a short key of jwtBackend()",
    () => jwtBackend({ secretKey: shortKey, type: "test" }),
  ],
  [
    "a short key of fernetBackend()",
    () => fernetBackend({ secretKey: shortKey }),
  ],
  [
    "a CryptoKey of fernetBackend()",
    async () => fernetBackend({ secretKey: await importKey("HKDF") }),
  ],
  [
    "a key of base64Backend()",
    () => base64Backend({ secretKey: key } as Anything),
  ],
  ["a short key of encode()", () => good().encode({ value }, shortKey)],
  ["a short key of decode()", () => good().decode(token, shortKey)],
  ["a bad option beside the key", () => sessionOf(key, { maxAge: -1 })],
  ["a bad name beside the key", () => sessionOf(key, { cookieName: "a b" })],
  ["a bad backend beside the key", () => sessionOf(key, { backend: "x" })],
  ["a bad clock beside the key", () => sessionOf(key, { clock: value })],
  [
    "a bad attribute beside the key",
    () => sessionOf(key, { cookieOptions: { domain: ";" } }),
  ],
];

const SAVES: Attempt[] = [
  ["a bigint", () => save({ data: [value, 1n] })],
  ["a function", () => save({ data: [value, () => value] })],
  ["a symbol", () => save({ data: [Symbol(value)] })],
  ["NaN", () => save({ data: [value, NaN] })],
  ["a Map", () => save({ data: new Map([[value, value]]) })],
  ["a Set", () => save({ data: new Set([value]) })],
  ["bytes", () => save({ data: new TextEncoder().encode(value) })],
  ["an error", () => save({ data: new Error(value) })],
  ["a RegExp", () => save({ data: new RegExp(value) })],
  ["a promise", () => save({ data: Promise.resolve(value) })],
  ["a circle", () => {
    const data: Record<string, unknown> = { value };
    data.self = data;
    return save({ data });
  }],
  ["nesting without end", () => {
    let data: unknown = value;
    for (let level = 0; level < 1e5; level++) data = [data];
    return save({ data });
  }],
  ["a claim", () => save({ exp: value })],
  ["the name of a method", () => save({ save: value })],
  ["too much", () => save({ data: value.repeat(500) })],
  ["encode() of too much", () => good().encode({ data: value.repeat(500) })],
  ["encode() of a bigint", () => good().encode({ data: value, n: 1n })],
  ["encode() without a key", () => new Session().encode({ value })],
  ["decode() without a key", () => new Session().decode(token)],
  ["get() without a key", () => new Session().get(visit())],
  ["get() of what is no Request", () => good().get({ value } as Anything)],
  ["a store's value with a line feed", () => {
    const backend = store({ save: () => Promise.resolve(`${value}\n`) });
    return save({ value }, new Session({ backend }));
  }],
  ["a store's value that is too long", () => {
    const backend = store({ save: () => Promise.resolve(value.repeat(500)) });
    return save({ value }, new Session({ backend }));
  }],
  [
    "commit() of what is no Response",
    () => good().commit(visit(), { value } as Anything),
  ],
  ["commit() after a bad save()", async () => {
    const session = good();
    const request = visit();
    const dict = await open(session, request);
    dict.data = [value, NaN];
    dict.save().catch(() => {});
    await session.commit(request, new Response(value));
  }],
  [
    "a handler that returns no Response",
    () => withSession(good(), () => ({ value }) as Anything)(visit()),
  ],
  ["save() when the response has left", async () => {
    const kept: SessionDict[] = [];
    await withSession(good(), (_request, dict) => {
      kept.push(dict);
      return new Response();
    })(visit());
    kept[0].data = value;
    await kept[0].save();
  }],
];

const LOGINS: Attempt[] = [
  ["what is no session", () => new Login(key as Anything)],
  ["an unsigned backend", () => {
    const backend = { ...store(), authenticated: false };
    return new Login(new Session({ backend, secretKey: key }));
  }],
  ["a user without an id", () => logIn({ value })],
  ["an object as user id", () => logIn({ id: { userId } })],
  ["an array as user id", () => logIn({ id: [userId] })],
  ["no user", () => logIn(null)],
  ["a user id that is too long", () => logIn({ id: userId.repeat(500) })],
  [
    "a user with too long a stamp",
    () => logIn({ id: userId }, { securityStamp: () => value.repeat(500) }),
  ],
  [
    "a security stamp in an object",
    () =>
      logIn({ id: userId }, { securityStamp: () => ({ value }) as Anything }),
  ],
  [
    "a security stamp in an array",
    () => logIn({ id: userId }, { securityStamp: () => [value] as Anything }),
  ],
  ["remember without a key", () => {
    const login = new Login(new Session({ backend: store() }));
    return login.loginUser(visit(), { id: userId }, { remember: true });
  }],
  ["no userLoader", async () => {
    const session = good();
    const headers = { Cookie: await cookieOf(session, { _user_id: userId }) };
    const login = new Login(session);
    await login.getCurrentUser(new Request("http://localhost/", { headers }));
  }],
  [
    "a userLoader that is none",
    () => new Login(good()).userLoader({ userId } as Anything),
  ],
  [
    "a check that is none",
    () =>
      new Login(good()).required(() => new Response(), {
        check: value as Anything,
      }),
  ],
  ["a status that is none", () => redirect(`/${value}`, 200)],
];

function sessionOf(secretKey: Anything, others: object = {}): Session {
  return new Session({ secretKey, ...others });
}

function good(): Session {
  return new Session({ secretKey: key });
}

function importKey(
  algorithm: Parameters<SubtleCrypto["importKey"]>[2],
  usages: KeyUsage[] = algorithm === "HKDF" ? ["deriveKey"] : ["encrypt"],
): Promise<SecretKey> {
  const bytes = keyBytes.slice(0, 32);
  return crypto.subtle.importKey("raw", bytes, algorithm, true, usages);
}

function visit(): Request {
  const headers = { Cookie: `session=${token}; _remember=${token}` };
  return new Request(`http://localhost/login?next=${value}`, {
    method: "POST",
    headers,
  });
}

async function cookieOf(session: Session, data: object): Promise<string> {
  return `session=${await session.encode({ ...data })}`;
}

function store(methods: Partial<Backend> = {}): Backend {
  return {
    authenticated: true,
    load: () => ({ value }),
    save: () => Promise.resolve(token),
    ...methods,
  };
}

/** Saves data as a handler does, and does not wait for them to be saved. */
function save(data: object, session = good()): Promise<Response> {
  return withSession(session, (_request, dict) => {
    Object.assign(dict, data);
    dict.save();
    return new Response(value);
  })(visit());
}

async function logIn(user: Anything, options: object = {}): Promise<void> {
  const login = new Login(good(), { userLoader: () => user, ...options });
  await login.loginUser(visit(), user, { remember: true });
}

/** Runs something, and returns all that went to the console meanwhile. */
async function logsOf(run: () => unknown): Promise<string> {
  const methods = ["debug", "error", "info", "log", "trace", "warn"] as const;
  const originals = methods.map((method) => console[method]);
  let logs = "";
  const capture = (...values: unknown[]) =>
    logs += values.map(textOf).join(" ");
  for (const method of methods) console[method] = capture;
  try {
    await run();
  } finally {
    methods.forEach((method, index) => console[method] = originals[index]);
  }
  return logs;
}

/** All that a log can make of a value, its properties and causes included. */
function textOf(value: unknown): string {
  const options = { depth: 20, showHidden: true, strAbbreviateSize: Infinity };
  return value instanceof Error
    ? `${value}${value.stack}${Deno.inspect(value, options)}`
    : String(value);
}

function assertClean(text: string): void {
  for (const [what, secret] of Object.entries(PLANTED)) {
    // Base64 and numbers as well.
    const bytes = [...new TextEncoder().encode(secret)];
    for (const form of [secret, btoa(secret).slice(0, 12), bytes.join(", ")]) {
      assert(!text.includes(form), `The ${what} is in: ${text}`);
    }
  }
}

for (const [what, attempt] of [...KEYS, ...SAVES, ...LOGINS]) {
  Deno.test(`an error tells no secret: ${what}`, async () => {
    const logs = await logsOf(async () => {
      const error = await assertRejects(() => Promise.try(attempt), Error);
      assertClean(textOf(error));
    });
    assertClean(logs);
  });
}

for (const method of ["load", "save", "remove"] as const) {
  Deno.test(`a store's error in ${method}() passes as it is`, async () => {
    const failure = new Error("The store is down");
    const backend = store({ [method]: () => Promise.reject(failure) });
    const session = new Session({ backend });
    const logs = await logsOf(async () => {
      const handler = withSession(session, (_request, dict) => {
        if (method === "remove") dict.delete();
        else dict.save();
        return new Response();
      });
      const error = await assertRejects(() => handler(visit()), Error);
      assert(error === failure);
      assertEquals(error.message, "The store is down");
      assertEquals(error.cause, undefined);
    });
    assertEquals(logs, "");
  });
}

Deno.test("a userLoader's error passes as it is", async () => {
  const failure = new Error("The database is down");
  const session = good();
  const login = new Login(session, {
    userLoader: () => Promise.reject(failure),
  });
  const headers = { Cookie: await cookieOf(session, { _user_id: userId }) };
  const logs = await logsOf(async () => {
    const request = new Request("http://localhost/", { headers });
    const page = login.required(() => new Response());
    const error = await assertRejects(() => page(request), Error);
    assert(error === failure);
  });
  assertEquals(logs, "");
});

Deno.test("a server's log and answers tell no secret", async () => {
  const session = good();
  const login = new Login(session, { userLoader: () => null });
  const handler = session.wrap(async (request) => {
    const dict = await session.get(request);
    await login.getCurrentUser(request);
    dict.data = value.repeat(500);
    dict.save();
    return new Response();
  });
  let answer = "";
  const logs = await logsOf(async () => {
    const onError = (error: unknown) => {
      console.error(error);
      return new Response(null, { status: 500 });
    };
    await serve(handler, async (url) => {
      const headers = { Cookie: `session=${token}; _remember=${token}` };
      const response = await fetch(url, { headers });
      answer = `${await response.text()}${textOf([...response.headers])}`;
      assertEquals(response.status, 500);
    }, onError);
  });
  assert(logs.includes("over the limit of 4096"), logs);
  assertClean(logs);
  assertClean(answer);
});

Deno.test("a garbled cookie leaves no trace in a log", async () => {
  const session = good();
  const login = new Login(session, { userLoader: () => ({ id: userId }) });
  const logs = await logsOf(async () => {
    const whole = await session.encode({ _user_id: userId, value });
    for (const bad of [token, whole.slice(1), whole + "x", `${whole}.`, key]) {
      const headers = { Cookie: `session=${bad}; _remember=${bad}` };
      const request = new Request("http://localhost/", { headers });
      const response = await login.required(() => new Response())(request);
      assertEquals(response.status, 302);
      assertClean(`${await response.text()}${textOf([...response.headers])}`);
    }
  });
  assertEquals(logs, "");
});

Deno.test("an object shows no secret to a log, getters included", async () => {
  const session = good();
  const options = { depth: 20, showHidden: true, getters: true };
  const login = new Login(session, { userLoader: () => ({ id: userId }) });
  const dict = await session.get(visit());
  const backends = [
    jwtBackend({ secretKey: key, type: "test" }),
    fernetBackend({ secretKey: key }),
  ];
  class AppSession extends Session {}
  const own = new AppSession({ secretKey: [keyBytes, key] });
  for (const value of [session, own, login, dict, ...backends]) {
    const object = { list: [value] };
    assertClean(`${Deno.inspect(object, options)}${JSON.stringify(object)}`);
    assertClean(inspect(object, options));
  }
});
