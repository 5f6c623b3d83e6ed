/**
 * The sessions of one user, where the backend keeps sessions.
 *
 * @module
 */

import { COOKIE, SAVED, SERIES, STAMP, STARTED } from "../backends/claims.ts";
import { forEachNew } from "../backends/stores/each_new.ts";
import type { StoreBackend, StoredSession } from "../backends/store.ts";
import type { SessionCore } from "../session/core.ts";
import { dataOf } from "../session/dict.ts";
import type { Exchange } from "../session/exchange.ts";
import { isStoreBackend, seriesNameOf } from "./series.ts";

/** One of a user's sessions, for a page that lists them. */
export interface LoginSession {
  /** Tells it from the user's others; for `endSession`, by way of a form. */
  key: string;
  /** When the user logged in. */
  startedAt: Date;
  /** When it was last saved or renewed. */
  savedAt: Date;
  /** Whether it is the one that asks. */
  isCurrent: boolean;
  /** The session's data. */
  data: Record<string, unknown>;
}

/** Whose sessions they are. */
export interface SessionsOwner {
  id: string | number;
  /** The security stamp: sessions of another one have ended. */
  stamp: string | undefined;
}

/** Lists and ends the sessions of one user. */
export class UserSessions {
  readonly #core: SessionCore;

  /** Knows the sessions of a Session's users. */
  constructor(core: SessionCore) {
    this.#core = core;
  }

  /** @throws {TypeError} If the backend keeps no sessions. */
  check(): void {
    void this.#backend;
  }

  /** Lists the sessions, the latest login first. */
  async list(
    exchange: Exchange,
    owner: SessionsOwner,
  ): Promise<LoginSession[]> {
    const stored = await this.#sessionsOf(owner.id);
    const current = await this.keyOf(exchange);
    const alive = stored.filter(({ payload }) =>
      payload[STAMP] === owner.stamp && this.#core.accepts(payload)
    );
    // A browser that was closed has left its session behind.
    const shown = new Map<string, LoginSession>();
    for (const one of alive.sort(byStart)) {
      const browser = browserOf(one);
      const session = describe(one, current);
      if (session.isCurrent || !shown.has(browser)) shown.set(browser, session);
    }
    return [...shown.values()];
  }

  /** Whether the session of a request is the one of a key. */
  async isCurrent(exchange: Exchange, key: unknown): Promise<boolean> {
    return key !== undefined && await this.keyOf(exchange) === key;
  }

  /**
   * Ends a session, unless it is another user's, and all that the same
   * remember-me cookie has begun; but first that cookie, which would begin more.
   */
  async end(id: string | number, key: unknown): Promise<void> {
    const sessions = await this.#sessionsOf(id);
    const ended = sessions.find((one) => one.key === key);
    if (ended === undefined) return;
    const browser = browserOf(ended);
    const others = sessions.filter((one) => browserOf(one) === browser);
    for (const key of [browser, ...others.map(({ key }) => key)]) {
      await this.#backend.removeUserSession(id, key);
    }
  }

  /** Ends all sessions and remember-me cookies of a user, but those kept. */
  async endAll(
    id: string | number,
    kept: readonly unknown[] = [],
  ): Promise<void> {
    const seen = new Set<unknown>(kept);
    // First what would begin sessions anew.
    for (const name of [seriesNameOf(this.#name), this.#name]) {
      await forEachNew(
        async () => (await this.#sessionsOf(id, name)).map(({ key }) => key),
        (key) => this.#backend.removeUserSession(id, key),
        seen,
      );
    }
  }

  /** What the session of a request is stored under, if it is. */
  async keyOf(exchange: Exchange): Promise<string | undefined> {
    await exchange.settle(); // It may be about to get another id.
    const { value } = exchange;
    return value && await this.#backend.keyOf(value);
  }

  get #name(): string {
    return this.#core.config.cookie.name;
  }

  /** Another Session with users of its own may have the same store. */
  async #sessionsOf(
    id: string | number,
    name = this.#name,
  ): Promise<StoredSession[]> {
    const sessions = await this.#backend.userSessions(id);
    return sessions.filter(({ payload }) => payload[COOKIE] === name);
  }

  /** @throws {TypeError} If the backend keeps no sessions. */
  get #backend(): StoreBackend {
    const { backend } = this.#core;
    if (isStoreBackend(backend)) return backend;
    throw new TypeError(
      "Cannot list sessions: the backend keeps none, but leaves them in cookies; use kvBackend(), redisBackend() or storeBackend()",
    );
  }
}

/** Orders sessions, the latest login first. */
function byStart(a: StoredSession, b: StoredSession): number {
  return Number(b.payload[STARTED]) - Number(a.payload[STARTED]);
}

/** Sessions of one series of remember-me tokens are one browser's. */
function browserOf({ key, payload }: StoredSession): string {
  const { [SERIES]: series } = payload;
  return typeof series === "string" ? series : key;
}

function describe(
  { key, payload }: StoredSession,
  current: string | undefined,
): LoginSession {
  const { [STARTED]: started, [SAVED]: saved } = payload;
  return {
    key,
    startedAt: new Date(Number(started) * 1000),
    savedAt: new Date(Number(saved) * 1000),
    isCurrent: key === current,
    data: dataOf(payload),
  };
}
