/**
 * Promises that an application may leave unawaited.
 *
 * @module
 */

/** Lets a promise fail unawaited: a rejection that nobody handles ends Deno. */
export function guard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

/** Does nothing. */
export function ignore(): void {}
