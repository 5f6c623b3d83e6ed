import { assert, assertEquals } from "@std/assert";
import { decodeBase64Url } from "@std/encoding/base64url";
import { type Backend, jwtBackend, type SecretKey } from "../backends/jwt.ts";
import { type Payload, Session, type SessionOptions } from "../session.ts";
import { Random } from "./_random.ts";
import { ALPHABET, forgeToken, NOW, otherSpellings } from "./_tokens.ts";

/** Each seed is a history of its own. */
const SEEDS = [1, 2, 3, 5, 8, 13, 21, 34];
const STEPS_PER_SEED = 2_500;
/** The most tokens that the readers choose from. */
const MAX_TOKENS = 16;
/** A step of such a number makes more tokens than a cache holds. */
const FLOOD = 1_100;

const KEYS: SecretKey[] = await Promise.all(
  Array.from({ length: 6 }, (_, n) => {
    const key = `${n}`.repeat(32);
    const bytes = new TextEncoder().encode(key);
    if (n % 3 === 0) return key;
    if (n % 3 === 1) return bytes;
    return crypto.subtle.importKey(
      "raw",
      bytes,
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign", "verify"],
    );
  }),
);

const NAMES = ["n", "cart", "user", "__proto__", "constructor", "ünï", "save"];
const CLAIMS = ["exp", "nbf", "iat", "_started"];
const NO_TIMES = ['"1700000000"', "1e400", "null", "[]", "true", "-1", "0"];
const LIMITS = [undefined, 1, 60, 3_600, 86_400, 1_209_600];

/** A token and what is known about its making. */
interface Made {
  /** The number of the key in `KEYS`. */
  key: number;
  /** The JSON text of the payload. */
  text: string;
}

/**
 * One session and one backend that stay, with all that they remember. Whatever
 * they are asked is asked of new ones too, which remember nothing.
 */
