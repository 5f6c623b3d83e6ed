/**
 * Small tools for what the runtime does slowly: going on at once where nothing
 * has to be waited for, and notes on the runtime's own objects.
 *
 * @module
 */

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
  return isPromise(value) ? value.then(next) : next(value);
}

/** Calls a function whose failure, at once or later, becomes a rejection. */
export function attempt<T>(action: () => MaybePromise<T>): Promise<T> {
  // Not `Promise.try`, which takes longer to pass on a promise.
  try {
    const value = action();
    return isPromise(value) ? guard(value) : Promise.resolve(value);
  } catch (error) {
    return guard(Promise.reject(error));
  }
}

/** Lets a promise fail unawaited: a rejection that nobody handles ends Deno. */
export function guard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

/** Does nothing. */
export function ignore(): void {}

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
