/**
 * One request and its response, as one session sees them: reads the cookie at
 * most once, keeps what is to be written, and writes it at the end.
 *
 * @module
 */

import type { Payload } from "../backends/backend.ts";
import { STARTED } from "../backends/claims.ts";
import type { OutgoingCookie } from "./cookie.ts";
import { clearDict, Dict, type DictOwner, fillDict, snapshot } from "./dict.ts";
import { attempt, isPromise, type MaybePromise } from "./promise.ts";
import { finishResponse } from "./response.ts";
import type { SessionCore } from "./core.ts";
import { startOf } from "./lifetime.ts";

/** Runs a request's handler with its exchange. */
export type Body = (exchange: Exchange) => MaybePromise<Response>;

/** The state of one request in one session. */
export class Exchange implements DictOwner {
  readonly core: SessionCore;
  readonly request: Request;
  /** The same request's exchange with another session. */
  readonly next: Exchange | undefined;
  /** Whether the response is for this visitor alone, and no cache. */
  isPrivate = false;
  /** What each Login knows of this request. */
  logins: Map<object, unknown> | undefined;
  #wrapped = false;
  #closed = false;
  #dict: Dict | undefined;
  #loading: Promise<Dict> | undefined;
  /** The cookie value that the session is known by. */
  #value: string | undefined;
  #started: number | undefined;
  #isRenewalDue = false;
  /** The data as they were read or last saved; kept for `autoSave` alone. */
  #baseline = "{}";
  #pending: Promise<void> | undefined;
  #cookies: OutgoingCookie[] = [];

  constructor(core: SessionCore, request: Request, next?: Exchange) {
    this.core = core;
    this.request = request;
    this.next = next;
  }

  /** Whether a wrapper is around this request, and will commit. */
  get isWrapped(): boolean {
    return this.#wrapped && !this.#closed;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The session dictionary, at once where nothing has to be waited for. */
  load(): MaybePromise<Dict> {
    if (this.#dict !== undefined) return this.#dict;
    if (this.#loading !== undefined) return this.#loading;
    const { backend } = this.core;
    const found = this.core.config.cookie.read(this.request);
    if (found === undefined) return this.#open("", null);
    if (typeof found !== "string") return this.#wait(this.#loadOne(found));
    const payload = backend.load(found);
    if (!isPromise(payload)) return this.#open(found, payload);
    return this.#wait(payload.then((payload) => this.#open(found, payload)));
  }

  /** Runs a handler; the outermost one for a request commits. */
  run(body: Body): Promise<Response> {
    const isOutermost = !this.#wrapped;
    this.#wrapped = true;
    let result;
    try {
      result = body(this);
      if (!isOutermost) return Promise.resolve(result);
      if (!isPromise(result)) return Promise.resolve(this.#finish(result));
    } catch (error) {
      result = Promise.reject(error);
      if (!isOutermost) return result;
    }
    return result.then(
      (response) => this.#finish(response),
      (error) => this.#finishThrown(error),
    );
  }

  /** Writes what is to be written to a response. */
  commit(response: Response): MaybePromise<Response> {
    if (!(response instanceof Response)) {
      throw new TypeError(
        "Cannot commit session: the handler returned no Response",
      );
    }
    if (this.#dict === undefined && this.#loading === undefined) {
      return response;
    }
    const work = this.#lastWork();
    return work === undefined
      ? this.#finishResponse(response)
      : work.then(() => this.#finishResponse(response));
  }

  /**
   * @param isNew Whether to begin a session of its own with the data, and end
   * the present one: nobody who knew that one shall know this one.
   */
  save(dict: Dict, isNew = false): Promise<void> {
    return this.#enqueue(() => {
      const payload = snapshot(dict);
      if (this.core.config.autoSave) this.#baseline = JSON.stringify(payload);
      return () => this.#write(payload, isNew);
    });
  }

  delete(dict: Dict): Promise<void> {
    clearDict(dict);
    this.#baseline = "{}";
    return this.#enqueue(() => async () => {
      await this.#remove(this.#value);
      this.#value = this.#started = undefined;
      this.setCookie(this.core.config.cookie.delete(this.request));
    });
  }

  /** Sets a cookie beside the session's, or deletes it. */
  setCookie(cookie: OutgoingCookie): void {
    const index = this.#cookies.findIndex(({ name }) => name === cookie.name);
    this.#cookies.splice(
      index === -1 ? this.#cookies.length : index,
      1,
      cookie,
    );
  }

  #wait(loading: Promise<Dict>): Promise<Dict> {
    this.#loading = loading;
    // A failed read may be tried again.
    loading.catch(() => this.#loading = undefined);
    return loading;
  }

