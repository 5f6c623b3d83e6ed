/**
 * The page "Look inside" in a real browser: `deno task test:browser`.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { lookInside } from "../../examples/_look_inside.ts";
import { Session } from "../../mod.ts";
import { KEY, signToken } from "../_helpers.ts";
import {
  assertFits,
  browserTest,
  enter,
  handlerTest,
  SUSAN,
  visit,
} from "./_examples.ts";
import type { Browser } from "./webdriver.ts";

/** Sessions by when they were written, in parts of their life until now. */
const LIVES: [saved: number, now: number][] = [
  [0, 0],
  [0, 0.3],
  [0, 0.5],
  [0, 0.7],
  [0, 0.999],
  [0.02, 0.1],
  [0.3, 0.35],
  [0.5, 0.5],
  [0.6, 0.9],
  [0.9, 0.95],
];
const LIFE = 1_209_600;

const session = new Session({ secretKey: KEY });

/** A page about a session of this life. */
async function pageOf([saved, now]: [number, number]): Promise<Response> {
  const time = Math.floor(Date.now() / 1000);
  const started = Math.floor(time - now * LIFE);
  const payload = {
    _user_id: "w".repeat(100),
    text: `<b onclick="alert(1)">${"m".repeat(200)}`,
    _started: started,
    _saved: Math.floor(started + saved * LIFE),
    exp: started + LIFE,
  };
  const headers = { Cookie: `session=${await signToken(payload)}` };
  const request = new Request("http://localhost/inside", { headers });
  return await lookInside(request, session);
}

/** Where the labels of the drawing are, and how wide the window is. */
function labelsOf(
  browser: Browser,
): Promise<[width: number, boxes: [number, number, number, number][]]> {
  return browser.execute(`return [innerWidth,
    [...document.querySelectorAll("svg text:not(:empty)")].map((text) => {
      const { left, right, top, bottom } = text.getBoundingClientRect();
      return [left, right, top, bottom];
    })]`);
}

/** Every label is in the window, and none over another. */
async function assertLegible(browser: Browser): Promise<void> {
  const [width, boxes] = await labelsOf(browser);
  assert(boxes.length >= 4);
  for (const [i, [left, right, top, bottom]] of boxes.entries()) {
    assert(left >= 0 && right <= width, `label ${i} at ${left} to ${right}`);
    const over = boxes.findIndex(([l, r, t, b], j) =>
      j > i && l < right && left < r && t < bottom - 2 && top < b - 2
    );
    assertEquals(over, -1, `label ${i} is over another`);
  }
}

browserTest(
  "look inside shows the session without a script",
  "login.ts",
  async (browser, origin) => {
    await enter(browser, origin, SUSAN);
    await browser.click("a[href='/inside']");
    await visit(browser, origin, "/inside", "Look inside");
    const [{ value }] = await browser.cookies();
    const [header, payload, signature] = value.split(".");
    const token = await browser.text(".token");
    assertStringIncludes(token, `${header}.${payload}.`);
    assertEquals(token.includes(signature), false);
    const colors = await browser.execute<string[]>(
      `return [...document.querySelectorAll(".token span")].map((span) =>
        getComputedStyle(span).color)`,
    );
    assertEquals(new Set(colors).size, 3);
    await assertLegible(browser);
    await browser.disableScripts();
    await visit(browser, origin, "/inside", "Look inside");
    await browser.click("a[href='/']");
    await browser.untilAt("/");
  },
);

handlerTest(
  "look inside is legible at any time of a session's life, narrow and wide",
  {
    fetch: (request) =>
      pageOf(LIVES[Number(new URL(request.url).pathname.slice(1))]),
  },
  async (browser, origin) => {
    for (const index of LIVES.keys()) {
      await browser.resize(320, 640);
      await visit(browser, origin, `/${index}`, "Look inside");
      await assertFits(browser);
      await assertLegible(browser);
      await browser.resize(1280, 800);
      await assertLegible(browser);
      assertStringIncludes(await browser.text("table"), "<b onclick=");
    }
  },
);
