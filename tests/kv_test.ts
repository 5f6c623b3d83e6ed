import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import {
  type KvAtomic,
  kvBackend,
  type KvBackendOptions,
  type KvEntry,
  type KvKey,
  type KvStore,
  type Payload,
} from "../backends/kv.ts";
import { Session } from "../session.ts";
import { cookieSetBy, NOW, requestWith, stoppedClock } from "./_helpers.ts";

const HOUR = 3600;
const CLAIMS = { _started: NOW, iat: NOW, exp: NOW + HOUR };
const ENDED = "Cannot save session: it was ended by another request";

/** A good id that nothing is stored under. */
const UNKNOWN = "A".repeat(43);

const BAD_VALUES: [why: string, value: string][] = [
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

const OUT_OF_TIME: [why: string, claims: Payload][] = [
  ["exp is now", { exp: NOW }],
  ["exp is long ago", { exp: 0 }],
  ["exp is text", { exp: `${NOW + 9}` }],
  ["exp is null", { exp: null }],
  ["nbf is more than 60 s ahead", { nbf: NOW + 61 }],
  ["iat is more than 60 s ahead", { iat: NOW + 61 }],
];

const FOREIGN_RECORDS: [what: string, value: unknown][] = [
  ["text", '{"n":1}'],
  ["an object", { n: 1 }],
  ["no JSON", encode("n=1")],
  ["an array", encode("[1]")],
  ["null", encode("null")],
  ["invalid UTF-8", new Uint8Array([0x7B, 0x22, 0xC0, 0x22, 0x3A, 0x31, 0x7D])],
  ["nothing", new Uint8Array()],
];

/** Users that are each other's likeness, and users all the same. */
const USER_IDS = [0, 1, "", "0", "1", -1, 1.5, "susan", "Susan", "users", "\0"];

const NO_USER_IDS = [undefined, null, true, {}, [7], { id: 7 }];

const BAD_STORES: [what: string, kv: unknown, missing: string][] = [
  ["undefined", undefined, "get"],
  ["null", null, "get"],
  ["a path", "sessions.db", "get"],
  ["the promise of a database", Promise.resolve({}), "get"],
  ["a Map", new Map(), "list"],
];

const BAD_PREFIXES: [what: string, prefix: unknown][] = [
  ["text", "sessions"],
  ["null", null],
  ["an object in it", [{}]],
  ["undefined in it", ["sessions", undefined]],
];

/** What a user's session may have been before the save that is looked at. */
const BEFORE_LOGIN: [what: string, payload: Payload | undefined][] = [
  ["a new session", undefined],
  ["an anonymous session", { n: 1 }],
  ["the user's own session", { _user_id: 7, n: 1 }],
  ["another user's session", { _user_id: 8 }],
];

/** What is done around what a store is asked to do. */
interface Hooks {
  beforeRead?: () => unknown;
  afterRead?: (key: KvKey) => unknown;
  commit?: () => unknown;
}

/** A write that a store was asked for. */
interface Write {
  key: KvKey;
  expireIn: number | undefined;
}

/** A real store whose doings can be delayed, refused and looked at. */
function hook(kv: Deno.Kv, hooks: Hooks, writes: Write[] = []): KvStore {
  return {
    async get(key) {
      await hooks.beforeRead?.();
      const entry = await kv.get(key);
      await hooks.afterRead?.(key);
      return entry;
    },
    set: (key, value, options) => kv.set(key, value, options),
    delete: (key) => kv.delete(key),
    list: (selector) => kv.list(selector),
    atomic() {
      const operation = kv.atomic();
      const atomic: KvAtomic = {
        check(...entries) {
          operation.check(...entries);
          return atomic;
        },
        set(key, value, options) {
          writes.push({ key, expireIn: options?.expireIn });
          operation.set(key, value, options);
          return atomic;
        },
        delete(key) {
          operation.delete(key);
          return atomic;
        },
        async commit() {
          await hooks.commit?.();
          return operation.commit();
        },
      };
      return atomic;
    },
  };
}

/** Does something the first time it is called. */
function once(run: () => unknown): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    await run();
  };
}

/** A store that fails at whatever it is asked. */
function broken(error: Error): KvStore {
  const fail = () => {
    throw error;
  };
  return { get: fail, set: fail, delete: fail, list: fail, atomic: fail };
}

function stopped(kv: KvStore, options: KvBackendOptions = {}) {
  return kvBackend(kv, { clock: () => NOW * 1000, ...options });
}

/** All that a database holds; what was removed of users is a mere note. */
async function entriesOf(kv: Deno.Kv): Promise<KvEntry[]> {
  const entries = await Array.fromAsync(kv.list({ prefix: [] }));
  return entries.filter(({ key }) => key[1] !== "removals");
}

