/**
 * A stand-in for `@std/assert` on machines that can't reach JSR.
 *
 * @module
 */

/** The error of a failed assertion. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

// deno-lint-ignore no-explicit-any -- any class can be an error's class
type Class<T> = abstract new (...args: any[]) => T;

function fail(what: string, message?: string): never {
  throw new AssertionError(
    message === undefined ? what : `${what}: ${message}`,
  );
}

function inspect(value: unknown): string {
  return "Deno" in globalThis ? Deno.inspect(value) : JSON.stringify(value);
}

/** Fails unless the value is truthy. */
export function assert(actual: unknown, message?: string): asserts actual {
  if (!actual) fail("Expected a truthy value", message);
}

/** Fails unless both are deeply equal. */
export function assertEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (isEqual(actual, expected)) return;
  fail(
    `Values are not equal:\n  ${inspect(actual)}\n  ${inspect(expected)}`,
    message,
  );
}

/** Fails if both are deeply equal. */
export function assertNotEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (isEqual(actual, expected)) {
    fail(`Values are equal: ${inspect(actual)}`, message);
  }
}

/** Fails unless both are the same value. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    fail(
      `Values are not the same: ${inspect(actual)}, ${inspect(expected)}`,
      message,
    );
  }
}

/** Fails unless the text contains the other. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  message?: string,
): void {
  if (!actual.includes(expected)) {
    fail(`"${actual}" does not contain "${expected}"`, message);
  }
}

/** Fails unless the function throws; returns what it threw. */
export function assertThrows(fn: () => unknown, message?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  includes?: string,
  message?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass?: Class<E> | string,
  includes?: string,
  message?: string,
): E {
  try {
    fn();
  } catch (error) {
    return checkError(error, ErrorClass, includes, message);
  }
  fail("Expected the function to throw", message);
}

/** Fails unless the promise rejects; resolves with what it rejected with. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  message?: string,
): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Class<E>,
  includes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass?: Class<E> | string,
  includes?: string,
  message?: string,
): Promise<E> {
  let promise;
  try {
    promise = fn();
  } catch {
    fail("Expected a rejected promise, but the function threw", message);
  }
  try {
    await promise;
  } catch (error) {
    return checkError(error, ErrorClass, includes, message);
  }
  fail("Expected the promise to reject", message);
}

function checkError<E extends Error>(
  error: unknown,
  ErrorClass: Class<E> | string | undefined,
  includes: string | undefined,
  message: string | undefined,
): E {
  // As text, it is the message.
  if (typeof ErrorClass === "function" && !(error instanceof ErrorClass)) {
    fail(
      `Expected a ${ErrorClass.name}, but got ${inspect(error)}`,
      message,
    );
  }
  if (includes !== undefined) {
    const text = error instanceof Error ? error.message : "";
    assertStringIncludes(text, includes, message);
  }
  return error as E;
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Date && b instanceof Date) {
    return Object.is(a.getTime(), b.getTime());
  }
  if (
    typeof a !== "object" || typeof b !== "object" || a === null || b === null
  ) return false;
  if ((a.constructor ?? Object) !== (b.constructor ?? Object)) return false;
  if (a instanceof Set && b instanceof Set) {
    return isEqual([...a], [...b]);
  }
  if (a instanceof Map && b instanceof Map) {
    return isEqual([...a], [...b]);
  }
  const keysOfA = Reflect.ownKeys(a);
  const keysOfB = Reflect.ownKeys(b);
  return keysOfA.length === keysOfB.length &&
    keysOfA.every((key) =>
      Object.hasOwn(b, key) &&
      isEqual(Reflect.get(a, key), Reflect.get(b, key))
    );
}
