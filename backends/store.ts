/**
 * Sessions on the server, in a store of your own: the cookie holds a random id,
 * the store the data. They may be larger than a cookie, a client can't read
 * them, and they end when you say so, wherever the cookie was copied to.
 *
 * Deno KV and Redis have theirs in `@denizen/session/kv` and `/redis`.
 *
 * @module
 */

import { checkMethods } from "./check.ts";
import type { SessionStore, StoreBackend } from "./stores/session_store.ts";
import { StoredSessions } from "./stores/stored_sessions.ts";

export type { Backend, Payload, RejectReason } from "./backend.ts";
export type {
  SessionStore,
  StoreBackend,
  StoredSession,
  StoreRecord,
} from "./stores/session_store.ts";

/**
 * Makes a backend that keeps sessions in a store. The cookie holds 32 random
 * bytes; the record lies under their hash, so that nobody who reads the store
 * can take over a session.
 *
 * Concurrent saves of one session: the last one wins, and none fails. A save
 * never brings back a session that was ended, and rejects instead. What becomes
 * a user's session is to be saved without `previous`, as `Login` does: a
 * `removeUser` that comes at the same time might miss it otherwise.
 *
 * @example Keep sessions in memory
 * ```ts
 * import { Session } from "@denizen/session";
 * import { type SessionStore, storeBackend } from "@denizen/session/store";
 * import { assertEquals } from "@std/assert";
 *
 * const records = new Map<string, { text: string; user?: string }>();
 * const memory: SessionStore = {
 *   get: (key) => records.get(key)?.text ?? null,
 *   set: (key, { text, user }) => void records.set(key, { text, user }),
 *   replace(key, { text, user }, expected) {
 *     const present = records.get(key)?.text;
 *     if (present === undefined || present !== (expected ?? present)) return false;
 *     records.set(key, { text, user });
 *     return true;
 *   },
 *   delete: (key) => void records.delete(key),
 *   keysOf: (user) => [...records.keys()].filter((key) => records.get(key)?.user === user),
 * };
 *
 * const backend = storeBackend(memory);
 * const session = new Session({ backend }); // It needs no secret key.
 * const phone = await session.encode({ _user_id: 7, device: "phone" });
 * assertEquals(await session.decode(phone), { _user_id: 7, device: "phone" });
 *
 * await backend.removeUser(7);
 * assertEquals(await session.decode(phone), {});
 * ```
 *
 * @param store The store.
 * @returns The backend.
 * @throws {TypeError} If the store lacks a method.
 */
export function storeBackend(store: SessionStore): StoreBackend {
  const methods = ["get", "set", "replace", "delete", "keysOf"];
  checkMethods("store", store, methods, "implement SessionStore");
  return new StoredSessions(store);
}