async function keysOf(kv: Deno.Kv): Promise<KvKey[]> {
  return (await entriesOf(kv)).map(({ key }) => key);
}

async function recordKeyOf(kv: Deno.Kv): Promise<KvKey> {
  const keys = await keysOf(kv);
  const key = keys.find(([, part]) => part === "records");
  assert(key !== undefined, "there is a record");
  return key;
}

for (const [what, kv, missing] of BAD_STORES) {
  Deno.test(`kvBackend() refuses ${what} as store`, () => {
    const store = kv as KvStore; // Wrong on purpose.
    assertThrows(() => kvBackend(store), TypeError, `no ${missing}() method`);
  });
}

for (const [what, prefix] of BAD_PREFIXES) {
  Deno.test(`kvBackend() refuses a prefix with ${what}`, () => {
    const options = { prefix } as KvBackendOptions; // Wrong on purpose.
    const store = broken(new Error("asked"));
    assertThrows(
      () => kvBackend(store, options),
      TypeError,
      "Cannot use prefix",
    );
  });
}

Deno.test("kvBackend() asks nothing of the store before it is used", () => {
  assertEquals(kvBackend(broken(new Error("asked"))).authenticated, true);
});

Deno.test("kvBackend() keeps its prefix when the caller's array changes", async () => {
  using kv = await Deno.openKv(":memory:");
  const prefix = ["a", 1];
  const backend = stopped(kv, { prefix });
  prefix[0] = "b";
  await backend.save({ _user_id: 7 });
  for (const key of await keysOf(kv)) assertEquals(key.slice(0, 2), ["a", 1]);
});

Deno.test("kvBackend() keeps sessions of another prefix apart", async () => {
  using kv = await Deno.openKv(":memory:");
  const [one, two] = [["a"], ["b"]].map((prefix) => stopped(kv, { prefix }));
  const id = await one.save({ _user_id: 7 });
  assertEquals(await two.load(id), null);
  await assertRejects(() => two.save({ n: 1 }, id), Error, ENDED);
  await two.remove(id);
  await two.removeUser(7);
  assertEquals(await one.load(id), { _user_id: 7 });
});

Deno.test("kvBackend.save() makes a new id of 32 random bytes each time", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const ids = new Set<string>();
  for (let n = 0; n < 20; n++) ids.add(await backend.save({ n }));
  assertEquals(ids.size, 20);
  for (const id of ids) {
    assertEquals(id.length, 43);
    assertEquals(encodeBase64Url(decodeId(id)), id);
  }
});

Deno.test("kvBackend.load() returns what save() was given", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const payload = { name: "zoë €", list: [1, null, { deep: true }], ...CLAIMS };
  assertEquals(await backend.load(await backend.save(payload)), payload);
});

Deno.test("kvBackend.load() gives each reader data of its own", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const payload = { list: [1] };
  const id = await backend.save(payload);
  payload.list.push(2);
  const first = await backend.load(id);
  assert(first !== null);
  first.list = "changed";
  assertEquals(await backend.load(id), { list: [1] });
});

Deno.test("kvBackend.load() takes __proto__ and constructor as plain data", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const text = '{"__proto__":{"admin":true,"_user_id":7},"constructor":1}';
  const id = await backend.save(JSON.parse(text));
  const payload = await backend.load(id);
  assert(payload !== null);
  assertEquals(JSON.stringify(payload), text);
  assertEquals(Object.getPrototypeOf(payload), Object.prototype);
  assertEquals(payload.admin, undefined);
  assertEquals((await keysOf(kv)).length, 1, "it is nobody's session");
});

for (const [why, value] of BAD_VALUES) {
  Deno.test(`kvBackend.load() returns null for ${why}, and asks no store`, async () => {
    const backend = stopped(broken(new Error("asked")));
    assertEquals(await backend.load(value), null);
  });

  Deno.test(`kvBackend.remove() and renew() do nothing for ${why}`, async () => {
    const backend = stopped(broken(new Error("asked")));
    await backend.remove(value);
    assertEquals(await backend.renew(value, CLAIMS), null);
  });

  Deno.test(`kvBackend.save() begins no session under ${why}`, async () => {
    const backend = stopped(broken(new Error("asked")));
    await assertRejects(() => backend.save({ n: 1 }, value), Error, ENDED);
  });
}

Deno.test("kvBackend.load() returns null for an id that nobody was given", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  await backend.save({ n: 1 });
  assertEquals(await backend.load(UNKNOWN), null);
});

Deno.test("kvBackend.save() begins no session under an id that a client made", async () => {
  using kv = await Deno.openKv(":memory:");
  await assertRejects(() => stopped(kv).save({ n: 1 }, UNKNOWN), Error, ENDED);
  assertEquals(await entriesOf(kv), []);
});

