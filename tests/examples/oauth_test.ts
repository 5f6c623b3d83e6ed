import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { captureErrors } from "../_helpers.ts";
import { locationOf, ORIGIN } from "../_login.ts";
import { headingOf, textOf, Visitor } from "./_visitor.ts";

// The clock of the example and its provider, which take what is there.
let late = 0;
const { now } = Date;
Date.now = () => now() + late;
const { default: example } = await import("../../examples/oauth.ts");
const SHARED = "DENIZEN_EXAMPLE_PROVIDER";
const PROVIDER = await findProvider();

/** What is wrong with a request to the provider, and what it answers. */
const REQUESTS: [
  what: string,
  change: Record<string, string | undefined>,
  error?: string,
][] = [
  ["no client", { client_id: undefined }],
  ["another client", { client_id: "evil" }],
  ["no redirect_uri", { redirect_uri: undefined }],
  ["another host", { redirect_uri: "http://evil.example/callback" }],
  ["another path", { redirect_uri: `${ORIGIN}/callback/../evil` }],
  ["a query", { redirect_uri: `${ORIGIN}/callback?a=1` }],
  ["a hash", { redirect_uri: `${ORIGIN}/callback#a` }],
  ["a user", { redirect_uri: "http://u@localhost/callback" }],
  ["a longer host", { redirect_uri: "http://localhost.evil/callback" }],
  ["another scheme", { redirect_uri: "javascript:alert(1)" }],
  ["another type", { response_type: "token" }, "invalid_request"],
  ["no challenge", { code_challenge: undefined }, "invalid_request"],
  ["a plain one", { code_challenge_method: "plain" }, "invalid_request"],
];

/** What is wrong with a request for a token, and what is answered. */
const EXCHANGES: [
  what: string,
  change: Record<string, string>,
  status: number,
  error: string,
][] = [
  ["another secret", { client_secret: "x" }, 401, "invalid_client"],
  ["another client", { client_id: "x" }, 401, "invalid_client"],
  ["another type", { grant_type: "password" }, 400, "invalid_grant"],
  ["another code", { code: "x" }, 400, "invalid_grant"],
  ["another verifier", { code_verifier: "x" }, 400, "invalid_grant"],
  ["another redirect_uri", { redirect_uri: "x" }, 400, "invalid_grant"],
];

const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/** What a provider must be asked; the challenge is RFC 7636 appendix B's. */
const QUERY = {
  response_type: "code",
  client_id: "example",
  redirect_uri: `${ORIGIN}/callback`,
  state: "a state",
  code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  code_challenge_method: "S256",
};

async function findProvider(): Promise<string> {
  const response = await new Visitor(example).get("/login/provider");
  return new URL(response.headers.get("Location") ?? "").origin;
}

/** Sets out for the provider; returns the path and query there. */
async function setOut(visitor: Visitor, next = "/"): Promise<string> {
  const path = `/login/provider?next=${encodeURIComponent(next)}`;
  const [status, location] = locationOf(await visitor.get(path));
  assertEquals(status, 302);
  assert(location !== null);
  assert(location.startsWith(`${PROVIDER}/authorize?`), location);
  return location.slice(PROVIDER.length);
}

/** Presses a button at the provider; returns the path and query back. */
async function decide(path: string, sub = "1001"): Promise<string> {
  const response = await new Visitor(PROVIDER).post(path, { sub });
  await response.body?.cancel();
  const [status, location] = locationOf(response);
  assertEquals(status, 303);
  assert(location !== null);
  assert(location.startsWith(`${ORIGIN}/callback?`), location);
  return location.slice(ORIGIN.length);
}

/** Asks for a token. */
async function exchange(fields: Record<string, string>) {
  const response = await new Visitor(PROVIDER).post("/token", {
    grant_type: "authorization_code",
    client_id: "example",
    client_secret: "between the two servers",
    code_verifier: VERIFIER,
    redirect_uri: QUERY.redirect_uri,
    ...fields,
  });
  return { status: response.status, body: await response.json() };
}

