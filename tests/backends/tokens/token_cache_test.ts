/** What backends remember of verified tokens, as far as it can be told. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Session, type SessionOptions } from "../../../mod.ts";
import { KEY, NOW, OTHER_KEY, requestWith, SAVED } from "../../_helpers.ts";
import { runDeno } from "../../_processes.ts";
import { countCalls } from "../../_tokens.ts";
import { dataOf, visit } from "../../session/_visits.ts";
import { TokenCache } from "../../../backends/tokens/token_cache.ts";
import { KIND_NAMES, KINDS } from "./_kinds.ts";

/** The methods that make and verify tokens. */
const WORK = ["verify", "sign", "decrypt", "encrypt", "importKey"] as const;

/** More tokens of 4 KB than any memory of them shall hold. */
const FLOOD = 6_000;

for (const kind of KIND_NAMES) {
  const makeBackend = KINDS[kind];
  const makeSession = (options: SessionOptions = {}) =>
    new Session({
      secretKey: KEY,
      backend: kind,
      clock: () => NOW * 1000,
      ...options,
    });

  Deno.test(`${kind}: load() verifies a token once`, async () => {
    const token = await makeBackend().save({ n: 1 });
    const backend = makeBackend();
    const first = await countCalls(() => backend.load(token), ...WORK);
    assert(first > 0);
    const more = await countCalls(async () => {
      for (let n = 0; n < 5; n++) {
        assertEquals(await backend.load(token), { n: 1 });
      }
    }, ...WORK);
    assertStrictEquals(more, 0);
  });

  Deno.test(`${kind}: load() does not verify a token that was just made`, async () => {
    const backend = makeBackend();
    const token = await backend.save({ n: 1 });
    const count = await countCalls(async () => {
      assertEquals(await backend.load(token), { n: 1 });
    }, ...WORK);
    assertStrictEquals(count, 0);
  });

  Deno.test(`${kind}: load() needs no verification to see what has expired`, async () => {
    let now = NOW;
    const backend = makeBackend({ clock: () => now * 1000 });
    const claims = { exp: NOW + 100, nbf: NOW };
    const token = await backend.save(claims);
    const count = await countCalls(async () => {
      for (const [seconds, holds] of [[100, false], [99, true], [-61, false]]) {
        now = NOW + Number(seconds);
        assertEquals(await backend.load(token), holds ? claims : null);
      }
    }, ...WORK);
    assertStrictEquals(count, 0);
  });

  Deno.test(`${kind}: load() remembers no token that it refused`, async () => {
    const tokens = [
      await makeBackend({ secretKey: OTHER_KEY }).save({ n: 1 }),
      await makeBackend().save({ exp: NOW }),
      await makeBackend().save({ exp: null }),
    ];
    const backend = makeBackend();
    for (const token of tokens) {
      const count = await countCalls(async () => {
        for (let n = 0; n < 3; n++) {
          assertStrictEquals(await backend.load(token), null);
        }
      }, "verify");
      assertStrictEquals(count, 3);
    }
  });

  Deno.test(`${kind}: load() shares its memory with no other backend`, async () => {
    const token = await makeBackend().save({ n: 1 });
    const other = makeBackend({ secretKey: OTHER_KEY });
    assertStrictEquals(await other.load(token), null);
    const again = makeBackend();
    const count = await countCalls(() => again.load(token), "verify");
    assertStrictEquals(count, 1);
  });

  Deno.test(`${kind}: remove() forgets a token, which holds still`, async () => {
    const backend = makeBackend();
    const token = await backend.save({ n: 1 });
    await backend.remove?.(token);
    const count = await countCalls(async () => {
      assertEquals(await backend.load(token), { n: 1 });
    }, "verify");
    assertStrictEquals(count, 1);
  });

  Deno.test(`${kind}: dict.delete() forgets the session's token`, async () => {
    const session = makeSession();
    const value = await session.encode({ n: 1 });
    await visit(session, (dict) => dict.delete(), { value });
    const count = await countCalls(() => session.decode(value), "verify");
    assertStrictEquals(count, 1);
  });

  Deno.test(`${kind}: session.get() checks maxAge and absoluteMaxAge of a token it remembers`, async () => {
    let now = NOW;
    const session = makeSession({
      maxAge: 100,
      absoluteMaxAge: 150,
      clock: () => now * 1000,
    });
    // Claims of tokens from before these limits were set.
    const claims = { _started: NOW, exp: NOW + 1000 };
    const idle = await session.encode({ ...claims, n: 1, [SAVED]: now });
    now = NOW + 60;
    const renewed = await session.encode({ ...claims, n: 2, [SAVED]: now });
    const steps: [seconds: number, idle: boolean, renewed: boolean][] = [
      [99, true, true],
      [100, false, true],
      [149, false, true],
      [150, false, false],
      [99, true, true],
    ];
    for (const [seconds, isIdleGood, isRenewedGood] of steps) {
      now = NOW + seconds;
      assertEquals(await dataOf(session, idle), isIdleGood ? { n: 1 } : {});
      const expected = isRenewedGood ? { n: 2 } : {};
      assertEquals(await dataOf(session, renewed), expected);
    }
  });

  Deno.test(`${kind}: a session whose keys change forgets tokens, however they do`, async () => {
    const changes: ((session: Session) => void)[] = [
      (session) => session.secretKey = OTHER_KEY,
      (session) => session.secretKey = [OTHER_KEY],
      (session) => session.initialize({ secretKey: OTHER_KEY }),
    ];
    for (const change of changes) {
      const session = makeSession({ secretKey: [KEY, OTHER_KEY] });
      const token = await session.encode({ n: 1 });
      assertEquals(await session.decode(token), { n: 1 });
      change(session);
      assertEquals(await session.decode(token), {});
      assertEquals(
        { ...await session.get(requestWith(`session=${token}`)) },
        {},
      );
      session.secretKey = KEY;
      assertEquals(await session.decode(token), { n: 1 });
    }
  });

  Deno.test(`${kind}: a change of keys is not undone by a read or save under way`, async () => {
    const session = makeSession();
    const token = await makeSession().encode({ n: 1 });
    const reading = session.decode(token);
    const saving = session.encode({ n: 2 });
    session.secretKey = OTHER_KEY;
    await reading;
    const saved = await saving;
    assertEquals(await session.decode(token), {});
    const expected = await makeSession({ secretKey: OTHER_KEY }).decode(saved);
    assertEquals(await session.decode(saved), expected);
  });

  Deno.test(`${kind}: session.decode() remembers nothing of a key that is not the session's`, async () => {
    const session = makeSession();
    const token = await session.encode({ n: 1 }, OTHER_KEY);
    assertEquals(await session.decode(token, OTHER_KEY), { n: 1 });
    assertEquals(await session.decode(token), {});
    assertEquals(await session.decode(token, OTHER_KEY), { n: 1 });
  });
}