Deno.test("kvBackend.save() stores nothing that the cookie could be had from", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const id = await backend.save({ _user_id: "susan", ...CLAIMS });
  const hash = await crypto.subtle.digest("SHA-256", encode(id));
  const hex = Array.from(new Uint8Array(hash), toHex).join("");
  assertEquals(await keysOf(kv), [
    ["sessions", "records", hex],
    ["sessions", "users", "susan", hex],
  ]);
  assert(!Deno.inspect(await entriesOf(kv)).includes(id));
  assertEquals(await backend.load(hex), null);
  assertEquals(await backend.load(encodeBase64Url(hash)), null);
});

for (const [why, claims] of OUT_OF_TIME) {
  Deno.test(`kvBackend.load() returns null when ${why}, though the record is there`, async () => {
    using kv = await Deno.openKv(":memory:");
    const backend = stopped(kv);
    const id = await backend.save({ n: 1, ...claims });
    assertEquals((await keysOf(kv)).length, 1);
    assertEquals(await backend.load(id), null);
  });
}

Deno.test("kvBackend.load() goes by its clock, whatever the store has deleted", async () => {
  using kv = await Deno.openKv(":memory:");
  const { clock, advance } = stoppedClock();
  const backend = kvBackend(kv, { clock });
  const id = await backend.save({ ...CLAIMS });
  advance(HOUR - 1);
  assertEquals(await backend.load(id), CLAIMS);
  advance(1);
  assertEquals((await keysOf(kv)).length, 1);
  assertEquals(await backend.load(id), null);
});

for (const [what, value] of FOREIGN_RECORDS) {
  Deno.test(`kvBackend.load() returns null for a record that holds ${what}`, async () => {
    using kv = await Deno.openKv(":memory:");
    const backend = stopped(kv);
    const id = await backend.save({ n: 1 });
    await kv.set(await recordKeyOf(kv), value);
    assertEquals(await backend.load(id), null);
    await backend.remove(id);
    assertEquals(await entriesOf(kv), []);
  });
}

Deno.test("kvBackend.save() keeps the id of a session that it knows", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const id = await backend.save({ n: 1 });
  assertEquals(await backend.save({ n: 2 }, id), id);
  assertEquals(await backend.load(id), { n: 2 });
  assertEquals((await keysOf(kv)).length, 1);
});

Deno.test("kvBackend.save() lets the store delete a session a minute after it expires", async () => {
  using kv = await Deno.openKv(":memory:");
  const writes: Write[] = [];
  const backend = stopped(hook(kv, {}, writes));
  await backend.save({ _user_id: 7, ...CLAIMS });
  const expireIn = (HOUR + 60) * 1000;
  assertEquals(writes.map((write) => write.expireIn), [expireIn, expireIn]);
});

Deno.test("kvBackend.save() sets no end for a session that has none", async () => {
  using kv = await Deno.openKv(":memory:");
  const writes: Write[] = [];
  await stopped(hook(kv, {}, writes)).save({ _user_id: 7 });
  assertEquals(writes.map((write) => write.expireIn), [undefined, undefined]);
});

Deno.test("kvBackend.save() takes any exp", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const exps = [0, -1e300, NOW + 0.0001, NOW - 60, 2 ** 53, 1e300];
  for (const exp of exps) {
    const id = await backend.save({ exp });
    assertEquals(await backend.load(id), exp > NOW ? { exp } : null);
  }
});

Deno.test("kvBackend.save() may write a session that expired since it was read", async () => {
  using kv = await Deno.openKv(":memory:");
  const { clock, advance } = stoppedClock();
  const backend = kvBackend(kv, { clock });
  const id = await backend.save({ ...CLAIMS });
  advance(HOUR + 30);
  const exp = NOW + 2 * HOUR;
  assertEquals(await backend.save({ exp }, id), id);
  assertEquals(await backend.load(id), { exp });
});

Deno.test("kvBackend.save() stores 65,536 bytes", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const payload = { text: "x".repeat(65_536 - '{"text":""}'.length) };
  assertEquals(await backend.load(await backend.save(payload)), payload);
});

Deno.test("kvBackend.save() rejects more bytes, and leaves the session as it was", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
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

Deno.test("kvBackend.save() counts bytes of UTF-8, not characters", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const payload = { text: "€".repeat(22_000) };
  await assertRejects(() => backend.save(payload), RangeError, "66011 bytes");
  assertEquals(await entriesOf(kv), []);
});

