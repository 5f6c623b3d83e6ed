import { assertEquals } from "@std/assert";
import { NamedCookie } from "../session/cookie.ts";

const LONG = "x".repeat(61_440);

const ROWS: [
  what: string,
  header: string | null,
  expected: undefined | string | string[],
][] = [
  ["no header", null, undefined],
  ["an empty header", "", undefined],
  ["blanks", " \t ", undefined],
  ["the only cookie", "session=x", "x"],
  ["the first of several", "session=x; a=1; b=2", "x"],
  ["one in the middle", "a=1; session=x; b=2", "x"],
  ["the last of several", "a=1; b=2; session=x", "x"],
  ["pairs without a space between", "a=1;session=x;b=2", "x"],
  ["other cookies only", "a=1; b=2", undefined],

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
  ["its name without an equals sign", "session", undefined],
  ["its name without an equals sign, then a pair", "session; session=x", "x"],
  ["its name across a semicolon", "session;=x", undefined],
  ["empty pairs", ";;session=x", "x"],
  ["empty pairs all around", "; ; ;session=x; ;;", "x"],
  ["a trailing semicolon", "session=x;", "x"],
  ["a trailing semicolon and space", "session=x; ", "x"],
  ["semicolons only", ";;;", undefined],

  ["spaces around", "   session=x   ; a=1", "x"],
  ["tabs around", "\tsession=x\t;\ta=1", "x"],
  ["a tab after the semicolon", "a=1;\tsession=x", "x"],
  ["blanks around the equals sign", "session \t=\t x", "x"],
  ["a no-break space before the name", "\u00a0session=x", undefined],
  [
    "a no-break space before the name, in a pair",
    "a=1;\u00a0session=x",
    undefined,
  ],
  ["a no-break space after the name", "session\u00a0=x", undefined],
  ["a no-break space before the value", "session=\u00a0x", "\u00a0x"],
  ["a no-break space after the value", "session=x\u00a0", "x\u00a0"],
  ["a form feed before the name", "\fsession=x", undefined],
  ["a vertical tab after the value", "session=x\v", "x\v"],

  ["a longer name", "session2=y; session=x", "x"],
  ["a longer name only", "session2=y", undefined],
  ["a name that ends alike", "mysession=y; __Host-session=z", undefined],
  ["a name that begins alike", "sess=y; s=z", undefined],
  ["a name in capitals", "Session=y; SESSION=z", undefined],
  ["its name in another value", "a=session=y", undefined],
  ["its name in a value in quotes", 'a="b session=y"', undefined],

  ["equal duplicates", "session=x; session=x; session=x", "x"],
  ["different duplicates", "session=x; session=y", ["x", "y"]],
  ["duplicates of both kinds", "session=x; session=y; session=x", ["x", "y"]],
  ["an empty duplicate", "session=; session=x", ["", "x"]],
  ["duplicates that differ in blanks", "session=x ; session=\tx", "x"],
  ["four duplicates", "session=a; session=b; session=c; session=d", [
    "a",
    "b",
    "c",
    "d",
  ]],
  [
    "five duplicates",
    "session=a; session=b; session=b; session=c; session=d; session=e",
    ["a", "b", "c", "d"],
  ],

  ["60 KB before it", `a=${LONG}; session=x`, "x"],
  ["60 KB after it", `session=x; a=${LONG}`, "x"],
  ["60 KB in it", `session=${LONG}`, LONG],
  ["60 KB of semicolons", `${";".repeat(61_440)}session=x`, "x"],
  ["60 KB of blanks", `${" ".repeat(61_440)}session=x`, "x"],
  ["60 KB without a pair", LONG, undefined],
  ["10,000 duplicates", "session=x;".repeat(10_000), "x"],
];

const NAMES: [
  name: string,
  header: string,
  expected: string | undefined,
][] = [
  ["a.b", "aXb=y", undefined],
  ["a.b", "a.b=x", "x"],
  ["a*", "aaa=y; a*=x", "x"],
  ["$a|b^", "$a|b^=x", "x"],
  ["__Host-session", "session=y; __Host-session=x", "x"],
  ["__proto__", "__proto__=x", "x"],
  ["__proto__", "a=1", undefined],
  ["constructor", "a=1", undefined],
];

for (const [what, header, expected] of ROWS) {
  Deno.test(`a cookie is read with ${what}`, () => {
    assertEquals(read(header, "session"), expected);
  });
}

for (const [name, header, expected] of NAMES) {
  Deno.test(`a cookie of ${name} is ${expected ?? "not there"} in ${header}`, () => {
    assertEquals(read(header, name), expected);
  });
}

function read(header: string | null, name: string) {
  const options = /^__host-/i.test(name) ? { secure: true } : {};
  const headers = new Headers(header === null ? {} : { Cookie: header });
  const request = new Request("https://localhost/", { headers });
  return new NamedCookie(name, options).read(request);
}
