/**
 * Stands for `@std/http/unstable-route`, with its public signature.
 *
 * @module
 */

interface Route {
  pattern: URLPattern;
  method?: string | string[];
  handler: (
    request: Request,
    params?: URLPatternResult | null,
    info?: Deno.ServeHandlerInfo,
  ) => Response | Promise<Response>;
}

type Handler = (
  request: Request,
  info?: Deno.ServeHandlerInfo,
) => Response | Promise<Response>;

/** Routes a request to the first handler whose pattern and method match. */
export function route(routes: Route[], defaultHandler: Handler): Handler {
  return (request, info) => {
    for (const { pattern, method = "GET", handler } of routes) {
      const params = pattern.exec(request.url);
      if (params !== null && [method].flat().includes(request.method)) {
        return handler(request, params, info);
      }
    }
    return defaultHandler(request, info);
  };
}
