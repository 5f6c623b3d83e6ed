/**
 * The login page of the examples.
 *
 * @module
 */

import { escape, page, readForm } from "./_example.ts";

/** What the login page says, and what it fills in. */
export interface LoginPageOptions {
  /** The user name as it was typed or is known; default: none. */
  userName?: string;
  /** Whether "remember me" is ticked; by default it is not offered. */
  remember?: boolean;
  /** What to read above the form, as HTML; default: nothing. */
  intro?: string;
  /** Why nobody was logged in. */
  failure?: keyof typeof FAILURES;
}

/** What was typed into the login form. */
export interface Typed {
  /** The user name. */
  userName: string;
  /** The password. */
  password: string;
  /** Whether "remember me" was ticked. */
  remember: boolean;
}

/** Why nobody was logged in: the text, and the status. */
const FAILURES = {
  wrong: ["Wrong user name or password", 401],
  tooOften: ["Too many tries: wait five minutes, please", 429],
} as const;

/** Whom the examples know. */
export const HINT =
  `<p class="hint">Log in as <strong>susan</strong> with the password
  <code>hello</code>, or as <strong>david</strong> with <code>bye</code>.</p>`;

/** Reads the login form. */
export async function readLogin(request: Request): Promise<Typed> {
  const form = await readForm(request);
  return {
    userName: form.get("username") ?? "",
    password: form.get("password") ?? "",
    remember: form.has("remember"),
  };
}

/** A login form. Without an action it goes to its own address, and so keeps `next`. */
export function loginPage(options: LoginPageOptions = {}): Response {
  const { userName = "", remember, intro = HINT, failure } = options;
  const [error, status] = failure ? FAILURES[failure] : ["", 200];
  const name = escape(userName);
  const state = error ? `aria-invalid="true" aria-describedby="error"` : "";
  const [inName, inPassword] = name ? ["", "autofocus"] : ["autofocus", ""];
  const response = page(
    "Log in",
    `${intro}
    <form method="post">
      ${error && `<p class="error" id="error" role="alert">${error}</p>`}
      <label for="username">User name</label>
      <input id="username" name="username" value="${name}" required maxlength="100"
        autocomplete="username" autocapitalize="none" spellcheck="false"
        ${state} ${inName}>
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required
        autocomplete="current-password" ${state} ${inPassword}>
      ${remember === undefined ? "" : checkbox(remember)}
      <button>Log in</button>
    </form>`,
    { status },
  );
  if (status === 429) response.headers.set("Retry-After", "300");
  return response;
}

function checkbox(isTicked: boolean): string {
  return `<label class="check">
    <input name="remember" type="checkbox" ${isTicked ? "checked" : ""}>
    Remember me on this device
  </label>`;
}
