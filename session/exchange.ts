/**
 * One request and its response, as one session sees them: reads the cookie at
 * most once, keeps what is to be written, and writes it at the end.
 *
 * @module
 */

import type { Payload } from "../backends/backend.ts";
import { COOKIE } from "../backends/claims.ts";
import type { OutgoingCookie } from "./cookie.ts";
import type { SessionCore } from "./core.ts";
import { clearDict, Dict, type DictOwner, fillDict, snapshot } from "./dict.ts";
import { startOf } from "./lifetime.ts";
import {
  guard,
  ignore,
  isPromise,
  isResponse,
  type MaybePromise,
} from "./runtime.ts";
import { type Additions, finishResponse, setsCookie } from "./response.ts";

/** What a save changes beside the data. */
export interface Change {
  /** Claims to set, given those before; what is `undefined` is removed. */
  claims: Payload | ((before: Readonly<Payload>) => Payload);
  /** Begins a session of its own: who knows the old one won't know this one. */
  isNew?: boolean;
  /** Only goes on with the old one, and is refused where that has ended. */
  goesOn?: boolean;
  /** Leaves behind all that the session held before. */
  dropsAll?: boolean;
}

/** What becomes of that which is saved for a request. */
type Stage =
  /** Nobody has promised to send it. */
  | "unbound"
  /** `session.open()` has promised that `session.commit()` will. */
  | "open"
  /** A wrapper is around the request, and will. */
  | "wrapped"
  /** The response has left. */
  | "left";

/** The state of one request in one session. */
export class Exchange implements DictOwner, Additions {
  readonly core: SessionCore;
  readonly request: Request;
  /** The same request's exchange with another session. */
  readonly next: Exchange | undefined;
  /** Whether the response is for this visitor alone, and no cache. */
  isPrivate = false;
  /** What the session's Login knows of this request. */
  user: unknown;
  /** The cookies to set, one of each name. */
  cookies: OutgoingCookie[] | undefined;
  /** What is left to do once there is a response; not after an error. */
  beforeEnd: (() => Promise<void>) | undefined;
  #stage: Stage = "unbound";
  #dict: Dict | undefined;
  #loading: Promise<Dict> | undefined;
  #value: string | undefined;
  /** What its payload holds beside the data. */
  #claims: Readonly<Payload> = {};
  #isRenewalDue = false;
  /** The data as they were read or last saved; kept for `autoSave` alone. */
  #baseline = "{}";
  /** The last of the writes: each waits for the one before. */
  #pending: Promise<void> | undefined;
  /** What was begun, and will write: the response waits for it. */
  #held: Promise<unknown> | undefined;

  /** Makes the state of a request of which nothing is known yet. */
  constructor(core: SessionCore, request: Request, next?: Exchange) {
    this.core = core;
    this.request = request;
    this.next = next;
  }

  /** Whether somebody has promised to commit. */
  get isBound(): boolean {
    return this.#stage === "wrapped" || this.#stage === "open";
  }

  /** Whether the response has left. */
  get hasLeft(): boolean {
    return this.#stage === "left";
  }

  /** The cookie value that the session is known by, once it is loaded. */
  get value(): string | undefined {
    return this.#value;
  }

  /** What the session's payload holds beside the data, once it is loaded. */
  get claims(): Readonly<Payload> {
    return this.#claims;
  }

