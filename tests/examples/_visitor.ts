/**
 * What the tests of the examples share.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Browser, type Handler, locationOf, ORIGIN } from "../_login.ts";

/** The users that the examples know. */
export const SUSAN = { username: "susan", password: "hello" };
/** The other one. */
export const DAVID = { username: "david", password: "bye" };

const INFO: Deno.ServeHandlerInfo = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 },
  completed: Promise.resolve(),
};

/** A browser without a window, at an example or at the origin that it serves. */
export class Visitor {
  readonly #browser = new Browser();
  readonly #handler: Handler;
  readonly #headers: Record<string, string>;

  constructor(
    site: Deno.ServeDefaultExport | string,
    headers: Record<string, string> = {},
  ) {
    this.#handler = typeof site === "string"
      ? (request) => fetch(request.url.replace(ORIGIN, site), request)
      : (request) => site.fetch(request, INFO);
    this.#headers = headers;
  }

  get cookies(): Map<string, string> {
    return this.#browser.cookies;
  }

  send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(this.#headers)) {
      headers.set(name, value);
    }
    return this.#browser.send(this.#handler, path, {
      redirect: "manual",
      ...init,
      headers,
    });
  }

  /** Asks for a page. */
  get(path = "/", headers: HeadersInit = {}): Promise<Response> {
    return this.send(path, { headers });
  }

  /** Sends a form. */
  post(
    path: string,
    fields: Record<string, string> = {},
    headers: HeadersInit = {},
  ): Promise<Response> {
    const body = new URLSearchParams(fields);
    return this.send(path, { method: "POST", body, headers });
  }

  /** A page of status 200. */
  async page(path = "/"): Promise<string> {
    const response = await this.get(path);
    const text = await response.text();
    assertEquals(response.status, 200, text);
    return text;
  }

  /** Sends a form, and returns the page that its answer leads to. */
  async submit(path: string, fields?: Record<string, string>): Promise<string> {
    const response = await this.post(path, fields);
    await response.body?.cancel();
    return await this.page(response.headers.get("Location") ?? "nowhere");
  }

  /** Fills in the login form, which leads to the start. */
  async logIn(fields: Record<string, string>): Promise<void> {
    const response = await this.post("/login", fields);
    await response.body?.cancel();
    assertEquals(locationOf(response), [302, "/"]);
  }
}

/** What a page says. */
export function textOf(html: string): string {
  return html.replace(/<[^>]*>/g, "");
}

/** Sees that a counter counts this visitor's requests, from 1 on. */
export async function assertCounts(
  visitor: Visitor,
  path: string,
): Promise<void> {
  for (const n of [1, 2, 3]) {
    const response = await visitor.get(path);
    assertEquals(response.headers.get("Content-Type"), "application/json");
    assertEquals(await response.json(), { n });
  }
}
