/** The vectors of the Fernet Spec, whose contents are no sessions. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  decryptToken,
  encryptToken,
  type FernetKey,
  importFernetKey,
  tokenTimeProblem,
} from "../../../backends/tokens/fernet_token.ts";
import { fromBase64 } from "../_base64.ts";
import { SPEC_KEY } from "../_fernet.ts";

/** generate.json */
const GENERATE = {
  token:
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
  now: "1985-10-26T01:20:00-07:00",
  iv: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  src: "hello",
};

/** verify.json */
const VERIFY = {
  token:
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
  now: "1985-10-26T01:20:01-07:00",
  ttl_sec: 60,
  src: "hello",
};

/** invalid.json */
const INVALID = [
  {
    desc: "incorrect mac",
    token:
      "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "too short",
    token: "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "invalid base64",
    token:
      "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "payload size not multiple of block size",
    token:
      "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "payload padding error",
    token:
      "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "far-future TS (unacceptable clock skew)",
    token:
      "gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
  {
    desc: "expired TTL",
    token:
      "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
    now: "1985-10-26T01:21:31-07:00",
    ttl_sec: 60,
  },
  {
    desc: "incorrect IV (causes padding error)",
    token:
      "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
    now: "1985-10-26T01:20:01-07:00",
    ttl_sec: 60,
  },
];

function specKey(): Promise<FernetKey> {
  return importFernetKey(fromBase64(SPEC_KEY));
}

Deno.test("encryptToken() makes the token of the spec's generate.json", async () => {
  const token = await encryptToken(new TextEncoder().encode(GENERATE.src), {
    key: await specKey(),
    time: Date.parse(GENERATE.now) / 1000,
    iv: new Uint8Array(GENERATE.iv),
  });
  assertEquals(token, GENERATE.token);
});

/** Reads a token as Fernet Spec, Verifying, says: its time included. */
async function read(
  token: string,
  now: number,
  maxAge: number,
): Promise<Uint8Array | null> {
  const bytes = await decryptToken(token, [await specKey()]);
  return bytes && tokenTimeProblem(token, now, maxAge) === undefined
    ? bytes
    : null;
}

Deno.test("decryptToken() reads the token of the spec's verify.json", async () => {
  const now = Date.parse(VERIFY.now) / 1000;
  const bytes = await read(VERIFY.token, now, VERIFY.ttl_sec);
  assert(bytes !== null);
  assertEquals(new TextDecoder().decode(bytes), VERIFY.src);
});

for (const { desc, token, now, ttl_sec } of INVALID) {
  Deno.test(`decryptToken() returns null for the spec's invalid.json: ${desc}`, async () => {
    assertEquals(await read(token, Date.parse(now) / 1000, ttl_sec), null);
  });
}

Deno.test("decryptToken() reads the spec's expired token a minute earlier", async () => {
  const expired = INVALID.find(({ desc }) => desc === "expired TTL");
  assert(expired !== undefined);
  const now = Date.parse(expired.now) / 1000 - 60;
  const bytes = await read(expired.token, now, expired.ttl_sec);
  assertEquals(bytes, new Uint8Array());
});

Deno.test("decryptToken() passes on an error that is none of the token's", async () => {
  const { signing } = await specKey();
  const bytes = new Uint8Array(16);
  const encryption = await crypto.subtle.importKey(
    "raw",
    bytes,
    "AES-CBC",
    false,
    ["encrypt"], // And not "decrypt".
  );
  const error = await assertRejects(() =>
    decryptToken(VERIFY.token, [{ signing, encryption }])
  );
  assert(error instanceof DOMException);
  assertEquals(error.name, "InvalidAccessError");
});
