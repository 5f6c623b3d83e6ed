import { assertEquals } from "@std/assert";
import { isCrossOrigin } from "../helpers.ts";
import { Browser, cookiesOf, ORIGIN, Site } from "./_login.ts";

const TRUSTED = "https://app.example.com";
const HOST = "localhost:8000";

/** Values of `Sec-Fetch-Site`, and whether a browser means another origin. */
const SITES: [site: string | undefined, isForeign: boolean | undefined][] = [
  [undefined, undefined],
  ["same-origin", false],
  ["none", false],
  ["same-site", true],
  ["cross-site", true],
  ["", true],
  ["Same-Origin", true],
  ["NONE", true],
  ["same-origin, cross-site", true],
  ["unheard-of", true],
];

/**
 * Values of `Origin`, and whether they are another one to `HOST`, for where
 * there is no `Sec-Fetch-Site`.
 */
const ORIGINS: [origin: string | undefined, isForeign: boolean][] = [
  [undefined, false],
  ["http://localhost:8000", false],
  ["https://localhost:8000", false],
  [TRUSTED, false],
  ["https://evil.example", true],
  ["null", true],
  ["", true],
  ["unparsable", true],
  ["localhost:8000", true],
  ["//localhost:8000", true],
  ["http://", true],
  ["http://localhost:8000 http://localhost:8000", true],
  ["http://localhost:8000, https://evil.example", true],
  ["https://evil.example, http://localhost:8000", true],
  // Not as a browser writes an origin.
  ["http://localhost:8000/", true],
  ["http://localhost:8000/a", true],
  ["http://localhost:8000?a", true],
  ["http://localhost:8000#a", true],
  ["HTTP://localhost:8000", true],
  ["http://LOCALHOST:8000", true],
  ["http://u@localhost:8000", true],
  ["http:localhost:8000", true],
  ["http:\\\\localhost:8000", true],
  ["blob:http://localhost:8000", true],
  ["file://localhost:8000", true],
  ["data:text/html,localhost:8000", true],
  // Another host, port or site.
  ["http://localhost", true],
  ["http://localhost:80", true],
  ["http://localhost:80001", true],
  ["http://localhost:8001", true],
  ["http://evil-localhost:8000", true],
  ["http://sub.localhost:8000", true],
  ["http://localhost.evil.example:8000", true],
  ["http://localhost:8000.evil.example", true],
  ["http://localhost:8000@evil.example", true],
  ["http://evil.example/localhost:8000", true],
  ["http://127.0.0.1:8000", true],
  ["http://localhost.:8000", true],
  // Nearly the trusted one.
  [`${TRUSTED}/`, true],
  [`${TRUSTED}:443`, true],
  [`${TRUSTED}:8443`, true],
  [`${TRUSTED}.`, true],
  [`${TRUSTED}.evil.example`, true],
  [`${TRUSTED}@evil.example`, true],
  [`https://evil.example/${TRUSTED}`, true],
  [TRUSTED.toUpperCase(), true],
  ["http://app.example.com", true],
  ["https://evil-app.example.com", true],
  ["https://sub.app.example.com", true],
  ["https://example.com", true],
  ["app.example.com", true],
];

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];
const UNSAFE_METHODS = [
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "patch",
  "QUERY",
  "PROPFIND",
];
const ALL_METHODS = [...SAFE_METHODS, ...UNSAFE_METHODS];
/** `Host` headers, and origins of them. */
const HOSTS: [host: string, origin: string][] = [
  ["localhost", "http://localhost"],
  ["LocalHost", "http://localhost"],
  ["EXAMPLE.COM:8443", "https://example.com:8443"],
  ["example.com", "https://example.com"],
  ["127.0.0.1:8000", "http://127.0.0.1:8000"],
  ["[::1]:8000", "http://[::1]:8000"],
  ["xn--bcher-kva.example", "https://xn--bcher-kva.example"],
];

/** Headers in which a proxy tells of a host: anybody can send them. */
const PROXY_HEADERS: Record<string, string>[] = [
  { "X-Forwarded-Host": "public.example" },
  { "X-Forwarded-Host": "public.example", "X-Forwarded-Proto": "https" },
  { "X-Forwarded-Server": "public.example" },
  { "X-Original-Host": "public.example" },
  { "Forwarded": "host=public.example;proto=https" },
];

function headersOf(
  site: string | undefined,
  origin: string | undefined,
  host = HOST,
): Record<string, string> {
  return {
    Host: host,
    ...(site === undefined ? {} : { "Sec-Fetch-Site": site }),
    ...(origin === undefined ? {} : { Origin: origin }),
  };
}

/** What the rule says of the headers, the trusted origin being trusted. */
function isRefused(
  site: typeof SITES[number],
  origin: typeof ORIGINS[number],
): boolean {
  return origin[0] !== TRUSTED && (site[1] ?? origin[1]);
}

function requestOf(
  method: string,
  headers: Record<string, string>,
  path = "/",
): Request {
  return new Request(ORIGIN + path, { method, headers });
}

