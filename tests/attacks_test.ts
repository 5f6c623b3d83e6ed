import { assertEquals } from "@std/assert";
import { encodeBase64Url } from "@std/encoding/base64url";
import { attack, cookie, forge, OLD_KEY, payload, whoIs } from "./_attacks.ts";
import {
  HEADER,
  KEY,
  OTHER_KEY,
  otherSpellings,
  signInput,
} from "./_tokens.ts";

type Row = [what: string, token: () => string | Promise<string>];

const NOBODY = { user: null, data: {} };
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

/** Tokens in a form that no library makes. */
const SPELLINGS: Row[] = [
  ["alg none and no signature", () => unsigned('{"alg":"none"}')],
  ["alg HS256 and no signature", () => unsigned(HEADER)],
  ["two parts", async () => (await parts()).slice(0, 2).join(".")],
  ["one part", async () => (await parts())[1]],
  ["four parts", async () => `${await forge()}.AAAA`],
  ["four parts, the last one empty", async () => `${await forge()}.`],
  ["four parts, the first one empty", async () => `.${await forge()}`],
  ["five parts", async () => `${await forge()}.AAAA.AAAA`],
  ["two dots", () => ".."],
  ["60,000 dots", () => ".".repeat(60_000)],
  ["60,000 letters", () => "A".repeat(60_000)],
  ["no letters", () => ""],
  ["the second spelling of a signature", spelling(0)],
  ["the third spelling of a signature", spelling(1)],
  ["the fourth spelling of a signature", spelling(2)],
  ["padding behind the signature", async () => `${await forge()}=`],
  ["+ and / in the signature", () => inBase64(2)],
  ["+ and / in the payload", () => inBase64(1)],
  ["padding behind the payload", () => signedAs((part) => `${part}==`)],
  ["stray bits in the payload", () => signedAs((part) => strayBits(part))],
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
  ["another's payload", () => splice(payload({ _user_id: "david" }))],
];

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

function strayBits(part: string): string {
  return otherSpellings(part)[0];
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
    return index === 2 ? all.join(".") : await signInput(`${all[0]}.${all[1]}`);
  }
}

async function change(edit: (mac: string) => string): Promise<string> {
  const [header, body, mac] = await parts();
  return `${header}.${body}.${edit(mac)}`;
}

function changeMac(edit: (mac: Uint8Array) => Uint8Array): Promise<string> {
  return change((mac) => encodeBase64Url(edit(decode(mac)).slice()));
}

function flipBit(bit: number): Promise<string> {
  return changeMac((mac) => {
    mac[bit >> 3] ^= 0x80 >> (bit & 7);
    return mac;
  });
}

function decode(part: string): Uint8Array {
  const text = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The signature of one token under the payload of another. */
async function splice(body: string): Promise<string> {
  const [header, , mac] = await parts();
  return `${header}.${encodeBase64Url(body)}.${mac}`;
}

Deno.test("Session knows the sender of a good token", async () => {
  await attack(async (site) => {
    assertEquals((await whoIs(site, cookie(await forge()))).user, "susan");
  });
});

for (const [what, token] of SPELLINGS) {
  Deno.test(`Session reads nothing from a token with ${what}`, async () => {
    await attack(async (site) => {
      assertEquals(await whoIs(site, cookie(await token())), NOBODY);
    });
  });
}

for (const [what, header] of HEADERS) {
  Deno.test(`Session reads nothing from a token with ${what}`, async () => {
    await attack(async (site) => {
      const token = await forge({ header });
      assertEquals(await whoIs(site, cookie(token)), NOBODY);
    });
  });
}

for (const [what, claim] of KEY_HEADERS) {
  Deno.test(`Session reads nothing from a token with ${what}`, async () => {
    await attack(async (site) => {
      const header = `{"alg":"HS256","typ":"JWT",${claim}}`;
      const token = await forge({ header, key: OTHER_KEY });
      assertEquals(await whoIs(site, cookie(token)), NOBODY);
    });
  });
}

Deno.test("Session follows no link in a token's header", async () => {
  let hits = 0;
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const bait = Deno.serve(options, () => {
    hits++;
    const k = encodeBase64Url(OTHER_KEY);
    return Response.json({ keys: [{ kty: "oct", alg: "HS256", k }] });
  });
  const url = `http://127.0.0.1:${bait.addr.port}/`;
  try {
    await attack(async (site) => {
      for (const claim of ["jku", "x5u", "kid"]) {
        const header = JSON.stringify({ alg: "HS256", [claim]: url });
        const token = await forge({ header, key: OTHER_KEY });
        assertEquals(await whoIs(site, cookie(token)), NOBODY);
        await whoIs(site, cookie(await forge({ header })));
      }
    });
  } finally {
    await bait.shutdown();
  }
  assertEquals(hits, 0);
});

Deno.test("Session reads nothing from 100,000 dots", async () => {
  await attack(async (site) => {
    const dots = ".".repeat(100_000);
    assertEquals(await site.session.decode(dots), {});
    // Deno's own limit; what passes it is in the table.
    const answer = await site.send({ headers: [cookie(dots)] });
    assertEquals(answer.status, 400);
  });
});

Deno.test("Session reads a token of the key before, not of a retired one", async () => {
  await attack(async (site) => {
    const old = cookie(await forge({ key: OLD_KEY }));
    assertEquals((await whoIs(site, old)).user, "susan");
    const retired = "the retired secret of these tests, 32+";
    const token = await forge({ key: retired });
    assertEquals(await whoIs(site, cookie(token)), NOBODY);
  });
});
