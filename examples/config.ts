/**
 * Settings from the environment, under the names that Muffin-Session uses:
 *
 * - `SESSION_SECRET_KEY`: at least 32 bytes; none for base64, which signs nothing
 * - `SESSION_COOKIE_NAME`: "session" by default
 * - `SESSION_TYPE`: "jwt" by default, "fernet" or "base64"
 *
 * What is wrong with them stops the server, and is said.
 *
 *     export SESSION_SECRET_KEY="a secret of 32 bytes or more, of your own"
 *     deno run --allow-net --allow-env examples/config.ts
 *
 * Then open http://127.0.0.1:8000.
 *
 * @module
 */

import { type BackendName, Session, withSession } from "@denizen/session";
import { escape, notFound, page, server } from "./_example.ts";

const secretKey = Deno.env.get("SESSION_SECRET_KEY");
const cookieName = Deno.env.get("SESSION_COOKIE_NAME") ?? "session";
// Session says so where it is something else.
const type = (Deno.env.get("SESSION_TYPE") ?? "jwt") as BackendName;
const isKeyless = type === "base64" && secretKey === undefined;

const session = new Session<{ n: number }>({
  backend: type,
  cookieName,
  ...(isKeyless ? {} : { secretKey }),
});

const count = withSession(session, (_request, dict) => {
  dict.n = (dict.n ?? 0) + 1;
  dict.save();
  return page(
    `Visit ${dict.n}`,
    `<p>The cookie <code>${escape(cookieName)}</code> holds a session of type
    <code>${type}</code>. <a href="/">Once more</a></p>`,
  );
});

function handler(request: Request): Response | Promise<Response> {
  const path = URL.parse(request.url)?.pathname;
  return path === "/" ? count(request) : notFound();
}

export default server(import.meta, handler);
