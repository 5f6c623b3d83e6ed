/**
 * Stands for Oak: its context and response, and how it answers.
 *
 * @module
 */

/** A middleware or a handler. */
export type Middleware = (
  ctx: OakContext,
  next: () => Promise<unknown>,
) => unknown;

class OakResponse {
  headers = new Headers();
  body: string | undefined;
  status = 200;
  #final: Response | undefined;

  get writable(): boolean {
    return this.#final === undefined;
  }

  with(response: Response): void {
    if (this.#final !== undefined) {
      throw new Error("A response has already been finalized.");
    }
    this.#final = response;
  }

  toDomResponse(): Promise<Response> {
    const { headers, status } = this;
    this.#final ??= new Response(this.body, { headers, status });
    return Promise.resolve(this.#final);
  }
}

/** What becomes the answer to one request. */
export class OakContext {
  readonly request: { readonly source: Request | undefined };
  readonly response: OakResponse = new OakResponse();
  readonly app = { state: {} };
  // deno-lint-ignore no-explicit-any -- as in Oak
  state: any = {};
  respond = true;
  /** What was sent before the middleware ended. */
  sent: Response | undefined;

  constructor(source: Request | undefined) {
    this.request = { source };
  }

  sendEvents(): Promise<string> {
    this.sent = new Response("events", { headers: this.response.headers });
    this.respond = false;
    return Promise.resolve("target");
  }

  upgrade(): void {
    this.sent = new Response("socket");
    this.respond = false;
  }
}

/** Answers a request by middleware, the last of which is a handler. */
export async function answer(
  ctx: OakContext,
  ...middleware: Middleware[]
): Promise<Response> {
  const { response } = ctx;
  const dispatch = async (index: number): Promise<unknown> =>
    await middleware[index]?.(ctx, () => dispatch(index + 1));
  try {
    await dispatch(0);
  } catch (error) {
    if (ctx.sent !== undefined) throw error;
    if (response.writable) {
      for (const name of [...response.headers.keys()]) {
        response.headers.delete(name);
      }
      response.status = 500;
      response.body = String(error);
    }
  }
  return ctx.sent ?? await response.toDomResponse();
}