  /** Promises to commit. */
  open(): void {
    if (this.#stage === "unbound") this.#stage = "open";
  }

  /** The session dictionary, at once where nothing has to be waited for. */
  load(): MaybePromise<Dict> {
    if (this.#dict !== undefined) return this.#dict;
    if (this.#loading !== undefined) return this.#loading;
    const { core } = this;
    void core.backend; // Without a key, whatever the cookie.
    const found = core.config.cookie.read(this.request);
    if (found === undefined) return this.#begin();
    if (typeof found !== "string") return this.#wait(this.#takeOne(found));
    const payload = core.load(found);
    return isPromise(payload)
      ? this.#wait(payload.then((payload) => this.#take(found, payload)))
      : this.#take(found, payload);
  }

  /** Runs a handler; the outermost one for a request commits. */
  run(body: (exchange: Exchange) => MaybePromise<Response>): Promise<Response> {
    const isOutermost = !this.isBound;
    if (isOutermost) this.#stage = "wrapped";
    let result;
    try {
      result = body(this);
      if (!isOutermost) return Promise.resolve(result);
      if (!isPromise(result)) {
        return Promise.resolve(this.#finish(result, true));
      }
    } catch (error) {
      return isOutermost ? this.#finishThrown(error) : Promise.reject(error);
    }
    return Promise.resolve(result).then(
      (response) => this.#finish(response, true),
      (error) => this.#finishThrown(error),
    );
  }

  /** Writes what is to be written to a response. */
  commit(response: Response): MaybePromise<Response> {
    this.open(); // Nobody needs a promise that is kept at once.
    // Below a wrapper, more may be saved after this.
    return this.#finish(response, this.#stage !== "wrapped");
  }

  /** Saves the data as they are now. */
  save(): Promise<void> {
    return this.update();
  }

  /** Saves the data as they are now, and changes claims with them. */
  update(change?: Change): Promise<void> {
    return this.#write("save", () => {
      const data = change?.dropsAll ? {} : snapshot(this.#dict!); // it was loaded
      if (this.core.config.autoSave) this.#baseline = JSON.stringify(data);
      return () => this.#store(data, change);
    });
  }

  /** Ends the session. */
  delete(): Promise<void> {
    return this.#write("delete", () => {
      clearDict(this.#dict!); // it was loaded
      this.#baseline = "{}";
      return () => this.#end();
    });
  }

  /**
   * Lets the response wait for what will write, even if nobody awaits it. What
   * fails fails the response, too, unless something is saved later.
   */
  hold<T>(work: Promise<T>): Promise<T> {
    const done = work.catch((error) => {
      this.#pending = guard(this.settle().then(() => Promise.reject(error)));
    });
    this.#held = Promise.all([this.#held, done]);
    return work;
  }

  /** Waits for the writes that were begun, whatever comes of them. */
  async settle(): Promise<void> {
    await this.#pending?.catch(ignore);
  }

  /** Sets a cookie beside the session's, or deletes it. */
  setCookie(cookie: OutgoingCookie): void {
    this.cookies ??= [];
    const index = this.cookies.findIndex(({ name }) => name === cookie.name);
    if (index === -1) this.cookies.push(cookie);
    else this.cookies[index] = cookie;
  }

  #wait(loading: Promise<Dict>): Promise<Dict> {
    this.#loading = loading;
    // A failed read may be tried again.
    loading.catch(() => this.#loading = undefined);
    return loading;
  }

  /** Takes the only valid one of several values. */
  async #takeOne(values: string[]): Promise<Dict> {
    const { core, request } = this;
    const payloads = await Promise.all(
      values.map(async (value) => await core.load(value)),
    );
    const valid = payloads.filter((payload) => core.accepts(payload));
    if (valid.length === 1) {
      return this.#take(values[payloads.indexOf(valid[0])], valid[0]);
    }
    if (valid.length > 1) core.reject(request, "ambiguous");
    else values.forEach((value, i) => core.refuse(request, value, payloads[i]));
    return this.#begin();
  }

  #take(value: string, payload: Payload | null): Dict {
    const { core } = this;
    const dict = this.#begin();
    if (!core.accepts(payload)) {
      core.refuse(this.request, value, payload);
      return dict;
    }
    this.#claims = fillDict(dict, payload);
    this.#value = value;
    this.#isRenewalDue = core.config.lifetime.isRenewalDue(payload);
    if (core.config.autoSave) this.#baseline = JSON.stringify(dict);
    return dict;
  }