async function codeFor(sub = "1001"): Promise<string> {
  const back = await decide(`/authorize?${new URLSearchParams(QUERY)}`, sub);
  return new URL(back, ORIGIN).searchParams.get("code") ?? "";
}

async function assertRefused(visitor: Visitor, path: string): Promise<void> {
  const response = await visitor.get(path);
  assertEquals(response.status, 403);
  const page = await response.text();
  assertEquals(headingOf(page), "This login can't go on");
  assertStringIncludes(page, "SameSite=Strict");
}

Deno.test("oauth.ts logs in, and leads to the page first asked for", async () => {
  const visitor = new Visitor(example);
  const first = await visitor.get("/orders");
  assertEquals(locationOf(first), [302, "/login?next=%2Forders"]);
  const link = /href="(\/login\/provider[^"]*)"/.exec(
    await visitor.page("/login?next=%2Forders"),
  )?.[1];
  assertEquals(link, "/login/provider?next=%2Forders");
  const there = await setOut(visitor, "/orders");
  const consent = await new Visitor(PROVIDER).page(there);
  assertStringIncludes(consent, `<strong>${ORIGIN}</strong>`);
  const before = visitor.cookie();
  const response = await visitor.get(await decide(there));
  assertEquals(locationOf(response), [302, "/orders"]);
  assert(visitor.cookie() !== before);
  assertStringIncludes(textOf(await visitor.page("/orders")), "susan");
  await (await visitor.post("/logout")).body?.cancel();
  assertStringIncludes(await visitor.page("/login"), "You are logged out");
});

Deno.test("oauth.ts leads to no other site", async () => {
  const far = ["//evil.example", "http://evil.example", `/${"x".repeat(1000)}`];
  for (const next of far) {
    const visitor = new Visitor(example);
    const back = await decide(await setOut(visitor, next));
    assertEquals(locationOf(await visitor.get(back)), [302, "/"]);
  }
});

Deno.test("oauth.ts tells a visitor who has said no", async () => {
  const visitor = new Visitor(example);
  const back = await decide(await setOut(visitor, "/orders"), "");
  assertStringIncludes(back, "error=access_denied");
  const response = await visitor.get(back);
  assertEquals(locationOf(response), [302, "/login?next=%2Forders"]);
  const page = await visitor.page("/login");
  assertStringIncludes(textOf(page), "you told Small Provider to say nothing");
  await assertRefused(visitor, back);
});

Deno.test("oauth.ts has no account for everybody", async () => {
  const visitor = new Visitor(example);
  const response = await visitor.get(
    await decide(await setOut(visitor), "1003"),
  );
  assertEquals(response.status, 403);
  assertEquals(headingOf(await response.text()), "No account");
  assertEquals(locationOf(await visitor.get())[0], 302);
});

Deno.test("oauth.ts refuses a state that is not this visitor's, before it asks the provider", async () => {
  const [visitor, other] = [new Visitor(example), new Visitor(example)];
  await setOut(visitor);
  const back = await decide(await setOut(other));
  await assertRefused(visitor, back);
  for (const state of ["", "garbage", "__proto__", "toString"]) {
    await assertRefused(visitor, `/callback?code=x&state=${state}`);
  }
  await assertRefused(visitor, "/callback");
  await assertRefused(new Visitor(example), back);
  // The code was not taken by any of those.
  assertEquals(locationOf(await other.get(back)), [302, "/"]);
});

Deno.test("oauth.ts refuses a state a second time, and keeps the login", async () => {
  const visitor = new Visitor(example);
  const back = await decide(await setOut(visitor));
  assertEquals(locationOf(await visitor.get(back)), [302, "/"]);
  await assertRefused(visitor, back);
  assertStringIncludes(await visitor.page(), "Hello, susan!");
});

