import { assertEquals } from "@std/assert";
import { NOW, OTHER_KEY } from "../_helpers.ts";
import { DAY } from "../_login.ts";
import { cookie, forge, forgeDavid, forgeRemember, payload } from "./_forge.ts";
import { attack, cookieAfter, type Site, whoIs } from "./_site.ts";

/** What ends a login that the server has verified and remembers. */
const REVOCATIONS: [what: string, revoke: (site: Site) => void][] = [
  ["the security stamp changed", ({ users }) => {
    users.set("susan", { id: "susan", stamp: "s2" });
  }],
  ["the user is gone", ({ users }) => void users.delete("susan")],
  ["exp came", (site) => site.now = NOW + 30 * DAY],
  ["the clock was set back", (site) => site.now = NOW - 61],
  ["the key was retired", (site) => {
    site.session.secretKey = OTHER_KEY;
    site.key = OTHER_KEY;
  }],
];

for (const [what, revoke] of REVOCATIONS) {
  Deno.test(`cache: Login knows nobody by tokens it has verified once ${what}`, async () => {
    await attack(async (site) => {
      const token = await forge({
        payload: payload({ iat: NOW, _auth_time: NOW - DAY }),
      });
      const remembered = `Cookie: _remember=${await forgeRemember()}`;
      const headers = [cookie(token), remembered];
      for (const header of [...headers, ...headers]) {
        assertEquals((await whoIs(site, header)).user, "susan");
      }
      revoke(site);
      for (const header of headers) {
        assertEquals((await whoIs(site, header)).user, null);
      }
    });
  });
}

Deno.test("cache: Session never sets a cookie for another visitor", async () => {
  const tokens = [await forgeDavid(), await forge()];
  await attack(async (site) => {
    const seen = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const headers = [cookie(tokens[index % 2]), `Stash: ${index}`];
        const answer = await site.send({ target: "/stash", headers });
        const { user, data } = await whoIs(site, cookieAfter(answer));
        return [user, String(data.stash).length];
      }),
    );
    seen.forEach((one, index) => {
      assertEquals(one, [index % 2 ? "susan" : "david", index]);
    });
  });
});