  #begin(): Dict {
    return this.#dict = new Dict(this);
  }

  /** A thrown `Response` is an answer; any other error sets no cookie. */
  async #finishThrown(error: unknown): Promise<Response> {
    if (isResponse(error)) return this.#finish(error, true);
    this.#stage = "left";
    // What a store is writing is let end; its failure would hide the error.
    await this.settle();
    throw error;
  }

  #finish(response: Response, isLast: boolean): MaybePromise<Response> {
    if (!isResponse(response)) {
      if (isLast) this.#stage = "left";
      throw new TypeError(
        "Cannot commit session: the handler returned no Response",
      );
    }
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      return held.then(() => this.#finish(response, isLast));
    }
    return this.#beginLastWrite(response)
      ? this.#finishLater(response, isLast)
      : this.#finishWritten(response, isLast);
  }

  /** Does what is left to do: only now is it sure that there is a response. */
  #finishWritten(response: Response, isLast: boolean): MaybePromise<Response> {
    const { beforeEnd } = this;
    if (beforeEnd === undefined || !isLast) return this.#seal(response, isLast);
    this.beforeEnd = undefined;
    return this.#finishAfter(beforeEnd, response);
  }

  async #finishAfter(
    action: () => Promise<void>,
    response: Response,
  ): Promise<Response> {
    try {
      await action();
    } catch (error) {
      return await this.#finishThrown(error);
    }
    return await this.#finish(response, true);
  }

  /** Waits for all writes, those included that are begun meanwhile. */
  async #finishLater(response: Response, isLast: boolean): Promise<Response> {
    let last;
    do {
      last = this.#pending;
      try {
        await last;
      } catch (error) {
        if (last !== this.#pending) continue; // Saved once more since.
        if (isLast) this.#stage = "left";
        throw error;
      }
    } while (last !== this.#pending);
    return await this.#finishWritten(response, isLast);
  }

  #seal(response: Response, isLast: boolean): Response {
    if (isLast) this.#stage = "left";
    const isUnread = this.#dict === undefined && this.#loading === undefined;
    return isUnread ? response : finishResponse(response, this);
  }

  /** Begins to write what nobody saved; tells whether to wait for anything. */
  #beginLastWrite(response: Response): boolean {
    if (this.#dict === undefined) return this.#pending !== undefined;
    const { autoSave, cookie } = this.core.config;
    if (autoSave && this.#hasChanged(this.#dict)) {
      this.update();
    } else if (
      this.#pending === undefined && this.#isRenewalDue &&
      // What a copy of the request has saved is newer.
      !setsCookie(response, cookie.name)
    ) {
      this.#pending = this.#renew();
    }
    return this.#pending !== undefined;
  }

  #hasChanged(dict: Dict): boolean {
    try {
      return JSON.stringify(snapshot(dict)) !== this.#baseline;
    } catch {
      return true; // The save will say what is wrong.
    }
  }

  /** Begins a write at once, or after those before it, in their order. */
  #write(
    action: "save" | "delete",
    prepare: () => () => Promise<void>,
  ): Promise<void> {
    if (this.#stage === "unbound") throw new TypeError(unsent(action));
    if (this.#stage === "left") return refuseLate(action);
    let begin: () => Promise<void>;
    try {
      begin = prepare();
    } catch (error) {
      begin = () => Promise.reject(error); // In its turn, like any other.
    }
    const work = this.#pending === undefined
      ? begin()
      : this.#pending.catch(ignore).then(begin);
    // Whoever commits will see the failure, even if nobody awaits this.
    return this.#pending = guard(work);
  }

  async #store(data: Payload, change?: Change): Promise<void> {
    const { backend, config: { cookie, lifetime } } = this.core;
    const previous = this.#value;
    const { isNew, goesOn, dropsAll, claims: changed } = change ?? {};
    const claims: Payload = {
      ...(dropsAll ? {} : this.#claims),
      ...(typeof changed === "function" ? changed(this.#claims) : changed),
    };
    claims[COOKIE] = cookie.name;
    lifetime.stamp(claims, startOf(claims));
    const payload = Object.assign(data, claims);
    const value = await backend.save(payload, isNew ? undefined : previous);
    cookie.check(value);
    if (isNew && previous !== undefined) {
      // What has ended meanwhile shall not come back under another id.
      if (goesOn && await backend.load(previous) === null) {
        await backend.remove?.(value);
        throw new Error(
          "Cannot regenerate session: it was ended by another request; begin a new one",
        );
      }
      await backend.remove?.(previous);
    }
    // Only now: a login that failed half way is none.
    this.#claims = claims;
    this.#value = value;
    if (dropsAll) clearDict(this.#dict!); // it was loaded
    this.setCookie(cookie.set(this.request, value));
  }

  async #end(): Promise<void> {
    const { backend, config: { cookie } } = this.core;
    if (this.#value !== undefined) await backend.remove?.(this.#value);
    this.#value = undefined;
    this.#claims = {};
    this.setCookie(cookie.delete(this.request));
  }

  /** Nobody asked for a renewal: one that fails is logged, and no more. */
  async #renew(): Promise<void> {
    const { backend, config: { cookie, lifetime } } = this.core;
    const value = this.#value!; // there is something to renew
    const claims: Payload = { [COOKIE]: cookie.name };
    lifetime.stamp(claims, startOf(this.#claims));
    try {
      const renewed = backend.renew === undefined
        ? await this.#saveRenewed(value, claims)
        : await backend.renew(value, claims);
      if (renewed === null || !cookie.fits(renewed)) return;
      cookie.check(renewed);
      this.setCookie(cookie.set(this.request, renewed));
    } catch (cause) {
      console.error(
        new Error("Cannot renew session: the backend failed", { cause }),
      );
    }
  }

  async #saveRenewed(value: string, claims: Payload): Promise<string | null> {
    const { backend } = this.core;
    const payload = await this.core.load(value);
    if (!this.core.accepts(payload)) return null;
    return await backend.save({ ...payload, ...claims }, value);
  }
}

function unsent(action: string): string {
  return `Cannot ${action} session: nothing would send it with this request; wrap the handler by session.wrap() or withSession(), or call session.open() and then session.commit(). A copy of a request has a session of its own`;
}

/** A response that has left can't take a cookie with it. */
function refuseLate(action: string): Promise<void> {
  const error = new Error(
    `Cannot ${action} session: the response has left; ${action} it before the handler's response is there`,
  );
  console.error(error);
  return guard(Promise.reject(error));
}
