import { assertEquals, assertThrows } from "@std/assert";
import { redirect } from "../../helpers.ts";

const STATUSES = [301, 302, 303, 307, 308];
const NO_STATUSES = [200, 300, 304, 305, 306, 309, 302.5, NaN];

const LOCATIONS: [location: string | URL, header: string][] = [
  ["/", "/"],
  ["/login?next=%2Fcart#top", "/login?next=%2Fcart#top"],
  ["login", "login"],
  ["?page=2", "?page=2"],
  ["https://example.com/a", "https://example.com/a"],
  [
    new URL("https://example.com/a b?c=ü"),
    "https://example.com/a%20b?c=%C3%BC",
  ],
  ["/caf\u00E9", "/caf%C3%A9"],
  ["/\u4F60\u597D", "/%E4%BD%A0%E5%A5%BD"],
  ["/\u{1F36A}", "/%F0%9F%8D%AA"],
  ["/\uD800", "/%EF%BF%BD"],
  ["/a\r\nSet-Cookie: a=b", "/a%0D%0ASet-Cookie: a=b"],
  ["/100%", "/100%"],
  ["/%C3%A9", "/%C3%A9"],
  // The ends of what a header holds as it is, and what lies beyond them.
  ["/a\0b", "/a%00b"],
  ["/a\x1Fb", "/a%1Fb"],
  ["/a\x20b", "/a b"],
  ["/a\x7Eb", "/a~b"],
  ["/a\x7Fb", "/a%7Fb"],
  ["/a\x80b", "/a%C2%80b"],
  ["/a\xFFb", "/a%C3%BFb"],
  ["/a\u0100b", "/a%C4%80b"],
];

for (const status of STATUSES) {
  Deno.test(`redirect() makes a response of status ${status}`, () => {
    const response = redirect("/next", status);
    assertEquals(response.status, status);
    assertEquals(response.headers.get("Location"), "/next");
    assertEquals(response.body, null);
  });
}

Deno.test("redirect() has the status 302 by default", () => {
  assertEquals(redirect("/next").status, 302);
});

for (const status of NO_STATUSES) {
  Deno.test(`redirect() throws for the status ${status}`, () => {
    assertThrows(() => redirect("/next", status), RangeError, `${status}`);
  });
}

for (const [location, header] of LOCATIONS) {
  const name = JSON.stringify(location).slice(1, -1);
  Deno.test(`redirect() leads to ${header} for ${name}`, () => {
    const { headers } = redirect(location);
    assertEquals([...headers], [["location", header]]);
  });
}

Deno.test("redirect() makes headers that can be changed", () => {
  const response = redirect("/next");
  response.headers.set("Cache-Control", "no-store");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
});

for (const location of [undefined, null, 1, {}, Promise.resolve("/")]) {
  Deno.test(`redirect() refuses ${Deno.inspect(location)} for a location`, () => {
    assertThrows(() => redirect(location as string), TypeError, "location");
  });
}
