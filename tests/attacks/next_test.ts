import { assertEquals } from "@std/assert";
import { cookie, forge } from "./_forge.ts";
import { attack, cookiesSet, shorten } from "./_site.ts";

const HOME = "/home";

/** Queries as they go over the wire, and where the login sends its user. */
const QUERIES: [query: string, location: string][] = [
  // Another site.
  ["next=//e", HOME],
  ["next=%2f%2fe", HOME],
  ["next=/\\e", HOME],
  ["next=/%5Ce", HOME],
  ["next=/%09/e", HOME],
  ["next=%20//e", HOME],
  ["next=/+/e", HOME],
  ["next=%00//e", HOME],
  ["next=%EF%BB%BF//e", HOME],
  ["next=https:e", HOME],
  ["next=javascript:alert(1)", HOME],
  ["next=http://u@h/", HOME],
  ["next=http://{host}/", HOME],
  ["next=@e", HOME],
  ["next=.e", HOME],
  ["next=:80", HOME],
  ["next=/..//e", HOME],
  ["next=/.//e", HOME],
  ["next=/%2e%2e//e", HOME],
  ["next=/%252e%252e//e", HOME],
  ["next=%252F%252Fe", HOME],
  // More than a path.
  ["next=/%0D%0ALocation:%20//e", HOME],
  ["next=/a%0D%0ASet-Cookie:%20session=x", HOME],
  [`next=/${"x".repeat(2048)}`, HOME],
  [`next=/${"x".repeat(50_000)}`, HOME],
  // The login page itself.
  ["next=/login", HOME],
  ["next=/login?next=//e", HOME],
  ["next=/a/../login", HOME],
  ["next=/login%23x", HOME],
  // Another parameter, or several.
  ["next", HOME],
  ["next=", HOME],
  ["Next=/a", HOME],
  ["next[]=/a", HOME],
  ["x=1;next=/a", HOME],
  ["next=//e&next=/a", HOME],
  ["next=/a&next=//e", "/a"],
  ["n%65xt=/a", "/a"],
  // What stays on the site.
  ["next=/ok?x=//e", "/ok?x=//e"],
  ["next=/a%252Fb", "/a%2Fb"],
  ["next=/%252Fe", "/%2Fe"],
  ["next=/?q=1%23h", "/?q=1#h"],
  ["next=/a/../b", "/b"],
  ["next=/javascript:alert(1)", "/javascript:alert(1)"],
  ["next=/%250D%250ASet-Cookie:x", "/%0D%0ASet-Cookie:x"],
  ["next=/%22%3Cscript%3E", "/%22%3Cscript%3E"],
  ["next=/%ED%A0%80", "/%EF%BF%BD%EF%BF%BD%EF%BF%BD"],
  ["next=/%C0%AF/e", "/%EF%BF%BD%EF%BF%BD/e"],
  [`next=/${"x".repeat(2047)}`, `/${"x".repeat(2047)}`],
];

/** Request targets, and the `next` that a guard makes of them. */
const TARGETS: [target: string, next: string | null][] = [
  ["/page?a=1&b=2", "/page?a=1&b=2"],
  ["/page?next=//e", "/page?next=//e"],
  ["//e", null],
  ["//e/page", null],
  ["/\\e", null],
  ["/..//e", null],
  ["/.//e", null],
  ["/%2e%2e//e", null],
  ["/a/../..//e", null],
  ["http://e", "/"],
  ["http://e/page", "/page"],
  ["http://u:p@e/page", "/page"],
  ["https://e/page", "/page"],
  ["http://e//f", null],
  ["/@e", "/@e"],
  ["/%09/e", "/%09/e"],
  ["/%zz", "/%zz"],
  ["/%0D%0ASet-Cookie:x", "/%0D%0ASet-Cookie:x"],
  ['/"<script>', "/%22%3Cscript%3E"],
  ["/page#//e", "/page"],
  [`/${"x".repeat(2047)}`, `/${"x".repeat(2047)}`],
  [`/${"x".repeat(2048)}`, null],
  [`/${"x".repeat(60_000)}`, null],
];

for (const [query, location] of QUERIES) {
  Deno.test(`rule 13, next: login.loginUser() answers ?${shorten(query)} with ${shorten(location)}`, async () => {
    await attack(async (site) => {
      const target = `/login?${query}`;
      const answer = await site.send({ method: "POST", target });
      assertEquals(answer.status, 302);
      assertEquals(answer.headers.get("Location"), location);
      assertEquals(cookiesSet(answer).length, 1);
    });
  });
}

for (const [target, next] of TARGETS) {
  Deno.test(`rule 13, next: login.required() sends a visitor of ${shorten(target)} to the login page`, async () => {
    const query = next === null ? "" : `?next=${encodeURIComponent(next)}`;
    await attack(async (site) => {
      const answer = await site.send({ target });
      assertEquals(answer.status, 302);
      assertEquals(answer.headers.get("Location"), `/login${query}`);
      const head = await site.send({ target, method: "HEAD" });
      assertEquals(head.headers.get("Location"), `/login${query}`);
      const post = await site.send({ target, method: "POST" });
      assertEquals(post.headers.get("Location"), "/login");
      const headers = [cookie(await forge())];
      const page = await site.send({ target, headers });
      assertEquals([page.status, page.body], [200, "susan"]);
    });
  });
}
