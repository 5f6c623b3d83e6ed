import { assertEquals } from "@std/assert";
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { KEY, OTHER_KEY, serve } from "../_helpers.ts";
import { HEADER, otherSpellings, signInput } from "../_tokens.ts";
import { cookie, forge, forgeDavid, payload } from "./_forge.ts";
import { attack, NOBODY, testRefusals, type TokenRow, whoIs } from "./_site.ts";

const TRAVERSAL = '"../../../../dev/null"';

/** Headers under a signature that is right for HS256 and our key. */
const HEADERS: [what: string, header: string][] = [
  ["alg none", '{"alg":"none","typ":"JWT"}'],
  ["alg None", '{"alg":"None","typ":"JWT"}'],
  ["alg NONE", '{"alg":"NONE","typ":"JWT"}'],
  ["alg nOnE", '{"alg":"nOnE","typ":"JWT"}'],
  ["alg none after alg HS256", '{"alg":"HS256","alg":"none"}'],
  ["no alg", '{"typ":"JWT"}'],
  ["an empty alg", '{"alg":"","typ":"JWT"}'],
  ["alg hs256", '{"alg":"hs256","typ":"JWT"}'],
  ["alg HS256 and a space", '{"alg":"HS256 ","typ":"JWT"}'],
  ["an array as alg", '{"alg":["HS256"],"typ":"JWT"}'],
  ["alg null", '{"alg":null,"typ":"JWT"}'],
  ["alg true", '{"alg":true,"typ":"JWT"}'],
  ["an inherited alg", '{"__proto__":{"alg":"HS256","typ":"JWT"}}'],
  ["alg HS384", '{"alg":"HS384","typ":"JWT"}'],
  ["alg HS512", '{"alg":"HS512","typ":"JWT"}'],
  ["alg RS256", '{"alg":"RS256","typ":"JWT"}'],
  ["alg PS256", '{"alg":"PS256","typ":"JWT"}'],
  ["alg ES256", '{"alg":"ES256","typ":"JWT"}'],
  ["alg EdDSA", '{"alg":"EdDSA","typ":"JWT"}'],
  ["crit", '{"alg":"HS256","typ":"JWT","crit":["exp"]}'],
  ["an empty crit", '{"alg":"HS256","typ":"JWT","crit":[]}'],
  ["crit null", '{"alg":"HS256","typ":"JWT","crit":null}'],
  ["b64 false", '{"alg":"HS256","b64":false}'],
  ["b64 true", '{"alg":"HS256","b64":true}'],
  ["b64 false and crit", '{"alg":"HS256","b64":false,"crit":["b64"]}'],
  ["typ remember+jwt", '{"alg":"HS256","typ":"remember+jwt"}'],
  ["typ at+jwt", '{"alg":"HS256","typ":"at+jwt"}'],
  ["typ null", '{"alg":"HS256","typ":null}'],
  ["an array as typ", '{"alg":"HS256","typ":["JWT"]}'],
  ["an array as header", '["HS256"]'],
  ["null as header", "null"],
  ["a string as header", '"HS256"'],
  ["a number as header", "256"],
  ["a header cut off", '{"alg":"HS256","typ":"JWT"'],
  ["more behind the header", '{"alg":"HS256","typ":"JWT"}{}'],
  ["a BOM before the header", '\uFEFF{"alg":"HS256","typ":"JWT"}'],
  ["no header", ""],
];

/** Headers that name a key, under a signature by another key than ours. */
const KEY_HEADERS: [what: string, header: string][] = [
  ["the key in jwk", `"jwk":{"kty":"oct","k":"${encodeBase64Url(OTHER_KEY)}"}`],
  ["kid none", '"kid":"none"'],
  ["a path in kid", `"kid":${TRAVERSAL}`],
  ["SQL in kid", `"kid":"x' UNION SELECT '${OTHER_KEY}' --"`],
  ["a certificate in x5c", '"x5c":["MIIB"]'],
];

