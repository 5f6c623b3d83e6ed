/**
 * A session with a memory of tokens against sessions without one: whatever the clock, the
 * keys, the limits and the tokens do, nobody can tell them apart.
 */

import { assert, assertEquals } from "@std/assert";
import {
  type Payload,
  type SecretKey,
  Session,
  type SessionOptions,
} from "../../../mod.ts";
import { NOW, open, requestWith, SAVED } from "../../_helpers.ts";
import { Random } from "../../_random.ts";
import { ALPHABET, countCalls, otherSpellings } from "../../_tokens.ts";
import { KIND_NAMES, type KindName } from "./_kinds.ts";

/** Each seed is a history of its own. */
const SEEDS = [1, 2];
const STEPS = 400;
/** The most tokens that the readers choose from. */
const MAX_TOKENS = 16;

const KEYS: SecretKey[] = Array.from({ length: 6 }, (_, n) => {
  const key = `${n}`.repeat(32);
  return n % 2 === 0 ? key : new TextEncoder().encode(key);
});

const NAMES = ["n", "cart", "user", "__proto__", "constructor", "ünï", "save"];
const CLAIMS = ["exp", "nbf", "iat", "_started", SAVED];
const NO_TIMES = ["1700000000", null, [], true, -1, 0];
const LIMITS = [1, 60, 3_600, 86_400, 1_209_600];

/** One session that stays, with all that it remembers. */
class History {
  readonly #kind: KindName;
  readonly #random: Random;
  readonly #clock = () => this.#now;
  readonly #session: Session;
  #now = NOW * 1000;
  #keys = [KEYS[0]];
  #limits: Pick<SessionOptions, "maxAge" | "absoluteMaxAge"> = {};
  #tokens: string[] = [];
  #last = "";
  #lastClaims: Payload = {};
  /** How many reads were answered from memory, and how many had a result. */
  readonly counts = { remembered: 0, accepted: 0, refused: 0 };

  constructor(kind: KindName, seed: number) {
    this.#kind = kind;
    this.#random = new Random(seed);
    this.#session = this.#newSession();
  }

  async step(): Promise<void> {
    const roll = this.#random.next();
    if (this.#tokens.length === 0 || roll < 0.15) await this.#mint();
    else if (roll < 0.20) await this.#save();
    else if (roll < 0.25) this.#jump();
    else if (roll < 0.265) this.#changeKeys();
    else if (roll < 0.27) this.#changeLimits();
    else if (roll < 0.285) await this.#delete(this.#pickToken());
    else if (roll < 0.40) await this.#read(this.#tamper());
    else await this.#read(this.#pickToken());
  }

  /** A session that remembers nothing. */
  #newSession(): Session {
    return new Session({
      secretKey: this.#keys,
      backend: this.#kind,
      clock: this.#clock,
      ...this.#limits,
    });
  }

  /** One of the tokens, and as often as not the one picked last. */
  #pickToken(): string {
    if (this.#random.chance(0.6)) this.#last = this.#random.pick(this.#tokens);
    return this.#last;
  }

  /** Makes a token: by the session, or elsewhere and by another key. */
  async #mint(): Promise<void> {
    const random = this.#random;
    const payload = this.#randomPayload();
    this.#lastClaims = { ...payload };
    const secretKey = random.pick(random.chance(0.8) ? this.#keys : KEYS);
    const encoding = random.chance(0.5)
      ? this.#session.encode(payload)
      : this.#newSession().encode(payload, secretKey);
    edit(payload);
    this.#add(await encoding);
  }

