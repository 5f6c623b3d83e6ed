import { assert, assertEquals } from "@std/assert";
import { isCrossOrigin } from "../helpers.ts";
import { sendRaw, Site } from "./_login.ts";

// What a request has that no Request object can be made with.

const HOST = "localhost:8000";

/** Methods that are safe in capitals alone, as they go over the wire. */
const WIRE_METHODS: [method: string, isSafe: boolean][] = [
  ["GET", true],
  ["HEAD", true],
  ["OPTIONS", true],
  ["get", false],
  ["Get", false],
  ["options", false],
  ["POST", false],
  ["post", false],
  ["QUERY", false],
];

/** `Host` headers that are not the host of `https://good.example`. */
const BAD_HOSTS = [
  "",
  "a b",
  "good.example b",
  "a\tb",
  "good.example@evil.example",
  "evil.example@good.example",
  "u:p@good.example",
  "@",
  "good.example@",
  "@good.example",
  "good.example:",
  "good.example:x",
  "good.example:99999",
  ":80",
  "good.example/",
  "good.example/login",
  "good.example?",
  "good.example#",
  "good.example\\",
  "good.example,evil.example",
  "good.example, good.example",
  "https://good.example",
  "//good.example",
  "good.example.",
  "sub.good.example",
  "[",
  "[::1",
  "[::g]",
  "..",
  "-",
  "*",
  "%",
  "%00",
  "%zz",
  "good%2Eexample",
  "good.example\u0301",
  "<script>",
  "x".repeat(10_000),
];

/** What a server makes of one request: refusals, and statuses. */
interface Verdict {
  isForeign: boolean;
  login: number;
  logout: number;
  page: number;
}

async function judge(request: Request): Promise<Response> {
  const { login, susan } = new Site();
  const page = new Site().login.required(() => new Response("Secret"));
  const verdict: Verdict = {
    isForeign: isCrossOrigin(request),
    login: (await login.loginUser(request, susan)).status,
    logout: (await login.logoutUser(request)).status,
    page: (await page(request)).status,
  };
  // Not in the body, which an answer to HEAD has not.
  return new Response(null, { headers: { Verdict: JSON.stringify(verdict) } });
}

/** Sends these lines to a server, and returns its verdict. */
async function sendLines(...lines: string[]): Promise<Verdict> {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    onError: (error) => new Response(String(error), { status: 500 }),
  }, judge);
  try {
    const text = [...lines, "Connection: close", "", ""].join("\r\n");
    const answer = await sendRaw(server.addr.port, text);
    const verdict = /^verdict: (.*)\r$/im.exec(answer);
    assert(verdict !== null, answer);
    return JSON.parse(verdict[1]);
  } finally {
    await server.shutdown();
  }
}

for (const [method, isSafe] of WIRE_METHODS) {
  Deno.test(`isCrossOrigin() ${isSafe ? "lets" : "does not let"} ${method} pass over the wire`, async () => {
    const { isForeign, login, logout } = await sendLines(
      `${method} /login HTTP/1.1`,
      `Host: ${HOST}`,
      "Sec-Fetch-Site: cross-site",
    );
    assertEquals(isForeign, !isSafe);
    assertEquals([login, logout], [403, 403]);
  });
}

Deno.test("isCrossOrigin() knows its own origin over the wire", async () => {
  const verdict = await sendLines(
    "POST /login HTTP/1.1",
    `Host: ${HOST}`,
    `Origin: http://${HOST}`,
  );
  const { isForeign, login, logout } = verdict;
  assertEquals([isForeign, login, logout], [false, 302, 302]);
});

Deno.test("isCrossOrigin() goes by the Host header, not by an absolute target", async () => {
  const [own, other] = await Promise.all(
    [HOST, "evil.example"].map((host) =>
      sendLines(
        "POST http://evil.example/login HTTP/1.1",
        `Host: ${HOST}`,
        `Origin: http://${host}`,
      )
    ),
  );
  assertEquals([own.isForeign, other.isForeign], [false, true]);
});

Deno.test("login takes a request of HTTP/1.0 without a Host header", async () => {
  assertEquals(await sendLines("POST /login HTTP/1.0"), {
    isForeign: false,
    login: 302,
    logout: 302,
    page: 302,
  });
});

for (const host of BAD_HOSTS) {
  const name = JSON.stringify(host).slice(0, 40);

  Deno.test(`login refuses another origin under the Host header ${name}`, async () => {
    const verdict = await sendLines(
      "POST /login?next=/a HTTP/1.1",
      `Host: ${host}`,
      "Origin: https://good.example",
    );
    assertEquals(verdict, {
      isForeign: true,
      login: 403,
      logout: 403,
      page: 302,
    });
  });

  Deno.test(`login works without an Origin under the Host header ${name}`, async () => {
    const verdict = await sendLines(
      "GET /login?next=/a HTTP/1.1",
      `Host: ${host}`,
    );
    assertEquals(verdict, {
      isForeign: false,
      login: 302,
      logout: 302,
      page: 302,
    });
  });
}