for (const site of SITES) {
  const name = site[0] === undefined ? "no Sec-Fetch-Site" : `"${site[0]}"`;

  Deno.test(`isCrossOrigin() goes by the Origin under ${name}`, () => {
    for (const origin of ORIGINS) {
      const request = requestOf("POST", headersOf(site[0], origin[0]));
      assertEquals(
        isCrossOrigin(request, [TRUSTED]),
        isRefused(site, origin),
        `Origin: ${origin[0]}`,
      );
    }
  });

  Deno.test(`login.loginUser() goes by the Origin under ${name}`, async () => {
    const { login, susan } = new Site({ login: { trustedOrigins: [TRUSTED] } });
    for (const origin of ORIGINS) {
      const request = requestOf("POST", headersOf(site[0], origin[0]));
      const { status } = await login.loginUser(request, susan);
      const expected = isRefused(site, origin) ? 403 : 302;
      assertEquals(status, expected, `Origin: ${origin[0]}`);
    }
  });

  Deno.test(`login.logoutUser() goes by the Origin under ${name}`, async () => {
    const { login } = new Site({ login: { trustedOrigins: [TRUSTED] } });
    for (const origin of ORIGINS) {
      const request = requestOf("POST", headersOf(site[0], origin[0]));
      const { status } = await login.logoutUser(request);
      const expected = isRefused(site, origin) ? 403 : 302;
      assertEquals(status, expected, `Origin: ${origin[0]}`);
    }
  });
}

Deno.test("isCrossOrigin() trusts no other origin by default", () => {
  for (const site of [undefined, "cross-site", "same-site"]) {
    const request = requestOf("POST", headersOf(site, TRUSTED));
    assertEquals(isCrossOrigin(request), true);
  }
});

Deno.test("isCrossOrigin() trusts each of several origins", () => {
  const trusted = ["https://a.example", "http://b.example:8000"];
  for (const origin of trusted) {
    const request = requestOf("POST", headersOf("cross-site", origin));
    assertEquals(isCrossOrigin(request, trusted), false);
    assertEquals(isCrossOrigin(request, trusted.toReversed()), false);
  }
});

Deno.test("isCrossOrigin() never trusts null", () => {
  for (const site of [undefined, "cross-site"]) {
    const request = requestOf("POST", headersOf(site, "null"));
    assertEquals(isCrossOrigin(request, ["null"]), true);
  }
});

Deno.test("login trusts no other origin by default", async () => {
  const { login, susan } = new Site();
  const request = requestOf("POST", headersOf("cross-site", TRUSTED));
  assertEquals((await login.loginUser(request, susan)).status, 403);
  assertEquals((await login.logoutUser(request)).status, 403);
});

for (const method of SAFE_METHODS) {
  Deno.test(`isCrossOrigin() lets ${method} pass`, () => {
    for (const [site] of SITES) {
      for (const [origin] of ORIGINS) {
        const request = requestOf(method, headersOf(site, origin));
        assertEquals(isCrossOrigin(request), false);
      }
    }
  });
}

for (const method of UNSAFE_METHODS) {
  Deno.test(`isCrossOrigin() tells where ${method} comes from`, () => {
    const evil = "https://evil.example";
    const own = "http://localhost:8000";
    const isForeign = (site?: string, origin?: string) =>
      isCrossOrigin(requestOf(method, headersOf(site, origin)));
    assertEquals(isForeign("cross-site", evil), true);
    assertEquals(isForeign("same-origin", own), false);
    assertEquals(isForeign(undefined, evil), true);
    assertEquals(isForeign(undefined, own), false);
    assertEquals(isForeign(undefined, undefined), false);
  });
}

for (const [host, origin] of HOSTS) {
  Deno.test(`isCrossOrigin() knows ${origin} as ${host}`, () => {
    const request = requestOf("POST", headersOf(undefined, origin, host));
    assertEquals(isCrossOrigin(request), false);
  });
}

Deno.test("isCrossOrigin() takes the URL's host where there is no Host header", () => {
  const isForeign = (origin: string) =>
    isCrossOrigin(requestOf("POST", { Origin: origin }));
  assertEquals(isForeign(ORIGIN), false);
  assertEquals(isForeign("https://evil.example"), true);
});

Deno.test("isCrossOrigin() goes by the Host header, not by the URL", () => {
  const isForeign = (origin: string) =>
    isCrossOrigin(requestOf("POST", headersOf(undefined, origin, "a.example")));
  assertEquals(isForeign("http://a.example"), false);
  assertEquals(isForeign(ORIGIN), true);
});

for (const headers of PROXY_HEADERS) {
  const names = Object.keys(headers).join(" and ");

  Deno.test(`isCrossOrigin() ignores ${names}`, () => {
    const isForeign = (origin: string) =>
      isCrossOrigin(
        requestOf("POST", { ...headersOf(undefined, origin), ...headers }),
      );
    assertEquals(isForeign("https://public.example"), true);
    assertEquals(isForeign("https://localhost:8000"), false);
  });
}

for (const method of ALL_METHODS) {
  Deno.test(`login.loginUser() refuses ${method} from another origin`, async () => {
    const { login, susan } = new Site();
    const headers = headersOf("cross-site", "https://evil.example");
    const request = requestOf(method, headers, "/login?next=/a");
    const response = await login.loginUser(request, susan, { remember: true });
    assertEquals(response.status, 403);
    assertEquals(cookiesOf(response), []);
    assertEquals(await login.getCurrentUser(request), null);
  });

  Deno.test(`login.logoutUser() refuses ${method} from another origin`, async () => {
    const site = new Site();
    const browser = new Browser();
    await site.logIn(browser, site.susan, { remember: true });
    const headers = headersOf("cross-site", "https://evil.example");
    const request = browser.request("/logout", { method });
    for (const [name, value] of Object.entries(headers)) {
      request.headers.set(name, value);
    }
    const response = await site.login.logoutUser(request);
    assertEquals(response.status, 403);
    assertEquals(cookiesOf(response), []);
    assertEquals(await site.login.getCurrentUser(request), site.susan);
  });

  Deno.test(`login takes ${method} from its own origin`, async () => {
    const { login, susan } = new Site();
    const headers = headersOf("same-origin", undefined);
    const request = requestOf(method, headers, "/login");
    assertEquals((await login.loginUser(request, susan)).status, 302);
    assertEquals((await login.logoutUser(request)).status, 302);
  });
}
