/**
 * Stands for Oak, with the part of its types that the docs use.
 *
 * @module
 */

/** What comes after a middleware. */
export type Next = () => Promise<unknown>;

// deno-lint-ignore no-explicit-any -- as Oak has it
type State = Record<string, any>;

/** A request and what becomes its response. */
export interface Context<S extends object = State> {
  readonly app: { readonly state: object };
  readonly request: {
    readonly source: Request | undefined;
    readonly body: {
      form(): Promise<URLSearchParams>;
      formData(): Promise<FormData>;
      json(): Promise<unknown>;
    };
    readonly method: string;
    readonly url: URL;
  };
  readonly response: {
    headers: Headers;
    body: unknown;
    status: number;
    readonly writable: boolean;
    with(response: Response): void;
    redirect(location: string | URL): void;
    toDomResponse(): Promise<Response>;
  };
  readonly params: Record<string, string>;
  state: S;
  respond: boolean;
  throw(status: number, message?: string): never;
  // deno-lint-ignore no-explicit-any -- as Oak has it
  sendEvents(...options: any[]): Promise<any>;
}

/** A middleware, or what answers a route. */
// deno-lint-ignore no-explicit-any -- as Oak has it
export type Middleware<S extends object = any> = (
  ctx: Context<S>,
  next: Next,
) => unknown;

type Route<S extends object> = (
  path: string,
  ...handlers: Middleware<S>[]
) => Router<S>;

/** Routes. */
export declare class Router<S extends object = State> {
  get: Route<S>;
  post: Route<S>;
  put: Route<S>;
  delete: Route<S>;
  all: Route<S>;
  use(...handlers: [string | Middleware<S>, ...Middleware<S>[]]): Router<S>;
  routes(): Middleware<S>;
  allowedMethods(): Middleware<S>;
}

/** An application. */
export declare class Application<S extends object = State> {
  constructor(options?: { contextState?: string; state?: S });
  use(...handlers: Middleware<S>[]): Application<S>;
  listen(options?: { hostname?: string; port?: number }): Promise<void>;
  fetch(request: Request): Promise<Response>;
}
