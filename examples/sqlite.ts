/**
 * Sessions in SQLite, which Deno has built in: a store of one's own. Several
 * processes may share the file.
 *
 *     deno run --allow-net --allow-env --allow-read --allow-write examples/sqlite.ts
 *     curl -i -c jar -b jar http://127.0.0.1:8000/
 *
 * The database is in memory, or in the file that `SQLITE_PATH` names.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { Session, withSession } from "@denizen/session";
import {
  type SessionStore,
  storeBackend,
  type StoreRecord,
} from "@denizen/session/store";
import { server } from "./_example.ts";

/** How long a process waits while another one writes, in milliseconds. */
const PATIENCE = 5000;

const SCHEMA = `
  PRAGMA busy_timeout = ${PATIENCE};
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS sessions (
    key TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    user TEXT,
    expires REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS sessions_of_users ON sessions (user);
  CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (expires);
`;

/** Sessions in a SQLite database: each step is one statement. */
export class SqliteStore implements SessionStore, Disposable {
  readonly #db: DatabaseSync;

  /** Opens a database, and makes the table where there is none. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec(SCHEMA);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  get(key: string): string | null {
    const row = this.#db.prepare("SELECT text FROM sessions WHERE key = ?")
      .get(key);
    return row === undefined ? null : String(row.text);
  }

  set(key: string, { text, user, expiresIn }: StoreRecord): void {
    const now = Date.now();
    this.#db.prepare("DELETE FROM sessions WHERE expires <= ?").run(now);
    this.#db.prepare("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?)")
      .run(key, text, user ?? null, now + expiresIn);
  }

  replace(
    key: string,
    { text, user, expiresIn }: StoreRecord,
    expected: string | null = null,
  ): boolean {
    const { changes } = this.#db.prepare(
      `UPDATE sessions SET text = ?, user = ?, expires = ?
        WHERE key = ? AND text = ifnull(?, text)`,
    ).run(text, user ?? null, Date.now() + expiresIn, key, expected);
    return Number(changes) > 0;
  }

  delete(key: string): void {
    this.#db.prepare("DELETE FROM sessions WHERE key = ?").run(key);
  }

  keysOf(user: string): string[] {
    return this.#db.prepare("SELECT key FROM sessions WHERE user = ?").all(user)
      .map(({ key }) => String(key));
  }
}

const store = new SqliteStore(Deno.env.get("SQLITE_PATH") ?? ":memory:");
const session = new Session<{ n: number }>({ backend: storeBackend(store) });

const handler = withSession(session, (_request, dict) => {
  dict.n = (dict.n ?? 0) + 1;
  dict.save();
  return Response.json({ n: dict.n });
});

export default server(import.meta, handler);
