import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { captureRejections } from "../_helpers.ts";
import {
  hashPassword,
  needsRehash,
  verifyPassword,
} from "../../helpers/passwords.ts";

const PASSWORDS = ["hello", "Zo\u00EB \u{1F36A}", ""];

/**
 * Hashes of those passwords, made with passlib 1.7.4, Werkzeug 2.2.2, Django
 * 3.2.25 (Debian's) and the pbkdf2.py of Microdot's login example.
 */
const VECTORS: Record<string, string[]> = {
  passlib: [
    "$pbkdf2-sha256$1000$idH6vxdiDCEEQKiVUsoZ4w$XXNyFmwECkY8GjYa.oegpZ6mEDrMQLQCYAuH.ekSS3Y",
    "$pbkdf2-sha256$1000$Q2htjRHiXCsFIOQ855yzFg$.LU2Tz6YlJqIRZxwUQiI7a.3fV0kHuwSu5gq2zfHD08",
    "$pbkdf2-sha256$1000$zBmj1BrD2DvnfE/JOacUgg$bCbGpfM8h4IDRwUmd3nqSeaiibCBO73Yr9MPDN.3Wbs",
  ],
  Werkzeug: [
    "pbkdf2:sha256:1000$AnXLEHapzm51vSlx$5de72d885f722b64df7cbdb06e890b4bce2ded4fe7b91abea1f1b2954c02555b",
    "pbkdf2:sha256:1000$IJSjREMhwfdvsHp0$1d1e87c3df6589e17e6783a0be16c45ea53e69eb558e4bf45c9708dca9c6f61f",
    "pbkdf2:sha256:1000$mbuZ21PzTC4lhRYW$9c12c1b6342e32b3d6b4420e029069db228dba49b9417d9781ce7c55fb8fd8c6",
  ],
  Django: [
    "pbkdf2_sha256$1000$seasalt$RD2CKhnDcnVNzUV454538K+x6R3OOcwZfjbISYPSaUI=",
    "pbkdf2_sha256$1000$seasalt$hjtn9/bSzeeu2Mv1UFWY6lP0c/DXc1fEtGkycRxlYiA=",
    "pbkdf2_sha256$1000$seasalt$XHfRVmyEZRTCcSbqGP00JKv0fRwYHK0ogjPZdSJxCXk=",
  ],
  Microdot: [
    "pbkdf2-hmac-sha256:b32078a40019332ca9d5304a326a3b6e:1000:6c8b1b160b7c0419b005dc1d66a55060998974d8eea1e555273863733bc00845",
    "pbkdf2-hmac-sha256:7ea875ab9e95eaa9e12a43293d7d6f69:1000:dfb020407037b833c7da2ffb6ac18050e3f080e83fc34b7693ddae6ebce1aa23",
    "pbkdf2-hmac-sha256:0c8cb4d74d394aaa83add5057f6100d2:1000:b8b1e0b1d4035257f436fa35d8890887fd18c3c50ca89cf68b09997241939158",
  ],
};
const HELLO = VECTORS.passlib[0];

/** passlib's, with salts of other lengths. */
const SALTS = [
  "$pbkdf2-sha256$1000$$knnG8sO6PcCk2IhPqTYbQJYyYIUarkQ5aP7dznsR5xk",
  "$pbkdf2-sha256$1000$Ag$WeLXyKf.1MVERIFFqaHQgTk4bAInX7eqD.0EnIlccz4",
];

