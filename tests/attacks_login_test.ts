import { assert, assertEquals } from "@std/assert";
import {
  attack,
  cookie,
  cookiesSet,
  forge,
  payload,
  type Site,
  TRUSTED,
  whoIs,
} from "./_attacks.ts";
import { forgeToken, KEY, NOW, OTHER_KEY } from "./_tokens.ts";

const DAY = 86_400;
const NOBODY = { user: null, data: {} };
const REMEMBER_HEADER = '{"alg":"HS256","typ":"remember+jwt"}';
const REMEMBERED = JSON.stringify({
  user_id: "susan",
  days: 30,
  stamp: "s1",
  iat: NOW,
  exp: NOW + 30 * DAY,
});

/** The key of remember-me tokens: HKDF-Expand of RFC 5869, one block. */
async function rememberKey(key = KEY): Promise<Uint8Array<ArrayBuffer>> {
  const [bytes, info] = [key, "denizen remember me\x01"].map((text) =>
    new TextEncoder().encode(text)
  );
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const hmacKey = await crypto.subtle.importKey("raw", bytes, hmac, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", hmacKey, info));
}

async function remember(changes: Record<string, unknown> = {}) {
  const text = JSON.stringify({ ...JSON.parse(REMEMBERED), ...changes });
  const key = await rememberKey();
  return await forgeToken({ header: REMEMBER_HEADER, payload: text, key });
}

/** Remember-me cookies that log nobody in. */
const FORGERIES: [what: string, token: () => Promise<string>][] = [
  ["garbage", () => Promise.resolve("x")],
  ["an empty value", () => Promise.resolve("")],
  ["a session token", () => forge()],
  ["a session token of its type", () => forge({ header: REMEMBER_HEADER })],
  [
    "the session's key",
    () => forgeToken({ header: REMEMBER_HEADER, payload: REMEMBERED }),
  ],
  [
    "type JWT",
    async () => forgeToken({ payload: REMEMBERED, key: await rememberKey() }),
  ],
  ["no type", async () => {
    const header = '{"alg":"HS256"}';
    const key = await rememberKey();
    return await forgeToken({ header, payload: REMEMBERED, key });
  }],
  ["alg none", async () => {
    const header = '{"alg":"none","typ":"remember+jwt"}';
    const key = await rememberKey();
    return await forgeToken({ header, payload: REMEMBERED, key });
  }],
  ["a key of another secret", async () => {
    const key = await rememberKey(OTHER_KEY);
    const header = REMEMBER_HEADER;
    return await forgeToken({ header, payload: REMEMBERED, key });
  }],
  ["exp now", () => remember({ exp: NOW })],
  ["no exp", () => remember({ exp: undefined })],
  ["exp as a string", () => remember({ exp: `${NOW + DAY}` })],
  ["iat 61 seconds ahead", () => remember({ iat: NOW + 61 })],
  ["401 days", () => remember({ days: 401 })],
  ["no days", () => remember({ days: undefined })],
  ["-1 day", () => remember({ days: -1 })],
  ["half a day", () => remember({ days: 0.5 })],
  ["days as a string", () => remember({ days: "30" })],
  ["no user id", () => remember({ user_id: undefined })],
  ["an array as user id", () => remember({ user_id: ["susan"] })],
  ["the id of nobody", () => remember({ user_id: "eve" })],
  ["an old security stamp", () => remember({ stamp: "s0" })],
  ["no security stamp", () => remember({ stamp: undefined })],
  ["an array as security stamp", () => remember({ stamp: ["s1"] })],
  ["a token behind a token", async () => `${await remember()}.x`],
];

Deno.test("Login knows the sender of a good remember cookie", async () => {
  await attack(async (site) => {
    const good = `Cookie: _remember=${await remember()}`;
    assertEquals((await whoIs(site, good)).user, "susan");
  });
});

for (const [what, token] of FORGERIES) {
  Deno.test(`Login remembers nobody by a cookie with ${what}`, async () => {
    await attack(async (site) => {
      const header = `Cookie: _remember=${await token()}`;
      assertEquals(await whoIs(site, header), NOBODY);
    });
  });
}

Deno.test("Login remembers nobody by two good cookies", async () => {
  const david = await remember({ user_id: "david", stamp: "d1" });
  await attack(async (site) => {
    const header = `Cookie: _remember=${await remember()}; _remember=${david}`;
    assertEquals(await whoIs(site, header), NOBODY);
  });
});

Deno.test("Session reads nothing from a remember token", async () => {
  await attack(async (site) => {
    const key = await rememberKey();
    const tokens = [
      await remember(),
      await remember(JSON.parse(payload())),
      await forge({ key }),
      await forge({ key, header: REMEMBER_HEADER }),
      await forge({ header: REMEMBER_HEADER }),
    ];
    for (const token of tokens) {
      assertEquals(await whoIs(site, cookie(token)), NOBODY);
    }
  });
});

Deno.test("Login never takes a remember cookie for a fresh login", async () => {
  await attack(async (site) => {
    const target = "/fresh";
    const remembered = await remember({ _fresh: true, _auth_time: NOW });
    const headers = [`Cookie: _remember=${remembered}`];
    const answer = await site.send({ target, headers });
    const location = answer.headers.get("Location");
    assertEquals([answer.status, location], [302, "/login?next=%2Ffresh"]);
    // Nor the session that it made.
    const made = cookiesSet(answer).map((line) => line.split(";")[0]);
    assertEquals(made.length, 2);
    const again = await site.send({ target, headers: [`Cookie: ${made[0]}`] });
    assertEquals(again.status, 302);
    const good = await site.send({ target, headers: [cookie(await forge())] });
    assertEquals([good.status, good.body], [200, "fresh"]);
  });
});

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
  Deno.test(`Login knows nobody by tokens it has verified once ${what}`, async () => {
    await attack(async (site) => {
      const session = cookie(await forge());
      const remembered = `Cookie: _remember=${await remember()}`;
      for (const header of [session, remembered, session, remembered]) {
        assertEquals((await whoIs(site, header)).user, "susan");
      }
      revoke(site);
      assertEquals((await whoIs(site, session)).user, null);
      assertEquals((await whoIs(site, remembered)).user, null);
    });
  });
}

