/** A check that answers neither yes nor no, wherever it stands: nobody is let in. */

import { assertEquals, assertRejects } from "@std/assert";
import type { GuardOptions } from "../../mod.ts";
import { Site, type User } from "../_login.ts";
import { secret } from "./_common.ts";

const NO_ANSWERS: unknown[] = ["no", 1, undefined, Promise.resolve("no")];

for (const answer of NO_ANSWERS) {
  const what = Deno.inspect(answer);

  Deno.test(`guards let nobody in where userChecker returns ${what}`, async () => {
    const userChecker = () => answer as boolean;
    const site = new Site({ login: { userChecker } });
    const browser = await site.loggedIn();
    const { login } = site;
    for (const page of [login.required(secret), login.fresh(secret)]) {
      await assertRejects(() => browser.get(page), TypeError, "true or false");
    }
  });

  Deno.test(`login.requireUser() lets nobody in where check or userChecker returns ${what}`, async () => {
    const check = () => answer as boolean;
    const sites: [login: object, options: GuardOptions<User>][] = [
      [{ userChecker: check }, {}],
      [{}, { check }],
      [{}, { check, location: "/stop" }],
    ];
    for (const [login, options] of sites) {
      const site = new Site({ login });
      const asked: Promise<unknown>[] = [];
      const page = site.session.wrap((request) => {
        asked.push(site.login.requireUser(request, options));
        return secret();
      });
      await (await site.loggedIn()).get(page);
      assertEquals(asked.length, 1);
      await assertRejects(() => asked[0], TypeError, "true or false");
    }
  });
}
