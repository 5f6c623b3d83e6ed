import { assert, assertEquals } from "@std/assert";
import {
  EVIL,
  HOST,
  METHODS,
  ORIGINS,
  OWN,
  PROXY_HEADERS,
  SITES,
} from "../_origins.ts";
import { cookie, forge, forgeRemember } from "./_forge.ts";
import type { Answer } from "../_http.ts";
import { attack, cookiesSet, type Site } from "./_site.ts";

/** Headers of a form that a page of another origin has sent. */
const FOREIGN: Record<string, string | undefined>[] = [
  ...ORIGINS.filter(([, isForeign]) => isForeign)
    .map(([origin]) => ({ Origin: origin })),
  ...SITES.filter(([, isForeign]) => isForeign)
    .map(([site]) => ({ "Sec-Fetch-Site": site, Origin: OWN })),
  ...PROXY_HEADERS.map((headers) => ({ Origin: EVIL, ...headers })),
];

function linesOf(headers: Record<string, string | undefined>): string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
}

/** Sends a form of a visitor, who is logged in and remembered. */
async function sendForm(
  site: Site,
  target: string,
  lines: string[],
  method = "POST",
): Promise<Answer> {
  const cookies = `${
    cookie(await forge())
  }; _remember=${await forgeRemember()}`;
  const headers = [cookies, ...lines];
  return await site.send({ method, target, host: HOST, headers });
}

for (const headers of FOREIGN) {
  const lines = linesOf(headers);

  Deno.test(`rule 14, other origins: Login refuses a form with ${lines.join(" and ")}`, async () => {
    await attack(async (site) => {
      for (const target of ["/login?remember", "/logout", "/form"]) {
        const { status, headers } = await sendForm(site, target, lines);
        assertEquals([status, headers.getSetCookie()], [403, []], target);
      }
    });
  });
}

Deno.test("rule 14, other origins: Login takes a form of its own", async () => {
  await attack(async (site) => {
    const lines = [`Origin: ${OWN}`];
    const login = await sendForm(site, "/login?remember", lines);
    assertEquals([login.status, cookiesSet(login).length], [302, 2]);
    const logout = await sendForm(site, "/logout", lines);
    assertEquals([logout.status, cookiesSet(logout)], [302, []]);
    assertEquals(logout.headers.getSetCookie().length, 2);
    assertEquals((await sendForm(site, "/form", lines)).status, 200);
  });
});

for (const [method, isSafe] of METHODS) {
  Deno.test(`rule 14, other origins: Login refuses ${method}`, async () => {
    await attack(async (site) => {
      const lines = ["Sec-Fetch-Site: cross-site"];
      for (const target of ["/login", "/logout"]) {
        const answer = await sendForm(site, target, lines, method);
        assertEquals(answer.status, 403);
        assertEquals(answer.headers.getSetCookie(), []);
      }
      const form = await sendForm(site, "/form", lines, method);
      assertEquals(form.status, isSafe ? 200 : 403);
    });
  });
}

Deno.test("rule 14, other origins: Login refuses without a word of who is logged in", async () => {
  await attack(async (site) => {
    const lines = ["Sec-Fetch-Site: cross-site"];
    const { body } = await sendForm(site, "/logout", lines);
    assert(!body.includes("susan"));
    const request = { method: "POST", target: "/logout", headers: lines };
    assertEquals((await site.send(request)).body, body);
  });
});
