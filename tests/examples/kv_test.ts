import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import example from "../../examples/kv.ts";
import { locationOf } from "../_login.ts";
import { knowKeys } from "./_passwords.ts";
import { DAVID, SUSAN, textOf, Visitor } from "./_visitor.ts";

knowKeys();

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0";
const CURL = "curl/8.5.0";
const AGENTS: [device: string, userAgent: string][] = [
  ["Firefox on Linux", FIREFOX],
  [
    "Edge on Windows",
    "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0",
  ],
  [
    "Chrome on Android",
    "Mozilla/5.0 (Linux; Android 10; K) Chrome/140.0 Mobile Safari/537.36",
  ],
  [
    "Safari on iPhone",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1",
  ],
  ["curl", CURL],
  ["Unknown device", "<script>alert(1)</script>"],
];

/** Whoever fills in a form at these paths must come from the site. */
const FORMS = ["/end", "/end-others", "/logout", "/login"];

interface Item {
  device: string;
  isThis: boolean;
  key: string;
  started: string;
}

function visitorWith(userAgent = FIREFOX): Visitor {
  return new Visitor(example, { "User-Agent": userAgent });
}

async function loggedIn(
  fields = SUSAN,
  userAgent = FIREFOX,
): Promise<Visitor> {
  const visitor = visitorWith(userAgent);
  await visitor.logIn(fields);
  return visitor;
}

/** A visitor who has got hold of another one's cookie. */
function copyOf(visitor: Visitor): Visitor {
  const copy = visitorWith();
  copy.take("session", visitor.cookie());
  return copy;
}

/** The sessions that are on a visitor's page. */
async function itemsOf(visitor: Visitor): Promise<Item[]> {
  const page = await visitor.page();
  return page.split("<li ").slice(1).map((item) => {
    const text = textOf(`<li ${item}`).trim();
    const [, device, mark] = /^(.*?)( – this device)?\n/.exec(text) ?? [];
    return {
      device,
      isThis: mark !== undefined,
      key: /name="key" value="([^"]*)"/.exec(item)?.[1] ?? "",
      started: /datetime="([^"]*)"/.exec(item)?.[1] ?? "",
    };
  });
}

/** Where a visitor is logged in, this device marked by a star. */
async function devicesOf(visitor: Visitor): Promise<string[]> {
  return (await itemsOf(visitor))
    .map(({ device, isThis }) => device + (isThis ? "*" : ""))
    .sort();
}

/** Leaves no session of susan, whatever a test before has left. */
async function endAll(): Promise<void> {
  const visitor = await loggedIn();
  await visitor.post("/end-others");
  await visitor.post("/logout");
}

async function assertLoggedOut(visitor: Visitor): Promise<void> {
  const response = await visitor.get();
  assertEquals(locationOf(response), [302, "/login?next=%2F"]);
}

Deno.test("kv.ts asks for a password", async () => {
  const visitor = visitorWith();
  await assertLoggedOut(visitor);
  const form = await visitor.page("/login");
  assertStringIncludes(form, 'autocomplete="current-password"');
  const wrong = await visitor.post("/login", { ...SUSAN, password: "bye" });
  assertEquals(wrong.status, 401);
  const page = await wrong.text();
  assertStringIncludes(page, 'role="alert"');
  assertStringIncludes(page, 'value="susan"');
  assertEquals(visitor.cookieNames, []);
  await visitor.logIn(SUSAN);
  assertStringIncludes(await visitor.page(), "Hello, susan!");
});

Deno.test("kv.ts lists the user's own sessions, and marks this one", async () => {
  await endAll();
  const laptop = await loggedIn();
  const phone = await loggedIn(SUSAN, CURL);
  await loggedIn(DAVID);
  assertEquals(await devicesOf(phone), ["Firefox on Linux", "curl*"]);
  assertEquals(await devicesOf(laptop), ["Firefox on Linux*", "curl"]);
  for (const { key, started } of await itemsOf(laptop)) {
    assertNotEquals(key, laptop.cookie());
    const age = Date.now() - Date.parse(started);
    assert(age > -1000 && age < 60_000, started);
  }
});

