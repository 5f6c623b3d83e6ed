/**
 * Logins: who is logged in, whose login is fresh, and who may go where.
 *
 *     deno run --allow-net --allow-env examples/login.ts
 *
 * Then open http://127.0.0.1:8000 as susan (password "hello") or david ("bye").
 *
 * @module
 */

import {
  flash,
  Login,
  redirect,
  safeNextPath,
  Session,
} from "@denizen/session";
import { verifyPassword } from "@denizen/session/passwords";
import {
  escape,
  messages,
  notFound,
  page,
  queryOf,
  router,
  type Routes,
  secretKey,
  server,
} from "./_example.ts";
import { HINT, loginPage, readLogin } from "./_login_page.ts";
import { lookInside } from "./_look_inside.ts";
import { LoginTries } from "./_tries.ts";

interface User {
  id: number;
  name: string;
  isAdmin: boolean;
  passwordHash: string;
}

/** Stands in for a database. */
const USERS = new Map<number, User>([
  [1, {
    id: 1,
    name: "susan",
    isAdmin: true,
    passwordHash:
      "$pbkdf2-sha256$600000$MzeJXh8pIzMQDPPCMwANEw$hXQZvyjuUL5Bw289uY7plpDqZc2MLR9jDg7GMHiTSpY",
  }],
  [2, {
    id: 2,
    name: "david",
    isAdmin: false,
    passwordHash:
      "$pbkdf2-sha256$600000$q9Jnl9CK6RXRcH9I85oJ.w$cruyLKJB3VNgOEv4pShNedZL1Y65du8Hc0oFPhV3q7I",
  }],
]);

/** How long after a password the recovery codes are shown, in seconds. */
const FRESH_AGE = 300;
const CODES = "/codes";
const BACK = `<p><a href="/">Back to the start</a></p>`;

const session = new Session({ secretKey: secretKey() });
const login = new Login<User>(session, { userLoader: (id) => USERS.get(id) });
const tries = new LoginTries();

const home = login.required(async (request, user) => {
  const name = escape(user.name);
  const how = await login.isFresh(request)
    ? "You gave your password in this session."
    : "You are remembered: this device has a cookie for that.";
  return page(
    `Hello, ${name}!`,
    `${messages(await session.get(request))}
    <p>${how}</p>
    <h2>What to try</h2>
    <ul class="list">
      <li><a href="/inside">Look inside your session</a>
        <span>What the cookie says, and how long it lives.</span></li>
      <li><a href="${CODES}">Recovery codes</a>
        <span>For a fresh login: within five minutes of your password.</span></li>
      ${user.isAdmin ? ADMIN_LINK : ""}
      <li><a href="/wrong-turn">A wrong turn</a>
        <span>There is no such page: a message says so on the next one.</span></li>
    </ul>
    <form method="post" action="/logout">
      <button class="quiet">Log out</button>
    </form>`,
  );
});

const ADMIN_LINK = `<li><a href="/admin">Administration</a>
  <span>For administrators: david sees no link to it.</span></li>`;

const codes = login.fresh(
  (_request, user) =>
    page(
      "Recovery codes",
      `<p>They let ${escape(user.name)} in without a password, so that only a
      login of the last five minutes shows them. These are made up.</p>
      <pre class="hint">4c1f-90ab\n77d2-e05c\nb83a-16f4</pre>${BACK}`,
    ),
  { maxAge: FRESH_AGE },
);

const admin = login.required(
  () => page("Administration", `<p>Nothing to do today.</p>${BACK}`),
  { check: (user) => user.isAdmin, location: refuse },
);

/** Tells a visitor without a login from one who may not see a page. */
async function refuse(request: Request): Promise<string | Response> {
  const user = await login.getCurrentUser(request);
  if (!user) return "/login?next=/admin";
  const text = `<p>Sorry, ${
    escape(user.name)
  }: this page is for administrators alone.</p>`;
  return page("Not for you", text + BACK, { status: 403 });
}

async function showLogin(request: Request): Promise<Response> {
  const user = await login.getCurrentUser(request);
  if (!user) {
    const intro = messages(await session.get(request)) + ABOUT;
    return loginPage({ intro, remember: false });
  }
  const next = safeNextPath(queryOf(request, "next"));
  const isNeeded = next === CODES && !await login.isFresh(request, FRESH_AGE);
  if (!isNeeded) return redirect(next);
  const intro = `<p>You are logged in as
    <strong>${escape(user.name)}</strong>. Your password once more, please:
    the recovery codes are for a fresh login.</p>`;
  return loginPage({ intro, userName: user.name, remember: false });
}

const ABOUT =
  `<p>A demo of <code>@denizen/session</code>: signed cookie sessions and logins
  for Deno. All of it ends with the server.</p>
  ${HINT}
  <p class="quiet">Try a wrong password, or
  <a href="/admin">a page for administrators</a> as either of them; tick
  “Remember me”, delete the cookie <code>session</code>, and come back.</p>`;

async function submitLogin(
  request: Request,
  info: Deno.ServeHandlerInfo,
): Promise<Response> {
  const { userName, password, remember } = await readLogin(request);
  if (!tries.take(userName, info)) {
    return loginPage({ userName, remember, failure: "tooOften" });
  }
  const user = USERS.values().find((user) => user.name === userName);
  const isCorrect = await verifyPassword(password, user?.passwordHash);
  if (!user || !isCorrect) {
    return loginPage({ userName, remember, failure: "wrong" });
  }
  tries.forget(userName);
  return await login.loginUser(request, user, { remember });
}

async function logOut(request: Request): Promise<Response> {
  const response = await login.logoutUser(request, { redirectUrl: "/login" });
  flash(await session.get(request), "You are logged out.");
  return response;
}

/** Leads a person back; a program is told. */
async function turnBack(request: Request): Promise<Response> {
  const isPerson = request.headers.get("Accept")?.includes("text/html");
  if (request.method !== "GET" || !isPerson) return notFound();
  flash(await session.get(request), "A wrong turn: there is no such page.");
  return redirect("/");
}

const ROUTES: Routes = {
  "GET /": home,
  [`GET ${CODES}`]: codes,
  "GET /admin": admin,
  "GET /inside": login.required((request) => lookInside(request, session)),
  "GET /login": showLogin,
  "POST /login": submitLogin,
  "POST /logout": logOut,
};

export default server(import.meta, session.wrap(router(ROUTES, turnBack)));
