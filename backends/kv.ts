/**
 * Sessions on the server, in Deno KV: the cookie holds a random id, the database
 * the data. They may be larger than a cookie, a client can't read them, and they
 * end when you say so, wherever the cookie was copied to.
 *
 * `Deno.openKv` needs `--unstable-kv`, or `"unstable": ["kv"]` in `deno.json`.
 *
 * @example Log out everywhere
 * ```ts
 * import { Session } from "@denizen/session";
 * import { kvBackend } from "@denizen/session/kv";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:");
 * const backend = kvBackend(kv);
 * const session = new Session({ backend }); // It needs no secret key.
 *
 * const phone = await session.encode({ _user_id: 7, device: "phone" });
 * const laptop = await session.encode({ _user_id: 7, device: "laptop" });
 * assertEquals(await session.decode(phone), { _user_id: 7, device: "phone" });
 *
 * await backend.removeUser(7);
 * assertEquals(await session.decode(phone), {});
 * assertEquals(await session.decode(laptop), {});
 * ```
 *
 * @module
 */

import { checkMethods, checkOptions } from "./check.ts";
import type { KvKey, KvStore } from "./stores/kv_types.ts";
import { KvSessionStore } from "./stores/kv_store.ts";
import { type StoreBackend, storeBackend } from "./store.ts";

export type { Backend, Payload, RejectReason } from "./backend.ts";
export type { StoreBackend, StoredSession } from "./store.ts";
export type {
  KvAtomic,
  KvEntry,
  KvKey,
  KvSetOptions,
  KvStore,
} from "./stores/kv_types.ts";

const PART_TYPES: readonly string[] = ["string", "number", "bigint", "boolean"];

/** Options of {@linkcode kvBackend}. */
export interface KvBackendOptions {
  /**
   * What the keys of all records begin with.
   *
   * @default {["sessions"]}
   */
  prefix?: KvKey;
}

/**
 * Makes a backend that keeps sessions in a Deno KV database, which you open
 * and close. What it promises is said at `storeBackend`.
 *
 * @example List one's own sessions, and end one
 * ```ts
 * import { kvBackend } from "@denizen/session/kv";
 * import { assertEquals } from "@std/assert";
 *
 * using kv = await Deno.openKv(":memory:");
 * const backend = kvBackend(kv, { prefix: ["shop", "sessions"] });
 *
 * const id = await backend.save({ _user_id: "susan", device: "phone" });
 * const [{ key, payload }] = await backend.userSessions("susan");
 * assertEquals(payload.device, "phone");
 *
 * await backend.removeUserSession("susan", key);
 * assertEquals(await backend.load(id), null);
 * ```
 *
 * @param kv The database, or another store of its shape.
 * @param options The options.
 * @returns The backend.
 * @throws {TypeError} If `kv` lacks a method, or `prefix` is no key.
 */
export function kvBackend(
  kv: KvStore,
  options?: KvBackendOptions,
): StoreBackend {
  const methods = ["get", "list", "atomic"];
  checkMethods("kv", kv, methods, "pass what Deno.openKv() resolves to");
  const { prefix = ["sessions"] } = checkOptions(options, {
    prefix: checkPrefix,
  });
  return storeBackend(new KvSessionStore(kv, [...prefix]));
}

function checkPrefix(_option: string, prefix: unknown): void {
  if (Array.isArray(prefix) && prefix.every(isKeyPart)) return;
  throw new TypeError(
    'Cannot use prefix: it must be a Deno KV key such as ["sessions"]',
  );
}

function isKeyPart(part: unknown): boolean {
  return PART_TYPES.includes(typeof part) || part instanceof Uint8Array;
}
