import { assertEquals } from "@std/assert";
import {
  Login,
  redirect,
  Session,
  type SessionDict,
  withSession,
} from "../../mod.ts";
import { KEY, MemoryBackend } from "../_helpers.ts";
import {
  Browser,
  cookiesOf,
  type Handler,
  locationOf,
  Site,
  type User,
} from "../_login.ts";

const INFO: Deno.ServeHandlerInfo = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 50_000 },
  completed: Promise.resolve(),
};

interface Params {
  id: string;
}

/** A page that reads the session, saves it, and sets a cookie of its own. */
async function page(
  site: Site,
  request: Request,
  user: User,
  dict?: SessionDict,
): Promise<Response> {
  dict ??= await site.session.get(request);
  dict.visits = (dict.visits ?? 0) + 1;
  dict.save();
  const headers = { Vary: "Accept", "Set-Cookie": "theme=dark" };
  return new Response(`${user.name} ${dict.visits}`, { headers });
}

/** A browser of susan's, whose session has a theme. */
async function themed(site: Site): Promise<Browser> {
  const browser = await site.loggedIn();
  await site.edit(browser, (dict) => void (dict.theme = "dark"));
  return browser;
}

/** A guard in every place that it may have among the wrappers. */
const ORDERS: [name: string, compose: (site: Site) => Handler][] = [
  [
    "required() alone",
    (site) => site.login.required((request, user) => page(site, request, user)),
  ],
  [
    "required() inside session.wrap()",
    (site) =>
      site.session.wrap(
        site.login.required((request, user) => page(site, request, user)),
      ),
  ],
  [
    "required() inside withSession()",
    (site) =>
      withSession(
        site.session,
        site.login.required((request, user, dict: SessionDict) =>
          page(site, request, user, dict)
        ),
      ),
  ],
  [
    "required() outside withSession()",
    (site) =>
      site.login.required(
        withSession(site.session, (request, dict, user: User) =>
          page(site, request, user, dict)),
      ),
  ],
  [
    "required() outside session.wrap()",
    (site) =>
      site.login.required(
        site.session.wrap((request, user: User) => page(site, request, user)),
      ),
  ],
  [
    "required() inside required()",
    (site) =>
      site.login.required(
        site.login.required((request, user, _outer: User) =>
          page(site, request, user)
        ),
      ),
  ],
  [
    "fresh() inside required()",
    (site) =>
      site.login.required(
        site.login.fresh((request, user, _outer: User) =>
          page(site, request, user)
        ),
      ),
  ],
  [
    "required() inside fresh()",
    (site) =>
      site.login.fresh(
        site.login.required((request, user, _outer: User) =>
          page(site, request, user)
        ),
      ),
  ],
  [
    "requireUser() inside withSession()",
    (site) =>
      withSession(
        site.session,
        async (request, dict) =>
          page(site, request, await site.login.requireUser(request), dict),
      ),
  ],
  [
    "required() among many wrappers",
    (site) =>
      site.session.wrap(
        withSession(
          site.session,
          site.login.required(
            site.session.wrap(
              withSession(
                site.session,
                (request, dict, user: User, _outer: SessionDict) =>
                  page(site, request, user, dict),
              ),
            ),
          ),
        ),
      ),
  ],
];

for (const [name, compose] of ORDERS) {
  Deno.test(`${name} commits once`, async () => {
    const backend = new MemoryBackend();
    const site = new Site({ session: { backend } });
    const browser = await site.loggedIn(site.susan, { remember: true });
    const id = browser.cookies.get("session");
    backend.previous.length = 0;
    const handler = compose(site);
    const response = await browser.get(handler);
    assertEquals(await response.text(), "susan 1");
    assertEquals(cookiesOf(response), ["session", "theme"]);
    assertEquals(backend.previous, [id]);
    assertEquals(await (await browser.get(handler)).text(), "susan 2");
    assertEquals(site.loaded, [1, 1]);
  });

  Deno.test(`${name} adds Cookie to Vary once`, async () => {
    const site = new Site();
    const browser = await site.loggedIn();
    const { headers } = await browser.get(compose(site));
    assertEquals(headers.get("Vary"), "Accept, Cookie");
    assertEquals(headers.get("Cache-Control"), "no-store");
  });

  Deno.test(`${name} sets each cookie once for a remembered user`, async () => {
    const site = new Site();
    const browser = await site.remembered();
    const response = await browser.get(compose(site));
    if (name.includes("fresh")) {
      assertEquals(locationOf(response), [302, "/login?next=%2F"]);
      assertEquals(cookiesOf(response), ["_remember", "session"]);
    } else {
      assertEquals(await response.text(), "susan 1");
      assertEquals(cookiesOf(response), ["_remember", "session", "theme"]);
    }
  });

  Deno.test(`${name} sends an anonymous visitor to the login page`, async () => {
    const site = new Site();
    const response = await new Browser().get(compose(site), "/a");
    assertEquals(locationOf(response), [302, "/login?next=%2Fa"]);
    assertEquals(cookiesOf(response), []);
    assertEquals(response.headers.get("Vary"), "Cookie");
    assertEquals(response.headers.get("Cache-Control"), "no-store");
  });
}

