import { assert, assertEquals, assertRejects } from "@std/assert";
import { Session, type SessionDict, withSession } from "../session.ts";
import {
  attributesOf,
  cookieSetBy,
  KEY,
  lineOf,
  payloadOf,
  signToken,
} from "./_helpers.ts";

type Handler = Deno.ServeHandler<Deno.NetAddr>;

const LONG = "x".repeat(61_440);

/** `Cookie` headers that hold no session. */
const GARBAGE: Record<string, string> = {
  "a pair without a name": "=x",
  "a pair without an equals sign": "x",
  "its name alone": "session",
  "a trailing semicolon": "session=x;",
  "semicolons": ";; ;",
  "an empty value": "session=",
  "quotes": 'session="',
  "two values": "session=x; session=y",
  "many values": "session=x; session=y; session=z; session=a; session=b",
  "dots": "session=..",
  "a percent sign": "session=%",
  "bytes outside of ASCII": "session=\xE9\xFF",
  "a value of 60 KB": `session=${LONG}`,
  "another cookie of 60 KB": `a=${LONG}`,
  "60 KB of semicolons": ";".repeat(61_440),
};

/** `Cookie` headers that hold a session beside the garbage. */
const BESIDE: Record<string, (pair: string) => string> = {
  "a pair without a name": (pair) => `=x; ${pair}`,
  "a pair without an equals sign": (pair) => `x; ${pair}`,
  "a trailing semicolon": (pair) => `${pair};`,
  "semicolons": (pair) => `;;${pair};;`,
  "another cookie of 60 KB": (pair) => `a=${LONG}; ${pair}`,
  "a forged one": (pair) => `session=x.y.z; ${pair}`,
  "itself": (pair) => `${pair}; ${pair}`,
};

const HOSTS = [
  "a b",
  "good@evil",
  "good:x@evil",
  "[",
  "[::1",
  "a:99999999",
  "a/b",
  "a?b",
  "a#b",
  "a%",
  "%00",
  "\\",
  "<script>",
  "\xE9",
  "",
  ":",
  "..",
  "x".repeat(10_000),
];

const encoder = new TextEncoder();
const session = new Session<{ n: number }>({ secretKey: KEY });

const count = withSession(session, (_request, dict) => {
  dict.n = (dict.n ?? 0) + 1;
  dict.save();
  return Response.json({ n: dict.n });
});

/** Serves a handler on loopback while the test runs. */
async function serve(
  handler: Handler,
  test: (url: string, port: number) => Promise<void>,
  onError?: (error: unknown) => Response,
): Promise<void> {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: onError ?? ((error) =>
      new Response(String(error), {
        status: 500,
      })),
  }, handler);
  try {
    const { port } = server.addr;
    await test(`http://127.0.0.1:${port}/`, port);
  } finally {
    await server.shutdown();
  }
}

/** Sends a request as it stands, in Latin-1, and returns the raw response. */
async function send(port: number, ...lines: string[]): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = [...lines, "Connection: close", "", ""].join("\r\n");
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  for (let sent = 0; sent < bytes.length;) {
    sent += await connection.write(bytes.subarray(sent));
  }
  return await readUntil(connection, null);
}

/** Reads up to a mark, or up to the end. */
async function readUntil(
  connection: Deno.Conn,
  mark: string | null,
): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16_384);
  let text = "";
  while (mark === null || !text.includes(mark)) {
    const length = await connection.read(buffer);
    if (length === null) break;
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  return text;
}

function statusOf(raw: string): number {
  return Number(raw.split(" ")[1]);
}

function fetchWith(url: string, cookie?: string): Promise<Response> {
  return fetch(url, {
    headers: cookie === undefined ? {} : { Cookie: cookie },
    redirect: "manual",
  });
}

Deno.test("a served session goes from response to request", async () => {
  await serve(count, async (url) => {
    const first = await fetchWith(url);
    assertEquals(await first.json(), { n: 1 });
    assertEquals(first.headers.get("Vary"), "Cookie");
    assertEquals(first.headers.get("Cache-Control"), "no-store");
    assertEquals(attributesOf(lineOf(first)), [
      "HttpOnly",
      "Path=/",
      "SameSite=Lax",
    ]);
    const second = await fetchWith(url, `session=${cookieSetBy(first)}`);
    assertEquals(await second.json(), { n: 2 });
    const third = await fetchWith(url);
    assertEquals(await third.json(), { n: 1 });
  });
});

Deno.test("a served handler gets Deno.ServeHandlerInfo", async () => {
  const handler = withSession(
    session,
    (_request, _dict, info: Deno.ServeHandlerInfo<Deno.NetAddr>) =>
      new Response(info.remoteAddr.hostname),
  );
  await serve(handler, async (url) => {
    assertEquals(await (await fetchWith(url)).text(), "127.0.0.1");
  });
});

