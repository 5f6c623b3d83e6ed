/**
 * The sites that the fuzzer sends its requests to, and whom they know.
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";
import { Login, Session, takeFlashes, withSession } from "../../mod.ts";
import type { FuzzRequest, GoodCookie } from "./_fuzz_requests.ts";
import type { Answer } from "../_http.ts";

/** A site under fire. */
export interface FuzzSite {
  /** How much of the requests it gets, out of the sum of all. */
  share: number;
  /** The methods and paths of its requests. */
  routes: readonly string[];
  /** Forms by route, and how often each is filled in. */
  forms: readonly { route: string; body: string; chance: number }[];
  /** Whether a form that is taken ends sessions which a store keeps. */
  isStored?: boolean;
  /** Makes its handler, in a process of its own. */
  load(): Promise<Deno.ServeDefaultExport["fetch"]>;
  /** Makes good cookies. */
  logIn(origin: string): Promise<GoodCookie[]>;
}

/** The key of the sites that have one. */
export const KEY = "the secret of the fuzzed example, 32+";
const USERS = [
  { id: 1, username: "susan", password: "hello" },
  { id: 2, username: "david", password: "bye" },
];
/** What a site says to a user whom it knows. */
const GREETING =
  /(?:Hello, |[Ll]ogged in as\s+<strong>|Sorry, |They let )(susan|david)/g;
/** A password costs an example a tenth of a second and more. */
const PASSWORD_CHANCE = 1 / 5000;
/** The login example has no such path: nobody needs a password there. */
const DOOR = /^[^?#]*\/door([?#]|$)/;

/** What a client may say of itself, where nothing is signed. */
const UNSIGNED = [
  '{"n":1,"name":"susan"}',
  '{"n":1e400}',
  '{"n":-0,"a":[[[[[[[[[[]]]]]]]]]]}',
  '{"save":1,"delete":2,"then":3,"toJSON":4}',
  '{"__proto__":{"n":1},"constructor":{"prototype":{"n":1}}}',
  '{"_flashes":[{"text":"a","category":"b"},null,1]}',
  '{"_flashes":"a","_user_id":1,"_fresh":true,"_states":[["a",9e9]]}',
  '{"exp":9e15,"nbf":0,"iat":0,"_started":0,"_saved":-1,"_cookie":"session"}',
  '{"exp":1,"n":1}',
  '{"a":"\\ud800"}',
  "[]",
  "null",
];

/** The sites, by name. */
export const SITES: Record<string, FuzzSite> = {
  login: {
    share: 3,
    routes: [
      ...Array<string>(4).fill("GET /"),
      ...Array<string>(3).fill("GET /codes"),
      ...Array<string>(2).fill("GET /inside"),
      "GET /?next=//evil.example",
      "GET /admin",
      "GET /login?next=/codes",
      "GET /door",
      "POST /door",
      "POST /door",
      "POST /logout",
      "POST /logout",
      "post /logout",
      "HEAD /",
      "GET /nowhere",
    ],
    forms: [{
      route: "POST /login",
      body: "username=susan&password=hello",
      chance: PASSWORD_CHANCE,
    }],
    async load() {
      // Here, because it takes its key from the environment at once.
      const { default: example } = await import("../../examples/login.ts");
      const session = new Session({ secretKey: KEY });
      const login = new Login<{ id: number }>(session);
      return (request, info) =>
        DOOR.test(request.url)
          ? login.loginUser(request, { id: 2 })
          : example.fetch(request, info);
    },
    logIn: (origin) => logInto(origin, true),
  },
  sessions: {
    share: 1,
    routes: ["GET /", "GET /", "GET /counter", "POST /logout", "HEAD /"],
    forms: [{ route: "POST /", body: "name=susan", chance: 0.2 }],
    load: async () =>
      (await import("../../examples/sessions.ts")).default.fetch,
    async logIn() {
      const session = new Session({ secretKey: KEY });
      return await Promise.all(USERS.map(async ({ username: name }) => ({
        cookieName: "session",
        token: await session.encode({ name, n: 1 }),
        userName: name,
      })));
    },
  },
  kv: {
    share: 1,
    routes: [
      "GET /",
      "GET /",
      "GET /login",
      "POST /logout",
      "POST /end-others",
    ],
    forms: [
      { route: "POST /end", body: "key=a", chance: 0.1 },
      {
        route: "POST /login",
        body: "username=david&password=bye",
        chance: PASSWORD_CHANCE,
      },
    ],
    isStored: true,
    load: async () => (await import("../../examples/kv.ts")).default.fetch,
    logIn: (origin) => logInto(origin, false),
  },
  base64: {
    share: 1,
    routes: ["GET /", "GET /", "POST /", "HEAD /"],
    forms: [],
    load() {
      const session = new Session({ backend: "base64", autoSave: true });
      return Promise.resolve(withSession(session, (_request, dict) => {
        const flashes = takeFlashes(dict);
        dict.n = (Number(dict.n) || 0) + 1;
        return Response.json({ flashes, data: { ...dict } });
      }));
    },
    logIn: () =>
      Promise.resolve(UNSIGNED.map((text) => ({
        cookieName: "session",
        token: encodeBase64Url(text),
        userName: "anybody",
      }))),
  },
};

/** The cookies of two users who log in, and want to be remembered. */
async function logInto(
  origin: string,
  remember: boolean,
): Promise<GoodCookie[]> {
  const cookies: GoodCookie[] = [];
  for (const { username, password } of USERS) {
    const response = await fetch(`${origin}/login`, {
      method: "POST",
      body: new URLSearchParams({ username, password, remember: "on" }),
      redirect: "manual",
    });
    await response.body?.cancel();
    for (const line of response.headers.getSetCookie()) {
      const [cookieName, token] = line.split(";")[0].split("=");
      cookies.push({ cookieName, token, userName: username });
    }
  }
  if (cookies.length !== (remember ? 2 : 1) * USERS.length) {
    throw new Error("The example logged nobody in");
  }
  return cookies;
}

/** The users whom an answer names, or whose session it sets. */
export function knownUsers(request: FuzzRequest, answer: Answer): string[] {
  // Anybody may come in through the door, or type the name of another.
  const isLogin = DOOR.test(request.target) || request.body !== "";
  if (isLogin) return [];
  const greeted = [...answer.body.matchAll(GREETING)].map(([, name]) => name);
  const set = answer.headers.getSetCookie().flatMap((line) => {
    const payload = line.split(";")[0].split(".")[1];
    if (payload === undefined) return [];
    const text = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    const { _user_id, user_id = _user_id, name } = JSON.parse(text);
    return USERS.filter(({ id, username }) =>
      id === user_id || username === name
    ).map(({ username }) => username);
  });
  return [...greeted, ...set];
}

/** Whether a request has a form that another origin may not send. */
export function isForm({ method, target }: FuzzRequest, host: string): boolean {
  const url = `http://${host}${target}`;
  return DOOR.test(url) || method === "POST" && URL.canParse(url);
}
