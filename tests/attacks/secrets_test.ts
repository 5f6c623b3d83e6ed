import { assert, assertEquals } from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import { KEY, OTHER_KEY } from "../_helpers.ts";
import { cookie, forge, forgeRemember, OLD_KEY, payload } from "./_forge.ts";
import { attack, type RawRequest } from "./_site.ts";

const PLANTED = "planted-value";

/** Requests that the site refuses, and says so. */
const REQUESTS: [what: string, status: number, request: RawRequest][] = [
  ["data that are too long", 400, {
    target: "/stash",
    headers: ["Stash: 4000"],
  }],
  ["a claim as data", 400, { target: "/keep", body: `{"exp":"${PLANTED}"}` }],
  ["a method as data", 400, { target: "/keep", body: `{"save":"${PLANTED}"}` }],
  ["a login from elsewhere", 403, {
    target: "/login",
    headers: ["Origin: null"],
  }],
  ["a logout from elsewhere", 403, {
    target: "/logout",
    headers: ["Origin: null", "Sec-Fetch-Mode: cors"],
  }],
  ["a token that is not fresh", 302, { target: "/fresh" }],
  ["a host that is none", 302, { target: "/fresh", host: "a b" }],
  ["a script that must log in", 401, {
    target: "/fresh",
    headers: ["Sec-Fetch-Mode: cors"],
  }],
];

for (const [what, status, { headers = [], ...request }] of REQUESTS) {
  Deno.test(`rule 7, secrets: a site answers ${what} without a secret`, async () => {
    const note = { note: PLANTED, _fresh: false };
    const session = await forge({ payload: payload(note) });
    const forged = await forge({ payload: payload(note), key: OTHER_KEY });
    const remembered = await forgeRemember();
    const cookies = `${cookie(session, forged)}; _remember=${remembered}`;
    await attack(async (site) => {
      const answer = await site.send({
        method: request.body === undefined ? "GET" : "POST",
        headers: [cookies, ...headers],
        ...request,
      });
      assertEquals(answer.status, status);
      const told = [...answer.headers].flat().concat(answer.body).join("\n");
      for (const secret of [PLANTED, "susan", KEY, OLD_KEY]) {
        assert(!told.includes(secret), told);
      }
      // As every token begins, those that the site made just now as well.
      assert(!told.includes(encodeBase64Url('{"alg"').slice(0, -1)), told);
      for (const token of [session, forged, remembered]) {
        assert(!told.includes(token.split(".")[2]), told);
      }
    });
  });
}
