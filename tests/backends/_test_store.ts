/**
 * A store that can be watched: each thing that it is asked for has a pause before
 * it and one after it, in which another request may come, or the store may fail.
 *
 * @module
 */

import type { StoreBackend } from "../../backends/store.ts";
import { NOW } from "../_helpers.ts";

/** What a save says whose session was ended. */
export const ENDED =
  "Cannot save session: it was ended by another request; begin a new one";

/** A moment: just before or after the store does what it is asked for. */
export interface Pause {
  when: "before" | "after";
  what: string;
}

/** What is done in a pause; what it asks of the store itself has none. */
export type Hook = (pause: Pause) => unknown;

/** What a store holds under a key. */
export interface Entry {
  key: string;
  text: string;
  /** Whether the store may never delete it by itself. */
  isLasting: boolean;
}

/** A store with a clock, which deletes what it holds as soon as it may. */
export abstract class TestStore {
  #isHooked = false;
  /** What is done in each pause. */
  hook: Hook | undefined;
  /** The time, in seconds; `advance` moves it. */
  now = NOW;

  /** A backend of this store; there may be several. */
  backend(): StoreBackend {
    const backend = this.newBackend();
    backend.useClock(() => this.now * 1000);
    return backend;
  }

  /** All that the store holds. */
  abstract entries(): Promise<Entry[]>;

  /** Writes a text in place of each session. */
  abstract spoil(text: string): Promise<void>;

  /** Closes the connection. */
  abstract close(): void | Promise<void>;

  protected abstract newBackend(): StoreBackend;

  /** Deletes what may be deleted this many seconds later. */
  protected abstract age(seconds: number): void | Promise<void>;

  /** Moves the clock, and deletes what may be deleted by then. */
  async advance(seconds: number): Promise<void> {
    this.now += seconds;
    await this.age(seconds);
  }

  /** What it holds and may never delete by itself. */
  async lastingEntries(): Promise<Entry[]> {
    return (await this.entries()).filter(({ isLasting }) => isLasting);
  }

  /**
   * Calls a hook once, in one of the next pauses.
   *
   * @param isFromAnswer Whether they count from the store's first answer on.
   */
  hookAt(pause: number, hook: Hook, isFromAnswer = false): void {
    let count = 0;
    this.hook = ({ when, what }) => {
      if (isFromAnswer && count === 0 && when === "before") return;
      if (++count === pause) return hook({ when, what });
    };
  }

  /** Does what the store is asked for, between its pauses. */
  protected async work<T>(what: string, work: () => Promise<T>): Promise<T> {
    await this.pause({ when: "before", what });
    const result = await work();
    await this.pause({ when: "after", what });
    return result;
  }

  protected async pause(pause: Pause): Promise<void> {
    if (this.#isHooked || this.hook === undefined) return;
    this.#isHooked = true;
    try {
      const done = this.hook(pause);
      if (done instanceof Promise) await done;
    } finally {
      this.#isHooked = false;
    }
  }
}
