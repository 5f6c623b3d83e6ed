/**
 * Flash messages: said on one page, shown on the next.
 *
 * @module
 */

import { checkMethods, checkType } from "../backends/check.ts";

/**
 * How much all messages may take, in bytes of JSON: those nobody looks at shall
 * not fill the cookie.
 */
const MAX_BYTES = 1500;
/** The longest category, in characters. */
const MAX_CATEGORY = 50;

/** A message for the visitor. */
export interface Flash {
  /** What it says; plain text, to be escaped in a page. */
  text: string;
  /** What kind of message it is, such as `"error"`. */
  category: string;
}

/** A session dictionary, whatever its data. */
export interface Flashable {
  /** Saves it. */
  readonly save: () => Promise<void>;
}

/** What a dictionary holds of them. */
interface Holder extends Flashable {
  _flashes?: unknown;
}

/**
 * Keeps a message for the next page, and saves the session: through redirects,
 * a login, and a logout before it. Of more than fit into 1,500 bytes the oldest
 * go, and one that is longer is cut.
 *
 * @example Usage
 * ```ts
 * import { flash, takeFlashes } from "@denizen/session/helpers";
 * import { generateSecretKey, Session, withSession } from "@denizen/session";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session({ secretKey: generateSecretKey() });
 * const handler = withSession(session, (_request, dict) => {
 *   flash(dict, "Your name was changed");
 *   return Response.json(takeFlashes(dict));
 * });
 *
 * const response = await handler(new Request("http://localhost/"));
 * assertEquals(await response.json(), [
 *   { text: "Your name was changed", category: "message" },
 * ]);
 * ```
 *
 * @param dict The session dictionary.
 * @param text What to say.
 * @param category What kind of message it is; by default `"message"`.
 * @returns What `dict.save()` returns; awaiting it is optional under a wrapper.
 * @throws {TypeError} If it is no session dictionary, or no text.
 * @throws {RangeError} If the category has more than 50 characters.
 */
export function flash(
  dict: Flashable,
  text: string,
  category?: string,
): Promise<void> {
  checkDict(dict);
  const holder: Holder = dict;
  const message: Flash = { text, category: category ?? "message" };
  checkType("text", message.text, "string");
  checkCategory(message.category);
  holder._flashes = fit([...flashesIn(holder), message]);
  return holder.save();
}

/**
 * Takes the messages that are there for this page; they are given once. The
 * session is saved only where there were any.
 *
 * @example Usage
 * ```ts
 * import { takeFlashes } from "@denizen/session/helpers";
 * import { generateSecretKey, Session, withSession } from "@denizen/session";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session({ secretKey: generateSecretKey() });
 * const handler = withSession(
 *   session,
 *   (_request, dict) => Response.json(takeFlashes(dict)),
 * );
 *
 * const response = await handler(new Request("http://localhost/"));
 * assertEquals(await response.json(), []);
 * ```
 *
 * @param dict The session dictionary.
 * @returns The messages, the oldest first.
 * @throws {TypeError} If it is no session dictionary.
 */
export function takeFlashes(dict: Flashable): Flash[] {
  checkDict(dict);
  const holder: Holder = dict;
  if (holder._flashes === undefined) return [];
  const flashes = flashesIn(holder);
  delete holder._flashes;
  holder.save();
  return flashes;
}

function checkDict(dict: Flashable): void {
  const mend = "pass what session.get() resolves to, not its promise";
  checkMethods("dict", dict, ["save"], mend);
}

function checkCategory(category: unknown): void {
  checkType("category", category, "string");
  if (String(category).length <= MAX_CATEGORY) return;
  throw new RangeError(
    `Cannot use category: it has more than ${MAX_CATEGORY} characters; use a word, such as "error"`,
  );
}

/** The last of the messages, as many as there is room for. */
function fit(flashes: Flash[]): Flash[] {
  const rest = [...flashes];
  while (rest.length > 1 && sizeOf(rest) > MAX_BYTES) rest.shift();
  let [{ text, category }] = rest;
  for (let size; (size = sizeOf(rest)) > MAX_BYTES;) {
    // A character may take six times as much as another.
    text = text.slice(0, text.length * MAX_BYTES / size - 1).toWellFormed();
    rest[0] = { text: `${text}…`, category };
  }
  return rest;
}

function sizeOf(flashes: Flash[]): number {
  return new TextEncoder().encode(JSON.stringify(flashes)).length;
}

/** Another service with the same key may have put anything there. */
function flashesIn({ _flashes }: Holder): Flash[] {
  if (!Array.isArray(_flashes)) return [];
  return _flashes.filter((one): one is Flash =>
    typeof one?.text === "string" && typeof one.category === "string"
  );
}
