/**
 * What the examples share: a server, a door, a secret key and a page. An
 * application has its own.
 *
 * @module
 */

import {
  type Flashable,
  generateSecretKey,
  isCrossOrigin,
  takeFlashes,
} from "@denizen/session";
import { SCRIPT, STYLE } from "./_style.ts";

/** Answers a request of a client that has an address. */
export type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo,
) => Response | Promise<Response>;

/** Handlers by method and path, such as `"GET /"`. */
export type Routes = Record<string, Handler>;

/** How a page is sent. */
export interface PageOptions {
  /** The status; default: 200. */
  status?: number;
  /** Another origin that a form of the page leads to; default: none. */
  formOrigin?: string;
}

/** Tells the other workers of `deno serve --parallel` where they are served. */
const ORIGIN = "DENIZEN_EXAMPLE_ORIGIN";
/** How long they may take to hear it, in milliseconds. */
const PATIENCE = 200;
/** The largest form, in bytes: no person fills in more. */
const MAX_FORM_BYTES = 16_384;

/**
 * Serves a handler at http://127.0.0.1:8000, or at the port in `PORT`, where
 * its file is run by `deno run`. An application needs `Deno.serve(handler)`.
 *
 * @returns What the file exports for `deno serve` and Deno Deploy.
 */
export function server(
  meta: ImportMeta,
  handler: Handler,
): Deno.ServeDefaultExport {
  const fetch = behindDoor(handler);
  if (meta.main) setTimeout(() => isServed() || listen(fetch), PATIENCE);
  return { fetch, onListen: announce };
}

/** Serves a handler at http://127.0.0.1:8000, or at the port in `PORT`. */
export function listen(handler: Handler): void {
  const port = Number(Deno.env.get("PORT") ?? 8000);
  try {
    Deno.serve({ hostname: "127.0.0.1", port, onListen: announce }, handler);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    console.error(`Port ${port} is taken: set PORT to another one`);
    Deno.exit(1);
  }
}

/**
 * The origin of the example, for links in mails. An application has it in its
 * settings: who sends a request can have any `Host` in its URL.
 */
export function ownOrigin(): string {
  return Deno.env.get(ORIGIN) ?? "http://127.0.0.1:8000";
}

/** A file can't tell by whom it is run, other than by what that one does. */
function isServed(): boolean {
  // Unless it is told otherwise, `deno serve` allows for its own port alone.
  const { state } = Deno.permissions.querySync({ name: "net" });
  return state !== "granted" || Deno.env.has(ORIGIN);
}

function announce(address: Deno.Addr): void {
  if (address.transport !== "tcp") return;
  const { hostname, port } = address;
  const host = ["0.0.0.0", "::"].includes(hostname)
    ? "127.0.0.1" // A browser can't go to all addresses.
    : hostname.replace(/.*:.*/, "[$&]");
  Deno.env.set(ORIGIN, `http://${host}:${port}`);
  console.log(`Serving at http://${host}:${port}`);
}

/** Refuses what is no request's business, before anything else is done. */
export function behindDoor(handler: Handler): Handler {
  return (request, info) => {
    if (isCrossOrigin(request)) {
      const text = "<p>Another site sent this form.</p>";
      return page("Not from here", text, { status: 403 });
    }
    if (Number(request.headers.get("Content-Length")) > MAX_FORM_BYTES) {
      const text = "<p>A form has at most 16 kB.</p>";
      return page("Too much", text, { status: 413 });
    }
    return handler(request, info);
  };
}

/** Answers each request by the route of its method and path. */
export function router(routes: Routes, fallback: Handler = notFound): Handler {
  return (request, info) => {
    const route = `${request.method} ${URL.parse(request.url)?.pathname}`;
    const handler = Object.hasOwn(routes, route) ? routes[route] : fallback;
    return handler(request, info);
  };
}

/** The key in `SECRET_KEY`, or one for this run only. */
export function secretKey(): string {
  const key = Deno.env.get("SECRET_KEY");
  if (key !== undefined) return key;
  console.log(
    "SECRET_KEY is not set: sessions end with this run, and are this process's",
  );
  return generateSecretKey();
}

/** The text fields of a form; none of any other body, or of too large a one. */
export async function readForm(request: Request): Promise<Map<string, string>> {
  let size = 0;
  const body = request.body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(part, controller) {
        size += part.length;
        if (size <= MAX_FORM_BYTES) controller.enqueue(part);
        else controller.error(new RangeError("Cannot read form: too large"));
      },
    }),
  );
  const type = request.headers.get("Content-Type") ?? "";
  const response = new Response(body, { headers: { "Content-Type": type } });
  const form = await response.formData().catch(() => new FormData());
  return new Map(
    [...form].filter((field): field is [string, string] =>
      typeof field[1] === "string"
    ),
  );
}

/** A parameter of the request's query, or nothing. */
export function queryOf(request: Request, name: string): string {
  return URL.parse(request.url)?.searchParams.get(name) ?? "";
}

/** Text that is safe inside HTML, between tags and in quoted attributes. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** What was left for the visitor to read, as HTML. */
export function messages(dict: Flashable): string {
  return takeFlashes(dict)
    .map(({ text }) => `<p class="message" role="status">${escape(text)}</p>`)
    .join("");
}

/** A page. The title and body are HTML. */
export function page(
  title: string,
  body: string,
  { status = 200, formOrigin = "" }: PageOptions = {},
): Response {
  const nonce = crypto.randomUUID();
  const html = `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title}</title>
  <link rel="icon" href="data:,">
  <style nonce="${nonce}">${STYLE}</style>
  <script nonce="${nonce}">${SCRIPT}</script>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "img-src data:",
    `form-action 'self' ${formOrigin}`.trimEnd(),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return new Response(html, {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Security-Policy": policy.join("; "),
      // Not "no-referrer": forms would come from the origin "null".
      "Referrer-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
    },
  });
}

/** A plain page for a path that leads nowhere. */
export function notFound(): Response {
  const text = `<p><a href="/">Back to the start</a></p>`;
  return page("Not found", text, { status: 404 });
}
