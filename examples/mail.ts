/**
 * Links in mails: log in without a password, or choose a new one. The mails are
 * printed to the terminal.
 *
 *     deno run --allow-net --allow-env examples/mail.ts
 *
 * Then open http://127.0.0.1:8000 as susan@example.com (password "hello") or
 * david@example.com ("bye").
 *
 * @module
 */

import { flash, Login, redirect, Session } from "@denizen/session";
import { hashPassword, verifyPassword } from "@denizen/session/passwords";
import {
  escape,
  messages,
  ownOrigin,
  page,
  queryOf,
  readForm,
  router,
  type Routes,
  secretKey,
  server,
} from "./_example.ts";
import { LoginTries, Tries } from "./_tries.ts";

interface User {
  /** The mail address, in lower case. */
  id: string;
  passwordHash: string;
  /** Another one after each new password, which ends all logins and links. */
  stamp: string;
  /** The links by which the user has logged in lately: each is good once. */
  followed: string[];
}

/** Stands in for a database, which all processes share. */
const USERS = new Map<string, User>();
USERS.set("susan@example.com", {
  id: "susan@example.com",
  passwordHash:
    "$pbkdf2-sha256$600000$MzeJXh8pIzMQDPPCMwANEw$hXQZvyjuUL5Bw289uY7plpDqZc2MLR9jDg7GMHiTSpY",
  stamp: "1",
  followed: [],
});
USERS.set("david@example.com", {
  id: "david@example.com",
  passwordHash:
    "$pbkdf2-sha256$600000$q9Jnl9CK6RXRcH9I85oJ.w$cruyLKJB3VNgOEv4pShNedZL1Y65du8Hc0oFPhV3q7I",
  stamp: "1",
  followed: [],
});

/** What a link can be for: its path, and the words of its mail. */
const LINKS: Record<string, [path: string, text: string]> = {
  "log in": ["/link", "This link logs you in"],
  "new password": ["/reset", "By this link you choose a new password"],
};
/** How long a link holds, in seconds. */
const LINK_AGE = 600;
/** More links than that are not sent while one holds. */
const MAX_FOLLOWED = 20;
const PASSWORD_LENGTHS = [8, 200];

const session = new Session({ secretKey: secretKey() });
const login = new Login<User>(session, {
  userLoader: (id) => USERS.get(id),
  securityStamp: (user) => user.stamp,
});
const tries = new LoginTries();
/** Mails to one address: nobody's box shall be flooded. */
const mails = new Tries({ most: 5 });

const home = login.required(async (request, user) => {
  const how = await login.isFresh(request) ? "your password" : "a link";
  return page(
    `Hello, ${escape(user.id)}!`,
    `${messages(await session.get(request))}
    <p>You are logged in by ${how}.</p>
    <form method="post" action="/logout">
      <button class="quiet">Log out</button>
    </form>`,
  );
});

async function showLogin(request: Request): Promise<Response> {
  return loginPage(messages(await session.get(request)));
}

function loginPage(notice: string, address = "", status = 200): Response {
  return page(
    "Log in",
    `${notice}
    <p class="hint">Log in as <strong>susan@example.com</strong> with the password
    <code>hello</code>, or as <strong>david@example.com</strong> with
    <code>bye</code>; or by a link, which is printed to the terminal.</p>
    <form method="post">
      <label for="address">Mail address</label>
      <input id="address" name="address" type="email" required maxlength="100"
        value="${escape(address)}" autocomplete="username" autofocus>
      <label for="password">Password</label>
      <input id="password" name="password" type="password"
        autocomplete="current-password">
      <button>Log in</button>
      <p><button class="quiet" formaction="/mail" name="purpose" value="log in">
        Mail me a link to log in</button>
      <button class="quiet" formaction="/mail" name="purpose" value="new password">
        I forgot my password</button></p>
    </form>`,
    { status },
  );
}

function errorBox(text: string): string {
  return `<p class="error" role="alert">${text}</p>`;
}

async function submitLogin(
  request: Request,
  info: Deno.ServeHandlerInfo,
): Promise<Response> {
  const form = await readForm(request);
  const address = addressOf(form);
  if (!tries.take(address, info)) {
    const text = "Too many tries: wait five minutes, please";
    return loginPage(errorBox(text), address, 429);
  }
  const user = USERS.get(address);
  const password = form.get("password");
  const isCorrect = await verifyPassword(password, user?.passwordHash);
  if (!user || !isCorrect) {
    return loginPage(errorBox("Wrong address or password"), address, 401);
  }
  tries.forget(address);
  return await login.loginUser(request, user);
}

