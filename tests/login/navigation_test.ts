import { assertEquals, assertNotEquals } from "@std/assert";
import { serve } from "../_helpers.ts";
import { Browser, locationOf, Site } from "../_login.ts";
import { assertProblem, secret } from "./_common.ts";

/** Headers, and whether they ask for a page that a person is to see. */
const NAVIGATIONS: [headers: Record<string, string>, isNavigation: boolean][] =
  [
    [{}, true],
    [{ "Sec-Fetch-Mode": "navigate" }, true],
    [{ "Sec-Fetch-Mode": "navigate", Accept: "text/html" }, true],
    [{ "Sec-Fetch-Mode": "navigate", Accept: "application/json" }, true],
    [{ "Sec-Fetch-Mode": "cors" }, false],
    [{ "Sec-Fetch-Mode": "same-origin" }, false],
    [{ "Sec-Fetch-Mode": "no-cors" }, false],
    [{ "Sec-Fetch-Mode": "websocket" }, false],
    [{ "Sec-Fetch-Mode": "" }, false],
    [{ "Sec-Fetch-Mode": "cors", Accept: "*/*" }, false],
    [{ "Sec-Fetch-Mode": "cors", Accept: "text/html" }, false],
    [{ Accept: "text/html" }, true],
    [{ Accept: "text/html,application/xhtml+xml,*/*;q=0.8" }, true],
    [{ Accept: "application/xhtml+xml, text/html;q=0.9" }, true],
    [{ Accept: "TEXT/HTML" }, true],
    [{ Accept: "" }, false],
    [{ Accept: "*/*" }, false],
    [{ Accept: "application/json, */*;q=0.1" }, false],
    [{ Accept: "text/html2, mytext/html-x" }, false],
    [{ Accept: "application/json" }, false],
    [{ Accept: "application/json, text/plain" }, false],
    [{ Accept: "image/*" }, false],
  ];

for (const [headers, isNavigation] of NAVIGATIONS) {
  const what = JSON.stringify(headers);

  Deno.test(`login.required() answers a visitor with ${isNavigation ? 302 : 401} to ${what}`, async () => {
    const page = new Site().login.required(secret);
    const response = await new Browser().get(page, "/a", headers);
    if (isNavigation) {
      assertEquals(locationOf(response), [302, "/login?next=%2Fa"]);
    } else {
      await assertProblem(response, 401);
      assertEquals(response.headers.get("Location"), null);
    }
  });

  Deno.test(`login.required() refuses a user with ${isNavigation ? "text" : "problem details"} to ${what}`, async () => {
    const site = new Site();
    const page = site.login.required(secret, { check: () => false });
    const response = await (await site.loggedIn()).get(page, "/a", headers);
    if (isNavigation) {
      const type = response.headers.get("Content-Type");
      assertEquals([response.status, type], [403, "text/plain; charset=utf-8"]);
      assertNotEquals(await response.text(), "");
    } else await assertProblem(response, 403);
  });
}

Deno.test("login.required() answers Deno's own fetch() with 401", async () => {
  await serve(new Site().login.required(secret), async (url) => {
    const response = await fetch(url);
    assertEquals(response.url, url);
    await assertProblem(response, 401);
  });
});
