// Serves a bundle on Node, by the server that Hono has for it.
import { serve } from "@hono/node-server";

const { makeSite } = await import(process.argv[2]);
const options = { fetch: makeSite(), hostname: "127.0.0.1", port: 0 };
serve(options, ({ port }) => console.log(`http://127.0.0.1:${port}/`));
