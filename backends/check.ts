/**
 * Checks that options have in common.
 *
 * @module
 */

/** The longest lifetime that browsers grant a cookie, in seconds: 400 days. */
export const MAX_COOKIE_AGE = 34_560_000;

/**
 * Checks a lifetime.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is no whole number of seconds above 0.
 */
export function checkSeconds(option: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot use ${option}: it must be a number of seconds, not ${
        kindOf(value)
      }`,
    );
  }
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw new RangeError(
      `Cannot use ${option}: it must be a whole number of seconds above 0, not ${value}`,
    );
  }
}

/**
 * Checks a lifetime that a cookie is to reach.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is no whole number of seconds, or over 400 days.
 */
export function checkCookieAge(option: string, value: unknown): void {
  checkSeconds(option, value);
  if (Number(value) > MAX_COOKIE_AGE) {
    throw new RangeError(
      `Cannot use ${option}: ${value} seconds are over 400 days (${MAX_COOKIE_AGE}), longer than a browser keeps a cookie`,
    );
  }
}

/**
 * Checks what kind of value an option has.
 *
 * @throws {TypeError} If it is of another kind.
 */
export function checkType(
  option: string,
  value: unknown,
  ...types: string[]
): void {
  if (types.includes(typeof value) && value !== null) return;
  throw new TypeError(
    `Cannot use ${option}: it must be a ${types.join(" or a ")}, not ${
      kindOf(value)
    }`,
  );
}

/**
 * Checks what kind of value an option has, where it is given.
 *
 * @throws {TypeError} If it is of another kind.
 */
export function checkOptional(
  option: string,
  value: unknown,
  ...types: string[]
): void {
  if (value !== undefined) checkType(option, value, ...types);
}

/** Names a value's kind for an error message; the value itself stays secret. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}
