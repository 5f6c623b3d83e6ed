/** What a session is with each backend. */

import {
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import type { Payload, Session } from "../../mod.ts";
import {
  cookieSetBy,
  KEY,
  NOW,
  OTHER_KEY,
  requestWith,
  SAVED,
} from "../_helpers.ts";
import { cookiesOf } from "../_login.ts";
import { dataOf, DAY, valueWith, visit } from "../session/_visits.ts";
import { testEach } from "./_every_backend.ts";

const HOUR = 3600;

const GARBAGE: [what: string, value: string][] = [
  ["nothing", ""],
  ["a word", "garbage"],
  ["dots", ".."],
  ["a padding character", "="],
  ["an empty object, unencoded", "{}"],
  ["an empty array", encodeBase64Url("[]")],
  ["null", encodeBase64Url("null") + "="],
  ["text that is no JSON", encodeBase64Url("{n}")],
  ["invalid UTF-8", encodeBase64Url(new Uint8Array([0x7B, 0xFF, 0x7D]))],
  ["bytes outside of ASCII", "\xE9\xFF"],
  ["a percent sign", "%7B%7D"],
  ["an unknown id", "A".repeat(43)],
  ["60 KB", "x".repeat(61_440)],
];

/** The data of a request with these cookies. */
async function dataIn(session: Session, cookies: string): Promise<Payload> {
  return { ...await session.get(requestWith(cookies)) };
}

/** Saves more data into a session; its value then. */
async function saveInto(
  session: Session,
  value: string,
  data: object,
): Promise<string> {
  const response = await visit(session, (dict) => {
    Object.assign(dict, data);
    dict.save();
  }, { value });
  return cookieSetBy(response) ?? value;
}

/** All spellings of a value in which one character is another, or gone. */
function* alterations(value: string): Generator<string> {
  for (let i = 0; i < value.length; i++) {
    const other = value[i] === "x" ? "y" : "x";
    yield value.slice(0, i) + other + value.slice(i + 1);
  }
  yield value.slice(1);
  yield value.slice(0, -1);
  yield value + "A";
}

testEach("session.get() returns what was saved", async ({ session }) => {
  const data = { text: "Zoë \u{1F36A}", list: [{ deep: {} }], none: null };
  assertEquals(await dataOf(session, await valueWith(session, data)), data);
});

testEach(
  "session.get() gives each request data of its own",
  async ({ session }) => {
    const value = await valueWith(session, { list: [1] });
    for (let read = 0; read < 3; read++) {
      const dict = await session.get(requestWith(`session=${value}`));
      assertEquals({ ...dict }, { list: [1] });
      dict.list.push(2);
    }
  },
);

testEach("session.get() keeps visitors apart", async ({ session }) => {
  const susan = await valueWith(session, { name: "susan" });
  const david = await valueWith(session, { name: "david" });
  const later = await saveInto(session, david, { n: 1 });
  assertNotEquals(susan, david);
  assertEquals(await dataOf(session, susan), { name: "susan" });
  assertEquals(await dataOf(session, later), { name: "david", n: 1 });
});

testEach(
  "session.get() is empty for garbage, and sets no cookie",
  async ({ session }) => {
    for (const [what, value] of GARBAGE) {
      const response = await visit(
        session,
        (dict) => assertEquals({ ...dict }, {}, what),
        { value },
      );
      assertEquals(response.headers.getSetCookie(), [], what);
    }
  },
);

testEach(
  "session.get() is empty when any character was changed",
  async ({ session }) => {
    const value = await valueWith(session, { admin: false });
    for (const altered of alterations(value)) {
      assertEquals(await dataOf(session, altered), {}, altered);
    }
  },
  { isAuthenticated: true },
);

testEach("session.get() takes what a client wrote", async ({ session }) => {
  const value = await valueWith(session, { admin: false });
  const text = atob(value.replaceAll("-", "+").replaceAll("_", "/"));
  const forged = btoa(text.replace("false", "true"))
    .replaceAll("+", "-").replaceAll("/", "_");
  assertEquals(await dataOf(session, forged), { admin: true });
}, { isAuthenticated: false });

testEach(
  "a client can read its session in the cookie, or cannot",
  async ({ session, traits }) => {
    const value = await valueWith(session, { word: "plumbago" });
    const texts = value.split(".").map((part) => {
      const bytes = decodeBase64Url(part.replace(/=+$/, ""));
      return new TextDecoder().decode(bytes);
    });
    assertEquals(texts.join().includes("plumbago"), traits.isReadable);
  },
);

testEach(
  "session.get() takes the one valid value of several",
  async ({ session }) => {
    const value = await valueWith(session, { n: 1 });
    for (const [, other] of GARBAGE.slice(0, -1)) {
      const cookies = `session=${other}; session=${value}; session=${value}`;
      assertEquals(await dataIn(session, cookies), { n: 1 }, other);
    }
    const second = await valueWith(session, { n: 2 });
    const both = `session=${value}; session=${second}`;
    assertEquals(await dataIn(session, both), {}, "two are valid");
  },
);

testEach(
  "session.get() throws when there is no secret key",
  async (fixture) => {
    const session = fixture.newSession({}, false);
    await assertRejects(
      () => session.get(requestWith()),
      TypeError,
      "secretKey",
    );
    session.secretKey = KEY;
    assertEquals(await dataIn(session, ""), {});
  },
  { secretKey: "needed" },
);

testEach("new Session() refuses a secret key", (fixture) => {
  assertThrows(
    () => fixture.newSession({ secretKey: KEY }),
    TypeError,
    "Cannot use secretKey",
  );
}, { secretKey: "refused" });

testEach(
  "new Session() takes a secret key, and does without",
  async (fixture) => {
    const value = await valueWith(fixture.session, { n: 1 });
    const keyed = fixture.newSession({ secretKey: KEY });
    assertEquals(await dataOf(keyed, value), { n: 1 });
  },
  { secretKey: "optional" },
);

testEach(
  "session.get() reads a value of the old key, and saves or renews under the new one",
  async (fixture) => {
    const old = fixture.session;
    const both = fixture.newSession({ secretKey: [OTHER_KEY, KEY] });
    const after = fixture.newSession({ secretKey: OTHER_KEY });
    const value = await valueWith(old, { n: 1 });
    assertEquals(await dataOf(both, value), { n: 1 });
    assertEquals(await dataOf(after, value), {});

    const saved = await saveInto(both, value, { n: 2 });
    assertEquals(await dataOf(after, saved), { n: 2 });
    assertEquals(await dataOf(old, saved), {});

    fixture.now += 8 * DAY;
    const renewed = cookieSetBy(await visit(both, () => {}, { value }));
    assertEquals(await dataOf(after, renewed), { n: 1 });
  },
  { secretKey: "needed" },
);

testEach("session.get() is empty from maxAge on", async (fixture) => {
  const session = fixture.newSession({ maxAge: HOUR });
  const value = await valueWith(session, { n: 1 });
  fixture.now += HOUR - 1;
  assertEquals(await dataOf(session, value), { n: 1 });
  fixture.now += 1;
  assertEquals(await dataOf(session, value), {});
});

testEach(
  "a session that is read past half of its maxAge is renewed",
  async (fixture) => {
    const session = fixture.newSession({ maxAge: HOUR });
    const first = await valueWith(session, { n: 1 });
    let value = first;
    for (let i = 0; i < 4; i++) {
      fixture.now += HOUR / 2;
      const early = await visit(session, () => {}, { value });
      assertEquals(early.headers.getSetCookie(), []);
      fixture.now += 1;
      const late = await visit(session, () => {}, { value });
      assertEquals(cookiesOf(late), ["session"]);
      value = cookieSetBy(late) ?? "";
      assertEquals(await dataOf(session, value), { n: 1 });
      assertEquals(value === first, fixture.traits.isKept);
    }
  },
);

testEach(
  "a session ends at absoluteMaxAge, however active it is",
  async (fixture) => {
    const session = fixture.newSession({
      maxAge: HOUR,
      absoluteMaxAge: 2.5 * HOUR,
    });
    let value = await valueWith(session, { n: 0 });
    for (let n = 1; n <= 3; n++) {
      fixture.now += 0.75 * HOUR;
      assertEquals(await dataOf(session, value), { n: n - 1 });
      value = await saveInto(session, value, { n });
    }
    fixture.now += 0.25 * HOUR - 1;
    assertEquals(await dataOf(session, value), { n: 3 });
    fixture.now += 1;
    assertEquals(await dataOf(session, value), {});
  },
);

testEach(
  "saving and renewal keep when the session started",
  async (fixture) => {
    const { session } = fixture;
    const first = await valueWith(session, { n: 1 });
    fixture.now += DAY;
    const value = await saveInto(session, first, { n: 2 });
    fixture.now += 8 * DAY;
    const renewed = cookieSetBy(await visit(session, () => {}, { value }));
    const claims = await session.decode(renewed ?? "");
    assertEquals(claims._started, NOW);
    assertEquals(claims[SAVED], NOW + 9 * DAY);
    assertEquals(claims.exp, NOW + 23 * DAY);
  },
);

testEach(
  "dict.save() keeps or changes the cookie's value",
  async ({ session, traits }) => {
    const value = await valueWith(session, { n: 1 });
    const saved = await saveInto(session, value, { n: 2 });
    assertEquals(saved === value, traits.isKept);
  },
);

testEach(
  "dict.save() takes its snapshot when it is called, the last one counting",
  async ({ session }) => {
    const response = await visit(session, (dict) => {
      dict.n = 1;
      dict.save();
      dict.list = [1];
      dict.save();
      dict.list.push(2);
      dict.n = 2;
    });
    assertEquals(cookiesOf(response), ["session"]);
    assertEquals(await dataOf(session, cookieSetBy(response)), {
      n: 1,
      list: [1],
    });
  },
);

testEach(
  "dict.delete() makes a copied cookie worthless, or does not",
  async ({ session, traits }) => {
    const value = await valueWith(session, { n: 1 });
    const response = await visit(session, (dict) => dict.delete(), { value });
    assertEquals(cookiesOf(response), ["-session"]);
    assertEquals(await dataOf(session, value), traits.isKept ? {} : { n: 1 });
  },
);

testEach(
  "dict.save() after dict.delete() begins a session of its own",
  async ({ session, traits }) => {
    const value = await valueWith(session, { n: 1 });
    const response = await visit(session, (dict) => {
      dict.delete();
      dict.m = 2;
      dict.save();
    }, { value });
    assertEquals(cookiesOf(response), ["session"]);
    assertNotEquals(cookieSetBy(response), value);
    assertEquals(await dataOf(session, cookieSetBy(response)), { m: 2 });
    if (traits.isKept) assertEquals(await dataOf(session, value), {});
  },
);

testEach(
  "dict.save() of a session that was ended begins another",
  async ({ session }) => {
    const value = await valueWith(session, { n: 1 });
    await visit(session, (dict) => dict.delete(), { value });
    const response = await visit(session, (dict) => {
      assertEquals({ ...dict }, {});
      dict.m = 2;
      dict.save();
    }, { value });
    assertNotEquals(cookieSetBy(response), value);
    assertEquals(await dataOf(session, value), {});
  },
  { isKept: true },
);

testEach(
  "dict.save() brings back no session that ends meanwhile",
  async ({ session }) => {
    const value = await valueWith(session, { n: 1 });
    const slow = visit(session, async (dict) => {
      await visit(session, (dict) => dict.delete(), { value });
      dict.n = 2;
      await dict.save();
    }, { value });
    await assertRejects(() => slow, Error, "ended by another request");
    assertEquals(await dataOf(session, value), {});
  },
  { isKept: true },
);

testEach(
  "an error passes through, and a save before it is kept or is not",
  async ({ session, traits }) => {
    const value = await valueWith(session, { n: 1 });
    const failure = new Error("the handler's own");
    const visiting = visit(session, async (dict) => {
      dict.n = 2;
      await dict.save();
      throw failure;
    }, { value });
    assertStrictEquals(await assertRejects(() => visiting), failure);
    assertEquals(await dataOf(session, value), { n: traits.isKept ? 2 : 1 });
  },
);

testEach(
  "dict.save() rejects data over the limit, and changes nothing",
  async ({ session, traits }) => {
    const value = await valueWith(session, { n: 1 });
    const long = "x".repeat(traits.limit);
    const saving = saveInto(session, value, { long });
    const error = await assertRejects(() => saving, RangeError);
    assertStringIncludes(error.message, `${traits.limit}`);
    assertEquals(await dataOf(session, value), { n: 1 });
  },
);

testEach(
  "dict.save() keeps data of over half the limit",
  async ({ session, traits }) => {
    const data = { long: "é".repeat(traits.limit * 0.3) };
    assertEquals(await dataOf(session, await valueWith(session, data)), data);
  },
);

testEach(
  "session.decode() returns exactly what session.encode() was given",
  async ({ session }) => {
    const payload = { n: [1], exp: NOW + 1, save: 1, jti: "id" };
    assertEquals(await session.decode(await session.encode(payload)), payload);
    assertEquals(await session.decode(await session.encode({})), {});
  },
);

testEach(
  "session.decode() returns {} for what is not valid",
  async (fixture) => {
    const { session } = fixture;
    for (const [what, value] of GARBAGE) {
      assertEquals(await session.decode(value), {}, what);
    }
    const value = await session.encode({ n: 1, exp: NOW + 1 });
    fixture.now += 1;
    assertEquals(await session.decode(value), {});
  },
);
