/**
 * Stands for `@std/http/unstable-route`, with its public signature.
 *
 * @module
 */

interface Route {
  pattern: URLPattern;
  handler: (
    request: Request,
    params?: URLPatternResult,
    info?: Deno.ServeHandlerInfo,
  ) => Response | Promise<Response>;
}

/** Routes a request to the first handler whose pattern matches. */
export function route(
  routes: Route[],
): (
  request: Request,
  info?: Deno.ServeHandlerInfo,
) => Response | Promise<Response> {
  return (request, info) => {
    for (const { pattern, handler } of routes) {
      const params = pattern.exec(request.url);
      if (params !== null) return handler(request, params, info);
    }
    return new Response("Not Found", { status: 404 });
  };
}
