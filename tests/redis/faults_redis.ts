/**
 * What can befall a Redis server. Each failure is an error of that request, never
 * a lost or a resurrected session, and it works again by itself.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { redisBackend, type StoreBackend } from "../../backends/redis.ts";
import { RedisStore } from "../../backends/stores/redis_store.ts";
import { storeTests } from "../../helpers/testing.ts";
import { captureErrors, cookieSetBy, NOW } from "../_helpers.ts";
import {
  dataOf,
  DAY,
  newSession,
  valueWith,
  visit,
} from "../session/_visits.ts";
import { RedisClient } from "./_client.ts";
import { Proxy } from "./_proxy.ts";
import { RedisServer, type Settings, until } from "./_server.ts";
import { storm } from "./_storm.ts";

/** A server, and somebody who uses it. */
interface Case {
  server: RedisServer;
  client: RedisClient;
  backend: StoreBackend;
}

/** Defines a test with a server of its own. */
function testServer(
  name: string,
  run: (fixture: Case) => Promise<void>,
  settings?: Settings,
): void {
  Deno.test(`redis: ${name}`, async () => {
    await using server = await RedisServer.start(settings);
    await using client = new RedisClient(server.port);
    await run({ server, client, backend: redisBackend(client.send) });
  });
}

/** On disk before an answer is sent, as far as the system keeps its word. */
const APPEND_ONLY: Settings = { appendonly: "yes", appendfsync: "everysec" };

testServer(
  "a server that is killed and starts again has all that was confirmed",
  async ({ server, backend }) => {
    const { saves, errors } = await storm(backend, async () => {
      for (let i = 0; i < 2; i++) {
        await server.kill();
        await pass(20);
        await server.restart();
        await pass(20);
      }
    });
    assert(saves > 100);
    assert(errors.some((message) => message.includes("refused")), `${errors}`);
  },
  APPEND_ONLY,
);

testServer(
  "a request fails while the server is down, and the next one does not",
  async ({ server, backend }) => {
    const session = newSession({ backend });
    const value = await valueWith(session, { n: 1 });
    await server.kill();
    await assertRejects(
      () => dataOf(session, value),
      Deno.errors.ConnectionRefused,
    );
    await assertRejects(
      () => valueWith(session, { n: 1 }),
      Deno.errors.ConnectionRefused,
    );
    await server.restart();
    assertEquals(await dataOf(session, value), { n: 1 });
  },
  APPEND_ONLY,
);

