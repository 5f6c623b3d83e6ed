import { assert, assertEquals, assertRejects } from "@std/assert";
import { Session, withSession } from "../../session.ts";
import {
  attributesOf,
  cookieSetBy,
  KEY,
  lineOf,
  payloadOf,
  serve,
  signToken,
} from "../_helpers.ts";
import { sendLines } from "../_login.ts";
import { BAD_HOSTS } from "../_origins.ts";
import { RawConnection } from "../_http.ts";

// What only a real server shows: its own responses, sockets and bad requests.

type Handler = Deno.ServeHandler<Deno.NetAddr>;

const session = new Session<{ n: number; text: string }>({ secretKey: KEY });

const count = withSession(session, (_request, dict) => {
  dict.n = (dict.n ?? 0) + 1;
  dict.save();
  return Response.json({ n: dict.n });
});

/** Makes the response that an application keeps for all its visitors. */
const KEPT: [what: string, make: () => Response][] = [
  ["redirect", () => Response.redirect("http://localhost/next")],
  ["response without a body", () => new Response(null, { status: 204 })],
  [
    "response without a body but with headers",
    () =>
      new Response(null, {
        status: 204,
        headers: { "Content-Type": "text/plain" },
      }),
  ],
];

/** Handlers that fail, and the kind of error that the server is told of. */
const FAILURES: [what: string, handler: Handler, error: typeof Error][] = [
  ["Response.error()", saving(() => Response.error()), TypeError],
  [
    "error",
    saving(() => {
      throw new SyntaxError("broken");
    }),
    SyntaxError,
  ],
  [
    "save that nobody awaits",
    withSession(session, (_request, dict) => {
      dict.text = "x".repeat(5_000);
      dict.save();
      return new Response("Hello");
    }),
    RangeError,
  ],
];

const TARGETS = ["//", "/%", "/%00", "http://[/", "*", "a", "/\xE9"];

/** Saves a number, and answers as it is told. */
function saving(respond: Handler): Handler {
  return withSession(
    session,
    (request, dict, info: Deno.ServeHandlerInfo<Deno.NetAddr>) => {
      dict.n = 1;
      dict.save();
      return respond(request, info);
    },
  );
}

function visit(url: string, cookie?: string): Promise<Response> {
  const headers = new Headers(cookie === undefined ? {} : { Cookie: cookie });
  return fetch(url, { headers, redirect: "manual" });
}

/** Upgrades, saves, echoes a message, and tells when the socket is closed. */
function echo(closed: PromiseWithResolvers<void>): Handler {
  return withSession(session, (request, dict) => {
    dict.n = (dict.n ?? 0) + 1;
    dict.save();
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    socket.onerror = () => {};
    socket.onclose = () => closed.resolve();
    return response;
  });
}

Deno.test("a served session goes from response to request", async () => {
  await serve(count, async (url) => {
    const first = await visit(url);
    assertEquals(await first.json(), { n: 1 });
    assertEquals(first.headers.get("Vary"), "Cookie");
    assertEquals(first.headers.get("Cache-Control"), "no-store");
    assertEquals(attributesOf(lineOf(first)), [
      "HttpOnly",
      "Path=/",
      "SameSite=Lax",
    ]);
    const second = await visit(url, `session=${cookieSetBy(first)}`);
    assertEquals(await second.json(), { n: 2 });
    const third = await visit(url);
    assertEquals(await third.json(), { n: 1 });
  });
});

Deno.test("a served handler gets Deno.ServeHandlerInfo", async () => {
  const handler = saving((_request, info) =>
    new Response(info.remoteAddr.hostname)
  );
  await serve(handler, async (url) => {
    assertEquals(await (await visit(url)).text(), "127.0.0.1");
  });
});

for (const [what, make] of KEPT) {
  Deno.test(`a served ${what} that is kept carries no other visitor's cookie`, async () => {
    const kept = make();
    const handler = withSession(session, (request, dict) => {
      if (request.url.endsWith("/save")) dict.save();
      return kept;
    });
    await serve(handler, async (url) => {
      const first = await visit(`${url}save`);
      const second = await visit(url);
      await first.body?.cancel();
      await second.body?.cancel();
      assertEquals(first.headers.getSetCookie().length, 1);
      assertEquals(second.headers.getSetCookie(), []);
    });
  });
}

Deno.test("a served fetch() response carries the cookie, beside those from upstream", async () => {
  const upstream: Handler = () =>
    new Response("upstream", {
      status: 203,
      headers: [
        ["X-Upstream", "yes"],
        ["Set-Cookie", "upstream=1"],
        ["Set-Cookie", "session=upstream"],
      ],
    });
  await serve(upstream, async (upstreamUrl) => {
    await serve(saving(() => fetch(upstreamUrl)), async (url) => {
      const response = await visit(url);
      assertEquals(await response.text(), "upstream");
      assertEquals(response.status, 203);
      assertEquals(response.headers.get("X-Upstream"), "yes");
      assertEquals(cookieSetBy(response, "upstream"), "1");
      assertEquals(response.headers.getSetCookie().length, 2);
      assertEquals(payloadOf(cookieSetBy(response)).n, 1);
    });
  });
});

