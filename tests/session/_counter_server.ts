/**
 * A process that counts each visitor's requests, with the keys in its arguments.
 *
 * @module
 */

import { Session, withSession } from "../../mod.ts";

const session = new Session<{ visitor: string; n: number }>({
  secretKey: Deno.args,
});

const handler = withSession(session, (request, dict) => {
  const [, visitor] = new URL(request.url).pathname.split("/");
  dict.visitor ??= visitor;
  dict.n = (dict.n ?? 0) + 1;
  dict.save();
  return Response.json({ visitor: dict.visitor, n: dict.n });
});

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`Serving at http://127.0.0.1:${port}`),
}, handler);
