/**
 * A limit on how often a password may be tried, for each user and each address:
 * whoever guesses, guesses slowly.
 *
 * It is as simple as that: each process counts for itself, and forgets. A site
 * on the internet counts in a store that its processes share, such as Redis;
 * takes an IPv6 network for one address, and behind a proxy the address that
 * the proxy names; asks for a second factor, or a puzzle, rather than let a
 * stranger lock a user out; and tells the user.
 *
 * @module
 */

/** How often something may be tried. */
export interface TriesOptions {
  /** The number of tries, within the time. */
  most: number;
  /** The time, in seconds; default: 300. */
  seconds?: number;
  /** Milliseconds since the epoch; default: `Date.now`. */
  clock?: () => number;
}

/** How many keys are counted at most; the one not tried for longest goes. */
const MAX_KEYS = 10_000;
/** What a key is told from others by, in characters. */
const MAX_KEY_LENGTH = 100;

/** Counts tries by key. */
export class Tries {
  readonly #most: number;
  readonly #time: number;
  readonly #clock: () => number;
  readonly #counts = new Map<string, number>();
  #end = 0;

  /** Counts from 0. */
  constructor({ most, seconds = 300, clock = Date.now }: TriesOptions) {
    this.#most = most;
    this.#time = seconds * 1000;
    this.#clock = clock;
  }

  /** Takes one of the tries, before it is made; tells whether there was one. */
  take(name: string): boolean {
    const now = this.#clock();
    if (now >= this.#end) {
      this.#counts.clear();
      this.#end = now + this.#time;
    }
    const key = keyOf(name);
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.delete(key); // It becomes the last one.
    this.#counts.set(key, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_KEYS) this.#counts.delete(oldest);
    return count <= this.#most;
  }

  /** Gives the tries back: it was the user. */
  forget(name: string): void {
    this.#counts.delete(keyOf(name));
  }
}

/** Tries to log in. */
export class LoginTries {
  readonly #byUser = new Tries({ most: 10 });
  readonly #byAddress = new Tries({ most: 40 });

  /** Takes one of the tries of a user and an address. */
  take(userName: string, { remoteAddr }: Deno.ServeHandlerInfo): boolean {
    const isTcp = remoteAddr.transport === "tcp";
    return this.#byAddress.take(isTcp ? remoteAddr.hostname : "") &&
      this.#byUser.take(userName);
  }

  /** Gives a user's tries back, who has come in. */
  forget(userName: string): void {
    this.#byUser.forget(userName);
  }
}

function keyOf(name: string): string {
  return name.slice(0, MAX_KEY_LENGTH);
}
