/** The remember-me cookie goes along with the session's, never further. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { SessionOptions } from "../../mod.ts";
import { attributesOf, lineOf, requestWith } from "../_helpers.ts";
import { Site } from "../_login.ts";

/** Sessions, the name of their remember cookie, and its attributes over http. */
const SESSIONS: [options: SessionOptions, name: string, attributes: string][] =
  [
    [{}, "_remember", "HttpOnly; Path=/; SameSite=Lax"],
    [
      { cookieOptions: { sameSite: "Strict", path: "/app" } },
      "_remember",
      "HttpOnly; Path=/app; SameSite=Strict",
    ],
    [
      { cookieOptions: { domain: "a.example", secure: true } },
      "_remember",
      "Domain=a.example; HttpOnly; Path=/; SameSite=Lax; Secure",
    ],
    [
      {
        cookieOptions: { sameSite: "None", secure: true, partitioned: true },
      },
      "_remember",
      "HttpOnly; Partitioned; Path=/; SameSite=None; Secure",
    ],
    [
      { cookieOptions: { httpOnly: false, maxAge: 60, secure: false } },
      "_remember",
      "HttpOnly; Path=/; SameSite=Lax",
    ],
    [
      { cookieName: "__Host-session" },
      "__Host-remember",
      "HttpOnly; Path=/; SameSite=Lax; Secure",
    ],
    [
      {
        cookieName: "__Secure-session",
        cookieOptions: { domain: "a.example", sameSite: "Strict" },
      },
      "__Secure-remember",
      "Domain=a.example; HttpOnly; Path=/; SameSite=Strict; Secure",
    ],
    [
      { cookieName: "admin" },
      "admin_remember",
      "HttpOnly; Path=/; SameSite=Lax",
    ],
    [
      { cookieName: "__Host-admin" },
      "__Host-admin_remember",
      "HttpOnly; Path=/; SameSite=Lax; Secure",
    ],
    [
      { cookieName: "__hOsT-session" },
      "__hOsT-remember",
      "HttpOnly; Path=/; SameSite=Lax; Secure",
    ],
  ];

/** Names that a subdomain could set beside a session that it can't. */
const NAKED: [cookieName: string, rememberCookieName: string][] = [
  ["__Host-session", "_remember"],
  ["__Host-session", "stay"],
  ["__Host-session", "__Secure-stay"],
  ["__Host-session", "stay__Host-"],
  ["__Secure-session", "_remember"],
  ["__Secure-session", "stay"],
];

/** The attributes of a cookie, but for how long it lives. */
function attributesIn(response: Response, name: string): string {
  const line = lineOf(response, name);
  assert(line !== undefined, `There is no ${name}`);
  return attributesOf(line)
    .filter((attribute) => !/^(Max-Age|Expires)=/.test(attribute))
    .join("; ");
}

/** The answers to a request that sets the cookie, renews it, and removes it. */
async function answersOf(
  { login, session, susan }: Site,
  name: string,
): Promise<Response[]> {
  const set = await login.loginUser(requestWith(), susan, { remember: true });
  const cookie = lineOf(set, name)?.split(";")[0];
  const ask = session.wrap(async (request) => {
    await login.getCurrentUser(request);
    return new Response("Hello");
  });
  const renewed = await ask(requestWith(cookie));
  return [set, renewed, await login.logoutUser(requestWith(cookie))];
}

for (const [options, name, expected] of SESSIONS) {
  Deno.test(`the remember cookie ${name} is set, renewed and removed with ${expected} beside a session of ${JSON.stringify(options)}`, async () => {
    const site = new Site({ session: options });
    for (const response of await answersOf(site, name)) {
      assertEquals(attributesIn(response, name), expected);
    }
  });

  Deno.test(`the remember cookie ${name} follows a session that gets ${JSON.stringify(options)} later`, async () => {
    const site = new Site({ session: { cookieOptions: { path: "/old" } } });
    site.session.initialize({ cookieOptions: {}, ...options });
    for (const response of await answersOf(site, name)) {
      assertEquals(attributesIn(response, name), expected);
    }
  });
}

for (const [cookieName, rememberCookieName] of NAKED) {
  Deno.test(`new Login() refuses the remember cookie ${rememberCookieName} beside the session ${cookieName}`, () => {
    const setting = { session: { cookieName }, login: { rememberCookieName } };
    const prefix = cookieName.replace("session", "");
    const error = assertThrows(
      () => new Site(setting),
      TypeError,
      `Cannot use rememberCookieName "${rememberCookieName}"`,
    );
    assert(error.message.includes(`use "${prefix}`), error.message);
  });
}
