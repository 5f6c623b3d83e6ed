import { assert, assertEquals, assertThrows } from "@std/assert";
import { Session, type SessionOptions } from "../session.ts";
import { KEY, MemoryBackend, signToken } from "./_helpers.ts";

const DAYS_400 = 34_560_000;
/** Recognisable in a message, should one tell it. */
const PLANTED = "planted-secret";

type ErrorClass = typeof TypeError | typeof RangeError;

/** What is wrong, the options, and what the error says: the option and the mend. */
type Row = [
  what: string,
  options: unknown,
  ErrorClass: ErrorClass,
  ...fragments: string[],
];

const cryptoKeys = {
  sha512: await crypto.subtle.generateKey(
    { name: "HMAC", hash: "SHA-512" },
    false,
    ["sign", "verify"],
  ),
  aes: await crypto.subtle.generateKey(
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  ),
  signOnly: await crypto.subtle.generateKey(
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  ),
  verifyOnly: await crypto.subtle.importKey(
    "raw",
    new Uint8Array(32),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  ),
};

const KEYS: Row[] = [
  ["undefined", undefined, TypeError, "undefined", "environment"],
  ["null", null, TypeError, "null", "string"],
  ["empty", "", RangeError, "0 bytes", "32", "generateSecretKey"],
  ["short", PLANTED, RangeError, "14 bytes", "32", "generateSecretKey"],
  ["short by one", "x".repeat(31), RangeError, "31", "generateSecretKey"],
  ["short bytes", new Uint8Array(31), RangeError, "31", "generateSecretKey"],
  ["an empty list", [], TypeError, "empty"],
  ["five keys", Array(5).fill(KEY), RangeError, "5", "at most 4"],
  ["a list with a short key", [KEY, PLANTED], RangeError, "14 bytes"],
  ["a list with undefined", [KEY, undefined], TypeError, "undefined"],
  ["a list of lists", [[KEY]], TypeError, "string", "CryptoKey"],
  ["a number", 42, TypeError, "number", "string"],
  ["an object", { key: PLANTED }, TypeError, "object", "string"],
  ["a function", () => KEY, TypeError, "function", "string"],
  ["an ArrayBuffer", new ArrayBuffer(32), TypeError, "Uint8Array"],
  ["a promise", Promise.resolve(KEY), TypeError, "CryptoKey"],
  ["for SHA-512", cryptoKeys.sha512, TypeError, "HMAC with SHA-256"],
  ["for AES", cryptoKeys.aes, TypeError, "AES-GCM", "HMAC with SHA-256"],
  ["unable to verify", cryptoKeys.signOnly, TypeError, '"verify"'],
  ["unable to sign", cryptoKeys.verifyOnly, TypeError, '"sign"'],
];

const BACKENDS: Row[] = [
  ["an unknown name", "jwe", TypeError, '"jwt"', '"fernet"'],
  ["a name in capitals", "JWT", TypeError, '"jwt"'],
  ["an empty name", "", TypeError, '"jwt"'],
  ["a name of Object.prototype", "constructor", TypeError, '"jwt"'],
  ["null", null, TypeError, "load()", "save()"],
  ["a number", 1, TypeError, "load()"],
  ["an empty object", {}, TypeError, "load()", "authenticated"],
  [
    "an object without load()",
    { authenticated: true, save: () => "x" },
    TypeError,
    "load()",
  ],
  [
    "an object without save()",
    { authenticated: true, load: () => null },
    TypeError,
    "save()",
  ],
  [
    "an object without authenticated",
    { load: () => null, save: () => "x" },
    TypeError,
    "authenticated",
  ],
];

const COOKIE_NAMES: Row[] = [
  ["", "empty"],
  ["a b", "with a space"],
  ["a;b", "with a semicolon"],
  ["a=b", "with an equals sign"],
  ["a,b", "with a comma"],
  ['"a"', "in quotes"],
  ["a\r\nX-Injected: 1", "with a line break"],
  ["a\tb", "with a tab"],
  ["é", "outside of ASCII"],
  [null, "null"],
  [1, "a number"],
].map(([name, what]) => [String(what), name, TypeError, "letters, digits"]);

