import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { decodeBase64Url } from "@std/encoding/base64url";
import { generateSecretKey } from "../../helpers.ts";
import { Session } from "../../session.ts";

Deno.test("generateSecretKey() makes 32 bytes in base64url without padding", () => {
  const key = generateSecretKey();
  assert(/^[A-Za-z0-9_-]{43}$/.test(key), key);
  assertEquals(decodeBase64Url(key).length, 32);
});

Deno.test("generateSecretKey() makes another key each time", () => {
  assertNotEquals(generateSecretKey(), generateSecretKey());
});

Deno.test("generateSecretKey() makes a key that a session takes", async () => {
  const session = new Session({ secretKey: generateSecretKey() });
  const value = await session.encode({ n: 1 });
  assertEquals(await session.decode(value), { n: 1 });
});
