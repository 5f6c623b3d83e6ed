/** The cookies of a test client, as a browser keeps them. */

import { assertEquals } from "@std/assert";
import { TestClient } from "../../helpers/testing.ts";
import { stoppedClock } from "../_helpers.ts";

/** A site that sets the cookies a test says, and shows those it gets. */
class CookieSite {
  readonly client: TestClient;
  readonly advance: (seconds: number) => void;
  #lines: string[] = [];

  constructor(origin = "http://localhost") {
    const { clock, advance } = stoppedClock();
    this.advance = advance;
    this.client = new TestClient((request) => {
      const response = new Response(request.headers.get("Cookie"));
      for (const line of this.#lines) {
        response.headers.append("Set-Cookie", line);
      }
      return response;
    }, { origin, clock });
  }

  /** Has cookies set by a page. */
  async set(path: string, ...lines: string[]): Promise<void> {
    this.#lines = lines;
    await this.client.get(path);
    this.#lines = [];
  }

  /** The cookies that a page gets. */
  async at(path: string): Promise<string> {
    return await (await this.client.get(path)).text();
  }
}

/** Cookies that a page sets, another page, and the cookies that it gets. */
const ROWS: [line: string, from: string, to: string, cookies: string][] = [
  ["a=1", "/", "/", "a=1"],
  ["a=1; Path=/", "/x/y", "/", "a=1"],
  ["a=1; Path=/shop", "/", "/", ""],
  ["a=1; Path=/shop", "/", "/shop", "a=1"],
  ["a=1; Path=/shop", "/", "/shop/", "a=1"],
  ["a=1; Path=/shop", "/", "/shop/cart?x=1", "a=1"],
  ["a=1; Path=/shop", "/", "/shopping", ""],
  ["a=1; Path=/shop/", "/", "/shop", ""],
  ["a=1; Path=/shop/", "/", "/shop/cart", "a=1"],
  ["a=1; path = /shop", "/", "/shop", "a=1"],
  // Without a path, or with one that is none: the folder of the page.
  ["a=1", "/shop/cart", "/", ""],
  ["a=1", "/shop/cart", "/shop/pay", "a=1"],
  ["a=1", "/shop", "/", "a=1"],
  ["a=1; Path=shop", "/shop/cart", "/shop/pay", "a=1"],
  // Hosts: without a domain, this one only.
  ["a=1", "http://a.example/", "http://b.a.example/", ""],
  ["a=1; Domain=a.example", "http://a.example/", "http://b.a.example/", "a=1"],
  ["a=1; Domain=.A.Example", "http://a.example/", "http://b.a.example/", "a=1"],
  ["a=1; Domain=a.example", "http://b.a.example/", "http://a.example/", "a=1"],
  ["a=1; Domain=a.example", "http://a.example/", "http://ba.example/", ""],
  ["a=1; Domain=b.example", "http://a.example/", "http://b.example/", ""],
  ["a=1; Domain=b.a.example", "http://a.example/", "http://b.a.example/", ""],
  ["a=1; Domain=", "http://a.example/", "http://b.a.example/", ""],
  ["a=1; Domain=0.0.1", "http://127.0.0.1/", "http://127.0.0.1/", ""],
  ["a=1; Domain=127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1/", "a=1"],
  ["a=1", "http://a.example/", "http://a.example:8000/", "a=1"],
  // Secure: over https, and on this machine.
  ["a=1; Secure", "https://a.example/", "https://a.example/", "a=1"],
  ["a=1; Secure", "https://a.example/", "http://a.example/", ""],
  ["a=1; Secure", "http://a.example/", "https://a.example/", ""],
  ["a=1; SECURE", "http://localhost/", "http://localhost/", "a=1"],
  ["a=1; Secure", "http://127.0.0.1/", "http://127.0.0.1/", "a=1"],
  ["a=1; Secure", "http://[::1]/", "http://[::1]/", "a=1"],
  ["a=1", "http://a.example/", "https://a.example/", "a=1"],
  // Prefixes.
  ["__Host-a=1; Secure; Path=/", "/", "/", "__Host-a=1"],
  ["__Host-a=1; Path=/", "/", "/", ""],
  ["__Host-a=1; Secure", "/", "/", ""],
  ["__host-a=1; Secure; Path=/x", "/", "/x", ""],
  ["__Host-a=1; Secure; Path=/; Domain=localhost", "/", "/", ""],
  ["__Secure-a=1; Secure", "/", "/", "__Secure-a=1"],
  ["__Secure-a=1", "/", "/", ""],
  // Values, and what is no cookie.
  ["a=", "/", "/", "a="],
  ["a=b=c", "/", "/", "a=b=c"],
  [' a = "b c" ; Path=/', "/", "/", 'a="b c"'],
  ["a=1;Path=/;HttpOnly;SameSite=Lax;Partitioned;X=Y", "/", "/", "a=1"],
  ["a", "/", "/", ""],
  ["=1", "/", "/", ""],
  ["", "/", "/", ""],
  [";;", "/", "/", ""],
];

