import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { lookInside } from "../../examples/_look_inside.ts";
import example from "../../examples/login.ts";
import { Session } from "../../mod.ts";
import { KEY, NOW, requestWith, signToken } from "../_helpers.ts";
import { knowKeys } from "./_passwords.ts";
import { DAVID, SUSAN, textOf, Visitor } from "./_visitor.ts";

knowKeys();

const session = new Session({ secretKey: KEY });
const now = Math.floor(Date.now() / 1000);
const LIFE = { _started: now - 100, _saved: now - 50, exp: now + 50 };

/** The page for whoever sends this session. */
async function pageFor(payload: Record<string, unknown>): Promise<string> {
  const cookie = `session=${await signToken(payload)}`;
  return await (await lookInside(requestWith(cookie), session)).text();
}

Deno.test("look inside shows the visitor's own cookie, but for most of its signature", async () => {
  const [susan, david] = [new Visitor(example), new Visitor(example)];
  await susan.logIn(SUSAN);
  await david.logIn(DAVID);
  const page = await susan.page("/inside");
  const [header, payload, signature] = susan.cookie()?.split(".") ?? [];
  assertStringIncludes(page, `<span class="one">${header}</span>`);
  assertStringIncludes(textOf(page), `${header}.${payload}.`);
  assertStringIncludes(page, `>${signature.slice(0, 6)}•`);
  assert(!page.includes(signature.slice(0, 7)));
  const [, davids] = david.cookie()?.split(".") ?? [];
  assert(!page.includes(davids));
});

Deno.test("look inside explains each claim, and draws the life", async () => {
  const visitor = new Visitor(example);
  await visitor.logIn(SUSAN);
  const page = await visitor.page("/inside");
  const names = ["_user_id", "_fresh", "_auth_time", "_started", "_saved"];
  for (const name of [...names, "exp", "_cookie"]) {
    assert(new RegExp(`<code>${name}</code>\\s+<span>\\w`).test(page), name);
  }
  assertStringIncludes(page, "in 14 days");
  const [drawing] = /<svg[^]*<\/svg>/.exec(page) ?? [""];
  for (const name of ["started", "renewable", "expires", "now"]) {
    assertStringIncludes(drawing, `>${name}</text>`);
  }
  assert(!drawing.includes("last written"));
  assertEquals(drawing.match(/NaN|undefined/), null);
});

Deno.test("look inside draws when the session was last written", async () => {
  const page = await pageFor(LIFE);
  assertStringIncludes(page, ">last written</text>");
  // now is at 2/3, and written at 1/3 of the life.
  assertStringIncludes(page, 'cx="34%"');
  assertStringIncludes(page, 'cx="66%"');
});

Deno.test("look inside escapes all that a session holds", async () => {
  const evil = `"><script>alert('&')</script>`;
  const page = await pageFor({ ...LIFE, [evil]: evil, _user_id: evil });
  assert(!page.includes("<script>alert"));
  assertStringIncludes(textOf(page), JSON.stringify(evil));
});

Deno.test("look inside takes odd names and times as they are", async () => {
  const odd = JSON.stringify({ ...LIFE, constructor: 1, toString: 2, n: {} })
    .replace("{", '{"__proto__":3,');
  const text = textOf(
    await (await lookInside(
      requestWith(`session=${await signToken(odd)}`),
      session,
    )).text(),
  );
  for (const name of ["__proto__", "constructor", "toString"]) {
    assert(new RegExp(`${name}\\s+data of the application`).test(text), name);
  }
  for (const exp of [1e300, 8.65e12]) {
    const page = await pageFor({ ...LIFE, exp, _auth_time: -1e20 });
    assertStringIncludes(page, "<h1>Look inside</h1>");
  }
});

Deno.test("look inside shows nothing of what is no session of the visitor's", async () => {
  const good = await signToken(LIFE);
  const cookies = [
    undefined,
    "session=garbage",
    "session=",
    `session=${good}x`,
    `session=${good}; session=${await signToken({ ...LIFE, n: 1 })}`,
    `other=${good}`,
    `session=${await signToken({ ...LIFE, exp: NOW })}`,
    `session=${await signToken({})}`,
  ];
  for (const cookie of cookies) {
    const response = await lookInside(requestWith(cookie), session);
    const page = await response.text();
    assertStringIncludes(page, "Your session begins with this page");
    assert(!page.includes('class="token"'), cookie);
  }
});

Deno.test("look inside says that the session of a remembered user begins", async () => {
  const visitor = new Visitor(example);
  await visitor.logIn({ ...SUSAN, remember: "on" });
  visitor.lose("session");
  assertStringIncludes(await visitor.page("/inside"), "begins with this page");
  const page = textOf(await visitor.page("/inside"));
  assert(/_fresh\s+whether by a password, in this session\s*false/.test(page));
});
