/**
 * The examples in a real browser: `deno task test:browser`.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  arrive,
  assertFits,
  browserTest,
  cookieNames,
  DAVID,
  enter,
  focused,
  logIn,
  SUSAN,
  valueOf,
  visit,
} from "./_examples.ts";
import { type Browser, Keys } from "./webdriver.ts";

/** Logs out, and sees that the page says so. */
async function leave(browser: Browser): Promise<void> {
  await browser.click("form[action='/logout'] button");
  await browser.untilAt("/login");
  assertEquals(await browser.text(".message"), "You are logged out.");
  assertEquals(await cookieNames(browser), ["session"]);
}

browserTest(
  "a login leads back to the page first asked for",
  "login.ts",
  async (browser, origin) => {
    const asked = "/?from=a%20mail&to=%C3%A9";
    await browser.open(origin + asked);
    await arrive(browser, `/login?next=${encodeURIComponent(asked)}`, "Log in");
    await logIn(browser, SUSAN);
    await arrive(browser, asked, "Hello, susan!");
    const [cookie, ...others] = await browser.cookies();
    assertEquals(others, []);
    assertEquals(cookie.name, "session");
    assertEquals(cookie.httpOnly, true);
    assertEquals(cookie.sameSite, "Lax");
    assertEquals(await browser.execute("return document.cookie"), "");
  },
);

browserTest(
  "a wrong password says so, and keeps the user name and the page asked for",
  "login.ts",
  async (browser, origin) => {
    await browser.open(`${origin}/?n=1`);
    await browser.untilAt("/login?next=%2F%3Fn%3D1");
    assertEquals(await focused(browser), "username");
    await logIn(browser, { userName: `"><b>susan`, password: "bye" });
    await browser.until(
      "the error",
      async () =>
        await browser.text(".error[role=alert]") ===
          "Wrong user name or password",
    );
    assertEquals(await browser.status(), 401);
    assertEquals(await browser.path(), "/login?next=%2F%3Fn%3D1");
    assertEquals(await valueOf(browser, "#username"), `"><b>susan`);
    assertEquals(await valueOf(browser, "#password"), "");
    assertEquals(await focused(browser), "password");
    assertEquals(await cookieNames(browser), []);
    await logIn(browser, SUSAN);
    await arrive(browser, "/?n=1", "Hello, susan!");
  },
);

browserTest(
  "a remembered user comes back, and gives the password for a fresh login",
  "login.ts",
  async (browser, origin) => {
    await enter(browser, origin, SUSAN, { remember: true });
    assertEquals(await cookieNames(browser), ["_remember", "session"]);
    const remember = (await browser.cookies())
      .find(({ name }) => name === "_remember");
    const days = ((remember?.expiry ?? 0) - Date.now() / 1000) / 86_400;
    assert(days > 29.9 && days <= 30, `The cookie lives for ${days} days`);
    assertEquals(remember?.httpOnly, true);

    await visit(browser, origin, "/codes", "Recovery codes");

    await browser.deleteCookie("session");
    await visit(browser, origin, "/", "Hello, susan!");
    assertEquals(await cookieNames(browser), ["_remember", "session"]);

    await browser.click("a[href='/codes']");
    await browser.untilAt("/login?next=%2Fcodes");
    assertStringIncludes(await browser.text(), "You are logged in as susan");
    assertEquals(await valueOf(browser, "#username"), "susan");
    assertEquals(await focused(browser), "password");
    await browser.press("hello", Keys.enter);
    await arrive(browser, "/codes", "Recovery codes");
  },
);

browserTest(
  "a user who is not remembered ends with the session cookie",
  "login.ts",
  async (browser, origin) => {
    await enter(browser, origin, DAVID);
    assertEquals(await cookieNames(browser), ["session"]);
    await browser.deleteCookie("session");
    await browser.open(`${origin}/`);
    await browser.untilAt("/login?next=%2F");
  },
);