/** Answers alike, whether there is such a user or not. */
async function submitMail(request: Request): Promise<Response> {
  const form = await readForm(request);
  const address = addressOf(form);
  const purpose = form.get("purpose") ?? "";
  const user = USERS.get(address);
  if (user && Object.hasOwn(LINKS, purpose) && mails.take(address)) {
    // Not awaited: the time that a mail takes would tell.
    sendLink(user, purpose).catch(console.error);
  }
  return page(
    "Look into your mail",
    `<p>If somebody here has this address, a link is on its way. It holds for ten
    minutes.</p><p><a href="/login">Back</a></p>`,
  );
}

async function sendLink(user: User, purpose: string): Promise<void> {
  const token = await login.createToken(user, purpose, { maxAge: LINK_AGE });
  const [path, text] = LINKS[purpose];
  const link = `${ownOrigin()}${path}?token=${token}`;
  console.log(`Mail to ${user.id}\n  ${text}:\n  ${link}\n`);
}

/** Shows a button: programs that look through mails follow links. */
async function showLink(request: Request): Promise<Response> {
  const user = await userOf(queryOf(request, "token"));
  if (user === null) return deadLink();
  return page(
    "Log in",
    `<p>You are about to log in as <strong>${escape(user.id)}</strong>.</p>
    <form method="post"><button>Log in</button></form>`,
  );
}

async function followLink(request: Request): Promise<Response> {
  const token = queryOf(request, "token");
  const user = await userOf(token);
  if (user === null) return deadLink();
  user.followed = [...user.followed, token].slice(-MAX_FOLLOWED);
  return await login.loginUser(request, user, { fresh: false });
}

/** Whom a link logs in that nobody has followed. */
async function userOf(token: string): Promise<User | null> {
  const user = await login.verifyToken(token, "log in");
  return user?.followed.includes(token) ? null : user;
}

async function showReset(request: Request): Promise<Response> {
  const token = queryOf(request, "token");
  const user = await login.verifyToken(token, "new password");
  return user === null ? deadLink() : resetPage(user);
}

function resetPage(user: User, notice = "", status = 200): Response {
  const [least, most] = PASSWORD_LENGTHS;
  return page(
    "A new password",
    `${notice}
    <form method="post">
      <label for="address">Mail address</label>
      <input id="address" autocomplete="username" readonly
        value="${escape(user.id)}">
      <label for="password">New password, of ${least} characters or more</label>
      <input id="password" name="password" type="password" required autofocus
        minlength="${least}" maxlength="${most}" autocomplete="new-password">
      <button>Save</button>
    </form>`,
    { status },
  );
}

async function submitReset(request: Request): Promise<Response> {
  const token = queryOf(request, "token");
  const user = await login.verifyToken(token, "new password");
  if (user === null) return deadLink();
  const password = (await readForm(request)).get("password") ?? "";
  const [least, most] = PASSWORD_LENGTHS;
  if (password.length < least || password.length > most) {
    const text = `It must have ${least} to ${most} characters`;
    return resetPage(user, errorBox(text), 400);
  }
  const passwordHash = await hashPassword(password);
  // Meanwhile somebody else may have used it.
  if (await login.verifyToken(token, "new password") !== user) {
    return deadLink();
  }
  user.passwordHash = passwordHash;
  user.stamp = crypto.randomUUID();
  flash(await session.get(request), "Your password is new: log in with it.");
  return redirect("/login", 303);
}

function deadLink(): Response {
  return page(
    "This link no longer holds",
    `<p>It is too old, was followed before, or is not whole.
    <a href="/login">Ask for another one</a></p>`,
    { status: 403 },
  );
}

function addressOf(form: Map<string, string>): string {
  return (form.get("address") ?? "").trim().toLowerCase();
}

const ROUTES: Routes = {
  "GET /": home,
  "GET /login": showLogin,
  "POST /login": submitLogin,
  "POST /mail": submitMail,
  "GET /link": showLink,
  "POST /link": followLink,
  "GET /reset": showReset,
  "POST /reset": submitReset,
  "POST /logout": async (request) => {
    const response = await login.logoutUser(request, { redirectUrl: "/login" });
    flash(await session.get(request), "You are logged out.");
    return response;
  },
};

export default server(import.meta, session.wrap(router(ROUTES)));
