/**
 * The smallest session: a counter for each visitor.
 *
 *     deno run --allow-net --allow-env examples/counter.ts
 *     curl -i -c jar -b jar http://127.0.0.1:8000/
 *
 * @module
 */

import { Session, withSession } from "@denizen/session";
import { secretKey, server } from "./_example.ts";

const session = new Session<{ n: number }>({ secretKey: secretKey() });

const handler = withSession(session, (_request, dict) => {
  dict.n = (dict.n ?? 0) + 1;
  dict.save();
  return Response.json({ n: dict.n });
});

export default server(import.meta, handler);
