import { assert, assertEquals } from "@std/assert";
import { Login, Session } from "../../mod.ts";
import { cookieSetBy, KEY, requestWith } from "../_helpers.ts";
import { Random } from "../_random.ts";

const VISITORS = 200;
const VISITS = 2_000;

interface User {
  id: number;
}

for (const backend of ["jwt", "fernet"] as const) {
  Deno.test(`rule 26, a mix of visitors: Session with ${backend} gives each one's data to that one alone`, async () => {
    const session = new Session<{ name: string }>({ secretKey: KEY, backend });
    const visit = session.wrap(async (request) => {
      const dict = await session.get(request);
      dict.name ??= new URL(request.url).pathname;
      dict.save();
      return new Response(dict.name);
    });
    const cookies: (string | undefined)[] = Array(VISITORS);
    const random = new Random(26);
    // Many at once, each of them often, in any order.
    for (let round = 0; round < VISITS / VISITORS; round++) {
      const visitors = Array.from(cookies.keys())
        .map((visitor) => [random.next(), visitor])
        .sort(([a], [b]) => a - b);
      await Promise.all(visitors.map(async ([, visitor]) => {
        const url = `http://localhost/${visitor}`;
        const response = await visit(requestWith(cookies[visitor], url));
        assertEquals(await response.text(), `/${visitor}`);
        cookies[visitor] = `session=${cookieSetBy(response)}`;
      }));
    }
  });
}

for (
  const [what, bodyOf] of [
    ["a text", () => "Go away"],
    ["a blob", () => new Blob(["Go away"])],
    ["a stream", () => new Blob(["Go away"]).stream()],
  ] as const
) {
  Deno.test(`rule 22, retained responses: Login sends ${what} to all whom it turns away, and no cookie`, async () => {
    const session = new Session({ secretKey: KEY });
    const login = new Login<User>(session, { userLoader: (id) => ({ id }) });
    const location = new Response(bodyOf(), { status: 403 });
    const guarded = login.required(() => new Response("Secret"), { location });
    const handler = session.wrap(async (request) => {
      const dict = await session.get(request);
      dict.name = new URL(request.url).pathname;
      dict.save();
      return await guarded(request);
    });
    const values = new Set<string | undefined>();
    for (let n = 0; n < 50; n++) {
      const request = requestWith(undefined, `http://localhost/${n}`);
      const response = await handler(request);
      assertEquals(await response.text(), "Go away");
      assertEquals(response.headers.getSetCookie().length, 1);
      values.add(cookieSetBy(response));
    }
    assertEquals(values.size, 50);
    assertEquals(location.headers.getSetCookie(), []);
    // Clones would be tees, which pile up what nobody reads.
    assert(location.bodyUsed);
  });
}
