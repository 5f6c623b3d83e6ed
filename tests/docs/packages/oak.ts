/**
 * Stands for `@oak/oak`, with its public signatures.
 *
 * @module
 */

/** What comes after a middleware. */
export type Next = () => Promise<unknown>;

/** A request and what becomes its response. */
export interface Context {
  readonly request: { readonly source: Request | undefined };
  readonly response: { headers: Headers };
}
