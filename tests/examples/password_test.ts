import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { hashPassword, verifyPassword } from "../../examples/_password.ts";

/** `hashlib.pbkdf2_hmac("sha256", b"hello", bytes(16), 1000)` of Python's. */
const HELLO = `pbkdf2-sha256$1000$${
  "A".repeat(22)
}$DpZxGBiS1rO7aCZX6NuFBlUgPeXSLxdWDwksYC-Huas`;

Deno.test("hashPassword() makes a hash of its own each time, of 600,000 rounds", async () => {
  const [hash, other] = await Promise.all([
    hashPassword("caf\u00E9"),
    hashPassword("caf\u00E9"),
  ]);
  assert(/^pbkdf2-sha256\$600000\$[\w-]{22}\$[\w-]{43}$/.test(hash), hash);
  assertNotEquals(other, hash);
  assertEquals(await verifyPassword("cafe\u0301", hash), true);
});

Deno.test("verifyPassword() derives the key that Python's hashlib does", async () => {
  assertEquals(await verifyPassword("hello", HELLO), true);
  assertEquals(await verifyPassword("hello ", HELLO), false);
});

Deno.test("verifyPassword() refuses every password without a hash", async () => {
  assertEquals(await verifyPassword("hello"), false);
});

Deno.test("verifyPassword() rejects a hash of another kind", async () => {
  await assertRejects(
    () => verifyPassword("hello", "scrypt$16384$salt$key"),
    TypeError,
    "its hash is of another kind",
  );
});
