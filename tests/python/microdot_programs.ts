/**
 * One session of ours and of Microdot's: what `microdot.session` and
 * `microdot.login` are documented to do, by the real PyJWT.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Login, type Payload, Session, withSession } from "../../mod.ts";
import { cookieSetBy, KEY, lineOf, requestWith } from "../_helpers.ts";
import { hasPython, runPython } from "../_processes.ts";

interface User {
  id: number;
}

/** What a request to the Python service does with its session. */
type Step =
  /** `session.update(data)`, `session.save()`. */
  | { save: Payload }
  /** `login_user`, which leaves all else. */
  | { login: number }
  /** `logout_user`, which leaves all else. */
  | { logout: true }
  /** `_update_remember_cookie`. */
  | { remember: number };

const MICRODOT = `
import json, sys, time, jwt

token, key, step = json.loads(sys.argv[1])
try:
    session = jwt.decode(token, key, algorithms=["HS256"]) if token else {}
except jwt.exceptions.PyJWTError:
    session = {}
seen = dict(session)
session.update(step.get("save", {}))
if "login" in step:
    session.update(_user_id=step["login"], _fresh=True)
if "logout" in step:
    session.pop("_user_id", None)
    session.pop("_fresh", None)
if "remember" in step:
    days = 30
    session = dict(user_id=step["remember"], days=days,
                   exp=time.time() + days * 24 * 60 * 60)
print(json.dumps([seen, jwt.encode(session, key, algorithm="HS256")]))
`;

const MUFFIN = `
import base64, json, sys, jwt
from cryptography.fernet import Fernet

token, key, secrets = json.loads(sys.argv[1])
try:
    read = jwt.decode(token, key, algorithms=["HS256"])
except jwt.DecodeError:
    read = {}
except jwt.InvalidTokenError as error:
    read = type(error).__name__

def fernet_of(secret):
    if len(secret) != 32:
        secret = secret[:32]
        secret += "=" * (32 - len(secret) % 32)
    return Fernet(base64.urlsafe_b64encode(secret.encode()))

tokens = []
for secret in secrets:
    try:
        tokens.append(fernet_of(secret).encrypt(b'{"id": 7}').decode())
    except ValueError as error:
        tokens.append(None)
print(json.dumps([read, tokens]))
`;

const ignore = !await hasPython("jwt");

/** Lets the Python service answer a request; tells what it saw, and sends. */
async function visit(
  token: string,
  step: Step,
): Promise<[seen: Payload, token: string]> {
  return await runPython(MICRODOT, [token, KEY, step]) as [Payload, string];
}

function makeSite(clock?: () => number) {
  const session = new Session({ secretKey: KEY, clock });
  const login = new Login<User>(session, {
    userLoader: (id) => id === 1 ? { id } : null,
  });
  const home = login.required((_request, { id }) => Response.json(id));
  const count = withSession(session, (_request, dict) => {
    dict.n = (dict.n ?? 0) + 1;
    dict.save();
    return Response.json({ ...dict });
  });
  return { session, login, home, count };
}

/** The token of a visitor who has logged in here. */
async function loggedIn(
  { login }: ReturnType<typeof makeSite>,
  remember = false,
) {
  const response = await login.loginUser(requestWith(), { id: 1 }, {
    remember,
  });
  return {
    token: cookieSetBy(response) ?? "",
    remembered: cookieSetBy(response, "_remember") ?? "",
  };
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `Microdot: ${name}`, ignore, fn });
}

test("a clock of ours that is ahead drops no session", async () => {
  const { count } = makeSite(() => Date.now() + 30_000);
  const [seen] = await visit(cookieSetBy(await count(requestWith())) ?? "", {
    save: {},
  });
  assertEquals(seen.n, 1);
});

test("a login there is one here, fresh but of no known time", async () => {
  const { home, login } = makeSite();
  const [, token] = await visit("", { login: 1 });
  const request = () => requestWith(`session=${token}`);
  assertEquals(await (await home(request())).json(), 1);
  assertEquals(await login.isFresh(request()), true);
  assertEquals(await login.isFresh(request(), 3600), false);
});

test("a login here is one there, and data saved there stay here", async () => {
  const site = makeSite();
  const { token } = await loggedIn(site);
  const [seen, theirs] = await visit(token, { save: { color: "red" } });
  assertEquals([seen._user_id, seen._fresh], [1, true]);
  const request = requestWith(`session=${theirs}`);
  assertEquals(await (await site.home(request)).json(), 1);
  assertEquals({ ...await site.session.get(request) }, { color: "red" });
  assertEquals(await site.login.isFresh(request, 3600), true);
});

test("a logout there keeps other data, a logout here none", async () => {
  const site = makeSite();
  const { token } = await loggedIn(site);
  const [, saved] = await visit(token, { save: { color: "red" } });
  const [, theirs] = await visit(saved, { logout: true });
  const request = requestWith(`session=${theirs}`);
  assertEquals(await site.login.getCurrentUser(request), null);
  assertEquals({ ...await site.session.get(request) }, { color: "red" });
  const ours = await site.login.logoutUser(requestWith(`session=${saved}`));
  assertEquals(cookieSetBy(ours), "");
});

