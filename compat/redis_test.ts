/** `redisBackend` with the real clients, against a real `redis-server`. */

import { Login, Session } from "@denizen/session";
import { redisBackend } from "@denizen/session/redis";
import { storeTests, TestClient } from "@denizen/session/testing";
import { RedisStore } from "../backends/stores/redis_store.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import { createClient } from "redis";

type Send = (...args: [string, ...string[]]) => Promise<unknown>;

/** A client that is connected. */
interface Connection {
  send: Send;
  close: () => Promise<unknown>;
}

const CLIENTS: Record<string, (path: string) => Promise<Connection>> = {
  "npm:redis": async (path) => {
    const client = createClient({ socket: { path, tls: false } });
    await client.connect();
    return {
      send: (...args) => client.sendCommand(args),
      close: () => client.close(),
    };
  },
  "npm:ioredis": async (path) => {
    const client = new Redis({ path, lazyConnect: true });
    await client.connect();
    return {
      send: (command, ...args) => client.call(command, ...args),
      close: () => client.quit(),
    };
  },
};

/** A `redis-server` on a socket of its own, until it is disposed of. */
class Server implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync();
  readonly path = `${this.directory}/redis.sock`;
  readonly #child: Deno.ChildProcess;

  constructor() {
    const settings = {
      port: "0",
      unixsocket: this.path,
      dir: this.directory,
      save: "",
    };
    const args = Object.entries(settings).flatMap((
      [name, value],
    ) => [`--${name}`, value]);
    const command = new Deno.Command("redis-server", { args, stdout: "null" });
    this.#child = command.spawn();
  }

  /** Waits until clients can connect. */
  async ready(): Promise<void> {
    for (let i = 0; i < 200; i++) {
      try {
        (await Deno.connect({ transport: "unix", path: this.path })).close();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    throw new Error("redis-server does not answer");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.status;
    await Deno.remove(this.directory, { recursive: true });
  }
}

for (const [name, connect] of Object.entries(CLIENTS)) {
  Deno.test(`${name}: a store of sessions`, async (t) => {
    await using server = new Server();
    await server.ready();
    const [one, two] = await Promise.all([
      connect(server.path),
      connect(server.path),
    ]);
    let tests = 0;
    const open = () => {
      const prefix = `test${++tests}:`;
      return {
        store: new RedisStore(one.send, prefix),
        other: new RedisStore(two.send, prefix),
      };
    };
    for (const { name, run } of storeTests(open)) await t.step(name, run);

    await t.step("a user logs in, and is logged out everywhere", async () => {
      const backend = redisBackend(one.send);
      const session = new Session({ backend });
      const login = new Login(session, {
        userLoader: (id: number) => ({ id }),
      });
      const home = login.required(() => new Response("home"));
      const client = new TestClient(home, { login });
      await client.loginAs({ id: 7 });
      assertEquals((await client.get("/")).status, 200);
      assertEquals((await backend.userSessions(7)).length, 1);
      await redisBackend(two.send).removeUser(7);
      assertEquals((await client.get("/")).status, 302);
    });

    await t.step("what the server says of a mistake is passed on", async () => {
      await one.send("SET", "sessions:record:x", "text");
      const key = "sessions:user:7";
      await one.send("SET", key, "no list");
      await assertRejects(() => redisBackend(one.send).removeUser(7), Error);
    });

    await one.close();
    await two.close();
  });
}
