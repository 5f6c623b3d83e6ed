import { assertEquals } from "@std/assert";
import { Session } from "../../mod.ts";
import { KEY, OTHER_KEY, payloadOf } from "../_helpers.ts";
import { rememberKey } from "../_login.ts";
import {
  cookie,
  forge,
  forgeRemember,
  OLD_KEY,
  payload,
  REMEMBER_HEADER,
} from "./_forge.ts";
import {
  attack,
  cookieAfter,
  cookiesSet,
  NOBODY,
  testRefusals,
  type TokenRow,
  whoIs,
} from "./_site.ts";

/** Remember-me cookies that log nobody in. */
const REMEMBERED: TokenRow[] = [
  ["garbage", () => "x"],
  ["an empty value", () => ""],
  ["a session token", () => forge()],
  ["a session token of its type", () => forge({ header: REMEMBER_HEADER })],
  [
    "a session token of its key",
    async () => forge({ key: await rememberKey() }),
  ],
  ["the session's key", () => forgeRemember({ key: KEY })],
  [
    "type JWT",
    () => forgeRemember({ header: '{"alg":"HS256","typ":"JWT"}' }),
  ],
  ["no type", () => forgeRemember({ header: '{"alg":"HS256"}' })],
  [
    "alg none",
    () => forgeRemember({ header: '{"alg":"none","typ":"remember+jwt"}' }),
  ],
  [
    "a key of another secret",
    async () => forgeRemember({ key: await rememberKey(OTHER_KEY) }),
  ],
  ["a token behind a token", async () => `${await forgeRemember()}.x`],
];

/** Session cookies that were made for something else. */
const SESSIONS: TokenRow[] = [
  ["a remember token in it", () => forgeRemember()],
  [
    "a remember token that says what a session says",
    () => forgeRemember({ payload: payload() }),
  ],
  [
    "the key of remember tokens",
    async () => forge({ key: await rememberKey() }),
  ],
  ["the type of remember tokens", () => forge({ header: REMEMBER_HEADER })],
  ["a Fernet token of the key in it", () => {
    const session = new Session({ secretKey: KEY, backend: "fernet" });
    return session.encode(JSON.parse(payload()));
  }],
];

function remembered(...tokens: string[]): string {
  return `Cookie: ${tokens.map((token) => `_remember=${token}`).join("; ")}`;
}

testRefusals("rule 4, a key per purpose", SESSIONS);

Deno.test("rule 4, a key per purpose: Login knows the sender of a good remember cookie", async () => {
  await attack(async (site) => {
    const header = remembered(await forgeRemember());
    assertEquals((await whoIs(site, header)).user, "susan");
  });
});

for (const [what, token] of REMEMBERED) {
  Deno.test(`rule 4, a key per purpose: Login remembers nobody by a cookie with ${what}`, async () => {
    await attack(async (site) => {
      assertEquals(await whoIs(site, remembered(await token())), NOBODY);
    });
  });
}

Deno.test("rule 4, a key per purpose: Login never takes a remember cookie for a fresh login", async () => {
  await attack(async (site) => {
    const target = "/fresh";
    const claims = { ...payloadOf(await forgeRemember()), _fresh: true };
    const token = await forgeRemember({ payload: JSON.stringify(claims) });
    const answer = await site.send({ target, headers: [remembered(token)] });
    const location = answer.headers.get("Location");
    assertEquals([answer.status, location], [302, "/login?next=%2Ffresh"]);
    // Nor the session that it made.
    assertEquals(cookiesSet(answer).length, 2);
    const headers = [cookieAfter(answer)];
    assertEquals((await site.send({ target, headers })).status, 302);
    const good = await site.send({ target, headers: [cookie(await forge())] });
    assertEquals([good.status, good.body], [200, "fresh"]);
  });
});

Deno.test("rule 5, rotation: Session reads a token of the key before, not of a retired one", async () => {
  await attack(async (site) => {
    const old = await forge({ key: OLD_KEY });
    assertEquals((await whoIs(site, cookie(old))).user, "susan");
    const retired = await forge({
      key: "the retired secret of these tests, 32+",
    });
    assertEquals(await whoIs(site, cookie(retired)), NOBODY);
  });
});

Deno.test("rule 5, rotation: Session saves what the key before signed under the first key", async () => {
  await attack(async (site) => {
    const headers = [cookie(await forge({ key: OLD_KEY })), "Stash: 1"];
    const answer = await site.send({ target: "/stash", headers });
    const [token] = cookiesSet(answer)[0].slice("session=".length).split(";");
    assertEquals((await site.session.decode(token, KEY)).stash, "x");
    assertEquals(await site.session.decode(token, OLD_KEY), {});
  });
});

Deno.test("rule 9, several cookies: Login remembers nobody by two good cookies", async () => {
  const david = JSON.stringify({
    ...payloadOf(await forgeRemember()),
    user_id: "david",
    stamp: "d1",
  });
  const tokens = [
    await forgeRemember(),
    await forgeRemember({ payload: david }),
  ];
  await attack(async (site) => {
    assertEquals(await whoIs(site, remembered(...tokens)), NOBODY);
    assertEquals((await whoIs(site, remembered(tokens[1]))).user, "david");
  });
});
