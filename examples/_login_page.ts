/**
 * The login page of the examples.
 *
 * @module
 */

import { escape, page } from "./_example.ts";

/** What the login page says, and what it fills in. */
export interface LoginPageOptions {
  /** The user name as it was typed or is known; default: none. */
  userName?: string;
  /** Whether "remember me" is ticked; default: no. */
  remember?: boolean;
  /** Asks who is logged in to log in again; default: no. */
  isAgain?: boolean;
  /** Says that the password was wrong, with status 401; default: no. */
  isWrong?: boolean;
}

/** A login form. Without an action it goes to its own address, and so keeps `next`. */
export function loginPage(options: LoginPageOptions = {}): Response {
  const { userName = "", remember, isAgain, isWrong } = options;
  const name = escape(userName);
  const intro = isAgain
    ? `<p>You are logged in as <strong>${name}</strong>. Your password once more,
      please, to go on.</p>`
    : "";
  const error = isWrong
    ? `<p class="error" id="error" role="alert">Wrong user name or password</p>`
    : "";
  const state = isWrong ? `aria-invalid="true" aria-describedby="error"` : "";
  const [inName, inPassword] = name ? ["", "autofocus"] : ["autofocus", ""];
  const response = page(
    "Log in",
    `${intro}
    <form method="post">
      ${error}
      <label for="username">User name</label>
      <input id="username" name="username" value="${name}" required maxlength="100"
        autocomplete="username" autocapitalize="none" spellcheck="false"
        ${state} ${inName}>
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required
        autocomplete="current-password" ${state} ${inPassword}>
      <label class="check">
        <input name="remember" type="checkbox" ${remember ? "checked" : ""}>
        Remember me on this device
      </label>
      <button>Log in</button>
    </form>`,
    isWrong ? 401 : 200,
  );
  response.headers.set("Cache-Control", "no-store");
  return response;
}
