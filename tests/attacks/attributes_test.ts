import { assert, assertEquals } from "@std/assert";
import type { CookieOptions } from "../../mod.ts";
import { attributesOf } from "../_helpers.ts";
import { DAY } from "../_login.ts";
import { cookie, forge } from "./_forge.ts";
import type { Answer } from "../_http.ts";
import { attack, cookieAfter, cookiesSet, type RawRequest } from "./_site.ts";

const INJECTION = "; Domain=evil.example; SameSite=None";

/** What might find its way into a cookie's attributes. */
const REQUESTS: [what: string, request: RawRequest][] = [
  ["host", { host: `evil.example${INJECTION}` }],
  ["path", { target: `/${INJECTION.replaceAll(" ", "")}/stash` }],
  ["absolute target", { target: "http://evil.example/stash" }],
  ["forwarded protocol", { headers: ["X-Forwarded-Proto: https"] }],
  ["forwarded host", { headers: ["X-Forwarded-Host: evil.example"] }],
  ["cookie", { headers: [`Cookie: session=x${INJECTION}`] }],
  ["data", {
    method: "POST",
    target: "/keep",
    body: JSON.stringify({ [INJECTION]: `x${INJECTION}` }),
  }],
];

/** Attributes of a session's cookie. */
const OPTIONS: [what: string, cookieOptions: CookieOptions][] = [
  ["by default", {}],
  ["with a path", { path: "/app", sameSite: "Strict" }],
  ["with a domain", { domain: "app.example", secure: true, sameSite: "None" }],
  ["for scripts", { httpOnly: false }],
  ["in a frame", { secure: true, sameSite: "None", partitioned: true }],
];

for (const [what, request] of REQUESTS) {
  Deno.test(`rule 10, attributes: Session keeps them whatever the ${what} says`, async () => {
    await attack(async (site) => {
      const answer = await site.send({ target: "/stash", ...request });
      assertEquals(cookiesSet(answer).map(attributesOf), [
        ["HttpOnly", "Path=/", "SameSite=Lax"],
      ]);
    });
  });
}

/** The attributes of a cookie, but for how long it lives. */
function attributesIn({ headers }: Answer, name: string): string[] {
  const line = headers.getSetCookie().find((line) =>
    line.startsWith(`${name}=`)
  );
  assert(line !== undefined, `There is no ${name}`);
  return attributesOf(line).filter((attribute) =>
    !/^(Max-Age|Expires)=/.test(attribute)
  );
}

for (const [what, cookieOptions] of OPTIONS) {
  Deno.test(`rule 11, one set of attributes: Session sets, renews and deletes a cookie ${what} alike`, async () => {
    await attack(async (site) => {
      const headers = [cookie(await forge())];
      const saved = await site.send({ target: "/stash", headers });
      const expected = attributesIn(saved, "session");
      const logout = await site.send({ target: "/logout", headers });
      assertEquals(attributesIn(logout, "session"), expected);
      site.now += 8 * DAY;
      const old = [cookieAfter(saved)];
      const renewed = await site.send({ target: "/whoami", headers: old });
      assertEquals(attributesIn(renewed, "session"), expected);
    }, { cookieOptions });
  });

  Deno.test(`rule 11, one set of attributes: Login sets, renews and deletes the remember cookie like a session's ${what}`, async () => {
    await attack(async (site) => {
      const login = await site.send({ target: "/login?remember" });
      const own = new Set(attributesIn(login, "session"));
      const expected = [...own.add("HttpOnly")].sort();
      assertEquals(attributesIn(login, "_remember"), expected);
      const [, remembered] = cookieAfter(login).split("; ");
      const headers = [`Cookie: ${remembered}`];
      const renewed = await site.send({ target: "/whoami", headers });
      assertEquals(attributesIn(renewed, "_remember"), expected);
      const logout = await site.send({ target: "/logout", headers });
      assertEquals(attributesIn(logout, "_remember"), expected);
    }, { cookieOptions });
  });
}
