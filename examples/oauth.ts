/**
 * A login by way of an OAuth provider, which this file starts beside itself.
 *
 *     deno run --allow-net --allow-env examples/oauth.ts
 *
 * Then open http://127.0.0.1:8000. For the provider, `deno serve` takes
 * `--allow-net=127.0.0.1,localhost`.
 *
 * A library for the protocol makes the URL and takes the code; the login stays as
 * it is here: `createState` before, `loginUser` with the state afterwards. Where the
 * library makes a state of its own, as `jsr:@deno/kv-oauth` does, keep one beside it:
 *
 *     // On the way to the provider:
 *     dict.state = await login.createState(request);
 *     dict.save();
 *     return await signIn(request);
 *
 *     // On the way back; handleCallback() throws where its own state is wrong:
 *     const { tokens } = await handleCallback(request);
 *     const { state } = dict;
 *     delete dict.state;
 *     return await login.loginUser(request, await userOf(tokens), { state });
 *
 * @module
 */

import {
  flash,
  generateSecretKey,
  Login,
  redirect,
  safeNextPath,
  Session,
} from "@denizen/session";
import {
  escape,
  messages,
  page,
  queryOf,
  router,
  type Routes,
  secretKey,
  server,
} from "./_example.ts";
import { challengeOf, CLIENT, startProvider } from "./_provider.ts";

interface User {
  /** The provider's `sub`: a name or an address may change hands. */
  id: string;
  name: string;
}

/** A login that is under way. */
interface Flow {
  /** What proves to the provider that it is we who come for the token. */
  verifier: string;
  /** The page first asked for. */
  next: string;
}

interface Data {
  /** By state. */
  flows: Record<string, Flow>;
}

/** Stands in for a database. */
const USERS = new Map<string, User>();
USERS.set("1001", { id: "1001", name: "susan" });
USERS.set("1002", { id: "1002", name: "david" });

/** How many logins may be under way at once, as with `createState`. */
const MAX_FLOWS = 5;
/** The longest path to come back to: five of them fit into a cookie. */
const MAX_NEXT = 300;
/** How long the provider may take, in milliseconds. */
const PATIENCE = 10_000;
/** Tells the workers of `deno serve --parallel` of the provider that they share. */
const SHARED = "DENIZEN_EXAMPLE_PROVIDER";
const started = startProvider();
if (import.meta.main && !Deno.env.has(SHARED)) Deno.env.set(SHARED, started);

// Not SameSite "Strict": the provider's redirect would come without the cookie.
const session = new Session<Data>({ secretKey: secretKey() });
const login = new Login<User>(session, { userLoader: (id) => USERS.get(id) });

const home = login.required((_request, user) =>
  page(
    `Hello, ${escape(user.name)}!`,
    `<p>Small Provider says that it is you.</p>
    <p>A login leads to the page first asked for: log out, and open
    <a href="/orders">your orders</a>.</p>
    <form method="post" action="/logout">
      <button class="quiet">Log out</button>
    </form>`,
  )
);

const orders = login.required((_request, user) =>
  page(
    "Your orders",
    `<p>There are none, ${escape(user.name)}.</p>
    <p><a href="/">Back to the start</a></p>`,
  )
);

async function showLogin(request: Request): Promise<Response> {
  const next = encodeURIComponent(queryOf(request, "next"));
  return page(
    "Log in",
    `${messages(await session.get(request))}
    <p>There is no password here: another site says who you are.</p>
    <p><a class="button" href="/login/provider?next=${next}">Log in with Small
    Provider</a></p>`,
  );
}