  /** Saves a session's data, on top of those of a token. */
  async #save(): Promise<void> {
    const token = this.#pickToken();
    const n = this.#random.integer(0, 9);
    await this.#compare("save", async (session) => {
      const request = requestWith(`session=${token}`);
      const dict = await open(session, request);
      dict.n = n;
      const saving = dict.save();
      edit(dict);
      await saving;
      return await this.#linesOf(session, request);
    });
  }

  /** Moves the clock, and preferably to where a claim begins or ends. */
  #jump(): void {
    const random = this.#random;
    const claim = this.#lastClaims[random.pick(CLAIMS)];
    if (random.chance(0.5) && typeof claim === "number" && claim > NOW / 2) {
      const seconds = claim + random.pick([0, 0, -60, 60, 100]);
      this.#now = seconds * 1000 + random.integer(-1, 1);
      return;
    }
    const range = random.pick([1, 1, 60, 60, 3_600, 2_000_000]);
    const ahead = (random.next() * 2 - 1) * range * 1000;
    // Jumps add up, and none of them leads far from where tokens hold.
    const isFar = Math.abs(this.#now + ahead - NOW * 1000) > 4e9;
    this.#now += Math.round(isFar ? NOW * 1000 - this.#now : ahead);
  }

  #changeKeys(): void {
    const random = this.#random;
    const others = KEYS.filter((key) => !this.#keys.includes(key));
    this.#keys = random.pick([
      [random.pick(others), ...this.#keys].slice(0, 4), // Rotation.
      [random.pick(others), ...this.#keys].slice(0, 4),
      this.#keys.slice(0, Math.max(1, this.#keys.length - 1)),
      this.#keys.toReversed(),
      [random.pick(others)],
    ]);
    const secretKey = this.#keys;
    if (random.chance(0.5)) this.#session.secretKey = secretKey;
    else this.#session.initialize({ secretKey });
  }

  #changeLimits(): void {
    this.#limits = {
      maxAge: this.#random.pick(LIMITS),
      absoluteMaxAge: this.#random.pick([...LIMITS, undefined]),
    };
    this.#session.initialize(this.#limits);
  }

  async #delete(token: string): Promise<void> {
    const request = requestWith(`session=${token}`);
    await (await open(this.#session, request)).delete();
    await this.#session.commit(request, new Response());
  }

  /** Reads in one of two ways, and edits what was read. */
  #read(token: string): Promise<void> {
    return this.#random.chance(0.5) ? this.#decode(token) : this.#get(token);
  }

  async #decode(token: string): Promise<void> {
    let ours: Payload = {};
    const calls = await countCalls(async () => {
      ours = await this.#session.decode(token);
    }, "verify");
    const theirs = await this.#newSession().decode(token);
    assertEquals(JSON.stringify(ours), JSON.stringify(theirs), "decode");
    const isAccepted = Object.keys(ours).length > 0;
    this.counts[isAccepted ? "accepted" : "refused"]++;
    if (isAccepted && calls === 0) this.counts.remembered++;
    edit(ours);
  }

  /** Reads by way of a request, and compares what a response would carry. */
  async #get(token: string): Promise<void> {
    const tokens = this.#random.chance(0.2)
      ? [token, this.#pickToken()]
      : [token];
    const cookies = tokens.map((token) => `session=${token}`).join("; ");
    await this.#compare("get", async (session) => {
      const request = requestWith(cookies);
      const dict = await open(session, request);
      const text = JSON.stringify(dict);
      edit(dict);
      return [text, ...await this.#linesOf(session, request)];
    });
  }

  /** Does the same with our session and with one that remembers nothing. */
  async #compare(
    what: string,
    run: (session: Session) => Promise<unknown>,
  ): Promise<void> {
    const ours = await run(this.#session);
    assertEquals(ours, await run(this.#newSession()), what);
  }

  /** What a response sets, and what is in it; tokens of two makings differ. */
  async #linesOf(session: Session, request: Request): Promise<string[]> {
    const response = await session.commit(request, new Response());
    return await Promise.all(
      response.headers.getSetCookie().map(async (line) => {
        const [, token, attributes] = /^session=([^;]*)(.*)$/.exec(line) ?? [];
        if (session === this.#session) this.#add(token);
        const payload = await this.#newSession().decode(token);
        return JSON.stringify(payload) + attributes;
      }),
    );
  }

  #add(token: string): void {
    if (this.#tokens.length < MAX_TOKENS) this.#tokens.push(token);
    else this.#tokens[this.#random.integer(0, MAX_TOKENS - 1)] = token;
  }

  /** A token that nobody made, or with luck another one that somebody did. */
  #tamper(): string {
    const random = this.#random;
    const token = this.#pickToken();
    const other = random.pick(this.#tokens);
    const place = random.integer(0, token.length - 1);
    const bit = 1 << random.integer(0, 5);
    const flipped = ALPHABET[ALPHABET.indexOf(token[place]) ^ bit] ?? "";
    return random.pick([
      token.slice(0, place) + flipped + token.slice(place + 1),
      random.pick(otherSpellings(token)),
      token + random.pick(["=", "A", ".", "AAAA", ".A"]),
      token.slice(0, place),
      token.slice(0, place) + other.slice(place),
      token.slice(0, token.lastIndexOf(".") + 1) + other.split(".").at(-1),
      token.slice(0, token.lastIndexOf(".") + 1),
    ]);
  }

  /** Data, and claims around now. */
  #randomPayload(): Payload {
    const random = this.#random;
    const members = new Map<string, unknown>();
    for (let count = random.integer(0, 3); count > 0; count--) {
      members.set(random.pick(NAMES), this.#randomValue(2));
    }
    const now = Math.floor(this.#now / 1000);
    for (const claim of CLAIMS) {
      if (random.chance(0.6)) continue;
      const reach = random.pick([100, 10_000, 2_000_000, 2_000_000]);
      const ahead = random.integer(-reach, reach);
      const time = claim === "exp"
        ? now + Math.abs(ahead)
        : now + Math.min(ahead, 60);
      members.set(claim, random.chance(0.97) ? time : random.pick(NO_TIMES));
    }
    return Object.fromEntries(members);
  }

  #randomValue(depth: number): unknown {
    const random = this.#random;
    switch (random.integer(0, depth > 0 ? 5 : 3)) {
      case 0:
        return random.integer(-100, 100);
      case 1:
        return "é🦕x".repeat(random.integer(0, 5));
      case 2:
        return random.pick([true, false, null, 0.5, ""]);
      case 3:
        return random.chance(0.5) ? {} : [];
      case 4:
        return [this.#randomValue(depth - 1), this.#randomValue(0)];
      default:
        return { [random.pick(NAMES)]: this.#randomValue(depth - 1) };
    }
  }
}

/** Edits data in every depth, as a careless handler might. */
function edit(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const name of Object.keys(value)) {
    const property = Object.getOwnPropertyDescriptor(value, name);
    edit(property?.value);
    if (name.length % 2 === 0) Reflect.deleteProperty(value, name);
  }
  if (Array.isArray(value)) value.push("edited");
  else Object.assign(value, { edited: true, n: "edited" });
}

for (const kind of KIND_NAMES) {
  Deno.test(`${kind}: tokens read alike with and without a memory`, async () => {
    const counts = { remembered: 0, accepted: 0, refused: 0 };
    for (const seed of SEEDS) {
      const history = new History(kind, seed);
      for (let step = 0; step < STEPS; step++) {
        try {
          await history.step();
        } catch (cause) {
          throw new Error(`Seed ${seed}, step ${step}`, { cause });
        }
      }
      counts.remembered += history.counts.remembered;
      counts.accepted += history.counts.accepted;
      counts.refused += history.counts.refused;
    }
    // The histories are worth something only if all of this happened often.
    for (const count of Object.values(counts)) {
      assert(count > 30, JSON.stringify(counts));
    }
  });
}
