import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  attack,
  cookie,
  cookiesSet,
  forge,
  payload,
  whoIs,
} from "./_attacks.ts";
import { otherSpellings } from "./_tokens.ts";

/** `{susan}` and `{david}` stand for their good tokens. */
type Row = [what: string, headers: string[], user: "susan" | null];

const GARBAGE = ["x", "y", "z", "w"].map((letter) => `session=${letter}; `);
const SIXTY_KB = "a=b; ".repeat(12_000);

const COOKIES: Row[] = [
  ["one good value", ["Cookie: session={susan}"], "susan"],
  [
    "spaces and tabs around",
    ["Cookie: a=b; \t session \t= {susan} \t"],
    "susan",
  ],
  ["a good value twice", ["Cookie: session={susan}; session={susan}"], "susan"],
  ["garbage before", ["Cookie: session=x; session={susan}"], "susan"],
  ["garbage behind", ["Cookie: session={susan}; session=x"], "susan"],
  [
    "a good value twice and garbage",
    ["Cookie: session={susan}; session=x; session={susan}"],
    "susan",
  ],
  [
    "two good values",
    ["Cookie: session={susan}; session={david}"],
    null,
  ],
  [
    "two good values and one again",
    ["Cookie: session={susan}; session={david}; session={susan}"],
    null,
  ],
  [
    "two good values in two headers",
    ["Cookie: session={susan}", "Cookie: session={david}"],
    null,
  ],
  ["two headers", ["Cookie: a=b", "Cookie: session={susan}"], "susan"],
  [
    "three values of garbage before",
    [`Cookie: ${GARBAGE.slice(0, 3).join("")}session={susan}`],
    "susan",
  ],
  [
    "four values of garbage before",
    [`Cookie: ${GARBAGE.join("")}session={susan}`],
    null,
  ],
  [
    "the same garbage 4,000 times before",
    [`Cookie: ${"session=x; ".repeat(4000)}session={susan}`],
    "susan",
  ],
  ["a nameless pair before", ["Cookie: =x; session={susan}"], "susan"],
  ["a nameless pair behind", ["Cookie: session={susan}; =x"], "susan"],
  ["a nameless pair alone", ["Cookie: ={susan}"], null],
  ["a nameless pair that holds it", ["Cookie: =session={susan}"], null],
  ["empty pairs", ["Cookie: ;; ;session={susan};; ; "], "susan"],
  ["a name alone before", ["Cookie: session; session={susan}"], "susan"],
  ["an empty value before", ["Cookie: session=; session={susan}"], "susan"],
  ["a name alone", ["Cookie: session"], null],
  ["an empty value", ["Cookie: session="], null],
  ["nothing", ["Cookie: "], null],
  ["semicolons alone", [`Cookie: ${";".repeat(60_000)}`], null],
  ["\\xA0 before the name", ["Cookie: \xA0session={susan}"], null],
  ["\\xA0 behind the name", ["Cookie: session\xA0={susan}"], null],
  ["\\xA0 before the value", ["Cookie: session=\xA0{susan}"], null],
  ["\\xA0 behind the value", ["Cookie: session={susan}\xA0"], null],
  ["\\xA0 before the name of another", [
    "Cookie: \xA0session={david}; session={susan}",
  ], "susan"],
  ["a BOM before the name", ["Cookie: \xEF\xBB\xBFsession={susan}"], null],
  ["a space in UTF-8 before it", ["Cookie: \xE2\x80\x80session={susan}"], null],
  ["a soft hyphen in the name", ["Cookie: ses\xADsion={susan}"], null],
  ["a name in upper case", ["Cookie: SESSION={susan}"], null],
  ["a name that begins alike", ["Cookie: session2={susan}"], null],
  ["a name that ends alike", ["Cookie: mysession={susan}"], null],
  ["a name with brackets", ["Cookie: session[]={susan}"], null],
  ["a name percent-encoded", ["Cookie: %73ession={susan}"], null],
  ["a __Host- name", ["Cookie: __Host-session={susan}"], null],
  ["it in another's value", ["Cookie: a=session={susan}"], null],
  ["it in another's quotes", ['Cookie: a="; session={susan}"'], null],
  ["it behind a comma", ["Cookie: a=b, session={susan}"], null],
  ["another behind a comma", ["Cookie: session={susan}, a=b"], null],
  ["quotes around the value", ['Cookie: session="{susan}"'], null],
  ["attributes of RFC 2965", [
    'Cookie: $Version="1"; session={susan}; $Path="/"',
  ], "susan"],
  ["60 KB before it", [`Cookie: ${SIXTY_KB}session={susan}`], "susan"],
  ["60 KB behind it", [`Cookie: session={susan}; ${SIXTY_KB}`], "susan"],
  ["60 KB in another header", [
    `X: ${SIXTY_KB}`,
    "Cookie: session={susan}",
  ], "susan"],
  ["another header", ["Cookie2: session={susan}"], null],
  ["an Authorization header", ["Authorization: Bearer {susan}"], null],
];

