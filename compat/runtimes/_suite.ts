/**
 * What the module does, whatever it runs on: web APIs alone, no server.
 *
 * @module
 */

import {
  flash,
  generateSecretKey,
  isCrossOrigin,
  Login,
  redirect,
  safeNextPath,
  Session,
  type SessionOptions,
  takeFlashes,
  withSession,
} from "@denizen/session";
import { fernetBackend } from "@denizen/session/fernet";
import {
  hashPassword,
  needsRehash,
  verifyPassword,
} from "@denizen/session/passwords";
import { type SessionStore, storeBackend } from "@denizen/session/store";
import { storeTests, TestClient } from "@denizen/session/testing";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

interface Data {
  n: number;
  text: string;
}

interface User {
  id: number;
  stamp: string;
}

const KEY = "correct horse battery staple, and a pony";
const ORIGIN = "http://localhost";
const MINUTE = 60;

/** A site with a clock of its own. */
function makeSite(options?: SessionOptions) {
  let now = 1_700_000_000_000;
  const clock = () => now;
  const susan: User = { id: 1, stamp: "s1" };
  const session = new Session<Data>({ secretKey: KEY, clock, ...options });
  const login = new Login<User>(session, {
    userLoader: (id) => id === susan.id ? susan : null,
    securityStamp: ({ stamp }) => stamp,
    requestLoader: ({ headers }) =>
      headers.get("Authorization") === "Bearer good" ? susan : null,
  });
  const client = (handler: (request: Request) => Promise<Response>) =>
    new TestClient<User>(handler, { login, clock });
  const count = client(withSession(session, (_request, dict) => {
    dict.n = (dict.n ?? 0) + 1;
    dict.save();
    return Response.json(dict.n);
  }));
  const home = client(login.required((_request, { id }) => Response.json(id)));
  const advance = (seconds: number) => void (now += seconds * 1000);
  return { session, login, susan, client, count, home, advance };
}

/** A visitor who comes with this cookie. */
function visit(cookie: string, url = `${ORIGIN}/`): Request {
  return new Request(url, { headers: { Cookie: cookie } });
}

async function dataOf(
  session: Session<Data>,
  value: string,
): Promise<Record<string, unknown>> {
  return { ...await session.get(visit(`session=${value}`)) };
}

function memoryStore(): SessionStore {
  const records = new Map<string, { text: string; user?: string }>();
  return {
    get: (key) => records.get(key)?.text ?? null,
    set: (key, { text, user }) => void records.set(key, { text, user }),
    replace(key, { text, user }, expected) {
      const present = records.get(key)?.text;
      if (present === undefined) return false;
      if (present !== (expected ?? present)) return false;
      records.set(key, { text, user });
      return true;
    },
    delete: (key) => void records.delete(key),
    keysOf: (user) =>
      [...records.keys()].filter((key) => records.get(key)?.user === user),
  };
}