/** What is no hash, or no whole one: a short key would let many passwords in. */
const NO_HASHES: unknown[] = [
  "",
  "hello",
  "$",
  "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
  "scrypt:32768:8:1$salt$00",
  "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
  "$pbkdf2-sha512$1000$c2FsdHNhbHQ$c2FsdA",
  "pbkdf2:sha1:1000$salt$00",
  "pbkdf2_sha1$1000$salt$AA==",
  ...Object.values(VECTORS).flatMap(([hash]) => [
    hash.slice(0, -1),
    hash.slice(0, 20),
    `${hash}A`,
    `${hash}\n`,
    ` ${hash}`,
    hash.toUpperCase(),
    hash.replace("1000", "0"),
    hash.replace("1000", "-1000"),
    hash.replace("1000", "1e3"),
    hash.replace("1000", "9999999999"),
    hash.replace("1000", ""),
  ]),
  "$pbkdf2-sha256$1000$A$XXNyFmwECkY8GjYa.oegpZ6mEDrMQLQCYAuH.ekSS3Y",
  "pbkdf2-hmac-sha256:b:1000:a",
  "pbkdf2-hmac-sha256::1000:",
  0,
  true,
  {},
  [],
  Object("hello"),
];

/** What can't be anybody's password. */
const NO_PASSWORDS: unknown[] = [
  undefined,
  null,
  0,
  true,
  {},
  [],
  ["hello"],
  { toString: () => "hello" },
  new File(["hello"], "password"),
  "x".repeat(1025),
  "\u20AC".repeat(342),
  "hello".repeat(10_000_000),
];

/** What keys are derived of, while it is replaced: the keys are all zeros. */
class Derivations implements Disposable {
  readonly #real = crypto.subtle.deriveBits;
  readonly iterations: number[] = [];
  /** How many are under way, and the most that ever were. */
  running = 0;
  most = 0;

  constructor(answer = (): Promise<unknown> => Promise.resolve()) {
    crypto.subtle.deriveBits = async (algorithm, _key, length) => {
      this.iterations.push(Number((algorithm as Pbkdf2Params).iterations));
      this.most = Math.max(this.most, ++this.running);
      try {
        await answer();
      } finally {
        this.running--;
      }
      return new ArrayBuffer(Number(length) / 8);
    };
  }

  [Symbol.dispose](): void {
    crypto.subtle.deriveBits = this.#real;
  }
}

for (const [name, hashes] of Object.entries(VECTORS)) {
  Deno.test(`verifyPassword() verifies the hashes of ${name}`, async () => {
    for (const [index, hash] of hashes.entries()) {
      for (const password of PASSWORDS) {
        const isRight = password === PASSWORDS[index];
        assertEquals(await verifyPassword(password, hash), isRight);
      }
      assertEquals(await verifyPassword(`${PASSWORDS[index]} `, hash), false);
      assertEquals(needsRehash(hash), true);
    }
  });
}

Deno.test("verifyPassword() compares the whole key", async () => {
  const [hash] = VECTORS.Microdot;
  const start = hash.length - 64;
  for (let index = start; index < hash.length; index++) {
    const digit = hash[index] === "0" ? "1" : "0";
    const other = hash.slice(0, index) + digit + hash.slice(index + 1);
    assertEquals(await verifyPassword("hello", other), false);
  }
});

Deno.test("verifyPassword() knows no password of Microdot's over 64 bytes, which has another HMAC", async () => {
  const salt = "pbkdf2-hmac-sha256:73656173616c74:10:";
  const key64 =
    "3f3a0d6da08070d5243f188479bbbe58931d724f296bddcc075e8aca347cbdb6";
  const key65 =
    "b020b064e7e5525d577fc00fc5364d041fa4b22616b324ec9235307325ed62c5";
  assertEquals(await verifyPassword("x".repeat(64), salt + key64), true);
  assertEquals(await verifyPassword("x".repeat(65), salt + key65), false);
});

Deno.test("verifyPassword() takes salts of any length", async () => {
  for (const hash of SALTS) {
    assertEquals(await verifyPassword("hello", hash), true);
    assertEquals(await verifyPassword("Hello", hash), false);
  }
});

Deno.test("hashPassword() makes a hash of its own each time, which verifies", async () => {
  const [hash, other] = await Promise.all([
    hashPassword("caf\u00E9"),
    hashPassword("caf\u00E9"),
  ]);
  const form = /^\$pbkdf2-sha256\$600000\$[\w./]{22}\$[\w./]{43}$/;
  assert(form.test(hash), hash);
  assertNotEquals(other, hash);
  assertEquals(needsRehash(hash), false);
  assertEquals(await verifyPassword("caf\u00E9", hash), true);
  // A password is the bytes that were typed.
  assertEquals(await verifyPassword("cafe\u0301", hash), false);
});