const COOKIE_OPTIONS: Row[] = [
  ["a string", "path=/", TypeError],
  ["a number", 5, TypeError],
  ["an unknown attribute", { expires: new Date(0) }, TypeError, "expires"],
  ["http_only", { http_only: true }, TypeError, "http_only", "httpOnly"],
  ["samesite", { samesite: "Lax" }, TypeError, "samesite", "sameSite"],
  ["max_age", { max_age: 60 }, TypeError, "max_age", "maxAge"],
  ["an attribute of Object.prototype", { toString: 1 }, TypeError, "toString"],

  ["a relative path", { path: "app" }, TypeError, ".path", '"/"'],
  ["an empty path", { path: "" }, TypeError, ".path", '"/"'],
  ["a path that injects", { path: "/; Domain=a.b" }, TypeError, ".path", '";"'],
  ["a path of two lines", { path: "/\r\nX: 1" }, TypeError, ".path"],
  ["a path outside of ASCII", { path: "/é" }, TypeError, ".path"],
  ["a path of a number", { path: 1 }, TypeError, ".path", "string"],
  ["a path of null", { path: null }, TypeError, ".path", "null"],

  ["an empty domain", { domain: "" }, TypeError, ".domain", "host name"],
  [
    "a domain that injects",
    { domain: "a.example; Path=/admin" },
    TypeError,
    ".domain",
    "host name",
  ],
  ["a domain of two lines", { domain: "a\r\nX: 1" }, TypeError, ".domain"],
  ["a domain with a port", { domain: "a.example:80" }, TypeError, ".domain"],
  ["a domain with a scheme", { domain: "http://a" }, TypeError, ".domain"],
  ["a domain with a list", { domain: "a,b" }, TypeError, ".domain"],
  ["a domain of a dot", { domain: "." }, TypeError, ".domain"],
  ["a domain of an object", { domain: {} }, TypeError, ".domain", "object"],

  ["secure of a string", { secure: "auto" }, TypeError, ".secure", "boolean"],
  ["secure of a number", { secure: 1 }, TypeError, ".secure", "boolean"],
  ["httpOnly of a string", { httpOnly: "no" }, TypeError, ".httpOnly"],
  ["httpOnly of null", { httpOnly: null }, TypeError, ".httpOnly", "boolean"],

  [
    "sameSite in small letters",
    { sameSite: "lax" },
    TypeError,
    ".sameSite",
    '"Strict", "Lax" or "None"',
  ],
  [
    "sameSite that injects",
    { sameSite: "Lax; Domain=evil.example" },
    TypeError,
    ".sameSite",
  ],
  ["sameSite of a list", { sameSite: ["Lax"] }, TypeError, ".sameSite"],
  ["sameSite of true", { sameSite: true }, TypeError, ".sameSite", "boolean"],
  [
    "sameSite None without secure",
    { sameSite: "None" },
    TypeError,
    "sameSite",
    "secure: true",
  ],
  [
    "sameSite None with secure: false",
    { sameSite: "None", secure: false },
    TypeError,
    "sameSite",
    "secure: true",
  ],

  ["partitioned of a number", { partitioned: 1 }, TypeError, ".partitioned"],
  [
    "partitioned without secure",
    { partitioned: true },
    TypeError,
    "partitioned",
    "secure: true",
  ],

  ["maxAge of a string", { maxAge: "60" }, TypeError, ".maxAge", "string"],
  ["maxAge of null", { maxAge: null }, TypeError, ".maxAge", "null"],
  ["maxAge of 0", { maxAge: 0 }, RangeError, ".maxAge", "above 0"],
  ["a negative maxAge", { maxAge: -1 }, RangeError, ".maxAge", "above 0"],
  ["a fractional maxAge", { maxAge: 1.5 }, RangeError, ".maxAge", "whole"],
  ["maxAge of NaN", { maxAge: NaN }, RangeError, ".maxAge", "whole"],
  [
    "maxAge over 400 days",
    { maxAge: DAYS_400 + 1 },
    RangeError,
    ".maxAge",
    "400 days",
    `${DAYS_400}`,
  ],
];

