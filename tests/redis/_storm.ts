/**
 * Visitors who save and end their sessions while something happens to the server.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { StoreBackend } from "../../backends/store.ts";
import { Random } from "../_random.ts";

const VISITORS = 32;

/** What a visitor knows of a session. */
interface Visitor {
  id: string;
  /** The last number whose save was confirmed, and the last that was tried. */
  saved: number;
  tried: number;
  /** Whether its end was asked for, and was confirmed. */
  isEnding: boolean;
  isEnded: boolean;
}

/** What came of a storm. */
export interface Damage {
  saves: number;
  /** What the requests failed with, each once. */
  errors: string[];
}

/**
 * Lets visitors save, end and begin sessions while something happens, and sees
 * that what was confirmed is true, during it and afterwards.
 *
 * @param backend Where they are from.
 * @param happen What happens; the storm lasts as long, and a little longer.
 */
export async function storm(
  backend: StoreBackend,
  happen: () => Promise<unknown>,
): Promise<Damage> {
  const visitors: Visitor[] = [];
  const errors = new Set<string>();
  let saves = 0;
  let isOver = false;

  async function begin(user: number): Promise<Visitor> {
    const id = await backend.save({ _user_id: user, n: 0 });
    const visitor = { id, saved: 0, tried: 0, isEnding: false, isEnded: false };
    visitors.push(visitor);
    return visitor;
  }

  async function visit(visitor: Visitor, random: Random): Promise<boolean> {
    await check(visitor);
    if (random.chance(0.05)) {
      visitor.isEnding = true;
      await backend.remove(visitor.id);
      return visitor.isEnded = true;
    }
    const n = ++visitor.tried;
    await backend.save({ _user_id: 7, n }, visitor.id);
    visitor.saved = n;
    saves++;
    return false;
  }

  async function check(visitor: Visitor): Promise<void> {
    const payload = await backend.load(visitor.id);
    if (visitor.isEnded) assertEquals(payload, null, "resurrected");
    else if (payload === null) assert(visitor.isEnding, "lost");
    else {
      const n = Number(payload.n);
      assert(visitor.saved <= n && n <= visitor.tried, `${n}, not the last`);
    }
  }

  async function work(seed: number): Promise<void> {
    const random = new Random(seed);
    let visitor: Visitor | undefined;
    while (!isOver) {
      try {
        visitor ??= await begin(7);
        if (await visit(visitor, random)) visitor = undefined;
      } catch (error) {
        if (!(error instanceof Error) || error.name === "AssertionError") {
          throw error;
        }
        errors.add(error.message);
        // A session whose end failed may be there or not.
        if (visitor?.isEnding) visitor = undefined;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }

  const works = Promise.all(
    Array.from({ length: VISITORS }, (_, seed) => work(seed)),
  );
  try {
    await pass(20);
    await Promise.race([happen(), works]);
    await pass(20);
  } finally {
    isOver = true;
    await works;
  }

  for (const visitor of visitors) await check(visitor);
  await backend.removeUser(7);
  for (const { id } of visitors) assertEquals(await backend.load(id), null);
  assertEquals(await backend.userSessions(7), []);
  return { saves, errors: [...errors] };
}

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
