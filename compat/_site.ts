/**
 * What the tests of frameworks share: one site with users, to be put under each
 * of them.
 *
 * @module
 */

import { Login, Session } from "@denizen/session";
import { TestClient } from "@denizen/session/testing";
import { assertEquals } from "@std/assert";

/** What a visitor's session holds. */
export interface Data {
  n: number;
}

/** A user of the site. */
export interface User {
  id: number;
  name: string;
  isAdmin: boolean;
}

/** The users, by their ids. */
export const USERS: ReadonlyMap<unknown, User> = new Map([
  [1, { id: 1, name: "susan", isAdmin: true }],
  [2, { id: 2, name: "david", isAdmin: false }],
]);
/** The user of an id, who is there. */
export const SUSAN = USERS.get(1) as User;
export const DAVID = USERS.get(2) as User;

/** A session and a login of a test's own. */
export function makeSite(): { session: Session<Data>; login: Login<User> } {
  const session = new Session<Data>({ secretKey: "k".repeat(32) });
  const login = new Login<User>(session, { userLoader: (id) => USERS.get(id) });
  return { session, login };
}

/** A site that is visited. */
export class Visit extends TestClient<User> {
  readonly #session: Session<Data>;

  /** A visitor without cookies. */
  constructor(
    fetch: (request: Request) => Response | Promise<Response>,
    { session, login }: { session: Session<Data>; login?: Login<User> },
  ) {
    super(fetch, { login });
    this.#session = session;
  }

  /** What is in the visitor's session. */
  async data(): Promise<Record<string, unknown>> {
    const headers = {
      Cookie: this.cookies.headerFor(new URL("http://localhost/")),
    };
    return {
      ...await this.#session.get(new Request("http://localhost/", { headers })),
    };
  }

  /** Asks for a page, and checks what comes of it. */
  async sees(
    path: string,
    { status = 200, text }: { status?: number; text?: string },
  ): Promise<Response> {
    const response = await this.get(path);
    const body = await response.text();
    assertEquals(response.status, status, body);
    if (text !== undefined) assertEquals(body, text);
    return response;
  }
}

/** Collects what goes to `console.error`, until it is disposed of. */
export function captureErrors(): Disposable & { lines: string[] } {
  const original = console.error;
  const lines: string[] = [];
  console.error = (...line) => void lines.push(line.map(String).join(" "));
  return { lines, [Symbol.dispose]: () => void (console.error = original) };
}
