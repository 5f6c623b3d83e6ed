/**
 * The exchanges of a request: one with each session that it has to do with.
 *
 * @module
 */

import type { SessionCore } from "./core.ts";
import { Exchange } from "./exchange.ts";
import { type MaybePromise, Note } from "./runtime.ts";

/** Keeps a request's exchanges on the request itself. */
class Exchanges extends Note {
  #exchange: Exchange;

  private constructor(request: Request, exchange: Exchange) {
    super(request);
    this.#exchange = exchange;
  }

  static get(request: Request): Exchange | undefined {
    return #exchange in request
      ? (request as unknown as Exchanges).#exchange
      : undefined;
  }

  static set(request: Request, exchange: Exchange): void {
    if (#exchange in request) {
      (request as unknown as Exchanges).#exchange = exchange;
    } else new Exchanges(request, exchange);
  }
}

/** The exchange of a request, made where there is none yet. */
export function exchangeOf(core: SessionCore, request: Request): Exchange {
  checkRequest(request);
  const first = Exchanges.get(request);
  for (let one = first; one !== undefined; one = one.next) {
    if (one.core === core) return one;
  }
  return begin(core, request, first);
}

/** The exchange for what is to be sent: a new one where the last has been. */
export function openExchange(core: SessionCore, request: Request): Exchange {
  const exchange = exchangeOf(core, request);
  return exchange.hasLeft
    ? begin(core, request, Exchanges.get(request))
    : exchange;
}

/** Lets a copy of a request have the exchanges that the request has. */
export function shareExchanges(
  core: SessionCore,
  request: Request,
  copy: Request,
): void {
  checkRequest(copy);
  exchangeOf(core, request);
  Exchanges.set(copy, Exchanges.get(request)!); // there is one now
}

/** Runs a handler for a request; the outermost one writes the session. */
export function run(
  core: SessionCore,
  request: Request,
  body: (exchange: Exchange) => MaybePromise<Response>,
): Promise<Response> {
  let exchange;
  try {
    exchange = openExchange(core, request);
  } catch (error) {
    return Promise.reject(error);
  }
  return exchange.run(body);
}

function begin(
  core: SessionCore,
  request: Request,
  others: Exchange | undefined,
): Exchange {
  const { name } = core.config.cookie;
  for (let one = others; one !== undefined; one = one.next) {
    if (one.core === core || one.core.config.cookie.name !== name) continue;
    throw new TypeError(
      `Cannot read session: another Session has read this request's "${name}" cookie, and one of them would lose what it saves; give each a cookieName of its own`,
    );
  }
  const exchange = new Exchange(core, request, others);
  Exchanges.set(request, exchange);
  return exchange;
}

function checkRequest(request: unknown): void {
  if (request instanceof Request) return;
  throw new TypeError(
    "Cannot read session: expected the Request; a framework's own request object holds it",
  );
}