Deno.test("Login makes a session that whoever planted the old one does not know", async () => {
  await attack(async (site) => {
    const planted = cookie(await forge({ payload: '{"planted":true}' }));
    const request = { method: "POST", target: "/login", headers: [planted] };
    const [line] = cookiesSet(await site.send(request));
    const { user, data } = await whoIs(site, `Cookie: ${line.split(";")[0]}`);
    assertEquals(user, "susan");
    assertEquals((data as { planted: boolean }).planted, true);
    assertEquals((await whoIs(site, planted)).user, null);
  });
});

const PASSES = true;
const FAILS = false;

/** Headers of a form that is posted, and whether it passes. */
const SENDERS: [headers: string[], outcome: boolean][] = [
  [[], PASSES],
  [["Sec-Fetch-Site: same-origin"], PASSES],
  [["Sec-Fetch-Site: none"], PASSES],
  [["Sec-Fetch-Site: same-site"], FAILS],
  [["Sec-Fetch-Site: cross-site"], FAILS],
  [["Sec-Fetch-Site: "], FAILS],
  [["Sec-Fetch-Site: Same-Origin"], FAILS],
  [["Sec-Fetch-Site: same-origin, cross-site"], FAILS],
  [["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"], FAILS],
  [["Sec-Fetch-Site: cross-site", "Origin: http://{host}"], FAILS],
  [["Sec-Fetch-Site: same-site", "Origin: null"], FAILS],
  [["Sec-Fetch-Site: cross-site", `Origin: ${TRUSTED}`], PASSES],
  [["Sec-Fetch-Site: same-site", `Origin: ${TRUSTED}`], PASSES],
  [["Sec-Fetch-Site: cross-site", `Origin: ${TRUSTED}.evil.example`], FAILS],
  [["Origin: http://{host}"], PASSES],
  [["Origin: https://{host}"], PASSES],
  [[`Origin: ${TRUSTED}`], PASSES],
  [["Origin: null"], FAILS],
  [["Origin: "], FAILS],
  [["Origin: evil"], FAILS],
  [["Origin: {host}"], FAILS],
  [["Origin: //{host}"], FAILS],
  [["Origin: HTTP://{host}"], FAILS],
  [["Origin: http://{host}/"], FAILS],
  [["Origin: http://{host}/path"], FAILS],
  [["Origin: http://{host}?"], FAILS],
  [["Origin: http://{host}@evil.example"], FAILS],
  [["Origin: http://evil.example@{host}"], FAILS],
  [["Origin: http://{host}.evil.example"], FAILS],
  [["Origin: http://evil.example"], FAILS],
  [["Origin: http://127.0.0.1"], FAILS],
  [["Origin: http://127.0.0.1:1"], FAILS],
  [["Origin: http://localhost"], FAILS],
  [["Origin: http://{host} http://evil.example"], FAILS],
  [["Origin: http://{host}, http://evil.example"], FAILS],
  [["Origin: http://{host}", "Origin: http://evil.example"], FAILS],
  [["Origin: http://evil.example", "X-Forwarded-Host: evil.example"], FAILS],
  [["Origin: http://evil.example", "Forwarded: host=evil.example"], FAILS],
  [["Origin: http://evil.example", "X-Original-Host: evil.example"], FAILS],
  [["Origin: http://evil.example", "Referer: http://{host}/"], FAILS],
  [["Origin: blob:http://{host}"], FAILS],
  [["Origin: file://"], FAILS],
  [["Origin: chrome-extension://abcdef"], FAILS],
  [["Origin: https://example.com"], FAILS],
  [["Origin: https://evil.app.example.com"], FAILS],
  [["Origin: https://evilapp.example.com"], FAILS],
  [["Origin: https://app.example.com:8443"], FAILS],
  [["Origin: https://app.example.com:443"], FAILS],
  [["Origin: https://app.example.com."], FAILS],
  [["Origin: http://app.example.com"], FAILS],
  [["Origin: https://APP.example.com"], FAILS],
];

