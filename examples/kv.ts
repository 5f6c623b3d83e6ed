/**
 * Sessions in Deno KV: see where you are logged in, end one of your sessions,
 * or all others. The cookie holds a random id alone, so there is no
 * secret key.
 *
 *     deno run --unstable-kv --allow-net --allow-env examples/kv.ts
 *
 * Then open http://127.0.0.1:8000 in two browsers as susan (password "hello") or
 * david ("bye"). The database is in memory, where each worker of
 * `deno serve --parallel` has its own, or in the file that `KV_PATH` names, which
 * takes `--allow-read --allow-write` too.
 *
 * @module
 */

import { Login, type LoginSession, redirect, Session } from "@denizen/session";
import { kvBackend } from "@denizen/session/kv";
import { verifyPassword } from "@denizen/session/passwords";
import {
  escape,
  page,
  readForm,
  router,
  type Routes,
  server,
} from "./_example.ts";
import { loginPage, readLogin } from "./_login_page.ts";
import { LoginTries } from "./_tries.ts";

interface User {
  /** The user name. */
  id: string;
  passwordHash: string;
}

interface Data {
  /** What the user is logged in with. */
  device: string;
}

/** Stands in for a database. */
const USERS = new Map<string, User>();
USERS.set("susan", {
  id: "susan",
  passwordHash:
    "$pbkdf2-sha256$600000$MzeJXh8pIzMQDPPCMwANEw$hXQZvyjuUL5Bw289uY7plpDqZc2MLR9jDg7GMHiTSpY",
});
USERS.set("david", {
  id: "david",
  passwordHash:
    "$pbkdf2-sha256$600000$q9Jnl9CK6RXRcH9I85oJ.w$cruyLKJB3VNgOEv4pShNedZL1Y65du8Hc0oFPhV3q7I",
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
const session = new Session<Data>({ backend: kvBackend(kv) });
const login = new Login<User>(session, { userLoader: (id) => USERS.get(id) });
const tries = new LoginTries();

const home = login.required(async (request, user) => {
  const items = (await login.sessions(request)).map(sessionItem);
  const others = `<form method="post" action="/end-others">
    <button>Log out everywhere else</button>
  </form>`;
  return page(
    `Hello, ${escape(user.id)}!`,
    `<p>You are logged in here:</p>
    <ul class="list">${items.join("")}</ul>
    ${items.length > 1 ? others : ""}
    <form method="post" action="/logout">
      <button class="quiet">Log out</button>
    </form>`,
  );
});

function sessionItem({ key, data, startedAt, isCurrent }: LoginSession) {
  const device = escape(String(data.device ?? "A device"));
  const started = startedAt.toISOString();
  return `<li class="row">
    <div><strong>${device}</strong>${isCurrent ? " – this device" : ""}
    <span>since <time datetime="${started}">${
    started.slice(0, 16).replace("T", " ")
  } UTC</time></span></div>
    <form method="post" action="/end">
      <input type="hidden" name="key" value="${escape(key)}">
      <button class="quiet" aria-label="End the session of ${device}">End</button>
    </form>
  </li>`;
}

function deviceOf(userAgent: string): string {
  const find = (names: string[][]) =>
    names.find(([part]) => userAgent.includes(part))?.[1];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  if (!browser && !system) return "Unknown device";
  return system ? `${browser ?? "A browser"} on ${system}` : `${browser}`;
}

/** Ends one session; the key of another user's ends nothing. */
const end = login.required(async (request) => {
  await login.endSession(request, (await readForm(request)).get("key"));
  return redirect("/", 303);
});

const endOthers = login.required(async (request) => {
  await login.endOtherSessions(request);
  return redirect("/", 303);
});

// No "remember me" here: its cookie would log in a device again whose session
// was ended.
async function submitLogin(
  request: Request,
  info: Deno.ServeHandlerInfo,
): Promise<Response> {
  const { userName, password } = await readLogin(request);
  if (!tries.take(userName, info)) {
    return loginPage({ userName, failure: "tooOften" });
  }
  const user = USERS.get(userName);
  const isCorrect = await verifyPassword(password, user?.passwordHash);
  if (!user || !isCorrect) return loginPage({ userName, failure: "wrong" });
  tries.forget(userName);
  const response = await login.loginUser(request, user);
  const dict = await session.get(request);
  dict.device = deviceOf(request.headers.get("User-Agent") ?? "");
  dict.save();
  return response;
}

const ROUTES: Routes = {
  "GET /": home,
  "GET /login": () => loginPage(),
  "POST /login": submitLogin,
  "POST /end": end,
  "POST /end-others": endOthers,
  "POST /logout": (request) =>
    login.logoutUser(request, { redirectUrl: "/login" }),
};

export default server(import.meta, session.wrap(router(ROUTES)));
