/**
 * Sessions in Deno KV: see where you are logged in, end one of your sessions,
 * or log out everywhere. The cookie holds a random id alone, so there is no
 * secret key.
 *
 *     deno run --unstable-kv --allow-net --allow-env examples/kv.ts
 *
 * Then open http://127.0.0.1:8000 in two browsers as susan (password "hello") or
 * david ("bye"). The database is in memory, or in the file that `KV_PATH` names,
 * which takes `--allow-read --allow-write` too.
 *
 * @module
 */

import { isCrossOrigin, Login, redirect, Session } from "@denizen/session";
import { kvBackend, type KvUserSession } from "@denizen/session/kv";
import { escape, notFound, page, server } from "./_example.ts";
import { verifyPassword } from "./_password.ts";

interface User {
  /** The user name. */
  id: string;
  passwordHash: string;
}

interface Data {
  /** Tells this session from the user's others. */
  mark: string;
  device: string;
}

/** Stands in for a database. */
const USERS = new Map<string, User>();
USERS.set("susan", {
  id: "susan",
  passwordHash:
    "pbkdf2-sha256$600000$MzeJXh8pIzMQDPPCMwANEw$hXQZvyjuUL5Bw289uY7plpDqZc2MLR9jDg7GMHiTSpY",
});
USERS.set("david", {
  id: "david",
  passwordHash:
    "pbkdf2-sha256$600000$q9Jnl9CK6RXRcH9I85oJ-w$cruyLKJB3VNgOEv4pShNedZL1Y65du8Hc0oFPhV3q7I",
});

/** What a `User-Agent` header contains, and what that means; the first counts. */
const BROWSERS = [
  ["Firefox/", "Firefox"],
  ["Edg/", "Edge"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
  ["curl/", "curl"],
];
const SYSTEMS = [
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Windows", "Windows"],
  ["Mac OS", "Mac"],
  ["Linux", "Linux"],
];

const kv = await Deno.openKv(Deno.env.get("KV_PATH") ?? ":memory:");
const backend = kvBackend(kv);
const session = new Session<Data>({ backend });
const login = new Login<User>(session, { userLoader: (id) => USERS.get(id) });

const home = login.required(async (request, user) => {
  const dict = await session.get(request);
  if (dict.mark === undefined) {
    dict.mark = crypto.randomUUID();
    dict.device = deviceOf(request.headers.get("User-Agent") ?? "");
    await dict.save(); // It shall be in the list.
  }
  const sessions = await backend.userSessions(user.id);
  const items = sessions
    .sort((a, b) => startOf(b) - startOf(a))
    .map((one) => sessionItem(one, one.payload.mark === dict.mark));
  return page(
    `Hello, ${escape(user.id)}!`,
    `<p>You are logged in here:</p>
    <ul>${items.join("")}</ul>
    <form method="post" action="/logout"><button>Log out</button></form>
    <form method="post" action="/logout-everywhere">
      <button>Log out everywhere</button>
    </form>`,
  );
});

function sessionItem(one: KvUserSession, isThis: boolean): string {
  const device = escape(String(one.payload.device ?? "A device"));
  const started = new Date(startOf(one) * 1000).toISOString();
  return `<li>
    ${isThis ? `<strong>${device} (this one)</strong>` : device},
    since <time datetime="${started}">${started.slice(0, 16)} UTC</time>
    <form method="post" action="/end">
      <input type="hidden" name="key" value="${escape(one.key)}">
      <button aria-label="End the session of ${device}">End</button>
    </form>
  </li>`;
}

function startOf({ payload }: KvUserSession): number {
  return Number(payload._started);
}

function deviceOf(userAgent: string): string {
  const find = (names: string[][]) =>
    names.find(([part]) => userAgent.includes(part))?.[1];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  if (!browser && !system) return "Unknown device";
  return system ? `${browser ?? "A browser"} on ${system}` : `${browser}`;
}

/** Ends one session; the key of another user's ends nothing. */
const end = login.required(async (request, user) => {
  if (isCrossOrigin(request)) return refuse();
  const form = await request.formData().catch(() => new FormData());
  await backend.removeUserSession(user.id, String(form.get("key")));
  return redirect("/", 303);
});

const logOutEverywhere = login.required(async (request, user) => {
  if (isCrossOrigin(request)) return refuse();
  await backend.removeUser(user.id);
  return await login.logoutUser(request, { redirectUrl: "/login" });
});

function refuse(): Response {
  return page("Not from here", `<p>Another site sent this form.</p>`, 403);
}

// No "remember me" here: its cookie would log in a device again whose session
// was ended.
function loginForm(isWrong = false, userName = ""): Response {
  const error = isWrong
    ? `<p class="error" role="alert">Wrong user name or password</p>`
    : "";
  return page(
    "Log in",
    `<form method="post">
      ${error}
      <label for="username">User name</label>
      <input id="username" name="username" value="${escape(userName)}" required
        maxlength="100" autocomplete="username" autocapitalize="none">
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required
        autocomplete="current-password">
      <button>Log in</button>
    </form>`,
    isWrong ? 401 : 200,
  );
}

async function submitLogin(request: Request): Promise<Response> {
  const form = await request.formData().catch(() => new FormData());
  const userName = String(form.get("username") ?? "");
  const password = String(form.get("password") ?? "");
  const user = USERS.get(userName);
  const isCorrect = await verifyPassword(password, user?.passwordHash);
  if (!user || !isCorrect) return loginForm(true, userName);
  return await login.loginUser(request, user);
}

const ROUTES: Record<
  string,
  (request: Request) => Response | Promise<Response>
> = {
  "GET /": home,
  "GET /login": () => loginForm(),
  "POST /login": submitLogin,
  "POST /end": end,
  "POST /logout": (request) =>
    login.logoutUser(request, { redirectUrl: "/login" }),
  "POST /logout-everywhere": logOutEverywhere,
};

function router(request: Request): Response | Promise<Response> {
  const route = `${request.method} ${URL.parse(request.url)?.pathname}`;
  return Object.hasOwn(ROUTES, route) ? ROUTES[route](request) : notFound();
}

export default server(import.meta, session.wrap(router));
