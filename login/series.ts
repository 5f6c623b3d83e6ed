/**
 * Remember tokens of one use, where the backend keeps sessions: each return gets
 * the next one of its series, and one that comes a second time was stolen, by
 * whoever comes first.
 *
 * @module
 */

import type { Backend, Payload } from "../backends/backend.ts";
import { COOKIE, isTime, STARTED, USER_ID } from "../backends/claims.ts";
import type { StoreBackend } from "../backends/store.ts";

/** How long the token before is taken, in seconds: answers get lost. */
const GRACE = 10;
/** How often a series is renewed while others are faster. */
const MAX_ATTEMPTS = 10;

/** A place in a series, as a token has it. */
export interface Place {
  /** What the series is known by. */
  series: string;
  /** The number of the token in it. */
  number: number;
}

/** Whose series it is, and until when, in seconds since the epoch. */
export interface SeriesOwner {
  /** The name of the session's cookie. */
  cookie: string;
  /** The user. */
  userId: string | number;
  /** When the token expires. */
  exp: number;
  /** The time. */
  now: number;
}

/** What a token's place tells: the series goes on, has ended, or was stolen. */
export type Standing = "current" | "ended" | "reused";

/** Keeps series in a backend, as records that are no session's. */
export class RememberSeries {
  readonly #backend: StoreBackend;

  /** Keeps series in a backend. */
  constructor(backend: StoreBackend) {
    this.#backend = backend;
  }

  /** Begins a series. */
  async begin(owner: SeriesOwner): Promise<Place> {
    const series = await this.#backend.save(recordOf(owner, 1));
    return { series, number: 1 };
  }

  /** What a token's place tells. */
  async standingOf({ series, number }: Place, now: number): Promise<Standing> {
    const record = await this.#backend.load(series);
    if (record === null) return "ended";
    const ahead = Number(record.number) - number;
    const isLate = ahead === 1 && isTime(record[STARTED]) &&
      now - record[STARTED] <= GRACE;
    // A request that took long may have set the record back.
    return ahead <= 0 || isLate ? "current" : "reused";
  }

  /**
   * Goes on with a series from a place that was current when the request came;
   * from one place, all come to the same.
   *
   * @returns `null` where it has ended meanwhile, and the same place where the
   * browser has a later one, or better asks for one another time.
   */
  async next(place: Place, owner: SeriesOwner): Promise<Place | null> {
    const { series } = place;
    const next = { series, number: place.number + 1 };
    for (let i = 0; i < MAX_ATTEMPTS; i++) {
      const record = await this.#backend.load(series);
      if (record === null) return null;
      const ahead = Number(record.number) - place.number;
      if (ahead > 0) return ahead === 1 ? next : place;
      const renewed = recordOf(owner, next.number);
      if (await this.#backend.renew(series, renewed) !== null) return next;
      // Another request was faster.
    }
    throw new Error(
      `Cannot renew remember-me cookie: other requests were faster ${MAX_ATTEMPTS} times`,
    );
  }

  /** What the series is known by in the store. */
  keyOf({ series }: Place): Promise<string> {
    return this.#backend.keyOf(series);
  }

  /** Ends a series. */
  async end({ series }: Place): Promise<void> {
    await this.#backend.remove(series);
  }
}

/** Whether a backend keeps sessions, and knows whose they are. */
export function isStoreBackend(backend: Backend): backend is StoreBackend {
  return "userSessions" in backend;
}

/** What a record of a series has in place of the name of the session's cookie. */
export function seriesNameOf(cookie: string): string {
  return `remember me beside ${cookie}`;
}

/**
 * The record is the user's, so that it ends with their sessions. It is none
 * itself: what it is of can't be the name of a cookie.
 */
function recordOf(
  { cookie, userId, exp, now }: SeriesOwner,
  number: number,
): Payload {
  const name = seriesNameOf(cookie);
  return { number, [COOKIE]: name, [USER_ID]: userId, [STARTED]: now, exp };
}
