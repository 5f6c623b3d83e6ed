/**
 * The interface between sessions on the server and the place that keeps them.
 *
 * @module
 */

import type { Backend, Payload } from "../backend.ts";

/** What a store keeps under a key. */
export interface StoreRecord {
  /** The session, or what else it is, as text of at most 64 KiB in UTF-8. */
  text: string;
  /** Whose session it is; without one, it is found by its key alone. */
  user: string | undefined;
  /**
   * How long the store must keep the record, in milliseconds; `Infinity` if it
   * has no end. After that it should delete it, when it likes.
   */
  expiresIn: number;
}

/**
 * A place that keeps sessions. Each step is done as a whole or not at all, and
 * is seen by all that begin after it has ended, in whatever process. What fails
 * is passed on to the request.
 */
export interface SessionStore {
  /**
   * Reads a record.
   *
   * @param key The key: 64 hexadecimal digits.
   * @returns The text, or `null` where there is none.
   */
  get(key: string): string | null | Promise<string | null>;

  /**
   * Writes a record, whether there is one or not. If it has a user, `keysOf`
   * must know the key before anybody can read the record.
   *
   * @param key The key.
   * @param record The record.
   */
  set(key: string, record: StoreRecord): void | Promise<void>;

  /**
   * Writes a record in place of one that is there.
   *
   * @param key The key.
   * @param record The record.
   * @param expected The text that must be there; without it, any.
   * @returns Whether it was there, and has been replaced.
   */
  replace(
    key: string,
    record: StoreRecord,
    expected?: string,
  ): boolean | Promise<boolean>;

  /**
   * Deletes a record, if it is there.
   *
   * @param key The key.
   * @param user Whose session it is; `keysOf` shall not know it any more.
   */
  delete(key: string, user: string | undefined): void | Promise<void>;

  /**
   * Lists the keys of a user's records, as long as they are there. The key of
   * one that has expired, or is another user's now, does no harm.
   *
   * @param user The user, as the records have it.
   */
  keysOf(user: string): Iterable<string> | Promise<Iterable<string>>;
}

/** One of a user's sessions. */
export interface StoredSession {
  /** What the session is stored under. No cookie value can be had from it. */
  key: string;
  /** The content. */
  payload: Payload;
}

/**
 * A backend that keeps sessions. Those of a logged-in user, whose id is in
 * `_user_id`, can be found by that id; `1` and `"1"` are two users.
 */
export interface StoreBackend extends Required<Backend> {
  /**
   * Lists the sessions of a user that have not expired.
   *
   * @param id The user's id.
   * @returns The sessions.
   */
  userSessions(id: string | number): Promise<StoredSession[]>;

  /**
   * The key of a session, as the list of its user's sessions has it.
   *
   * @param value The cookie value.
   * @returns The key. No cookie value can be had from it.
   */
  keyOf(value: string): Promise<string>;

  /**
   * Ends one of a user's sessions. Another user's session is left alone, so
   * the key may come from a form.
   *
   * @param id The user's id.
   * @param key The session's key in the list.
   */
  removeUserSession(id: string | number, key: string): Promise<void>;

  /**
   * Ends all sessions of a user that there are when it is called, those
   * included that are being saved or begun: such a save rejects. What begins
   * after it, such as a new login, stands; what begins while it runs may be
   * ended too.
   *
   * @param id The user's id.
   */
  removeUser(id: string | number): Promise<void>;
}
