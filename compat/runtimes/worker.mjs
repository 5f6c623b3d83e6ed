// Serves a bundle as a Worker of Cloudflare's.
import { makeSite } from "./site.mjs";

function upgrade() {
  const { 0: client, 1: server } = new globalThis.WebSocketPair();
  server.accept();
  server.addEventListener("close", () => server.close());
  server.send("hello");
  return new Response(null, { status: 101, webSocket: client });
}

export default { fetch: makeSite(upgrade) };
