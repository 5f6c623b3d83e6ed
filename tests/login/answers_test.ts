/** What refusals say: in text to a person, in problem details to a program. */

import { assertEquals } from "@std/assert";
import { Browser, type Handler, Site } from "../_login.ts";
import { FOREIGN, SCRIPT, secret } from "./_common.ts";

/** Requests that are refused, and in which words. */
const REFUSALS: [
  what: string,
  method: string,
  headers: Record<string, string>,
  handlerOf: (site: Site) => Handler,
  detail: string,
][] = [
  [
    "login.loginUser() that another site has posted",
    "POST",
    FOREIGN,
    ({ login, susan }) => (request) => login.loginUser(request, susan),
    "This login was sent from another site",
  ],
  [
    "login.loginUser() that another site leads to",
    "GET",
    FOREIGN,
    ({ login, susan }) => (request) => login.loginUser(request, susan),
    "This login was sent from another site",
  ],
  [
    "login.logoutUser() that another site has posted",
    "POST",
    FOREIGN,
    ({ login }) => (request) => login.logoutUser(request),
    "This logout was sent from another site",
  ],
  [
    "login.required() whose check refuses the user",
    "GET",
    {},
    ({ login }) => login.required(secret, { check: () => false }),
    "You may not do this",
  ],
];

for (const [what, method, headers, handlerOf, detail] of REFUSALS) {
  Deno.test(`${what} says so`, async () => {
    const site = new Site();
    const browser = await site.loggedIn();
    const handler = handlerOf(site);
    const page = await browser.send(handler, "/", { method, headers });
    assertEquals([page.status, await page.text()], [403, `${detail}\n`]);
    const problem = await browser.send(handler, "/", {
      method,
      headers: { ...headers, ...SCRIPT },
    });
    assertEquals([problem.status, (await problem.json()).detail], [
      403,
      detail,
    ]);
  });
}

Deno.test("login.required() tells a script to log in first", async () => {
  const page = new Site().login.required(secret);
  const response = await new Browser().get(page, "/", SCRIPT);
  const { detail } = await response.json();
  assertEquals([response.status, detail], [401, "Log in first"]);
});