Deno.test("kvBackend.save() asks no store about data that JSON cannot hold", async () => {
  const backend = stopped(broken(new Error("asked")));
  await assertRejects(() => backend.save({ n: 1n }), TypeError);
});

Deno.test("kvBackend.save() rejects when the session was removed, and writes nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const id = await backend.save({ _user_id: 7 });
  await backend.remove(id);
  const saving = () => backend.save({ _user_id: 7, n: 1 }, id);
  await assertRejects(saving, Error, ENDED);
  assertEquals(await entriesOf(kv), []);
});

Deno.test("kvBackend.save() rejects when the session is removed meanwhile", async () => {
  using kv = await Deno.openKv(":memory:");
  const id = await stopped(kv).save({ n: 1 });
  const store = hook(kv, { commit: once(() => stopped(kv).remove(id)) });
  await assertRejects(() => stopped(store).save({ n: 2 }, id), Error, ENDED);
  assertEquals(await entriesOf(kv), []);
});

Deno.test("kvBackend.save() wins over a save that ended just before", async () => {
  using kv = await Deno.openKv(":memory:");
  const id = await stopped(kv).save({ n: 1 });
  const other = { n: 2, other: true, _user_id: 8 };
  const store = hook(kv, { commit: once(() => stopped(kv).save(other, id)) });
  await stopped(store).save({ n: 3, _user_id: 7 }, id);
  assertEquals(await stopped(kv).load(id), { n: 3, _user_id: 7 });
  assertEquals(await stopped(kv).userSessions(8), []);
  assertEquals((await keysOf(kv)).length, 2);
});

Deno.test("kvBackend.save() called many times at once leaves one whole record", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const id = await backend.save({ a: 0, b: 0 });
  const payloads = Array.from({ length: 40 }, (_, i) => {
    const n = i + 1;
    return { a: n, b: n, _user_id: n % 3 };
  });
  await Promise.all(payloads.map((payload) => backend.save(payload, id)));
  const last = await backend.load(id);
  assert(last !== null && last.a !== 0);
  assertEquals(last.a, last.b);
  const [record, entry, ...more] = await keysOf(kv);
  assertEquals(record[1], "records");
  assertEquals(entry.slice(0, 3), ["sessions", "users", Number(last.a) % 3]);
  assertEquals(more, []);
});

Deno.test("kvBackend.save() gives up where other requests are always faster", async () => {
  using kv = await Deno.openKv(":memory:");
  const id = await stopped(kv).save({ n: 1 });
  let n = 1;
  const commit = () => stopped(kv).save({ n: ++n }, id);
  const backend = stopped(hook(kv, { commit }));
  const message = "other requests were faster";
  await assertRejects(() => backend.save({ mine: true }, id), Error, message);
  assertEquals(await stopped(kv).load(id), { n });
});

for (const id of USER_IDS) {
  const what = Deno.inspect(id);

  Deno.test(`kvBackend.userSessions() tells the user ${what} from all others`, async () => {
    using kv = await Deno.openKv(":memory:");
    const backend = stopped(kv);
    for (const other of USER_IDS) await backend.save({ _user_id: other });
    const sessions = await backend.userSessions(id);
    assertEquals(sessions.map(({ payload }) => payload), [{ _user_id: id }]);
  });

  Deno.test(`kvBackend.removeUser() ends the sessions of ${what} and no others`, async () => {
    using kv = await Deno.openKv(":memory:");
    const backend = stopped(kv);
    const mine = [
      await backend.save({ _user_id: id }),
      await backend.save({ _user_id: id }),
    ];
    const others = [await backend.save({ n: 1 })];
    for (const other of USER_IDS) {
      if (other !== id) others.push(await backend.save({ _user_id: other }));
    }
    await backend.removeUser(id);
    for (const value of mine) assertEquals(await backend.load(value), null);
    for (const value of others) assert(await backend.load(value));
    assertEquals((await keysOf(kv)).length, others.length * 2 - 1);
  });
}

for (const id of NO_USER_IDS) {
  Deno.test(`kvBackend.save() takes ${Deno.inspect(id)} for no user`, async () => {
    using kv = await Deno.openKv(":memory:");
    await stopped(kv).save({ _user_id: id });
    assertEquals((await keysOf(kv)).length, 1);
  });
}

Deno.test("kvBackend.save() moves a session to the user who logs in", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const id = await backend.save({ n: 1 });
  await backend.save({ n: 1, _user_id: 7 }, id);
  assertEquals((await backend.userSessions(7)).length, 1);
  await backend.save({ n: 1, _user_id: "7" }, id);
  assertEquals(await backend.userSessions(7), []);
  assertEquals((await backend.userSessions("7")).length, 1);
  await backend.save({ n: 1 }, id);
  assertEquals((await keysOf(kv)).length, 1);
  assertEquals(await backend.load(id), { n: 1 });
});

