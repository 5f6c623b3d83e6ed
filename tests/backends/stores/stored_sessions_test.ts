/** What a session is in a store: an id, a record, and for how long. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import { type SessionStore, storeBackend } from "../../../backends/store.ts";
import { NOW, SAVED } from "../../_helpers.ts";
import { fromBase64 } from "../_base64.ts";
import { testStores } from "../_stores.ts";
import { ENDED } from "../_test_store.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;
const CLAIMS = { _started: NOW, [SAVED]: NOW, exp: NOW + HOUR };

/** A good id that nothing is stored under. */
const UNKNOWN = "A".repeat(43);

const BAD_IDS: [why: string, id: string][] = [
  ["nothing", ""],
  ["42 characters", "A".repeat(42)],
  ["44 characters", "A".repeat(44)],
  ["padding", "A".repeat(43) + "="],
  ["stray bits", "A".repeat(42) + "B"],
  ["the standard alphabet", "+/".repeat(21) + "A"],
  ["a space before", ` ${"A".repeat(43)}`],
  ["a line break after", `${"A".repeat(43)}\n`],
  ["a line break for the last character", `${"A".repeat(42)}\n`],
  ["a character above ASCII", `${"A".repeat(41)}éA`],
  ["a hash in hexadecimal digits", "0".repeat(64)],
  ["a path", "../".repeat(14) + "A"],
  ["4,096 characters", "A".repeat(4096)],
  ["a JWT", "eyJhbGciOiJIUzI1NiJ9.eyJuIjoxfQ.AAAA"],
];

/** What somebody else may have written where a record is. */
const FOREIGN_TEXTS: [what: string, text: string][] = [
  ["no JSON", "n=1"],
  ["an array", "[1]"],
  ["null", "null"],
  ["nothing", ""],
  ["a number beyond all numbers", '{"n":[1e400]}'],
];

const METHODS = ["get", "set", "replace", "delete", "keysOf"];

/** A store that fails at whatever it is asked. */
const BROKEN: SessionStore = {
  get: fail,
  set: fail,
  replace: fail,
  delete: fail,
  keysOf: fail,
};

function fail(): never {
  throw new Error("It was asked");
}

for (const store of [undefined, null, "text", new Map(), Promise.resolve({})]) {
  Deno.test(`storeBackend() refuses ${Deno.inspect(store)}`, () => {
    const make = () => storeBackend(store as unknown as SessionStore); // wrong on purpose
    assertThrowsLacking(make, "");
  });
}

for (const name of METHODS) {
  Deno.test(`storeBackend() names ${name}() where a store lacks it`, () => {
    for (const other of [undefined, "text", {}]) {
      const store = { ...BROKEN, [name]: other } as SessionStore;
      assertThrowsLacking(() => storeBackend(store), name);
    }
  });
}

function assertThrowsLacking(make: () => unknown, name: string): void {
  try {
    make();
  } catch (error) {
    assert(error instanceof TypeError);
    assertStringIncludes(error.message, "Cannot use store: it has no ");
    return assertStringIncludes(error.message, `${name}() method`);
  }
  throw new Error("It was taken");
}

Deno.test("storeBackend() asks nothing of the store before it is used", () => {
  assert(storeBackend(BROKEN));
});

for (const [why, id] of BAD_IDS) {
  Deno.test(`a store knows no session by ${why}, and is not asked`, async () => {
    const backend = storeBackend(BROKEN);
    assertEquals(await backend.load(id), null);
    assertEquals(await backend.renew(id, CLAIMS), null);
    assertEquals(await backend.explain(id), "malformed");
    await backend.remove(id);
    await assertRejects(() => backend.save({ n: 1 }, id), Error, ENDED);
  });
}

Deno.test("a save of too many bytes of UTF-8 asks no store", async () => {
  const backend = storeBackend(BROKEN);
  const payload = { text: "€".repeat(22_000) };
  await assertRejects(() => backend.save(payload), RangeError, "66011 bytes");
});

testStores(
  "save() makes a new id of 32 random bytes each time",
  async (store) => {
    const backend = store.backend();
    const ids = new Set<string>();
    for (let n = 0; n < 20; n++) ids.add(await backend.save({ n }));
    assertEquals(ids.size, 20);
    for (const id of ids) {
      assertEquals(fromBase64(id).length, 32);
      assertEquals(encodeBase64Url(fromBase64(id)), id);
    }
  },
);

testStores(
  "no session is begun under an id that a client made",
  async (store) => {
    const backend = store.backend();
    assertEquals(await backend.load(UNKNOWN), null);
    assertEquals(await backend.renew(UNKNOWN, CLAIMS), null);
    assertEquals(await backend.explain(UNKNOWN), "unknown");
    await assertRejects(() => backend.save({ n: 1 }, UNKNOWN), Error, ENDED);
    await backend.remove(UNKNOWN);
    assertEquals(await store.entries(), []);
  },
);

testStores(
  "nothing is stored that the cookie could be had from",
  async (store) => {
    const backend = store.backend();
    const id = await backend.save({ _user_id: "susan", ...CLAIMS });
    const bytes = fromBase64(id).toHex();
    const entries = await store.entries();
    assert(entries.length > 0);
    for (const { key, text } of entries) {
      for (const part of [key, text]) {
        assert(!part.includes(id) && !part.includes(bytes), part);
        assertEquals(await backend.load(part), null);
      }
    }
    assertEquals(await backend.load(await backend.keyOf(id)), null);
  },
);

