/**
 * The visitors of a soak: what each has in the browser, what it expects of the
 * site, and what it does there.
 *
 * @module
 */

import { getSetCookies } from "@std/http/cookie";
import { type Answer, RawConnection } from "../tests/_http.ts";
import type { Random } from "../tests/_random.ts";
import { checkOf, clockAt, MAX_AGE, type Page } from "./soak_server.ts";

/** How far off the server's clock a visitor's may be, in seconds of it. */
const MARGIN = 600;
/** How long the server may take for a request that was broken off. */
const BROKEN_MARGIN = 6000;

/** Where nobody can tell what a session holds. */
const ANYTHING = Symbol("anything");

/** Values of the session's cookie that no server has made. */
const GARBAGE = [
  "x",
  "..",
  "a.b.c",
  "=;=;;",
  "\xFF\xFE",
  "%00",
  "gAAAAABh",
  "x".repeat(5000),
  "eyJhbGciOiJub25lIn0.eyJfdXNlcl9pZCI6InYxIn0.",
];

/** Whether a session must be alive, and whether it must have expired. */
type Life = [isAlive: boolean, isDead: boolean];

/** What happened in a soak. */
export class Tally {
  /** How long each answer took, in milliseconds; emptied by who shows them. */
  times: number[] = [];
  requests = 0;
  /** Saves that were asked for when the response had left. */
  late = 0;
  /** Sessions that were gone before their time, or held what is not the last. */
  lost = 0;
  /** Sessions that held another visitor's data, or another user. */
  swapped = 0;
  readonly errors = new Map<string, number>();

  /** Counts an error of a kind. */
  fail(kind: string): void {
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
  }
}

/** A way to send requests, one after the other. */
export class Line {
  readonly port: number;
  readonly tally: Tally;
  #connection: RawConnection | undefined;

  constructor(port: number, tally: Tally) {
    this.port = port;
    this.tally = tally;
  }

  /** Sends a request, and waits for its answer. */
  async send(
    method: string,
    path: string,
    cookie: string,
  ): Promise<Answer> {
    if (this.#connection?.isOpen !== true) {
      this.#connection = await RawConnection.open(this.port);
    }
    const head = [`${method} ${path} HTTP/1.1`, "Host: 127.0.0.1"];
    if (cookie !== "") head.push(`Cookie: ${cookie}`);
    const start = performance.now();
    const answer = await this.#connection.send(`${head.join("\r\n")}\r\n\r\n`);
    this.tally.times.push(performance.now() - start);
    this.tally.requests++;
    return answer;
  }

  /** Sends a request, and hangs up. */
  async abort(path: string, cookie: string): Promise<void> {
    using connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: this.port,
    });
    const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    this.tally.requests++;
  }

  close(): void {
    this.#connection?.[Symbol.dispose]();
  }
}

/** One visitor with a browser of their own. */
export class Visitor {
  isBusy = false;
  readonly #name: string;
  readonly #cookies = new Map<string, string>();
  #n: number | undefined;
  #isLoggedIn = false;
  /** When the session was last written, in milliseconds of the world. */
  #writtenAt = 0;
  /** The same, or when a request was broken off that may have renewed it. */
  #touchedAt = 0;
  /** Whether a remember token may have been used whose successor never came. */
  #isTokenUsed = false;
  /** When a request was broken off: the server may come to it after others. */
  #brokenAt = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Does something at random, and sees that the site knows what it should. */
  async visit(line: Line, random: Random): Promise<void> {
    const dice = random.integer(0, 999);
    if (dice < 600) await this.#open(line, "GET", "/read");
    else if (dice < 790) await this.#save(line);
    else if (dice < 840) await this.#logIn(line, dice % 2 === 0);
    else if (dice < 855) await this.#logOut(line);
    else if (dice < 880) await this.#closeBrowser(line);
    else if (dice < 910) await this.#forge(line, random);
    else if (dice < 940) await this.#sendGarbage(line, random);
    else if (dice < 960) await this.#abort(line);
    else if (dice < 970) await this.#upload(line);
    else if (dice < 990) await this.#throw(line);
    else {
      line.tally.late++;
      await this.#open(line, "GET", "/late");
    }
  }

  async #save(line: Line): Promise<void> {
    const n = (this.#n ?? 0) + 1;
    await this.#open(line, "POST", `/save?${this.#query}&n=${n}`, n);
  }

  async #logIn(line: Line, remember: boolean): Promise<void> {
    const lifeOf = this.#startClock();
    const path = `/login?${this.#query}${remember ? "&remember" : ""}`;
    if (!await this.#send(line, "POST", path, 302)) return;
    const [isAlive, isDead] = lifeOf();
    if (isDead) this.#n = undefined;
    this.#isLoggedIn = true;
    // Between the two, nobody can tell whether the data were still there.
    const isSure = isAlive || isDead;
    await this.#open(line, "GET", "/read", isSure ? this.#n : ANYTHING);
  }

  async #logOut(line: Line): Promise<void> {
    if (!await this.#send(line, "POST", "/logout", 302)) return;
    if (this.#cookies.size > 0) line.tally.fail("a cookie after logout");
    this.#forget();
    await this.#open(line, "GET", "/read");
  }

  async #closeBrowser(line: Line): Promise<void> {
    this.#cookies.delete("session");
    this.#forget();
    await this.#open(line, "GET", "/read");
  }

