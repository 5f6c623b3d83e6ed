import { assert, assertEquals } from "@std/assert";
import { isCrossOrigin } from "../../helpers.ts";
import { serve } from "../_helpers.ts";
import { cookiesOf, sendLines, Site } from "../_login.ts";
import {
  BAD_HOSTS,
  EVIL,
  GOOD,
  headersOf,
  HOST,
  isRefused,
  METHODS,
  ORIGINS,
  OWN,
  SITES,
  TRUSTED,
} from "../_origins.ts";

// Over the wire: there are requests that no Request object can be made for.

/** Targets that make `request.url` no URL, or one that tells no host. */
const BAD_TARGETS = [
  "http://u@good.example/",
  "http://u:p@good.example/",
  "http://good.example:x/",
  "http://good.example:99999/",
  "http://good.example%00/",
  "http://[::1/",
];

/** What a server makes of one request: whether it refuses it, and statuses. */
interface Verdict {
  isForeign: boolean;
  login: number;
  logout: number;
  page: number;
}

const ALLOWED: Verdict = {
  isForeign: false,
  login: 302,
  logout: 302,
  page: 302,
};
const REFUSED: Verdict = {
  isForeign: true,
  login: 403,
  logout: 403,
  page: 302,
};

async function judge(request: Request): Promise<Response> {
  // A request has one session of each cookie's name.
  const [entering, leaving, visiting] = ["a", "b", "c"].map((cookieName) =>
    new Site({
      session: { cookieName },
      login: { trustedOrigins: [TRUSTED] },
    })
  );
  const page = visiting.login.required(() => new Response("Secret"));
  const verdict: Verdict = {
    isForeign: isCrossOrigin(request, [TRUSTED]),
    login: (await entering.login.loginUser(request, entering.susan)).status,
    logout: (await leaving.login.logoutUser(request)).status,
    page: (await page(request)).status,
  };
  // Not in the body, which an answer to HEAD has not.
  return new Response(null, { headers: { Verdict: JSON.stringify(verdict) } });
}

/** Serves while a test asks for the verdict on requests of some lines. */
function serveJudge(
  test: (ask: (...lines: string[]) => Promise<Verdict>) => Promise<void>,
): Promise<void> {
  return serve(judge, (_url, port) =>
    test(async (...lines) => {
      const answer = await sendLines(port, ...lines);
      const verdict = /^verdict: (.*)\r$/im.exec(answer);
      assert(verdict !== null, `${lines.join("\n")}\n${answer}`);
      return JSON.parse(verdict[1]);
    }));
}

function linesOf(headers: Record<string, string>): string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
}

Deno.test("login takes a form of its own origin, and of a trusted one", async () => {
  await serveJudge(async (ask) => {
    for (const site of SITES) {
      for (const origin of ORIGINS.filter((one) => !isRefused(site, one))) {
        const lines = linesOf(headersOf(site[0], origin[0]));
        const verdict = await ask("POST /login HTTP/1.1", ...lines);
        assertEquals(verdict, ALLOWED, `${lines}`);
      }
    }
  });
});

Deno.test("login takes any method from its own origin", async () => {
  await serveJudge(async (ask) => {
    for (const [method] of METHODS) {
      for (const [site, origin] of [["same-origin"], [undefined, OWN], []]) {
        const lines = linesOf(headersOf(site, origin));
        const start = `${method} /login HTTP/1.1`;
        const { isForeign, login, logout } = await ask(start, ...lines);
        assertEquals([isForeign, login, logout], [false, 302, 302], method);
      }
    }
  });
});

for (const name of ["Origin", "Sec-Fetch-Site"]) {
  Deno.test(`login takes two ${name} headers for no origin of its own`, async () => {
    const [own, other] = name === "Origin"
      ? [OWN, EVIL]
      : ["same-origin", "cross-site"];
    await serveJudge(async (ask) => {
      for (const values of [[own, other], [other, own], [own, own]]) {
        const lines = values.map((value) => `${name}: ${value}`);
        assertEquals(
          await ask("POST /login HTTP/1.1", `Host: ${HOST}`, ...lines),
          REFUSED,
        );
      }
    });
  });
}

Deno.test("login refuses another origin under a malformed Host header", async () => {
  await serveJudge(async (ask) => {
    for (const host of BAD_HOSTS) {
      const lines = linesOf(headersOf(undefined, GOOD, host));
      const verdict = await ask("POST /login?next=/a HTTP/1.1", ...lines);
      assertEquals(verdict, REFUSED, host);
    }
  });
});

Deno.test("login works without an Origin under a malformed Host header", async () => {
  await serveJudge(async (ask) => {
    for (const host of BAD_HOSTS) {
      const lines = linesOf(headersOf(undefined, undefined, host));
      const verdict = await ask("GET /login?next=/a HTTP/1.1", ...lines);
      assertEquals(verdict, ALLOWED, host);
    }
  });
});

Deno.test("login goes by the Host header, not by an absolute target", async () => {
  await serveJudge(async (ask) => {
    const start = `POST ${EVIL}/login HTTP/1.1`;
    const own = linesOf(headersOf(undefined, OWN));
    const other = linesOf(headersOf(undefined, EVIL));
    assertEquals(await ask(start, ...own), ALLOWED);
    assertEquals(await ask(start, ...other), REFUSED);
  });
});

Deno.test("login goes by an absolute target where there is no Host header", async () => {
  await serveJudge(async (ask) => {
    const start = `POST ${GOOD}/login HTTP/1.0`;
    assertEquals(await ask(start, `Origin: ${GOOD}`), ALLOWED);
    assertEquals(await ask(start, `Origin: ${EVIL}`), REFUSED);
  });
});

for (const target of BAD_TARGETS) {
  Deno.test(`login knows no origin by the target ${target} without a Host header`, async () => {
    await serveJudge(async (ask) => {
      const start = `POST ${target} HTTP/1.0`;
      for (const origin of ["http://good.example", "http://[::1]", "null"]) {
        assertEquals(await ask(start, `Origin: ${origin}`), REFUSED, origin);
      }
      assertEquals(await ask(start), ALLOWED);
    });
  });
}

Deno.test("login takes a request of HTTP/1.0 without a Host header", async () => {
  await serveJudge(async (ask) => {
    assertEquals(await ask("POST /login HTTP/1.0"), ALLOWED);
  });
});

Deno.test("login trusts no other origin by default", async () => {
  const { login, susan } = new Site();
  const headers = headersOf("cross-site", TRUSTED);
  const request = new Request(OWN, { method: "POST", headers });
  assertEquals((await login.loginUser(request, susan)).status, 403);
  assertEquals((await login.logoutUser(request)).status, 403);
});

Deno.test("login.loginUser() without a wrapper changes nothing for another origin", async () => {
  const { login, susan } = new Site();
  const headers = headersOf("cross-site", EVIL);
  const request = new Request(OWN, { method: "POST", headers });
  const response = await login.loginUser(request, susan, { remember: true });
  assertEquals(response.status, 403);
  assertEquals(cookiesOf(response), []);
  assertEquals(await login.getCurrentUser(request), null);
});

Deno.test("login.logoutUser() without a wrapper changes nothing for another origin", async () => {
  const site = new Site();
  const browser = await site.loggedIn(site.susan, { remember: true });
  const headers = headersOf("cross-site", EVIL);
  const request = browser.request("/logout", { method: "POST", headers });
  const response = await site.login.logoutUser(request);
  assertEquals(response.status, 403);
  assertEquals(cookiesOf(response), []);
  assertEquals(await site.login.getCurrentUser(request), site.susan);
});
