import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { kvBackend } from "../backends/kv.ts";
import {
  Login,
  type Payload,
  Session,
  type SessionDict,
  type SessionOptions,
  withSession,
} from "../mod.ts";
import {
  attributesOf,
  cookieSetBy,
  KEY,
  lineOf,
  NOW,
  OTHER_KEY,
  requestWith,
  stoppedClock,
} from "./_helpers.ts";
import {
  Browser,
  cookiesOf,
  DAY,
  type Handler,
  locationOf,
  type Setting,
  Site,
} from "./_login.ts";

/** What an application can tell one backend from another by. */
interface Traits {
  /** Whether a client is unable to make a session. A Login demands it. */
  isAuthenticated: boolean;
  /** Whether a client can read its session. */
  isReadable: boolean;
  /** Whether a cookie that was copied is worthless after a logout. */
  isRevocable: boolean;
  /** Whether a session has one cookie value for all of its life. */
  keepsValue: boolean;
  /** Whether what was saved stays so when the handler throws afterwards. */
  keepsThrown: boolean;
  /** Whether the session must have a secret key, may have one, or must not. */
  secretKey: "needed" | "optional" | "refused";
  /** The limit of a session's size, in bytes, as an error names it. */
  limit: [bytes: number, text: string];
}

/** Signed and encrypted cookies have all else in common. */
const COOKIE: Omit<Traits, "isReadable"> = {
  isAuthenticated: true,
  isRevocable: false,
  keepsValue: false,
  keepsThrown: false,
  secretKey: "needed",
  limit: [4096, "4096"],
};

const BACKENDS = {
  jwt: { ...COOKIE, isReadable: true },
  fernet: { ...COOKIE, isReadable: false },
  base64: {
    ...COOKIE,
    isAuthenticated: false,
    isReadable: true,
    secretKey: "refused",
  },
  kv: {
    isAuthenticated: true,
    isReadable: false,
    isRevocable: true,
    keepsValue: true,
    keepsThrown: true,
    secretKey: "optional",
    limit: [65_536, "65536"],
  },
} satisfies Record<string, Traits>;

type Name = keyof typeof BACKENDS;

const NAMES = Object.keys(BACKENDS) as Name[]; // its keys are these

const HOUR = 3600;

/** Data of every kind that JSON has. */
const DATA = {
  text: 'Zoë \u{1F36A} "quoted" \\ \n\0',
  number: -1.5e-7,
  flags: [true, false, null],
  nested: { list: [{ deep: {} }], "": 0, "a.b c": "" },
};

const GARBAGE: [what: string, value: string][] = [
  ["nothing", ""],
  ["a word", "garbage"],
  ["dots", ".."],
  ["a padding character", "="],
  ["an empty object, unencoded", "{}"],
  ["an empty array", encodeBase64Url("[]")],
  ["null", encodeBase64Url("null") + "="],
  ["text that is no JSON", encodeBase64Url("{n}")],
  ["invalid UTF-8", encodeBase64Url(new Uint8Array([0x7B, 0xFF, 0x7D]))],
  ["bytes outside of ASCII", "\xE9\xFF"],
  ["a percent sign", "%7B%7D"],
  ["an unknown id", "A".repeat(43)],
  ["60 KB", "x".repeat(61_440)],
];

const CLAIMS = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "_started"];

const NO_JSON: [what: string, value: unknown][] = [
  ["a BigInt", 10n],
  ["NaN", NaN],
  ["a Map", new Map()],
  ["a nested function", [{ f: () => {} }]],
];

const MISSING_USERS: [what: string, change: (site: Site) => void][] = [
  ["the user is gone", (site) => site.users.clear()],
  ["the security stamp changed", (site) => site.susan.stamp = "s2"],
];

const FOREIGN: HeadersInit[] = [
  { "Sec-Fetch-Site": "cross-site" },
  { Origin: "https://evil.example" },
  { Origin: "null" },
];

/** One backend under test, with a clock of its own. */
class Fixture implements Disposable {
  readonly name: Name;
  readonly traits: Traits;
  readonly #kv: Deno.Kv | undefined;
  readonly #time = stoppedClock();
  readonly session: Session;

  private constructor(name: Name, kv?: Deno.Kv) {
    this.name = name;
    this.traits = BACKENDS[name];
    this.#kv = kv;
    this.session = this.newSession();
  }

  static async open(name: Name): Promise<Fixture> {
    if (name !== "kv") return new Fixture(name);
    return new Fixture(name, await Deno.openKv(":memory:"));
  }

