import { assertEquals } from "@std/assert";
import { type SessionOptions, withSession } from "../../mod.ts";
import {
  attributesOf,
  cookieSetBy,
  lineOf,
  MemoryBackend,
  requestWith,
} from "../_helpers.ts";
import { newSession } from "./_visits.ts";

const LONG = "x".repeat(61_440);

/** The values that a backend is asked for. */
const VALUES: [
  what: string,
  header: string | undefined,
  ...expected: string[],
][] = [
  ["no header", undefined],
  ["an empty header", ""],
  ["blanks", " \t "],
  ["the only cookie", "session=x", "x"],
  ["the first of several", "session=x; a=1; b=2", "x"],
  ["one in the middle", "a=1; session=x; b=2", "x"],
  ["the last of several", "a=1; b=2; session=x", "x"],
  ["pairs without a space between", "a=1;session=x;b=2", "x"],
  ["other cookies only", "a=1; b=2"],

  ["an empty value", "session=", ""],
  ["an empty value before others", "session=; a=1", ""],
  ["a blank value", "session= \t ; a=1", ""],
  ["a value in quotes", 'session="x y"', '"x y"'],
  ["a value with an equals sign", "session=a=b==", "a=b=="],
  ["a value with a comma", "session=a,b", "a,b"],
  ["a value with a space", "session=a b", "a b"],
  ["a percent-encoded value", "session=%41%3B", "%41%3B"],
  ["a value outside of ASCII", "session=\xE9", "\xE9"],
  ["a value with its own name", "session=session=x", "session=x"],

  ["a pair without a name", "=y; session=x", "x"],
  ["a pair without a name after it", "session=x; =y", "x"],
  ["a pair without an equals sign", "y; session=x", "x"],
  ["its name without an equals sign", "session"],
  ["its name without an equals sign, then a pair", "session; session=x", "x"],
  ["its name across a semicolon", "session;=x"],
  ["empty pairs", ";;session=x", "x"],
  ["empty pairs all around", "; ; ;session=x; ;;", "x"],
  ["a trailing semicolon", "session=x;", "x"],
  ["a trailing semicolon and space", "session=x; ", "x"],
  ["semicolons only", ";;;"],

  ["spaces around", "   session=x   ; a=1", "x"],
  ["tabs around", "\tsession=x\t;\ta=1", "x"],
  ["a tab after the semicolon", "a=1;\tsession=x", "x"],
  ["blanks around the equals sign", "session \t=\t x", "x"],
  ["a no-break space before the name", "\u00a0session=x"],
  ["a no-break space before the name, in a pair", "a=1;\u00a0session=x"],
  ["a no-break space after the name", "session\u00a0=x"],
  ["a no-break space before the value", "session=\u00a0x", "\u00a0x"],
  ["a no-break space after the value", "session=x\u00a0", "x\u00a0"],
  ["a form feed before the name", "\fsession=x"],
  ["a vertical tab after the value", "session=x\v", "x\v"],

  ["a longer name", "session2=y; session=x", "x"],
  ["a longer name only", "session2=y"],
  ["a name that ends alike", "mysession=y; __Host-session=z"],
  ["a name that begins alike", "sess=y; s=z"],
  ["a name in capitals", "Session=y; SESSION=z"],
  ["its name in another value", "a=session=y"],
  ["its name in a value in quotes", 'a="b session=y"'],

  ["equal duplicates", "session=x; session=x; session=x", "x"],
  ["different duplicates", "session=x; session=y", "x", "y"],
  ["duplicates of both kinds", "session=x; session=y; session=x", "x", "y"],
  ["an empty duplicate", "session=; session=x", "", "x"],
  ["duplicates that differ in blanks", "session=x ; session=\tx", "x"],
  [
    "four duplicates",
    "session=a; session=b; session=c; session=d",
    ...["a", "b", "c", "d"],
  ],
  [
    "five duplicates",
    "session=a; session=b; session=b; session=c; session=d; session=e",
    ...["a", "b", "c", "d"],
  ],

  ["60 KB before it", `a=${LONG}; session=x`, "x"],
  ["60 KB after it", `session=x; a=${LONG}`, "x"],
  ["60 KB of semicolons", `${";".repeat(61_440)}session=x`, "x"],
  ["60 KB of blanks", `${" ".repeat(61_440)}session=x`, "x"],
  ["60 KB without a pair", LONG],
  ["10,000 duplicates", "session=x;".repeat(10_000), "x"],
];

const NAMES: [cookieName: string, header: string, ...expected: string[]][] = [
  ["a.b", "aXb=y"],
  ["a.b", "a.b=x", "x"],
  ["a*", "aaa=y; a*=x", "x"],
  ["$a|b^", "$a|b^=x", "x"],
  ["__Host-session", "session=y; __Host-session=x", "x"],
  ["__proto__", "__proto__=x", "x"],
  ["__proto__", "a=1"],
  ["constructor", "a=1"],
];

const LAX = ["HttpOnly", "Path=/", "SameSite=Lax"];

const LINES: [
  what: string,
  options: SessionOptions,
  url: string,
  attributes: string[],
][] = [
  ["by default", {}, "http://localhost/", LAX],
  ["over https", {}, "https://localhost/", [...LAX, "Secure"]],
  [
    "with secure over http",
    { cookieOptions: { secure: true } },
    "http://localhost/",
    [...LAX, "Secure"],
  ],
  [
    "with secure: false over https",
    { cookieOptions: { secure: false } },
    "https://localhost/",
    LAX,
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
    "https://localhost/",
    [...LAX, "Secure"],
  ],
  [
    "with a __Host- name",
    { cookieName: "__Host-session" },
    "http://localhost/",
    [...LAX, "Secure"],
  ],
  [
    "with a __host- name",
    { cookieName: "__host-session" },
    "http://localhost/",
    [...LAX, "Secure"],
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
    "with a __SECURE- name",
    { cookieName: "__SECURE-session" },
    "http://localhost/",
    [...LAX, "Secure"],
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
    "merged over the default",
    { cookieOptions: { sameSite: "Strict" } },
    "http://localhost/",
    ["HttpOnly", "Path=/", "SameSite=Strict"],
  ],
];

for (const [what, header, ...expected] of VALUES) {
  Deno.test(`a cookie is read with ${what}`, async () => {
    assertEquals(await valuesIn(header), expected);
  });
}

for (const [cookieName, header, ...expected] of NAMES) {
  Deno.test(`a cookie of ${cookieName} is ${expected[0] ?? "not there"} in ${header}`, async () => {
    assertEquals(await valuesIn(header, { cookieName }), expected);
  });
}

for (const [what, options, url, attributes] of LINES) {
  Deno.test(`dict.save() sets the cookie's attributes ${what}`, async () => {
    const handler = withSession(newSession(options), (_request, dict) => {
      dict.save();
      return new Response("Hello");
    });
    const response = await handler(requestWith(undefined, url));
    const line = lineOf(response, options.cookieName);
    assertEquals(attributesOf(line), attributes);
  });
}

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

/** What a session looks for, given this `Cookie` header. */
async function valuesIn(
  header: string | undefined,
  options: SessionOptions = {},
): Promise<string[]> {
  const backend = new MemoryBackend();
  await newSession({ ...options, backend }).get(requestWith(header));
  return backend.loaded;
}
