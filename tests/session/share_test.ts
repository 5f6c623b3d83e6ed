import { assert, assertEquals, assertThrows } from "@std/assert";
import { Session } from "../../mod.ts";
import { cookieSetBy, KEY, requestWith } from "../_helpers.ts";

Deno.test("Session.share() lets a copy of a request have its session", async () => {
  const session = new Session<{ n: number }>({ secretKey: KEY });
  const handler = session.wrap(async (request) => {
    const copy = new Request(request);
    assert(session.share(request, copy) === copy);
    const dict = await session.get(copy);
    assert(dict === await session.get(request));
    dict.n = 1;
    dict.save();
    return new Response("text");
  });
  const value = cookieSetBy(await handler(requestWith())) ?? "";
  const { n } = await session.get(requestWith(`session=${value}`));
  assertEquals(n, 1);
});

Deno.test("Session.share() shares what other sessions know of the request", async () => {
  const shop = new Session({ secretKey: KEY });
  const admin = new Session({ secretKey: KEY, cookieName: "admin" });
  const request = requestWith();
  const dict = await admin.open(request);
  const copy = shop.share(request, new Request(request));
  assert(await admin.get(copy) === dict);
});

Deno.test("Session.share() refuses what is no Request", () => {
  const session = new Session({ secretKey: KEY });
  const fake = { url: "http://localhost/" } as Request; // as a framework's
  assertThrows(() => session.share(requestWith(), fake), TypeError);
  assertThrows(() => session.share(fake, requestWith()), TypeError);
});
