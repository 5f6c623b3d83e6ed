import { assertEquals } from "@std/assert";
import { Login, Session } from "../../mod.ts";
import { KEY, MemoryBackend } from "../_helpers.ts";
import type { Handler } from "../_login.ts";
import { attackHandler, cookieAfter, type Send } from "./_site.ts";

/** A site that says sorry where its store fails in the middle of a login. */
function makeSite(backend: MemoryBackend): Handler {
  const session = new Session({ secretKey: KEY, backend });
  const login = new Login<{ id: string }>(session, {
    userLoader: (id) => ({ id }),
  });
  async function logIn(request: Request): Promise<Response> {
    try {
      return await login.loginUser(request, { id: "susan" });
    } catch {
      const dict = await session.get(request);
      dict.message = "Try again";
      dict.save();
      return new Response("Sorry", { status: 503 });
    }
  }
  async function showUser(request: Request): Promise<Response> {
    const user = await login.getCurrentUser(request);
    const { message } = await session.get(request);
    return Response.json([user?.id ?? null, message ?? null]);
  }
  const fresh = login.fresh(() => new Response("fresh"));
  return session.wrap((request) => {
    if (request.method === "POST") return logIn(request);
    return request.url.endsWith("/fresh") ? fresh(request) : showUser(request);
  });
}

/** Whom the site takes the sender of a cookie for, and what it tells them. */
async function whoIs(send: Send, cookie: string): Promise<unknown> {
  return JSON.parse((await send({ headers: [cookie] })).body);
}

for (const method of ["save", "remove"] as const) {
  Deno.test(`rule 19, half a login: Login gives whoever planted an id nothing where the store fails to ${method}`, async () => {
    const backend = new MemoryBackend();
    backend.records.set("planted", {});
    const planted = "Cookie: session=planted";
    await attackHandler(makeSite(backend), async (send) => {
      backend.failOnce(method, new Error("The store is down"));
      const request = { method: "POST", headers: [planted] };
      const failed = await send(request);
      assertEquals([failed.status, cookieAfter(failed)], [503, planted]);
      assertEquals(await whoIs(send, planted), [null, "Try again"]);
      const fresh = await send({ target: "/fresh", headers: [planted] });
      assertEquals(fresh.status, 302);

      const done = await send(request);
      assertEquals(done.status, 302);
      assertEquals(await whoIs(send, cookieAfter(done)), [
        "susan",
        "Try again",
      ]);
      assertEquals(await whoIs(send, planted), [null, null]);
    });
  });
}
