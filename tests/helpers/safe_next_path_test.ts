import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { safeNextPath } from "../../helpers.ts";
import { Random } from "../_random.ts";

const UNSAFE: [what: string, next: string][] = [
  ["another host", "//e"],
  ["another host behind a backslash", "/\\e"],
  ["a host that there is not", "//origin.invalid/e"],
  ["another host behind a tab", "/\t/e"],
  ["a space before another host", " //e"],
  ["a scheme without slashes", "https:e"],
  ["a script", "javascript:alert(1)"],
  ["a host that shows after dots", "/..//e"],
  ["a host that shows after a dot", "/.//e"],
  ["a URL with userinfo", "http://u@h/"],
  ["nothing", ""],
  ["a relative path", "e"],
  ["a query alone", "?next=/"],
  ["a relative path up", "../e"],
  ["a URL", "http://e/"],
  ["a URL of https", "https://e/"],
  ["a URL in capitals", "HTTP://E/"],
  ["a URL of one slash", "http:/e"],
  ["a data URL", "data:text/html,e"],
  ["three slashes", "///e"],
  ["userinfo", "//u@h/"],
  ["userinfo behind a backslash", "/\\u@h/"],
  ["two backslashes", "\\\\e"],
  ["a backslash and a slash", "\\/e"],
  ["a slash and two backslashes", "/\\\\e"],
  ["a backslash in the path", "/a\\b"],
  ["a backslash in the query", "/a?b=\\"],
  ["a backslash in the hash", "/a#\\"],
  ["a backslash after dots", "/..\\e"],
  ["a tab in the path", "/a\tb"],
  ["a tab at the end", "/a\t"],
  ["a line feed at the start", "\n//e"],
  ["a line feed between slashes", "/\n/e"],
  ["a line feed in the query", "/a?b\nc"],
  ["a carriage return", "/\r/e"],
  ["a header of its own", "/a\r\nSet-Cookie: session=e"],
  ["NUL", "/\0"],
  ["an escape character", "/\x1B"],
  ["DEL", "/\x7F"],
  ["a control character above DEL", "/\x85"],
  ["a space", "/a b"],
  ["a space between slashes", "/ /e"],
  ["a no-break space", "/\u00A0"],
  ["a no-break space between slashes", "/\u00A0/e"],
  ["a line separator", "/\u2028"],
  ["a paragraph separator", "/\u2029"],
  ["an ideographic space", "/\u3000"],
  ["a byte order mark", "\uFEFF//e"],
  ["a byte order mark between slashes", "/\uFEFF/e"],
  ["dots in percent signs", "/%2e%2e//e"],
  ["a dot in a percent sign", "/%2E//e"],
  ["a dot and one in a percent sign", "/.%2e//e"],
  ["dots behind a folder", "/a/..//e"],
  ["dots upon dots", "/./..//e"],
  ["dots before three slashes", "/..///e"],
  ["a high surrogate alone", "/\uD83C"],
  ["a low surrogate alone", "/\uDF6A"],
  ["surrogates the wrong way round", "/\uDF6A\uD83C"],
  ["2,049 characters", `/${"e".repeat(2048)}`],
  ["a million characters", `/${"e".repeat(1_000_000)}`],
];

const SAFE: [next: string, path: string][] = [
  ["/ok?x=//e", "/ok?x=//e"],
  ["/a%2Fb", "/a%2Fb"],
  ["/?q=1#h", "/?q=1#h"],
  ["/", "/"],
  ["/a/", "/a/"],
  ["/a//e", "/a//e"],
  ["/?//e", "/?//e"],
  ["/#//e", "/#//e"],
  ["/?next=http://e/", "/?next=http://e/"],
  ["/@e", "/@e"],
  ["/:80/", "/:80/"],
  ["/http://e/", "/http://e/"],
  ["/javascript:alert(1)", "/javascript:alert(1)"],
  ["/%2F%2Fe", "/%2F%2Fe"],
  ["/%5Ce", "/%5Ce"],
  ["/%09/e", "/%09/e"],
  ["/%0D%0Ae", "/%0D%0Ae"],
  ["/%20", "/%20"],
  ["/%", "/%"],
  ["/%zz", "/%zz"],
  ["/.", "/"],
  ["/..", "/"],
  ["/a/../b", "/b"],
  ["/../a", "/a"],
  ["/%2e%2e/a", "/a"],
  ["/a/./b", "/a/b"],
  ["/...//e", "/...//e"],
  ["/a?b=c&d=e+f", "/a?b=c&d=e+f"],
  ["/caf\u00E9?q=\u00FC#\u00F6", "/caf%C3%A9?q=%C3%BC#%C3%B6"],
  ["/\u{1F36A}", "/%F0%9F%8D%AA"],
  ["/\u4F60\u597D", "/%E4%BD%A0%E5%A5%BD"],
  ["/\uFF0Fe", "/%EF%BC%8Fe"],
  [`/${"e".repeat(2047)}`, `/${"e".repeat(2047)}`],
];

const NO_STRINGS: [what: string, next: unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["a number", 1],
  ["a bigint", 1n],
  ["a symbol", Symbol("/a")],
  ["an object", {}],
  ["an object without a prototype", Object.create(null)],
  ["an object that reads as a path", { toString: () => "/a", length: 2 }],
  ["a String object", new String("/a")],
  ["an array", ["/a"]],
  ["a function", () => "/a"],
];

/** What random paths are made of. */
const PIECES = [
  ..."//\\.:@?#&%a \t\n\r\0",
  "..",
  "%2e",
  "%2F",
  "%5C",
  "http:",
  "e.example",
  "\u00A0",
  "\u2028",
  "\uD83C",
  "\uDF6A",
  "\uFEFF",
];

for (const [what, next] of UNSAFE) {
  Deno.test(`safeNextPath() falls back from ${what}`, () => {
    assertEquals(safeNextPath(next, "/home"), "/home");
  });
}

for (const [what, next] of NO_STRINGS) {
  Deno.test(`safeNextPath() falls back from ${what}`, () => {
    assertEquals(safeNextPath(next, "/home"), "/home");
  });
}

for (const [next, path] of SAFE) {
  Deno.test(`safeNextPath() takes ${JSON.stringify(next).slice(0, 40)}`, () => {
    assertEquals(safeNextPath(next, "/home"), path);
  });
}

Deno.test("safeNextPath() falls back to / by default", () => {
  assertEquals(safeNextPath("//e"), "/");
  assertEquals(safeNextPath(undefined), "/");
});

Deno.test("safeNextPath() returns the fallback as it is", () => {
  for (const fallback of ["", "home", "https://example.com/", "//e"]) {
    assertStrictEquals(safeNextPath("//e", fallback), fallback);
  }
});

Deno.test("safeNextPath() returns what it returns for its own result", () => {
  for (const [, path] of SAFE) assertEquals(safeNextPath(path), path);
});

Deno.test("safeNextPath() never leaves the site, and never throws", () => {
  const random = new Random(13);
  for (let count = 0; count < 4_000; count++) {
    const length = random.integer(1, 8);
    const pieces = Array.from({ length }, () => random.pick(PIECES));
    const next = `/${pieces.join("")}`;
    const path = safeNextPath(next);
    const message = JSON.stringify([next, path]);
    const url = URL.parse(path, "https://site.example/login?next=x");
    assertEquals(url?.origin, "https://site.example", message);
    assert(/^\/(?![/\\])[\x21-\x7E]*$/.test(path), message);
  }
});
