import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { decodeBase64Url } from "@std/encoding/base64url";
import { generateSecretKey, redirect } from "../helpers.ts";
import { Session } from "../session.ts";

const STATUSES = [301, 302, 303, 307, 308];
const NO_STATUSES = [0, 200, 204, 300, 304, 305, 306, 309, 400, 302.5, NaN];

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
  ["/caf\u00e9", "/caf%C3%A9"],
  ["/\u4f60\u597d", "/%E4%BD%A0%E5%A5%BD"],
  ["/\u{1F36A}", "/%F0%9F%8D%AA"],
  ["/\ud800", "/%EF%BF%BD"],
  ["/a\r\nSet-Cookie: a=b", "/a%0D%0ASet-Cookie: a=b"],
  ["/a\nb", "/a%0Ab"],
  ["/a\rb", "/a%0Db"],
  ["/a\0b", "/a%00b"],
  ["/a\tb", "/a%09b"],
  ["/a\x7Fb", "/a%7Fb"],
  ["/100%", "/100%"],
  ["/%C3%A9", "/%C3%A9"],
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
  Deno.test(`redirect() leads to ${header}`, () => {
    const response = redirect(location);
    assertEquals(response.headers.get("Location"), header);
    assertEquals([...response.headers.keys()], ["location"]);
  });
}

Deno.test("redirect() makes headers that can be changed", () => {
  const response = redirect("/next");
  response.headers.set("Cache-Control", "no-store");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
});

Deno.test("generateSecretKey() makes 32 bytes in base64url without padding", () => {
  const key = generateSecretKey();
  assert(/^[A-Za-z0-9_-]{43}$/.test(key), key);
  assertEquals(decodeBase64Url(key).length, 32);
});

Deno.test("generateSecretKey() makes another key each time", () => {
  assertNotEquals(generateSecretKey(), generateSecretKey());
});

Deno.test("generateSecretKey() makes a key that a session takes", async () => {
  const session = new Session({ secretKey: generateSecretKey() });
  const value = await session.encode({ n: 1 });
  assertEquals(await session.decode(value), { n: 1 });
});
