/** A promise that nobody awaits may fail: a rejection without a handler ends Deno. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  captureErrors,
  captureRejections,
  MemoryBackend,
} from "../_helpers.ts";
import { Browser, type Setting, Site, type User } from "../_login.ts";
import { nextTurn } from "../session/_visits.ts";
import { FAILURES } from "./_common.ts";
import { StoreSite } from "./_series.ts";

type Call = (site: Site, request: Request) => Promise<unknown>;

const CALLS: Record<string, Call> = {
  "loginUser()": ({ login, susan }, request) => login.loginUser(request, susan),
  "loginUser() with remember": ({ login, susan }, request) =>
    login.loginUser(request, susan, { remember: true }),
  "logoutUser()": ({ login }, request) => login.logoutUser(request),
  "getCurrentUser()": ({ login }, request) => login.getCurrentUser(request),
  "requireUser()": ({ login }, request) => login.requireUser(request),
  "isFresh()": ({ login }, request) => login.isFresh(request),
  "createState()": ({ login }, request) => login.createState(request),
  "sessions()": ({ login }, request) => login.sessions(request),
  "endSession()": ({ login }, request) => login.endSession(request, "key"),
  "endOtherSessions()": ({ login }, request) => login.endOtherSessions(request),
};

/** What is refused at once. */
const REFUSED: [what: string, call: Call, setting?: Setting][] = [
  [
    "loginUser() of nobody",
    ({ login }, request) => login.loginUser(request, {} as User),
  ],
  [
    "loginUser() with bad options",
    ({ login, susan }, request) =>
      login.loginUser(request, susan, { redirectUrl: 1 as unknown as string }),
  ],
  ["loginUser() without a key", CALLS["loginUser()"], { isKeyless: true }],
  [
    "logoutUser() with bad options",
    ({ login }, request) =>
      login.logoutUser(request, { redirectUrl: 1 as unknown as string }),
  ],
  ["logoutUser() without a key", CALLS["logoutUser()"], { isKeyless: true }],
  ["getCurrentUser() without a loader", CALLS["getCurrentUser()"], {
    login: { userLoader: undefined },
  }],
  ["requireUser() without a loader", CALLS["requireUser()"], {
    login: { userLoader: undefined },
  }],
  [
    "createToken() without a key",
    ({ login, susan }) => login.createToken(susan, "log in", { maxAge: 1 }),
    { isKeyless: true },
  ],
  [
    "verifyToken() without a purpose",
    ({ login }) => login.verifyToken("token", ""),
  ],
  ["sessions() of a backend that keeps none", CALLS["sessions()"]],
];

/** A site whose store breaks, and a browser of a user that it knows. */
async function brokenSite(
  fail: () => Promise<never>,
): Promise<{ site: Site; browser: Browser }> {
  const backend = new MemoryBackend();
  const site = new Site({ session: { backend } });
  const browser = await site.loggedIn(site.susan, { remember: true });
  Object.assign(backend, { load: fail, save: fail, remove: fail });
  return { site, browser };
}

/** Begins something in a handler, and does not wait for it. */
async function leaveUnawaited(
  site: Site,
  browser: Browser,
  call: Call,
): Promise<void> {
  using unhandled = captureRejections();
  const handler = site.session.wrap(async (request) => {
    call(site, request);
    await nextTurn();
    return new Response("Hello");
  });
  // Whether the page fails too is not the question.
  await browser.post(handler).catch(() => {});
  call(site, browser.request("/", { method: "POST" }));
  await nextTurn();
  await nextTurn();
  assertEquals(unhandled.reasons, []);
}

for (const [what, call, setting] of REFUSED) {
  Deno.test(`login.${what} may be left unawaited`, async () => {
    const browser = await new Site().loggedIn();
    const site = new Site(setting);
    await leaveUnawaited(site, browser, call);
    const request = browser.request("/", { method: "POST" });
    await assertRejects(() => call(site, request), TypeError);
  });
}

for (const [name, call] of Object.entries(CALLS)) {
  for (const [how, fail] of FAILURES) {
    Deno.test(`login.${name} may be left unawaited where the store ${how}`, async () => {
      const { site, browser } = await brokenSite(fail);
      await leaveUnawaited(site, browser, call);
      // By the remember cookie, there is something to write.
      browser.cookies.delete("session");
      await leaveUnawaited(site, browser, call);
    });
  }

  Deno.test(`login.${name} that comes too late may be left unawaited`, async () => {
    using _log = captureErrors();
    using unhandled = captureRejections();
    const site = new Site();
    for (const cookie of ["session", "_remember"]) {
      const browser = await site.loggedIn(site.susan, { remember: true });
      browser.cookies.delete(cookie);
      const requests: Request[] = [];
      await browser.post(site.session.wrap((request) => {
        requests.push(request);
        return new Response("Hello");
      }));
      call(site, requests[0]);
      await nextTurn();
    }
    assertEquals(unhandled.reasons, []);
  });
}

