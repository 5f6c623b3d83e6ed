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
import { escape, notFound, page, secretKey, server } from "./_example.ts";
import { loginPage } from "./_login_page.ts";
import { verifyPassword } from "./_password.ts";

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
    "pbkdf2-sha256$600000$MzeJXh8pIzMQDPPCMwANEw$hXQZvyjuUL5Bw289uY7plpDqZc2MLR9jDg7GMHiTSpY",
});
USERS.set("david", {
  id: "david",
  roles: ["editor"],
  passwordHash:
    "pbkdf2-sha256$600000$q9Jnl9CK6RXRcH9I85oJ-w$cruyLKJB3VNgOEv4pShNedZL1Y65du8Hc0oFPhV3q7I",
});

const session = new Session({ secretKey: secretKey() });
const login = new Login<User>(session, { userLoader: (id) => USERS.get(id) });

/** The guard of a page: whom it refuses, it sends to the start. */
function only(role: Role): GuardOptions<User> {
  return { check: (user) => user.roles.includes(role), location: "/" };
}

const start = login.required((_request, user) =>
  page(
    "Roles",
    `<p>${escape(user.id)}: ${user.roles.join(", ")}</p>
    <nav>
      <a href="/articles">Articles</a>
      <a href="/admin">Administration</a>
      <a href="/api/report">Report</a>
    </nav>
    <form method="post" action="/logout"><button>Log out</button></form>`,
  )
);

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

async function submitLogin(request: Request): Promise<Response> {
  const form = await request.formData().catch(() => new FormData());
  const userName = String(form.get("username") ?? "");
  const password = String(form.get("password") ?? "");
  const remember = form.has("remember");
  const user = USERS.get(userName);
  const isCorrect = await verifyPassword(password, user?.passwordHash);
  if (!user || !isCorrect) {
    return loginPage({ userName, remember, isWrong: true });
  }
  return await login.loginUser(request, user, { remember });
}

const ROUTES: Record<
  string,
  (request: Request) => Response | Promise<Response>
> = {
  "GET /": start,
  "GET /articles": articles,
  "GET /admin": admin,
  "GET /api/report": report,
  "GET /login": () => loginPage(),
  "POST /login": submitLogin,
  "POST /logout": (request) => login.logoutUser(request),
};

function router(request: Request): Response | Promise<Response> {
  const route = `${request.method} ${URL.parse(request.url)?.pathname}`;
  return Object.hasOwn(ROUTES, route) ? ROUTES[route](request) : notFound();
}

export default server(import.meta, session.wrap(router));