async function tokensOf(): Promise<Record<string, string>> {
  const david = payload({ _user_id: "david", _stamp: "d1" });
  return { susan: await forge(), david: await forge({ payload: david }) };
}

for (const [what, headers, expected] of COOKIES) {
  const outcome = expected === null ? "nothing" : "the session";
  Deno.test(`Session reads ${outcome} from a header with ${what}`, async () => {
    const { susan, david } = await tokensOf();
    const lines = headers.map((line) =>
      line.replaceAll("{susan}", susan).replaceAll("{david}", david)
    );
    await attack(async (site) => {
      const { user, data } = await whoIs(site, ...lines);
      assertEquals(user, expected);
      if (user === null) assertEquals(data, {});
    });
  });
}

/** What Deno itself refuses; it must not be answered with a session either. */
const REFUSED: [what: string, headers: string[]][] = [
  ["NUL in it", ["Cookie: session={susan}\0"]],
  ["a line feed in it", ["Cookie: session=\n{susan}"]],
  ["a vertical tab before the name", ["Cookie: \vsession={susan}"]],
  ["a folded line", ["Cookie: a=b;", " session={susan}"]],
  ["100 KB", [`Cookie: ${"a=b; ".repeat(20_000)}session={susan}`]],
  ["a space in the name of the header", ["Coo kie: session={susan}"]],
  ["a second Host", ["Host: evil.example", "Cookie: session={susan}"]],
];

for (const [what, headers] of REFUSED) {
  Deno.test(`a server answers 400 to a header with ${what}`, async () => {
    const { susan } = await tokensOf();
    const lines = headers.map((line) => line.replaceAll("{susan}", susan));
    await attack(async (site) => {
      const answer = await site.send({ target: "/whoami", headers: lines });
      assertEquals([answer.status, answer.body], [400, ""]);
    });
  });
}

/** A good token of so many characters. */
async function tokenOf(length: number): Promise<string> {
  const bare = await forge({ payload: payload({ pad: "" }) });
  const pad = "x".repeat((length - bare.length) * 3 / 4);
  for (const more of ["", "x", "xx"]) {
    const token = await forge({ payload: payload({ pad: pad + more }) });
    if (token.length === length) return token;
  }
  throw new Error(`No token of ${length} characters`);
}

Deno.test("Session reads a token of 4,096 characters, not of 4,097", async () => {
  await attack(async (site) => {
    const longest = cookie(await tokenOf(4096));
    assertEquals((await whoIs(site, longest)).user, "susan");
    const nobody = { user: null, data: {} };
    const tooLong = await tokenOf(4097);
    assertEquals(await whoIs(site, cookie(tooLong)), nobody);
    assertEquals(await site.session.decode(tooLong), {});
    const others = otherSpellings(await tokenOf(4096));
    for (const token of others) {
      assertEquals(await whoIs(site, cookie(token)), nobody);
    }
  });
});