Deno.test("verifyPassword() without a hash takes as long, and is false", async () => {
  using derivations = new Derivations();
  assertEquals(await verifyPassword("hello", undefined), false);
  assertEquals(await verifyPassword("hello", null), false);
  assertEquals(derivations.iterations, [600_000, 600_000]);
});

Deno.test("verifyPassword() is false for what is no password, before any work", async () => {
  using derivations = new Derivations();
  for (const password of NO_PASSWORDS) {
    assertEquals(await verifyPassword(password, HELLO), false);
    assertEquals(await verifyPassword(password, undefined), false);
  }
  assertEquals(derivations.iterations, []);
});

Deno.test("hashPassword() and verifyPassword() take passwords of up to 1,024 bytes", async () => {
  using derivations = new Derivations();
  for (const password of ["x".repeat(1024), "\u{1F36A}".repeat(256)]) {
    await hashPassword(password);
    await verifyPassword(password, HELLO);
  }
  assertEquals(derivations.iterations, [600_000, 1000, 600_000, 1000]);
});

Deno.test("hashPassword() rejects what is no password", async () => {
  for (const password of NO_PASSWORDS) {
    const isLong = typeof password === "string";
    await assertRejects(
      () => hashPassword(password as string),
      isLong ? RangeError : TypeError,
      isLong ? "it has more than 1024 bytes" : "it must be a string, not ",
    );
  }
});

for (const [index, hash] of NO_HASHES.entries()) {
  Deno.test(`verifyPassword() rejects what is no hash, and does not repeat it (${index})`, async () => {
    for (const password of ["hello", undefined]) {
      const { message } = await assertRejects(
        () => verifyPassword(password, hash as string),
        TypeError,
        "Cannot verify password: its hash has none of the forms that are known",
      );
      assert(
        typeof hash !== "string" || hash.length < 6 ||
          !message.includes(hash),
      );
    }
  });
}

Deno.test("needsRehash() says so of whatever is weaker, or of another form", () => {
  const key = "A".repeat(43);
  const rounds: [rounds: string, isNeeded: boolean][] = [
    ["1", true],
    ["599999", true],
    ["600000", false],
    ["1000000", false],
    ["", true],
    ["many", true],
  ];
  for (const [number, isNeeded] of rounds) {
    const hash = `$pbkdf2-sha256$${number}$AAAA$${key}`;
    assertEquals(needsRehash(hash), isNeeded, hash);
    assertEquals(needsRehash(hash.replace("sha256", "sha512")), true);
  }
  for (const garbage of ["", "$", "$$$", "hello"]) assert(needsRehash(garbage));
  assertThrows(
    () => needsRehash(undefined as unknown as string),
    TypeError,
    "Cannot use hash",
  );
});

Deno.test("a core is left to other requests, however many hashes are made", async () => {
  using derivations = new Derivations(() =>
    new Promise((resolve) => setTimeout(resolve))
  );
  const all = await Promise.all(
    Array.from({ length: 40 }, () => verifyPassword("hello", HELLO)),
  );
  assertEquals([all.length, derivations.iterations.length], [40, 40]);
  const cores = navigator.hardwareConcurrency;
  assertEquals(derivations.most, Math.max(1, Math.min(cores - 1, 40)));
});

Deno.test("a hash that fails leaves its place to the next", async () => {
  {
    using _ = new Derivations(() => Promise.reject(new Error("broken")));
    const all = Array.from(
      { length: 100 },
      () => assertRejects(() => hashPassword("hello"), Error, "broken"),
    );
    await Promise.all(all);
  }
  assertEquals(await verifyPassword("hello", HELLO), true);
});

Deno.test("what is no password or no hash may be left unawaited", async () => {
  using unhandled = captureRejections();
  hashPassword("x".repeat(1025));
  verifyPassword("hello", "no hash");
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(unhandled.reasons, []);
});