/** Tokens whose MAC is none of ours. */
const MACS: TokenRow[] = [
  ["alg none and no signature", () => unsigned('{"alg":"none"}')],
  ["alg HS256 and no signature", () => unsigned(HEADER)],
  ["no signature", () => change(() => "")],
  ["one byte of the MAC", () => change((mac) => mac.slice(0, 2))],
  ["16 bytes of the MAC", () => changeMac((mac) => mac.slice(0, 16))],
  ["31 bytes of the MAC", () => changeMac((mac) => mac.slice(0, 31))],
  ["33 bytes as MAC", () => changeMac((mac) => new Uint8Array([...mac, 0]))],
  ["the MAC twice", () => changeMac((mac) => new Uint8Array([...mac, ...mac]))],
  ["a MAC of zeros", () => changeMac((mac) => mac.fill(0))],
  ["the first bit of the MAC turned", () => flipBit(0)],
  ["a bit within the MAC turned", () => flipBit(16 * 8 + 3)],
  ["the last bit of the MAC turned", () => flipBit(255)],
  ["HMAC-SHA-384", () => forge({ hash: "SHA-384" })],
  ["HMAC-SHA-512", () => forge({ hash: "SHA-512" })],
  [
    "HS512 of the right key",
    () => forge({ header: '{"alg":"HS512","typ":"JWT"}', hash: "SHA-512" }),
  ],
  ["half of an HS512 signature", async () => {
    const token = await forge({ hash: "SHA-512" });
    return token.slice(0, token.lastIndexOf(".") + 44);
  }],
  ["another key", () => forge({ key: OTHER_KEY })],
  ["one zero byte as key", () => forge({ key: new Uint8Array(1) })],
  ["the key's beginning", () => forge({ key: KEY.slice(0, 32) })],
  ["the key in base64url", () => forge({ key: encodeBase64Url(KEY) })],
  ["another's payload", async () => splice(await forgeDavid())],
];

/** Tokens in a form that no library makes. */
const SPELLINGS: TokenRow[] = [
  ["two parts", async () => (await parts()).slice(0, 2).join(".")],
  ["one part", async () => (await parts())[1]],
  ["four parts", async () => `${await forge()}.AAAA`],
  ["four parts, the last one empty", async () => `${await forge()}.`],
  ["four parts, the first one empty", async () => `.${await forge()}`],
  ["two dots", () => ".."],
  ["60,000 dots", () => ".".repeat(60_000)],
  ["60,000 letters", () => "A".repeat(60_000)],
  ["the second spelling of a signature", spelling(0)],
  ["the third spelling of a signature", spelling(1)],
  ["the fourth spelling of a signature", spelling(2)],
  ["padding behind the signature", async () => `${await forge()}=`],
  ["+ and / in the signature", () => inBase64(2)],
  ["+ and / in the payload", () => inBase64(1)],
  ["padding behind the payload", () => signedAs((part) => `${part}==`)],
  [
    "stray bits in the payload",
    () => signedAs((part) => otherSpellings(part)[0]),
  ],
  ["a space in the payload", () => signedAs((part) => `${part} `)],
  ["a tab in the payload", () => signedAs((part) => `\t${part}`)],
  [
    "a tab in the signature",
    () => change((mac) => mac.replace(/.{9}/, "$&\t")),
  ],
  ["dots percent-encoded", async () => (await parts()).join("%2E")],
  ["quotes around it", async () => `"${await forge()}"`],
  ["Bearer before it", async () => `Bearer ${await forge()}`],
  ["all in upper case", async () => (await forge()).toUpperCase()],
];

/** A good token of so many characters. */
async function tokenOf(length: number): Promise<string> {
  const bare = await forge({ payload: payload({ pad: "" }) });
  const pad = "x".repeat((length - bare.length) * 3 / 4);
  for (const more of ["", "x", "xx"]) {
    const token = await forge({ payload: payload({ pad: pad + more }) });
    if (token.length === length) return token;
  }
  throw new Error(`No token of ${length} characters`);
}

async function parts(): Promise<string[]> {
  return (await forge()).split(".");
}

function unsigned(header: string): string {
  return `${encodeBase64Url(header)}.${encodeBase64Url(payload())}.`;
}

function spelling(index: number): () => Promise<string> {
  return async () => otherSpellings(await forge())[index];
}

