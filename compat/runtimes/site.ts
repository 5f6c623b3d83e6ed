/**
 * A site that every runtime serves: the suite, and pages whose ways a server
 * alone shows.
 *
 * @module
 */

import { Login, redirect, Session, withSession } from "@denizen/session";
import {
  required,
  sessions,
  type SessionVariables,
} from "@denizen/session/hono";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { NAMES, runCheck } from "./_suite.ts";

interface User {
  id: number;
}

const session = new Session<{ n: number }>({ secretKey: "k".repeat(32) });
const login = new Login<User>(session, { userLoader: (id) => ({ id }) });

/** Pages that save, by what they answer with. */
const PAGES: Record<string, (n: number) => Response | Promise<Response>> = {
  "/text": (n) => new Response(`${n}`),
  "/html": (n) =>
    new Response(`<b>${n}</b>`, { headers: { "Content-Type": "text/html" } }),
  "/json": (n) => Response.json(n),
  "/none": () => new Response(null, { status: 204 }),
  "/redirect": () => redirect("/there", 303),
  "/fixed-redirect": () => Response.redirect("http://localhost/there", 303),
  "/bytes": (n) => new Response(new Uint8Array([48 + n])),
  "/stream": (n) => new Response(countUp(n)),
  "/events": (n) =>
    new Response(countUp(n), {
      headers: { "Content-Type": "text/event-stream" },
    }),
  "/thrown": () => {
    throw new Response("stop", { status: 409 });
  },
};

const members = login.required(() => new Response(), {
  location: () => new Response("Members only", { status: 403 }),
});
const guarded = login.required((_request, { id }) =>
  new Response(`user ${id}`)
);

type Variables = SessionVariables<typeof session, User>;
/** Pages of Hono's, which has wrappers of its own. */
const app = new Hono<{ Variables: Variables }>().basePath("/hono");
app.use(sessions(session), bodyLimit({ maxSize: 1000 }));
app.get("/text", (c) => {
  c.var.session.n = (c.var.session.n ?? 0) + 1;
  c.var.session.save();
  return c.text(`${c.var.session.n}`);
});
app.get("/home", required(login), (c) => c.text(`user ${c.var.user.id}`));
app.post("/login", async (c) => {
  const { id } = await c.req.parseBody();
  return await login.loginUser(c.req.raw, { id: Number(id) });
});

/** What a runtime upgrades a connection by, where it does so by a response. */
export type Upgrade = (request: Request) => Response;

/** Makes the site. */
export function makeSite(
  upgrade?: Upgrade,
): (request: Request) => Promise<Response> {
  const site = withSession(session, async (request, dict) => {
    const { pathname, searchParams } = new URL(request.url);
    const name = searchParams.get("check");
    if (name !== null) return Response.json(await runCheck(name));
    if (pathname === "/checks") return Response.json(NAMES);
    if (pathname === "/guarded") return await guarded(request);
    if (pathname === "/members") return await members(request);
    if (pathname === "/login") {
      const form = await request.formData();
      const user = { id: Number(form.get("id")) };
      return await login.loginUser(request, user, { remember: true });
    }
    if (pathname === "/logout") return await login.logoutUser(request);
    dict.n = (dict.n ?? 0) + 1;
    dict.save();
    if (pathname === "/socket" && upgrade !== undefined) {
      return upgrade(request);
    }
    return await PAGES[pathname]?.(dict.n) ?? new Response("", { status: 404 });
  });
  return async (request) =>
    new URL(request.url).pathname.startsWith("/hono/")
      ? await app.fetch(request)
      : await site(request);
}

function countUp(n: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let i = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      controller.enqueue(new TextEncoder().encode(`${++i};`));
      if (i === n + 2) controller.close();
    },
  });
}
