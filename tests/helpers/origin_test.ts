import { assertEquals, assertThrows } from "@std/assert";
import { isCrossOrigin } from "../../helpers.ts";
import {
  BAD_HOSTS,
  EVIL,
  GOOD,
  headersOf,
  HOST,
  isRefused,
  ORIGINS,
  OWN,
  PROXY_HEADERS,
  SITES,
  TRUSTED,
} from "../_origins.ts";

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

function post(
  headers: Record<string, string>,
  url = "http://localhost/",
): Request {
  return new Request(url, { method: "POST", headers });
}

for (const site of SITES) {
  const name = site[0] === undefined ? "no Sec-Fetch-Site" : `"${site[0]}"`;

  Deno.test(`isCrossOrigin() goes by the Origin under ${name}`, () => {
    for (const origin of ORIGINS) {
      assertEquals(
        isCrossOrigin(post(headersOf(site[0], origin[0])), [TRUSTED]),
        isRefused(site, origin),
        `Origin: ${origin[0]}`,
      );
    }
  });
}

Deno.test("isCrossOrigin() trusts no other origin by default", () => {
  for (const site of [undefined, "cross-site", "same-site"]) {
    assertEquals(isCrossOrigin(post(headersOf(site, TRUSTED))), true);
  }
});

Deno.test("isCrossOrigin() trusts each of several origins", () => {
  const trusted = ["https://a.example", "http://b.example:8000"];
  for (const origin of trusted) {
    const request = post(headersOf("cross-site", origin));
    assertEquals(isCrossOrigin(request, trusted), false);
  }
});

for (const origin of ["null", "https://*.example.com", `${TRUSTED}/`]) {
  Deno.test(`isCrossOrigin() never trusts ${origin}, which is no origin`, () => {
    for (const site of [undefined, "cross-site"]) {
      const request = post(headersOf(site, origin));
      assertEquals(isCrossOrigin(request, [origin]), true);
    }
  });
}

for (const [host, origin] of HOSTS) {
  Deno.test(`isCrossOrigin() knows ${origin} as ${host}`, () => {
    const request = post(headersOf(undefined, origin, host));
    assertEquals(isCrossOrigin(request), false);
  });
}

Deno.test("isCrossOrigin() knows no origin by a malformed Host header", () => {
  for (const host of BAD_HOSTS) {
    const request = post(headersOf(undefined, GOOD, host), `${GOOD}/`);
    assertEquals(isCrossOrigin(request), true, host);
  }
});

Deno.test("isCrossOrigin() goes by the Host header, not by the URL", () => {
  const isForeign = (origin: string) =>
    isCrossOrigin(
      post(headersOf(undefined, origin, "a.example"), "http://b.example/"),
    );
  assertEquals(isForeign("http://a.example"), false);
  assertEquals(isForeign("http://b.example"), true);
});

Deno.test("isCrossOrigin() goes by the URL where there is no Host header", () => {
  const isForeign = (origin: string) =>
    isCrossOrigin(post({ Origin: origin }, "http://localhost:8000/"));
  assertEquals(isForeign("http://localhost:8000"), false);
  assertEquals(isForeign("http://localhost"), true);
  assertEquals(isForeign(EVIL), true);
});

for (const userinfo of ["u", "u:p", ":p"]) {
  Deno.test(`isCrossOrigin() knows no origin by a URL with the userinfo ${userinfo}`, () => {
    const request = post({ Origin: GOOD }, `https://${userinfo}@good.example/`);
    assertEquals(isCrossOrigin(request), true);
  });
}

for (const headers of PROXY_HEADERS) {
  const names = Object.keys(headers).join(" and ");

  Deno.test(`isCrossOrigin() ignores ${names}`, () => {
    const isForeign = (origin: string) =>
      isCrossOrigin(post({ ...headersOf(undefined, origin), ...headers }));
    assertEquals(isForeign(EVIL), true);
    assertEquals(isForeign(OWN), false);
    assertEquals(isForeign(`https://${HOST}`), false);
  });
}

Deno.test("isCrossOrigin() refuses a string for trusted origins", () => {
  const origins = "https://app.example.com" as unknown as string[];
  const part = post({ Origin: "https://app.example.co" });
  assertThrows(() => isCrossOrigin(part, origins), TypeError, "an array");
});
