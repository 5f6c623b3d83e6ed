/**
 * A user's own sessions in a real browser: `deno task test:browser`.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { TestClient } from "../../helpers/testing.ts";
import { assertFits, browserTest, enter, SUSAN } from "./_examples.ts";
import type { Browser } from "./webdriver.ts";

/** Logs susan in with another device. */
async function otherDevice(origin: string): Promise<TestClient> {
  const client = new TestClient(origin);
  const response = await client.post("/login", {
    form: { username: "susan", password: "hello" },
    headers: { "User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0" },
  });
  await response.body?.cancel();
  return client;
}

async function assertEnded(client: TestClient): Promise<void> {
  const response = await client.get("/");
  await response.body?.cancel();
  assertEquals(response.headers.get("Location"), "/login?next=%2F");
}

async function untilSessions(browser: Browser, count: number): Promise<void> {
  await browser.until(
    `${count} sessions`,
    async () =>
      await browser.execute<number>(
        "return document.querySelectorAll('.list li').length",
      ) === count,
  );
}

browserTest(
  "a user sees this device and others, and ends those",
  "kv.ts",
  async (browser, origin) => {
    await browser.resize(320, 640);
    const phone = await otherDevice(origin);
    await enter(browser, origin, SUSAN);
    await untilSessions(browser, 2);
    await assertFits(browser);
    const text = await browser.text(".list");
    assertStringIncludes(text, "Chrome on Linux – this device");
    assertStringIncludes(text, "Firefox on Windows");

    await browser.click("[aria-label='End the session of Firefox on Windows']");
    await untilSessions(browser, 1);
    await assertEnded(phone);

    const [tablet, laptop] = [
      await otherDevice(origin),
      await otherDevice(origin),
    ];
    await browser.open(origin);
    await untilSessions(browser, 3);
    await browser.click("form[action='/end-others'] button");
    await untilSessions(browser, 1);
    await assertEnded(tablet);
    await assertEnded(laptop);

    await browser.click(".list button");
    await browser.untilAt("/login?next=%2F");
  },
);
