/**
 * The table in docs/comparison.md, each cell of it: what the packages do, as
 * npm has them.
 */

import {
  flash,
  Session,
  type SessionOptions,
  withSession,
} from "@denizen/session";
import { createCookie } from "@remix-run/cookie";
import { Session as RemixSession } from "@remix-run/session";
import { createCookieSessionStorage } from "@remix-run/session/cookie-storage";
import { assert, assertEquals } from "@std/assert";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { Hono } from "hono";
import * as honoSessions from "hono-sessions";
import {
  CookieStore,
  Session as HonoSession,
  sessionMiddleware,
} from "hono-sessions";
import { getIronSession, type IronSession, webCookies } from "iron-session";

import config from "../deno.json" with { type: "json" };

const PACKAGES = [
  "Denizen",
  "iron-session",
  "hono-sessions",
  "better-auth",
  "Remix",
];
const [KEY, NEW_KEY] = ["k".repeat(32), "n".repeat(32)];
const URL_ = "http://localhost/";

/** The table's lines, by what they begin with. */
const TABLE = new Map(
  Deno.readTextFileSync(new URL("../docs/comparison.md", import.meta.url))
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => {
      const [name, ...cells] = line.split("|").slice(1, -1)
        .map((cell) => cell.trim());
      return [name, cells];
    }),
);

type Data = { text?: string };

/** Each package as a site that puts a text into the session, and reads it. */
interface Site {
  /** Lets a visitor with these cookies come; `text` is saved. */
  visit(
    cookie: string,
    text?: string,
  ): Promise<{ lines: string[]; text?: string }>;
}

function denizen(secretKey: string | string[], options?: SessionOptions): Site {
  const session = new Session<Data>({ secretKey, ...options });
  return {
    async visit(cookie, text) {
      let found: string | undefined;
      const handler = withSession(session, (_request, dict) => {
        found = dict.text;
        if (text !== undefined) {
          dict.text = text;
          dict.save();
        }
        return new Response("page");
      });
      const response = await handler(requestWith(cookie));
      return { lines: response.headers.getSetCookie(), text: found };
    },
  };
}

function iron(
  password: string | Record<string, string>,
  { isSaved = true, chunk = false } = {},
): Site {
  const options = { cookieName: "session", password, chunk };
  return {
    async visit(cookie, text) {
      const headers = new Headers();
      const session: IronSession<Data> = await getIronSession(
        webCookies(requestWith(cookie), headers),
        options,
      );
      const found = session.text;
      if (text !== undefined) {
        session.text = text;
        if (isSaved) await session.save();
      }
      return { lines: headers.getSetCookie(), text: found };
    },
  };
}

function hono(encryptionKey: string): Site {
  // deno-lint-ignore no-explicit-any -- the package has no types for them
  const app = new Hono<{ Variables: { session: any } }>();
  app.use(sessionMiddleware({ store: new CookieStore(), encryptionKey }));
  app.get("/", (c) => {
    const { session } = c.var;
    const found = session.get("text");
    const text = c.req.header("X-Text");
    if (text !== undefined) session.set("text", text);
    return c.json(found ?? null);
  });
  return {
    async visit(cookie, text) {
      const request = requestWith(cookie);
      if (text !== undefined) request.headers.set("X-Text", text);
      const response = await app.fetch(request);
      const found = await response.json() ?? undefined;
      // The last of several is what a browser keeps.
      return { lines: response.headers.getSetCookie().slice(-1), text: found };
    },
  };
}

function remix(secrets: string[]): Site {
  const storage = createCookieSessionStorage();
  const cookie = createCookie("session", { secrets });
  return {
    async visit(header, text) {
      const session = await storage.read(await cookie.parse(header));
      const found = session.get("text") as string | undefined;
      if (text !== undefined) session.set("text", text);
      const value = await storage.save(session);
      const lines = value === null ? [] : [await cookie.serialize(value)];
      return { lines, text: found };
    },
  };
}

type AuthOptions = Parameters<typeof betterAuth>[0];

function auth(options: AuthOptions) {
  return betterAuth({
    ...options,
    baseURL: URL_,
    emailAndPassword: { enabled: true },
    logger: { disabled: true },
  });
}

