import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Flash,
  flash,
  type Flashable,
  Session,
  type SessionDict,
  type SessionOptions,
  takeFlashes,
} from "../../mod.ts";
import { kvBackend } from "../../backends/kv.ts";
import { KEY, requestWith } from "../_helpers.ts";
import { Browser, cookiesOf, Site } from "../_login.ts";
import { WatchedStore } from "../_watched_store.ts";

/** Each backend that there is. */
const BACKENDS: Record<string, (kv: Deno.Kv) => SessionOptions> = {
  jwt: () => ({ secretKey: KEY }),
  fernet: () => ({ secretKey: KEY, backend: "fernet" }),
  base64: () => ({ backend: "base64" }),
  kv: (kv) => ({ backend: kvBackend(kv) }),
  store: () => ({ backend: new WatchedStore().backend() }),
};

/** What another service may have put in place of messages, and what is left. */
const GARBAGE: [flashes: unknown, left: Flash[]][] = [
  [null, []],
  [0, []],
  ["Hello", []],
  [{}, []],
  [{ length: 1, 0: { text: "a", category: "b" } }, []],
  [[], []],
  [[null, 1, "a", [], {}, { text: "a" }, { category: "b" }], []],
  [[{ text: 1, category: "b" }, { text: "a", category: null }], []],
  [[null, { text: "a", category: "b" }], [{ text: "a", category: "b" }]],
];

/** What is no dictionary. */
const NO_DICTS: unknown[] = [
  undefined,
  null,
  "Hello",
  {},
  Promise.resolve({}),
  requestWith(),
  new Session(),
];

/** Texts that take much room, for their length or their characters. */
const LONG: string[] = [
  "x".repeat(1500),
  "x".repeat(1_000_000),
  "\u20AC".repeat(2000),
  "\u{1F36A}".repeat(2000),
  "\u0001".repeat(2000),
  "\uD800".repeat(2000),
  '"\\'.repeat(2000),
  `Zo\u00EB: ${"x".repeat(400)}${"\u0001".repeat(1000)}`,
];

/** Does something with the dictionary of a browser's session. */
async function visit<Result>(
  session: Session,
  browser: Browser,
  action: (dict: SessionDict, request: Request) => Result | Promise<Result>,
): Promise<[result: Result, cookies: string[]]> {
  const results: Result[] = [];
  const response = await browser.post(session.wrap(async (request) => {
    results.push(await action(await session.get(request), request));
    return new Response(null, { status: 303, headers: { Location: "/" } });
  }));
  return [results[0], cookiesOf(response)];
}

/** The texts of the messages for the next page. */
async function textsFor(session: Session, browser: Browser): Promise<string[]> {
  const [flashes] = await visit(session, browser, takeFlashes);
  return flashes.map(({ text }) => text);
}

for (const [name, makeOptions] of Object.entries(BACKENDS)) {
  for (const autoSave of [false, true]) {
    const how = autoSave ? " with autoSave" : "";

    Deno.test(`${name}: takeFlashes() gives what flash() kept, over redirects, once${how}`, async () => {
      using kv = await Deno.openKv(":memory:");
      const session = new Session({ ...makeOptions(kv), autoSave });
      const browser = new Browser();
      await visit(session, browser, (dict) => void (dict.cart = ["tea"]));
      await visit(session, browser, (dict) => {
        dict.cart = ["tea"];
        return flash(dict, "Saved");
      });
      await visit(session, browser, (dict) => flash(dict, "Zo\u00EB", "error"));
      await visit(session, browser, () => {}); // A redirect in between.
      const taken = [{ text: "Saved", category: "message" }, {
        text: "Zo\u00EB",
        category: "error",
      }];
      assertEquals(await visit(session, browser, takeFlashes), [taken, [
        "session",
      ]]);
      assertEquals(await visit(session, browser, takeFlashes), [[], []]);
      const [cart] = await visit(session, browser, (dict) => dict.cart);
      assertEquals(cart, ["tea"]);
    });
  }
}

Deno.test("takeFlashes() gives a message to the page that it is said on, too", async () => {
  const session = new Session({ secretKey: KEY });
  const browser = new Browser();
  await visit(session, browser, (dict) => {
    flash(dict, "Hello");
    assertEquals(takeFlashes(dict).length, 1);
    assertEquals(takeFlashes(dict), []);
  });
  assertEquals(await textsFor(session, browser), []);
});

Deno.test("a message survives a login, and a logout before it", async () => {
  for (const autoSave of [false, true]) {
    for (const backend of ["jwt", "fernet", new WatchedStore().backend()]) {
      const site = new Site({
        session: { autoSave, backend: backend as SessionOptions["backend"] },
      });
      const { login, session } = site;
      const browser = new Browser();
      await visit(session, browser, (dict) => flash(dict, "Log in first"));
      await visit(session, browser, async (dict, request) => {
        flash(dict, "Welcome");
        await login.loginUser(request, site.susan);
        flash(dict, "Again");
      });
      const welcome = ["Log in first", "Welcome", "Again"];
      assertEquals(await textsFor(session, browser), welcome);

      await visit(session, browser, (dict) => flash(dict, "For susan"));
      await visit(session, browser, async (dict, request) => {
        await login.logoutUser(request);
        flash(dict, "Bye");
      });
      assertEquals(await textsFor(session, browser), ["Bye"]);
      assertEquals(await site.ask(browser), null);
    }
  }
});

