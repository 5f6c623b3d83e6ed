import { assert, assertEquals, assertThrows } from "@std/assert";
import { Session, type SessionOptions } from "../../mod.ts";
import { attributesOf, lineOf } from "../_helpers.ts";
import {
  ALPHANUMERIC,
  PRINTABLE,
  type Row,
  rowsOf,
  takenCharacters,
  testRefusals,
} from "./_refusals.ts";
import { newSession, visit } from "./_visits.ts";

const DAYS_400 = 34_560_000;

const COOKIE_NAMES: Row[] = [
  ["empty", "", TypeError, "letters, digits"],
  ["null", null, TypeError, "letters, digits"],
  ["a number", 1, TypeError, "letters, digits"],
  ...[
    "__Host",
    "__Hostel",
    "__Http-session",
    "__host_session",
    "__HOSTsession",
    "__Secure",
    "__SecureX",
    "__secured",
    "__SECURE_session",
  ].map((name): Row => [name, name, TypeError, `"${name}"`, "another name"]),
];

const COOKIE_OPTIONS: Row[] = [
  ["a string", "path=/", TypeError],
  ["a number", 5, TypeError],
  ["null", null, TypeError],

  ["a relative path", { path: "app" }, TypeError, ".path", '"/"'],
  ["an empty path", { path: "" }, TypeError, ".path", '"/"'],
  ["a path that injects", { path: "/; Domain=a.b" }, TypeError, ".path", '";"'],
  ["a path of a number", { path: 1 }, TypeError, ".path", "number"],
  ["a path of null", { path: null }, TypeError, ".path", "null"],

  ["an empty domain", { domain: "" }, TypeError, ".domain", "host name"],
  [
    "a domain that injects",
    { domain: "a.example; Path=/admin" },
    TypeError,
    ".domain",
    "host name",
  ],
  ["a domain of a dot", { domain: "." }, TypeError, ".domain"],
  ["a domain of an object", { domain: {} }, TypeError, ".domain", "object"],

  ["secure of a string", { secure: "auto" }, TypeError, ".secure", "boolean"],
  ["httpOnly of a string", { httpOnly: "no" }, TypeError, ".httpOnly"],
  ["httpOnly of null", { httpOnly: null }, TypeError, ".httpOnly", "boolean"],

  [
    "sameSite in small letters",
    { sameSite: "lax" },
    TypeError,
    ".sameSite",
    '"Strict", "Lax" or "None"',
  ],
  ["sameSite that goes on", { sameSite: "Lax; A=b" }, TypeError, ".sameSite"],
  ["sameSite that is behind", { sameSite: "A=Lax" }, TypeError, ".sameSite"],
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
  ["maxAge of 0", { maxAge: 0 }, RangeError, ".maxAge", "above 0"],
  ["a fractional maxAge", { maxAge: 1.5 }, RangeError, ".maxAge", "whole"],
  [
    "maxAge over 400 days",
    { maxAge: DAYS_400 + 1 },
    RangeError,
    ".maxAge",
    "400 days",
    `${DAYS_400}`,
  ],
];

/** What a name's prefix forbids, in any case of its letters. */
const PREFIXED: [
  cookieName: string,
  cookieOptions: SessionOptions["cookieOptions"],
  attribute: string,
  mend: string,
][] = [
  ["__Host-s", { domain: "a.example" }, "domain", "leave it out"],
  ["__Host-s", { path: "/app" }, "path", '"/"'],
  ["__Host-s", { secure: false }, "secure", "true"],
  ["__Secure-s", { secure: false }, "secure", "true"],
  ["__HOST-s", { domain: "a.example" }, "domain", "leave it out"],
  ["__host-s", { path: "/app" }, "path", '"/"'],
  ["__hOST-s", { secure: false }, "secure", "true"],
  ["__SECURE-s", { secure: false }, "secure", "true"],
  ["__secure-s", { secure: false }, "secure", "true"],
];

const ROWS: Row[] = [
  ...rowsOf("cookieName", COOKIE_NAMES),
  ...rowsOf("cookieOptions", COOKIE_OPTIONS),
  ...PREFIXED.map(([cookieName, cookieOptions, attribute, mend]): Row => [
    `a ${cookieName} cookie with another ${attribute}`,
    { cookieName, cookieOptions },
    TypeError,
    `${attribute} with a ${cookieName} cookie`,
    mend,
  ]),
];

testRefusals(ROWS);