async function signUp(site: ReturnType<typeof auth>): Promise<string> {
  const person = {
    email: "s@example.com",
    password: "correct horse",
    name: "s",
  };
  const headers = {
    "Content-Type": "application/json",
    Origin: "http://localhost",
  };
  const body = JSON.stringify(person);
  const request = new Request(`${URL_}api/auth/sign-up/email`, {
    method: "POST",
    headers,
    body,
  });
  const response = await site.handler(request);
  return response.headers.getSetCookie()[0].split(";")[0];
}

function emptyTables(): Record<string, []> {
  return { user: [], session: [], account: [], verification: [] };
}

function requestWith(cookie: string): Request {
  return new Request(URL_, { headers: { Cookie: cookie } });
}

async function keeps(site: Site, cookie = ""): Promise<string> {
  const { lines } = await site.visit(cookie, "text");
  return lines[0]?.split(";")[0] ?? "";
}

const yesNo = (isSo: boolean) => isSo ? "yes" : "no";

/** Whether a cookie made by one site is read by another. */
async function reads(from: Site, to: Site): Promise<string> {
  const { text } = await to.visit(await keeps(from));
  return yesNo(text === "text");
}

/** Whether a client finds the text in its cookie. */
async function shows(site: Site): Promise<string> {
  const value = decodeURIComponent(await keeps(site)).replace("session=", "");
  return yesNo(
    value.split(".").some((part) => {
      try {
        const text = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
        return text.includes('"text"');
      } catch {
        return false;
      }
    }),
  );
}

/** What becomes of 5,000 characters. */
async function overflows(site: Site): Promise<string> {
  try {
    const { lines } = await site.visit("", "x".repeat(5000));
    return lines.some((line) => line.length > 4096) ? "lost silently" : "kept";
  } catch {
    return "an error";
  }
}

async function authRotates(): Promise<string> {
  const database = memoryAdapter(emptyTables());
  const cookie = await signUp(auth({ database, secret: KEY }));
  const secrets = [{ version: 2, value: NEW_KEY }, { version: 1, value: KEY }];
  const headers = new Headers({ Cookie: cookie });
  const found = await auth({ database, secrets }).api.getSession({ headers });
  return yesNo(found !== null);
}

/** Rows that are found out, by the table's first column. */
const ROWS: Record<string, () => Promise<string[]>> = {
  "client reads the data": async () => [
    `${await shows(denizen(KEY))}; ${await shows(
      denizen(KEY, { backend: "fernet" }),
    )} with \`fernet\``,
    await shows(iron(KEY)),
    await shows(hono(KEY)),
    "no data in it",
    await shows(remix([KEY])),
  ],
  "an old key still verifies": async () => [
    await reads(denizen(KEY), denizen([NEW_KEY, KEY])),
    await reads(iron(KEY), iron({ 1: KEY, 2: NEW_KEY })),
    // It takes one key.
    await reads(hono(KEY), hono(NEW_KEY)),
    await authRotates(),
    await reads(remix([KEY]), remix([NEW_KEY, KEY])),
  ],
  "5,000 characters in a cookie": async () => [
    await overflows(denizen(KEY)),
    await overflows(iron(KEY)),
    await overflows(hono(KEY)),
    "no data in it",
    await overflows(remix([KEY])),
  ],
  "no change, no `Set-Cookie`": async () => {
    const sites = [denizen(KEY), iron(KEY), hono(KEY), remix([KEY])];
    const found = await Promise.all(sites.map(async (site) => {
      const { lines } = await site.visit(await keeps(site));
      return yesNo(lines.length === 0);
    }));
    const site = auth({ database: memoryAdapter(emptyTables()), secret: KEY });
    const headers = new Headers({ Cookie: await signUp(site) });
    const response = await site.api.getSession({ headers, asResponse: true });
    const isUnset = response.headers.getSetCookie().length === 0;
    return [...found.slice(0, 3), yesNo(isUnset), ...found.slice(3)];
  },
  "flash messages": async () => [
    yesNo(typeof flash === "function"),
    yesNo("flash" in await openIron()),
    yesNo("flash" in HonoSession.prototype),
    yesNo("flash" in auth({ secret: KEY }).api),
    yesNo("flash" in RemixSession.prototype),
  ],
  "packages from npm": async () => [
    "0",
    ...await Promise.all([
      ["iron-session"],
      ["hono-sessions"],
      ["better-auth"],
      ["@remix-run/session", "@remix-run/cookie"],
    ].map(async (names) => `${await countPackages(names)}`)),
  ],
};