browserTest(
  "the administration is for susan alone",
  "login.ts",
  async (browser, origin) => {
    await browser.open(`${origin}/admin`);
    await browser.untilAt("/login?next=/admin");
    await logIn(browser, DAVID);
    await arrive(browser, "/admin", "Not for you");
    assertEquals(await browser.status(), 403);
    await browser.click("a[href='/']");
    await browser.untilAt("/");
    assertEquals((await browser.text()).includes("Administration"), false);
    await leave(browser);
    await logIn(browser, SUSAN);
    await browser.untilAt("/");
    await browser.click("a[href='/admin']");
    await arrive(browser, "/admin", "Administration");
  },
);

// Chromium keeps pages in memory, and where it does not, in its HTTP cache.
for (const flag of ["enable", "disable"]) {
  browserTest(
    `the back button shows no protected page after logout (${flag} bfcache)`,
    "login.ts",
    async (browser, origin) => {
      await enter(browser, origin, SUSAN, { remember: true });
      await leave(browser);
      assertEquals(await valueOf(browser, "#username"), "");
      await browser.back();
      await browser.until("the login page", async () => {
        assertEquals((await browser.text()).includes("Hello"), false);
        return await browser.path() === "/login?next=%2F";
      });
      assertEquals(await browser.text("h1"), "Log in");
    },
    `--${flag}-features=BackForwardCache`,
  );
}

browserTest(
  "a visitor without JavaScript logs in and out",
  "login.ts",
  async (browser, origin) => {
    await browser.disableScripts();
    await browser.open(`${origin}/codes`);
    await browser.untilAt("/login?next=%2Fcodes");
    await logIn(browser, SUSAN);
    await browser.untilAt("/codes");
    await browser.click("a[href='/']");
    await browser.untilAt("/");
    await leave(browser);
  },
);

// A browser counts another port as the same site, and sends Lax cookies along;
// another host name is another site.
for (const host of ["127.0.0.1", "localhost"]) {
  browserTest(
    `a form of another origin at ${host} changes nothing`,
    "login.ts",
    async (browser, origin) => {
      await using foreign = serveForms(origin);
      const forms = `http://${host}:${foreign.addr.port}/`;

      await browser.open(forms);
      await browser.click("#login button");
      await browser.untilAt("/login");
      assertEquals(await browser.status(), 403);
      assertEquals(await cookieNames(browser), []);

      await enter(browser, origin, SUSAN, { remember: true });
      const before = await browser.cookies();
      assertEquals(before.length, 2);
      for (const form of ["login", "logout"]) {
        await browser.open(forms);
        await browser.click(`#${form} button`);
        await browser.untilAt(`/${form}`);
        assertEquals(await browser.status(), 403);
        assertEquals(await browser.cookies(), before);
      }
      await visit(browser, origin, "/", "Hello, susan!");
    },
  );
}

/** A site that tries to log its visitors in as david, and out. */
function serveForms(target: string): Deno.HttpServer<Deno.NetAddr> {
  const html =
    `<!DOCTYPE html><title>Prizes</title><link rel="icon" href="data:,">
    <form id="login" method="post" action="${target}/login">
      <input type="hidden" name="username" value="david">
      <input type="hidden" name="password" value="bye">
      <button>A prize</button>
    </form>
    <form id="logout" method="post" action="${target}/logout">
      <button>Another prize</button>
    </form>`;
  const headers = { "Content-Type": "text/html; charset=utf-8" };
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(html, { headers }),
  );
}

browserTest(
  "the keyboard alone is enough",
  "login.ts",
  async (browser, origin) => {
    await browser.open(`${origin}/`);
    await browser.untilAt("/login?next=%2F");
    await browser.press("susan", Keys.tab, "hello", Keys.enter);
    await browser.untilAt("/");
    assertEquals(await cookieNames(browser), ["session"]);
    await browser.execute("document.querySelector('form button').focus()");
    await browser.press(Keys.enter);
    await browser.untilAt("/login");
    await browser.press("susan", Keys.tab, "hello", Keys.tab, Keys.space);
    await browser.press(Keys.tab, Keys.enter);
    await browser.untilAt("/");
    assertEquals(await cookieNames(browser), ["_remember", "session"]);
  },
);