for (const [headers, passes] of SENDERS) {
  const verb = passes ? "takes" : "refuses";
  Deno.test(`Login ${verb} a form with ${headers.join("; ") || "neither header"}`, async () => {
    await attack(async (site) => {
      const all = [cookie(await forge()), ...headers];
      for (const target of ["/login?remember", "/logout", "/form"]) {
        const request = { method: "POST", target, headers: all };
        const answer = await site.send(request);
        assertEquals(answer.status === 403, !passes, target);
        if (!passes) assertEquals(answer.headers.getSetCookie(), []);
      }
    });
  });
}

/** Methods, and whether a form of them may come from another origin. */
const METHODS: [method: string, isSafe: boolean][] = [
  ["GET", true],
  ["HEAD", true],
  ["OPTIONS", true],
  ["POST", false],
  ["PUT", false],
  ["PATCH", false],
  ["DELETE", false],
  ["TRACE", false],
  ["post", false],
  ["Post", false],
  ["get", false],
  ["Get", false],
  ["head", false],
  ["options", false],
  ["GETX", false],
  ["X-GET", false],
];

for (const [method, isSafe] of METHODS) {
  Deno.test(`Login refuses ${method} from another origin`, async () => {
    await attack(async (site) => {
      const headers = [cookie(await forge()), "Sec-Fetch-Site: cross-site"];
      for (const target of ["/login", "/logout"]) {
        const answer = await site.send({ method, target, headers });
        assertEquals(answer.status, 403);
        assertEquals(answer.headers.getSetCookie(), []);
      }
      const form = await site.send({ method, target: "/form", headers });
      assertEquals(form.status, isSafe ? 200 : 403);
    });
  });
}

Deno.test("Login refuses without a word of who is logged in", async () => {
  await attack(async (site) => {
    const bodies = await Promise.all([cookie(await forge()), "X: y"].map(
      async (header) => {
        const headers = [header, "Sec-Fetch-Site: cross-site"];
        const request = { method: "POST", target: "/logout", headers };
        return (await site.send(request)).body;
      },
    ));
    assert(!bodies[0].includes("susan"));
    assertEquals(bodies[0], bodies[1]);
  });
});
