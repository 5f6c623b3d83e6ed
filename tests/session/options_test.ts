import { assert, assertEquals, assertThrows } from "@std/assert";
import { type CookieOptions, Session, type SessionOptions } from "../../mod.ts";
import {
  cookieSetBy,
  KEY,
  MemoryBackend,
  NOW,
  OTHER_KEY,
  payloadOf,
  requestWith,
  signToken,
} from "../_helpers.ts";
import {
  assertRefused,
  PLANTED,
  type Row,
  rowsOf,
  testRefusals,
} from "./_refusals.ts";
import { dataOf, newSession, storeOf, visit } from "./_visits.ts";

const DAYS_400 = 34_560_000;

const aesKey = await crypto.subtle.generateKey(
  { name: "AES-GCM", length: 256 },
  false,
  ["encrypt", "decrypt"],
);
const signingKey = await crypto.subtle.generateKey(
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["sign"],
);

const KEYS: Row[] = [
  ["undefined", undefined, TypeError, "undefined", "environment"],
  ["null", null, TypeError, "null", "string"],
  ["empty", "", RangeError, "0 bytes", "32", "generateSecretKey"],
  ["short", PLANTED, RangeError, "14 bytes", "32", "generateSecretKey"],
  ["an empty list", [], TypeError, "empty"],
  ["five keys", Array(5).fill(KEY), RangeError, "5", "at most 4"],
  ["a list with a short key", [KEY, PLANTED], RangeError, "14 bytes"],
  ["an object", { key: PLANTED }, TypeError, "object", "string"],
  ["for AES", aesKey, TypeError, "AES-GCM", "HMAC with SHA-256"],
  ["unable to verify", signingKey, TypeError, '"verify"'],
];

const BACKENDS: Row[] = [
  ["an unknown name", "jwe", TypeError, '"jwt"', '"fernet"'],
  ["a name in capitals", "JWT", TypeError, '"jwt"'],
  ["an empty name", "", TypeError, '"jwt"'],
  ["a name of Object.prototype", "constructor", TypeError, '"jwt"'],
  ["null", null, TypeError, "load()", "save()"],
  ["a number", 1, TypeError, "load()"],
  ["an empty object", {}, TypeError, "load()", "authenticated"],
  ["no load()", storeOf(null, { load: undefined }), TypeError, "load()"],
  ["no save()", storeOf(null, { save: undefined }), TypeError, "save()"],
  [
    "no authenticated",
    storeOf(null, { authenticated: undefined }),
    TypeError,
    "authenticated",
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

const ROWS: Row[] = [
  ...rowsOf("secretKey", KEYS),
  ...rowsOf("backend", BACKENDS),
  ...rowsOf("maxAge", SECONDS),
  ...rowsOf("maxAge", [
    ["over 400 days", DAYS_400 + 1, RangeError, "400 days", `${DAYS_400}`],
  ]),
  ...rowsOf("absoluteMaxAge", SECONDS),
  ...rowsOf("autoSave", [
    ["a string", "false", TypeError, "boolean", "string"],
    ["a number", 1, TypeError, "boolean", "number"],
    ["null", null, TypeError, "boolean", "null"],
  ]),
  ...rowsOf("onReject", [
    ["true", true, TypeError, "function", "boolean"],
    ["null", null, TypeError, "function", "null"],
  ]),
  ...rowsOf("clock", [
    ["a number", 0, TypeError, "function", "number"],
    ["a Date", new Date(0), TypeError, "function", "object"],
    ["null", null, TypeError, "function", "null"],
  ]),
  [
    "clock: a number, over a backend of one's own",
    { backend: new MemoryBackend(), clock: 0 },
    TypeError,
    "clock",
    "function",
  ],
];

testRefusals(ROWS);

for (const options of [null, PLANTED, 5, () => {}]) {
  Deno.test(`new Session() refuses options that are a ${typeof options}`, () => {
    assertRefused(
      () => new Session(options as SessionOptions),
      ["", options, TypeError, "options", "object"],
    );
  });
}

const GOOD: [what: string, options: SessionOptions][] = [
  ["no options", {}],
  ["four keys", { secretKey: Array(4).fill(KEY) }],
  ["a frozen list of keys", { secretKey: Object.freeze([KEY]) }],
  ["the backend jwt", { backend: "jwt" }],
  ["the backend base64", { backend: "base64" }],
  ["a Backend", { backend: new MemoryBackend() }],
  ["the shortest maxAge", { maxAge: 1 }],
  ["the longest maxAge", { maxAge: DAYS_400 }],
  ["an absoluteMaxAge below maxAge", { maxAge: 100, absoluteMaxAge: 50 }],
  ["an absoluteMaxAge over 400 days", { absoluteMaxAge: DAYS_400 * 10 }],
  ["options that are undefined", {
    backend: undefined,
    cookieName: undefined,
    cookieOptions: undefined,
    maxAge: undefined,
    absoluteMaxAge: undefined,
    autoSave: undefined,
    onReject: undefined,
    clock: undefined,
  }],
];

for (const [what, options] of GOOD) {
  Deno.test(`new Session() takes ${what}`, () => {
    assert(new Session(options) instanceof Session);
  });
}

Deno.test("session.initialize() configures a session later", async () => {
  const session = new Session();
  session.initialize({ secretKey: KEY, cookieName: "sid" });
  const dict = await session.get(
    requestWith(`sid=${await signToken({ n: 1 })}`),
  );
  assertEquals({ ...dict } as unknown, { n: 1 });
});

Deno.test("session.initialize() takes other options before there is a secret key", () => {
  const session = new Session();
  session.initialize({ maxAge: 60 });
  assertEquals(session.secretKey, undefined);
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

// Where the options are

const KEY_AND_CLOCK = {
  secretKey: { value: KEY, enumerable: true },
  clock: { value: () => NOW * 1000, enumerable: true },
};

class Config {
  get maxAge(): number {
    return 100;
  }
}

for (const options of [new Map([["maxAge", 1]]), Promise.resolve({}), []]) {
  const name = options.constructor.name;

  Deno.test(`new Session() and session.initialize() refuse ${name} for options`, () => {
    const given = options as SessionOptions;
    const mend = "must be a plain object";
    assertThrows(() => new Session(given), TypeError, mend);
    assertThrows(() => newSession().initialize(given), TypeError, mend);
    assertThrows(
      () => newSession({ cookieOptions: given as CookieOptions }),
      TypeError,
      mend,
    );
  });
}

Deno.test("new Session() and session.initialize() take and check options of a class", async () => {
  const session = newSession();
  session.initialize(new Config());
  for (
    const one of [
      session,
      new Session(Object.create(new Config(), KEY_AND_CLOCK)),
    ]
  ) {
    const response = await visit(one, (dict) => void dict.save());
    assertEquals(payloadOf(cookieSetBy(response)).exp, NOW + 100);
  }
  const wrong = Object.create({ maxAge: "100" });
  assertThrows(() => new Session(wrong), TypeError, "maxAge");
  assertThrows(() => newSession().initialize(wrong), TypeError, "maxAge");
});

Deno.test("new Session() reads an option once", () => {
  let reads = 0;
  const options = {
    get maxAge(): number {
      reads++;
      return 100;
    },
  };
  new Session(options);
  assertEquals(reads, 1);
});