browserTest(
  "a wrong turn leads back, and says so once",
  "login.ts",
  async (browser, origin) => {
    await browser.open(`${origin}/nowhere`);
    await arrive(browser, "/login?next=%2F", "Log in");
    assertStringIncludes(await browser.text(".message"), "A wrong turn");
    await logIn(browser, SUSAN);
    await browser.untilAt("/");
    await browser.click("a[href='/wrong-turn']");
    await browser.until(
      "the message",
      async () => (await browser.text(".message")).includes("A wrong turn"),
    );
    await visit(browser, origin, "/", "Hello, susan!");
    assertEquals(
      await browser.execute("return document.querySelector('.message')"),
      null,
    );
  },
);

browserTest(
  "the pages are dark for those who like that",
  "login.ts",
  async (browser, origin) => {
    const colors = (selector: string) =>
      browser.execute<[number, number]>(
        `const { color, backgroundColor } =
          getComputedStyle(document.querySelector(arguments[0]));
        return [color, backgroundColor].map((text) =>
          text.match(/\\d+/g).slice(0, 3).reduce((sum, n) => sum + +n, 0));`,
        selector,
      );
    await visit(browser, origin, "/login", "Log in");
    await logIn(browser, { userName: "susan", password: "wrong" });
    await browser.until("401", async () => await browser.status() === 401);
    for (const [scheme, sign] of [["light", -1], ["dark", 1]] as const) {
      await browser.prefer(scheme);
      for (const selector of ["body", ".error", "input", ".hint"]) {
        const [text, ground] = await colors(selector);
        const contrast = sign * (text - ground);
        assert(contrast > 200, `${selector} in ${scheme}: ${contrast}`);
      }
    }
  },
);

browserTest(
  "every page fits a narrow screen",
  "login.ts",
  async (browser, origin) => {
    async function see(path: string, heading: string): Promise<void> {
      await visit(browser, origin, path, heading);
      await assertFits(browser);
    }
    await browser.resize(320, 640);
    await see("/login", "Log in");
    await logIn(browser, { userName: "w".repeat(100), password: "?" });
    await browser.until("401", async () => await browser.status() === 401);
    await assertFits(browser);
    await see("/login", "Log in");
    await logIn(browser, DAVID);
    await browser.untilAt("/");
    await see("/", "Hello, david!");
    await see("/codes", "Recovery codes");
    await see("/admin", "Not for you");
    await browser.open(`${origin}/nowhere`);
    await browser.untilAt("/");
    await assertFits(browser);
  },
);

browserTest(
  "a script is answered in JSON, a person with a page",
  "roles.ts",
  async (browser, origin) => {
    function report(): Promise<[number, string]> {
      return browser.execute(`return fetch("/api/report").then(
        (r) => [r.status, r.headers.get("Content-Type")])`);
    }
    await browser.bypassPolicy(); // The pages have no scripts that fetch.
    await browser.open(`${origin}/login`);
    assertEquals(await report(), [401, "application/problem+json"]);
    await browser.open(`${origin}/api/report`);
    await browser.untilAt("/login?next=%2Fapi%2Freport");
    await enter(browser, origin, DAVID);
    assertEquals(await report(), [403, "application/problem+json"]);
    await browser.open(`${origin}/admin`);
    await browser.untilAt("/");
    await browser.open(`${origin}/articles`);
    assertStringIncludes(await browser.text(), "david edits.");
    await browser.resize(320, 640);
    await assertFits(browser);
  },
);

browserTest(
  "a name is kept until it is dropped",
  "sessions.ts",
  async (browser, origin) => {
    await browser.resize(320, 640);
    await browser.open(`${origin}/`);
    assertStringIncludes(await browser.text(), "Not logged in");
    await assertFits(browser);
    const name = `<script>alert(1)</script>${"w".repeat(60)}`;
    await browser.type("#name", name);
    await browser.press(Keys.enter);
    await browser.until(
      "the name",
      async () => (await browser.text("p")).includes(name),
    );
    await assertFits(browser);
    await browser.click("a[href='/counter']");
    await browser.untilAt("/counter");
    assertEquals(JSON.parse(await browser.text()), { n: 1 });
    await browser.open(`${origin}/`);
    await browser.click("form[action='/logout'] button");
    await browser.until(
      "no name",
      async () => (await browser.text("p")) === "Not logged in",
    );
    assertEquals(await browser.cookies(), []);
  },
);
