/**
 * What is tested on every backend and on every store, on a real Redis.
 *
 * @module
 */

import { redisBackend } from "../../backends/redis.ts";
import { RedisStore } from "../../backends/stores/redis_store.ts";
import { storeTests } from "../../helpers/testing.ts";
import { ROWS, storeRow } from "../backends/_every_backend.ts";
import { STORES } from "../backends/_stores.ts";
import { RedisClient } from "./_client.ts";
import { RedisServer } from "./_server.ts";
import { TestRedis } from "./_test_redis.ts";

const server = await RedisServer.start();
addEventListener("unload", () => server.end());

for (const name of Object.keys(ROWS)) delete ROWS[name];
ROWS.redis = storeRow(() => {
  const client = new RedisClient(server.port);
  const prefix = `${crypto.randomUUID()}:`;
  return Promise.resolve({
    make: () => redisBackend(client.send, { prefix }),
    close: () => client[Symbol.asyncDispose](),
  });
});
STORES.clear();
STORES.set("redis", () => new TestRedis(server.port));

await import("../backends/every_backend_test.ts");
await import("../backends/every_backend_session_test.ts");
await import("../backends/every_backend_login_test.ts");
await import("../backends/stores/stored_sessions_test.ts");
await import("../backends/stores/saves_test.ts");
await import("../backends/stores/user_sessions_test.ts");
await import("../backends/stores/races_test.ts");
await import("../backends/stores/faults_test.ts");
await import("../backends/stores/logins_test.ts");
await import("../session/regenerate_test.ts");

/** Two connections to the keys behind a prefix of their own. */
function openStores(port: number) {
  const clients = [new RedisClient(port), new RedisClient(port)];
  const prefix = `${crypto.randomUUID()}:`;
  const [store, other] = clients.map(({ send }) =>
    new RedisStore(send, prefix)
  );
  const close = async () => {
    for (const client of clients) await client[Symbol.asyncDispose]();
  };
  return { store, other, close };
}

for (const { name, run } of storeTests(() => openStores(server.port))) {
  Deno.test(`redis: ${name}`, run);
}