class History {
  readonly #random: Random;
  readonly #made = new Map<string, Made>();
  readonly #clock = () => this.#now;
  readonly #session: Session;
  #backend: Backend;
  #now = NOW * 1000;
  #keys = [0];
  #limits: Pick<SessionOptions, "maxAge" | "absoluteMaxAge"> = {};
  #tokens: string[] = [];
  #last = "";
  /** How many reads were answered from memory, and how many had a result. */
  readonly counts = { remembered: 0, accepted: 0, refused: 0 };

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#session = new Session(this.#options());
    this.#backend = this.#newBackend();
  }

  async step(): Promise<void> {
    const random = this.#random;
    const roll = random.next();
    if (this.#tokens.length === 0 || roll < 0.15) await this.#mint();
    else if (roll < 0.20) await this.#save();
    else if (roll < 0.25) this.#jump();
    else if (roll < 0.265) this.#changeKeys();
    else if (roll < 0.27) this.#changeLimits();
    else if (roll < 0.285) await this.#delete(this.#pickToken());
    else if (roll < 0.2855) await this.#flood();
    else if (roll < 0.40) await this.#read(this.#tamper());
    else await this.#read(this.#pickToken());
  }

  #secretKey(): SecretKey[] {
    return this.#keys.map((key) => KEYS[key]);
  }

  #options(): SessionOptions {
    return {
      secretKey: this.#secretKey(),
      clock: this.#clock,
      ...this.#limits,
    };
  }

  #newBackend(): Backend {
    return jwtBackend({ secretKey: this.#secretKey(), clock: this.#clock });
  }

  /** One of the tokens, and as often as not the one picked last. */
  #pickToken(): string {
    if (this.#random.chance(0.6)) this.#last = this.#random.pick(this.#tokens);
    return this.#last;
  }

  /** Makes a token: by the session, by the backend, or elsewhere. */
  async #mint(): Promise<void> {
    const random = this.#random;
    const text = this.#randomPayload();
    const payload: Payload = JSON.parse(text);
    switch (random.integer(0, 2)) {
      case 0: {
        // As what JSON can't hold is refused by `encode`.
        if (text.includes("1e400")) return;
        const encoding = this.#session.encode(payload);
        edit(payload);
        return this.#remember(await encoding, this.#keys[0], text);
      }
      case 1: {
        const saving = this.#backend.save(payload);
        edit(payload);
        return this.#remember(await saving, this.#keys[0], text);
      }
      default: {
        const key = random.chance(0.8)
          ? random.pick(this.#keys)
          : random.integer(0, KEYS.length - 1);
        const secret = `${key}`.repeat(32);
        const header = random.chance(0.2) ? '{"alg":"HS256"}' : undefined;
        const token = await forgeToken({ header, payload: text, key: secret });
        return this.#remember(token, key, text);
      }
    }
  }

  /** Saves a session's data, on top of those of a token. */
  async #save(): Promise<void> {
    const random = this.#random;
    const cookies = `session=${this.#pickToken()}`;
    const n = random.integer(0, 9);
    const [ours, theirs] = [this.#session, new Session(this.#options())];
    const lines = await Promise.all([ours, theirs].map(async (session) => {
      const request = requestWith(cookies);
      const dict = await session.get(request);
      dict.n = n;
      const saving = dict.save();
      edit(dict);
      await saving;
      return linesOf(await session.commit(request, new Response()));
    }));
    assertEquals(lines[0], lines[1], "saved");
    this.#collect(lines[0]);
  }

  /** Moves the clock, and preferably to where a claim begins or ends. */
  #jump(): void {
    const random = this.#random;
    if (random.chance(0.5)) {
      const range = random.pick([1, 1, 60, 60, 3_600, 2_000_000]);
      const ahead = (random.next() * 2 - 1) * range * 1000;
      // Jumps add up, and none of them leads far from where tokens hold.
      const isFar = Math.abs(this.#now + ahead - NOW * 1000) > 4e9;
      this.#now += Math.round(isFar ? NOW * 1000 - this.#now : ahead);
    } else {
      const made = this.#made.get(random.pick(this.#tokens));
      const claim = JSON.parse(made?.text ?? "{}")[random.pick(CLAIMS)];
      if (!Number.isFinite(claim) || claim < NOW / 2) return;
      const seconds = claim + random.pick([0, 0, -60, 60, 100]);
      this.#now = seconds * 1000 + random.integer(-1, 1);
    }
  }

  #changeKeys(): void {
    const random = this.#random;
    const others = KEYS.map((_, key) => key)
      .filter((key) => !this.#keys.includes(key));
    switch (random.integer(0, 6)) {
      case 0: // Rotation.
      case 1:
      case 2:
        this.#keys = [random.pick(others), ...this.#keys].slice(0, 4);
        break;
      case 3: // The oldest one retires.
        this.#keys = this.#keys.slice(0, Math.max(1, this.#keys.length - 1));
        break;
      case 4: // Another order.
      case 5:
        this.#keys = this.#keys.toReversed();
        break;
      default:
        this.#keys = [random.pick(others)];
    }
    const secretKey = this.#secretKey();
    if (random.chance(0.5)) this.#session.secretKey = secretKey;
    else this.#session.initialize({ secretKey });
    this.#backend = this.#newBackend();
  }

  #changeLimits(): void {
    const random = this.#random;
    this.#limits = {
      maxAge: random.pick(LIMITS.filter((limit) => limit !== undefined)),
      absoluteMaxAge: random.pick(LIMITS),
    };
    this.#session.initialize(this.#limits);
  }

  async #delete(token: string): Promise<void> {
    await this.#backend.remove?.(token);
    const request = requestWith(`session=${token}`);
    await (await this.#session.get(request)).delete();
    await this.#session.commit(request, new Response());
  }

  async #flood(): Promise<void> {
    for (let n = 0; n < FLOOD; n++) await this.#backend.save({ flood: n });
  }

  /** Reads in one of three ways, and edits what was read. */
  #read(token: string): Promise<void> {
    switch (this.#random.integer(0, 2)) {
      case 0:
        return this.#load(token);
      case 1:
        return this.#decode(token);
      default:
        return this.#get(token);
    }
  }

  async #load(token: string): Promise<void> {
    const loading = this.#backend.load(token);
    if (!(loading instanceof Promise)) this.counts.remembered++;
    const ours = await loading;
    const theirs = await this.#newBackend().load(token);
    assertEquals(JSON.stringify(ours), JSON.stringify(theirs), "load");
    assertEquals(JSON.stringify(ours), this.#expected(token) ?? "null", "load");
    this.counts[ours === null ? "refused" : "accepted"]++;
    edit(ours);
  }

  async #decode(token: string): Promise<void> {
    const ours = await this.#session.decode(token);
    const theirs = await new Session(this.#options()).decode(token);
    assertEquals(JSON.stringify(ours), JSON.stringify(theirs), "decode");
    assertEquals(JSON.stringify(ours), this.#expected(token) ?? "{}", "decode");
    edit(ours);
  }

  /** Reads by way of a request, and compares what a response would carry. */
  async #get(token: string): Promise<void> {
    const random = this.#random;
    const tokens = random.chance(0.2) ? [token, this.#pickToken()] : [token];
    const cookies = tokens.map((token) => `session=${token}`).join("; ");
    const [ours, theirs] = [this.#session, new Session(this.#options())];
    const results = await Promise.all([ours, theirs].map(async (session) => {
      const request = requestWith(cookies);
      const dict = await session.get(request);
      const text = JSON.stringify(dict);
      edit(dict);
      const response = await session.commit(request, new Response());
      return { text, lines: linesOf(response) };
    }));
    assertEquals(results[0], results[1], "get");
    if (tokens.every((token) => this.#expected(token) === undefined)) {
      assertEquals(results[0], { text: "{}", lines: [] }, "get");
    }
    this.#collect(results[0].lines);
  }

  /** What a token stands for now, by its making alone. */
  #expected(token: string): string | undefined {
    const made = this.#made.get(token);
    if (made === undefined || !this.#keys.includes(made.key)) return undefined;
    const payload: Payload = JSON.parse(made.text);
    const now = this.#now / 1000;
    const holds = ([
      ["exp", (time) => now < time],
      ["nbf", (time) => time <= now + 60],
      ["iat", (time) => time <= now + 60],
    ] as [name: string, check: (time: number) => boolean][])
      .every(([name, check]) => {
        const claim = payload[name];
        return claim === undefined ||
          typeof claim === "number" && Number.isFinite(claim) && check(claim);
      });
    return holds ? JSON.stringify(payload) : undefined;
  }

  /** A token that nobody made, or with luck another one that somebody did. */
  #tamper(): string {
    const random = this.#random;
    const token = this.#pickToken();
    const parts = token.split(".");
    const others = random.pick(this.#tokens).split(".");
    const place = random.integer(0, token.length - 1);
    switch (random.integer(0, 6)) {
      case 0: { // One bit.
        const value = ALPHABET.indexOf(token[place]);
        const bit = 1 << random.integer(0, 5);
        return token.slice(0, place) + (ALPHABET[value ^ bit] ?? "") +
          token.slice(place + 1);
      }
      case 1:
        return random.pick(otherSpellings(token));
      case 2:
        return token + random.pick(["=", "A", ".", "AAAA", ".A"]);
      case 3:
        return token.slice(0, place);
      case 4: // A part of another token.
        return parts.with(random.integer(0, 2), random.pick(others)).join(".");
      case 5:
        return [others[0], others[1], parts[2]].join(".");
      default:
        return parts.with(2, "").join(".");
    }
  }

  /** Adds the tokens that a response sets. */
  #collect(lines: string[]): void {
    for (const line of lines) {
      const token = line.slice("session=".length).split(";")[0];
      const [, part] = token.split(".");
      const text = new TextDecoder().decode(decodeBase64Url(part));
      this.#remember(token, this.#keys[0], text);
    }
  }

  #remember(token: string, key: number, text: string): void {
    this.#made.set(token, { key, text });
    if (this.#tokens.includes(token)) return;
    if (this.#tokens.length < MAX_TOKENS) this.#tokens.push(token);
    else this.#tokens[this.#random.integer(0, MAX_TOKENS - 1)] = token;
  }

  /** JSON text of data, and of claims around now. */
  #randomPayload(): string {
    const random = this.#random;
    const members = new Map<string, string>();
    for (let count = random.integer(0, 3); count > 0; count--) {
      members.set(random.pick(NAMES), this.#randomValue(2));
    }
    const now = Math.floor(this.#now / 1000);
    for (const claim of CLAIMS) {
      if (random.chance(0.6)) continue;
      const reach = random.pick([100, 10_000, 2_000_000, 2_000_000]);
      const ahead = random.integer(-reach, reach);
      const time = claim === "exp" ? now + Math.abs(ahead) : now + ahead;
      const past = Math.min(time, now + 60);
      members.set(claim, `${claim === "exp" ? time : past}`);
      if (random.chance(0.03)) members.set(claim, random.pick(NO_TIMES));
    }
    const entries = [...members].map(([name, json]) => `"${name}":${json}`);
    return `{${entries.join(",")}}`;
  }

  #randomValue(depth: number): string {
    const random = this.#random;
    switch (random.integer(0, depth > 0 ? 5 : 3)) {
      case 0:
        return `${random.integer(-100, 100)}`;
      case 1:
        return `"${"é🦕x".repeat(random.integer(0, 5))}"`;
      case 2:
        return random.pick(["true", "false", "null"]);
      case 3:
        return random.pick(["{}", "[]", '""', "0.5"]);
      case 4:
        return `[${this.#randomValue(depth - 1)},${this.#randomValue(0)}]`;
      default:
        return `{"${random.pick(NAMES)}":${this.#randomValue(depth - 1)}}`;
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

function linesOf(response: Response): string[] {
  return response.headers.getSetCookie();
}

function requestWith(cookies: string): Request {
  return new Request("http://localhost/", { headers: { Cookie: cookies } });
}

for (const seed of SEEDS) {
  Deno.test(`Session reads alike with and without its memory, seed ${seed}`, async () => {
    const history = new History(seed);
    for (let step = 0; step < STEPS_PER_SEED; step++) {
      try {
        await history.step();
      } catch (error) {
        const reason = error instanceof Error ? error.message : error;
        throw new Error(`Seed ${seed}, step ${step}: ${reason}`, {
          cause: error,
        });
      }
    }
    // The histories are worth something only if all of this happened often.
    const { remembered, accepted, refused } = history.counts;
    for (const count of [remembered, accepted, refused]) {
      assert(count > 50, JSON.stringify(history.counts));
    }
  });
}
