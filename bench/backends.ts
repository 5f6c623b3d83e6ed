/**
 * What each backend costs: figures for the table of ratios, and the time that
 * a request takes.
 *
 * @module
 */

import { decodeBase64Url } from "@std/encoding/base64url";
import { kvBackend } from "../backends/kv.ts";
import { Session, type SessionOptions } from "../mod.ts";
import {
  ALL_CALLS,
  type Figure,
  measure,
  payload,
  requestWith,
  type Work,
} from "./_measure.ts";

/** How many sessions the store holds; a cookie needs no store. */
const RECORDS = 1000;

const encoder = new TextEncoder();
/** 32 bytes, which are the Fernet key as they are. */
const secretKey = "the secret of the benches, 32 b.";

const FERNET: SessionOptions = { backend: "fernet", secretKey };

/** A Fernet token that was not seen before, against its two calls of Web Crypto. */
export async function fernetFigure(): Promise<Figure> {
  const session = new Session(FERNET);
  const reader = new Session(FERNET);
  const tokens = await values(session, ALL_CALLS);
  const requests = tokens.map(requestWith);
  // The bare work is on the same tokens, as bytes that are parted already.
  const parts = tokens.map((token) => {
    const bytes = decodeBase64Url(token);
    return {
      iv: bytes.subarray(9, 25),
      ciphertext: bytes.subarray(25, -32),
      signed: bytes.subarray(0, -32),
      mac: bytes.subarray(-32),
    };
  });
  const key = encoder.encode(secretKey);
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const [signing, encryption] = await Promise.all([
    crypto.subtle.importKey("raw", key.slice(0, 16), hmac, false, ["verify"]),
    crypto.subtle.importKey("raw", key.slice(16), "AES-CBC", false, [
      "decrypt",
    ]),
  ]);
  return {
    name: "fernet cold read / verify + decrypt",
    limit: 1.5,
    work: (index) => reader.get(requests[index]),
    bare: async (index) => {
      const { iv, ciphertext, signed, mac } = parts[index];
      await crypto.subtle.verify("HMAC", signing, mac, signed);
      const algorithm = { name: "AES-CBC", iv };
      return await crypto.subtle.decrypt(algorithm, encryption, ciphertext);
    },
  };
}

/** A session in Deno KV, against one look-up. */
export async function kvFigure(kv: Deno.Kv): Promise<Figure> {
  const session = new Session({ backend: kvBackend(kv) });
  const ids = await values(session, RECORDS);
  const requests = repeat(ids).map(requestWith);
  const entries = kv.list({ prefix: ["sessions", "records"] });
  const keys = repeat(await Array.fromAsync(entries, ({ key }) => key));
  return {
    name: "kv read / get",
    limit: 1.3,
    work: (index) => session.get(requests[index]),
    bare: (index) => kv.get(keys[index]),
  };
}

/** Microseconds that a request's session takes, as a table. */
export async function costTable(kv: Deno.Kv): Promise<string> {
  const backends: Record<string, SessionOptions> = {
    jwt: { secretKey },
    fernet: FERNET,
    kv: { backend: kvBackend(kv) },
    base64: { backend: "base64" },
  };
  const names = Object.keys(backends);
  const works = await Promise.all(
    names.map((name) => worksOf(backends[name])),
  );
  const row = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const rows: string[] = [];
  for (const [index, what] of ["warm read", "cold read", "save"].entries()) {
    const times = await measure(works.map((one) => one[index]));
    rows.push(row([what, ...times.map((time) => time.toFixed(1))]));
  }
  const head = [
    row(["\u00B5s", ...names]),
    "| --- | ---: | ---: | ---: | ---: |",
  ];
  return [...head, ...rows].join("\n");
}

/** A read of a known value, one of an unknown value, and a warm read and save. */
async function worksOf(options: SessionOptions): Promise<Work[]> {
  const session = new Session(options);
  const reader = new Session(options);
  const isStored = typeof options.backend === "object";
  const made = await values(session, isStored ? RECORDS : ALL_CALLS);
  const known = made.slice(-1);
  const warm = repeat(known).map(requestWith);
  const cold = repeat(made).map(requestWith);
  const saving = repeat(known).map(requestWith);
  return [
    (index) => session.get(warm[index]),
    (index) => reader.get(cold[index]),
    async (index) => {
      const dict = await session.open(saving[index]);
      dict.n = index;
      dict.save();
      return await session.commit(saving[index], new Response("Hello"));
    },
  ];
}

async function values(session: Session, count: number): Promise<string[]> {
  const values: string[] = [];
  for (let i = 0; i < count; i++) values.push(await session.encode(payload(i)));
  return values;
}

/** One for each call, from the first on again. */
function repeat<T>(items: readonly T[]): T[] {
  return Array.from({ length: ALL_CALLS }, (_, i) => items[i % items.length]);
}
