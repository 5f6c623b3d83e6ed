/** Password hashes that Python's libraries make, and read. */

import { assertEquals } from "@std/assert";
import { hashPassword, verifyPassword } from "../../helpers/passwords.ts";
import { hasPython, runPython } from "../_processes.ts";

const PASSWORDS = ["hello", "Zo\u00EB \u{1F36A}", "", "x".repeat(100)];

/** Hashes passwords with a library, by a function of that name. */
const LIBRARIES: [module: string, make: string][] = [
  [
    "passlib",
    `from passlib.hash import pbkdf2_sha256
make = pbkdf2_sha256.using(rounds=1000).hash`,
  ],
  [
    "werkzeug",
    `from werkzeug.security import generate_password_hash
make = lambda password: generate_password_hash(password, "pbkdf2:sha256:1000")`,
  ],
  [
    "django",
    `from django.conf import settings
settings.configure()
from django.contrib.auth.hashers import PBKDF2PasswordHasher
hasher = PBKDF2PasswordHasher()
make = lambda password: hasher.encode(password, hasher.salt(), 1000)`,
  ],
];

const HASH = `
import json, sys
print(json.dumps([make(password) for password in json.loads(sys.argv[1])]))`;

const VERIFY = `
import json, sys
from passlib.hash import pbkdf2_sha256
print(json.dumps([pbkdf2_sha256.verify(*one) for one in json.loads(sys.argv[1])]))`;

for (const [module, make] of LIBRARIES) {
  Deno.test({
    name: `verifyPassword() verifies hashes that ${module} has just made`,
    ignore: !await hasPython(module),
    async fn() {
      const hashes = await runPython(make + HASH, PASSWORDS) as string[];
      for (const [index, hash] of hashes.entries()) {
        for (const password of PASSWORDS) {
          const isRight = password === PASSWORDS[index];
          assertEquals(await verifyPassword(password, hash), isRight);
        }
      }
    },
  });
}

Deno.test({
  name: "passlib verifies the hashes of hashPassword()",
  ignore: !await hasPython("passlib"),
  async fn() {
    const [hello, empty] = await Promise.all(["hello", ""].map(hashPassword));
    const pairs = [["hello", hello], ["Hello", hello], ["", empty]];
    assertEquals(await runPython(VERIFY, pairs), [true, false, true]);
  },
});