  /** Sends the cookie with a character changed: nobody shall be known. */
  async #forge(line: Line, random: Random): Promise<void> {
    const value = this.#cookies.get("session");
    if (value === undefined) return;
    const index = random.integer(0, value.length - 2);
    const other = value[index] === "A" ? "B" : "A";
    const forged = value.slice(0, index) + other + value.slice(index + 1);
    await this.#pose(line, forged);
  }

  async #sendGarbage(line: Line, random: Random): Promise<void> {
    await this.#pose(line, random.pick(GARBAGE));
  }

  async #pose(line: Line, value: string): Promise<void> {
    const answer = await line.send("GET", "/read", `session=${value}`);
    if (answer.status !== 200) {
      return line.tally.fail(`a bad cookie: ${answer.status}`);
    }
    const { user, visitor }: Page = JSON.parse(answer.body);
    if (user !== null || visitor !== undefined) line.tally.swapped++;
  }

  async #abort(line: Line): Promise<void> {
    await line.abort("/read", this.#cookieHeader());
    this.#touchedAt = this.#brokenAt = Date.now();
    this.#isTokenUsed = this.#cookies.has("_remember");
  }

  /** Saves by a request whose body takes its time. */
  async #upload(line: Line): Promise<void> {
    const n = (this.#n ?? 0) + 1;
    const body = new ReadableStream({
      async start(controller) {
        for (let i = 0; i < 4; i++) {
          controller.enqueue(new TextEncoder().encode("x".repeat(1000)));
          await new Promise((resolve) => setTimeout(resolve, 25));
        }
        controller.close();
      },
    });
    const url = `http://127.0.0.1:${line.port}/upload?${this.#query}&n=${n}`;
    const lifeOf = this.#startClock();
    const headers = { Cookie: this.#cookieHeader() };
    const response = await fetch(url, { method: "POST", body, headers });
    const { status } = response;
    line.tally.requests++;
    const text = await response.text();
    const answer = { status, headers: response.headers, body: text };
    this.#take(line, answer, lifeOf, n);
  }

  async #throw(line: Line): Promise<void> {
    await this.#send(line, "GET", "/throw", 500);
  }

  /** Asks for a page, and compares it to what is expected. */
  async #open(
    line: Line,
    method: string,
    path: string,
    saved?: number | typeof ANYTHING,
  ): Promise<void> {
    const lifeOf = this.#startClock();
    const answer = await line.send(method, path, this.#cookieHeader());
    this.#take(line, answer, lifeOf, saved);
  }

  #take(
    line: Line,
    answer: Answer,
    lifeOf: () => Life,
    saved: number | typeof ANYTHING | undefined,
  ): void {
    const { tally } = line;
    if (answer.status !== 200) return tally.fail(`status ${answer.status}`);
    const page: Page = JSON.parse(answer.body);
    const { visitor = this.#name, n, check, user } = page;
    const isOwn = visitor === this.#name && (user ?? visitor) === visitor &&
      (n === undefined || check === checkOf(visitor, n));
    if (!isOwn) tally.swapped++;
    const [isAlive, isDead] = lifeOf();
    const isRemembered = this.#cookies.has("_remember");
    const expected = saved ?? (isDead ? undefined : this.#n);
    const isKnown = user !== null;
    const isExpectedKnown = isAlive && this.#isLoggedIn || isRemembered;
    const isSure = (isAlive || isDead) && !this.#isTokenUsed;
    const isKept = n === expected || saved === ANYTHING;
    if ((isSure || saved !== undefined) && !isKept) tally.lost++;
    if (isSure && isKnown !== isExpectedKnown) tally.lost++;
    this.#n = n;
    this.#isLoggedIn = isKnown;
    this.#keep(answer);
  }

  /** Sends a request that does not answer with a page. */
  async #send(
    line: Line,
    method: string,
    path: string,
    status: number,
  ): Promise<boolean> {
    const answer = await line.send(method, path, this.#cookieHeader());
    if (answer.status === status) this.#keep(answer);
    else line.tally.fail(`${path.split("?")[0]}: ${answer.status}`);
    return answer.status === status;
  }

  /** Whether the server may not have come yet to a request broken off. */
  #isBroken(): boolean {
    return secondsFrom(this.#brokenAt, Date.now()) < BROKEN_MARGIN;
  }

  /**
   * Begins a request, which may take long: what the session's life was when the
   * server looked can be told when the answer is there.
   */
  #startClock(): () => Life {
    const isThere = this.#cookies.has("session");
    const [writtenAt, touchedAt, begin] = [
      this.#writtenAt,
      this.#touchedAt,
      Date.now(),
    ];
    return () => [
      isThere && secondsFrom(writtenAt, Date.now()) < MAX_AGE - MARGIN,
      !isThere || secondsFrom(touchedAt, begin) > MAX_AGE + BROKEN_MARGIN,
    ];
  }

  #forget(): void {
    this.#n = undefined;
    this.#isLoggedIn = false;
  }

  #keep({ headers }: Pick<Answer, "headers">): void {
    for (const { name, value, maxAge } of getSetCookies(headers)) {
      if (maxAge === 0) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
      if (name === "session") this.#writtenAt = this.#touchedAt = Date.now();
      else this.#isTokenUsed &&= this.#isBroken();
    }
  }

  get #query(): string {
    return `visitor=${this.#name}`;
  }

  #cookieHeader(): string {
    return [...this.#cookies].map((pair) => pair.join("=")).join("; ");
  }
}

/** The seconds of the server's clock between two times of the world. */
function secondsFrom(time: number, other: number): number {
  return clockAt(other - time) / 1000;
}
