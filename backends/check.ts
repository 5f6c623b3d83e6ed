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
 * @returns A copy, which holds what was checked and nothing else.
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
  const prefix = owner === undefined ? "" : `${owner}.`;
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(checks, name)) {
      refuseUnknown(prefix + name, name, checks);
    }
  }
  const checked: Partial<Options> = {};
  for (const name in checks) {
    if (!(name in options)) continue;
    const value = options[name]; // Read once: a getter may tell another next.
    if (value !== undefined) checks[name](prefix + name, value);
    checked[name] = value;
  }
  if (!isPlain(options) && Object.keys(checked).length === 0) {
    refuseType(owner ?? "options", options, "a plain object");
  }
  return checked;
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

/**
 * Checks that an object has methods.
 *
 * @throws {TypeError} If it lacks one.
 */
export function checkMethods(
  option: string,
  value: object,
  methods: readonly string[],
  mend: string,
): void {
  // Any object may have methods of any name.
  const object = value as Record<string, unknown> | null | undefined;
  const missing = methods.find((name) => typeof object?.[name] !== "function");
  if (missing === undefined) return;
  throw new TypeError(
    `Cannot use ${option}: it has no ${missing}() method; ${mend}`,
  );
}

/**
 * Checks what a token is to carry.
 *
 * @throws {TypeError} If it is no plain object.
 */
export function checkPayload(payload: unknown): void {
  const isObject = typeof payload === "object" && payload !== null;
  if (isObject && isPlain(payload)) return;
  refuseType("payload", payload, "a plain object");
}

/** Whether an object is one like `{}`, of no class. */
export function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object);
  return prototype === null || prototype === Object.prototype;
}

/** Names a value's kind for an error message; the value itself stays secret. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}

function refuseType(option: string, value: unknown, expected: string): never {
  const kind = value instanceof Object && !Array.isArray(value)
    ? `a ${value.constructor?.name || "class instance"}`
    : kindOf(value);
  throw new TypeError(
    `Cannot use ${option}: it must be ${expected}, not ${kind}`,
  );
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
