/**
 * A small OAuth provider for the example: authorization codes (RFC 6749 section
 * 4.1) with PKCE (RFC 7636), and a page that says who has logged in. It asks for
 * no password, and whom it knows is in a list; the rest is as it must be.
 *
 * @module
 */

import { generateSecretKey, redirect } from "@denizen/session";
import { encodeBase64Url } from "@std/encoding/base64url";
import * as example from "./_example.ts";

/** The application that it knows. */
export const CLIENT = { id: "example", secret: "between the two servers" };
/** Where it sends users back to, at any port: RFC 8252 section 7.3. */
const CALLBACK = /^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?\/callback$/;
const PROFILES = [
  { sub: "1001", name: "susan" },
  { sub: "1002", name: "david" },
  { sub: "1003", name: "a stranger" },
];
/** How long a code lives, and a token, in milliseconds. */
const CODE_AGE = 60_000;
const TOKEN_AGE = 600_000;
/** How many there are at once; the oldest go. */
const MAX_GRANTS = 1000;

/** What a user has allowed, by code or token. */
interface Grant {
  profile: typeof PROFILES[number];
  /** The request for a code. */
  query: URLSearchParams;
  /** Milliseconds since the epoch. */
  end: number;
}

const codes = new Map<string, Grant>();
const tokens = new Map<string, Grant>();

const ROUTES: example.Routes = {
  "GET /authorize": (request) => authorize(request, consentPage),
  "POST /authorize": async (request) => {
    const sub = (await example.readForm(request)).get("sub");
    return authorize(request, (query) => decide(query, sub));
  },
  "POST /token": async (request) => exchange(await example.readForm(request)),
  "GET /user": ({ headers }) => {
    const [, token] =
      /^Bearer (.+)$/.exec(headers.get("Authorization") ?? "") ??
        [];
    const grant = tokens.get(token);
    return grant && Date.now() < grant.end
      ? Response.json(grant.profile)
      : refuse(401, "invalid_token");
  },
};

/** Serves the provider: for a browser `localhost` is another site than `127.0.0.1`. */
export function startProvider(): string {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    example.behindDoor(example.router(ROUTES)),
  );
  server.unref();
  return `http://localhost:${server.addr.port}`;
}

/** Checks who asks, before anybody is sent back to them. */
function authorize(
  request: Request,
  answer: (query: URLSearchParams) => Response,
): Response {
  const query = new URL(request.url).searchParams;
  const isKnown = query.get("client_id") === CLIENT.id &&
    CALLBACK.test(query.get("redirect_uri") ?? "");
  if (!isKnown) {
    const text = "<p>This application or its address is not known here.</p>";
    return example.page("Not known", text, { status: 400 });
  }
  const isSound = query.get("response_type") === "code" &&
    query.get("code_challenge_method") === "S256" &&
    /^[\w-]{43}$/.test(query.get("code_challenge") ?? "");
  return isSound ? answer(query) : back(query, { error: "invalid_request" });
}

function consentPage(query: URLSearchParams): Response {
  const { origin } = new URL(query.get("redirect_uri") ?? "");
  const users = PROFILES.map(({ sub, name }) =>
    `<button name="sub" value="${sub}">Go on as ${name}</button>`
  );
  return example.page(
    "Small Provider",
    `<p>The application at <strong>${
      example.escape(origin)
    }</strong> asks who you
    are. It is told your name.</p>
    <form method="post">${users.join("")}
      <button class="quiet" name="sub" value="">No, go back</button>
    </form>`,
    { formOrigin: origin }, // What answers the form leads there.
  );
}

function decide(query: URLSearchParams, sub: string | undefined): Response {
  const profile = PROFILES.find((one) => one.sub === sub);
  if (profile === undefined) return back(query, { error: "access_denied" });
  const end = Date.now() + CODE_AGE;
  return back(query, { code: keep(codes, { profile, query, end }) });
}

/** Sends the user back, with the application's state as it came. */
function back(query: URLSearchParams, answer: Record<string, string>) {
  const url = new URL(query.get("redirect_uri") ?? "");
  const state = query.get("state");
  if (state !== null) url.searchParams.set("state", state);
  for (const [name, value] of Object.entries(answer)) {
    url.searchParams.set(name, value);
  }
  return redirect(url, 303);
}

/** Gives the application a token for a code, once. */
async function exchange(form: Map<string, string>): Promise<Response> {
  const isClient = form.get("client_id") === CLIENT.id &&
    form.get("client_secret") === CLIENT.secret;
  if (!isClient) return refuse(401, "invalid_client");
  const code = form.get("code") ?? "";
  const grant = codes.get(code);
  codes.delete(code);
  const challenge = await challengeOf(form.get("code_verifier") ?? "");
  const isGranted = form.get("grant_type") === "authorization_code" &&
    grant !== undefined && Date.now() < grant.end &&
    grant.query.get("redirect_uri") === form.get("redirect_uri") &&
    grant.query.get("code_challenge") === challenge;
  if (!isGranted) return refuse(400, "invalid_grant");
  const token = keep(tokens, { ...grant, end: Date.now() + TOKEN_AGE });
  return Response.json({ access_token: token, token_type: "Bearer" }, {
    headers: { "Cache-Control": "no-store" },
  });
}

/** The challenge of a verifier (RFC 7636 section 4.2). */
export async function challengeOf(verifier: string): Promise<string> {
  const bytes = new TextEncoder().encode(verifier);
  return encodeBase64Url(await crypto.subtle.digest("SHA-256", bytes));
}

function keep(grants: Map<string, Grant>, grant: Grant): string {
  const key = generateSecretKey();
  grants.set(key, grant);
  const [oldest] = grants.keys();
  if (grants.size > MAX_GRANTS) grants.delete(oldest);
  return key;
}

function refuse(status: 400 | 401, error: string): Response {
  const headers = { "WWW-Authenticate": "Bearer", "Cache-Control": "no-store" };
  return Response.json({ error }, { status, headers });
}
