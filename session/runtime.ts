/**
 * Small tools for what the runtime does slowly: going on at once where nothing
 * has to be waited for, and notes on the runtime's own objects.
 *
 * @module
 */

import { guard, ignore } from "../backends/stores/unawaited.ts";

export { guard, ignore };

/** A value, or the promise of one. */
export type MaybePromise<T> = T | Promise<T>;

/** Whether a value has to be waited for. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as Promise<T> | null | undefined)?.then === "function";
}

/**
 * Goes on with a value, at once where it is there: an `await` costs a turn of
 * the event loop, which most requests can do without.
 */
export function andThen<T, R>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<R>,
): MaybePromise<R> {
  // Of a query that is no Promise itself, `then` may return anything.
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value);
}

/** Calls a function whose failure, at once or later, becomes a rejection. */
export function attempt<T>(action: () => MaybePromise<T>): Promise<T> {
  // Not `Promise.try`, which takes longer to pass on a promise.
  try {
    const value = action();
    return guard(Promise.resolve(value));
  } catch (error) {
    return guard(Promise.reject(error));
  }
}

/**
 * Whether a value is a response. Servers on Node put a class of their own in
 * place of `Response`, and responses made before, or by `fetch`, are not of it.
 */
export function isResponse(value: unknown): value is Response {
  return value instanceof Response ||
    Object.prototype.toString.call(value) === "[object Response]";
}

/**
 * A class whose constructor returns the object it is given, so that a private
 * field of a subclass is put on that object: as invisible as an entry of a
 * `WeakMap`, and several times as fast.
 */
export class Note {
  /** Begins a note on an object. */
  constructor(object: object) {
    return object;
  }
}