/** Waits until the runtime has done all that it can do by now. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

const CHECKS: Record<string, () => void | Promise<void>> = {
  "a session counts visits": async () => {
    const { count } = makeSite();
    assertEquals(await (await count.get("/")).json(), 1);
    const response = await count.get("/");
    assertEquals(await response.json(), 2);
    assertEquals(response.headers.get("Vary"), "Cookie");
    assertEquals(response.headers.get("Cache-Control"), "no-store");
    const type = response.headers.get("Content-Type");
    assert(type?.startsWith("application/json"), `${type}`);
  },
  "a page that only reads sets no cookie": async () => {
    const { session } = makeSite();
    const handler = withSession(
      session,
      (_request, dict) => Response.json({ ...dict }),
    );
    const response = await handler(visit("session=garbage; other=1"));
    assertEquals(await response.json(), {});
    assertEquals(response.headers.getSetCookie(), []);
  },
  "an unread session leaves a response as it is": async () => {
    const response = new Response("text");
    const handler = makeSite().session.wrap(() => response);
    assert(await handler(visit("session=x")) === response);
    assertEquals(response.headers.get("Vary"), null);
  },
  "delete() removes the cookie": async () => {
    const { session, client, count } = makeSite();
    await count.get("/");
    const end = client(withSession(session, (_request, dict) => {
      dict.delete();
      return new Response();
    }));
    const [line] = (await end.get("/")).headers.getSetCookie();
    assert(line.includes("Max-Age=0"), line);
  },
  "autoSave sees nested changes": async () => {
    const session = new Session<{ list: { n: number }[] }>({
      secretKey: KEY,
      autoSave: true,
    });
    const client = new TestClient(withSession(session, (_request, dict) => {
      dict.list ??= [{ n: 0 }];
      dict.list[0].n++;
      return Response.json(dict.list);
    }));
    await client.get("/");
    assertEquals(await (await client.get("/")).json(), [{ n: 2 }]);
  },
  "a session is renewed past half of its life, and ends": async () => {
    const { session, count, client, advance } = makeSite({ maxAge: 100 });
    await count.get("/");
    const read = client(
      withSession(session, (_request, dict) => Response.json(dict.n ?? 0)),
    );
    read.cookies.keep(
      new URL(ORIGIN),
      new Headers({ "Set-Cookie": count.cookies.headerFor(new URL(ORIGIN)) }),
    );
    advance(60);
    const renewed = await read.get("/");
    assertEquals(renewed.headers.getSetCookie().length, 1);
    advance(60);
    assertEquals(await (await read.get("/")).json(), 1);
    advance(100);
    assertEquals(await (await read.get("/")).json(), 0);
  },
  "absoluteMaxAge ends a session that is in use": async () => {
    const { count, advance } = makeSite({ absoluteMaxAge: 100 });
    await count.get("/");
    advance(60);
    assertEquals(await (await count.get("/")).json(), 2);
    advance(60);
    assertEquals(await (await count.get("/")).json(), 1);
  },
  "cookies have the attributes that they should": async () => {
    const cases: [string, SessionOptions, string[]][] = [
      [ORIGIN, {}, ["HttpOnly", "SameSite=Lax", "Path=/"]],
      ["https://example.com", {}, ["Secure", "HttpOnly"]],
      [ORIGIN, { cookieName: "__Host-session" }, ["Secure", "Path=/"]],
      [ORIGIN, { cookieOptions: { maxAge: 60 } }, ["Max-Age=60"]],
    ];
    for (const [origin, options, expected] of cases) {
      const session = new Session({ secretKey: KEY, ...options });
      const handler = withSession(session, (_request, dict) => {
        dict.save();
        return new Response();
      });
      const response = await handler(new Request(origin));
      const attributes = response.headers.getSetCookie()[0].split("; ");
      for (const one of expected) assert(attributes.includes(one), one);
    }
  },
  "tokens are the same on every runtime": async () => {
    // Made by PyJWT.
    const token =
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjo3LCJuYW1lIjoiU3VzYW4iLCJ2aXNpdHMiOjN9.oVU59WS11TCddG1xA9MQeOkn_XuVAkD8XRSqsxm731w";
    const payload = { user_id: 7, name: "Susan", visits: 3 };
    const { session } = makeSite();
    assertEquals(await session.encode(payload), token);
    assertEquals(await session.decode(token), payload);
  },
  "a token that was tampered with is no session": async () => {
    const { session } = makeSite();
    const token = await session.encode({ n: 1 });
    const [header, payload, mac] = token.split(".");
    const forged = btoa('{"n":2}').replaceAll("=", "");
    const none = btoa('{"alg":"none"}').replaceAll("=", "");
    const last = mac.at(-1) === "A" ? "E" : "A";
    assertEquals(await dataOf(session, token), { n: 1 });
    for (
      const value of [
        `${header}.${forged}.${mac}`,
        `${none}.${payload}.`,
        `${token.slice(0, -1)}${last}`,
        `${token}=`,
        `${token}.`,
        token.slice(0, -1),
        `${header}.${payload}`,
        "",
        "é",
        "x".repeat(5000),
      ]
    ) {
      assertEquals(await session.decode(value), {}, value);
    }
  },
  "several cookies of the name are none": async () => {
    const { session } = makeSite();
    const [a, b] = [
      await session.encode({ n: 1 }),
      await session.encode({ n: 2 }),
    ];
    const of = async (cookie: string): Promise<unknown> => ({
      ...await session.get(visit(cookie)),
    });
    assertEquals(await of(`session=${a}; session=${b}`), {});
    assertEquals(await of(`session=x; session=${b}`), { n: 2 });
    assertEquals(await of(`;; =; session = ${b} ;`), { n: 2 });
  },
  "keys are rotated": async () => {
    const old = new Session({ secretKey: "o".repeat(32) });
    const token = await old.encode({ n: 1 });
    const secretKey = [KEY, "o".repeat(32)];
    const session = new Session<Data>({ secretKey });
    assertEquals(await dataOf(session, token), { n: 1 });
    assertEquals(
      await dataOf(new Session<Data>({ secretKey: KEY }), token),
      {},
    );
  },
  "a CryptoKey and bytes are keys": async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, [
      "sign",
      "verify",
    ]);
    const token = await new Session({ secretKey: key }).encode({ n: 1 });
    const session = new Session<Data>({ secretKey: bytes });
    assertEquals(await session.decode(token), { n: 1 });
  },
  "a session of another name is refused": async () => {
    const shop = makeSite();
    await shop.count.get("/");
    const value = shop.count.cookies.get("session");
    const admin = new Session({ secretKey: KEY, cookieName: "admin" });
    assertEquals({ ...await admin.get(visit(`admin=${value}`)) }, {});
  },
  "what a cookie can't hold is an error": async () => {
    const { session } = makeSite();
    const save = (data: object) =>
      withSession(session, (_request, dict) => {
        Object.assign(dict, data);
        dict.save();
        return new Response();
      })(visit(""));
    await assertRejects(() => save({ text: "x".repeat(5000) }), RangeError);
    await assertRejects(() => save({ at: new Date() }), TypeError);
    await assertRejects(() => save({ _user_id: 7 }), TypeError);
    await assertRejects(() => save({ n: NaN }), TypeError);
  },
  "a save that nothing would send is an error": async () => {
    const { session } = makeSite();
    const dict = await session.get(visit(""));
    assertThrows(() => dict.save(), TypeError);
    await session.wrap(async (request) => {
      const copy = await session.get(new Request(request));
      assertThrows(() => copy.save(), TypeError);
      const shared = session.share(request, new Request(request));
      await (await session.get(shared)).save();
      return new Response();
    })(visit(""));
  },
  "a save after the response has left rejects, and ends nothing": async () => {
    const { session } = makeSite();
    const { error } = console;
    let logged = 0;
    console.error = () => void logged++;
    const late = withSession(session, (_request, dict) => {
      setTimeout(() => dict.save());
      return new Response();
    });
    await late(visit(""));
    await pause();
    await pause();
    console.error = error;
    assertEquals(logged, 1);
  },
  "an error saves nothing, a thrown Response is an answer": async () => {
    const { session } = makeSite();
    const handler = withSession(session, (request, dict) => {
      dict.save();
      throw request.url.endsWith("/error")
        ? new Error("broken")
        : new Response("stop", { status: 409 });
    });
    await assertRejects(async () =>
      await handler(visit("", `${ORIGIN}/error`))
    );
    const response = await handler(visit(""));
    assertEquals(response.status, 409);
    assertEquals(response.headers.getSetCookie().length, 1);
  },
  "any response carries the session": async () => {
    const { session } = makeSite();
    const kept = new Response(null, { status: 204 });
    const responses = [
      () => Response.redirect(`${ORIGIN}/there`, 303),
      () => new Response(null, { status: 204 }),
      () => kept,
      () => new Response("text", { headers: { "Content-Type": "text/html" } }),
      () => new Response(new Blob(["blob"]).stream()),
      () => Response.json({}),
    ];
    for (const make of responses) {
      const handler = withSession(session, (_request, dict) => {
        dict.save();
        return make();
      });
      const { status, headers } = await handler(visit(""));
      assertEquals(status, make().status);
      const names = headers.getSetCookie().map((line) => line.split("=")[0]);
      assertEquals(names, ["session"]);
    }
    assertEquals(kept.headers.getSetCookie(), []);
  },
  "open() and commit() do what a wrapper does": async () => {
    const { session } = makeSite();
    const request = visit("");
    const dict = await session.open(request);
    dict.n = 1;
    dict.save();
    const response = await session.commit(request, new Response("text"));
    assertEquals(response.headers.getSetCookie().length, 1);
  },
  "fernet tokens are Python's": async () => {
    // Test vectors of the Fernet specification.
    const secretKey = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const token =
      "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
    const clock = () => 499_162_800_000;
    const backend = fernetBackend({ secretKey, maxAge: MINUTE, clock });
    // It holds "hello", which is no session.
    assertEquals(await backend.load(token), null);
    const session = new Session<Data>({ backend: "fernet", secretKey });
    const value = await session.encode({ n: 1 });
    assertEquals(await session.decode(value), { n: 1 });
    assert(!value.includes(btoa('{"n":1}').slice(0, 6)));
    const [first, ...rest] = [...value].reverse();
    const forged = [first, rest[0] === "A" ? "B" : "A", ...rest.slice(1)];
    assertEquals(await session.decode(forged.reverse().join("")), {});
  },
  "fernet takes keys of other lengths": async () => {
    for (const secretKey of ["k".repeat(32), "k".repeat(60)]) {
      const session = new Session({ backend: "fernet", secretKey });
      const value = await session.encode({ n: 1 });
      assertEquals(await session.decode(value), { n: 1 });
    }
  },
  "base64 is Muffin's, and no login trusts it": async () => {
    const session = new Session({ backend: "base64" });
    assertEquals(await session.encode({ n: 1 }), btoa('{"n":1}'));
    assertThrows(() => new Login(session), TypeError);
  },
  "a store keeps sessions, and ends them": async () => {
    const backend = storeBackend(memoryStore());
    const { home, susan } = makeSite({ backend });
    await home.loginAs(susan);
    assertEquals((await home.get("/")).status, 200);
    await backend.removeUser(1);
    assertEquals((await home.get("/")).status, 302);
  },
  "a store's tests run": async () => {
    for (const { run } of storeTests(() => ({ store: memoryStore() }))) {
      await run();
    }
  },
  "the sessions of a user are listed": async () => {
    const backend = storeBackend(memoryStore());
    const { login, session, susan } = makeSite({ backend });
    const list = session.wrap(async (request) =>
      Response.json((await login.sessions(request)).map((one) => one.isCurrent))
    );
    const [phone, laptop] = [1, 2].map(() =>
      new TestClient<User>(list, { login })
    );
    await phone.loginAs(susan);
    await laptop.loginAs(susan);
    const found = await (await laptop.get("/")).json();
    assertEquals(found.sort(), [false, true]);
  },
  "a user logs in and out": async () => {
    const { session, login, susan, client } = makeSite();
    const site = client(session.wrap(async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/login") {
        return await login.loginUser(request, susan, { redirectUrl: "/x" });
      }
      if (pathname === "/logout") return await login.logoutUser(request);
      return Response.json(await login.getCurrentUser(request));
    }));
    assertEquals(await (await site.get("/")).json(), null);
    const response = await site.post("/login");
    assertEquals(response.headers.get("Location"), "/x");
    assertEquals(await (await site.get("/")).json(), { ...susan });
    await site.post("/logout");
    assertEquals(await (await site.get("/")).json(), null);
  },
  "guards answer pages and scripts": async () => {
    const { home, login, client, susan } = makeSite();
    const page = await home.get("/page?x=1");
    assertEquals(page.headers.get("Location"), "/login?next=%2Fpage%3Fx%3D1");
    const script = await home.fetch("/", { headers: { Accept: "*/*" } });
    assertEquals(script.status, 401);
    assertEquals(
      script.headers.get("Content-Type"),
      "application/problem+json",
    );
    const never = client(
      login.required(() => new Response(), { check: () => false }),
    );
    await never.loginAs(susan);
    assertEquals((await never.get("/")).status, 403);
  },
  "a guard's own page is sent to all": async () => {
    const { login } = makeSite();
    const location = new Response("Members only", { status: 403 });
    const handler = login.required(() => new Response(), { location });
    for (let i = 0; i < 3; i++) {
      const response = await handler(visit(""));
      assertEquals(response.status, 403);
      assertEquals(await response.text(), "Members only");
    }
  },
  "requireUser() throws an answer": async () => {
    const { session, login } = makeSite();
    const handler = session.wrap(async (request) => {
      return Response.json(await login.requireUser(request));
    });
    assertEquals((await handler(visit(""))).status, 302);
  },
  "fresh demands a password, not too long ago": async () => {
    const { login, client, susan, advance } = makeSite();
    const handler = login.fresh(() => new Response("fresh"), { maxAge: 60 });
    const site = client(handler);
    await site.loginAs(susan);
    assertEquals((await site.get("/")).status, 200);
    advance(61);
    assertEquals((await site.get("/")).status, 302);
    await site.loginAs(susan, { fresh: false });
    assertEquals((await site.get("/")).status, 302);
  },
  "remember me logs in, not fresh": async () => {
    const { home, login, session, susan, advance } = makeSite();
    await home.loginAs(susan, { remember: true });
    home.cookies.delete("session");
    advance(29 * 86_400);
    assertEquals((await home.get("/")).status, 200);
    const cookie = home.cookies.headerFor(new URL(ORIGIN));
    const handler = session.wrap(async (request) =>
      Response.json(await login.isFresh(request))
    );
    assertEquals(await (await handler(visit(cookie))).json(), false);
    home.cookies.delete("session");
    advance(31 * 86_400);
    assertEquals((await home.get("/")).status, 302);
  },
  "a security stamp ends all logins": async () => {
    const { home, susan } = makeSite();
    await home.loginAs(susan, { remember: true });
    susan.stamp = "s2";
    assertEquals((await home.get("/")).status, 302);
    assertEquals(home.cookies.headerFor(new URL(ORIGIN)), "");
  },
  "a bearer token logs in": async () => {
    const { home } = makeSite();
    for (const [token, status] of [["good", 200], ["bad", 401]] as const) {
      const headers = { Authorization: `Bearer ${token}` };
      assertEquals((await home.fetch("/", { headers })).status, status);
    }
  },
  "logins of other sites are refused": async () => {
    const { login, susan } = makeSite();
    for (
      const [headers, status] of [
        [{ "Sec-Fetch-Site": "same-origin" }, 302],
        [{ "Sec-Fetch-Site": "cross-site" }, 403],
        [{ Origin: "https://evil.example", Host: "localhost" }, 403],
        [{}, 302],
      ] as const
    ) {
      const request = new Request(ORIGIN, { method: "POST", headers });
      assertEquals((await login.loginUser(request, susan)).status, status);
      assertEquals(isCrossOrigin(request), status === 403);
    }
  },
  "a state lets a login in that another site sends": async () => {
    const { session, login, susan, client } = makeSite();
    const site = client(session.wrap(async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/state") {
        return new Response(await login.createState(request));
      }
      const state = searchParams.get("state");
      return await login.loginUser(request, susan, { state });
    }));
    const state = await (await site.get("/state")).text();
    const headers = { "Sec-Fetch-Site": "cross-site" };
    const back = () => site.get(`/back?state=${state}`, headers);
    assertEquals((await back()).status, 302);
    assertEquals((await back()).status, 403);
  },
  "a link's token finds its user, for one purpose and time": async () => {
    const { login, susan, advance } = makeSite();
    const token = await login.createToken(susan, "reset", { maxAge: 60 });
    assertEquals((await login.verifyToken(token, "reset"))?.id, 1);
    assertEquals(await login.verifyToken(token, "other"), null);
    assertEquals(await login.verifyToken(`${token}x`, "reset"), null);
    advance(60);
    assertEquals(await login.verifyToken(token, "reset"), null);
  },
  "regenerate() makes a new id": async () => {
    const backend = storeBackend(memoryStore());
    const { session, count, client } = makeSite({ backend });
    await count.get("/");
    const before = count.cookies.get("session");
    const site = client(session.wrap(async (request) => {
      await session.regenerate(request);
      return new Response();
    }));
    site.cookies.keep(
      new URL(ORIGIN),
      new Headers({ "Set-Cookie": `session=${before}` }),
    );
    await site.get("/");
    assert(site.cookies.get("session") !== before);
    assertEquals(await dataOf(session, `${before}`), {});
  },
  "only paths of this site are safe": () => {
    for (const next of ["/ok?x=//e", "/a%2Fb", "/?q=1#h"]) {
      assertEquals(safeNextPath(next), next);
    }
    for (
      const next of [
        "//e",
        "/\\e",
        "/\t/e",
        " //e",
        "https:e",
        "/..//e",
        "/.//e",
        "\ud800",
      ]
    ) {
      assertEquals(safeNextPath(next), "/");
    }
  },
  "redirect() takes any text": () => {
    const response = redirect("/zoë?x=\n", 303);
    assertEquals(response.status, 303);
    assertEquals(response.headers.get("Location"), "/zo%C3%AB?x=%0A");
  },
  "flashes are shown once": async () => {
    const { session, client } = makeSite();
    const site = client(withSession(session, (request, dict) => {
      if (request.method === "GET") return Response.json(takeFlashes(dict));
      flash(dict, "Saved", "success");
      return redirect("/");
    }));
    await site.post("/");
    const flashes = await (await site.get("/")).json();
    assertEquals(flashes, [{ text: "Saved", category: "success" }]);
    assertEquals(await (await site.get("/")).json(), []);
  },
  "generateSecretKey() makes keys": () => {
    assert(/^[\w-]{43}$/.test(generateSecretKey()));
    assert(generateSecretKey() !== generateSecretKey());
  },
  "hashes of others are verified": async () => {
    // As Werkzeug makes them, with few rounds.
    const hash =
      "pbkdf2:sha256:1000$salt$6e8453a042a842bdb62de0d3c870ec1241e90ec0ce4f2589ab5e87927122c1e5";
    assert(await verifyPassword("correct horse", hash));
    assertEquals(await verifyPassword("wrong", hash), false);
    assert(needsRehash(hash));
    assertEquals(await verifyPassword("x".repeat(2000), hash), false);
  },
  "passwords are hashed": async () => {
    const hash = await hashPassword("correct horse");
    assert(await verifyPassword("correct horse", hash));
    assertEquals(await verifyPassword("wrong", hash), false);
    assertEquals(await verifyPassword("correct horse", undefined), false);
    assertEquals(needsRehash(hash), false);
  },
  "a log shows no key": () => {
    const session = new Session({ secretKey: KEY });
    assert(!JSON.stringify(session).includes(KEY));
    assert(!String(session).includes(KEY));
  },
};

/** The names of all checks. */
export const NAMES: readonly string[] = Object.keys(CHECKS);

/** Runs a check; tells what has failed, if anything. */
export async function runCheck(name: string): Promise<string | null> {
  try {
    await CHECKS[name]();
    return null;
  } catch (error) {
    return error instanceof Error ? `${error}\n${error.stack}` : `${error}`;
  }
}
