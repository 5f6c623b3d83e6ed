import { assert, assertEquals } from "@std/assert";
import { jwtBackend } from "../../backends/jwt.ts";
import { kvBackend } from "../../backends/kv.ts";
import {
  Login,
  type LoginOptions,
  Session,
  type SessionOptions,
} from "../../mod.ts";
import type { Answer } from "../_http.ts";
import { KEY, NOW } from "../_helpers.ts";
import type { Handler } from "../_login.ts";
import { forge, payload } from "./_forge.ts";
import {
  attackHandler,
  cookiesSet,
  type Identity,
  NOBODY,
  type Send,
} from "./_site.ts";

// Two doors of one house under one key: each has a user 1 of its own.

const SHOP = "shop";
const ADMIN = "admin";
/** The cookie of the door that a visitor has, and the door that is tried. */
const WAYS: [from: string, to: string][] = [[SHOP, ADMIN], [ADMIN, SHOP]];

interface Backend extends Partial<Disposable> {
  options: SessionOptions;
}

const BACKENDS: Record<string, () => Backend | Promise<Backend>> = {
  jwt: () => ({ options: {} }),
  fernet: () => ({ options: { backend: "fernet" } }),
  "a shared kv": async () => {
    const kv = await Deno.openKv(":memory:");
    const backend = kvBackend(kv);
    return { options: { backend }, [Symbol.dispose]: () => kv.close() };
  },
};

/** A visitor's cookies, from the login on. */
interface Cookies {
  session: string;
  remember: string;
}

function clock(): number {
  return NOW * 1000;
}

/** One door: a session and a login, and pages that are named behind its own. */
function openDoor(
  name: string,
  options: SessionOptions,
  loginOptions: LoginOptions<{ id: number }> = {},
): Handler {
  const session = new Session({
    secretKey: KEY,
    clock,
    cookieName: name,
    ...options,
  });
  const login = new Login<{ id: number }>(session, {
    userLoader: (id) => id === 1 ? { id } : null,
    ...loginOptions,
  });
  const pages: Record<string, Handler> = {
    login: (request) => login.loginUser(request, { id: 1 }, { remember: true }),
    logout: (request) => login.logoutUser(request),
    fresh: login.fresh(() => new Response("fresh")),
    save: async (request) => {
      const dict = await session.get(request);
      dict.saved = name;
      dict.save();
      return new Response("saved");
    },
    whoami: async (request) => {
      const user = await login.getCurrentUser(request);
      const data = { ...await session.get(request) };
      return Response.json({ user: user && `${name} ${user.id}`, data });
    },
  };
  return session.wrap((request) => {
    const [page] = request.url.split("/").slice(-1);
    return pages[page](request);
  });
}

/** A house, and somebody before it. */
class House {
  readonly send: Send;

  constructor(send: Send) {
    this.send = send;
  }

  ask(door: string, page: string, cookies: string): Promise<Answer> {
    const headers = [`Cookie: ${cookies}`];
    const method = /^log/.test(page) ? "POST" : "GET";
    return this.send({ method, target: `/${door}/${page}`, headers });
  }

  /** Whom a door takes the sender of these cookies for; it sets none. */
  async whoIs(door: string, cookies: string): Promise<Identity> {
    const answer = await this.ask(door, "whoami", cookies);
    const lines = answer.headers.getSetCookie();
    assertEquals([answer.status, lines], [200, []]);
    return JSON.parse(answer.body);
  }

  /** Logs user 1 of a door in, whose session says so. */
  async enter(door: string): Promise<Cookies> {
    const login = await this.ask(door, "login", "");
    const session = valueIn(login, door);
    const remember = valueIn(login, `${door}_remember`);
    const saved = await this.ask(door, "save", `${door}=${session}`);
    return { session: valueIn(saved, door), remember };
  }
}

/** The value that an answer sets a cookie to. */
function valueIn(answer: Answer, name: string): string {
  const line = cookiesSet(answer).find((line) => line.startsWith(`${name}=`));
  assert(line !== undefined, `There is no ${name}`);
  return line.slice(name.length + 1).split(";")[0];
}

