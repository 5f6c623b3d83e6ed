/**
 * Roles: each route says who may come in. An API route answers in JSON.
 *
 *     deno run --allow-net --allow-env examples/roles.ts
 *
 * Then open http://127.0.0.1:8000 as susan (password "hello") or david ("bye").
 *
 * @module
 */

import { type GuardOptions, Login, Session } from "@denizen/session";
import { verifyPassword } from "@denizen/session/passwords";
import {
  escape,
  page,
  router,
  type Routes,
  secretKey,
  server,
} from "./_example.ts";
import { loginPage, readLogin } from "./_login_page.ts";
import { LoginTries } from "./_tries.ts";

type Role = "editor" | "admin";

interface User {
  /** The user name. */
  id: string;
  roles: Role[];
  passwordHash: string;
}

/** Stands in for a database. */
const USERS = new Map<string, User>();
USERS.set("susan", {
  id: "susan",
  roles: ["editor", "admin"],
  passwordHash:
    "$pbkdf2-sha256$600000$MzeJXh8pIzMQDPPCMwANEw$hXQZvyjuUL5Bw289uY7plpDqZc2MLR9jDg7GMHiTSpY",
});
USERS.set("david", {
  id: "david",
  roles: ["editor"],
  passwordHash:
    "$pbkdf2-sha256$600000$q9Jnl9CK6RXRcH9I85oJ.w$cruyLKJB3VNgOEv4pShNedZL1Y65du8Hc0oFPhV3q7I",
});

const session = new Session({ secretKey: secretKey() });
const login = new Login<User>(session, { userLoader: (id) => USERS.get(id) });
const tries = new LoginTries();

/** The guard of a page: whom it refuses, it sends to the start. */
function only(role: Role): GuardOptions<User> {
  return { check: (user) => user.roles.includes(role), location: "/" };
}

const start = login.required((_request, user) =>
  page(
    "Roles",
    `<p>${escape(user.id)}: ${user.roles.join(", ")}</p>
    <ul class="list">${user.roles.map((role) => LINKS[role]).join("")}</ul>
    <form method="post" action="/logout">
      <button class="quiet">Log out</button>
    </form>`,
  )
);

/** What each role can follow. */
const LINKS: Record<Role, string> = {
  editor: `<li><a href="/articles">Articles</a></li>`,
  admin: `<li><a href="/admin">Administration</a></li>
    <li><a href="/api/report">Report</a></li>`,
};

const BACK = `<p><a href="/">Back to the start</a></p>`;

const articles = login.required(
  (_request, user) =>
    page("Articles", `<p>${escape(user.id)} edits.</p>${BACK}`),
  only("editor"),
);

const admin = login.required(
  (_request, user) =>
    page("Administration", `<p>${escape(user.id)} rules.</p>${BACK}`),
  only("admin"),
);

// Without a location a script gets 401 or 403 and the reason, as JSON.
const report = login.required(
  () => Response.json({ users: [...USERS.keys()] }),
  { check: (user) => user.roles.includes("admin") },
);

async function submitLogin(
  request: Request,
  info: Deno.ServeHandlerInfo,
): Promise<Response> {
  const { userName, password, remember } = await readLogin(request);
  if (!tries.take(userName, info)) {
    return loginPage({ userName, remember, failure: "tooOften" });
  }
  const user = USERS.get(userName);
  const isCorrect = await verifyPassword(password, user?.passwordHash);
  if (!user || !isCorrect) {
    return loginPage({ userName, remember, failure: "wrong" });
  }
  tries.forget(userName);
  return await login.loginUser(request, user, { remember });
}

const ROUTES: Routes = {
  "GET /": start,
  "GET /articles": articles,
  "GET /admin": admin,
  "GET /api/report": report,
  "GET /login": () => loginPage({ remember: false }),
  "POST /login": submitLogin,
  "POST /logout": (request) => login.logoutUser(request),
};

export default server(import.meta, session.wrap(router(ROUTES)));
