/**
 * Stands for Hono, with the part of its types that the docs use.
 *
 * @module
 */

interface Env {
  Variables: object;
}

/** What comes after a middleware. */
export type Next = () => Promise<void>;

/** A request and what becomes its response. */
export interface Context<E extends Env = Env> {
  readonly req: {
    raw: Request;
    param(name: string): string;
    query(name: string): string | undefined;
    parseBody(): Promise<Record<string, string | File>>;
    json(): Promise<unknown>;
  };
  res: Response;
  readonly error: Error | undefined;
  readonly var: Readonly<E["Variables"]>;
  get<Name extends keyof E["Variables"]>(name: Name): E["Variables"][Name];
  // deno-lint-ignore no-explicit-any -- as Hono has it
  set(name: any, value: any): void;
  text(text: string, status?: number): Response;
  json(value: unknown, status?: number): Response;
  html(html: string, status?: number): Response;
  body(body: BodyInit | null, status?: number): Response;
  redirect(location: string, status?: number): Response;
}

type Handler<E extends Env> = (
  c: Context<E>,
  next: Next,
) => Response | undefined | void | Promise<Response | undefined | void>;

type Route<E extends Env> = (
  path: string,
  ...handlers: Handler<E>[]
) => Hono<E>;

/** An application. */
export declare class Hono<E extends Env = Env> {
  get: Route<E>;
  post: Route<E>;
  put: Route<E>;
  delete: Route<E>;
  all: Route<E>;
  use(...handlers: [string | Handler<E>, ...Handler<E>[]]): Hono<E>;
  route<Other extends Env>(path: string, app: Hono<Other>): Hono<E>;
  basePath(path: string): Hono<E>;
  onError(handler: (error: Error, c: Context<E>) => Response): Hono<E>;
  notFound(handler: (c: Context<E>) => Response): Hono<E>;
  fetch(request: Request, ...rest: unknown[]): Response | Promise<Response>;
}

/** An error that is an answer. */
export declare class HTTPException extends Error {
  constructor(status: number, options?: { message?: string; res?: Response });
  getResponse(): Response;
}
