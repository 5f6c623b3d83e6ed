/** What the code of docs/stores.md does. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { kvBackend, type StoreBackend } from "../../backends/kv.ts";
import { storeBackend } from "../../backends/store.ts";
import { TestClient } from "../../helpers/testing.ts";
import {
  type Backend,
  Login,
  Session,
  type SessionDict,
  withSession,
} from "../../mod.ts";
import { MemoryStore } from "../backends/_memory.ts";
import { cookieSetBy, KEY, requestWith } from "../_helpers.ts";
import type { Handler } from "../_login.ts";
import { runDeno } from "../_processes.ts";
import { ROOT } from "../_sources.ts";
import { BLOCKS, nameOf, withFiles, withProject } from "./_code.ts";

const PAGE = "docs/stores.md";

Deno.env.set("SECRET_KEY", KEY);
Deno.env.set("KV_PATH", ":memory:");

type Moving = {
  moving(old: Backend, backend: StoreBackend): StoreBackend;
};

function codeOf(name: string): string {
  const block = BLOCKS.find((block) =>
    block.page === PAGE && nameOf(block) === name
  );
  assert(block !== undefined, name);
  return block.code;
}

/** One request of a visitor; returns the cookie that it leaves. */
async function visit(
  session: Session,
  value: string,
  edit: (dict: SessionDict) => unknown,
): Promise<string> {
  const handler = withSession(session, async (_request, dict) => {
    await edit(dict);
    return new Response("Hello");
  });
  const response = await handler(requestWith(`session=${value}`));
  return cookieSetBy(response) ?? value;
}

Deno.test(`${PAGE} has the store of examples/sqlite.ts`, async () => {
  const example = await Deno.readTextFile(new URL("examples/sqlite.ts", ROOT));
  const code = codeOf("sqlite_store.ts");
  assertStringIncludes(example, code.slice(code.indexOf("/**")).trim());
});

Deno.test(`${PAGE}: its store passes its tests, and counts visits`, async () => {
  type Main = { handler: Handler };
  await withFiles<Main>(PAGE, ["main.ts"], async ({ handler }) => {
    const client = new TestClient(handler);
    for (const n of [1, 2]) {
      assertEquals(await (await client.get("/")).json(), { n });
    }
  });
  const names = ["sqlite_store.ts", "sqlite_store_test.ts"];
  const files = names.map((name) => [name, codeOf(name)]);
  await withProject(Object.fromEntries(files), async (cwd) => {
    const args = ["test", "--no-check", "--allow-read", "--allow-write"];
    const { code, stdout, stderr } = await runDeno(args, { cwd });
    assertEquals(code, 0, stdout + stderr);
    assertStringIncludes(stdout, "0 failed");
  });
});

// Its database is open as long as the application runs.
const options = { sanitizeResources: false };

Deno.test(
  `${PAGE}: sessions move from signed cookies to Deno KV`,
  options,
  async () => {
    type Main = { session: Session };
    const old = new Session({ secretKey: KEY });
    await withFiles<Main>(PAGE, ["session.ts"], async ({ session }) => {
      let value = await visit(old, "", (dict) => {
        dict.n = 1;
        return dict.save();
      });
      assert(value.includes("."));
      await visit(
        session,
        value,
        (dict) => assertEquals({ ...dict }, { n: 1 }),
      );
      value = await visit(session, value, (dict) => {
        dict.n = 2;
        return dict.save();
      });
      assertEquals(value.length, 43);
      for (const other of ["", "x", "a.b.c"]) {
        await visit(session, other, (dict) => assertEquals({ ...dict }, {}));
      }
      const same = await visit(session, value, (dict) => {
        assertEquals({ ...dict }, { n: 2 });
        return dict.save();
      });
      assertEquals(same, value);
    });
  },
);

Deno.test(`${PAGE}: sessions move from one store to another, and end in both`, async () => {
  using kv = await Deno.openKv(":memory:");
  const from = kvBackend(kv);
  await withFiles<Moving>(PAGE, ["moving.ts"], async ({ moving }) => {
    const both = moving(kvBackend(kv), storeBackend(new MemoryStore()));
    const [kept, moved, ended] = await Promise.all(
      [1, 2, 3].map((n) => from.save({ _user_id: 7, n })),
    );
    assertEquals(await both.renew(kept, { exp: 1e10 }), kept);
    assertEquals(await both.load(kept), { _user_id: 7, n: 1, exp: 1e10 });

    const value = await both.save({ _user_id: 7, n: 4 }, moved);
    assertEquals(await from.load(moved), null);
    assertEquals(await both.load(moved), null);
    assertEquals(await both.load(value), { _user_id: 7, n: 4 });
    assertEquals(await both.save({ _user_id: 7, n: 5 }, value), value);

    await both.remove(ended);
    assertEquals(await both.load(ended), null);
    for (const gone of [moved, ended]) {
      const [result] = await Promise.allSettled([both.save({ n: 6 }, gone)]);
      assertEquals(result.status, "rejected");
    }

    await both.removeUser(7);
    for (const id of [kept, value]) assertEquals(await both.load(id), null);
  });
});

Deno.test(`${PAGE}: who is logged in stays so while sessions move`, async () => {
  using kv = await Deno.openKv(":memory:");
  const old = new Session({ backend: kvBackend(kv), secretKey: KEY });
  const user = { id: 7 };
  let handler: Handler = () => new Response();
  const client = new TestClient(
    (request) => handler(request),
    { login: new Login<typeof user>(old) },
  );
  await client.loginAs(user, { remember: true });
  await withFiles<Moving>(PAGE, ["moving.ts"], async ({ moving }) => {
    const store = storeBackend(new MemoryStore());
    const backend = moving(kvBackend(kv), store);
    const session = new Session({ backend, secretKey: KEY });
    const login = new Login<typeof user>(session, { userLoader: () => user });
    handler = login.required(async (request) => {
      const dict = await session.get(request);
      dict.n = (dict.n ?? 0) + 1;
      dict.save();
      return Response.json(dict.n);
    });
    for (const n of [1, 2]) {
      assertEquals(await (await client.get("/")).json(), n);
    }
    client.cookies.delete("session");
    assertEquals((await client.get("/")).status, 200); // By its remember token.
    await backend.removeUser(7);
    assertEquals((await client.get("/")).status, 302);
  });
});