for (const [how, fail] of FAILURES) {
  for (const name of ["getCurrentUser()", "requireUser()"]) {
    Deno.test(`login.${name} may be left unawaited where the loader ${how}`, async () => {
      const site = new Site({ login: { userLoader: fail } });
      const browser = await site.loggedIn(site.susan, { remember: true });
      await leaveUnawaited(site, browser, CALLS[name]);
      browser.cookies.delete("session");
      await leaveUnawaited(site, browser, CALLS[name]);
    });
  }
}

Deno.test("login.requireUser() that lets nobody in may be left unawaited", () =>
  leaveUnawaited(new Site(), new Browser(), CALLS["requireUser()"]));

for (const what of ["gone", "there", "broken"]) {
  for (const cookie of ["session", "_remember"]) {
    Deno.test(`login.getCurrentUser() that finds a user ${what} without the ${cookie} cookie may end when the response has left`, async () => {
      using log = captureErrors();
      const site = new Site();
      const browser = await site.loggedIn(site.susan, { remember: true });
      browser.cookies.delete(cookie);
      const answer = Promise.withResolvers<User | null>();
      site.login.userLoader(() => answer.promise);
      const asked: Promise<unknown>[] = [];
      const response = await browser.get(site.session.wrap((request) => {
        asked.push(site.login.getCurrentUser(request));
        return new Response("Hello");
      }));
      assertEquals(response.headers.getSetCookie(), []);
      if (what === "broken") answer.reject(new Error(what));
      else answer.resolve(what === "gone" ? null : site.susan);
      const [{ status }] = await Promise.allSettled(asked);
      assertEquals(status, what === "broken" ? "rejected" : "fulfilled");
      // Nothing was to be written, so nothing is complained of.
      assert(log.lines.every(([error]) => /userLoader/.test(String(error))));
    });
  }
}

for (const name of ["loginUser()", "logoutUser()"]) {
  for (const way of ["returns", "throws"]) {
    Deno.test(`login.${name} is awaited by a wrapper whose handler ${way} a response at once`, async () => {
      const site = new Site();
      const browser = await site.loggedIn(site.susan, { remember: true });
      const response = await browser.post(site.session.wrap((request) => {
        CALLS[name](site, request);
        const response = new Response("Hello");
        if (way === "throws") throw response;
        return response;
      }));
      assert(response.headers.getSetCookie().length > 0);
    });
  }
}

Deno.test("login.logoutUser() that is not awaited fails the response where it fails, at whatever step", async () => {
  for (let number = 1;; number++) {
    const site = new StoreSite();
    const browser = await site.loggedIn(site.susan, { remember: true });
    let count = 0;
    site.store.watch = () => {
      if (++count === number) throw new Error("The store is down");
    };
    const answer = browser.post(site.session.wrap((request) => {
      site.login.logoutUser(request);
      return new Response("You are logged out");
    }));
    const isAnswered = await answer.then(() => true, () => false);
    site.store.watch = undefined;
    assertEquals(isAnswered, count < number);
    if (!isAnswered) continue;
    assertEquals(await site.ask(browser), null);
    assert(number > 6, `only ${number} steps`);
    break;
  }
});

for (const cookie of ["session", "_remember"]) {
  Deno.test(`login.getCurrentUser() that is not awaited ends no login that is under way, without the ${cookie} cookie`, async () => {
    for (const turns of [0, 2, 4, 8]) {
      const site = new StoreSite();
      const { david, login } = site;
      const browser = await site.loggedIn(site.susan, { remember: true });
      browser.cookies.delete(cookie);
      site.store.watch = () => nextTurn();
      login.userLoader(async (id) => {
        if (id === david.id) return david;
        for (let turn = 0; turn < turns; turn++) await nextTurn();
        return cookie === "session" ? site.susan : null;
      });
      let asked: Promise<unknown> | undefined;
      await browser.post(site.session.wrap(async (request) => {
        asked = login.getCurrentUser(request);
        const response = await login.loginUser(request, david);
        assertEquals(await login.getCurrentUser(request), david);
        return response;
      }));
      await asked;
      site.store.watch = undefined;
      assertEquals(await site.ask(browser), david);
      assertEquals([...browser.cookies.keys()], ["session"]);
    }
  });
}

Deno.test("login.logoutUser() that is not awaited logs out for good, whoever asks meanwhile", async () => {
  const site = new StoreSite();
  const browser = await site.remembered();
  await browser.post(site.session.wrap(async (request) => {
    site.login.logoutUser(request);
    assertEquals(await site.login.getCurrentUser(request), null);
    return new Response();
  }));
  assertEquals([...browser.cookies], []);
});

Deno.test("login.endOtherSessions() that is not awaited keeps a login that comes meanwhile", async () => {
  const site = new StoreSite();
  const { login, session, susan } = site;
  const [browser, other] = [await site.loggedIn(), await site.loggedIn()];
  await browser.post(session.wrap(async (request) => {
    await login.getCurrentUser(request);
    site.store.watch = () => nextTurn();
    login.endOtherSessions(request);
    return await login.loginUser(request, susan);
  }));
  site.store.watch = undefined;
  assertEquals(await site.ask(other), null);
  assertEquals(await site.ask(browser), susan);
});
