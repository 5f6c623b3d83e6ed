/**
 * What the tests of logins and guards share beside the site and its browsers.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { LoginUserOptions } from "../../mod.ts";
import { type Browser, Site, type User } from "../_login.ts";

/** What a browser says of a form that another site sends. */
export const FOREIGN = { "Sec-Fetch-Site": "cross-site" };
/** What a browser says of a script's request. */
export const SCRIPT = { "Sec-Fetch-Mode": "cors" };

/** Options of a login whose users have stamps. */
export const STAMPED = { securityStamp: (user: User) => user.stamp };

/** Ways to fail. */
export const FAILURES: [how: string, fail: () => Promise<never>][] = [
  ["throws", () => {
    throw new Error("broken");
  }],
  ["rejects", () => Promise.reject(new Error("broken"))],
];

/** A page that a guard stands before. */
export function secret(): Response {
  return new Response("Secret");
}

/** Sees that a response tells a script why it is refused (RFC 9457). */
export async function assertProblem(
  response: Response,
  status: 401 | 403,
): Promise<void> {
  const { detail, ...problem } = await response.json();
  const type = response.headers.get("Content-Type");
  assertEquals([response.status, type], [status, "application/problem+json"]);
  const title = status === 401 ? "Unauthorized" : "Forbidden";
  assertEquals(problem, { type: "about:blank", title, status });
  assert(typeof detail === "string" && detail !== "");
}

/**
 * What an action of a wrapped handler fails with. Whether the page fails too
 * is not the login's to say.
 */
export async function failureOf(
  site: Site,
  browser: Browser,
  action: (request: Request) => Promise<unknown>,
): Promise<unknown> {
  let failure: unknown;
  const handler = site.session.wrap(async (request) => {
    failure = await action(request).then(() => undefined, (error) => error);
    return new Response("Sorry", { status: 503 });
  });
  await browser.post(handler).catch(() => {});
  return failure;
}

/** Sees that no login is begun with these, and that the one before it stays. */
export async function assertRefused(
  user: unknown,
  options: LoginUserOptions,
  ErrorClass: typeof TypeError | typeof RangeError,
  message: string,
): Promise<void> {
  const site = new Site();
  const { david, login, session } = site;
  const browser = await site.loggedIn(david);
  const before = new Map(browser.cookies);
  await browser.post(session.wrap(async (request) => {
    await assertRejects(
      () => login.loginUser(request, user as User, options),
      ErrorClass,
      message,
    );
    assertEquals(await login.getCurrentUser(request), david);
    return new Response("Try again", { status: 422 });
  }));
  assertEquals(browser.cookies, before);
}
