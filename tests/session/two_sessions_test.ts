import { assertEquals, assertRejects } from "@std/assert";
import type { Session } from "../../mod.ts";
import { cookieSetBy, OTHER_KEY, requestWith } from "../_helpers.ts";
import { Browser, Site } from "../_login.ts";
import { newSession } from "./_visits.ts";

/** Ways to have to do with a session. */
const USES: Record<
  string,
  (session: Session, request: Request) => Promise<unknown>
> = {
  "session.get()": (session, request) => session.get(request),
  "session.open()": (session, request) => session.open(request),
  "session.wrap()": (session, request) =>
    session.wrap(() => new Response("Hello"))(request),
};

/** Sees that an error tells what two sessions need. */
function assertTold(use: () => Promise<unknown>): Promise<Error> {
  return assertRejects(
    use,
    TypeError,
    `another Session has read this request's "session" cookie, and one of them would lose what it saves; give each a cookieName of its own`,
  );
}

for (const [first, useFirst] of Object.entries(USES)) {
  for (const [second, useSecond] of Object.entries(USES)) {
    Deno.test(`${second} rejects where ${first} of another session has used the cookie`, async () => {
      const [session, other] = [newSession(), newSession()];
      const request = requestWith();
      await useFirst(session, request);
      await assertTold(() => useSecond(other, request));
      // The first one stays as it was.
      await useFirst(session, request);
    });
  }
}

Deno.test("two sessions of one cookie are refused below a wrapper, whatever their keys", async () => {
  const other = newSession({ secretKey: OTHER_KEY });
  const handler = newSession().wrap(async (request) => {
    await assertTold(() => other.get(request));
    return new Response("Hello");
  });
  assertEquals((await handler(requestWith())).status, 200);
});

Deno.test("two sessions of one cookie are refused though a third is between them", async () => {
  const request = requestWith();
  await newSession().get(request);
  await newSession({ cookieName: "third" }).get(request);
  await assertTold(() => newSession().get(request));
});

Deno.test("two sessions of one cookie are refused where one gets its name later", async () => {
  const [session, other] = [newSession(), newSession({ cookieName: "other" })];
  const request = requestWith();
  await session.get(request);
  other.initialize({ cookieName: "session" });
  await assertTold(() => other.get(request));
});

Deno.test("two sessions of one cookie may serve a request each", async () => {
  for (const session of [newSession(), newSession()]) {
    const handler = session.wrap(async (request) => {
      (await session.get(request)).save();
      return new Response("Hello");
    });
    const response = await handler(requestWith());
    assertEquals(typeof cookieSetBy(response), "string");
  }
});

Deno.test("login rejects where another session has used its cookie", async () => {
  const { login, susan } = new Site();
  const request = new Browser().request("/login", { method: "POST" });
  await newSession().get(request);
  await assertTold(() => login.loginUser(request, susan));
  await assertTold(() => login.getCurrentUser(request));
});
