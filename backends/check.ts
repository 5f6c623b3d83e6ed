/**
 * Checks of options: which there are, and what kind of value each one takes.
 * Whatever else is wrong with a value is said where the option is used.
 *
 * @module
 */

/** The longest lifetime that browsers grant a cookie, in seconds: 400 days. */
export const MAX_COOKIE_AGE = 34_560_000;

/** Checks one option's value, which is given. */
export type Check = (option: string, value: unknown) => void;

/** A check for each option that there is. */
export type Checks<Options> = { readonly [Name in keyof Options]-?: Check };

/**
 * Checks options: each must be known, and of its kind where it is given.
 *
 * @param options What was passed; nothing is as good as no option.
 * @param checks The options that there are.
 * @param owner What the options are of, where their names alone don't tell.
 * @returns The options.
 * @throws {TypeError} If there is no such option, or one is of another kind.
 * @throws {RangeError} If a number is out of its range.
 */
export function checkOptions<Options extends object>(
  options: Options | undefined,
  checks: Checks<Options>,
  owner?: string,
): Partial<Options> {
  if (options === undefined) return {};
  checkType(owner ?? "options", options, "object");
  for (const [name, value] of Object.entries(options)) {
    const option = owner === undefined ? name : `${owner}.${name}`;
    if (!Object.hasOwn(checks, name)) refuseUnknown(option, name, checks);
    if (value !== undefined) checks[name as keyof Options](option, value);
  }
  return options;
}

/** Demands a value of one of these types. */
export function ofType(...types: string[]): Check {
  return (option, value) => checkType(option, value, ...types);
}

/** Demands text of a form. */
export function ofForm(expected: string, pattern: RegExp): Check {
  return (option, value) => {
    if (typeof value === "string" && pattern.test(value)) return;
    throw new TypeError(
      `Cannot use ${option}: it must be ${expected}, not ${
        typeof value === "string" ? JSON.stringify(value) : kindOf(value)
      }`,
    );
  };
}

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
 * Checks what type of value an option has.
 *
 * @throws {TypeError} If it is of another type.
 */
export function checkType(
  option: string,
  value: unknown,
  ...types: string[]
): void {
  if (types.includes(typeof value) && value !== null) return;
  throw new TypeError(
    `Cannot use ${option}: it must be ${withArticles(types)}, not ${
      kindOf(value)
    }`,
  );
}

/** Names a value's kind for an error message; the value itself stays secret. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}

function withArticles(types: readonly string[]): string {
  return types.map((type) => `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`)
    .join(" or ");
}

function refuseUnknown(option: string, name: string, checks: object): never {
  const known = Object.keys(checks);
  const [nearest] = known.toSorted((a, b) =>
    distance(name, a) - distance(name, b)
  );
  throw new TypeError(
    `Cannot use ${option}: there is no such option; did you mean ${nearest}? There are ${
      known.join(", ")
    }`,
  );
}

/** How many letters must change to make one name of another (Levenshtein). */
function distance(a: string, b: string): number {
  const [from, to] = [a, b].map((name) => name.toLowerCase().replace(/_/g, ""));
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = from[i - 1] === to[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + change);
    }
    row = next;
  }
  return row[to.length];
}
