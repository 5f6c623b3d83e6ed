/**
 * Stands for `@fresh/core`, with its public signatures.
 *
 * @module
 */

/** A request, and what comes after a middleware. */
export interface Context<State> {
  readonly req: Request;
  readonly state: State;
  next(): Promise<Response>;
}
