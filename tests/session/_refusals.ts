/**
 * Options that are refused, and how: tables of them, and which characters of a
 * text are.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Session, type SessionOptions } from "../../mod.ts";
import { KEY } from "../_helpers.ts";

/** What is wrong, the value, and what the error says: the option and the mend. */
export type Row = [
  what: string,
  value: unknown,
  ErrorClass: typeof TypeError | typeof RangeError,
  ...fragments: string[],
];

/** Recognisable in a message, should one tell it. */
export const PLANTED = "planted-secret";

/** The printable characters of ASCII, in the order of their codes. */
export const PRINTABLE = " !\"#$%&'()*+,-./0123456789:;<=>?@" +
  "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

/** The letters and digits of ASCII, in the order of their codes. */
export const ALPHANUMERIC = PRINTABLE.replace(/[^0-9A-Za-z]/g, "");

/** Rows of one option's values become rows of options. */
export function rowsOf(option: keyof SessionOptions, rows: Row[]): Row[] {
  return rows.map(([what, value, ErrorClass, ...fragments]) => [
    `${option}: ${what}`,
    { [option]: value },
    ErrorClass,
    option,
    ...fragments,
  ]);
}

/** Tests that a session takes none of the rows' options. */
export function testRefusals(rows: Row[]): void {
  for (const row of rows) {
    const [what, value] = row;
    const options = { secretKey: KEY, ...value as SessionOptions };
    Deno.test(`new Session() refuses ${what}`, () => {
      assertRefused(() => new Session(options), row);
    });
  }
}

/** Fails unless the row's value is refused, in the words of the package. */
export function assertRefused(
  use: () => unknown,
  [, , ErrorClass, ...fragments]: Row,
): void {
  const error = assertThrows(use, ErrorClass);
  assertEquals(error.constructor, ErrorClass);
  assert(error.message.startsWith("Cannot "), error.message);
  assert(!error.message.endsWith("."), error.message);
  for (const fragment of fragments) {
    assert(error.message.includes(fragment), `${error.message} (${fragment})`);
  }
  assert(!error.message.includes(PLANTED), error.message);
}

/** Those characters, of the first 512, that are not refused. */
export async function takenCharacters(
  use: (character: string) => unknown,
): Promise<string> {
  let taken = "";
  for (let code = 0; code < 512; code++) {
    const character = String.fromCharCode(code);
    try {
      await use(character);
      taken += character;
    } catch (error) {
      assert(error instanceof TypeError, String(error));
      assert(error.message.startsWith("Cannot "), error.message);
    }
  }
  return taken;
}
