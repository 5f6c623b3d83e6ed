/** What token backends do with what is no token, and no payload. */

import { assertEquals, assertRejects } from "@std/assert";
import type { Payload } from "../../../mod.ts";
import { base64Backend } from "../../../backends/base64.ts";
import { KIND_NAMES, KINDS } from "./_kinds.ts";

const BACKENDS = {
  ...Object.fromEntries(KIND_NAMES.map((kind) => [kind, KINDS[kind]])),
  base64: base64Backend,
};

/** What a parameter may be that is missing. */
const NO_TOKENS = [undefined, null, 1, ["a"], {}, Symbol("s")];
const NO_PAYLOADS = [undefined, null, "text", 1, [1], new Map(), new Date()];

for (const [kind, makeBackend] of Object.entries(BACKENDS)) {
  for (const value of NO_TOKENS) {
    const what = Deno.inspect(value);

    Deno.test(`${kind}: load() takes ${what} for no token`, async () => {
      const backend = makeBackend();
      assertEquals(await backend.load(value as string), null);
      assertEquals(await backend.explain?.(value as string), "malformed");
    });
  }

  for (const payload of NO_PAYLOADS) {
    const what = Deno.inspect(payload);

    Deno.test(`${kind}: save() rejects ${what} for a payload`, async () => {
      await assertRejects(
        () => makeBackend().save(payload as unknown as Payload),
        TypeError,
        "it must be a plain object",
      );
    });
  }
}