Deno.test("a served Response.redirect() carries the cookie", async () => {
  const handler = withSession(session, (request, dict) => {
    dict.n = 1;
    dict.save();
    return Response.redirect(new URL("/next", request.url), 303);
  });
  await serve(handler, async (url) => {
    const response = await fetchWith(url);
    await response.body?.cancel();
    assertEquals(response.status, 303);
    assertEquals(response.headers.get("Location"), `${url}next`);
    assertEquals(payloadOf(cookieSetBy(response)).n, 1);
  });
});

for (
  const [what, constant] of Object.entries({
    "Response.redirect()": Response.redirect("http://localhost/next"),
    "bare response": new Response(null, { status: 204 }),
    "bare response with Content-Type": new Response(null, {
      status: 204,
      headers: { "Content-Type": "text/plain" },
    }),
  })
) {
  Deno.test(`a served ${what} that is kept carries no other visitor's cookie`, async () => {
    const handler = withSession(session, (request, dict) => {
      if (new URL(request.url).pathname === "/save") dict.save();
      return constant;
    });
    await serve(handler, async (url) => {
      const first = await fetchWith(`${url}save`);
      const second = await fetchWith(url);
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
    const handler = withSession(session, (_request, dict) => {
      dict.n = 1;
      dict.save();
      return fetch(upstreamUrl);
    });
    await serve(handler, async (url) => {
      const response = await fetchWith(url);
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
    const handler = withSession(session, (_request, dict) => {
      dict.save();
      return fetch(upstreamUrl);
    });
    await serve(handler, async (url) => {
      const response = await fetchWith(url);
      await response.body?.cancel();
      assertEquals(response.status, 304);
      assertEquals(response.headers.getSetCookie().length, 1);
    });
  });
});

Deno.test("a served stream has its cookie decided before the first byte", async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const late: unknown[] = [];
  const handler = withSession(session, (_request, dict) => {
    dict.n = 1;
    dict.save();
    let isBegun = false;
    const stream = new ReadableStream({
      async pull(controller) {
        if (isBegun) {
          await gate;
          controller.enqueue(encoder.encode("end"));
          return controller.close();
        }
        isBegun = true;
        late.push(await assertRejects(() => dict.save(), Error, "response"));
        controller.enqueue(encoder.encode("begin "));
      },
    }, { highWaterMark: 0 });
    return new Response(stream);
  });
  await serve(handler, async (url) => {
    const response = await fetchWith(url);
    assertEquals(payloadOf(cookieSetBy(response)).n, 1);
    open();
    assertEquals(await response.text(), "begin end");
    assertEquals(late.length, 1);
  });
});

Deno.test("a served Response.error() is an error of its own, and the next request is served", async () => {
  const handler = withSession(session, (request, dict) => {
    dict.save();
    return request.url.endsWith("/error")
      ? Response.error()
      : new Response("Hello");
  });
  const errors: unknown[] = [];
  const onError = (error: unknown) => {
    errors.push(error);
    return new Response("Sorry", { status: 500 });
  };
  await serve(handler, async (url) => {
    const failed = await fetchWith(`${url}error`);
    assertEquals(failed.status, 500);
    assertEquals(await failed.text(), "Sorry");
    assertEquals(failed.headers.getSetCookie(), []);
    assertEquals(errors.length, 1);
    const next = await fetchWith(url);
    assertEquals(await next.text(), "Hello");
    assertEquals(next.headers.getSetCookie().length, 1);
  }, onError);
});

Deno.test("a served thrown Response carries the cookie", async () => {
  const handler = withSession(session, (_request, dict) => {
    dict.n = 1;
    dict.save();
    throw new Response("Stop", { status: 403 });
  });
  await serve(handler, async (url) => {
    const response = await fetchWith(url);
    assertEquals(response.status, 403);
    assertEquals(await response.text(), "Stop");
    assertEquals(payloadOf(cookieSetBy(response)).n, 1);
  });
});

Deno.test("a served error reaches onError, and no cookie leaves", async () => {
  const failure = new Error("broken");
  const errors: unknown[] = [];
  const onError = (error: unknown) => {
    errors.push(error);
    return new Response("Sorry", { status: 500 });
  };
  const handler = withSession(session, async (_request, dict) => {
    await dict.save();
    throw failure;
  });
  await serve(handler, async (url) => {
    const response = await fetchWith(url);
    assertEquals(response.status, 500);
    assertEquals(await response.text(), "Sorry");
    assertEquals(response.headers.getSetCookie(), []);
  }, onError);
  assertEquals(errors, [failure]);
});

Deno.test("a served save that fails reaches onError, unawaited as it is", async () => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => {
    errors.push(error);
    return new Response("Sorry", { status: 500 });
  };
  const untyped = new Session({ secretKey: KEY });
  const handler = withSession(untyped, (_request, dict) => {
    dict.text = "x".repeat(5_000);
    dict.save();
    return new Response("Hello");
  });
  await serve(handler, async (url) => {
    const response = await fetchWith(url);
    assertEquals(response.status, 500);
    assertEquals(await response.text(), "Sorry");
  }, onError);
  assertEquals(errors.map((error) => error instanceof RangeError), [true]);
});

/** Upgrades, saves, echoes one message, and tells when the socket is closed. */
function echo(closed: PromiseWithResolvers<void>): Handler {
  return withSession(session, (request, dict: SessionDict<{ n: number }>) => {
    dict.n = (dict.n ?? 0) + 1;
    dict.save();
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    socket.onerror = () => {};
    socket.onclose = () => closed.resolve();
    return response;
  });
}

Deno.test("a served WebSocket upgrade carries the cookie", async () => {
  const closed = Promise.withResolvers<void>();
  await serve(echo(closed), async (_url, port) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(encoder.encode(
      [
        "GET / HTTP/1.1",
        `Host: 127.0.0.1:${port}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        `Cookie: session=${await signToken({ n: 1 })}`,
        "",
        "",
      ].join("\r\n"),
    ));
    const head = await readUntil(connection, "\r\n\r\n");
    assertEquals(statusOf(head), 101);
    const lines = head.split("\r\n").filter((line) =>
      /^set-cookie:/i.test(line)
    );
    assertEquals(lines.length, 1);
    const value = /session=([^;]+)/.exec(lines[0])?.[1];
    assertEquals(payloadOf(value).n, 2);
    // A masked, empty close frame (RFC 6455 section 5.5.1).
    await connection.write(new Uint8Array([0x88, 0x80, 0, 0, 0, 0]));
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

for (const [what, cookie] of Object.entries(GARBAGE)) {
  Deno.test(`a served Cookie header of ${what} is an empty session`, async () => {
    await serve(count, async (_url, port) => {
      const raw = await send(
        port,
        "GET / HTTP/1.1",
        "Host: a.example",
        `Cookie: ${cookie}`,
      );
      assertEquals(statusOf(raw), 200);
      assert(raw.includes('{"n":1}'), raw);
    });
  });
}

for (const [what, make] of Object.entries(BESIDE)) {
  Deno.test(`a served session is found beside ${what}`, async () => {
    const cookie = make(`session=${await signToken({ n: 1 })}`);
    await serve(count, async (_url, port) => {
      const raw = await send(
        port,
        "GET / HTTP/1.1",
        "Host: a.example",
        `Cookie: ${cookie}`,
      );
      assertEquals(statusOf(raw), 200);
      assert(raw.includes('{"n":2}'), raw);
    });
  });
}

Deno.test("a served session is found in the second of two Cookie headers", async () => {
  const value = await signToken({ n: 1 });
  await serve(count, async (_url, port) => {
    const raw = await send(
      port,
      "GET / HTTP/1.1",
      "Host: a.example",
      "Cookie: a=1",
      `Cookie: session=${value}`,
      "Cookie: b=2",
    );
    assert(raw.includes('{"n":2}'), raw);
  });
});

Deno.test("a malformed Host header is never a 500", async () => {
  await serve(count, async (_url, port) => {
    for (const host of HOSTS) {
      const raw = await send(port, "GET / HTTP/1.1", `Host: ${host}`);
      const status = statusOf(raw);
      assert(status === 200 || status === 400, `${host}: ${raw}`);
      if (status === 200) assert(raw.includes('{"n":1}'), `${host}: ${raw}`);
    }
  });
});

Deno.test("a malformed Host header does not make a cookie Secure", async () => {
  await serve(count, async (_url, port) => {
    for (const host of ["https://evil", "https:", "a@https://b"]) {
      const raw = await send(port, "GET / HTTP/1.1", `Host: ${host}`);
      assert(statusOf(raw) < 500, raw);
      assert(!raw.includes("Secure"), raw);
    }
  });
});

Deno.test("a request without a Host header is served", async () => {
  await serve(count, async (_url, port) => {
    const raw = await send(port, "GET / HTTP/1.0");
    assertEquals(statusOf(raw), 200);
    assert(raw.includes('{"n":1}'), raw);
  });
});

Deno.test("a malformed request target is never a 500", async () => {
  await serve(count, async (_url, port) => {
    for (const target of ["//", "/%", "/%00", "http://[/", "*", "a", "/\xE9"]) {
      const raw = await send(port, `GET ${target} HTTP/1.1`, "Host: a.example");
      assert(statusOf(raw) < 500, `${target}: ${raw}`);
    }
  });
});

Deno.test("concurrent requests keep their sessions apart", async () => {
  await serve(count, async (url) => {
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    const answers = await Promise.all(numbers.map(async (n) => {
      const response = await fetchWith(
        url,
        `session=${await signToken({ n })}`,
      );
      assertEquals(payloadOf(cookieSetBy(response)).n, n + 1);
      return (await response.json()).n;
    }));
    assertEquals(answers, numbers.map((n) => n + 1));
  });
});