const GOOD: [what: string, options: SessionOptions][] = [
  ["no cookie attributes", { cookieOptions: {} }],
  ["a leading dot in a domain", { cookieOptions: { domain: ".a.example" } }],
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
  ["a __Secure- cookie of a domain and a path", {
    cookieName: "__Secure-s",
    cookieOptions: { domain: "a.example", path: "/app" },
  }],
  ["sameSite None with a __Secure- cookie", {
    cookieName: "__Secure-s",
    cookieOptions: { sameSite: "None", partitioned: true },
  }],
  ["a __Host- that is not at the name's beginning", {
    cookieName: "a__Host-s",
    cookieOptions: { domain: "a.example", path: "/app", secure: false },
  }],
  ...["_Hostel", "__Hos", "__Hos-t", "__Securit-y", "a__Hostel"].map(
    (cookieName): typeof GOOD[number] => [`the name ${cookieName}`, {
      cookieName,
      cookieOptions: { domain: "a.example", path: "/app", secure: false },
    }],
  ),
  ["a __Secure- that is not at the name's beginning", {
    cookieName: "a__Secure-s",
    cookieOptions: { secure: false },
  }],
];

for (const [what, options] of GOOD) {
  Deno.test(`new Session() takes ${what}`, () => {
    assert(new Session(options) instanceof Session);
  });
}

// Characters

const TOKEN_CHARACTERS = PRINTABLE.replace(/[ "(),/:;<=>?@[\\\]{}]/g, "");

/** Where a character stands in an attribute, and which ones may stand there. */
const CHARACTERS: [
  where: string,
  optionsWith: (character: string) => SessionOptions,
  taken: string,
][] = [
  ["alone in a name", (c) => ({ cookieName: c }), TOKEN_CHARACTERS],
  ["first in a name", (c) => ({ cookieName: `${c}a` }), TOKEN_CHARACTERS],
  ["last in a name", (c) => ({ cookieName: `a${c}` }), TOKEN_CHARACTERS],
  ["first in a path", (c) => ({ cookieOptions: { path: `${c}/a` } }), "/"],
  [
    "inside a path",
    (c) => ({ cookieOptions: { path: `/${c}a` } }),
    PRINTABLE.replace(";", ""),
  ],
  [
    "last in a path",
    (c) => ({ cookieOptions: { path: `/a${c}` } }),
    PRINTABLE.replace(";", ""),
  ],
  [
    "alone in a domain",
    (c) => ({ cookieOptions: { domain: c } }),
    ALPHANUMERIC,
  ],
  [
    "first in a domain",
    (c) => ({ cookieOptions: { domain: `${c}a` } }),
    `.${ALPHANUMERIC}`,
  ],
  [
    "behind a domain's leading dot",
    (c) => ({ cookieOptions: { domain: `.${c}a` } }),
    ALPHANUMERIC,
  ],
  [
    "inside a domain",
    (c) => ({ cookieOptions: { domain: `a${c}a` } }),
    `-.${ALPHANUMERIC}`,
  ],
  [
    "last in a domain",
    (c) => ({ cookieOptions: { domain: `a${c}` } }),
    ALPHANUMERIC,
  ],
];

for (const [where, optionsWith, taken] of CHARACTERS) {
  Deno.test(`new Session() takes exactly the characters that may stand ${where}`, async () => {
    assertEquals(
      await takenCharacters((character) => new Session(optionsWith(character))),
      taken,
    );
  });
}

// session.cookieOptions

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

Deno.test("session.initialize() refuses a name that browsers take for a prefix, and keeps the old", async () => {
  const session = newSession({ cookieOptions: { path: "/old" } });
  assertThrows(
    () => session.initialize({ cookieName: "__Hostel" }),
    TypeError,
    '"__Hostel"',
  );
  const response = await visit(session, (dict) => void dict.save());
  assertEquals(attributesOf(lineOf(response, "session")), [
    "HttpOnly",
    "Path=/old",
    "SameSite=Lax",
  ]);
});

Deno.test("session.cookieOptions is not changed by later writes to what was given", () => {
  const cookieOptions = { path: "/a" };
  const session = newSession({ cookieOptions });
  cookieOptions.path = "/; Domain=evil.example";
  assertEquals(session.cookieOptions.path, "/a");
  session.initialize({ maxAge: 60 });
  assertEquals(session.cookieOptions.path, "/a");
});

Deno.test("session.cookieOptions can't be changed in place", () => {
  const { cookieOptions } = newSession();
  assertThrows(() => cookieOptions.path = "/; Domain=evil.example", TypeError);
});
