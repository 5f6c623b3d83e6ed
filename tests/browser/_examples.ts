/**
 * What the browser tests share.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Served } from "../_processes.ts";
import { Browser } from "./webdriver.ts";

/** What a user types into the login form. */
export interface Credentials {
  userName: string;
  password: string;
}

/** A test in a browser, of an example at an origin. */
export type Test = (browser: Browser, origin: string) => Promise<void>;

export const SUSAN: Credentials = { userName: "susan", password: "hello" };
export const DAVID: Credentials = { userName: "david", password: "bye" };

/** Runs a test with a browser of its own and an example of its own. */
export function browserTest(
  name: string,
  example: string,
  test: Test,
  ...flags: string[]
): void {
  const args = ["run", "--allow-net", "--allow-env", `examples/${example}`];
  Deno.test(`${example}: ${name}`, async () => {
    await using served = await Served.start(args, { env: { PORT: "0" } });
    await useBrowser(test, served.origin, flags);
  });
}

/** Runs a test with a browser of its own, and an example that it has loaded. */
export function handlerTest(
  name: string,
  { fetch, onListen }: Deno.ServeDefaultExport,
  test: Test,
): void {
  Deno.test(name, async () => {
    const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
    await using server = Deno.serve(options, fetch);
    const { log } = console;
    console.log = () => {};
    onListen?.(server.addr);
    console.log = log;
    await useBrowser(test, `http://127.0.0.1:${server.addr.port}`);
  });
}

async function useBrowser(
  test: Test,
  origin: string,
  flags: string[] = [],
): Promise<void> {
  await using browser = await Browser.start(...flags);
  await test(browser, origin);
  assertEquals(await complaints(browser), []);
}

/** What the console shows, apart from pages that are refused on purpose. */
async function complaints(browser: Browser): Promise<string[]> {
  const lines = await browser.log();
  return lines.filter(({ source, message }) =>
    source !== "network" || !/with a status of (401|403|404) /.test(message)
  ).map(({ message }) => message);
}

/** Fills in the login form, whatever is in it, and sends it. */
export async function logIn(
  browser: Browser,
  { userName, password }: Credentials,
): Promise<void> {
  await browser.execute("document.querySelector('#username').value = ''");
  await browser.type("#username", userName);
  await browser.type("#password", password);
  await browser.click("main button");
}

/** Waits for a page, and sees that it is the right one. */
export async function arrive(
  browser: Browser,
  path: string,
  heading: string,
): Promise<void> {
  await browser.untilAt(path);
  assertEquals(await browser.text("h1"), heading);
}

/** Opens a page that sends its visitor nowhere else. */
export async function visit(
  browser: Browser,
  origin: string,
  path: string,
  heading: string,
): Promise<void> {
  await browser.open(origin + path);
  await arrive(browser, path, heading);
}

/** Logs in at the login page, and comes out at the home page. */
export async function enter(
  browser: Browser,
  origin: string,
  user: Credentials,
  { remember = false } = {},
): Promise<void> {
  await visit(browser, origin, "/login", "Log in");
  if (remember) await browser.click("[name=remember]");
  await logIn(browser, user);
  await browser.untilAt("/");
}

/** Waits for a page that has this heading. */
export async function untilHeading(
  browser: Browser,
  heading: string,
): Promise<void> {
  await browser.until(
    `the heading ${heading}`,
    async () => await browser.text("h1") === heading,
  );
}

/** The names of the cookies, sorted. */
export async function cookieNames(browser: Browser): Promise<string[]> {
  return (await browser.cookies()).map(({ name }) => name);
}

/** The id of the element that has the focus. */
export function focused(browser: Browser): Promise<string> {
  return browser.execute("return document.activeElement.id");
}

/** The value of a field. */
export function valueOf(browser: Browser, selector: string): Promise<string> {
  return browser.execute(
    "return document.querySelector(arguments[0]).value",
    selector,
  );
}

/** Nothing makes the page wider than a narrow window, nor lies outside of it. */
export async function assertFits(browser: Browser): Promise<void> {
  const [inner, scroll] = await browser.execute<[number, number]>(
    "return [innerWidth, document.documentElement.scrollWidth]",
  );
  assertEquals(inner, 320, await browser.url());
  assert(scroll <= inner, `${await browser.url()} is ${scroll}px wide`);
}