function openIron(): Promise<object> {
  const cookies = webCookies(requestWith(""), new Headers());
  return getIronSession(cookies, { cookieName: "session", password: KEY });
}

/** What a package exports whose name ends so. */
async function exportsOf(name: string, ending: RegExp): Promise<string> {
  const path = `${import.meta.dirname}/node_modules/${name}/package.json`;
  const { exports } = JSON.parse(await Deno.readTextFile(path));
  const doors = Object.keys(exports).map((door) =>
    door.split("/").at(-1) ?? ""
  );
  return doors.filter((door) => ending.test(door)).join(", ") || "none";
}

/** The size of packages, bundled and minified, in kB. */
async function sizeOf(...names: string[]): Promise<number> {
  const entry = await Deno.makeTempFile({
    dir: import.meta.dirname,
    suffix: ".ts",
  });
  try {
    const lines = names.map((name) => `export * from ${JSON.stringify(name)};`);
    await Deno.writeTextFile(entry, lines.join("\n"));
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--minify", "--platform", "browser", entry],
      cwd: import.meta.dirname,
    }).output();
    return stdout.length / 1000;
  } finally {
    await Deno.remove(entry);
  }
}

/** How many packages some bring along, themselves included. */
async function countPackages(names: string[]): Promise<number> {
  const found = new Set<string>();
  const add = async (path: string) => {
    let real;
    try {
      real = await Deno.realPath(path);
    } catch {
      return; // It is for other machines.
    }
    if (found.has(real)) return;
    found.add(real);
    const text = await Deno.readTextFile(`${real}/package.json`);
    const { name, dependencies = {} } = JSON.parse(text);
    const folder = real.slice(0, -name.length);
    for (const one of Object.keys(dependencies)) await add(folder + one);
  };
  for (const name of names) {
    await add(`${import.meta.dirname}/node_modules/${name}`);
  }
  return found.size;
}

Deno.test("comparison: the table has these packages", () => {
  assertEquals(TABLE.get(""), PACKAGES);
});

for (const [row, find] of Object.entries(ROWS)) {
  Deno.test(`comparison: ${row}`, async () => {
    assertEquals(TABLE.get(row), await find());
  });
}

Deno.test("comparison: kB, minified", async () => {
  const sizes = [
    await sizeOf("@denizen/session"),
    await sizeOf("iron-session"),
    await sizeOf("hono-sessions"),
    await sizeOf("better-auth"),
    await sizeOf(
      "@remix-run/session",
      "@remix-run/session/cookie-storage",
      "@remix-run/cookie",
    ),
  ];
  for (const [index, size] of sizes.entries()) {
    const said = Number(TABLE.get("kB, minified")?.[index]);
    assert(Math.abs(said / size - 1) < 0.1, `${PACKAGES[index]}: ${size}`);
  }
});

Deno.test("comparison: stores that come with it", async () => {
  const found = await Promise.all([
    Object.keys(config.exports).filter((door) => /kv|redis|store/.test(door))
      .map((door) => door.slice("./".length)).join(", "),
    exportsOf("iron-session", /store|storage/i),
    Object.keys(honoSessions).filter((name) => name.endsWith("Store"))
      .concat(await exportsOf("hono-sessions", /store/)).join(", "),
    exportsOf("better-auth", /^(prisma|drizzle|mongodb|memory)$/),
    exportsOf("@remix-run/session", /-storage$/),
  ]);
  assertEquals(TABLE.get("stores that come with it"), found);
});

Deno.test("comparison: iron-session sends nothing without save()", async () => {
  assertEquals(await keeps(iron(KEY, { isSaved: false })), "");
});

Deno.test("comparison: iron-session splits a session where it is told to", async () => {
  const { lines } = await iron(KEY, { chunk: true }).visit(
    "",
    "x".repeat(5000),
  );
  assertEquals(lines.length, 2);
});