Deno.test("kvBackend.userSessions() lists the data, and keys that are no cookies", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const ids = [
    await backend.save({ _user_id: 7, device: "phone" }),
    await backend.save({ _user_id: 7, device: "laptop" }),
  ];
  const sessions = await backend.userSessions(7);
  const devices = sessions.map(({ payload }) => payload.device).sort();
  assertEquals(devices, ["laptop", "phone"]);
  for (const { key } of sessions) {
    assert(!ids.includes(key));
    assertEquals(await backend.load(key), null);
  }
});

Deno.test("kvBackend.userSessions() leaves out what has expired", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  await backend.save({ _user_id: 7, exp: NOW });
  await backend.save({ _user_id: 7, exp: NOW + 1 });
  const sessions = await backend.userSessions(7);
  assertEquals(sessions.map(({ payload }) => payload.exp), [NOW + 1]);
});

Deno.test("kvBackend.userSessions() leaves out what becomes another user's meanwhile", async () => {
  using kv = await Deno.openKv(":memory:");
  const id = await stopped(kv).save({ _user_id: 7 });
  const beforeRead = once(() => stopped(kv).save({ _user_id: 8 }, id));
  assertEquals(await stopped(hook(kv, { beforeRead })).userSessions(7), []);
});

Deno.test("kvBackend.removeUserSession() ends one session", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const ids = [
    await backend.save({ _user_id: 7, n: 0 }),
    await backend.save({ _user_id: 7, n: 1 }),
  ];
  const [{ key, payload }] = await backend.userSessions(7);
  await backend.removeUserSession(7, key);
  assertEquals(await backend.load(ids[Number(payload.n)]), null);
  assert(await backend.load(ids[1 - Number(payload.n)]));
  assertEquals((await keysOf(kv)).length, 2);
});

Deno.test("kvBackend.removeUserSession() ends no session of another user", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const id = await backend.save({ _user_id: 7 });
  const [{ key }] = await backend.userSessions(7);
  await backend.removeUserSession("7", key);
  await backend.removeUserSession(8, key);
  assertEquals(await backend.load(id), { _user_id: 7 });
  assertEquals((await backend.userSessions(7)).length, 1);
});

Deno.test("kvBackend.removeUserSession() takes anything for a key", async () => {
  const backend = stopped(broken(new Error("asked")));
  for (const key of ["", "x", UNKNOWN, "F".repeat(64), "0".repeat(9999)]) {
    await backend.removeUserSession(7, key);
  }
  using kv = await Deno.openKv(":memory:");
  await stopped(kv).removeUserSession(7, "0".repeat(64));
});

Deno.test("kvBackend.remove() ends a session for good", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const id = await backend.save({ _user_id: 7 });
  await backend.remove(id);
  assertEquals(await backend.load(id), null);
  assertEquals(await entriesOf(kv), []);
  await backend.remove(id);
});

Deno.test("kvBackend.remove() wins over a save that ended just before", async () => {
  using kv = await Deno.openKv(":memory:");
  const id = await stopped(kv).save({ _user_id: 7 });
  const other = { _user_id: 8 };
  const store = hook(kv, { commit: once(() => stopped(kv).save(other, id)) });
  await stopped(store).remove(id);
  assertEquals(await entriesOf(kv), []);
});

Deno.test("kvBackend.removeUser() ends more sessions than a list gives at once", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  for (let n = 0; n < 250; n++) await backend.save({ n, _user_id: 7 });
  await backend.removeUser(7);
  assertEquals(await entriesOf(kv), []);
});

Deno.test("kvBackend.removeUser() lets the user log in again", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  await backend.removeUser(7);
  const id = await backend.save({ _user_id: 7 });
  assertEquals(await backend.load(id), { _user_id: 7 });
  await backend.save({ _user_id: 7, n: 1 }, id);
  assertEquals(await backend.load(id), { _user_id: 7, n: 1 });
});

Deno.test("kvBackend.removeUser() ends a session that is saved meanwhile", async () => {
  using kv = await Deno.openKv(":memory:");
  const id = await stopped(kv).save({ _user_id: 7 });
  const saved = { _user_id: 7, n: 1 };
  const store = hook(kv, { commit: once(() => stopped(kv).save(saved, id)) });
  await stopped(store).removeUser(7);
  assertEquals(await entriesOf(kv), []);
});

Deno.test("kvBackend.removeUser() leaves a session that has become another user's", async () => {
  using kv = await Deno.openKv(":memory:");
  const id = await stopped(kv).save({ _user_id: 7 });
  const other = { _user_id: 8 };
  const store = hook(kv, { commit: once(() => stopped(kv).save(other, id)) });
  await stopped(store).removeUser(7);
  assertEquals(await stopped(kv).load(id), other);
  assertEquals((await keysOf(kv)).length, 2);
});

