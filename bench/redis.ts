/**
 * What sessions in Redis cost, as ratios to the one command that each can't do
 * without, over the same connection. It starts a server of its own.
 *
 * Run it with `deno task bench:redis`.
 *
 * @module
 */

import { redisBackend } from "../backends/redis.ts";
import { Session } from "../mod.ts";
import { RedisClient } from "../tests/redis/_client.ts";
import { RedisServer } from "../tests/redis/_server.ts";
import {
  ALL_CALLS,
  payload,
  print,
  printHead,
  requestWith,
} from "./_measure.ts";

/** How many sessions the server holds. */
const RECORDS = 1000;
/** As much as a session lives, in milliseconds. */
const LIFE = "100000000";

await using server = await RedisServer.start();
await using client = new RedisClient(server.port);
const { send } = client;
const session = new Session({ backend: redisBackend(send) });

printHead();
for (const user of [undefined, 7]) {
  const whose = user === undefined ? "" : " of a user's session";
  const content = { ...payload(1), _user_id: user };
  const ids: string[] = [];
  for (let i = 0; i < RECORDS; i++) {
    // A user has a few sessions, and not all there are.
    const id = user === undefined ? undefined : user + Math.floor(i / 4);
    ids.push(await session.encode({ ...content, _user_id: id }));
  }
  const keys = await Promise.all(ids.map(recordKeyOf));
  const text = JSON.stringify(content);
  const pick = <T>(items: readonly T[], index: number) =>
    items[index % items.length];

  const requests = Array.from(
    { length: ALL_CALLS },
    (_, i) => requestWith(pick(ids, i)),
  );
  await print({
    name: `read${whose} / GET`,
    limit: 1.3,
    work: (index) => session.get(requests[index]),
    bare: (index) => send("GET", pick(keys, index)),
  });
  const visits = await Promise.all(
    requests.map(async ({ headers }) => {
      const request = new Request("http://localhost/", { headers });
      const dict = await session.open(request);
      return { request, dict, response: new Response("Hello") };
    }),
  );
  await print({
    name: `save${whose} / SET`,
    limit: 1.6,
    work: (index) => {
      const { request, dict, response } = visits[index];
      dict.n = index;
      dict.save();
      return session.commit(request, response);
    },
    bare: (index) => send("SET", pick(keys, index), text, "PX", LIFE),
  });
}

async function recordKeyOf(id: string): Promise<string> {
  const bytes = new TextEncoder().encode(id);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sessions:record:${hash.toHex()}`;
}
