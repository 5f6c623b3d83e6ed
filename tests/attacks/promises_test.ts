import { assertEquals } from "@std/assert";
import { Login, Session } from "../../mod.ts";
import {
  captureErrors,
  captureRejections,
  KEY,
  MemoryBackend,
  NOW,
  serve,
} from "../_helpers.ts";
import type { Handler } from "../_login.ts";
import { forgeRemember } from "./_forge.ts";

/** Cookies of visitors whom a site has to look for, and of others. */
const COOKIES: (() => string | Promise<string>)[] = [
  () => "session=known",
  () => "session=known; session=other",
  async () => `_remember=${await forgeRemember()}`,
  () => "session=; =x; session=a.b.c; _remember=..",
  () => "",
];

/** What a handler begins and never waits for. */
const ACTIONS: Record<
  string,
  (site: ReturnType<typeof makeSite>, request: Request) => unknown
> = {
  get: ({ session }, request) => session.get(request),
  save: ({ session }, request) =>
    session.get(request).then((dict) => void dict.save(), () => {}),
  delete: ({ session }, request) =>
    session.get(request).then((dict) => void dict.delete(), () => {}),
  login: ({ login }, request) =>
    login.loginUser(request, { id: "susan" }, { remember: true }),
  logout: ({ login }, request) => login.logoutUser(request),
  user: ({ login }, request) => login.getCurrentUser(request),
  guard: ({ login }, request) => login.requireUser(request),
};

/** When a handler begins it. */
const TIMES: Record<string, (begin: () => unknown) => unknown> = {
  "at once": (begin) => begin(),
  "and is late": (begin) => setTimeout(begin, 1),
};

function makeSite() {
  const backend = new MemoryBackend();
  const session = new Session({ secretKey: KEY, backend, clock });
  const login = new Login<{ id: string }>(session, {
    userLoader: (id) => ({ id }),
    securityStamp: () => "s1",
  });
  return { backend, session, login };
}

function clock(): number {
  return NOW * 1000;
}

/** A store that answers now and then: it knows a user, and fails at all else. */
function breakStore(backend: MemoryBackend): void {
  const fail = () => Promise.reject(new Error("The store is down"));
  const load = (id: string) =>
    id === "known" ? Promise.resolve({ _user_id: "susan", n: 1 }) : fail();
  Object.assign(backend, { load, save: fail, remove: fail });
}

/** Sends a request, and hangs up without waiting for the answer. */
async function hangUp(port: number, cookie: string): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = `POST / HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head));
}

for (const [name, act] of Object.entries(ACTIONS)) {
  for (const [time, begin] of Object.entries(TIMES)) {
    Deno.test(`rule 18, promises: a server lives on where a handler awaits no ${name} that fails ${time}`, async () => {
      using _log = captureErrors();
      using unhandled = captureRejections();
      const site = makeSite();
      breakStore(site.backend);
      const begun: Promise<unknown>[] = [];
      const handler: Handler = site.session.wrap((request) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        begun.push(promise);
        begin(() => {
          act(site, request);
          setTimeout(resolve, 1);
        });
        return new Response("Hello");
      });
      await serve(handler, async (url, port) => {
        for (const cookieOf of COOKIES) {
          const headers = { Cookie: await cookieOf() };
          await hangUp(port, headers.Cookie);
          const answer = await fetch(url, { method: "POST", headers });
          await answer.body?.cancel();
        }
      });
      await Promise.all(begun);
      assertEquals(unhandled.reasons, []);
    });
  }
}
