/**
 * Visits to a session: requests through a wrapper, and what they leave behind.
 *
 * @module
 */

import {
  type Backend,
  type Payload,
  Session,
  type SessionDict,
  type SessionOptions,
  withSession,
} from "../../mod.ts";
import { cookieSetBy, KEY, requestWith, stoppedClock } from "../_helpers.ts";

export const DAY = 86_400;

const { clock } = stoppedClock();

/** A session with a key, at the time that is `NOW`. */
export function newSession(options: SessionOptions = {}): Session {
  return new Session({ secretKey: KEY, clock, ...options });
}

/** What a visitor brings, and what the handler answers. */
export interface Visit {
  /** The value of the session's cookie. */
  value?: string;
  /** Makes the response. */
  respond?: () => Response;
}

/** One request of a visitor, whose handler does this with the dictionary. */
export function visit(
  session: Session,
  edit: (dict: SessionDict) => unknown = () => {},
  { value, respond = () => new Response("Hello") }: Visit = {},
): Promise<Response> {
  const handler = withSession(session, async (_request, dict) => {
    await edit(dict);
    return respond();
  });
  return handler(requestOf(value));
}

/** A request with this value of the session's cookie. */
export function requestOf(value: string | undefined): Request {
  return requestWith(value === undefined ? undefined : `session=${value}`);
}

/** The cookie value of a new visitor with these data. */
export async function valueWith(
  session: Session,
  data: Record<string, unknown>,
): Promise<string> {
  const response = await visit(session, (dict) => {
    Object.assign(dict, data);
    dict.save();
  });
  return cookieSetBy(response)!; // it was saved
}

/** The data behind a cookie value. */
export async function dataOf(
  session: Session,
  value: string | undefined,
): Promise<Record<string, unknown>> {
  return { ...await session.get(requestOf(value)) };
}

/** A session, and the value of one whose data were saved some time ago. */
export async function savedAgo(
  seconds: number,
  options: SessionOptions = {},
  data: Record<string, unknown> = { n: 1 },
): Promise<
  { session: Session; value: string; advance: (seconds: number) => void }
> {
  const { clock, advance } = stoppedClock();
  const session = newSession({ clock, ...options });
  const value = await valueWith(session, data);
  advance(seconds);
  return { session, value, advance };
}

/** A backend that finds this payload, in other ways where they are given. */
export function storeOf(
  found: Payload | null,
  ways: Partial<Backend> = {},
): Backend {
  return {
    authenticated: true,
    load: () => Promise.resolve(found),
    save: () => Promise.resolve("id"),
    ...ways,
  };
}

/** Waits until all that waits for nothing but promises has come to its end. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
