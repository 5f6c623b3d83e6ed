import { assertEquals } from "@std/assert";
import { attack, cookie, cookiesSet, forge } from "./_attacks.ts";

const HOME = "/home";

/** What `next` says, and where the login sends its user. */
const NEXT: [next: string, location: string][] = [
  ["//e", HOME],
  ["/\\e", HOME],
  ["/\t/e", HOME],
  [" //e", HOME],
  ["https:e", HOME],
  ["javascript:alert(1)", HOME],
  ["/..//e", HOME],
  ["/.//e", HOME],
  ["http://u@h/", HOME],
  ["/ok?x=//e", "/ok?x=//e"],
  ["/a%2Fb", "/a%2Fb"],
  ["/?q=1#h", "/?q=1#h"],
  // The same in other forms.
  ["", HOME],
  ["e", HOME],
  ["///e", HOME],
  ["////e", HOME],
  ["\\\\e", HOME],
  ["\\/e", HOME],
  ["/\\/e", HOME],
  ["/a\\e", HOME],
  ["\t//e", HOME],
  ["\n//e", HOME],
  ["/\n/e", HOME],
  ["/\r/e", HOME],
  ["/a\r\nSet-Cookie: session=x", HOME],
  ["/\0/e", HOME],
  ["/\x7F", HOME],
  ["/\x85", HOME],
  ["/ /e", HOME],
  ["/a b", HOME],
  ["/\xA0", HOME],
  ["/\u2028", HOME],
  ["/\u3000/e", HOME],
  ["\uFEFF//e", HOME],
  ["/\uFEFF/e", HOME],
  ["/..\\e", HOME],
  ["/../..//e", HOME],
  ["/a/..//e", HOME],
  ["/a/../..//e", HOME],
  ["/%2e%2e//e", HOME],
  ["/%2E//e", HOME],
  ["/.%2e//e", HOME],
  ["/.//.//e", HOME],
  ["http://{host}/", HOME],
  ["http:/e", HOME],
  ["https://e", HOME],
  ["HTTPS://e", HOME],
  ["data:text/html,x", HOME],
  ["?next=//e", HOME],
  ["#//e", HOME],
  ["@e", HOME],
  [".e", HOME],
  [":80", HOME],
  // The login page itself.
  ["/login", HOME],
  ["/login?next=//e", HOME],
  ["/a/../login", HOME],
  ["/login#x", HOME],
  // The length.
  [`/${"x".repeat(2047)}`, `/${"x".repeat(2047)}`],
  [`/${"x".repeat(2048)}`, HOME],
  [`/${"/".repeat(2000)}`, HOME],
  // What stays on the site.
  ["/", "/"],
  ["/@e", "/@e"],
  ["/:80", "/:80"],
  ["/e.example", "/e.example"],
  ["/%5Ce", "/%5Ce"],
  ["/%2F%2Fe", "/%2F%2Fe"],
  ["/%09/e", "/%09/e"],
  ["/%0D%0ASet-Cookie:x", "/%0D%0ASet-Cookie:x"],
  ["/%zz", "/%zz"],
  ["/a//e", "/a//e"],
  ["/a/../b", "/b"],
  ["/?//e", "/?//e"],
  ["/#//e", "/#//e"],
  ["/javascript:alert(1)", "/javascript:alert(1)"],
  ["/\xE9", "/%C3%A9"],
  ["/\uFF0F/e", "/%EF%BC%8F/e"],
  ["/\uFFFD", "/%EF%BF%BD"],
  ['/"<script>', "/%22%3Cscript%3E"],
];

for (const [next, location] of NEXT) {
  const name = JSON.stringify(next).slice(0, 60);
  Deno.test(`login.loginUser() answers next ${name} with ${location.slice(0, 60)}`, async () => {
    await attack(async (site) => {
      const target = `/login?next=${encodeURIComponent(next)}`;
      const answer = await site.send({ method: "POST", target });
      assertEquals(answer.status, 302);
      assertEquals(answer.headers.get("Location"), location);
      assertEquals(cookiesSet(answer).length, 1);
    });
  });
}

/** Queries as they go over the wire, and where the login sends its user. */
const QUERIES: [query: string, location: string][] = [
  ["next=//e", HOME],
  ["next=/%09/e", HOME],
  ["next=/%5Ce", HOME],
  ["next=/\\e", HOME],
  ["next=/+/e", HOME],
  ["next=%2f%2fe", HOME],
  ["next=%00//e", HOME],
  ["next=/%0D%0ALocation:%20//e", HOME],
  ["next=/%ED%A0%80", "/%EF%BF%BD%EF%BF%BD%EF%BF%BD"],
  ["next=/%C0%AF/e", "/%EF%BF%BD%EF%BF%BD/e"],
  ["next=%252F%252Fe", HOME],
  ["next=/%252Fe", "/%2Fe"],
  ["next=/a&next=//e", "/a"],
  ["next=//e&next=/a", HOME],
  ["Next=/a", HOME],
  ["next[]=/a", HOME],
  ["next", HOME],
  ["next=", HOME],
  ["n%65xt=/a", "/a"],
  ["x=1;next=/a", HOME],
];

for (const [query, location] of QUERIES) {
  Deno.test(`login.loginUser() answers the query ${query} with ${location}`, async () => {
    await attack(async (site) => {
      const target = `/login?${query}`;
      const answer = await site.send({ method: "POST", target });
      assertEquals(answer.status, 302);
      assertEquals(answer.headers.get("Location"), location);
    });
  });
}

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

for (const [target, next] of TARGETS) {
  Deno.test(`login.required() sends a visitor of ${target.slice(0, 40)} to the login page`, async () => {
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
