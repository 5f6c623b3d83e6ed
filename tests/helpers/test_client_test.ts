import { assertEquals, assertThrows } from "@std/assert";
import { TestClient, type TestHandler } from "../../helpers/testing.ts";

Deno.test("new TestClient() takes a handler or an origin, and says so", () => {
  for (const target of [undefined, {}, "localhost:8000", "/", "data:,"]) {
    assertThrows(
      () => new TestClient(target as TestHandler),
      TypeError,
      "it takes a handler, or an origin",
    );
  }
});

Deno.test("TestClient.fetch() accepts what a script does, or what it is told", async () => {
  const client = new TestClient(({ headers }) =>
    new Response(headers.get("Accept"))
  );
  const html = { headers: { Accept: "text/html" } };
  assertEquals(await (await client.fetch("/")).text(), "*/*");
  assertEquals(await (await client.fetch("/", html)).text(), "text/html");
});