Deno.test("a message for one user is not shown to another", async () => {
  const site = new Site();
  const browser = await site.loggedIn();
  await visit(site.session, browser, (dict) => flash(dict, "For susan"));
  await site.logIn(browser, site.david);
  assertEquals(await textsFor(site.session, browser), []);
});

Deno.test("takeFlashes() takes what is garbage for none, and removes it", async () => {
  const session = new Session({ secretKey: KEY });
  for (const [flashes, left] of GARBAGE) {
    const browser = new Browser();
    const cookie = await session.encode({ _flashes: flashes });
    browser.cookies.set("session", cookie);
    assertEquals(await visit(session, browser, takeFlashes), [left, [
      "session",
    ]]);
    const [names] = await visit(session, browser, (dict) => Object.keys(dict));
    assertEquals(names, []);
    browser.cookies.set("session", cookie);
    await visit(session, browser, (dict) => flash(dict, "Hello"));
    const texts = [...left.map(({ text }) => text), "Hello"];
    assertEquals(await textsFor(session, browser), texts);
  }
});

Deno.test("flash() keeps the last of many that nobody takes", async () => {
  const session = new Session({ secretKey: KEY });
  const browser = new Browser();
  for (let number = 1; number <= 100; number++) {
    await visit(session, browser, (dict) => flash(dict, `Wrong ${number}`));
  }
  const texts = await textsFor(session, browser);
  assertEquals(texts.at(-1), "Wrong 100");
  assert(texts.length > 20, `only ${texts.length}`);
  assertEquals(texts[0], `Wrong ${101 - texts.length}`);
});

for (const text of LONG) {
  const what = `${text.length} times ${JSON.stringify(text[0])}`;

  Deno.test(`flash() cuts a text of ${what} to what fits into a cookie`, async () => {
    const session = new Session({ secretKey: KEY });
    const browser = new Browser();
    await visit(session, browser, (dict) => flash(dict, "Before"));
    await visit(session, browser, (dict) => flash(dict, text));
    const [cut, ...others] = await textsFor(session, browser);
    assertEquals(others, []);
    assert(cut.endsWith("\u2026") && cut.length > 200, `${cut.length} left`);
    assert(text.toWellFormed().startsWith(cut.slice(0, -2)));
    assert(cut.isWellFormed());
  });
}

Deno.test("flash() keeps what fits as it is, to the byte", async () => {
  const session = new Session({ secretKey: KEY });
  const category = "x".repeat(50);
  const most = 1500 - JSON.stringify([{ text: "", category }]).length;
  for (const text of ["", "x".repeat(most), "<b>\u0000</b>", "\u{1F36A}"]) {
    const browser = new Browser();
    await visit(session, browser, (dict) => flash(dict, text, category));
    assertEquals(await textsFor(session, browser), [text]);
  }
  const browser = new Browser();
  for (const length of [0, most + 1]) {
    const text = "x".repeat(length);
    await visit(session, browser, (dict) => flash(dict, text, category));
  }
  assert((await textsFor(session, browser))[0].endsWith("x\u2026"));
  const one = "x".repeat(600);
  const both = [one, ""].map((text) => ({ text, category: "message" }));
  const other = "y".repeat(1500 - JSON.stringify(both).length);
  for (const text of [one, other]) {
    await visit(session, browser, (dict) => flash(dict, text));
  }
  assertEquals(await textsFor(session, browser), [one, other]);
});

Deno.test("flash() and takeFlashes() throw for what is no dictionary", () => {
  for (const dict of NO_DICTS as Flashable[]) {
    for (const act of [() => flash(dict, "Hello"), () => takeFlashes(dict)]) {
      assertThrows(
        act,
        TypeError,
        "Cannot use dict: it has no save() method; pass what session.get() resolves to, not its promise",
      );
    }
  }
});

Deno.test("flash() throws for what is no text, and keeps nothing", async () => {
  const session = new Session({ secretKey: KEY });
  const browser = new Browser();
  const [, cookies] = await visit(session, browser, (dict) => {
    for (const text of [undefined, null, 1, {}, ["a"]] as unknown as string[]) {
      assertThrows(() => flash(dict, text), TypeError, "Cannot use text");
      const saving = () => flash(dict, "a", text ?? 0 as unknown as string);
      assertThrows(saving, TypeError, "Cannot use category");
    }
    assertThrows(() => flash(dict, "a", "x".repeat(51)), RangeError, "a word");
  });
  assertEquals(cookies, []);
});

Deno.test("flash() and takeFlashes() throw where nothing would send the session", async () => {
  const session = new Session({ secretKey: KEY });
  const dict = await session.get(requestWith());
  assertThrows(() => flash(dict, "Hello"), TypeError, "nothing would send it");
  assertEquals(takeFlashes(await session.get(requestWith())), []);
});

Deno.test("flash() rejects as a save does", async () => {
  const session = new Session({ secretKey: KEY });
  await visit(session, new Browser(), async (dict) => {
    dict.big = "x".repeat(4000);
    await assertRejects(
      () => flash(dict, "Hello"),
      RangeError,
      "over the limit of 4096",
    );
    delete dict.big;
    await flash(dict, "Sorry");
  });
});