  [Symbol.dispose](): void {
    this.#kv?.close();
  }

  advance(seconds: number): void {
    this.#time.advance(seconds);
  }

  newSession(
    options: SessionOptions = {},
    isKeyed = this.traits.secretKey === "needed",
  ): Session {
    const { clock } = this.#time;
    return new Session({
      ...(isKeyed && { secretKey: KEY }),
      backend: this.#backend(clock),
      clock,
      ...options,
    });
  }

  /** A login of this backend, whose clock is the site's. */
  newSite({ session, ...setting }: Setting = {}): Site {
    // The backend has to have the clock, and the site the backend.
    const clock = () => site.clock();
    const backend = this.#backend(clock);
    const site: Site = new Site({
      ...setting,
      session: { ...session, backend },
    });
    return site;
  }

  #backend(clock: () => number): NonNullable<SessionOptions["backend"]> {
    if (this.name !== "kv") return this.name;
    assert(this.#kv);
    return kvBackend(this.#kv, { clock });
  }
}

/** Defines a test of each backend that has the traits. */
function test(
  what: string,
  run: (fixture: Fixture) => void | Promise<void>,
  traits: Partial<Traits> = {},
): void {
  for (const name of NAMES) {
    const wanted = Object.entries(traits);
    const has = new Map<string, unknown>(Object.entries(BACKENDS[name]));
    if (!wanted.every(([trait, value]) => has.get(trait) === value)) continue;
    Deno.test(`${name}: ${what}`, async () => {
      using fixture = await Fixture.open(name);
      await run(fixture);
    });
  }
}

/** A handler that edits the session. */
function editing(
  session: Session,
  edit: (dict: SessionDict) => unknown,
): Handler {
  return withSession(session, async (_request, dict) => {
    await edit(dict);
    return new Response("Hello");
  });
}

/** A handler that saves data. */
function saving(session: Session, data: object): Handler {
  return editing(session, (dict) => {
    Object.assign(dict, data);
    dict.save();
  });
}

const idle = () => {};

/** A browser whose session has these data. */
async function browserWith(session: Session, data: object): Promise<Browser> {
  const browser = new Browser();
  await browser.get(saving(session, data));
  return browser;
}

function valueOf(browser: Browser): string {
  const value = browser.cookies.get("session");
  assert(value, "there is no session cookie");
  return value;
}

/** The data of a request with the browser's cookies; nothing is written. */
async function dataOf(session: Session, browser: Browser): Promise<Payload> {
  return { ...await session.get(browser.request("/")) };
}

async function dataIn(session: Session, cookies: string): Promise<Payload> {
  return { ...await session.get(requestWith(cookies)) };
}

/** All spellings of a value in which one character is another. */
function* alterations(value: string): Generator<string> {
  for (let i = 0; i < value.length; i++) {
    const other = value[i] === "x" ? "y" : "x";
    yield value.slice(0, i) + other + value.slice(i + 1);
  }
}

// What a session does

test("session.get() is empty for a new visitor, and sets no cookie", async ({ session }) => {
  const response = await new Browser().get(editing(session, (dict) => {
    assertEquals({ ...dict }, {});
  }));
  assertEquals(response.headers.getSetCookie(), []);
  assertEquals(response.headers.get("Vary"), "Cookie");
});

test("session.get() returns what was saved", async ({ session }) => {
  const browser = await browserWith(session, DATA);
  assertEquals(await dataOf(session, browser), DATA);
});

test("session.get() returns the same object for the same request", async ({ session }) => {
  const browser = await browserWith(session, { n: 1 });
  const request = browser.request("/");
  const [one, two] = await Promise.all([
    session.get(request),
    session.get(request),
  ]);
  assertStrictEquals(one, two);
  assertStrictEquals(await session.get(request), one);
});

test("session.get() gives each request data of its own", async ({ session }) => {
  const browser = await browserWith(session, { list: [1] });
  const dict = await session.get(browser.request("/"));
  dict.list.push(2);
  assertEquals(await dataOf(session, browser), { list: [1] });
});

test("session.get() keeps visitors apart", async ({ session }) => {
  const susan = await browserWith(session, { name: "susan" });
  const david = await browserWith(session, { name: "david" });
  await david.get(saving(session, { n: 1 }));
  assertNotEquals(valueOf(susan), valueOf(david));
  assertEquals(await dataOf(session, susan), { name: "susan" });
  assertEquals(await dataOf(session, david), { name: "david", n: 1 });
});

for (const [what, value] of GARBAGE) {
  test(`session.get() is empty for ${what}, and sets no cookie`, async ({ session }) => {
    const handler = editing(session, (dict) => assertEquals({ ...dict }, {}));
    const response = await handler(requestWith(`session=${value}`));
    assertEquals(response.headers.getSetCookie(), []);
  });
}

test(
  "session.get() is empty when any character was changed",
  async ({ session }) => {
    const value = valueOf(await browserWith(session, { admin: false }));
    for (const altered of alterations(value)) {
      assertEquals(await dataIn(session, `session=${altered}`), {}, altered);
    }
    for (const altered of [value.slice(1), value.slice(0, -1), value + "A"]) {
      assertEquals(await dataIn(session, `session=${altered}`), {}, altered);
    }
  },
  { isAuthenticated: true },
);

test("session.get() takes what a client wrote", async ({ session }) => {
  const value = valueOf(await browserWith(session, { admin: false }));
  const text = atob(value.replaceAll("-", "+").replaceAll("_", "/"));
  const forged = btoa(text.replace("false", "true"))
    .replaceAll("+", "-").replaceAll("/", "_");
  assertEquals(await dataIn(session, `session=${forged}`), { admin: true });
}, { isAuthenticated: false });

test("session.get() is empty for another key's value", async (fixture) => {
  const { session } = fixture;
  const other = fixture.newSession({ secretKey: OTHER_KEY });
  const value = await other.encode({ n: 1 });
  assertEquals(await dataIn(session, `session=${value}`), {});
}, { secretKey: "needed" });

test("session.get() takes the one valid value of several", async ({ session }) => {
  const value = valueOf(await browserWith(session, { n: 1 }));
  for (const [, other] of GARBAGE.slice(0, -1)) {
    const cookies = `session=${other}; session=${value}; session=${value}`;
    assertEquals(await dataIn(session, cookies), { n: 1 }, other);
  }
});

test("session.get() is empty when two values are valid", async ({ session }) => {
  const one = valueOf(await browserWith(session, { n: 1 }));
  const two = valueOf(await browserWith(session, { n: 2 }));
  assertEquals(await dataIn(session, `session=${one}; session=${two}`), {});
});

test("session.get() throws when there is no secret key", async (fixture) => {
  const session = fixture.newSession({}, false);
  await assertRejects(() => session.get(requestWith()), TypeError, "secretKey");
  await assertRejects(() => session.encode({}), TypeError, "secretKey");
  session.secretKey = KEY;
  assertEquals(await dataIn(session, ""), {});
}, { secretKey: "needed" });

test("new Session() refuses a secret key", (fixture) => {
  assertThrows(
    () => fixture.newSession({ secretKey: KEY }),
    TypeError,
    "Cannot use secretKey",
  );
}, { secretKey: "refused" });

test("new Session() takes a secret key, and does without", async (fixture) => {
  const browser = await browserWith(fixture.session, { n: 1 });
  const keyed = fixture.newSession({ secretKey: KEY });
  assertEquals(await dataOf(keyed, browser), { n: 1 });
}, { secretKey: "optional" });

test("a client can read its session in the cookie", async ({ session, traits }) => {
  const value = valueOf(await browserWith(session, { word: "plumbago" }));
  const texts = value.split(".").map((part) => {
    const bytes = decodeBase64Url(part.replace(/=+$/, ""));
    return new TextDecoder().decode(bytes);
  });
  assertEquals(texts.join().includes("plumbago"), traits.isReadable);
});

test(
  "session.get() reads a value of the old key, and saves under the new one",
  async (fixture) => {
    const old = fixture.session;
    const both = fixture.newSession({ secretKey: [OTHER_KEY, KEY] });
    const after = fixture.newSession({ secretKey: OTHER_KEY });
    const browser = await browserWith(old, { n: 1 });
    assertEquals(await dataOf(both, browser), { n: 1 });
    assertEquals(await dataOf(after, browser), {});
    await browser.get(saving(both, { n: 2 }));
    assertEquals(await dataOf(after, browser), { n: 2 });
    assertEquals(await dataOf(old, browser), {});
  },
  { secretKey: "needed" },
);

test("a renewal signs with the new key", async (fixture) => {
  const both = fixture.newSession({ secretKey: [OTHER_KEY, KEY] });
  const browser = await browserWith(fixture.session, { n: 1 });
  fixture.advance(8 * DAY);
  await browser.get(editing(both, idle));
  const after = fixture.newSession({ secretKey: OTHER_KEY });
  assertEquals(await dataOf(after, browser), { n: 1 });
}, { secretKey: "needed" });

test("session.get() is empty from maxAge on", async (fixture) => {
  const session = fixture.newSession({ maxAge: HOUR });
  const browser = await browserWith(session, { n: 1 });
  fixture.advance(HOUR - 1);
  assertEquals(await dataOf(session, browser), { n: 1 });
  fixture.advance(1);
  assertEquals(await dataOf(session, browser), {});
});

test("session.get() ends a session that a longer maxAge was promised", async (fixture) => {
  const browser = await browserWith(fixture.session, { n: 1 });
  const strict = fixture.newSession({ maxAge: HOUR });
  fixture.advance(HOUR - 1);
  assertEquals(await dataOf(strict, browser), { n: 1 });
  fixture.advance(1);
  assertEquals(await dataOf(strict, browser), {});
});

test("a session that is read past half of its maxAge is renewed", async (fixture) => {
  const session = fixture.newSession({ maxAge: HOUR });
  const browser = await browserWith(session, { n: 1 });
  const value = valueOf(browser);
  for (let i = 0; i < 4; i++) {
    fixture.advance(HOUR / 2);
    const early = await browser.get(editing(session, idle));
    assertEquals(early.headers.getSetCookie(), []);
    fixture.advance(1);
    const late = await browser.get(editing(session, idle));
    assertEquals(cookiesOf(late), ["session"]);
    assertEquals(await dataOf(session, browser), { n: 1 });
    assertEquals(valueOf(browser) === value, fixture.traits.keepsValue);
  }
});

test("a session that is not read is not renewed", async (fixture) => {
  const session = fixture.newSession({ maxAge: HOUR });
  const browser = await browserWith(session, { n: 1 });
  fixture.advance(HOUR - 1);
  const response = await browser.get(session.wrap(() => new Response()));
  assertEquals(response.headers.getSetCookie(), []);
  fixture.advance(1);
  assertEquals(await dataOf(session, browser), {});
});

test("a session ends at absoluteMaxAge, however active it is", async (fixture) => {
  const session = fixture.newSession({
    maxAge: HOUR,
    absoluteMaxAge: 2.5 * HOUR,
  });
  const browser = await browserWith(session, { n: 0 });
  for (let n = 1; n <= 3; n++) {
    fixture.advance(0.75 * HOUR);
    assertEquals(await dataOf(session, browser), { n: n - 1 });
    await browser.get(saving(session, { n }));
  }
  fixture.advance(0.25 * HOUR - 1);
  assertEquals(await dataOf(session, browser), { n: 3 });
  fixture.advance(1);
  assertEquals(await dataOf(session, browser), {});
});

test("saving and renewal keep when the session started", async (fixture) => {
  const { session } = fixture;
  const browser = await browserWith(session, { n: 1 });
  fixture.advance(DAY);
  await browser.get(saving(session, { n: 2 }));
  fixture.advance(8 * DAY);
  await browser.get(editing(session, idle));
  const { _started, iat, exp } = await session.decode(valueOf(browser));
  assertEquals([_started, iat, exp], [NOW, NOW + 9 * DAY, NOW + 23 * DAY]);
});

test("dict.save() keeps or changes the cookie's value", async ({ session, traits }) => {
  const browser = await browserWith(session, { n: 1 });
  const value = valueOf(browser);
  await browser.get(saving(session, { n: 2 }));
  assertEquals(valueOf(browser) === value, traits.keepsValue);
});

test("dict.save() takes its snapshot when it is called", async ({ session }) => {
  const browser = new Browser();
  await browser.get(editing(session, (dict) => {
    dict.list = [1];
    dict.save();
    dict.list.push(2);
    dict.n = 1;
  }));
  assertEquals(await dataOf(session, browser), { list: [1] });
});

test("dict.save() called several times sets one cookie, of the last", async ({ session }) => {
  const browser = new Browser();
  const response = await browser.get(editing(session, (dict) => {
    for (const n of [1, 2, 3]) {
      dict.n = n;
      dict.save();
    }
  }));
  assertEquals(cookiesOf(response), ["session"]);
  assertEquals(await dataOf(session, browser), { n: 3 });
});

test("dict.save() sets one cookie, and leaves others alone", async ({ session }) => {
  const handler = withSession(session, (_request, dict) => {
    dict.save();
    const headers = new Headers({ "Set-Cookie": "theme=dark; Path=/" });
    headers.append("Set-Cookie", "session=of-the-handler");
    return new Response("Hello", { headers });
  });
  const response = await handler(requestWith());
  assertEquals(cookiesOf(response), ["session", "theme"]);
  assertNotEquals(cookieSetBy(response), "of-the-handler");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  assertEquals(attributesOf(lineOf(response)), [
    "HttpOnly",
    "Path=/",
    "SameSite=Lax",
  ]);
});

test("dict.save() removes what was deleted from the data", async ({ session }) => {
  const browser = await browserWith(session, { a: 1, b: 2 });
  await browser.get(editing(session, (dict) => {
    delete dict.a;
    dict.save();
  }));
  assertEquals(await dataOf(session, browser), { b: 2 });
});

test("data that are not saved are not kept", async ({ session }) => {
  const browser = await browserWith(session, { list: [1] });
  const response = await browser.get(editing(session, (dict) => {
    dict.list.push(2);
    dict.n = 1;
  }));
  assertEquals(response.headers.getSetCookie(), []);
  assertEquals(await dataOf(session, browser), { list: [1] });
});

test("autoSave saves nested changes, and nothing where there are none", async (fixture) => {
  const session = fixture.newSession({ autoSave: true });
  const browser = new Browser();
  await browser.get(editing(session, (dict) => dict.list = [1]));
  await browser.get(editing(session, (dict) => dict.list.push(2)));
  assertEquals(await dataOf(session, browser), { list: [1, 2] });
  const response = await browser.get(editing(session, (dict) => {
    dict.list.push(3);
    dict.list.pop();
  }));
  assertEquals(response.headers.getSetCookie(), []);
});

test("wrappers that nest share one session, and the outermost writes", async ({ session }) => {
  const browser = new Browser();
  const inner = saving(session, { n: 1 });
  const response = await browser.get(session.wrap(async (request) => {
    const response = await inner(request);
    assertEquals(response.headers.getSetCookie(), []);
    const dict = await session.get(request);
    dict.m = 2;
    await dict.save();
    return response;
  }));
  assertEquals(cookiesOf(response), ["session"]);
  assertEquals(await dataOf(session, browser), { n: 1, m: 2 });
});

test("session.commit() writes what was saved", async ({ session }) => {
  const request = requestWith();
  const dict = await session.get(request);
  dict.n = 1;
  dict.save();
  const response = await session.commit(request, new Response());
  const cookies = `session=${cookieSetBy(response)}`;
  assertEquals(await dataIn(session, cookies), { n: 1 });
});

test("dict.delete() removes the cookie as it was set", async ({ session }) => {
  const browser = new Browser();
  const before = await browser.get(saving(session, { n: 1 }));
  const after = await browser.get(editing(session, async (dict) => {
    await dict.delete();
    assertEquals({ ...dict }, {});
  }));
  assertEquals(browser.cookies.size, 0);
  const attributes = (response: Response) =>
    attributesOf(lineOf(response)).filter((one) => !/^(Max-|Exp)/.test(one));
  assertEquals(attributes(after), attributes(before));
});

test("dict.delete() makes a copied cookie worthless, or does not", async ({ session, traits }) => {
  const browser = await browserWith(session, { n: 1 });
  const cookies = `session=${valueOf(browser)}`;
  await browser.get(editing(session, (dict) => void dict.delete()));
  const data = traits.isRevocable ? {} : { n: 1 };
  assertEquals(await dataIn(session, cookies), data);
});

test("dict.save() after dict.delete() begins a session of its own", async ({ session, traits }) => {
  const browser = await browserWith(session, { n: 1 });
  const value = valueOf(browser);
  const response = await browser.get(editing(session, (dict) => {
    dict.delete();
    dict.m = 2;
    dict.save();
  }));
  assertEquals(cookiesOf(response), ["session"]);
  assertNotEquals(valueOf(browser), value);
  assertEquals(await dataOf(session, browser), { m: 2 });
  if (traits.isRevocable) {
    assertEquals(await dataIn(session, `session=${value}`), {});
  }
});

test("an error passes through, and a save before it is kept or is not", async ({ session, traits }) => {
  const browser = await browserWith(session, { n: 1 });
  const failure = new Error("the handler's own");
  const handler = withSession(session, async (_request, dict) => {
    dict.n = 2;
    await dict.save();
    throw failure;
  });
  const error = await assertRejects(() => browser.get(handler));
  assertStrictEquals(error, failure);
  const n = traits.keepsThrown ? 2 : 1;
  assertEquals(await dataOf(session, browser), { n });
});

test("an error saves nothing by autoSave", async (fixture) => {
  const session = fixture.newSession({ autoSave: true });
  const browser = await browserWith(session, { n: 1 });
  const handler = editing(session, (dict) => {
    dict.n = 2;
    throw new Error("the handler's own");
  });
  await assertRejects(() => browser.get(handler), Error, "the handler's own");
  assertEquals(await dataOf(session, browser), { n: 1 });
});

test("a thrown Response carries the session", async ({ session }) => {
  const browser = new Browser();
  const response = await browser.get(editing(session, (dict) => {
    dict.n = 1;
    dict.save();
    throw new Response(null, { status: 404 });
  }));
  assertEquals(response.status, 404);
  assertEquals(await dataOf(session, browser), { n: 1 });
});

test("dict.save() rejects after the response has left", async ({ session }) => {
  const dicts: SessionDict[] = [];
  const browser = await browserWith(session, { n: 1 });
  await browser.get(editing(session, (dict) => void dicts.push(dict)));
  dicts[0].n = 2;
  await assertRejects(() => dicts[0].save(), Error, "the response has left");
  assertEquals(await dataOf(session, browser), { n: 1 });
});

test("dict.save() rejects data over the limit, and changes nothing", async ({ session, traits }) => {
  const [bytes, text] = traits.limit;
  const browser = await browserWith(session, { n: 1 });
  const handler = saving(session, { long: "x".repeat(bytes) });
  const error = await assertRejects(() => browser.get(handler), RangeError);
  assertStringIncludes(error.message, text);
  assertEquals(await dataOf(session, browser), { n: 1 });
});

test("dict.save() keeps data of over half the limit", async ({ session, traits }) => {
  const data = { long: "é".repeat(traits.limit[0] * 0.3) };
  const browser = await browserWith(session, data);
  assertEquals(await dataOf(session, browser), data);
});

for (const [what, value] of NO_JSON) {
  test(`dict.save() rejects ${what}, and changes nothing`, async ({ session }) => {
    const browser = await browserWith(session, { n: 1 });
    const handler = saving(session, { x: value });
    await assertRejects(() => browser.get(handler), TypeError, '"x"');
    assertEquals(await dataOf(session, browser), { n: 1 });
  });
}

test("dict.save() rejects the names of claims", async ({ session }) => {
  for (const claim of CLAIMS) {
    const handler = saving(session, { [claim]: 1 });
    await assertRejects(() => new Browser().get(handler), TypeError, claim);
  }
});

test("a session has no data under the names of its methods", async ({ session }) => {
  const value = await session.encode({ save: 1, delete: 2, n: 3 });
  const dict = await session.get(requestWith(`session=${value}`));
  assertEquals({ ...dict }, { n: 3 });
  assertEquals([typeof dict.save, typeof dict.delete], [
    "function",
    "function",
  ]);
  assertThrows(() => Object.assign(dict, { save: 1 }), TypeError, '"save"');
});

test("__proto__ and constructor are plain data", async ({ session }) => {
  const data = JSON.parse(
    '{"__proto__":{"admin":true},"constructor":1,"deep":{"__proto__":2}}',
  );
  const browser = new Browser();
  await browser.get(editing(session, (dict) => {
    dict["__proto__"] = data["__proto__"];
    dict["constructor"] = data["constructor"];
    dict["deep"] = data["deep"];
    dict.save();
  }));
  const dict = await session.get(browser.request("/"));
  assertEquals(JSON.stringify(dict), JSON.stringify(data));
  assertEquals(dict.admin, undefined);
  assertEquals("toString" in dict, false);
  assertEquals(Object.keys(Object.prototype), []);
});

test("session.decode() returns exactly what session.encode() was given", async ({ session }) => {
  const payload = { ...DATA, exp: NOW + 1, save: 1, jti: "id" };
  assertEquals(await session.decode(await session.encode(payload)), payload);
  assertEquals(await session.decode(await session.encode({})), {});
});

test("session.decode() returns {} for what is not valid", async (fixture) => {
  const { session } = fixture;
  for (const [what, value] of GARBAGE) {
    assertEquals(await session.decode(value), {}, what);
  }
  const value = await session.encode({ n: 1, exp: NOW + 1 });
  fixture.advance(1);
  assertEquals(await session.decode(value), {});
});

// What a login does

test("new Login() refuses the session", ({ session }) => {
  assertThrows(() => new Login(session), TypeError, "unsigned");
}, { isAuthenticated: false });

test(
  "login.loginUser() logs in, and keeps an anonymous visitor's data",
  async (fixture) => {
    const site = fixture.newSite();
    const browser = await browserWith(site.session, { cart: [7] });
    const response = await site.logIn(browser, site.susan);
    assertEquals(locationOf(response), [302, "/"]);
    assertEquals(cookiesOf(response), ["session"]);
    assertEquals(await site.ask(browser), site.susan);
    assertEquals(await site.data(browser), {
      cart: [7],
      _user_id: 1,
      _fresh: true,
      _auth_time: NOW,
    });
  },
  { isAuthenticated: true },
);

test(
  "login.loginUser() begins a session that nobody knew before",
  async (fixture) => {
    const site = fixture.newSite();
    const victim = await browserWith(site.session, { cart: [7] });
    const attacker = new Browser();
    attacker.cookies.set("session", valueOf(victim));
    await site.logIn(victim, site.susan);
    assertNotEquals(valueOf(victim), valueOf(attacker));
    assertEquals(await site.ask(attacker), null);
    const data = fixture.traits.isRevocable ? {} : { cart: [7] };
    assertEquals(await site.data(attacker), data);
  },
  { isAuthenticated: true },
);

test("login.loginUser() drops another user's data", async (fixture) => {
  const site = fixture.newSite();
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  await site.edit(browser, (dict) => dict.secret = "susan's");
  await site.logIn(browser, site.david);
  assertEquals(await site.ask(browser), site.david);
  assertEquals((await site.data(browser)).secret, undefined);
}, { isAuthenticated: true });

test("login.loginUser() keeps the same user's data", async (fixture) => {
  const site = fixture.newSite();
  const browser = new Browser();
  await site.logIn(browser, site.susan);
  await site.edit(browser, (dict) => dict.draft = "mine");
  await site.logIn(browser, site.susan);
  assertEquals((await site.data(browser)).draft, "mine");
}, { isAuthenticated: true });

for (const id of [0, "", "1"]) {
  test(
    `login.getCurrentUser() finds the user ${JSON.stringify(id)}`,
    async (fixture) => {
      const site = fixture.newSite();
      const user = site.add({ id, name: "nobody", stamp: "" });
      const browser = new Browser();
      await site.logIn(browser, user);
      assertEquals(await site.ask(browser), user);
      assertEquals(site.loaded, [id]);
    },
    { isAuthenticated: true },
  );
}

for (const [what, change] of MISSING_USERS) {
  test(
    `login.getCurrentUser() ends the login when ${what}`,
    async (fixture) => {
      const site = fixture.newSite({
        login: { securityStamp: ({ stamp }) => stamp },
      });
      const [phone, laptop] = [new Browser(), new Browser()];
      await site.logIn(phone, site.susan, { remember: true });
      await site.logIn(laptop, site.susan);
      assertEquals(await site.ask(laptop), site.susan);
      change(site);
      assertEquals(await site.ask(phone), null);
      assertEquals(await site.ask(laptop), null);
      assertEquals([phone.cookies.size, laptop.cookies.size], [0, 0]);
    },
    { isAuthenticated: true },
  );
}

test(
  "login.getCurrentUser() finds nobody when the session has expired",
  async (fixture) => {
    const site = fixture.newSite();
    const browser = new Browser();
    await site.logIn(browser, site.susan);
    site.advance(14 * DAY);
    assertEquals(await site.ask(browser), null);
  },
  { isAuthenticated: true },
);

test(
  "login.logoutUser() ends the login, and a copied cookie's or does not",
  async (fixture) => {
    const site = fixture.newSite();
    const browser = new Browser();
    await site.logIn(browser, site.susan, { remember: true });
    const thief = new Browser();
    thief.cookies.set("session", valueOf(browser));
    const response = await browser.post(
      (request) => site.login.logoutUser(request, { redirectUrl: "/bye" }),
    );
    assertEquals(locationOf(response), [302, "/bye"]);
    assertEquals(cookiesOf(response), ["-_remember", "-session"]);
    assertEquals(await site.ask(browser), null);
    const stolen = fixture.traits.isRevocable ? null : site.susan;
    assertEquals(await site.ask(thief), stolen);
  },
  { isAuthenticated: true },
);

test(
  "login.logoutUser() under a wrapper may have its response ignored",
  async (fixture) => {
    const site = fixture.newSite();
    const browser = new Browser();
    await site.logIn(browser, site.susan);
    await browser.post(site.session.wrap(async (request) => {
      await site.login.logoutUser(request);
      return new Response("Bye");
    }));
    assertEquals(browser.cookies.size, 0);
  },
  { isAuthenticated: true },
);

for (const headers of FOREIGN) {
  const what = Object.entries(headers).join().replace(",", ": ");
  test(`login and logout refuse a request with ${what}`, async (fixture) => {
    const site = fixture.newSite();
    const browser = await browserWith(site.session, { cart: [7] });
    const logIn: Handler = (request) =>
      site.login.loginUser(request, site.susan);
    const refused = await browser.post(logIn, "/login", headers);
    assertEquals([refused.status, cookiesOf(refused)], [403, []]);
    assertEquals(await site.data(browser), { cart: [7] });

    await site.logIn(browser, site.susan);
    const logOut: Handler = (request) => site.login.logoutUser(request);
    const response = await browser.post(logOut, "/logout", headers);
    assertEquals([response.status, cookiesOf(response)], [403, []]);
    assertEquals(await site.ask(browser), site.susan);
  }, { isAuthenticated: true });
}

test("remember me logs in again, and is never fresh", async (fixture) => {
  const site = fixture.newSite();
  const browser = new Browser();
  await site.logIn(browser, site.susan, { remember: true });
  site.advance(20 * DAY); // The session has ended, the cookie has not.
  assertEquals(await site.ask(browser), site.susan);
  assertEquals((await site.data(browser))._fresh, false);
  const change = site.login.fresh(() => new Response("Changed"));
  assertEquals(locationOf(await browser.get(change, "/change")), [
    302,
    "/login?next=%2Fchange",
  ]);
  await site.logIn(browser, site.susan);
  assertEquals((await browser.get(change, "/change")).status, 200);
}, { isAuthenticated: true });

test(
  "the remember-me cookie is no session, nor the reverse",
  async (fixture) => {
    const site = fixture.newSite();
    const browser = new Browser();
    await site.logIn(browser, site.susan, { remember: true });
    const remember = browser.cookies.get("_remember") ?? "";
    browser.cookies.set("_remember", valueOf(browser));
    browser.cookies.set("session", remember);
    assertEquals(await site.data(browser), {});
    assertEquals(await site.ask(browser), null);
  },
  { isAuthenticated: true },
);

test("remember me needs a secret key", async (fixture) => {
  const site = fixture.newSite({ isKeyless: true });
  const browser = new Browser();
  await assertRejects(
    () => site.logIn(browser, site.susan, { remember: true }),
    TypeError,
    "secretKey",
  );
  await site.logIn(browser, site.susan);
  assertEquals(await site.ask(browser), site.susan);
}, { secretKey: "optional" });

test(
  "login.fresh() sends a login that is too old to the login page",
  async (fixture) => {
    const site = fixture.newSite();
    const browser = new Browser();
    const pay = site.login.fresh(() => new Response("Paid"), { maxAge: 60 });
    await site.logIn(browser, site.susan);
    site.advance(60);
    assertEquals((await browser.get(pay, "/pay")).status, 200);
    site.advance(1);
    assertEquals((await browser.get(pay, "/pay")).status, 302);
  },
  { isAuthenticated: true },
);

test(
  "login.required() lets in who is logged in, and nobody else",
  async (fixture) => {
    const site = fixture.newSite();
    const page = site.login.required((_request, user) =>
      new Response(user.name)
    );
    const admin = site.login.required(() => new Response("Secret"), {
      check: (user) => user.name === "david",
    });
    const browser = new Browser();
    assertEquals(locationOf(await browser.get(page, "/me?tab=2")), [
      302,
      "/login?next=%2Fme%3Ftab%3D2",
    ]);
    const json = { Accept: "application/json" };
    assertEquals((await browser.get(page, "/me", json)).status, 401);

    await site.logIn(browser, site.susan);
    const response = await browser.get(page, "/me");
    assertEquals(await response.text(), "susan");
    assertEquals(response.headers.get("Cache-Control"), "no-store");
    assertEquals((await browser.get(admin)).status, 403);
  },
  { isAuthenticated: true },
);