Deno.test("kvBackend.removeUser() clears an entry whose session the store has deleted", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  await backend.save({ _user_id: 7 });
  await kv.delete(await recordKeyOf(kv));
  assertEquals(await backend.userSessions(7), []);
  await backend.removeUser(7);
  assertEquals(await entriesOf(kv), []);
});

for (const [what, before] of BEFORE_LOGIN) {
  Deno.test(`kvBackend.save() of ${what} rejects when removeUser() runs before it commits`, async () => {
    using kv = await Deno.openKv(":memory:");
    const previous = before && await stopped(kv).save(before);
    const commit = once(() => stopped(kv).removeUser(7));
    const backend = stopped(hook(kv, { commit }));
    const saving = () => backend.save({ _user_id: 7 }, previous);
    await assertRejects(saving, Error, ENDED);
    assertEquals(await stopped(kv).userSessions(7), []);
  });

  Deno.test(`kvBackend.save() of ${what} rejects when removeUser() runs as it reads`, async () => {
    using kv = await Deno.openKv(":memory:");
    const previous = before && await stopped(kv).save(before);
    const removal = once(() => stopped(kv).removeUser(7));
    const afterRead = (key: KvKey) => key[1] === "removals" && removal();
    const backend = stopped(hook(kv, { afterRead }));
    const saving = () => backend.save({ _user_id: 7 }, previous);
    await assertRejects(saving, Error, ENDED);
    assertEquals(await stopped(kv).userSessions(7), []);
  });
}

Deno.test("kvBackend.save() rejects when removeUser() runs a second time meanwhile", async () => {
  using kv = await Deno.openKv(":memory:");
  await stopped(kv).removeUser(7);
  const commit = once(() => stopped(kv).removeUser(7));
  const backend = stopped(hook(kv, { commit }));
  await assertRejects(() => backend.save({ _user_id: 7 }), Error, ENDED);
  assertEquals(await entriesOf(kv), []);
});

Deno.test("kvBackend.save() rejects when removeUser() is called after it", async () => {
  using kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const anonymous = await backend.save({ n: 1 });
  const known = await backend.save({ _user_id: 7 });
  const saves = [undefined, anonymous, known].map((previous) =>
    backend.save({ _user_id: 7 }, previous)
  );
  const results = Promise.allSettled(saves);
  await backend.removeUser(7);
  for (const result of await results) {
    if (result.status === "fulfilled") {
      assertEquals(await backend.load(result.value), null);
    } else assertStringIncludes(result.reason.message, ENDED);
  }
  assertEquals(await backend.userSessions(7), []);
  const keys = await keysOf(kv);
  assert(keys.every(([, part]) => part === "records"));
});

Deno.test("kvBackend.save() is not stopped by removeUser() of another user", async () => {
  using kv = await Deno.openKv(":memory:");
  const commit = once(() => stopped(kv).removeUser("7"));
  const id = await stopped(hook(kv, { commit })).save({ _user_id: 7 });
  assertEquals(await stopped(kv).load(id), { _user_id: 7 });
});

Deno.test("kvBackend.save() is not stopped when an old removeUser() is forgotten", async () => {
  using kv = await Deno.openKv(":memory:");
  await stopped(kv).removeUser(7);
  const commit = once(() => kv.delete(["sessions", "removals", 7]));
  const id = await stopped(hook(kv, { commit })).save({ _user_id: 7 });
  assertEquals(await stopped(kv).load(id), { _user_id: 7 });
});

Deno.test("kvBackend.renew() extends the life and leaves the data as they are", async () => {
  using kv = await Deno.openKv(":memory:");
  const { clock, advance } = stoppedClock();
  const backend = kvBackend(kv, { clock });
  const id = await backend.save({ n: 1, ...CLAIMS });
  await backend.save({ n: 2, _user_id: 7, ...CLAIMS }, id);
  advance(HOUR - 1);
  const iat = NOW + HOUR - 1;
  const renewed = { _started: NOW, iat, exp: iat + HOUR };
  assertEquals(await backend.renew(id, { n: 1, ...renewed }), id);
  advance(2);
  assertEquals(await backend.load(id), { n: 2, _user_id: 7, ...renewed });
});