/** Sends the visitor to the provider. */
async function goToProvider(request: Request): Promise<Response> {
  const next = safeNextPath(queryOf(request, "next"));
  const verifier = generateSecretKey(); // 32 random bytes, as RFC 7636 advises.
  const state = await login.createState(request);
  const dict = await session.get(request);
  const flow = { verifier, next: next.length > MAX_NEXT ? "/" : next };
  const flows = [...Object.entries(dict.flows ?? {}), [state, flow]];
  dict.flows = Object.fromEntries(flows.slice(-MAX_FLOWS));
  dict.save();
  const query = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT.id,
    redirect_uri: callbackOf(request),
    state,
    code_challenge: await challengeOf(verifier),
    code_challenge_method: "S256",
  });
  return redirect(`${provider()}/authorize?${query}`);
}

/** Where the provider sends the visitor back to. */
async function comeBack(request: Request): Promise<Response> {
  const dict = await session.get(request);
  const state = queryOf(request, "state");
  const flow = takeFlow(dict, state);
  if (flow === undefined) return refuse();
  const { next } = flow;
  dict.save();
  const code = queryOf(request, "code");
  if (code === "") {
    flash(
      dict,
      "You are not logged in: you told Small Provider to say nothing.",
    );
    return redirect(`/login?next=${encodeURIComponent(next)}`);
  }
  const profile = await askProvider(request, code, flow.verifier);
  if (profile === null) {
    const text = `<p>It did not say who you are. ${AGAIN}</p>`;
    return page("Small Provider", text, { status: 502 });
  }
  const user = USERS.get(profile.id);
  if (user === undefined) {
    // Here a site with open doors makes an account.
    const text = `<p>There is none of ${escape(profile.name)}. ${AGAIN}</p>`;
    return page("No account", text, { status: 403 });
  }
  const response = await login.loginUser(request, user, { state, next });
  return response.status === 403 ? refuse() : response;
}

const AGAIN = `<a href="/login">Begin again</a>`;

/** Tells what was wrong with a state; `loginUser` would do so in one line. */
function refuse(): Response {
  return page(
    "This login can't go on",
    `<p>It did not begin in this browser, or more than ten minutes ago, or it is
    over. ${AGAIN}</p>
    <p class="quiet">Does no login go on? Then the session's cookie stays behind
    when another site sends the visitor here: it must not be
    <code>SameSite=Strict</code>.</p>`,
    { status: 403 },
  );
}

/** The flow of a state, which is no longer under way. */
function takeFlow(dict: Partial<Data>, state: string): Flow | undefined {
  const { flows = {} } = dict;
  if (!Object.hasOwn(flows, state)) return undefined;
  const { [state]: flow, ...others } = flows;
  dict.flows = others;
  return flow;
}

/** Gets a token for the code, and with it whom the provider knows. */
async function askProvider(
  request: Request,
  code: string,
  verifier: string,
): Promise<User | null> {
  const signal = AbortSignal.timeout(PATIENCE);
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    redirect_uri: callbackOf(request),
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
    code_verifier: verifier,
  });
  try {
    const url = `${provider()}/token`;
    const answer = await fetch(url, { method: "POST", body, signal });
    const { access_token: token } = await answer.json();
    const headers = { Authorization: `Bearer ${token}` };
    const user = await fetch(`${provider()}/user`, { headers, signal });
    const { sub, name } = await user.json();
    return typeof sub === "string" ? { id: sub, name: String(name) } : null;
  } catch (error) {
    console.error(error);
    return null;
  }
}

function provider(): string {
  return Deno.env.get(SHARED) ?? started;
}

/** A site on the internet has this in its settings. */
function callbackOf(request: Request): string {
  return URL.parse("/callback", request.url)?.href ?? "";
}

const ROUTES: Routes = {
  "GET /": home,
  "GET /orders": orders,
  "GET /login": showLogin,
  "GET /login/provider": goToProvider,
  "GET /callback": comeBack,
  "POST /logout": async (request) => {
    const response = await login.logoutUser(request, { redirectUrl: "/login" });
    flash(await session.get(request), "You are logged out.");
    return response;
  },
};

export default server(import.meta, session.wrap(router(ROUTES)));
