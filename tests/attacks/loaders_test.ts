import { assertEquals } from "@std/assert";
import { Login, Session } from "../../mod.ts";
import { KEY, NOW } from "../_helpers.ts";
import { cookie, forge, payload } from "./_forge.ts";
import { attackHandler } from "./_site.ts";

/** What a database may find by the id that an attacker's neighbour has. */
const FOUND: [what: string, found: unknown][] = [
  ["false", false],
  ["0", 0],
  ["an empty text", ""],
  ["a list", []],
  ["an object", {}],
  ["true", true],
  ["the id", "susan"],
  ["another user", { id: "david" }],
  ["a user of another spelling", { id: "Susan" }],
  ["a user whose id is a list", { id: ["susan"] }],
];

/** User ids that JSON can write and that are none. */
const NO_IDS = [
  "9007199254740993",
  "-9007199254740993",
  "1.5",
  "1e400",
  '["susan"]',
  "{}",
  "true",
  "null",
];

for (const [what, found] of FOUND) {
  Deno.test(`rule 20, loaders: Login takes ${what} for no user`, async () => {
    const handler = siteWith(() => found as User);
    const claims = payload({ _auth_time: NOW - 3600 });
    const headers = [cookie(await forge({ payload: claims }))];
    await attackHandler(handler, async (send) => {
      const { status } = await send({ headers });
      assertEquals(status, 302);
    });
  });
}

for (const id of NO_IDS) {
  Deno.test(`rule 21, numbers: Login takes ${id} for no user's id`, async () => {
    const handler = siteWith((id) => ({ id }));
    const text = payload().replace('"susan"', id);
    const headers = [cookie(await forge({ payload: text }))];
    await attackHandler(handler, async (send) => {
      const { status } = await send({ headers });
      assertEquals(status, 302);
    });
  });
}

for (const number of ["1e400", "-1e400", "[1e400]", '{"n":1e999}']) {
  Deno.test(`rule 21, numbers: Session takes no token that holds ${number}`, async () => {
    const session = newSession({ autoSave: true });
    const handler = session.wrap(async (request) =>
      Response.json(await session.get(request))
    );
    const token = await forge({ payload: `{"a":${number}}` });
    await attackHandler(handler, async (send) => {
      const answer = await send({ headers: [cookie(token)] });
      assertEquals([answer.status, answer.body], [200, "{}"]);
    });
  });
}

interface User {
  id: string | number;
}

function newSession(options?: { autoSave: boolean }): Session {
  return new Session({ secretKey: KEY, clock: () => NOW * 1000, ...options });
}

function siteWith(userLoader: (id: User["id"]) => User) {
  const login = new Login<User>(newSession(), { userLoader });
  return login.required(() => new Response("Secret"));
}
