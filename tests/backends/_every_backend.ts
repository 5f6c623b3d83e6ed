/**
 * What is promised of every backend is tested on every backend: a row of a
 * table each, so that another one is another row.
 *
 * @module
 */

import { type Backend, base64Backend } from "../../backends/base64.ts";
import { fernetBackend } from "../../backends/fernet.ts";
import { jwtBackend } from "../../backends/jwt.ts";
import { kvBackend, type StoreBackend } from "../../backends/kv.ts";
import { Session, type SessionOptions } from "../../mod.ts";
import { KEY, NOW } from "../_helpers.ts";
import { type Setting, Site } from "../_login.ts";

/** What an application can tell one backend from another by. */
export interface Traits {
  /** Whether a client is unable to make a session. A Login demands it. */
  isAuthenticated: boolean;
  /** Whether a client can read its session. */
  isReadable: boolean;
  /** Whether the server keeps the sessions, and can end them. */
  isKept: boolean;
  /** Whether the session must have a secret key, may have one, or must not. */
  secretKey: "needed" | "optional" | "refused";
  /** The largest session, in bytes. */
  limit: number;
}

/** What backends of one kind are made of, for the time of a test. */
export interface Maker {
  /** Makes a backend; with others of this maker, it shares what they keep. */
  make(clock?: () => number): Backend;
  /** Closes what they are kept in. */
  close?(): void | Promise<void>;
  /** What a session calls the backend, where it makes its own. */
  name?: "jwt" | "fernet" | "base64";
}

/** A backend to test: what it is like, and how to open it. */
export interface Row extends Traits {
  open(): Maker | Promise<Maker>;
}

/** Signed and encrypted cookies have all else in common. */
const COOKIE: Omit<Traits, "isReadable"> = {
  isAuthenticated: true,
  isKept: false,
  secretKey: "needed",
  limit: 4096,
};

/** The backends that are tested, by name. */
export const ROWS: Record<string, Row> = {
  jwt: {
    ...COOKIE,
    isReadable: true,
    open: () => ({
      name: "jwt",
      make: (clock) => jwtBackend({ secretKey: KEY, type: "test", clock }),
    }),
  },
  fernet: {
    ...COOKIE,
    isReadable: false,
    open: () => ({
      name: "fernet",
      make: (clock) => fernetBackend({ secretKey: KEY, clock }),
    }),
  },
  base64: {
    ...COOKIE,
    isAuthenticated: false,
    isReadable: true,
    secretKey: "refused",
    open: () => ({
      name: "base64",
      make: (clock) => base64Backend({ clock }),
    }),
  },
  kv: storeRow(async () => {
    const kv = await Deno.openKv(":memory:");
    return { make: () => kvBackend(kv), close: () => kv.close() };
  }),
};

/** A backend that keeps sessions in a store. */
export function storeRow(
  open: () => Promise<{ make(): StoreBackend; close(): void | Promise<void> }>,
): Row {
  return {
    isAuthenticated: true,
    isReadable: false,
    isKept: true,
    secretKey: "optional",
    limit: 65_536,
    async open() {
      const { make, close } = await open();
      return {
        close,
        make(clock = Date.now) {
          const backend = make();
          backend.useClock(clock);
          return backend;
        },
      };
    },
  };
}

/** One backend under test, with a clock of its own. */
export class Fixture implements AsyncDisposable {
  readonly traits: Traits;
  readonly #maker: Maker;
  /** The time, in seconds. */
  now = NOW;
  readonly #clock = () => this.now * 1000;
  /** A backend by itself. */
  readonly backend: Backend;
  /** A session over such a backend. */
  readonly session: Session;

  constructor(traits: Traits, maker: Maker) {
    this.traits = traits;
    this.#maker = maker;
    this.backend = this.newBackend();
    this.session = this.newSession();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#maker.close?.();
  }

  /** Another backend, as another server has it. */
  newBackend(): Backend {
    return this.#maker.make(this.#clock);
  }

  /** A backend that no clock was given to. */
  newBackendWithoutClock(): Backend {
    return this.#maker.make();
  }

  /** Another session, of the same key if it needs one. */
  newSession(
    options: SessionOptions = {},
    isKeyed = this.traits.secretKey === "needed",
  ): Session {
    return new Session({
      ...(isKeyed && { secretKey: KEY }),
      backend: this.#maker.name ?? this.newBackendWithoutClock(),
      clock: this.#clock,
      ...options,
    });
  }

  /** A login of this backend, whose clock is the site's. */
  newSite({ session, ...setting }: Setting = {}): Site {
    const backend = this.#maker.name ?? this.newBackendWithoutClock();
    return new Site({ ...setting, session: { ...session, backend } });
  }
}

/** Defines a test of each backend that has the traits. */
export function testEach(
  what: string,
  run: (fixture: Fixture) => void | Promise<void>,
  wanted: Partial<Traits> = {},
): void {
  for (const [name, { open, ...traits }] of Object.entries(ROWS)) {
    if (!isLike(traits, wanted)) continue;
    Deno.test(`${name}: ${what}`, async () => {
      await using fixture = new Fixture(traits, await open());
      await run(fixture);
    });
  }
}

function isLike(traits: Traits, wanted: Partial<Traits>): boolean {
  const has = new Map<string, unknown>(Object.entries(traits));
  return Object.entries(wanted).every(([name, value]) =>
    has.get(name) === value
  );
}
