/**
 * Stands for Hono: its context, and how it goes from one middleware to the next.
 *
 * @module
 */

type Next = () => Promise<void>;

/** A middleware or a handler. */
export type Middleware = (
  c: HonoContext,
  next: Next,
) => Response | undefined | void | Promise<Response | undefined | void>;

/** What becomes the answer to one request. */
export class HonoContext {
  readonly req: { raw: Request };
  readonly var: Record<string, unknown> = {};
  error: Error | undefined;
  /** Those of which a page was made. */
  readonly errors: Error[] = [];
  isFinalized = false;
  #res: Response | undefined;

  constructor(request: Request) {
    this.req = { raw: request };
  }

  set(name: string, value: unknown): void {
    this.var[name] = value;
  }

  get res(): Response {
    return this.#res ??= new Response();
  }

  /** Keeps the headers of the response before, unless that was dropped. */
  set res(response: Response | undefined) {
    if (this.#res !== undefined && response !== undefined) {
      response = new Response(response.body, response);
      for (const [name, value] of this.#res.headers) {
        if (name === "content-type") continue;
        if (name !== "set-cookie") response.headers.set(name, value);
        else {
          response.headers.delete(name);
          for (const line of this.#res.headers.getSetCookie()) {
            response.headers.append(name, line);
          }
        }
      }
    }
    this.#res = response;
    this.isFinalized = true;
  }
}

/** Hono's `HTTPException`, as far as anybody asks. */
export class HttpException extends Error {
  getResponse(): Response {
    return new Response(this.message, { status: 401 });
  }
}

/** Answers requests by middleware, the last of which is a handler. */
export function app(
  ...middleware: Middleware[]
): (request: Request) => Promise<Response> {
  return async (request) => {
    const c = new HonoContext(request);
    await dispatch(0);
    return c.res;

    async function dispatch(index: number): Promise<void> {
      let response: Response | undefined | void;
      let isError = false;
      if (index === middleware.length) {
        response = new Response("404 Not Found", { status: 404 });
      } else {
        try {
          response = await middleware[index](c, () => dispatch(index + 1));
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          c.error = error;
          c.errors.push(error);
          isError = true;
          response = error instanceof HttpException
            ? error.getResponse()
            : new Response("Internal Server Error", { status: 500 });
        }
      }
      if (response && (!c.isFinalized || isError)) c.res = response;
    }
  };
}
