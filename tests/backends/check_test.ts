/** Options that there are not, in each place of the module that takes some. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { base64Backend } from "../../backends/base64.ts";
import { fernetBackend } from "../../backends/fernet.ts";
import { jwtBackend } from "../../backends/jwt.ts";
import { kvBackend } from "../../backends/kv.ts";
import { redisBackend } from "../../backends/redis.ts";
import { Login, Session } from "../../mod.ts";
import { KEY, requestWith } from "../_helpers.ts";
import { Site } from "../_login.ts";
import { brokenKv } from "./_kv.ts";

/** Recognisable in a message, should one tell it. */
const PLANTED = "planted-secret";

interface Place {
  where: string;
  /** Uses options; what rejects, returns a promise. */
  use: (options: object) => unknown;
  /** What stands before the option's name in an error. */
  owner?: string;
  /** What may be written for one of them, and which. */
  wrong: [option: string, nearest: string][];
}

const ANSWER = () => new Response("Hello");

const PLACES: Place[] = [
  {
    where: "new Session()",
    use: (options) => new Session({ secretKey: KEY, ...options }),
    wrong: [
      ["autosave", "autoSave"],
      ["auto_save", "autoSave"],
      ["Autosave", "autoSave"],
      ["cookie_name", "cookieName"],
      ["cookiename", "cookieName"],
      ["max_age", "maxAge"],
      ["absolute_max_age", "absoluteMaxAge"],
      ["secretkey", "secretKey"],
      ["SECRET_KEY", "secretKey"],
      ["secret", "secretKey"],
      ["cookie", "cookieName"],
      ["onreject", "onReject"],
    ],
  },
  {
    where: "session.initialize()",
    use: (options) => new Session({ secretKey: KEY }).initialize(options),
    wrong: [["autosave", "autoSave"], ["secret_key", "secretKey"]],
  },
  {
    where: "cookieOptions of new Session()",
    use: (cookieOptions) => new Session({ secretKey: KEY, cookieOptions }),
    owner: "cookieOptions.",
    wrong: [
      ["samesite", "sameSite"],
      ["same_site", "sameSite"],
      ["SameSite", "sameSite"],
      ["http_only", "httpOnly"],
      ["max_age", "maxAge"],
      ["Path", "path"],
      ["Secure", "secure"],
    ],
  },
  {
    where: "session.cookieOptions",
    use: (options) => new Session({ secretKey: KEY }).cookieOptions = options,
    owner: "cookieOptions.",
    wrong: [["samesite", "sameSite"]],
  },
  {
    where: "new Login()",
    use: (options) => new Login(new Session({ secretKey: KEY }), options),
    wrong: [
      ["login_url", "loginUrl"],
      ["loader", "userLoader"],
      ["user_loader", "userLoader"],
      ["checker", "userChecker"],
      ["trusted_origins", "trustedOrigins"],
      ["remember_cookie_name", "rememberCookieName"],
    ],
  },
  {
    where: "login.required()",
    use: (options) => new Site().login.required(ANSWER, options),
    wrong: [
      ["role", "check"],
      ["checker", "check"],
      ["loction", "location"],
      ["maxAge", "check"],
    ],
  },
  {
    where: "login.fresh()",
    use: (options) => new Site().login.fresh(ANSWER, options),
    wrong: [["max_age", "maxAge"], ["role", "check"]],
  },
  {
    where: "login.requireUser()",
    use: (options) => new Site().login.requireUser(requestWith(), options),
    wrong: [["role", "check"]],
  },
  {
    where: "login.loginUser()",
    use(options) {
      const { login, susan } = new Site();
      return login.loginUser(requestWith(), susan, options);
    },
    wrong: [
      ["redirect_url", "redirectUrl"],
      ["redirect", "redirectUrl"],
      ["rememberMe", "remember"],
      ["Next", "next"],
    ],
  },
  {
    where: "login.logoutUser()",
    use: (options) => new Site().login.logoutUser(requestWith(), options),
    wrong: [["redirect_url", "redirectUrl"], ["next", "redirectUrl"]],
  },
  {
    where: "jwtBackend()",
    use: (options) => jwtBackend({ secretKey: KEY, type: "t", ...options }),
    wrong: [["typ", "type"], ["secret", "secretKey"]],
  },
  {
    where: "fernetBackend()",
    use: (options) => fernetBackend({ secretKey: KEY, ...options }),
    wrong: [["max_age", "maxAge"]],
  },
  {
    where: "base64Backend()",
    use: (options) => base64Backend(options),
    wrong: [["maxAge", "clock"]],
  },
  {
    where: "kvBackend()",
    use: (options) => kvBackend(brokenKv(), options),
    wrong: [["Prefix", "prefix"], ["clock", "prefix"]],
  },
  {
    where: "redisBackend()",
    use: (options) => redisBackend(() => Promise.resolve(null), options),
    wrong: [["keyPrefix", "prefix"]],
  },
];

/** What no option is called, though every object has such properties. */
const INHERITED = ["toString", "constructor", "__proto__"];

/** Uses options, and returns the error that comes of it. */
async function refusalOf(
  { where, use }: Place,
  options: object,
): Promise<Error> {
  let result: unknown;
  const call = () => void (result = use(options));
  if (!/User\(\)$/.test(where)) return assertThrows(call, TypeError);
  call();
  return await assertRejects(() => result as Promise<unknown>, TypeError);
}

for (const place of PLACES) {
  const { where, owner = "" } = place;

  for (const [option, nearest] of place.wrong) {
    Deno.test(`${where} refuses the option ${option}, and names ${nearest}`, async () => {
      const { message } = await refusalOf(place, { [option]: PLANTED });
      const [said, known] = message.split(" There are ");
      assertEquals(
        said,
        `Cannot use ${owner}${option}: there is no such option; did you mean ${nearest}?`,
      );
      assert(known.split(", ").includes(nearest), known);
    });
  }

  Deno.test(`${where} refuses options that only look like its own`, async () => {
    for (const name of INHERITED) {
      const options = Object.defineProperty({}, name, {
        value: PLANTED,
        enumerable: true,
      });
      const { message } = await refusalOf(place, options);
      assert(message.startsWith(`Cannot use ${owner}${name}: `), message);
      assert(!message.includes(PLANTED), message);
    }
  });

  Deno.test(`${where} refuses an option that it hasn't, though it is undefined`, async () => {
    const { message } = await refusalOf(place, { role: undefined });
    assert(message.startsWith(`Cannot use ${owner}role: `), message);
  });
}

Deno.test("session.initialize() keeps its options where it refuses one", () => {
  const session = new Session({
    secretKey: KEY,
    cookieOptions: { path: "/a" },
  });
  const options = { cookieOptions: { path: "/b" }, autosave: true };
  assertThrows(() => session.initialize(options), TypeError, "autosave");
  assertEquals(session.cookieOptions.path, "/a");
});
