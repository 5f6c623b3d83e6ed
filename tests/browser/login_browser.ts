/**
 * The examples in a real browser: `deno task test:browser`.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Browser, Keys, Subprocess } from "./webdriver.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);

/** Runs a test with a browser of its own and an example of its own. */
function browserTest(
  name: string,
  example: string,
  body: (browser: Browser, origin: string) => Promise<void>,
  ...flags: string[]
): void {
  Deno.test(`${example}: ${name}`, async () => {
    await using server = await Subprocess.start(
      Deno.execPath(),
      ["run", "--allow-net", "--allow-env", `${EXAMPLES}${example}`],
      /Serving at (http:\S+)/,
      { PORT: "0" },
    );
    await using browser = await Browser.start(...flags);
    await body(browser, server.match[1]);
    assertEquals(await complaints(browser), []);
  });
}

/** What the console shows, apart from pages that are refused on purpose. */
async function complaints(browser: Browser): Promise<string[]> {
  const lines = await browser.log();
  return lines.filter(({ source, message }) =>
    source !== "network" || !/with a status of (401|403|404) /.test(message)
  ).map(({ message }) => message);
}

async function logIn(
  browser: Browser,
  userName: string,
  password: string,
): Promise<void> {
  await browser.type("#username", userName);
  await browser.type("#password", password);
  await browser.click("main button");
}

async function cookieNames(browser: Browser): Promise<string[]> {
  return (await browser.cookies()).map(({ name }) => name);
}

function focused(browser: Browser): Promise<string> {
  return browser.execute("return document.activeElement.id");
}

function valueOf(browser: Browser, selector: string): Promise<string> {
  return browser.execute(
    "return document.querySelector(arguments[0]).value",
    selector,
  );
}

browserTest(
  "a login leads back to the page first asked for",
  "login.ts",
  async (browser, origin) => {
    const asked = "/?from=a%20mail&to=%C3%A9";
    await browser.open(origin + asked);
    await browser.untilAt(`/login?next=${encodeURIComponent(asked)}`);
    assertEquals(await browser.text("h1"), "Log in");
    await logIn(browser, "susan", "hello");
    await browser.untilAt(asked);
    assertEquals(await browser.text("h1"), "Hello, susan!");
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
    await logIn(browser, `"><b>susan`, "bye");
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
    await browser.execute("document.querySelector('#username').value = ''");
    await logIn(browser, "susan", "hello");
    await browser.untilAt("/?n=1");
    assertEquals(await browser.text("h1"), "Hello, susan!");
  },
);

browserTest(
  "a remembered user comes back, and gives the password for a fresh login",
  "login.ts",
  async (browser, origin) => {
    await browser.open(`${origin}/login`);
    await browser.click("[name=remember]");
    await logIn(browser, "susan", "hello");
    await browser.untilAt("/");
    assertEquals(await cookieNames(browser), ["_remember", "session"]);
    const remember = (await browser.cookies())
      .find(({ name }) => name === "_remember");
    const days = ((remember?.expiry ?? 0) - Date.now() / 1000) / 86_400;
    assert(days > 29.9 && days <= 30, `The cookie lives for ${days} days`);
    assertEquals(remember?.httpOnly, true);

    await browser.open(`${origin}/fresh`);
    await browser.untilAt("/fresh");
    assertEquals(await browser.text("h1"), "Your login is fresh");

    await browser.deleteCookie("session");
    await browser.open(`${origin}/`);
    await browser.untilAt("/");
    assertEquals(await browser.text("h1"), "Hello, susan!");
    assertEquals(await cookieNames(browser), ["_remember", "session"]);

    await browser.click("a[href='/fresh']");
    await browser.untilAt("/login?next=%2Ffresh");
    assertStringIncludes(await browser.text(), "You are logged in as susan");
    assertEquals(await valueOf(browser, "#username"), "susan");
    assertEquals(await focused(browser), "password");
    await browser.press("hello", Keys.enter);
    await browser.untilAt("/fresh");
    assertEquals(await browser.text("h1"), "Your login is fresh");
  },
);

