/**
 * What the examples share: a server, a secret key and a page. An application
 * has its own.
 *
 * @module
 */

import { generateSecretKey } from "@denizen/session";

type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo,
) => Response | Promise<Response>;

/** Tells the other workers of `deno serve --parallel` that they are served. */
const SERVED = "DENIZEN_EXAMPLE_IS_SERVED";
/** How long they may take to hear it, in milliseconds. */
const PATIENCE = 200;

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
  if (meta.main) setTimeout(() => isServed() || listen(handler), PATIENCE);
  return {
    fetch: handler,
    onListen(address) {
      Deno.env.set(SERVED, "");
      announce(address);
    },
  };
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

/** A file can't tell by whom it is run, other than by what that one does. */
function isServed(): boolean {
  // Unless it is told otherwise, `deno serve` allows for its own port alone.
  const { state } = Deno.permissions.querySync({ name: "net" });
  return state !== "granted" || Deno.env.has(SERVED);
}

function announce(address: Deno.Addr): void {
  if (address.transport !== "tcp") return;
  console.log(`Serving at http://${address.hostname}:${address.port}`);
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

/** Text that is safe inside HTML, between tags and in quoted attributes. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A page. The title and body are HTML. */
export function page(title: string, body: string, status = 200): Response {
  const html = `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title}</title>
  <link rel="icon" href="data:,">
  <style>${STYLE}</style>
  <script>${SCRIPT}</script>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  return new Response(html, {
    status,
    headers: { "Content-Type": "text/html; charset=utf-8" },
  });
}

/** A plain page for a path that leads nowhere. */
export function notFound(): Response {
  return page("Not found", `<p><a href="/">Back to the start</a></p>`, 404);
}

/**
 * The back button may bring a page back from memory whose visitor has logged
 * out since: a page that was left is hidden, and loaded anew. Browsers that
 * heed `Cache-Control: no-store` do so without help, most of the time.
 */
const SCRIPT = `
  addEventListener("pagehide", () => document.body.hidden = true);
  addEventListener("pageshow", (event) => event.persisted && location.reload());
`;

const STYLE = `
  :root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif; }
  body { margin: 0; }
  main { box-sizing: border-box; max-width: 34rem; margin: 0 auto; padding: 2rem 1.25rem; overflow-wrap: anywhere; }
  h1 { font-size: 1.6rem; line-height: 1.2; }
  form { margin: 1.25rem 0; }
  label { display: block; margin: .9rem 0 .25rem; font-weight: 600; }
  label.check { font-weight: 400; }
  input:not([type=checkbox]) {
    box-sizing: border-box; width: 100%; padding: .5rem .6rem; font: inherit;
    border: 1px solid #8a8f98; border-radius: .35rem;
  }
  button {
    margin-top: 1rem; padding: .5rem 1.1rem; font: inherit; font-weight: 600;
    color: #fff; background: #1f5fbf; border: 0; border-radius: .35rem; cursor: pointer;
  }
  :focus-visible { outline: 3px solid #e8a33d; outline-offset: 2px; }
  nav a { margin-right: 1rem; }
  .error { padding: .6rem .8rem; color: #8f1d1d; background: #fdecec; border-radius: .35rem; }
`;