for (const [what, text] of FOREIGN_TEXTS) {
  testStores(
    `${what} in the place of a record is no session`,
    async (store) => {
      const backend = store.backend();
      const id = await backend.save({ n: 1 });
      await store.spoil(text);
      assertEquals(await backend.load(id), null);
      assertEquals(await backend.renew(id, CLAIMS), null);
      assertEquals(await backend.explain(id), "unknown");
      await backend.remove(id);
      assertEquals(await store.entries(), []);
    },
  );
}

testStores(
  "save() keeps one record of a session that it knows",
  async (store) => {
    const backend = store.backend();
    const id = await backend.save({ n: 1 });
    const { length } = await store.entries();
    assertEquals(await backend.save({ n: 2 }, id), id);
    assertEquals(await backend.load(id), { n: 2 });
    assertEquals((await store.entries()).length, length);
  },
);

testStores("save() takes any exp", async (store) => {
  const backend = store.backend();
  for (const exp of [0, -1e300, NOW + 0.1, NOW - 60, 2 ** 53, 1e300]) {
    const id = await backend.save({ exp });
    assertEquals(await backend.load(id), exp > NOW ? { exp } : null);
  }
});

testStores("save() stores 65,536 bytes, and rejects more", async (store) => {
  const backend = store.backend();
  const payload = { text: "x".repeat(65_536 - '{"text":""}'.length) };
  const id = await backend.save(payload);
  const more = { text: payload.text + "x" };
  const error = await assertRejects(
    () => backend.save(more, id),
    RangeError,
    "Cannot save session: its data are 65537 bytes",
  );
  assertStringIncludes(error.message, "65536");
  assert(!error.message.includes("xxx"));
  assertEquals(await backend.load(id), payload);
});

testStores("remove() ends a session for good", async (store) => {
  const backend = store.backend();
  const id = await backend.save({ _user_id: 7 });
  await backend.remove(id);
  assertEquals(await backend.load(id), null);
  await assertRejects(() => backend.save({ n: 1 }, id), Error, ENDED);
  assertEquals(await backend.renew(id, CLAIMS), null);
  await backend.remove(id);
  assertEquals(await store.entries(), []);
});

testStores(
  "renew() extends the life and leaves the data as they are",
  async (store) => {
    const backend = store.backend();
    const id = await backend.save({ n: 1, ...CLAIMS });
    await backend.save({ n: 2, _user_id: 7, ...CLAIMS }, id);
    await store.advance(HOUR - 1);
    const renewed = {
      _started: NOW,
      [SAVED]: store.now,
      exp: store.now + HOUR,
    };
    assertEquals(await backend.renew(id, renewed), id);
    await store.advance(2);
    assertEquals(await backend.load(id), { n: 2, _user_id: 7, ...renewed });
  },
);

testStores("renew() brings back no session that has expired", async (store) => {
  const backend = store.backend();
  const id = await backend.save({ ...CLAIMS });
  store.now += HOUR; // Though the store has deleted nothing yet.
  const exp = NOW + 2 * HOUR;
  assertEquals(await backend.renew(id, { ...CLAIMS, exp }), null);
  assertEquals(await backend.load(id), null);
  assertEquals(await backend.explain(id), "expired");
  // So says a server that has not met it before.
  assertEquals(await store.backend().explain(id), "expired");
});

testStores(
  "a session and its user are kept until it expires, and not for good",
  async (store) => {
    const backend = store.backend();
    const id = await backend.save({ _user_id: 7, ...CLAIMS });
    await store.advance(HOUR - 1);
    assertEquals(await backend.load(id), { _user_id: 7, ...CLAIMS });
    assertEquals((await backend.userSessions(7)).length, 1);
    await store.advance(1);
    assertEquals(await backend.load(id), null);
    assertEquals(await backend.userSessions(7), []);
    await store.advance(10 * HOUR);
    assertEquals(await store.entries(), []);
  },
);

testStores(
  "a request may save the session that it read just before it expired",
  async (store) => {
    const backend = store.backend();
    const id = await backend.save({ _user_id: 7, ...CLAIMS });
    await store.advance(HOUR + MINUTE - 1);
    const payload = { _user_id: 7, ...CLAIMS, exp: NOW + 2 * HOUR };
    assertEquals(await backend.save(payload, id), id);
    assertEquals(await backend.load(id), payload);
    assertEquals((await backend.userSessions(7)).length, 1);
  },
);

testStores("a session without exp is kept for ever", async (store) => {
  const backend = store.backend();
  const id = await backend.save({ _user_id: 7 });
  await store.advance(100 * YEAR);
  assertEquals(await backend.load(id), { _user_id: 7 });
  assertEquals((await backend.userSessions(7)).length, 1);
});

testStores(
  "a session that is renewed, and its user, are kept as much longer",
  async (store) => {
    const backend = store.backend();
    const id = await backend.save({ _user_id: 7, ...CLAIMS });
    const exp = NOW + 2 * HOUR;
    await backend.renew(id, { ...CLAIMS, exp });
    await store.advance(2 * HOUR - 1);
    assertEquals(await backend.load(id), { _user_id: 7, ...CLAIMS, exp });
    assertEquals((await backend.userSessions(7)).length, 1);
    await store.advance(10 * HOUR);
    assertEquals(await store.entries(), []);
  },
);