/** Of these, `options` are whole: the name demands something of the attributes. */
const PREFIXED: Row[] = [
  [
    "a __Host- cookie with a domain",
    { cookieName: "__Host-s", cookieOptions: { domain: "a.example" } },
    TypeError,
    "domain",
    "__Host-s",
  ],
  [
    "a __Host- cookie with another path",
    { cookieName: "__Host-s", cookieOptions: { path: "/app" } },
    TypeError,
    "path",
    "__Host-s",
    '"/"',
  ],
  [
    "a __Host- cookie with secure: false",
    { cookieName: "__Host-s", cookieOptions: { secure: false } },
    TypeError,
    "secure",
    "__Host-s",
  ],
  [
    "a __Secure- cookie with secure: false",
    { cookieName: "__Secure-s", cookieOptions: { secure: false } },
    TypeError,
    "secure",
    "__Secure-s",
  ],
];

const SECONDS: Row[] = [
  ["0", 0, RangeError, "above 0"],
  ["negative", -1, RangeError, "above 0", "-1"],
  ["a fraction", 0.5, RangeError, "whole", "0.5"],
  ["NaN", NaN, RangeError, "whole", "NaN"],
  ["Infinity", Infinity, RangeError],
  ["a string", "3600", TypeError, "number", "string"],
  ["null", null, TypeError, "number", "null"],
  ["a BigInt", 60n, TypeError, "number", "bigint"],
  ["a Date", new Date(0), TypeError, "number", "object"],
];

const MAX_AGES: Row[] = [
  ...SECONDS,
  ["over 400 days", DAYS_400 + 1, RangeError, "400 days", `${DAYS_400}`],
];

const OTHERS: Row[] = [
  ["clock of a number", { clock: 0 }, TypeError, "clock", "function"],
  ["clock of a Date", { clock: new Date(0) }, TypeError, "clock", "function"],
  ["autoSave of a string", { autoSave: "false" }, TypeError, "autoSave"],
];

const ROWS: Row[] = [
  ...rowsOf("secretKey", KEYS),
  ...rowsOf("backend", BACKENDS),
  ...rowsOf("cookieName", COOKIE_NAMES),
  ...rowsOf("cookieOptions", COOKIE_OPTIONS),
  ...rowsOf("maxAge", MAX_AGES),
  ...rowsOf("absoluteMaxAge", SECONDS),
  ...PREFIXED,
  ...OTHERS,
];

/** Rows of one option's values become rows of options. */
function rowsOf(option: keyof SessionOptions, rows: Row[]): Row[] {
  return rows.map(([what, value, ErrorClass, ...fragments]) => [
    `${option}: ${what}`,
    { [option]: value },
    ErrorClass,
    option,
    ...fragments,
  ]);
}

function assertRefused(run: () => unknown, row: Row): void {
  const [, , ErrorClass, ...fragments] = row;
  const error = assertThrows(run, ErrorClass);
  assertEquals(error.constructor, ErrorClass);
  assert(error.message.startsWith("Cannot "), error.message);
  assert(!error.message.endsWith("."), error.message);
  for (const fragment of fragments) {
    assert(error.message.includes(fragment), `${error.message} (${fragment})`);
  }
  assert(!error.message.includes(PLANTED), error.message);
}

for (const row of ROWS) {
  const [what, given] = row;
  const options = given as SessionOptions;

  Deno.test(`new Session() refuses ${what}`, () => {
    assertRefused(() => new Session({ secretKey: KEY, ...options }), row);
  });

  Deno.test(`session.initialize() refuses ${what}`, () => {
    const session = new Session({ secretKey: KEY });
    assertRefused(() => session.initialize(options), row);
  });
}