/** Attributes, and how many seconds the cookie lives. */
const LIVES: [attributes: string, life: number][] = [
  ["", Infinity],
  ["Max-Age=60", 60],
  ["max-age = 60", 60],
  ["Max-Age=0", 0],
  ["Max-Age=-1", 0],
  ["Max-Age=x", Infinity],
  ["Max-Age=1.5", Infinity],
  ["Max-Age=", Infinity],
  ["Expires=Tue, 14 Nov 2023 22:14:20 GMT", 60],
  ["Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["Expires=never", Infinity],
  ["Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60],
  ["Expires=Fri, 01 Jan 2100 00:00:00 GMT; Max-Age=60", 60],
  ["Max-Age=x; Expires=Tue, 14 Nov 2023 22:14:20 GMT", 60],
  ["Max-Age=10; Max-Age=60", 60],
];

for (const [line, from, to, cookies] of ROWS) {
  Deno.test(`TestClient sends ${JSON.stringify(cookies)} to ${to} for "${line}" of ${from}`, async () => {
    const site = new CookieSite();
    await site.set(from, line);
    assertEquals(await site.at(to), cookies);
  });
}

for (const [attributes, life] of LIVES) {
  Deno.test(`TestClient keeps a cookie with "${attributes}" for ${life} seconds`, async () => {
    const site = new CookieSite();
    await site.set("/", `a=1; ${attributes}`);
    if (life === Infinity) return assertEquals(await site.at("/"), "a=1");
    site.advance(life - 1);
    assertEquals(await site.at("/"), life === 0 ? "" : "a=1");
    site.advance(1);
    assertEquals(await site.at("/"), "");
    assertEquals(site.client.cookies.get("a"), undefined);
  });
}

Deno.test("TestClient replaces a cookie of the same name, host and path, and no other", async () => {
  const site = new CookieSite();
  await site.set("/", "a=1; Path=/", "a=2; Path=/", "a=3; Path=/x", "b=4");
  assertEquals(await site.at("/"), "a=2; b=4");
  // The longer path goes first.
  assertEquals(await site.at("/x/y"), "a=3; a=2; b=4");
  await site.set("/", "a=; Path=/x; Max-Age=0", "b=; Max-Age=-1");
  assertEquals(await site.at("/x/y"), "a=2");
});

Deno.test("client.cookies tells a cookie's value, and deletes it", async () => {
  const site = new CookieSite();
  await site.set("/", "a=1; HttpOnly", "b=2");
  assertEquals(site.client.cookies.get("a"), "1");
  site.client.cookies.delete("a");
  site.client.cookies.delete("c");
  assertEquals(site.client.cookies.get("a"), undefined);
  assertEquals(await site.at("/"), "b=2");
});
