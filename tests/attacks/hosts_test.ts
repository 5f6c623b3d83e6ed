import { assertEquals } from "@std/assert";
import { cookie, forge } from "./_forge.ts";
import { attack, cookiesSet, shorten } from "./_site.ts";

/**
 * Hosts that make `request.url` another one, or none at all; where the login
 * page is to send back a visitor of `/page`, and where it sends one whose `next`
 * is `/page`.
 */
const HOSTS: [host: string, next: string | null, after: string][] = [
  ["a b", null, "/home"],
  ["good.example@evil.example", "/page", "/page"],
  ["user:password@evil.example", "/page", "/page"],
  ["", "/page", "/page"],
  ["\xE9vil.example", "/page", "/page"],
  ["a,b", "/page", "/page"],
  ["..", "/page", "/page"],
  ["a:", "/page", "/page"],
  ["a".repeat(60_000), "/page", "/page"],
  // They move the path, its beginning or all of it.
  ["evil.example/", null, "/page"],
  ["evil.example//", null, "/page"],
  ["a\\b", "/b/page", "/page"],
  ["evil.example?", "/?/page", "/home"],
  ["evil.example/?", "/?/page", "/home"],
  ["a?b#c", "/?b", "/home"],
  ["a#", "/", "/home"],
  ["[::1", null, "/home"],
  ["::1", null, "/home"],
  ["a:99999", null, "/home"],
  ["a:b:c", null, "/home"],
  [":80", null, "/home"],
  ["%00", null, "/home"],
  ["%zz", null, "/home"],
  ["xn--a", null, "/home"],
  ["<script>", null, "/home"],
  ["999.999.999.999", null, "/home"],
];

for (const [host, next, after] of HOSTS) {
  const name = shorten(JSON.stringify(host));

  Deno.test(`rule 15, the URL: Login serves a request to the host ${name}`, async () => {
    const headers = [cookie(await forge()), "Stash: 1"];
    await attack(async (site) => {
      const who = await site.send({ target: "/whoami", host, headers });
      assertEquals([who.status, JSON.parse(who.body).user], [200, "susan"]);
      const page = await site.send({ target: "/page?a=1", host, headers });
      assertEquals([page.status, page.body], [200, "susan"]);
      const saved = await site.send({ target: "/stash", host, headers });
      assertEquals([saved.status, cookiesSet(saved).length], [200, 1]);
    });
  });

  Deno.test(`rule 15, the URL: Login sends nobody away to the host ${name}`, async () => {
    await attack(async (site) => {
      const page = await site.send({ target: "/page", host });
      const target = "/login?next=%2Fpage";
      const login = await site.send({ target, host, method: "POST" });
      const query = next === null ? "" : `?next=${encodeURIComponent(next)}`;
      assertEquals(
        [page, login].map(({ headers }) => headers.get("Location")),
        [`/login${query}`, after],
      );
      assertEquals([page.status, login.status], [302, 302]);
    });
  });
}