Deno.test("a served fetch() response without a body carries the cookie", async () => {
  const upstream: Handler = () => new Response(null, { status: 304 });
  await serve(upstream, async (upstreamUrl) => {
    await serve(saving(() => fetch(upstreamUrl)), async (url) => {
      const response = await visit(url);
      await response.body?.cancel();
      assertEquals(response.status, 304);
      assertEquals(response.headers.getSetCookie().length, 1);
    });
  });
});

Deno.test("a served stream has its cookie decided before the first byte", async () => {
  const gate = Promise.withResolvers<void>();
  const handler = withSession(session, (_request, dict) => {
    dict.n = 1;
    dict.save();
    async function* write(): AsyncGenerator<string> {
      await gate.promise;
      yield "begin ";
      await assertRejects(() => dict.save(), Error, "response");
      yield "end";
    }
    const text = ReadableStream.from(write());
    return new Response(text.pipeThrough(new TextEncoderStream()));
  });
  await serve(handler, async (url) => {
    const response = await visit(url);
    assertEquals(payloadOf(cookieSetBy(response)).n, 1);
    gate.resolve();
    assertEquals(await response.text(), "begin end");
  });
});

for (const [what, fail, kind] of FAILURES) {
  Deno.test(`a served ${what} reaches onError, and the next request is served`, async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => {
      errors.push(error);
      return new Response("Sorry", { status: 500 });
    };
    const handler: Handler = (request, info) =>
      request.url.endsWith("/fail") ? fail(request, info) : count(request);
    await serve(handler, async (url) => {
      const failed = await visit(`${url}fail`);
      assertEquals(failed.status, 500);
      assertEquals(await failed.text(), "Sorry");
      assertEquals(failed.headers.getSetCookie(), []);
      const next = await visit(url);
      assertEquals(await next.json(), { n: 1 });
      assertEquals(next.headers.getSetCookie().length, 1);
    }, onError);
    assertEquals(errors.map((error) => error instanceof kind), [true]);
  });
}

Deno.test("a served WebSocket upgrade carries the cookie", async () => {
  const closed = Promise.withResolvers<void>();
  await serve(echo(closed), async (_url, port) => {
    const lines = [
      "GET / HTTP/1.1",
      `Host: 127.0.0.1:${port}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      `Cookie: session=${await signToken({ n: 1 })}`,
    ];
    {
      using connection = await RawConnection.open(port);
      const answer = await connection.send([...lines, "", ""].join("\r\n"));
      assertEquals(answer.status, 101);
      const [line, ...others] = answer.headers.getSetCookie();
      assertEquals(others, []);
      const value = /^session=([^;]+)/.exec(line)?.[1];
      assertEquals(payloadOf(value).n, 2);
    }
    await closed.promise;
  });
});

Deno.test("a served WebSocket works beyond its upgrade", async () => {
  const closed = Promise.withResolvers<void>();
  await serve(echo(closed), async (url) => {
    const socket = new WebSocket(url.replace("http", "ws"));
    const done = Promise.withResolvers<void>();
    const messages: unknown[] = [];
    socket.onopen = () => socket.send("Hello");
    socket.onmessage = ({ data }) => {
      messages.push(data);
      socket.close();
    };
    socket.onerror = (event) => done.reject(event);
    socket.onclose = () => done.resolve();
    await done.promise;
    await closed.promise;
    assertEquals(messages, ["Hello"]);
  });
});

Deno.test("a malformed Host header is served, and makes no cookie Secure", async () => {
  await serve(count, async (_url, port) => {
    for (const host of BAD_HOSTS) {
      const answer = await sendLines(port, "GET / HTTP/1.1", `Host: ${host}`);
      assert(answer.includes('{"n":1}'), `${host}: ${answer}`);
      assert(!answer.includes("Secure"), `${host}: ${answer}`);
    }
  });
});

Deno.test("a request without a Host header is served", async () => {
  await serve(count, async (_url, port) => {
    const answer = await sendLines(port, "GET / HTTP/1.0");
    assert(answer.includes('{"n":1}'), answer);
  });
});

Deno.test("a malformed request target is never a 500", async () => {
  await serve(count, async (_url, port) => {
    for (const target of TARGETS) {
      const start = `GET ${target} HTTP/1.1`;
      const answer = await sendLines(port, start, "Host: a.example");
      assert(/^HTTP\/1.1 [24]/.test(answer), `${target}: ${answer}`);
    }
  });
});
