/**
 * How long a plain request waits while 200 visitors log in at once.
 *
 * Run it with `deno task bench:flood`.
 *
 * @module
 */

import { hashPassword, verifyPassword } from "../helpers/passwords.ts";
import { median } from "./_measure.ts";

const LOGINS = 200;
/** The longest median, in milliseconds. */
const LIMIT = 100;
/** How long to wait from one plain request to the next, in milliseconds. */
const PAUSE = 20;

const hash = await hashPassword("hello");
const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen() {} },
  async (request) => {
    if (request.method === "GET") return new Response("Hello");
    const isRight = await verifyPassword(await request.text(), hash);
    return new Response(null, { status: isRight ? 204 : 403 });
  },
);
const url = `http://127.0.0.1:${server.addr.port}/`;

let left = LOGINS;
const start = performance.now();
const logins = Array.from({ length: LOGINS }, async () => {
  await fetch(url, { method: "POST", body: "hello" });
  left--;
});

const times: number[] = [];
while (left > 0) {
  const begin = performance.now();
  await (await fetch(url)).text();
  times.push(performance.now() - begin);
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
}
await Promise.all(logins);
const seconds = (performance.now() - start) / 1000;
await server.shutdown();

const middle = median(times);
console.log(`| logins | seconds | plain requests | median ms | longest ms |
| ---: | ---: | ---: | ---: | ---: |
| ${LOGINS} | ${seconds.toFixed(1)} | ${times.length} | ${
  middle.toFixed(1)
} | ${Math.max(...times).toFixed(1)} |`);
if (middle > LIMIT) {
  console.error(`The median is over ${LIMIT} ms`);
  Deno.exit(1);
}