Deno.test("kv.ts names devices", async () => {
  for (const [device, userAgent] of AGENTS) {
    await endAll();
    const visitor = await loggedIn(SUSAN, userAgent);
    assertEquals(await devicesOf(visitor), [`${device}*`]);
  }
});

Deno.test("kv.ts ends one session, and leaves the others", async () => {
  await endAll();
  const laptop = await loggedIn();
  const phone = await loggedIn(SUSAN, CURL);
  await phone.page();
  const item = (await itemsOf(laptop)).find(({ isThis }) => !isThis);
  const response = await laptop.post("/end", { key: item?.key ?? "" });
  assertEquals(locationOf(response), [303, "/"]);
  await assertLoggedOut(phone);
  assertEquals(await devicesOf(laptop), ["Firefox on Linux*"]);
});

Deno.test("kv.ts ends the session that asks for it", async () => {
  const visitor = await loggedIn();
  const item = (await itemsOf(visitor)).find(({ isThis }) => isThis);
  await visitor.post("/end", { key: item?.key ?? "" });
  await assertLoggedOut(visitor);
});

Deno.test("kv.ts ends no session of another user", async () => {
  const [susan, david] = [await loggedIn(), await loggedIn(DAVID)];
  const keys = (await itemsOf(david)).map(({ key }) => key);
  assert(keys.length > 0);
  const cookie = david.cookie() ?? "";
  for (const key of [...keys, cookie, "", "garbage"]) {
    const response = await susan.post("/end", { key });
    assertEquals(locationOf(response), [303, "/"]);
  }
  assertStringIncludes(await david.page(), "Hello, david!");
});

Deno.test("kv.ts ends the user's other sessions, and no other user's", async () => {
  const [laptop, phone] = [await loggedIn(), await loggedIn(SUSAN, CURL)];
  const [other, copy] = [await loggedIn(DAVID), copyOf(phone)];
  const response = await laptop.post("/end-others");
  assertEquals(locationOf(response), [303, "/"]);
  await assertLoggedOut(phone);
  await assertLoggedOut(copy);
  assertEquals(await devicesOf(laptop), ["Firefox on Linux*"]);
  assert(!(await laptop.page()).includes("everywhere else"));
  assertStringIncludes(await other.page(), "Hello, david!");
});

Deno.test("kv.ts names the device of whoever logs in after somebody else", async () => {
  await endAll();
  const visitor = await loggedIn(DAVID);
  await visitor.logIn(SUSAN);
  assertEquals(await devicesOf(visitor), ["Firefox on Linux*"]);
});

Deno.test("kv.ts logs out, and a copy of the cookie is worthless", async () => {
  const visitor = await loggedIn();
  const copy = copyOf(visitor);
  assertEquals(locationOf(await visitor.post("/logout")), [302, "/login"]);
  await assertLoggedOut(visitor);
  await assertLoggedOut(copy);
});

Deno.test("kv.ts refuses the forms of another site", async () => {
  const visitor = await loggedIn();
  const item = (await itemsOf(visitor)).find(({ isThis }) => isThis);
  const fields = { ...SUSAN, key: item?.key ?? "" };
  for (const path of FORMS) {
    const headers = { "Sec-Fetch-Site": "cross-site" };
    const response = await visitor.post(path, fields, headers);
    assertEquals(response.status, 403, path);
    assertStringIncludes(await visitor.page(), "Hello, susan!");
  }
});

Deno.test("kv.ts asks a visitor to log in who ends sessions", async () => {
  for (const path of ["/end", "/end-others"]) {
    const response = await visitorWith().post(path, { key: "x" });
    assertEquals(locationOf(response), [302, "/login"]);
  }
});

Deno.test("kv.ts answers 404 where there is no route", async () => {
  assertEquals((await visitorWith().get("/nowhere")).status, 404);
  assertEquals((await visitorWith().get("/end-others")).status, 404);
});
