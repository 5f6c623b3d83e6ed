import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import { kvBackend } from "../../backends/kv.ts";
import { NOW, SAVED } from "../_helpers.ts";
import { fromBase64 } from "./_base64.ts";
import { brokenStore, ENDED, TestKv } from "./_kv.ts";

const HOUR = 3600;
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
const FOREIGN_VALUES: [what: string, value: unknown][] = [
  ["text", '{"n":1}'],
  ["an object", { n: 1 }],
  ["no JSON", encode("n=1")],
  ["an array", encode("[1]")],
  ["null", encode("null")],
  ["invalid UTF-8", new Uint8Array([0x7B, 0x22, 0xC0, 0x22, 0x3A, 0x31, 0x7D])],
  ["nothing", new Uint8Array()],
];

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

Deno.test("kvBackend.save() makes a new id of 32 random bytes each time", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const ids = new Set<string>();
  for (let n = 0; n < 20; n++) ids.add(await backend.save({ n }));
  assertEquals(ids.size, 20);
  for (const id of ids) {
    assertEquals(fromBase64(id).length, 32);
    assertEquals(encodeBase64Url(fromBase64(id)), id);
  }
});

for (const [why, id] of BAD_IDS) {
  Deno.test(`kvBackend knows no session by ${why}, and asks no store`, async () => {
    const backend = kvBackend(brokenStore());
    assertEquals(await backend.load(id), null);
    assertEquals(await backend.renew(id, CLAIMS), null);
    await backend.remove(id);
    await assertRejects(() => backend.save({ n: 1 }, id), Error, ENDED);
  });
}

Deno.test("kvBackend begins no session under an id that a client made", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  assertEquals(await backend.load(UNKNOWN), null);
  assertEquals(await backend.renew(UNKNOWN, CLAIMS), null);
  await assertRejects(() => backend.save({ n: 1 }, UNKNOWN), Error, ENDED);
  await backend.remove(UNKNOWN);
  assertEquals(await store.entries(), []);
});

Deno.test("kvBackend.save() stores nothing that the cookie could be had from", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ _user_id: "susan", ...CLAIMS });
  const hash = await crypto.subtle.digest("SHA-256", encode(id));
  const hex = Array.from(
    new Uint8Array(hash),
    (byte) => byte.toString(16).padStart(2, "0"),
  );
  for (const guess of [hex.join(""), encodeBase64Url(hash)]) {
    assertEquals(await backend.load(guess), null);
  }
  const bytes = fromBase64(id).toHex();
  const texts = (await store.entries()).flatMap(({ key, value }) =>
    [...key, value].map((part) =>
      part instanceof Uint8Array
        ? new TextDecoder().decode(part) + part.toHex()
        : String(part)
    )
  );
  for (const text of texts) {
    assert(!text.includes(id) && !text.includes(bytes), text);
    assertEquals(await backend.load(text), null);
  }
});

for (const [what, value] of FOREIGN_VALUES) {
  Deno.test(`kvBackend takes ${what} in the place of a record for no session`, async () => {
    using store = await TestKv.open();
    const backend = store.backend();
    const id = await backend.save({ n: 1 });
    for (const { key } of await store.entries()) await store.set(key, value);
    assertEquals(await backend.load(id), null);
    assertEquals(await backend.renew(id, CLAIMS), null);
    await backend.remove(id);
    assertEquals(await store.entries(), []);
  });
}

Deno.test("kvBackend.save() keeps one record of a session that it knows", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ n: 1 });
  const { length } = await store.entries();
  assertEquals(await backend.save({ n: 2 }, id), id);
  assertEquals(await backend.load(id), { n: 2 });
  assertEquals((await store.entries()).length, length);
});

Deno.test("kvBackend.save() takes any exp", async () => {
  using kv = await Deno.openKv(":memory:"); // It has limits of its own.
  const backend = kvBackend(kv, { clock: () => NOW * 1000 });
  const exps = [0, -1e300, NOW + 0.0001, NOW - 60, 2 ** 53, 1e300];
  for (const exp of exps) {
    const id = await backend.save({ exp });
    assertEquals(await backend.load(id), exp > NOW ? { exp } : null);
  }
});

Deno.test("kvBackend.save() stores 65,536 bytes", async () => {
  using kv = await Deno.openKv(":memory:"); // It has limits of its own.
  const backend = kvBackend(kv);
  const payload = { text: "x".repeat(65_536 - '{"text":""}'.length) };
  assertEquals(await backend.load(await backend.save(payload)), payload);
});

Deno.test("kvBackend.save() rejects more bytes, and leaves the session as it was", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ n: 1 });
  const payload = { text: "x".repeat(65_537 - '{"text":""}'.length) };
  const error = await assertRejects(
    () => backend.save(payload, id),
    RangeError,
    "Cannot save session: its data are 65537 bytes",
  );
  assertStringIncludes(error.message, "65536");
  assert(!error.message.includes("xxx"));
  assertEquals(await backend.load(id), { n: 1 });
});

Deno.test("kvBackend.save() counts bytes of UTF-8, and asks no store about too many", async () => {
  const backend = kvBackend(brokenStore());
  const payload = { text: "€".repeat(22_000) };
  await assertRejects(() => backend.save(payload), RangeError, "66011 bytes");
});

Deno.test("kvBackend.remove() ends a session for good", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ _user_id: 7 });
  await backend.remove(id);
  assertEquals(await backend.load(id), null);
  await assertRejects(() => backend.save({ n: 1 }, id), Error, ENDED);
  assertEquals(await backend.renew(id, CLAIMS), null);
  await backend.remove(id);
  assertEquals(await store.lastingEntries(), []);
});

Deno.test("kvBackend.renew() extends the life and leaves the data as they are", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ n: 1, ...CLAIMS });
  await backend.save({ n: 2, _user_id: 7, ...CLAIMS }, id);
  await store.advance(HOUR - 1);
  const renewed = { _started: NOW, [SAVED]: store.now, exp: store.now + HOUR };
  assertEquals(await backend.renew(id, renewed), id);
  await store.advance(2);
  assertEquals(await backend.load(id), { n: 2, _user_id: 7, ...renewed });
});

Deno.test("kvBackend.renew() brings back no session that has expired", async () => {
  using store = await TestKv.open();
  const backend = store.backend();
  const id = await backend.save({ ...CLAIMS });
  store.now += HOUR; // Though the store has deleted nothing yet.
  const exp = NOW + 2 * HOUR;
  assertEquals(await backend.renew(id, { ...CLAIMS, exp }), null);
  assertEquals(await backend.load(id), null);
});