Deno.test("loginUser() under a guard sets each cookie once", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const again = site.session.wrap(
    site.login.required((request, user) =>
      site.login.loginUser(request, user, { remember: 5 })
    ),
  );
  const response = await browser.post(again);
  assertEquals(locationOf(response), [302, "/"]);
  assertEquals(cookiesOf(response), ["_remember", "session"]);
});

Deno.test("logoutUser() under a guard removes each cookie once", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const bye = site.login.required(async (request) => {
    await site.login.logoutUser(request);
    return redirect("/bye", 303);
  });
  const response = await browser.post(bye);
  assertEquals(locationOf(response), [303, "/bye"]);
  assertEquals(cookiesOf(response), ["-_remember", "-session"]);
});

Deno.test("Logins over two sessions set the cookies of both", async () => {
  const site = new Site();
  const session = new Session({
    secretKey: KEY,
    clock: site.clock,
    cookieName: "admin",
  });
  const admins = new Login<User>(session, {
    userLoader: (id) => site.users.get(id),
    rememberCookieName: "_admin",
  });
  const browser = await site.loggedIn();
  await browser.post((request) => admins.loginUser(request, site.david));
  const handler = site.login.required(
    admins.required(async (request, admin, user: User) => {
      for (const one of [session, site.session]) {
        const dict = await one.get(request);
        dict.seen = true;
        dict.save();
      }
      return new Response(`${admin.name} as ${user.name}`);
    }),
  );
  const response = await browser.get(handler);
  assertEquals(await response.text(), "david as susan");
  assertEquals(cookiesOf(response), ["admin", "session"]);
  assertEquals(response.headers.get("Vary"), "Cookie");
});

Deno.test("required() passes Deno.ServeHandlerInfo on", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  const handler = site.login.required(
    (_request, user, info: Deno.ServeHandlerInfo) =>
      Response.json([user.name, info.remoteAddr.transport]),
  );
  const response = await handler(browser.request("/"), INFO);
  assertEquals(await response.json(), ["susan", "tcp"]);
});

Deno.test("fresh() passes route params and info on", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  const handler = site.login.fresh(
    (_request, user, params: Params, info?: Deno.ServeHandlerInfo) =>
      Response.json([user.name, params.id, info?.remoteAddr.transport]),
  );
  const response = await handler(browser.request("/"), { id: "7" }, INFO);
  assertEquals(await response.json(), ["susan", "7", "tcp"]);
});

Deno.test("required() inside withSession() takes the dictionary before the other arguments", async () => {
  const site = new Site();
  const browser = await themed(site);
  const handler = withSession(
    site.session,
    site.login.required(
      (_request, user, dict: SessionDict, params: Params) =>
        Response.json([user.name, dict.theme, params.id]),
    ),
  );
  const response = await handler(browser.request("/"), { id: "7" });
  assertEquals(await response.json(), ["susan", "dark", "7"]);
});

Deno.test("required() outside withSession() passes the user before the other arguments", async () => {
  const site = new Site();
  const browser = await themed(site);
  const handler = site.login.required(
    withSession(
      site.session,
      (_request, dict, user: User, params: Params) =>
        Response.json([user.name, dict.theme, params.id]),
    ),
  );
  const response = await handler(browser.request("/"), { id: "7" });
  assertEquals(await response.json(), ["susan", "dark", "7"]);
});