for (const row of rowsOf("secretKey", KEYS)) {
  const [what, given] = row;
  const { secretKey } = given as SessionOptions;

  // Unlike the option, the property may be without a value.
  if (secretKey === undefined) continue;
  Deno.test(`session.secretKey refuses ${what}`, () => {
    const session = new Session({ secretKey: KEY });
    assertRefused(() => session.secretKey = secretKey, row);
  });
}

for (const row of rowsOf("cookieOptions", COOKIE_OPTIONS)) {
  const [what, given] = row;
  const { cookieOptions } = given as Required<SessionOptions>;

  Deno.test(`session.cookieOptions refuses ${what}`, () => {
    const session = new Session({ secretKey: KEY });
    assertRefused(() => session.cookieOptions = cookieOptions, row);
  });
}

const GOOD: [what: string, options: SessionOptions][] = [
  ["no options", {}],
  ["a key of 32 bytes", { secretKey: "x".repeat(32) }],
  ["a key of 32 bytes in 16 characters", { secretKey: "é".repeat(16) }],
  ["four keys", { secretKey: Array(4).fill(KEY) }],
  ["a frozen list of keys", { secretKey: Object.freeze([KEY]) }],
  ["the backend jwt", { backend: "jwt" }],
  ["a Backend", { backend: new MemoryBackend() }],
  ["any cookie name of RFC 6265", { cookieName: "!#$%&'*+-.^_`|~09AZaz" }],
  ["no cookie attributes", { cookieOptions: {} }],
  ["a leading dot in a domain", { cookieOptions: { domain: ".a.example" } }],
  ["a domain of one letter", { cookieOptions: { domain: "a" } }],
  ["the longest maxAge of a cookie", { cookieOptions: { maxAge: DAYS_400 } }],
  ["attributes that are undefined", {
    cookieOptions: { path: undefined, domain: undefined, maxAge: undefined },
  }],
  ["partitioned: false without secure", {
    cookieOptions: { partitioned: false },
  }],
  ["a __Host- cookie that says what it must", {
    cookieName: "__Host-s",
    cookieOptions: { path: "/", secure: true },
  }],
  ["sameSite None with a __Secure- cookie", {
    cookieName: "__Secure-s",
    cookieOptions: { sameSite: "None", partitioned: true },
  }],
  ["the shortest maxAge", { maxAge: 1 }],
  ["the longest maxAge", { maxAge: DAYS_400 }],
  ["an absoluteMaxAge below maxAge", { maxAge: 100, absoluteMaxAge: 50 }],
  ["an absoluteMaxAge over 400 days", { absoluteMaxAge: DAYS_400 * 10 }],
  ["an absoluteMaxAge that is undefined", { absoluteMaxAge: undefined }],
];

for (const [what, options] of GOOD) {
  Deno.test(`new Session() takes ${what}`, () => {
    assert(new Session(options) instanceof Session);
  });
}

Deno.test("new Session() ignores later changes of its cookieOptions", () => {
  const cookieOptions = { path: "/a" };
  const session = new Session({ secretKey: KEY, cookieOptions });
  cookieOptions.path = "/; Domain=evil.example";
  assertEquals(session.cookieOptions.path, "/a");
  session.initialize({ maxAge: 60 });
  assertEquals(session.cookieOptions.path, "/a");
});

Deno.test("new Session() ignores later changes of its list of keys", () => {
  const secretKey = [KEY];
  const session = new Session({ secretKey });
  secretKey.length = 0;
  session.initialize({ maxAge: 60 });
});

Deno.test("new Session() ignores later changes of a key's bytes", async () => {
  const secretKey = new TextEncoder().encode(KEY);
  const session = new Session({ secretKey });
  secretKey.fill(0);
  session.initialize({ maxAge: 60 });
  assertEquals(await session.encode({ n: 1 }), await signToken({ n: 1 }));
});