/** A good token whose payload part is spelled in another way, and so signed. */
function signedAs(respell: (part: string) => string): Promise<string> {
  // One byte over a multiple of three: its last character has stray bits.
  const texts = ["", " ", "  "].map((space) => space + payload());
  const text = texts.find((text) => text.length % 3 === 1) ?? "";
  const body = respell(encodeBase64Url(text));
  return signInput(`${encodeBase64Url(HEADER)}.${body}`);
}

/** A token with a part in plain base64 that differs from base64url. */
async function inBase64(index: number): Promise<string> {
  for (let n = 0;; n++) {
    const token = await forge({
      payload: payload({ n: `${n}\u00FF\u00BE?>` }),
    });
    const all = token.split(".");
    if (!/-.*_|_.*-/.test(all[index])) continue;
    all[index] = all[index].replaceAll("-", "+").replaceAll("_", "/");
    if (index === 2) return all.join(".");
    return await signInput(`${all[0]}.${all[1]}`);
  }
}

async function change(edit: (mac: string) => string): Promise<string> {
  const [header, body, mac] = await parts();
  return `${header}.${body}.${edit(mac)}`;
}

function changeMac(edit: (mac: Uint8Array) => Uint8Array): Promise<string> {
  return change((mac) => encodeBase64Url(edit(decodeBase64Url(mac)).slice()));
}

function flipBit(bit: number): Promise<string> {
  return changeMac((mac) => {
    mac[bit >> 3] ^= 0x80 >> (bit & 7);
    return mac;
  });
}

/** Susan's signature under the payload of another. */
async function splice(other: string): Promise<string> {
  const [header, , mac] = await parts();
  return `${header}.${other.split(".")[1]}.${mac}`;
}

Deno.test("rule 1, header: Session knows the sender of a good token", async () => {
  await attack(async (site) => {
    assertEquals((await whoIs(site, cookie(await forge()))).user, "susan");
  });
});

testRefusals(
  "rule 1, header",
  HEADERS.map(([what, header]) => [what, () => forge({ header })]),
);
testRefusals(
  "rule 1, header",
  KEY_HEADERS.map(([what, claim]) => {
    const header = `{"alg":"HS256","typ":"JWT",${claim}}`;
    return [what, () => forge({ header, key: OTHER_KEY })];
  }),
);
testRefusals("rule 1, MAC first", MACS);
testRefusals("rule 2, one spelling", SPELLINGS);

Deno.test("rule 1, header: Session follows no link in it", async () => {
  let hits = 0;
  function bait(): Response {
    hits++;
    const k = encodeBase64Url(OTHER_KEY);
    return Response.json({ keys: [{ kty: "oct", alg: "HS256", k }] });
  }
  await serve(bait, (url) =>
    attack(async (site) => {
      for (const claim of ["jku", "x5u", "kid"]) {
        const header = JSON.stringify({ alg: "HS256", [claim]: url });
        const token = await forge({ header, key: OTHER_KEY });
        assertEquals(await whoIs(site, cookie(token)), NOBODY);
        await whoIs(site, cookie(await forge({ header })));
      }
    }));
  assertEquals(hits, 0);
});

Deno.test("rule 2, one spelling: Session reads nothing from 100,000 dots", async () => {
  await attack(async (site) => {
    const dots = ".".repeat(100_000);
    assertEquals(await site.session.decode(dots), {});
    // Deno's own limit; what passes it is in the table.
    const answer = await site.send({ headers: [cookie(dots)] });
    assertEquals(answer.status, 400);
  });
});

Deno.test("rule 2, one spelling: Session reads a token of 4,096 characters, not of 4,097", async () => {
  await attack(async (site) => {
    const longest = await tokenOf(4096);
    assertEquals((await whoIs(site, cookie(longest))).user, "susan");
    const tooLong = await tokenOf(4097);
    assertEquals(await whoIs(site, cookie(tooLong)), NOBODY);
    assertEquals(await site.session.decode(tooLong), {});
    for (const token of otherSpellings(longest)) {
      assertEquals(await whoIs(site, cookie(token)), NOBODY);
    }
  });
});
