/**
 * Stands for Fresh, with the part of its types that the docs use.
 *
 * @module
 */

/** A request, and what comes after a middleware. */
export interface Context<State> {
  readonly req: Request;
  readonly url: URL;
  readonly params: Record<string, string>;
  readonly state: State;
  next(): Promise<Response>;
}

type Middleware<State> = (
  ctx: Context<State>,
) => Response | Promise<Response>;

/** An application. */
export declare class App<State> {
  use(...handlers: Middleware<State>[]): App<State>;
  get(path: string, ...handlers: Middleware<State>[]): App<State>;
  post(path: string, ...handlers: Middleware<State>[]): App<State>;
  handler(): (request: Request) => Promise<Response>;
  listen(): Promise<void>;
}