Deno.test("Session saves a cookie of 4,096 bytes, and none that is longer", async () => {
  await attack(async (site) => {
    let longest = 0;
    // Where the length stops to fit is between these two.
    for (let length = 2920; length < 2960; length++) {
      const headers = [`Stash: ${length}`];
      const answer = await site.send({ target: "/stash", headers });
      if (answer.status !== 200) {
        assertEquals([answer.status, cookiesSet(answer)], [413, []]);
        assertStringIncludes(answer.body, "over the limit of 4096");
        break;
      }
      const [pair] = cookiesSet(answer)[0].split(";");
      longest = pair.length - "=".length;
    }
    assertEquals(longest, 4096);
  });
});

Deno.test("Session never sets a cookie for another visitor", async () => {
  const { susan, david } = await tokensOf();
  await attack(async (site) => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const headers = [cookie(index % 2 ? susan : david), `Stash: ${index}`];
        const answer = await site.send({ target: "/stash", headers });
        const [line] = cookiesSet(answer);
        const { user, data } = await whoIs(site, `Cookie: ${line}`);
        return { user, length: (data as { stash: string }).stash.length };
      }),
    );
    answers.forEach(({ user, length }, index) => {
      assertEquals([user, length], [index % 2 ? "susan" : "david", index]);
    });
  });
});

/**
 * Hosts that make `request.url` another one, or none at all; where the login
 * page is to send back a visitor of `/page`, and where it sends one whose `next`
 * is `/page`.
 */
const HOSTS: [host: string, next: string | null, after: string][] = [
  ["a b", null, "/home"],
  ["good.example@evil.example", "/page", "/page"],
  ["user:password@evil.example", "/page", "/page"],
  ["", "/page", "/page"],
  ["\xE9vil.example", "/page", "/page"],
  ["a,b", "/page", "/page"],
  ["..", "/page", "/page"],
  ["a:", "/page", "/page"],
  ["a".repeat(60_000), "/page", "/page"],
  // They move the path, its beginning or all of it.
  ["evil.example/", null, "/page"],
  ["evil.example//", null, "/page"],
  ["a\\b", "/b/page", "/page"],
  ["evil.example?", "/?/page", "/home"],
  ["evil.example/?", "/?/page", "/home"],
  ["a?b#c", "/?b", "/home"],
  ["a#", "/", "/home"],
  ["[::1", null, "/home"],
  ["::1", null, "/home"],
  ["a:99999", null, "/home"],
  ["a:b:c", null, "/home"],
  [":80", null, "/home"],
  ["%00", null, "/home"],
  ["%zz", null, "/home"],
  ["xn--a", null, "/home"],
  ["<script>", null, "/home"],
  ["999.999.999.999", null, "/home"],
];

for (const [host, next, after] of HOSTS) {
  const name = JSON.stringify(host.slice(0, 40));
  Deno.test(`Login serves a request to the host ${name}`, async () => {
    const headers = [cookie(await forge()), "Stash: 1"];
    await attack(async (site) => {
      const who = await site.send({ target: "/whoami", host, headers });
      assertEquals([who.status, JSON.parse(who.body).user], [200, "susan"]);
      const page = await site.send({ target: "/page?a=1", host, headers });
      assertEquals([page.status, page.body], [200, "susan"]);
      const saved = await site.send({ target: "/stash", host, headers });
      assertEquals([saved.status, cookiesSet(saved).length], [200, 1]);
    });
  });

  Deno.test(`Login sends nobody away to the host ${name}`, async () => {
    await attack(async (site) => {
      const page = await site.send({ target: "/page", host });
      const target = "/login?next=%2Fpage";
      const login = await site.send({ target, host, method: "POST" });
      const query = next === null ? "" : `?next=${encodeURIComponent(next)}`;
      assertEquals(
        [page, login].map(({ headers }) => headers.get("Location")),
        [`/login${query}`, after],
      );
      assertEquals([page.status, login.status], [302, 302]);
    });
  });

  Deno.test(`Login refuses another origin to the host ${name}`, async () => {
    await attack(async (site) => {
      const headers = [cookie(await forge()), "Origin: http://evil.example"];
      for (const target of ["/login", "/logout", "/form"]) {
        const request = { method: "POST", target, host, headers };
        const answer = await site.send(request);
        assertEquals([answer.status, cookiesSet(answer)], [403, []]);
      }
    });
  });
}
