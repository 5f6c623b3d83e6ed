/**
 * Stands for `@hono/hono`, with its public signatures and its way to merge
 * headers.
 *
 * @module
 */

/** What comes after a middleware. */
export type Next = () => Promise<void>;

/** A request and what becomes its response. */
export class Context {
  readonly req: { raw: Request };
  error: Error | undefined;
  #res: Response | undefined;

  constructor(request: Request) {
    this.req = { raw: request };
  }

  get res(): Response {
    return this.#res ??= new Response("404 Not Found", { status: 404 });
  }

  set res(response: Response | undefined) {
    if (this.#res !== undefined && response !== undefined) {
      response = new Response(response.body, response);
      const present = this.#res.headers;
      if (present.has("Set-Cookie")) response.headers.delete("Set-Cookie");
      for (const [name, value] of present) {
        if (name === "set-cookie") response.headers.append(name, value);
        else if (name !== "content-type") response.headers.set(name, value);
      }
    }
    this.#res = response;
  }
}
