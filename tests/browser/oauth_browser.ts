/**
 * A login by way of a provider in a real browser: `deno task test:browser`.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TestClient } from "../../helpers/testing.ts";
import {
  arrive,
  assertFits,
  cookieNames,
  handlerTest,
  type Test,
  untilHeading,
  visit,
} from "./_examples.ts";
import type { Browser } from "./webdriver.ts";

// The clock of the example and its provider, which take what is there.
let late = 0;
const { now } = Date;
Date.now = () => now() + late;
const { default: example } = await import("../../examples/oauth.ts");

const REFUSED = "This login can't go on";

function oauthTest(name: string, test: Test): void {
  handlerTest(`oauth.ts: ${name}`, example, test);
}

/** Goes to the provider from the login page. */
async function setOut(browser: Browser, origin: string): Promise<void> {
  await browser.open(`${origin}/orders`);
  await arrive(browser, "/login?next=%2Forders", "Log in");
  await browser.click("a.button");
  await untilHeading(browser, "Small Provider");
}

/** Says yes at the provider for somebody; returns the URL of the way back. */
async function sayYes(there: string, sub = "1001"): Promise<string> {
  const provider = new TestClient(new URL(there).origin);
  const consent = await provider.post(there, { form: { sub } });
  await consent.body?.cancel();
  return consent.headers.get("Location") ?? "";
}

/** The way back of another visitor. */
async function otherWayBack(origin: string): Promise<string> {
  const start = await new TestClient(origin).get("/login/provider");
  await start.body?.cancel();
  return await sayYes(start.headers.get("Location") ?? "");
}

async function assertRefused(browser: Browser, url: string): Promise<void> {
  await browser.open(url);
  await untilHeading(browser, REFUSED);
  assertEquals(await browser.status(), 403);
}

oauthTest(
  "a login leads to the page first asked for",
  async (browser, origin) => {
    await setOut(browser, origin);
    // Another host name is another site.
    assertEquals(new URL(await browser.url()).hostname, "localhost");
    assertStringIncludes(await browser.text(), origin);
    await browser.click("button[value='1001']");
    await arrive(browser, "/orders", "Your orders");
    assertStringIncludes(await browser.text(), "susan");
    assertEquals(await cookieNames(browser), ["session"]);
    await browser.click("a[href='/']");
    await browser.untilAt("/");
    await browser.click("form[action='/logout'] button");
    await browser.untilAt("/login");
    assertEquals(await browser.text(".message"), "You are logged out.");
  },
);

oauthTest(
  "a visitor who says no comes back, and may go again",
  async (browser, origin) => {
    await setOut(browser, origin);
    await browser.click("button.quiet");
    await arrive(browser, "/login?next=%2Forders", "Log in");
    assertStringIncludes(await browser.text(".message"), "say nothing");
    await browser.click("a.button");
    await untilHeading(browser, "Small Provider");
    await browser.click("button[value='1002']");
    await arrive(browser, "/orders", "Your orders");
    assertStringIncludes(await browser.text(), "david");
  },
);

oauthTest(
  "a forged state, or another visitor's, is refused",
  async (browser, origin) => {
    await setOut(browser, origin);
    for (const state of ["", "forged", "__proto__"]) {
      await assertRefused(browser, `${origin}/callback?code=x&state=${state}`);
    }
    const other = await otherWayBack(origin);
    assert(other.startsWith(`${origin}/callback?`), other);
    await assertRefused(browser, other);
    await browser.open(`${origin}/orders`);
    await browser.untilAt("/login?next=%2Forders");
  },
);

oauthTest("a state is good once", async (browser, origin) => {
  await setOut(browser, origin);
  const back = await sayYes(await browser.url());
  await browser.open(back);
  await arrive(browser, "/orders", "Your orders");
  await assertRefused(browser, back);
  await visit(browser, origin, "/orders", "Your orders");
});

oauthTest("a state is good for ten minutes", async (browser, origin) => {
  await setOut(browser, origin);
  try {
    late = 601_000;
    await browser.click("button[value='1001']");
    await untilHeading(browser, REFUSED);
    assertEquals(await browser.status(), 403);
  } finally {
    late = 0;
  }
});

oauthTest(
  "a session that is Strict stays behind, and the page says so",
  async (browser, origin) => {
    await setOut(browser, origin);
    await browser.makeStrict(origin);
    await browser.click("button[value='1001']");
    await untilHeading(browser, REFUSED);
    assertEquals(await browser.status(), 403);
    assertStringIncludes(await browser.text(), "SameSite=Strict");
  },
);

oauthTest("every page fits a narrow screen", async (browser, origin) => {
  await browser.resize(320, 640);
  await setOut(browser, origin);
  await assertFits(browser);
  await assertRefused(browser, `${origin}/callback`);
  await assertFits(browser);
  await browser.click("a[href='/login']");
  await browser.untilAt("/login");
  await assertFits(browser);
});