test("a session that is not ours stays, whoever its user is", async () => {
  const [, token] = await visit("", { login: 99 });
  const session = new Session({ secretKey: KEY });
  const login = new Login<User>(session, {
    userLoader: (id) => id === 1 ? { id } : null,
    securityStamp: () => "stamp",
  });
  const [, stampless] = await visit("", { login: 1 });
  for (const value of [token, stampless]) {
    const handler = session.wrap(async (request) =>
      Response.json(await login.getCurrentUser(request))
    );
    const response = await handler(requestWith(`session=${value}`));
    assertEquals(await response.json(), null);
    assertEquals(response.headers.getSetCookie(), []);
  }
});

test("a login there in a session begun here ends where there are stamps", async () => {
  const session = new Session({ secretKey: KEY });
  const login = new Login<User>(session, {
    userLoader: (id) => ({ id: Number(id) }),
    securityStamp: () => "stamp",
  });
  const begun = withSession(session, (_request, dict) => {
    dict.save();
    return new Response();
  });
  const ours = cookieSetBy(await begun(requestWith())) ?? "";
  const [, token] = await visit(ours, { login: 1 });
  const home = login.required(() => new Response());
  const response = await home(requestWith(`session=${token}`));
  assertEquals([response.status, cookieSetBy(response)], [302, ""]);
});

test("claims and names that are not ours survive a save of ours", async () => {
  const foreign = {
    sub: "1",
    jti: "x",
    iss: "them",
    save: "s",
    delete: { d: 1 },
  };
  const [, token] = await visit("", { save: { ...foreign, n: 1 } });
  const response = await makeSite().count(requestWith(`session=${token}`));
  assertEquals(await response.json(), { n: 2 });
  const [seen] = await visit(cookieSetBy(response) ?? "", { save: {} });
  for (const [name, value] of Object.entries(foreign)) {
    assertEquals(seen[name], value);
  }
  assertEquals(seen.n, 2);
});

test("our claims survive a save there, and the session ends when ours would", async () => {
  let now = Date.now();
  const { count, session } = makeSite(() => now);
  const first = cookieSetBy(await count(requestWith())) ?? "";
  const [, token] = await visit(first, { save: { color: "red" } });
  assertEquals(
    (await session.decode(token)).exp,
    (await session.decode(first)).exp,
  );
  now += 14 * 86_400_000;
  assertEquals({ ...await session.get(requestWith(`session=${token}`)) }, {});
});

test("its remember cookie logs in nobody here, and is left alone", async () => {
  const { home } = makeSite();
  const [, token] = await visit("", { remember: 1 });
  const response = await home(requestWith(`_remember=${token}`));
  assertEquals(response.status, 302);
  assertEquals(response.headers.getSetCookie(), []);
});

test("our remember cookie logs in nobody there", async () => {
  const { remembered } = await loggedIn(makeSite(), true);
  const [seen] = await visit(remembered, { save: {} });
  assertEquals(seen, {});
});

test("a logout here removes either remember cookie", async () => {
  const { login } = makeSite();
  const [, theirs] = await visit("", { remember: 1 });
  const response = await login.logoutUser(requestWith(`_remember=${theirs}`));
  assert(lineOf(response, "_remember")?.includes("Max-Age=0"));
});

test("with absoluteMaxAge its sessions, which have no end, are none here", async () => {
  const session = new Session({ secretKey: KEY, absoluteMaxAge: 86_400 });
  const [, token] = await visit("", { save: { n: 1 } });
  assertEquals({ ...await session.get(requestWith(`session=${token}`)) }, {});
});

test("a form of the other service needs trustedOrigins", async () => {
  const origin = "https://python.example.com";
  const headers = { Origin: origin, "Sec-Fetch-Site": "same-site" };
  for (
    const [trustedOrigins, status] of [[[], 403], [[origin], 302]] as const
  ) {
    const login = new Login<User>(new Session({ secretKey: KEY }), {
      trustedOrigins,
    });
    const request = new Request("https://deno.example.com/login", {
      method: "POST",
      headers,
    });
    assertEquals((await login.loginUser(request, { id: 1 })).status, status);
  }
});

test("a key under 32 bytes is good there, and an error here", async () => {
  const step = { save: { n: 1 } };
  const [, token] = await runPython(MICRODOT, ["", "short", step]) as string[];
  assertEquals(token.split(".").length, 3);
  assertThrows(() => new Session({ secretKey: "short" }), RangeError);
});

Deno.test({
  name:
    "Muffin: an expired token is an error there, a forged one an empty session",
  ignore,
  async fn() {
    const { session } = makeSite();
    const expired = await session.encode({ n: 1, exp: 1 });
    const other = new Session({ secretKey: "o".repeat(32) });
    const forged = await other.encode({ n: 1 });
    const read = async (token: string) =>
      (await runPython(MUFFIN, [token, KEY, []]) as unknown[])[0];
    assertEquals(await read(expired), "ExpiredSignatureError");
    assertEquals(await read(forged), {});
  },
});

Deno.test({
  name:
    "Muffin: a Fernet secret of 32 characters is shared, one of 43 is none there",
  ignore: !await hasPython("cryptography"),
  async fn() {
    const secret = "k".repeat(32);
    const [, tokens] = await runPython(MUFFIN, ["", KEY, [
      secret,
      "k".repeat(43),
    ]]) as [
      unknown,
      [string, null],
    ];
    const session = new Session({ backend: "fernet", secretKey: secret });
    assertEquals(await session.decode(tokens[0]), { id: 7 });
    assertEquals(tokens[1], null);
  },
});
