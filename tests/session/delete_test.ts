import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import type { SessionOptions } from "../../mod.ts";
import {
  attributesOf,
  cookieSetBy,
  lineOf,
  MemoryBackend,
  NOW,
  requestWith,
  signToken,
} from "../_helpers.ts";
import {
  dataOf,
  DAY,
  newSession,
  savedAgo,
  storeOf,
  valueWith,
  visit,
} from "./_visits.ts";

const OPTIONS: SessionOptions[] = [
  {},
  { cookieName: "__Host-session" },
  {
    cookieOptions: {
      path: "/app",
      domain: "example.com",
      secure: true,
      httpOnly: false,
      sameSite: "None",
      partitioned: true,
    },
  },
  { cookieOptions: { sameSite: "Strict", maxAge: 60 } },
];

for (const options of OPTIONS) {
  Deno.test(`dict.delete() removes the cookie with the attributes of ${JSON.stringify(options)}`, async () => {
    const session = newSession(options);
    const { cookieName: name = "session" } = options;
    const set = await visit(session, (dict) => void dict.save());
    const deleted = await visit(session, (dict) => void dict.delete());
    const attributes = attributesOf(lineOf(deleted, name));
    assertEquals(cookieSetBy(deleted, name), "");
    assert(attributes.includes("Max-Age=0"));
    assert(attributes.includes("Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
    assertEquals(
      attributes.filter((one) => !/^(Max-Age|Expires)=/.test(one)),
      attributesOf(lineOf(set, name)).filter((one) =>
        !one.startsWith("Max-Age=")
      ),
    );
  });
}

Deno.test("dict.delete() deletes a Secure cookie over https alone", async () => {
  const session = newSession();
  const handler = session.wrap(async (request) => {
    (await session.get(request)).delete();
    return new Response("Hello");
  });
  for (const [url, isSecure] of [["https:", true], ["http:", false]]) {
    const response = await handler(requestWith("", `${url}//localhost/`));
    const attributes = attributesOf(lineOf(response));
    assertEquals(attributes.includes("Secure"), isSecure);
  }
});

Deno.test("dict.delete() empties the session for the rest of the request", async () => {
  const session = newSession();
  const handler = session.wrap(async (request) => {
    const dict = await session.get(request);
    dict.delete();
    assertEquals({ ...dict }, {});
    assertStrictEquals(await session.get(request), dict);
    return new Response("Hello");
  });
  await handler(requestWith(`session=${await signToken({ n: 1, m: 2 })}`));
});

Deno.test("dict.delete() removes the stored record", async () => {
  const backend = new MemoryBackend();
  const session = newSession({ backend });
  const value = await valueWith(session, { n: 1 });
  await visit(session, (dict) => void dict.delete(), { value });
  assertEquals(backend.removed, [value]);
  assertEquals(await dataOf(session, value), {});
});

Deno.test("dict.delete() removes a record of the same request", async () => {
  const backend = new MemoryBackend();
  await visit(newSession({ backend }), (dict) => {
    dict.save();
    dict.delete();
  });
  assertEquals(backend.removed.length, 1);
  assertEquals(backend.records.size, 0);
});

Deno.test("dict.delete() removes nothing where there was no valid session", async () => {
  const backend = new MemoryBackend();
  await visit(
    newSession({ backend }),
    (dict) => void dict.delete(),
    { value: "forged" },
  );
  assertEquals(backend.removed, []);
});

Deno.test("dict.delete() works with a store that has no remove()", async () => {
  const response = await visit(
    newSession({ backend: storeOf({ n: 1 }) }),
    (dict) => void dict.delete(),
    { value: "id" },
  );
  assertEquals(cookieSetBy(response), "");
});

Deno.test("dict.delete() after dict.save() wins", async () => {
  const response = await visit(newSession(), (dict) => {
    dict.save();
    dict.delete();
  });
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(cookieSetBy(response), "");
});

Deno.test("dict.save() after dict.delete() starts a session anew", async () => {
  const backend = new MemoryBackend();
  const { session, value } = await savedAgo(DAY, { backend });
  const response = await visit(session, (dict) => {
    dict.delete();
    dict.m = 2;
    dict.save();
  }, { value });
  assertEquals(response.headers.getSetCookie().length, 1);
  const next = cookieSetBy(response) ?? "";
  assertNotEquals(next, value);
  assertEquals(await dataOf(session, next), { m: 2 });
  assertEquals(backend.records.get(next)?._started, NOW + DAY);
});

Deno.test("dict.delete() cancels a renewal that is due", async () => {
  const { session, value } = await savedAgo(8 * DAY);
  const response = await visit(session, (dict) => void dict.delete(), {
    value,
  });
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(cookieSetBy(response), "");
});

Deno.test("dict.delete() makes the wrapper reject where the store fails", async () => {
  const failure = new Error("store is down");
  const backend = storeOf({ n: 1 }, { remove: () => Promise.reject(failure) });
  const error = await assertRejects(() =>
    visit(newSession({ backend }), (dict) => void dict.delete(), {
      value: "id",
    })
  );
  assertStrictEquals(error, failure);
});
