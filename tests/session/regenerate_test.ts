/** A new id for the same session; what it means to each backend is tested there. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Session } from "../../mod.ts";
import type { StoreBackend } from "../../backends/store.ts";
import { MemoryBackend, NOW, requestWith, SAVED } from "../_helpers.ts";
import { testRaces } from "../backends/_stores.ts";
import { Browser } from "../_login.ts";
import { StoreSite } from "../login/_series.ts";
import { dataOf, newSession, requestOf, valueWith, visit } from "./_visits.ts";

Deno.test("session.regenerate() ends the session of the old id, and keeps its data under a new one", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await valueWith(session, { n: 1 });
  const response = await session.wrap(async (request) => {
    const dict = await session.get(request);
    dict.n = 2;
    await session.regenerate(request);
    return Response.json(dict);
  })(requestOf(value));
  assertEquals(await response.json(), { n: 2 });
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(backend.previous.at(-1), undefined);
  assertEquals(backend.removed, [value]);
  assertEquals([...backend.records.keys()], ["id2"]);
  assertEquals(await dataOf(session, "id2"), { n: 2 });
  assertEquals(await dataOf(session, value), {});
});

Deno.test("session.regenerate() keeps when the session began", async () => {
  let now = 0;
  const backend = new MemoryBackend();
  const session = newSession({ backend, clock: () => now });
  const value = await valueWith(session, {});
  now = 60_000;
  await session.wrap(async (request) => {
    await session.regenerate(request);
    return new Response();
  })(requestOf(value));
  const { _started, [SAVED]: saved } = backend.records.get("id2") ?? {};
  assertEquals([_started, saved], [0, 60]);
});

Deno.test("session.regenerate() need not be awaited, nor the session be read before", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await valueWith(session, { n: 1 });
  const response = await session.wrap((request) => {
    session.regenerate(request);
    return new Response();
  })(requestOf(value));
  assertEquals(backend.removed, [value]);
  assertEquals(response.headers.getSetCookie().length, 1);
});

Deno.test("session.regenerate() works after session.open(), and where there was no session", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const request = requestWith();
  await session.open(request);
  await session.regenerate(request);
  const response = await session.commit(request, new Response());
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(backend.removed, []);
});

Deno.test("session.regenerate() rejects where nothing would send the new id", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await valueWith(session, { n: 1 });
  await assertRejects(
    () => session.regenerate(requestOf(value)),
    TypeError,
    "nothing would send it",
  );
  assertEquals([...backend.records.keys()], [value]);
});

for (const method of ["save", "remove"] as const) {
  Deno.test(`session.regenerate() that fails to ${method} is the request's error, and leaves the session as it was`, async () => {
    const backend = new MemoryBackend();
    const session = newSession({ backend });
    const value = await valueWith(session, { n: 1 });
    const failure = new Error("The store is on fire");
    backend.failOnce(method, failure);
    const handler = session.wrap(async (request) => {
      const dict = await session.get(request);
      dict.n = 2;
      session.regenerate(request);
      return new Response();
    });
    const error = await assertRejects(() => handler(requestOf(value)));
    assertEquals(error, failure);
    assertEquals(await dataOf(session, value), { n: 1 });
    assert(await visit(session, (dict) => dict.save(), { value }));
  });
}

/** Gives the session of an id a new one, in a request of its own. */
async function regenerateId(backend: StoreBackend, id: string) {
  const session = new Session({ backend, clock: () => NOW * 1000 });
  const request = requestWith(`session=${id}`);
  await session.open(request);
  await session.regenerate(request);
  await session.commit(request, new Response());
}

for (const isFirst of [true, false]) {
  const when = isFirst ? "while" : "that comes while";
  const removeUser = (backend: StoreBackend) => backend.removeUser(7);
  testRaces(
    `session.regenerate() brings back no session ${when} removeUser() ends it`,
    {
      prepare: (backend) => backend.save({ _user_id: 7 }),
      run: isFirst ? regenerateId : removeUser,
      interrupt: isFirst ? removeUser : regenerateId,
      async check({ backend }) {
        assertEquals(await backend.userSessions(7), []);
      },
    },
  );
}

for (const what of ["logs out", "ends all others"]) {
  Deno.test(`session.regenerate() rejects where another tab ${what} meanwhile, and leaves nothing`, async () => {
    const site = new StoreSite();
    const browser = await site.loggedIn();
    const other = await site.loggedIn();
    const handler = site.session.wrap(async (request) => {
      await site.login.getCurrentUser(request);
      await (what === "logs out" ? browser : other).post(
        site.session.wrap(async (request) => {
          if (what === "logs out") await site.login.logoutUser(request);
          else await site.login.endOtherSessions(request);
          return new Response();
        }),
      );
      await site.session.regenerate(request);
      return new Response();
    });
    const tab = new Browser();
    tab.cookies.set("session", browser.cookies.get("session") ?? "");
    await assertRejects(
      () => tab.post(handler),
      Error,
      "it was ended by another request",
    );
    assertEquals(await site.ask(tab), null);
    assertEquals(await site.ask(other), site.susan);
    assertEquals(site.store.find({ _cookie: "session" }).length, 1);
  });
}

Deno.test("session.regenerate() that is not awaited fails the response where it fails", async () => {
  const site = new StoreSite();
  const browser = await site.loggedIn();
  site.store.watch = () => {
    throw new Error("The store is down");
  };
  const handler = site.session.wrap((request) => {
    site.session.regenerate(request);
    return new Response();
  });
  await assertRejects(() => browser.post(handler), Error, "The store is down");
});
