/** What holds for the forms and pages of all examples. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import kv from "../../examples/kv.ts";
import loginExample from "../../examples/login.ts";
import mail from "../../examples/mail.ts";
import oauth from "../../examples/oauth.ts";
import roles from "../../examples/roles.ts";
import sessions from "../../examples/sessions.ts";
import { serve } from "../_helpers.ts";
import { RawConnection } from "../_http.ts";
import { headingOf, PROGRAM, Visitor } from "../examples/_visitor.ts";

/** Examples, where their forms go to, and some of their pages. */
const EXAMPLES: [
  name: string,
  example: Deno.ServeDefaultExport,
  forms: string[],
  pages: string[],
][] = [
  ["login.ts", loginExample, ["/login", "/logout"], ["/login", "/nowhere"]],
  ["roles.ts", roles, ["/login", "/logout"], ["/login", "/nowhere"]],
  ["sessions.ts", sessions, ["/", "/logout"], ["/", "/nowhere"]],
  ["kv.ts", kv, ["/login", "/logout", "/end", "/end-others"], ["/login"]],
  ["oauth.ts", oauth, ["/logout"], ["/login", "/callback"]],
  [
    "mail.ts",
    mail,
    ["/login", "/logout", "/mail", "/link", "/reset"],
    ["/login", "/link", "/reset", "/nowhere"],
  ],
];

/** Headers by which a browser says that another site sends a form. */
const FOREIGN: Record<string, string>[] = [
  { "Sec-Fetch-Site": "cross-site" },
  { "Sec-Fetch-Site": "same-site", "Origin": "http://localhost:1" },
  { "Origin": "http://evil.example" },
  { "Origin": "null" },
];

for (const [name, example, forms, pages] of EXAMPLES) {
  Deno.test(`rule 24, forms: ${name} refuses the forms of other sites before any work`, async () => {
    using work = countHashes();
    const fields = { username: "susan", password: "hello", name: "susan" };
    for (const path of forms) {
      for (const headers of FOREIGN) {
        const visitor = new Visitor(example);
        const response = await visitor.post(path, fields, headers);
        assertEquals(response.status, 403, path);
        assertEquals(headingOf(await response.text()), "Not from here");
        assertEquals(visitor.cookieNames, []);
      }
    }
    assertEquals(work.count, 0);
  });

  Deno.test(`rule 24, pages: ${name} sends pages that keep to themselves`, async () => {
    for (const path of pages) {
      const response = await new Visitor(example).get(path, PROGRAM);
      const { headers } = response;
      assertEquals(headers.get("X-Content-Type-Options"), "nosniff");
      assertEquals(headers.get("X-Frame-Options"), "DENY");
      assertEquals(headers.get("Referrer-Policy"), "same-origin");
      assertEquals(headers.get("Cache-Control"), "no-store");
      const policy = headers.get("Content-Security-Policy") ?? "";
      const [nonce] = /'nonce-[^']+'/.exec(policy) ?? [];
      assertEquals(policy.split("; "), [
        "default-src 'none'",
        `style-src ${nonce}`,
        `script-src ${nonce}`,
        "img-src data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ]);
      const html = await response.text();
      for (const [tag] of html.matchAll(/<(?:style|script)[^>]*>/g)) {
        assertStringIncludes(tag, nonce?.slice(7, -1) ?? "no nonce");
      }
      // The policy would block them.
      assert(!/ (style|on\w+)=/.test(html), html);
    }
  });

  Deno.test(`rule 23, limits: ${name} reads no form of more than 16 kB`, async () => {
    using work = countHashes();
    for (const path of forms) {
      const fields = { username: "susan", password: "x".repeat(20_000) };
      const body = new URLSearchParams({ ...fields, name: fields.password });
      const headers = { "Content-Length": `${body}`.length.toString() };
      const visitor = new Visitor(example);
      const response = await visitor.post(path, Object.fromEntries(body), {
        ...headers,
      });
      assertEquals(response.status, 413, path);
      await response.body?.cancel();
      // Chunked, the length is not known before.
      const chunked = await visitor.post(path, Object.fromEntries(body));
      assert(chunked.status < 500, path);
      await chunked.body?.cancel();
    }
    assert(work.count <= 1); // The empty password is tried.
  });
}

Deno.test("rule 23, limits: login.ts stops reading a form that does not end", async () => {
  const info = { completed: Promise.resolve() } as Deno.ServeHandlerInfo;
  Object.assign(info, { remoteAddr: { transport: "tcp", hostname: "h" } });
  await serve(
    (request) => loginExample.fetch(request, info),
    async (_, port) => {
      using connection = await RawConnection.open(port);
      const head = [
        "POST /login HTTP/1.1",
        `Host: 127.0.0.1:${port}`,
        "Content-Type: application/x-www-form-urlencoded",
        "Transfer-Encoding: chunked",
      ].join("\r\n");
      const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
      const answer = await connection.send(`${head}\r\n\r\n${chunk}${chunk}`);
      assertEquals(answer.status, 401);
    },
  );
});

/** Counts the passwords that are hashed, until it is disposed of. */
function countHashes(): Disposable & { count: number } {
  const { subtle } = crypto;
  const original = subtle.deriveBits;
  const counter = {
    count: 0,
    [Symbol.dispose]: () =>
      void Object.assign(subtle, { deriveBits: original }),
  };
  const deriveBits: typeof original = () => {
    counter.count++;
    return Promise.resolve(new ArrayBuffer(32));
  };
  Object.assign(subtle, { deriveBits });
  return counter;
}
