/**
 * How the benchmarks measure: works that are to be compared take turns within
 * one run, so that the machine's mood touches all alike, and the medians count.
 *
 * @module
 */

/** How many turns each work has. */
export const ROUNDS = 41;
/** How many calls a turn has. */
export const CALLS = 250;
/** How many calls a work has in all. */
export const ALL_CALLS = ROUNDS * CALLS;

/** What is measured; it gets the number of its call, from 0 on. */
export type Work = (index: number) => Promise<unknown>;

/** One figure: the time of `work` over the time of `bare`. */
export interface Figure {
  name: string;
  limit: number;
  work: Work;
  bare: Work;
}

/** The ratio of a figure: each turn's to the one beside it, and of these the median. */
async function compare({ work, bare }: Figure): Promise<number> {
  const [bareTimes, workTimes] = await turnsOf([bare, work]);
  return median(workTimes.map((time, round) => time / bareTimes[round]));
}

/** Prints the head of a table of figures. */
export function printHead(): void {
  console.log("| figure | ratio | limit |\n| --- | ---: | ---: |");
}

/** Measures a figure, and prints its row of the table. */
export async function print(figure: Figure): Promise<void> {
  const ratio = await compare(figure);
  console.log(`| ${figure.name} | ${ratio.toFixed(2)} | ${figure.limit} |`);
}

/** The median time of one call of each work, in microseconds. */
export async function measure(works: readonly Work[]): Promise<number[]> {
  const times = await turnsOf(works);
  return times.map((turns) => median(turns) / CALLS * 1000);
}

/** The times of all turns of each work, in milliseconds. */
async function turnsOf(works: readonly Work[]): Promise<number[][]> {
  const times = works.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, work] of works.entries()) {
      times[index].push(await time(work, round));
    }
  }
  return times;
}

async function time(work: Work, round: number): Promise<number> {
  const start = performance.now();
  for (let i = round * CALLS; i < (round + 1) * CALLS; i++) await work(i);
  return performance.now() - start;
}

/** The value in the middle; sorts the values. */
export function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** A session's content, with claims that hold. */
export function payload(n: number): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return { n, name: "susan", _started: now, iat: now, exp: now + 100_000 };
}

/** A request with a session cookie. */
export function requestWith(value: string): Request {
  const headers = { Cookie: `session=${value}` };
  return new Request("http://localhost/", { headers });
}
