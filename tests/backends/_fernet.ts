/**
 * Keys and tokens of Fernet, as Python has them.
 *
 * @module
 */

import type { Payload } from "../../backends/fernet.ts";

/** The key of the Fernet Spec's examples. */
export const SPEC_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
/** What Muffin's `session_type="fernet"` is configured with. */
export const MUFFIN_KEY = "x".repeat(32);
/** A key of 43 characters, as `generateSecretKey()` makes them. */
const LONG_KEY = "generated-by-generate-secret-key-43-chars-x";
/** 32 bytes in UTF-8, in 16 characters. */
const ACCENTED_KEY = "é".repeat(16);

/**
 * Made with python3-cryptography 38.0.4 at `NOW`, with the IV 0, 1, 2 to 15:
 * `Fernet(key)._encrypt_from_parts(json.dumps(data).encode(), now, iv)`, where
 * the key is `secretKey` itself, `urlsafe_b64encode` of its bytes, or that of
 * `HKDF(SHA256(), 32, None, b"denizen fernet").derive(secret)`.
 */
export const PYTHON_TOKENS: {
  what: string;
  secretKey: string;
  token: string;
  data: Payload;
}[] = [
  {
    what: "a Fernet key",
    secretKey: SPEC_KEY,
    token:
      "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD-l33qw5t4VtnV79lUmkrhg9-smfc5G1TI6VfqhTy6APMxqMd7MDV7z4GkvCYKzpznHQ4CL-UOf5Sq-wAQDTk-8=",
    data: { name: "susan", n: 1 },
  },
  {
    what: "a Muffin secret of 32 bytes",
    secretKey: MUFFIN_KEY,
    token:
      "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD0YWWPkeRCZ2ud_qpz3yKUurgJ7kQ7IhxK2-u6uW6byp0Dqrgm3gUX0_4hedg3DkT0YvZK28pj6oklI6ye4Hr60=",
    data: { id: "susan", visits: 3 },
  },
  {
    what: "32 bytes of UTF-8",
    secretKey: ACCENTED_KEY,
    token:
      "gAAAAABlU_EAAAECAwQFBgcICQoLDA0ODzoLZHVbdAN4OaWWKO_I0QMYfroovYz5nxcOy3IOwUD_EY9Xdlrx_N5O3uw5mcIp5T0u8sfpTDEYpLTyhLSklUc=",
    data: { name: "zoë €" },
  },
  {
    what: "a longer key, by HKDF",
    secretKey: LONG_KEY,
    token:
      "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD-cX42PFAhpns1IIMkb3gQ3_j0oCyT0I5RlaP72anI1FRw_F0HGF8HCrLg4gDKxFo29U7Kito-Svxvql0IphFKQ=",
    data: { name: "susan" },
  },
];
