import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { locationOf } from "../_login.ts";
import { knowKeys } from "./_passwords.ts";
import { headingOf, Visitor } from "./_visitor.ts";

knowKeys();

let late = 0;
const { now } = Date;
Date.now = () => now() + late;
const { default: example } = await import("../../examples/mail.ts");

const SUSAN = "susan@example.com";
const DAVID = "david@example.com";

/** Where a server listens, and where a browser finds it. */
const HOSTS: [hostname: string, host: string][] = [
  ["127.0.0.1", "127.0.0.1"],
  ["localhost", "localhost"],
  ["0.0.0.0", "127.0.0.1"],
  ["::", "127.0.0.1"],
  ["::1", "[::1]"],
];

/** Does something, and returns so many lines that it prints, or more. */
async function linesOf(
  count: number,
  action: () => Promise<unknown>,
): Promise<string[]> {
  const { log } = console;
  const lines: string[] = [];
  const done = Promise.withResolvers<void>();
  const check = () => lines.length >= count && done.resolve();
  console.log = (line) => {
    lines.push(`${line}`);
    check();
  };
  try {
    await action();
    check();
    await done.promise;
    return lines;
  } finally {
    console.log = log;
  }
}

/** Asks for a mail; returns the path of its link. */
async function linkFor(address: string, purpose: string): Promise<string> {
  late += 300_000; // Five mails in five minutes, and no more.
  const [mail] = await linesOf(
    1,
    () => new Visitor(example).post("/mail", { address, purpose }),
  );
  assertStringIncludes(mail, `Mail to ${address}`);
  return /http:\/\/127\.0\.0\.1:8000(\/\S+)/.exec(mail)?.[1] ?? "no link";
}

async function assertDead(path: string): Promise<void> {
  for (const method of ["GET", "POST"]) {
    const visitor = new Visitor(example);
    const body = method === "POST"
      ? new URLSearchParams({ password: "a new password" })
      : null;
    const response = await visitor.send(path, { method, body });
    assertEquals(response.status, 403);
    assertEquals(
      headingOf(await response.text()),
      "This link no longer holds",
    );
    assertEquals(visitor.cookieNames, []);
  }
}

Deno.test("mail.ts logs in by a link, once, and not fresh", async () => {
  const link = await linkFor(SUSAN, "log in");
  const visitor = new Visitor(example);
  for (let i = 0; i < 3; i++) {
    assertStringIncludes(await visitor.page(link), "<button>Log in</button>");
  }
  assertEquals(visitor.cookieNames, []);
  assertEquals(locationOf(await visitor.post(link)), [302, "/"]);
  assertStringIncludes(await visitor.page(), "logged in by a link");
  await assertDead(link);
  assertStringIncludes(await visitor.page(), `Hello, ${SUSAN}!`);
});

Deno.test("mail.ts logs in by a password", async () => {
  const visitor = new Visitor(example);
  const fields = { address: ` ${SUSAN.toUpperCase()} `, password: "hello" };
  assertEquals(locationOf(await visitor.post("/login", fields)), [302, "/"]);
  assertStringIncludes(await visitor.page(), "logged in by your password");
  const wrong = await visitor.post("/login", { ...fields, password: "bye" });
  assertEquals(wrong.status, 401);
  assertStringIncludes(await wrong.text(), "Wrong address or password");
  await (await visitor.post("/logout")).body?.cancel();
  assertStringIncludes(await visitor.page("/login"), "You are logged out");
});