Deno.test("load() remembers no more tokens than it has room for", async () => {
  const backend = KINDS.jwt();
  const early = await backend.save({ n: -1 });
  const text = "x".repeat(2_900);
  let late = "";
  for (let n = 0; n < FLOOD; n += 100) {
    const saves = Array.from({ length: 100 }, (_, i) => n + i)
      .map((n) => backend.save({ n, text }));
    [late] = (await Promise.all(saves)).slice(-1);
  }
  for (const [token, expected] of [[early, 1], [late, 0]] as const) {
    const count = await countCalls(async () => {
      assert(await backend.load(token));
    }, "verify");
    assertStrictEquals(count, expected);
  }
});

Deno.test("TokenCache knows no token by a part of its text", () => {
  const cache = new TokenCache();
  // Found by the same number, as its last characters are the same.
  const token = "a token's MAC".replaceAll(" ", "-");
  cache.set(token, `{"n": "${token} x"}`);
  for (const more of [` {"n": "${token}`, ` {"n": "${token} x"}`]) {
    assertStrictEquals(cache.get(token + more), undefined);
  }
  assertStrictEquals(cache.get(token), `{"n": "${token} x"}`);
});

Deno.test("load() keeps none of the string that a token was cut from", async () => {
  const code = `
    import { jwtBackend } from "./backends/jwt.ts";
    const options = { secretKey: "${KEY}", type: "test" };
    const [maker, backend] = [jwtBackend(options), jwtBackend(options)];
    const read = async (n) => {
      const token = await maker.save({ n });
      const header = "a=" + "x".repeat(60_000) + "; session=" + token;
      const payload = await backend.load(header.slice(-token.length));
      if (payload?.n !== n) throw new Error("The token was not read");
    };
    const used = () => (gc(), Deno.memoryUsage().heapUsed);
    await read(-1);
    const before = used();
    for (let n = 0; n < 300; n++) await read(n);
    console.log(used() - before);
  `;
  const args = ["eval", "--no-check", "--v8-flags=--expose-gc", code];
  const { code: status, stdout, stderr } = await runDeno(args);
  assertStrictEquals(status, 0, stderr);
  const growth = Number(stdout);
  assert(growth < 6_000_000, `The heap grew by ${growth} bytes`);
});