browserTest(
  "a user who is not remembered ends with the session cookie",
  "login.ts",
  async (browser, origin) => {
    await browser.open(`${origin}/login`);
    await logIn(browser, "david", "bye");
    await browser.untilAt("/");
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
    await logIn(browser, "david", "bye");
    await browser.untilAt("/admin");
    assertEquals(await browser.text("h1"), "Not for you");
    assertEquals(await browser.status(), 403);
    await browser.open(`${origin}/login?next=/admin`);
    await browser.execute("document.querySelector('#username').value = ''");
    await logIn(browser, "susan", "hello");
    await browser.untilAt("/admin");
    assertEquals(await browser.text("h1"), "Administration");
  },
);

// Chromium keeps pages in memory, and where it does not, in its HTTP cache.
for (const flag of ["enable", "disable"]) {
  browserTest(
    `the back button shows no protected page after logout (${flag} bfcache)`,
    "login.ts",
    async (browser, origin) => {
      await browser.open(`${origin}/login`);
      await browser.click("[name=remember]");
      await logIn(browser, "susan", "hello");
      await browser.untilAt("/");
      await browser.click("form[action='/logout'] button");
      await browser.untilAt("/login");
      assertEquals(await cookieNames(browser), []);
      assertEquals(await valueOf(browser, "#username"), "");
      await browser.back();
      await browser.until("the login page", async () => {
        assertEquals((await browser.text()).includes("susan"), false);
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
    await browser.open(`${origin}/fresh`);
    await browser.untilAt("/login?next=%2Ffresh");
    await logIn(browser, "susan", "hello");
    await browser.untilAt("/fresh");
    await browser.click("a[href='/']");
    await browser.untilAt("/");
    await browser.click("form[action='/logout'] button");
    await browser.untilAt("/login");
    assertEquals(await cookieNames(browser), []);
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

      await browser.open(`${origin}/login`);
      await browser.click("[name=remember]");
      await logIn(browser, "susan", "hello");
      await browser.untilAt("/");
      const before = await browser.cookies();
      assertEquals(before.length, 2);
      for (const form of ["login", "logout"]) {
        await browser.open(forms);
        await browser.click(`#${form} button`);
        await browser.untilAt(`/${form}`);
        assertEquals(await browser.status(), 403);
        assertEquals(await browser.cookies(), before);
      }
      await browser.open(`${origin}/`);
      await browser.untilAt("/");
      assertEquals(await browser.text("h1"), "Hello, susan!");
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
    await browser.press(Keys.tab, Keys.tab, Keys.tab, Keys.enter);
    await browser.untilAt("/login");
    await browser.press("susan", Keys.tab, "hello", Keys.tab, Keys.space);
    await browser.press(Keys.tab, Keys.enter);
    await browser.untilAt("/");
    assertEquals(await cookieNames(browser), ["_remember", "session"]);
  },
);

browserTest(
  "every page fits a narrow screen",
  "login.ts",
  async (browser, origin) => {
    async function visit(path: string, heading: string): Promise<void> {
      await browser.open(origin + path);
      assertEquals(await browser.text("h1"), heading);
      await assertFits(browser);
    }
    await browser.resize(320, 640);
    await visit("/login", "Log in");
    await logIn(browser, "w".repeat(100), "?");
    await browser.until("401", async () => await browser.status() === 401);
    await assertFits(browser);
    await visit("/nowhere", "Not found");
    await visit("/login", "Log in");
    await logIn(browser, "david", "bye");
    await browser.untilAt("/");
    await visit("/", "Hello, david!");
    await visit("/fresh", "Your login is fresh");
    await visit("/admin", "Not for you");
    await visit("/login?next=/fresh", "Log in");
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
    await browser.open(`${origin}/login`);
    assertEquals(await report(), [401, "application/problem+json"]);
    await browser.open(`${origin}/api/report`);
    await browser.untilAt("/login?next=%2Fapi%2Freport");
    await browser.open(`${origin}/login`);
    await logIn(browser, "david", "bye");
    await browser.untilAt("/");
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

/** Nothing makes the page wider than the window, nor lies outside of it. */
async function assertFits(browser: Browser): Promise<void> {
  const [inner, scroll] = await browser.execute<[number, number]>(
    "return [innerWidth, document.documentElement.scrollWidth]",
  );
  assertEquals(inner, 320, await browser.url());
  assert(scroll <= inner, `${await browser.url()} is ${scroll}px wide`);
}