Deno.test("mail.ts answers alike, whether it knows an address or not", async () => {
  late += 300_000;
  const pages: string[] = [];
  const addresses = [SUSAN, "nobody@example.com", "", "__proto__"];
  for (const address of addresses) {
    await linesOf(address === SUSAN ? 1 : 0, async () => {
      const fields = { address, purpose: "log in" };
      const response = await new Visitor(example).post("/mail", fields);
      assertEquals(response.status, 200);
      const page = await response.text();
      pages.push(page.replaceAll(/nonce="[^"]*"/g, ""));
    });
  }
  assertEquals(new Set(pages).size, 1);
});

Deno.test("mail.ts sends no mail for another purpose, nor more than five at a time", async () => {
  late += 300_000;
  const send = async (count: number, purpose: string) => {
    const fields = { address: SUSAN, purpose };
    const post = () => new Visitor(example).post("/mail", fields);
    assertEquals((await linesOf(count, post)).length, count);
  };
  for (const purpose of ["", "toString", "Log in"]) await send(0, purpose);
  for (let i = 0; i < 5; i++) await send(1, "log in");
  await send(0, "log in");
});

Deno.test("mail.ts puts its own address into a link, whatever the Host header", async () => {
  late += 300_000;
  const [mail] = await linesOf(1, () => {
    const body = new URLSearchParams({ address: SUSAN, purpose: "log in" });
    const request = new Request("http://evil.example/mail", {
      method: "POST",
      body,
    });
    return Promise.resolve(example.fetch(request, {
      remoteAddr: { transport: "tcp", hostname: "h", port: 1 },
      completed: Promise.resolve(),
    }));
  });
  assertStringIncludes(mail, "http://127.0.0.1:8000/link?");
});

Deno.test("mail.ts puts into a link where it is served", async () => {
  try {
    for (const [hostname, host] of HOSTS) {
      late += 300_000;
      const [announced, mail] = await linesOf(2, async () => {
        example.onListen?.({ transport: "tcp", hostname, port: 81 });
        const fields = { address: SUSAN, purpose: "log in" };
        await (await new Visitor(example).post("/mail", fields)).body?.cancel();
      });
      assertEquals(announced, `Serving at http://${host}:81`);
      assertStringIncludes(mail, `http://${host}:81/link?token=`);
    }
  } finally {
    Deno.env.delete("DENIZEN_EXAMPLE_ORIGIN");
  }
});

Deno.test("mail.ts takes no link after ten minutes, of another purpose, or that was changed", async () => {
  const link = await linkFor(SUSAN, "log in");
  assertNotEquals(link.replace("/link", "/reset"), link);
  await assertDead(link.replace("/link", "/reset"));
  await assertDead(`${link}x`);
  await assertDead("/link");
  await assertDead("/reset?token=garbage");
  late += 599_000;
  assertStringIncludes(await new Visitor(example).page(link), "<button>");
  late += 2000;
  await assertDead(link);
});

Deno.test("mail.ts sets a new password by a link, which ends all logins and links", async () => {
  const fields = { address: DAVID, password: "bye" };
  const before = new Visitor(example);
  await before.logIn(fields);
  const other = await linkFor(DAVID, "log in");
  const link = await linkFor(DAVID, "new password");
  const visitor = new Visitor(example);
  assertStringIncludes(await visitor.page(link), 'autocomplete="new-password"');
  for (const password of ["", "short", "x".repeat(201)]) {
    const response = await visitor.post(link, { password });
    assertEquals(response.status, 400);
    assertStringIncludes(await response.text(), "8 to 200 characters");
  }
  const password = "a new password";
  const [first, second] = await Promise.all([
    visitor.post(link, { password }),
    new Visitor(example).post(link, { password: "another password" }),
  ]);
  assertEquals([first.status, second.status].sort(), [303, 403]);
  assertEquals(locationOf(await before.get())[0], 302);
  await assertDead(link);
  await assertDead(other);
  const old = await visitor.post("/login", fields);
  assertEquals(old.status, 401);
  const choice = first.status === 303 ? password : "another password";
  await visitor.logIn({ ...fields, password: choice });
});

Deno.test("mail.ts says on the login page that the password is new", async () => {
  const link = await linkFor(SUSAN, "new password");
  const visitor = new Visitor(example);
  const page = await visitor.submit(link, { password: "a new password" });
  assertEquals(headingOf(page), "Log in");
  assertStringIncludes(page, "Your password is new");
  assert(!(await visitor.page("/login")).includes("Your password is new"));
});