/** Tests an attack on a house of each backend, from each door at the other. */
function testWays(
  what: string,
  run: (house: House, from: string, to: string) => Promise<void>,
  loginOptions?: LoginOptions<{ id: number }>,
): void {
  for (const [name, open] of Object.entries(BACKENDS)) {
    for (const [from, to] of WAYS) {
      Deno.test(`rule 16, one door: with ${name}, ${what}: ${from}, ${to}`, async () => {
        using backend = { [Symbol.dispose]() {}, ...await open() };
        const doors = new Map([SHOP, ADMIN].map((door) => [
          door,
          openDoor(door, backend.options, loginOptions),
        ]));
        const handler: Handler = (request) => {
          const [, door] = new URL(request.url).pathname.split("/");
          return doors.get(door)?.(request) ?? new Response(null);
        };
        await attackHandler(
          handler,
          (send) => run(new House(send), from, to),
        );
      });
    }
  }
}

testWays(
  "Login knows nobody by the other's cookies, renamed",
  async (house, from, to) => {
    const { session, remember } = await house.enter(from);
    const own = { user: `${from} 1`, data: { saved: from } };
    assertEquals(await house.whoIs(from, `${from}=${session}`), own);
    for (
      const cookies of [
        `${to}=${session}`,
        `${to}_remember=${remember}`,
        `${to}=${session}; ${to}_remember=${remember}`,
        `${to}=${remember}; ${to}_remember=${session}`,
      ]
    ) {
      assertEquals(await house.whoIs(to, cookies), NOBODY);
      const fresh = await house.ask(to, "fresh", cookies);
      assertEquals([fresh.status, cookiesSet(fresh)], [302, []]);
    }
    assertEquals(await house.whoIs(from, `${from}=${session}`), own);
  },
);

testWays(
  "Login takes its own cookie beside the other's",
  async (house, from, to) => {
    const planted = await house.enter(from);
    const { session } = await house.enter(to);
    const cookies = [`${to}=${planted.session}`, `${to}=${session}`];
    const own = { user: `${to} 1`, data: { saved: to } };
    assertEquals(await house.whoIs(to, cookies.join("; ")), own);
    assertEquals(await house.whoIs(to, cookies.reverse().join("; ")), own);
  },
);

testWays(
  "Login of one takes over nothing of the other's session",
  async (house, from, to) => {
    const { session, remember } = await house.enter(from);
    const cookies = `${to}=${session}; ${to}_remember=${remember}`;
    const login = await house.ask(to, "login", cookies);
    const identity = { user: `${to} 1`, data: {} };
    assertEquals(
      await house.whoIs(to, `${to}=${valueIn(login, to)}`),
      identity,
    );
  },
);

testWays(
  "saves and logouts of one leave the other's session alone",
  async (house, from, to) => {
    const { session } = await house.enter(from);
    const saved = await house.ask(to, "save", `${to}=${session}`);
    assertEquals(
      await house.whoIs(to, `${to}=${valueIn(saved, to)}`),
      { user: null, data: { saved: to } },
    );
    await house.ask(to, "logout", `${to}=${session}`);
    assertEquals(
      await house.whoIs(from, `${from}=${session}`),
      { user: `${from} 1`, data: { saved: from } },
    );
  },
);

testWays(
  "Login leaves a remember cookie of one name to whose it is",
  async (house, from, to) => {
    const login = await house.ask(from, "login", "");
    const cookies = `stay=${valueIn(login, "stay")}`;
    const answer = await house.ask(to, "whoami", cookies);
    assertEquals(JSON.parse(answer.body), NOBODY);
    assertEquals(answer.headers.getSetCookie(), []);
    const restored = await house.ask(from, "whoami", cookies);
    assertEquals(JSON.parse(restored.body).user, `${from} 1`);
  },
  { rememberCookieName: "stay" },
);

Deno.test("rule 16, one purpose: Login knows nobody by a token that was made for a link", async () => {
  const door = openDoor("session", {}, { rememberCookieName: "stay" });
  const backend = jwtBackend({ secretKey: KEY, type: "invitation+jwt", clock });
  const claims = { user_id: 1, days: 30, auth_time: NOW, exp: NOW + 60 };
  const login = { _user_id: 1, _fresh: true, _auth_time: NOW };
  const token = await backend.save({ ...login, ...claims });
  const session = await forge({
    payload: payload({ ...login, _stamp: undefined }),
  });
  await attackHandler(door, async (send) => {
    const house = new House(send);
    const { user } = await house.whoIs("a", `session=${session}`);
    assertEquals(user, "session 1");
    for (const name of ["session", "stay"]) {
      assertEquals(await house.whoIs("a", `${name}=${token}`), NOBODY);
    }
  });
});
