/**
 * A part of a Redis server that can be watched, delayed and made to fail.
 *
 * @module
 */

import { redisBackend, type StoreBackend } from "../../backends/redis.ts";
import { type Entry, TestStore } from "../backends/_test_store.ts";
import { RedisClient } from "./_client.ts";

/** What the server keeps this long is there for good, in milliseconds. */
const FOR_GOOD = 1e13;

/** All keys of a prefix, with pauses. */
export class TestRedis extends TestStore {
  readonly client: RedisClient;
  readonly prefix = `${crypto.randomUUID()}:`;

  /** Keeps sessions in the server at a port. */
  constructor(port: number) {
    super();
    this.client = new RedisClient(port);
  }

  protected override newBackend(): StoreBackend {
    const { client, prefix } = this;
    return redisBackend(
      (...args) => this.work(args[0], () => client.send(...args)),
      { prefix },
    );
  }

  override async entries(): Promise<Entry[]> {
    return await Promise.all((await this.#keys()).map(async (key) => ({
      key,
      text: (await this.#isRecord(key)
        ? [await this.#send("GET", key)]
        : await this.#send("ZRANGE", key, "0", "-1") as string[]).join(" "),
      isLasting: await this.#lifeOf(key) > FOR_GOOD,
    })));
  }

  override async spoil(text: string): Promise<void> {
    for (const key of await this.#keys()) {
      if (await this.#isRecord(key)) {
        await this.#send("SET", key, text, "KEEPTTL");
      }
    }
  }

  override async age(seconds: number): Promise<void> {
    for (const key of await this.#keys()) {
      const life = await this.#lifeOf(key) - seconds * 1000;
      if (life <= 0) {
        await this.#send("DEL", key);
        continue;
      }
      await this.#send("PEXPIRE", key, `${life}`);
      if (await this.#isRecord(key)) continue;
      for (const member of await this.#list("ZRANGE", key, "0", "-1")) {
        await this.#send("ZINCRBY", key, `${-seconds * 1000}`, member);
      }
    }
  }

  override async close(): Promise<void> {
    const keys = await this.#keys();
    if (keys.length > 0) await this.#send("DEL", ...keys);
    await this.client[Symbol.asyncDispose]();
  }

  #send(...args: string[]): Promise<unknown> {
    return this.client.send(...args);
  }

  async #list(...args: string[]): Promise<string[]> {
    return (await this.#send(...args) as string[]).map(String); // as it answers
  }

  #keys(): Promise<string[]> {
    return this.#list("KEYS", `${this.prefix}*`);
  }

  async #isRecord(key: string): Promise<boolean> {
    return await this.#send("TYPE", key) === "string";
  }

  async #lifeOf(key: string): Promise<number> {
    const life = Number(await this.#send("PTTL", key));
    return life === -1 ? Infinity : life;
  }
}