Deno.test("kvBackend.renew() lets the store keep the session and its user longer", async () => {
  using kv = await Deno.openKv(":memory:");
  const writes: Write[] = [];
  const backend = stopped(hook(kv, {}, writes));
  const id = await backend.save({ _user_id: 7, ...CLAIMS });
  writes.length = 0;
  await backend.renew(id, { ...CLAIMS, exp: NOW + 2 * HOUR });
  const expireIn = (2 * HOUR + 60) * 1000;
  assertEquals(writes.map((write) => write.expireIn), [expireIn, expireIn]);
  assertEquals(writes.map(({ key }) => key[1]), ["records", "users"]);
});

Deno.test("kvBackend.renew() leaves alone what another request saves meanwhile", async () => {
  using kv = await Deno.openKv(":memory:");
  const id = await stopped(kv).save({ n: 1, ...CLAIMS });
  const saved = { n: 2, ...CLAIMS, exp: NOW + 3 * HOUR };
  const store = hook(kv, { commit: once(() => stopped(kv).save(saved, id)) });
  const renewed = { n: 1, ...CLAIMS, exp: NOW + 2 * HOUR };
  assertEquals(await stopped(store).renew(id, renewed), id);
  assertEquals(await stopped(kv).load(id), saved);
});

Deno.test("kvBackend.renew() brings back no session that has ended", async () => {
  using kv = await Deno.openKv(":memory:");
  const id = await stopped(kv).save({ ...CLAIMS });
  const store = hook(kv, { commit: once(() => stopped(kv).remove(id)) });
  assertEquals(await stopped(store).renew(id, { ...CLAIMS }), null);
  assertEquals(await stopped(store).renew(id, { ...CLAIMS }), null);
  assertEquals(await stopped(store).renew(UNKNOWN, { ...CLAIMS }), null);
  assertEquals(await entriesOf(kv), []);
});

Deno.test("kvBackend.renew() brings back no session that has expired", async () => {
  using kv = await Deno.openKv(":memory:");
  const { clock, advance } = stoppedClock();
  const backend = kvBackend(kv, { clock });
  const id = await backend.save({ ...CLAIMS });
  advance(HOUR);
  const exp = NOW + 2 * HOUR;
  assertEquals(await backend.renew(id, { ...CLAIMS, exp }), null);
  assertEquals(await backend.load(id), null);
});

Deno.test("kvBackend passes on what a store throws", async () => {
  const error = new Error("The store is on fire");
  const backend = stopped(broken(error));
  const calls: (() => unknown)[] = [
    () => backend.load(UNKNOWN),
    () => backend.save({ n: 1 }),
    () => backend.save({ _user_id: 7 }),
    () => backend.save({ n: 1 }, UNKNOWN),
    () => backend.save({ _user_id: 7 }, UNKNOWN),
    () => backend.renew(UNKNOWN, CLAIMS),
    () => backend.remove(UNKNOWN),
    () => backend.userSessions(7),
    () => backend.removeUser(7),
    () => backend.removeUserSession(7, "0".repeat(64)),
  ];
  for (const call of calls) {
    const thrown = await assertRejects(() => Promise.resolve(call()));
    assertEquals(thrown, error);
  }
});

Deno.test("kvBackend passes on that the database is closed", async () => {
  const kv = await Deno.openKv(":memory:");
  const backend = stopped(kv);
  const id = await backend.save({ n: 1 });
  kv.close();
  const { BadResource } = Deno.errors;
  await assertRejects(() => Promise.resolve(backend.load(id)), BadResource);
  await assertRejects(() => backend.save({ n: 2 }), BadResource);
  await assertRejects(() => backend.save({ n: 2 }, id), BadResource);
  await assertRejects(() => backend.save({ _user_id: 7 }, id), BadResource);
  await assertRejects(() => backend.renew(id, CLAIMS), BadResource);
  await assertRejects(() => backend.remove(id), BadResource);
  await assertRejects(() => backend.userSessions(7), BadResource);
  await assertRejects(() => backend.removeUser(7), BadResource);
});

Deno.test("kvBackend passes on that a commit failed, and changes nothing", async () => {
  using kv = await Deno.openKv(":memory:");
  const id = await stopped(kv).save({ n: 1, ...CLAIMS });
  const before = await entriesOf(kv);
  const error = new Error("The disk is full");
  const commit = () => Promise.reject(error);
  const backend = stopped(hook(kv, { commit }));
  const calls = [
    () => backend.save({ n: 2 }),
    () => backend.save({ n: 2 }, id),
    () => backend.renew(id, CLAIMS),
    () => backend.remove(id),
  ];
  for (const call of calls) assertEquals(await assertRejects(call), error);
  assertEquals(await entriesOf(kv), before);
});

Deno.test("Session with kvBackend() keeps a session across requests", async () => {
  using kv = await Deno.openKv(":memory:");
  const session = new Session({ backend: kvBackend(kv) });
  const first = await count(session);
  assertEquals(first.n, 1);
  const second = await count(session, first.value);
  assertEquals(second, { n: 2, value: first.value });
  assertEquals((await count(session)).n, 1);
});

