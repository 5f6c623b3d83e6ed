import { assertEquals, assertStringIncludes } from "@std/assert";
import { cookie, forge, forgeDavid } from "./_forge.ts";
import { attack, cookieAfter, cookiesSet, NOBODY, whoIs } from "./_site.ts";

/** `{susan}` and `{david}` stand for their good tokens. */
type Row = [what: string, headers: string[], user: "susan" | null];

const SIXTY_KB = "a=b; ".repeat(12_000);

const HEADERS: Row[] = [
  ["one good value", ["Cookie: session={susan}"], "susan"],
  [
    "spaces and tabs around",
    ["Cookie: a=b; \t session \t= {susan} \t"],
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
  [
    "60 KB in another header",
    [`X: ${SIXTY_KB}`, "Cookie: session={susan}"],
    "susan",
  ],
  ["another header's name", ["Cookie2: session={susan}"], null],
  ["Authorization for a name", ["Authorization: Bearer {susan}"], null],
];

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

const SEVERAL: Row[] = [
  ["a good value twice", ["Cookie: session={susan}; session={susan}"], "susan"],
  ["garbage before", ["Cookie: session=x; session={susan}"], "susan"],
  ["garbage behind", ["Cookie: session={susan}; session=x"], "susan"],
  [
    "a good value twice and garbage",
    ["Cookie: session={susan}; session=x; session={susan}"],
    "susan",
  ],
  ["two good values", ["Cookie: session={susan}; session={david}"], null],
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
  [
    "a value in the second header",
    ["Cookie: a=b", "Cookie: session={susan}"],
    "susan",
  ],
  [
    "three values of garbage before",
    ["Cookie: session=x; session=y; session=z; session={susan}"],
    "susan",
  ],
  [
    "four values of garbage before",
    ["Cookie: session=x; session=y; session=z; session=w; session={susan}"],
    null,
  ],
  [
    "the same garbage 4,000 times before",
    [`Cookie: ${"session=x; ".repeat(4000)}session={susan}`],
    "susan",
  ],
];

async function withTokens(headers: string[]): Promise<string[]> {
  const susan = await forge();
  const david = await forgeDavid();
  return headers.map((line) =>
    line.replaceAll("{susan}", susan).replaceAll("{david}", david)
  );
}

function testRows(rule: string, rows: readonly Row[]): void {
  for (const [what, headers, user] of rows) {
    const outcome = user === null ? "nothing" : "the session";
    Deno.test(`${rule}: Session reads ${outcome} from a header with ${what}`, async () => {
      const lines = await withTokens(headers);
      await attack(async (site) => {
        const identity = await whoIs(site, ...lines);
        assertEquals(identity.user, user);
        if (user === null) assertEquals(identity, NOBODY);
      });
    });
  }
}

testRows("rule 8, the wanted name", HEADERS);
testRows("rule 9, several cookies", SEVERAL);

for (const [what, headers] of REFUSED) {
  Deno.test(`rule 8, the wanted name: a server answers 400 to a header with ${what}`, async () => {
    const lines = await withTokens(headers);
    await attack(async (site) => {
      const answer = await site.send({ target: "/whoami", headers: lines });
      assertEquals([answer.status, answer.body], [400, ""]);
    });
  });
}

Deno.test("rule 9, several cookies: Login makes a session that whoever planted the old one does not know", async () => {
  await attack(async (site) => {
    const planted = cookie(await forge({ payload: '{"planted":true}' }));
    const request = { method: "POST", target: "/login", headers: [planted] };
    const answer = await site.send(request);
    const { user, data } = await whoIs(site, cookieAfter(answer));
    assertEquals([user, data.planted], ["susan", true]);
    assertEquals((await whoIs(site, planted)).user, null);
  });
});

Deno.test("rule 12, size: Session saves a cookie of 4,096 bytes, and none that is longer", async () => {
  await attack(async (site) => {
    let longest = 0;
    // Where the length stops to fit is between these two.
    for (let length = 2880; length < 2960; length++) {
      const headers = [`Stash: ${length}`];
      const answer = await site.send({ target: "/stash", headers });
      if (answer.status !== 200) {
        assertEquals([answer.status, cookiesSet(answer)], [400, []]);
        assertStringIncludes(answer.body, "over the limit of 4096");
        break;
      }
      const [pair] = cookiesSet(answer)[0].split(";");
      longest = pair.length - "=".length;
    }
    assertEquals(longest, 4096);
  });
});