Deno.test("oauth.ts refuses a state after ten minutes", async () => {
  const visitor = new Visitor(example);
  const there = await setOut(visitor);
  try {
    late = 601_000;
    await assertRefused(visitor, await decide(there));
    assertEquals(locationOf(await visitor.get())[0], 302);
  } finally {
    late = 0;
  }
});

Deno.test("oauth.ts keeps the last five logins that are under way", async () => {
  const visitor = new Visitor(example);
  const next = `/${"x".repeat(299)}`;
  const theres: string[] = [];
  for (let i = 0; i < 7; i++) theres.push(await setOut(visitor, next));
  await assertRefused(visitor, await decide(theres[1]));
  const response = await visitor.get(await decide(theres[2]));
  assertEquals(locationOf(response), [302, next]);
});

Deno.test("oauth.ts logs somebody else in over a login", async () => {
  const visitor = new Visitor(example);
  await visitor.get(await decide(await setOut(visitor)));
  const response = await visitor.get(
    await decide(await setOut(visitor), "1002"),
  );
  assertEquals(locationOf(response), [302, "/"]);
  assertStringIncludes(await visitor.page(), "Hello, david!");
});

Deno.test("oauth.ts says so where the provider does not answer", async () => {
  using errors = captureErrors();
  const visitor = new Visitor(example);
  const back = await decide(await setOut(visitor));
  Deno.env.set(SHARED, "http://127.0.0.1:1");
  try {
    const response = await visitor.get(back);
    assertEquals(response.status, 502);
    assertEquals(headingOf(await response.text()), "Small Provider");
    assertEquals(errors.lines.length, 1);
  } finally {
    Deno.env.delete(SHARED);
  }
});

for (const [what, change, error] of REQUESTS) {
  Deno.test(`the provider refuses a request with ${what}`, async () => {
    const entries = Object.entries({ ...QUERY, ...change })
      .filter((entry): entry is [string, string] => entry[1] !== undefined);
    const path = `/authorize?${new URLSearchParams(entries)}`;
    for (const method of ["GET", "POST"]) {
      const body = method === "POST" ? new URLSearchParams("sub=1001") : null;
      const response = await new Visitor(PROVIDER).send(path, { method, body });
      await response.body?.cancel();
      const location: [number, string | null] = error === undefined
        ? [400, null]
        : [303, `${QUERY.redirect_uri}?state=a+state&error=${error}`];
      assertEquals(locationOf(response), location);
    }
  });
}

for (const [what, change, status, error] of EXCHANGES) {
  Deno.test(`the provider gives no token for ${what}`, async () => {
    const code = await codeFor();
    const answer = await exchange({ code, ...change });
    assertEquals(answer, { status, body: { error } });
  });
}

Deno.test("the provider gives a token for a code once, and a profile for the token", async () => {
  const code = await codeFor("1002");
  const { status, body } = await exchange({ code });
  assertEquals(status, 200);
  const headers = { Authorization: `Bearer ${body.access_token}` };
  const profile = await new Visitor(PROVIDER).get("/user", headers);
  assertEquals(await profile.json(), { sub: "1002", name: "david" });
  assertEquals((await exchange({ code })).body, { error: "invalid_grant" });
  const wrong = await new Visitor(PROVIDER).get("/user");
  assertEquals(wrong.status, 401);
  assertEquals(await wrong.json(), { error: "invalid_token" });
});

Deno.test("the provider forgets codes and tokens", async () => {
  const [code, other] = [await codeFor(), await codeFor()];
  const { body } = await exchange({ code });
  try {
    late = 60_000;
    assertEquals((await exchange({ code: other })).status, 400);
    late = 600_000;
    const headers = { Authorization: `Bearer ${body.access_token}` };
    const response = await new Visitor(PROVIDER).get("/user", headers);
    assertEquals(response.status, 401);
    await response.body?.cancel();
  } finally {
    late = 0;
  }
});