Deno.test("Session with kvBackend() holds more than a cookie can", async () => {
  using kv = await Deno.openKv(":memory:");
  const session = new Session({ backend: kvBackend(kv) });
  const text = "x".repeat(20_000);
  const value = await session.encode({ text });
  assertEquals(await session.decode(value), { text });
});

Deno.test("Session with kvBackend() is empty for a cookie that is replayed after logout", async () => {
  using kv = await Deno.openKv(":memory:");
  const session = new Session({ backend: kvBackend(kv) });
  const { value } = await count(session);
  const request = requestWith(`session=${value}`);
  const dict = await session.get(request);
  dict.delete();
  await session.commit(request, new Response());
  assertEquals({ ...await session.get(requestWith(`session=${value}`)) }, {});
  const replayed = await count(session, value);
  assertEquals(replayed.n, 1);
  assertNotEquals(replayed.value, value);
});

Deno.test("Session with kvBackend() does not bring back a session that ended meanwhile", async () => {
  using kv = await Deno.openKv(":memory:");
  const session = new Session({ backend: kvBackend(kv) });
  const { value } = await count(session);
  const slow = requestWith(`session=${value}`);
  const dict = await session.get(slow);
  const logout = requestWith(`session=${value}`);
  await (await session.get(logout)).delete();
  dict.n = 99;
  await assertRejects(() => dict.save(), Error, ENDED);
  assertEquals(await entriesOf(kv), []);
});

Deno.test("Session with kvBackend() fails with the store's error, and keeps the session", async () => {
  using kv = await Deno.openKv(":memory:");
  const { value } = await count(new Session({ backend: kvBackend(kv) }));
  const error = new Error("The store is on fire");
  let isBroken = true;
  const beforeRead = () => isBroken && Promise.reject(error);
  const session = new Session({ backend: kvBackend(hook(kv, { beforeRead })) });
  const thrown = await assertRejects(() => count(session, value));
  assertEquals(thrown, error);
  isBroken = false;
  assertEquals(await count(session, value), { n: 2, value });
});

Deno.test("kvBackend keeps sessions in a file when it is opened again", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/sessions.db`;
    let id;
    {
      using kv = await Deno.openKv(path);
      id = await stopped(kv).save({ n: 1 });
    }
    using kv = await Deno.openKv(path);
    assertEquals(await stopped(kv).load(id), { n: 1 });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("kvBackend shows two processes on one file the same session", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/sessions.db`;
    using kv = await Deno.openKv(path);
    const backend = kvBackend(kv);
    const id = await backend.save({ _user_id: 7, n: 1 });
    const other = JSON.parse(
      await runDeno(
        `
const [path, id] = Deno.args;
using kv = await Deno.openKv(path);
const backend = kvBackend(kv);
const before = await backend.load(id);
await backend.save({ ...before, n: before.n + 1 }, id);
const begun = await backend.save({ _user_id: 7, n: 0 });
console.log(JSON.stringify({ before, begun }));`,
        path,
        id,
      ),
    );
    assertEquals(other.before, { _user_id: 7, n: 1 });
    assertEquals(await backend.load(id), { _user_id: 7, n: 2 });
    assertEquals(await backend.load(other.begun), { _user_id: 7, n: 0 });
    await backend.removeUser(7);
    const after = await runDeno(
      `
const [path, ...ids] = Deno.args;
using kv = await Deno.openKv(path);
const backend = kvBackend(kv);
const loaded = await Promise.all(ids.map((id) => backend.load(id)));
console.log(JSON.stringify(loaded));`,
      path,
      id,
      other.begun,
    );
    assertEquals(JSON.parse(after), [null, null]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Counts a visitor's requests, as a handler would. */
async function count(
  session: Session,
  value?: string,
): Promise<{ n: unknown; value: string | undefined }> {
  const request = requestWith(value && `session=${value}`);
  const dict = await session.get(request);
  dict.n = (dict.n ?? 0) + 1;
  dict.save();
  const response = await session.commit(request, new Response());
  return { n: dict.n, value: cookieSetBy(response) };
}

/** What a program prints that another process runs. */
async function runDeno(code: string, ...args: string[]): Promise<string> {
  const module = new URL("../backends/kv.ts", import.meta.url);
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--quiet",
      "--unstable-kv",
      `import { kvBackend } from ${JSON.stringify(module.href)};${code}`,
      ...args,
    ],
    cwd: new URL("..", import.meta.url), // Where deno.json is.
  });
  const { success, stdout, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function decodeId(id: string): Uint8Array {
  const text = atob(id.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function toHex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
