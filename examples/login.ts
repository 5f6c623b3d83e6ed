/**
 * Logins: who is logged in, whose login is fresh, and who may go where.
 *
 *     deno run --allow-net --allow-env examples/login.ts
 *
 * Then open http://127.0.0.1:8000 as susan (password "hello") or david ("bye").
 * A site on the internet also limits how often a password can be tried.
 *
 * @module
 */

import { Login, Session } from "@denizen/session";
import { escape, notFound, page, secretKey, server } from "./_example.ts";
import { loginPage } from "./_login_page.ts";
import { verifyPassword } from "./_password.ts";

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
      "pbkdf2-sha256$600000$MzeJXh8pIzMQDPPCMwANEw$hXQZvyjuUL5Bw289uY7plpDqZc2MLR9jDg7GMHiTSpY",
  }],
  [2, {
    id: 2,
    name: "david",
    isAdmin: false,
    passwordHash:
      "pbkdf2-sha256$600000$q9Jnl9CK6RXRcH9I85oJ-w$cruyLKJB3VNgOEv4pShNedZL1Y65du8Hc0oFPhV3q7I",
  }],
]);

const session = new Session({ secretKey: secretKey() });
const login = new Login<User>(session, { userLoader: (id) => USERS.get(id) });

async function showLogin(request: Request): Promise<Response> {
  const user = await login.getCurrentUser(request);
  return loginPage({ userName: user?.name, isAgain: user !== null });
}

async function submitLogin(request: Request): Promise<Response> {
  const form = await request.formData().catch(() => new FormData());
  const userName = String(form.get("username") ?? "");
  const password = String(form.get("password") ?? "");
  const remember = form.has("remember");
  const user = USERS.values().find((user) => user.name === userName);
  const isCorrect = await verifyPassword(password, user?.passwordHash);
  if (!user || !isCorrect) {
    return loginPage({ userName, remember, isWrong: true });
  }
  return await login.loginUser(request, user, { remember });
}

/** Tells a visitor without a login from one who may not see a page. */
async function refuse(request: Request): Promise<string | Response> {
  const user = await login.getCurrentUser(request);
  if (!user) return "/login?next=/admin";
  return page(
    "Not for you",
    `<p>Sorry, ${escape(user.name)}: this page is for administrators alone.</p>
    <p><a href="/">Back to the start</a></p>`,
    403,
  );
}

const ROUTES: Record<
  string,
  (request: Request) => Response | Promise<Response>
> = {
  "GET /": login.required((_request, user) =>
    page(
      `Hello, ${escape(user.name)}!`,
      `<p>You are logged in.</p>
      <nav>
        <a href="/fresh">Change something important</a>
        <a href="/admin">Administration</a>
      </nav>
      <form method="post" action="/logout"><button>Log out</button></form>`,
    )
  ),
  "GET /fresh": login.fresh((_request, user) =>
    page(
      "Your login is fresh",
      `<p>You gave your password in this session, ${
        escape(user.name)
      }: the place
      for a new password or a payment.</p>
      <p><a href="/">Back to the start</a></p>`,
    )
  ),
  "GET /admin": login.required(
    () =>
      page(
        "Administration",
        `<p>Nothing to do today.</p>
        <p><a href="/">Back to the start</a></p>`,
      ),
    { check: (user) => user.isAdmin, location: refuse },
  ),
  "GET /login": showLogin,
  "POST /login": submitLogin,
  "POST /logout": (request) =>
    login.logoutUser(request, { redirectUrl: "/login" }),
};

function router(request: Request): Response | Promise<Response> {
  const route = `${request.method} ${URL.parse(request.url)?.pathname}`;
  return Object.hasOwn(ROUTES, route) ? ROUTES[route](request) : notFound();
}

export default server(import.meta, session.wrap(router));
