import { assertEquals, assertStringIncludes } from "@std/assert";
import { NOW } from "../_helpers.ts";
import { cookie, forge, forgeDavid, payload } from "./_forge.ts";
import { attack, cookieAfter, whoIs } from "./_site.ts";

/** What makes a login of susan's, where somebody takes it for one. */
const FACTS: Record<string, unknown> = {
  _user_id: "susan",
  _fresh: true,
  _auth_time: NOW,
  _stamp: "s1",
  _saved: NOW,
  _started: NOW,
  _cookie: "session",
  _states: { "a state of one's own": NOW + 600 },
  exp: NOW + 3e7,
};

/** Bodies that a handler copies into the session without a look. */
const BODIES: [what: string, body: Record<string, unknown>][] = [
  ...Object.entries(FACTS).map(([name, value]): typeof BODIES[number] => [
    name,
    { [name]: value },
  ]),
  ["a whole login", FACTS],
  ["a login beside data", { name: "susan", ...FACTS }],
];

const VISITORS: [
  who: string,
  cookie: () => Promise<string>,
  user: string | null,
][] = [
  ["nobody", () => Promise.resolve("Cookie: "), null],
  ["david", async () => cookie(await forgeDavid({ _fresh: false })), "david"],
  [
    "a remembered susan",
    async () => cookie(await forge({ payload: payload({ _fresh: false }) })),
    "susan",
  ],
];

for (const [what, body] of BODIES) {
  for (const [who, cookieOf, user] of VISITORS) {
    Deno.test(`rule 17, login facts: Session takes ${what} from no body of ${who}`, async () => {
      const headers = [await cookieOf()];
      await attack(async (site) => {
        const answer = await site.send({
          method: "POST",
          target: "/keep",
          headers,
          body: JSON.stringify(body),
        });
        assertEquals([answer.status, answer.headers.getSetCookie()], [400, []]);
        assertStringIncludes(answer.body, "is a claim of the token");
        assertEquals(await whoIs(site, ...headers), { user, data: {} });
      });
    });
  }
}

Deno.test("rule 17, login facts: Session keeps a login that is nested in data as data", async () => {
  await attack(async (site) => {
    const body = `{"__proto__":${JSON.stringify(FACTS)},"form":${
      JSON.stringify(FACTS)
    }}`;
    const headers = [cookie(await forgeDavid({ _fresh: false }))];
    const request = { method: "POST", target: "/keep", headers, body };
    const answer = await site.send(request);
    assertEquals(answer.status, 200);
    const after = [cookieAfter(answer)];
    const { user, data } = await whoIs(site, ...after);
    assertEquals([user, data.form], ["david", FACTS]);
    const fresh = await site.send({ target: "/fresh", headers: after });
    assertEquals(fresh.status, 302);
  });
});