  /** Of several values, exactly one must be valid. */
  async #loadOne(values: string[]): Promise<Dict> {
    const { backend } = this.core;
    const payloads = await Promise.all(
      values.map(async (value) =>
        this.core.config.lifetime.accept(await backend.load(value))
      ),
    );
    const valid = values.filter((_, index) => payloads[index] !== null);
    if (valid.length !== 1) return this.#open("", null);
    return this.#open(valid[0], payloads[values.indexOf(valid[0])]);
  }

  #open(value: string, loaded: Payload | null): Dict {
    const payload = this.core.config.lifetime.accept(loaded);
    const dict = new Dict(this);
    this.#dict = dict;
    if (payload === null) return dict;
    fillDict(dict, payload);
    this.#value = value;
    this.#started = startOf(payload);
    this.#isRenewalDue = this.core.config.lifetime.isRenewalDue(payload);
    if (this.core.config.autoSave) this.#baseline = JSON.stringify(dict);
    return dict;
  }

  #finish(response: Response): MaybePromise<Response> {
    let committed;
    try {
      committed = this.commit(response);
    } catch (error) {
      this.#closed = true;
      throw error;
    }
    if (!isPromise(committed)) {
      this.#closed = true;
      return committed;
    }
    return committed.finally(() => this.#closed = true);
  }

  #hasChanged(dict: Dict): boolean {
    try {
      return JSON.stringify(snapshot(dict)) !== this.#baseline;
    } catch {
      return true; // save() will say what is wrong.
    }
  }

  #finishResponse(response: Response): Response {
    return finishResponse(response, this.#cookies, this.isPrivate);
  }

  /** A thrown `Response` is an answer; any other error sets no cookie. */
  async #finishThrown(error: unknown): Promise<Response> {
    if (error instanceof Response) return this.#finish(error);
    this.#closed = true;
    // What a store is writing is let end; its failure would hide the error.
    await this.#pending?.catch(() => {});
    throw error;
  }

  /** What is left to wait for, or to do, before the response leaves. */
  #lastWork(): Promise<void> | undefined {
    const { autoSave } = this.core.config;
    if (autoSave && this.#dict !== undefined && this.#hasChanged(this.#dict)) {
      return this.save(this.#dict);
    }
    if (this.#pending !== undefined) return this.#pending;
    if (this.#isRenewalDue) return this.#enqueue(() => () => this.#renew());
  }

  /**
   * Begins work at once, or after the work before it: a store must see the
   * writes of one request in their order.
   */
  #enqueue(prepare: () => () => Promise<void>): Promise<void> {
    let work: Promise<void>;
    try {
      if (this.#closed) {
        throw new Error(
          "Cannot save session: the response has left; save before the handler returns",
        );
      }
      const begin = prepare();
      work = this.#pending === undefined
        ? begin()
        : this.#pending.catch(() => {}).then(begin);
    } catch (error) {
      work = Promise.reject(error);
    }
    // Whoever commits will see the failure, even if nobody awaits this.
    if (!this.#closed) work.catch(() => {});
    return this.#pending = work;
  }

  async #write(data: Payload, isNew: boolean): Promise<void> {
    const { backend, config } = this.core;
    const previous = this.#value;
    const started = isNew ? undefined : this.#started;
    const payload = config.lifetime.stamp(data, started);
    const value = await backend.save(payload, isNew ? undefined : previous);
    config.cookie.check(value);
    this.#value = value;
    this.#started = payload[STARTED] as number; // stamp() put it there
    this.setCookie(config.cookie.set(this.request, value));
    if (isNew) await this.#remove(previous);
  }

  async #renew(): Promise<void> {
    const { backend, config } = this.core;
    if (this.#value === undefined) return;
    const current = config.lifetime.accept(await backend.load(this.#value));
    if (current === null) return;
    const payload = config.lifetime.stamp(current, this.#started);
    const value = backend.renew === undefined
      ? await backend.save(payload, this.#value)
      : await backend.renew(this.#value, payload);
    // Nobody asked for the renewal: one that a browser drops is none.
    if (value === null || !config.cookie.fits(value)) return;
    this.setCookie(config.cookie.set(this.request, value));
  }

  async #remove(value: string | undefined): Promise<void> {
    if (value !== undefined) await this.core.backend.remove?.(value);
  }
}

/** A constructor that returns the object it is given, so that a subclass can stamp it. */
class Stamp {
  constructor(target: object) {
    return target;
  }
}

/**
 * Keeps a request's exchanges in a private field on the request itself. It is
 * as invisible as an entry of a WeakMap, and several times as fast.
 */
class Slot extends Stamp {
  #exchange: Exchange;

  private constructor(request: Request, exchange: Exchange) {
    super(request);
    this.#exchange = exchange;
  }

  static get(request: Request): Exchange | undefined {
    return #exchange in request
      ? (request as unknown as Slot).#exchange
      : undefined;
  }

  static set(request: Request, exchange: Exchange): void {
    if (#exchange in request) {
      (request as unknown as Slot).#exchange = exchange;
    } else new Slot(request, exchange);
  }
}

/** The exchange of a request, made where there is none yet. */
export function exchangeOf(core: SessionCore, request: Request): Exchange {
  if (!(request instanceof Request)) {
    throw new TypeError(
      "Cannot read session: expected the Request; a framework's own request object holds it",
    );
  }
  const first = Slot.get(request);
  for (let one = first; one !== undefined; one = one.next) {
    if (one.core === core) return one;
  }
  const exchange = new Exchange(core, request, first);
  Slot.set(request, exchange);
  return exchange;
}

/** Runs a handler for a request; the outermost one writes the session. */
export function run(
  core: SessionCore,
  request: Request,
  body: Body,
): Promise<Response> {
  return attempt(() => openExchange(core, request).run(body));
}

/** The exchange for a run of a handler: a new one where the last is over. */
function openExchange(core: SessionCore, request: Request): Exchange {
  const exchange = exchangeOf(core, request);
  if (!exchange.isClosed) return exchange;
  const reopened = new Exchange(core, request, Slot.get(request));
  Slot.set(request, reopened);
  return reopened;
}
