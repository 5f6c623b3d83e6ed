/**
 * What the tests of the examples share.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { TestClient } from "../../helpers/testing.ts";
import { locationOf, ORIGIN } from "../_login.ts";

/** The users that the examples know. */
export const SUSAN = { username: "susan", password: "hello" };
/** The other one. */
export const DAVID = { username: "david", password: "bye" };

/** The headers of a program that shows no pages. */
export const PROGRAM = { Accept: "*/*" };

let count = 0;

/** A browser without a window, at an example or at the origin that it serves. */
export class Visitor {
  readonly #client: TestClient;
  readonly #origin: string;
  readonly #headers: Record<string, string>;

  /**
   * Visits an example, or its origin.
   *
   * @param headers What each request has.
   * @param address Where it comes from; by default another one each time.
   */
  constructor(
    site: Deno.ServeDefaultExport | string,
    headers: Record<string, string> = {},
    address = `visitor ${++count}`,
  ) {
    const isServed = typeof site === "string";
    const info: Deno.ServeHandlerInfo = {
      remoteAddr: { transport: "tcp", hostname: address, port: 50_000 },
      completed: Promise.resolve(),
    };
    this.#client = new TestClient(
      isServed ? site : (request) => site.fetch(request, info),
      { origin: ORIGIN },
    );
    this.#origin = isServed ? site : ORIGIN;
    this.#headers = headers;
  }

  /** The names of the cookies, sorted. */
  get cookieNames(): string[] {
    const header = this.#client.cookies.headerFor(new URL(this.#origin));
    return header.split("; ").filter(Boolean).map((pair) => pair.split("=")[0])
      .sort();
  }

  /** The value of a cookie. */
  cookie(name = "session"): string | undefined {
    return this.#client.cookies.get(name);
  }

  /** Has a cookie from somewhere else. */
  take(name: string, value = ""): void {
    const headers = new Headers({ "Set-Cookie": `${name}=${value}; Path=/` });
    this.#client.cookies.keep(new URL(this.#origin), headers);
  }

  /** Loses a cookie. */
  lose(name: string): void {
    this.#client.cookies.delete(name);
  }

  send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers({ Accept: "text/html" });
    for (const [name, value] of new Headers(init.headers)) {
      headers.set(name, value);
    }
    for (const [name, value] of Object.entries(this.#headers)) {
      headers.set(name, value);
    }
    return this.#client.fetch(this.#origin + path, { ...init, headers });
  }

  /** Asks for a page, as a person does without other headers. */
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
  return html.replace(/<(style|script)[^]*?<\/\1>/g, "").replace(/<[^>]*>/g, "")
    .replace(/&#(\d+);/g, (_all, code) => String.fromCharCode(code));
}

/** The heading of a page. */
export function headingOf(html: string): string {
  return textOf(/<h1>(.*)<\/h1>/.exec(html)?.[1] ?? "");
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
