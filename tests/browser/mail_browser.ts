/**
 * Links in mails in a real browser: `deno task test:browser`.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import example from "../../examples/mail.ts";
import {
  arrive,
  assertFits,
  cookieNames,
  handlerTest,
  untilHeading,
} from "./_examples.ts";
import type { Browser } from "./webdriver.ts";

const ADDRESS = "susan@example.com";

/** Presses a button on the login page; returns the link that is printed. */
async function linkBy(
  button: string,
  browser: Browser,
  origin: string,
): Promise<string> {
  const { log } = console;
  const mail = Promise.withResolvers<string>();
  console.log = (text) => mail.resolve(`${text}`);
  try {
    await browser.open(`${origin}/login`);
    await browser.type("#address", ADDRESS);
    await browser.click(`button[value='${button}']`);
    await untilHeading(browser, "Look into your mail");
    const [link] = /http:\S+/.exec(await mail.promise) ?? [];
    assert(link !== undefined);
    assert(link.startsWith(origin), link);
    return link;
  } finally {
    console.log = log;
  }
}

async function logIn(browser: Browser, password: string): Promise<void> {
  await browser.type("#address", ADDRESS);
  await browser.type("#password", password);
  await browser.click("main button");
}

handlerTest(
  "mail.ts: a link logs in by its button, once",
  example,
  async (browser, origin) => {
    await browser.resize(320, 640);
    const link = await linkBy("log in", browser, origin);
    await assertFits(browser);
    await browser.open(link);
    await assertFits(browser);
    assertStringIncludes(await browser.text(), `log in as ${ADDRESS}`);
    assertEquals(await cookieNames(browser), []);
    await browser.click("main button");
    await arrive(browser, "/", `Hello, ${ADDRESS}!`);
    assertStringIncludes(await browser.text(), "by a link");
    await browser.open(link);
    await untilHeading(browser, "This link no longer holds");
    assertEquals(await browser.status(), 403);
    await assertFits(browser);
  },
);

handlerTest(
  "mail.ts: who forgot a password chooses another one",
  example,
  async (browser, origin) => {
    await browser.resize(320, 640);
    const link = await linkBy("new password", browser, origin);
    await browser.open(link);
    await assertFits(browser);
    await browser.type("#password", "short");
    await browser.click("main button"); // The browser does not send it.
    assertEquals(await browser.url(), link);
    await browser.type("#password", " and longer");
    await browser.click("main button");
    await arrive(browser, "/login", "Log in");
    assertStringIncludes(await browser.text(".message"), "password is new");
    await assertFits(browser);
    await logIn(browser, "hello");
    await browser.until(
      "the error",
      async () => (await browser.text(".error")).startsWith("Wrong"),
    );
    await browser.execute("document.querySelector('#address').value = ''");
    await logIn(browser, "short and longer");
    await arrive(browser, "/", `Hello, ${ADDRESS}!`);
    await browser.open(link);
    await untilHeading(browser, "This link no longer holds");
  },
);
