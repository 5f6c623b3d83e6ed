/** Several processes that share keys, as behind a load balancer. */

import { assert, assertEquals } from "@std/assert";
import { cookieSetBy, KEY, OTHER_KEY } from "../_helpers.ts";
import { Served } from "../_processes.ts";

const VISITORS = 8;

/** Two processes behind a balancer. */
type Pool = [Served | undefined, Served | undefined];

/** Replaces one of the processes while the other is there. */
async function replace(
  pool: Pool,
  index: 0 | 1,
  secretKeys: string[],
): Promise<void> {
  const before = pool[index];
  pool[index] = undefined;
  await Promise.allSettled(underWay); // some of them there
  await before?.stop();
  const script = "tests/session/_counter_server.ts";
  const args = ["run", "--allow-net", script, ...secretKeys];
  pool[index] = await Served.start(args);
  await pause();
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

/** A response, and what it says. */
interface Answer {
  response: Response;
  said: unknown;
}

/** The requests that have no answer yet. */
const underWay = new Set<Promise<unknown>>();

/** Comes again and again, to either process, and is counted without a gap. */
async function visit(
  pool: Pool,
  name: string,
  signal: AbortSignal,
): Promise<number> {
  let cookie = "";
  let n = 0;
  while (!signal.aborted) {
    const up = pool.filter((one) => one !== undefined);
    const { origin } = up[Math.floor(Math.random() * up.length)];
    const answer: Promise<Answer> = fetch(`${origin}/${name}`, {
      headers: { Cookie: cookie },
    })
      .then(async (response) => ({ response, said: await response.json() }))
      .finally(() => underWay.delete(answer));
    underWay.add(answer);
    const { response, said } = await answer;
    assertEquals(said, { visitor: name, n: ++n });
    cookie = `session=${cookieSetBy(response)}`;
  }
  return n;
}

Deno.test("processes share sessions while a new key is rolled out, one after the other", async () => {
  const pool: Pool = [undefined, undefined];
  try {
    for (const index of [0, 1] as const) await replace(pool, index, [KEY]);
    const controller = new AbortController();
    const visits = Promise.all(
      Array.from(
        { length: VISITORS },
        (_, i) => visit(pool, `visitor${i}`, controller.signal),
      ),
    );
    // First both learn the new key, then they sign with it, and then the old
    // one goes.
    const steps = [[KEY, OTHER_KEY], [OTHER_KEY, KEY], [OTHER_KEY]];
    for (const keys of steps) {
      for (const index of [0, 1] as const) await replace(pool, index, keys);
    }
    controller.abort();
    for (const n of await visits) assert(n > 20, `${n} visits`);
  } finally {
    for (const served of pool) await served?.stop();
  }
});
