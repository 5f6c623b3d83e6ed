import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { KEY, payloadOf } from "../_helpers.ts";
import { Visitor } from "./_visitor.ts";

const VARIABLES = ["SECRET_KEY", "COOKIE_NAME", "TYPE"] as const;
type Settings = Partial<Record<typeof VARIABLES[number], string>>;

/** Settings that are wrong, and what is said about them. */
const WRONG: [what: string, settings: Settings, message: string][] = [
  ["an unknown type", { SECRET_KEY: KEY, TYPE: "JWT" }, "Cannot use backend"],
  ["a short key", { SECRET_KEY: "x".repeat(31) }, "secretKey"],
  ["an empty key", { SECRET_KEY: "" }, "secretKey"],
  ["no key", {}, "is its environment variable set?"],
  ["no key for fernet", { TYPE: "fernet" }, "is its environment variable set?"],
  ["a key for base64", { SECRET_KEY: KEY, TYPE: "base64" }, "secretKey"],
  [
    "a cookie name with a space",
    { SECRET_KEY: KEY, COOKIE_NAME: "a b" },
    "cookieName",
  ],
];

let count = 0;

/** The example, as it is under these settings. */
async function load(settings: Settings): Promise<Deno.ServeDefaultExport> {
  const set = (values: Settings) => {
    for (const name of VARIABLES) {
      const value = values[name];
      if (value === undefined) Deno.env.delete(`SESSION_${name}`);
      else Deno.env.set(`SESSION_${name}`, value);
    }
  };
  set(settings);
  try {
    return (await import(`../../examples/config.ts?${++count}`)).default;
  } finally {
    set({});
  }
}

/** Visits an example twice, and returns the value of the session cookie. */
async function valueOf(
  settings: Settings,
  cookieName = "session",
): Promise<string> {
  const visitor = new Visitor(await load(settings));
  assertStringIncludes(await visitor.page(), "<h1>Visit 1</h1>");
  assertStringIncludes(await visitor.page(), "<h1>Visit 2</h1>");
  return visitor.cookie(cookieName) ?? "";
}

Deno.test("config.ts makes JSON Web Tokens unless told otherwise", async () => {
  assertEquals(payloadOf(await valueOf({ SECRET_KEY: KEY })).n, 2);
});

Deno.test("config.ts makes sessions of the type in SESSION_TYPE", async () => {
  const fernet = await valueOf({ SECRET_KEY: KEY, TYPE: "fernet" });
  assert(fernet.startsWith("gAAAA"), fernet);
  const base64 = await valueOf({ TYPE: "base64" });
  assertEquals(JSON.parse(atob(base64)).n, 2);
});

Deno.test("config.ts names the cookie as SESSION_COOKIE_NAME says", async () => {
  const settings: Settings = { SECRET_KEY: KEY, COOKIE_NAME: "sid" };
  assert(await valueOf(settings, "sid"));
  const page = await new Visitor(await load(settings)).page();
  assertStringIncludes(page, "<code>sid</code>");
  assertStringIncludes(page, "<code>jwt</code>");
});

Deno.test("config.ts reads the sessions of an instance with the same settings", async () => {
  const settings: Settings = { SECRET_KEY: KEY, TYPE: "fernet" };
  const value = await valueOf(settings);
  for (const [SECRET_KEY, visit] of [[KEY, 3], [`${KEY}!`, 1]] as const) {
    const visitor = new Visitor(await load({ ...settings, SECRET_KEY }));
    visitor.take("session", value);
    assertStringIncludes(await visitor.page(), `<h1>Visit ${visit}</h1>`);
  }
});

Deno.test("config.ts answers 404 where there is no page", async () => {
  const visitor = new Visitor(await load({ SECRET_KEY: KEY }));
  assertEquals((await visitor.get("/no")).status, 404);
});

for (const [what, settings, message] of WRONG) {
  Deno.test(`config.ts stops at ${what}, and says so`, async () => {
    const error = await load(settings).then(() => undefined, (error) => error);
    assert(error instanceof TypeError || error instanceof RangeError);
    assert(error.message.startsWith("Cannot use "), error.message);
    assertStringIncludes(error.message, message);
    if (settings.SECRET_KEY) {
      assert(!error.message.includes(settings.SECRET_KEY));
    }
  });
}
