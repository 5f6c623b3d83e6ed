/**
 * Sessions on the server, in Redis or what speaks its protocol: the cookie holds
 * a random id, the store the data. They may be larger than a cookie, a client
 * can't read them, and they end when you say so, wherever the cookie was copied
 * to.
 *
 * Any client serves that can send a command:
 *
 * ```ts ignore
 * import { createClient } from "npm:redis";
 * import { Redis } from "npm:ioredis";
 * import { connect } from "jsr:@db/redis";
 *
 * const client = await createClient().connect();
 * redisBackend((...args) => client.sendCommand(args));
 *
 * const other = new Redis();
 * redisBackend((command, ...args) => other.call(command, ...args));
 *
 * const third = await connect({ hostname: "127.0.0.1" });
 * redisBackend((command, ...args) => third.sendCommand(command, args));
 * ```
 *
 * @module
 */

import { checkOptions, checkType, ofType } from "./check.ts";
import { type StoreBackend, storeBackend } from "./store.ts";
import { type RedisSend, RedisStore } from "./stores/redis_store.ts";

export type { Backend, Payload, RejectReason } from "./backend.ts";
export type { StoreBackend, StoredSession } from "./store.ts";
export type { RedisSend } from "./stores/redis_store.ts";

/** Options of {@linkcode redisBackend}. */
export interface RedisBackendOptions {
  /**
   * What the keys of all records begin with.
   *
   * @default {"sessions:"}
   */
  prefix?: string;
}

/**
 * Makes a backend that keeps sessions in Redis 7 or later, through a client
 * that you connect and close. What it promises is said at `storeBackend`.
 *
 * A session is one key, and the list of a user's sessions another: each command
 * has one key, so it runs on a cluster too. What the server or the client says
 * of a failure is passed on to the request; how long to wait is the client's.
 *
 * @example Keep sessions in Redis
 * ```ts
 * import { Session } from "@denizen/session";
 * import { redisBackend } from "@denizen/session/redis";
 * import { assertEquals } from "@std/assert";
 *
 * // Stands for a client that is connected.
 * const send = (...args: string[]) => Promise.resolve(args[0] === "SET" ? "OK" : null);
 * const session = new Session({ backend: redisBackend(send) });
 * assertEquals((await session.encode({ n: 1 })).length, 43);
 * ```
 *
 * @param send Sends a command and its arguments, and resolves to the answer;
 * rejects where the server answers with an error.
 * @param options The options.
 * @returns The backend.
 * @throws {TypeError} If `send` is no function, or an option is not what it must
 * be.
 */
export function redisBackend(
  send: RedisSend,
  options?: RedisBackendOptions,
): StoreBackend {
  checkType("send", send, "function");
  const { prefix = "sessions:" } = checkOptions(options, {
    prefix: ofType("string"),
  });
  return storeBackend(new RedisStore(send, prefix));
}