testServer(
  "connections that the server cuts cost their requests, and no session",
  async ({ server, backend }) => {
    await using other = new RedisClient(server.port);
    const { saves, errors } = await storm(backend, async () => {
      for (let i = 0; i < 10; i++) {
        await pass(10);
        await other.send("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      }
    });
    assert(saves > 100);
    assertEquals(errors, ["The connection was cut"]);
  },
);

testServer(
  "a server without memory refuses saves, and lets sessions be read and ended",
  async ({ client, backend }) => {
    const session = newSession({ backend, clock: Date.now });
    const value = await valueWith(session, { n: 1 });
    const ended = await backend.save({ _user_id: 7 });
    await client.send("CONFIG", "SET", "maxmemory", "1");

    const save = () =>
      visit(session, (dict) => {
        dict.n = 2;
        dict.save();
      }, { value });
    await assertRejects(save, Error, "OOM");
    await assertRejects(() => valueWith(session, { n: 1 }), Error, "OOM");
    assertEquals(await dataOf(session, value), { n: 1 });
    await backend.remove(ended);
    assertEquals(await backend.load(ended), null);

    await client.send("CONFIG", "SET", "maxmemory", "0");
    await save();
    assertEquals(await dataOf(session, value), { n: 2 });
  },
);

testServer(
  "a storm over a server whose memory comes and goes",
  async ({ server, backend }) => {
    await using other = new RedisClient(server.port);
    const { saves, errors } = await storm(backend, async () => {
      for (let i = 0; i < 5; i++) {
        await other.send("CONFIG", "SET", "maxmemory", "1");
        await pass(10);
        await other.send("CONFIG", "SET", "maxmemory", "0");
        await pass(10);
      }
    });
    assert(saves > 100);
    assert(errors.length > 0 && errors.every((one) => one.includes("OOM")));
  },
);

testServer(
  "a server that is loading refuses requests, and then has all",
  async ({ server, client, backend }) => {
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) {
      const bytes = crypto.getRandomValues(new Uint8Array(2000));
      ids.push(await backend.save({ n, text: bytes.toHex() }));
    }
    await client.send("SAVE");
    await server.kill();
    await server.restartSlowly();
    await assertRejects(
      async () => await backend.load(ids[0]),
      Error,
      "LOADING",
    );
    await assertRejects(() => backend.save({ n: 1 }, ids[0]), Error, "LOADING");
    await server.isReady();
    for (const [n, id] of ids.entries()) {
      assertEquals((await backend.load(id))?.n, n);
    }
  },
  {
    "key-load-delay": "20000",
    "loading-process-events-interval-bytes": "1024",
  },
);

testServer(
  "a replica that is promoted has all that was confirmed",
  async ({ server, client, backend }) => {
    await using replica = await RedisServer.start();
    await using other = new RedisClient(server.port);
    await using follower = new RedisClient(replica.port);
    const address = ["127.0.0.1", `${server.port}`];
    await follower.send("REPLICAOF", ...address);
    await until(async () => {
      const state = await client.send("INFO", "replication");
      return `${state}`.includes("state=online");
    });

    const { saves, errors } = await storm(backend, async () => {
      await pass(20);
      await other.send("FAILOVER", "TO", "127.0.0.1", `${replica.port}`);
      await until(async () => {
        const state = await follower.send("INFO", "replication");
        return `${state}`.includes("role:master");
      });
      await pass(30); // Nobody has told the client.
      client.port = replica.port;
      await client[Symbol.asyncDispose]();
      await pass(30);
    });
    assert(saves > 100);
    assert(errors.some((message) => message.includes("READONLY")), `${errors}`);
  },
  { "repl-diskless-sync-delay": "0" },
);

testServer(
  "a renewal on a server that takes no writes is logged, and the page is served",
  async ({ client, backend }) => {
    let now = NOW;
    const session = newSession({ backend, clock: () => now * 1000 });
    const value = await valueWith(session, { n: 1 });
    now += 8 * DAY;
    await client.send("REPLICAOF", "127.0.0.1", "1");
    using errors = captureErrors();
    const response = await visit(
      session,
      (dict) => assertEquals(dict.n, 1),
      { value },
    );
    assertEquals(cookieSetBy(response), undefined);
    const [[error]] = errors.lines;
    assert(error instanceof Error && error.cause instanceof Error);
    assertStringIncludes(error.cause.message, "READONLY");
    await client.send("REPLICAOF", "NO", "ONE");
    assertEquals(cookieSetBy(await visit(session, () => {}, { value })), value);
  },
);

/** What the line may be cut in the middle of. */
const CALLS: Record<
  string,
  (backend: StoreBackend, id: string) => Promise<unknown>
> = {
  "load()": async (backend, id) => await backend.load(id),
  "save() of a new session": (backend) => backend.save({ _user_id: 7, n: 2 }),
  "save()": (backend, id) => backend.save({ _user_id: 7, n: 2 }, id),
  "renew()": (backend, id) => backend.renew(id, { exp: Date.now() }),
  "remove()": (backend, id) => backend.remove(id),
  "removeUser()": (backend) => backend.removeUser(7),
};

for (const [name, call] of Object.entries(CALLS)) {
  testServer(
    `an answer to ${name} that is cut is an error, at each byte`,
    async ({ server, client: other }) => {
      await using proxy = new Proxy(server.port);
      await using client = new RedisClient(proxy.port);
      const backend = redisBackend(client.send);
      for (let length = 0;; length += 3) {
        const id = await backend.save({ _user_id: 7, n: 1 });
        proxy.cutAfter = length;
        const [result] = await Promise.allSettled([call(backend, id)]);
        const isDone = proxy.cutAfter !== Infinity;
        proxy.cutAfter = Infinity;
        if (isDone) {
          assertEquals(result.status, "fulfilled");
          assert(length > 3);
          return;
        }
        assert(result.status === "rejected", `after ${length} bytes`);
        assertEquals(result.reason.message, "The connection was cut");
        const { n } = await backend.load(id) ?? {};
        const mayEnd = name.startsWith("remove");
        assert(n === 1 || n === 2 && name === "save()" || mayEnd, `${n}`);
        await backend.removeUser(7);
        assertEquals(await backend.load(id), null);
        assertEquals(await backend.userSessions(7), []);
        await other.send("FLUSHDB");
      }
    },
  );
}

testServer(
  "a command that arrives after its client hung up brings nothing back",
  async ({ client, backend }) => {
    const id = await backend.save({ n: 1 });
    const key = `sessions:record:${await backend.keyOf(id)}`;
    await backend.remove(id);
    await client.sendAndHangUp("SET", key, '{"n":2}', "PX", "1000", "XX");
    await pass(20);
    assertEquals(await backend.load(id), null);
  },
);

testServer(
  "a server that has forgotten the scripts is told them anew",
  async ({ client, backend }) => {
    const id = await backend.save({ _user_id: 7 });
    for (let i = 0; i < 3; i++) {
      await client.send("SCRIPT", "FLUSH");
      await backend.save({ _user_id: 7, i }, id);
      await client.send("SCRIPT", "FLUSH");
      const exp = Math.floor(Date.now() / 1000) + 100 + i;
      assertEquals(await backend.renew(id, { exp }), id);
      assertEquals(await backend.load(id), { _user_id: 7, i, exp });
    }
    assertEquals((await backend.userSessions(7)).length, 1);
  },
);

testServer(
  "an entry of a user that failed leaves the one before, which outlives the session",
  async ({ client, backend }) => {
    const halting = redisBackend((...args) => {
      if (args[0] === "EVALSHA") throw new Error("It was cut");
      return client.send(...args);
    });
    const payload = () => ({
      _user_id: 7,
      exp: Date.now() / 1000 + 1,
    });
    const id = await backend.save(payload());
    await assertRejects(() => halting.save({ ...payload(), n: 1 }, id), Error);
    assertEquals((await backend.load(id))?.n, 1);
    assertEquals((await backend.userSessions(7)).length, 1);
  },
);

testServer(
  "a session is entered into its user's list once, as long as the entry outlives it",
  async ({ client }) => {
    const sent: string[] = [];
    const backend = redisBackend((...args) => {
      sent.push(args[0]);
      return client.send(...args);
    });
    let now = Date.now();
    backend.useClock(() => now);
    const payload = () => ({ _user_id: 7, exp: now / 1000 + 1 });
    const id = await backend.save(payload());
    await backend.save(payload());
    sent.length = 0;
    for (let n = 0; n < 3; n++) await backend.save({ ...payload(), n }, id);
    assertEquals(sent, ["SET", "SET", "SET"]);

    // It shall be kept for longer than its entry was made for.
    await backend.save({ _user_id: 7, exp: now / 1000 + 1000 }, id);
    assertEquals(sent.slice(3).sort(), ["EVALSHA", "SET"]);
    await backend.save({ _user_id: 8, exp: now / 1000 + 1000 }, id);
    assertEquals(sent.slice(5).sort(), ["EVALSHA", "SET"]);

    const clock = performance.now;
    try {
      performance.now = () => clock.call(performance) + 1_100_000;
      await backend.save({ _user_id: 8, exp: now / 1000 + 1000 }, id);
    } finally {
      performance.now = clock;
    }
    assertEquals(sent.slice(7).sort(), ["EVALSHA", "SET"]);
    now += 500_000;
    assertEquals((await backend.userSessions(8)).length, 1);
  },
);

testServer(
  "a user's list lives as long as the longest of the sessions",
  async ({ client, backend }) => {
    const now = Date.now() / 1000;
    await backend.save({ _user_id: 7, exp: now + 1000 });
    await backend.save({ _user_id: 7, exp: now + 10 });
    const life = Number(await client.send("PTTL", "sessions:user:7"));
    assert(life > 1_000_000, `${life} ms`);
  },
);

testServer(
  "a session expires by the server's clock too",
  async ({ client, backend }) => {
    await backend.save({ _user_id: 7, exp: Date.now() / 1000 - 59.9 });
    await pass(250);
    assertEquals(await client.send("KEYS", "sessions:record:*"), []);
  },
);

for (const answer of [undefined, new Uint8Array([123]), ["{}"], 1]) {
  Deno.test(`redis: a client that answers ${Deno.inspect(answer)} is told so`, async () => {
    const backend = redisBackend(() => Promise.resolve(answer));
    const id = "A".repeat(43);
    const calls = [
      async () => await backend.load(id),
      () => backend.save({ n: 1 }, id),
      ...(Array.isArray(answer) ? [] : [() => backend.userSessions(7)]),
    ];
    for (const call of calls) {
      await assertRejects(call, TypeError, "the client answered with");
    }
  });
}

Deno.test("redis: a cluster takes each command, as it has one key", async (t) => {
  await using server = await RedisServer.start({ "cluster-enabled": "yes" });
  await using client = new RedisClient(server.port);
  await client.send("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  await until(async () =>
    `${await client.send("CLUSTER", "INFO")}`.includes("cluster_state:ok")
  );
  const open = async () => {
    await client.send("FLUSHALL");
    return { store: new RedisStore(client.send, "sessions:") };
  };
  for (const { name, run } of storeTests(open)) await t.step(name, run);
  const backend = redisBackend(client.send);
  const id = await backend.save({ _user_id: 7 });
  await backend.renew(id, { exp: Date.now() });
  await backend.removeUser(7);
  assertEquals(await backend.load(id), null);
});

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
