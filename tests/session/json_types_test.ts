/** Which data a session takes: the type checker does the testing. */

import { assertEquals } from "@std/assert";
import { Login, Session, type SessionDict, withSession } from "../../mod.ts";
import { MemoryBackend, requestWith } from "../_helpers.ts";

class Point {
  x = 1;
  norm(): number {
    return Math.abs(this.x);
  }
}

class Bare {
  x = 1;
}

interface Timed {
  toJSON(): string;
}

interface Method {
  greet(): string;
}

enum Color {
  Red = "red",
}

enum Level {
  High,
}

type Scalar = string | number | boolean | null;
type JsonValue = Scalar | JsonValue[] | { [name: string]: JsonValue };
type Branded = string & { readonly brand: unique symbol };

interface Tree {
  name: string;
  children: Tree[];
  parent?: Tree | null;
}

interface Item {
  readonly id: number;
  title?: string;
}

interface Shop {
  n: number;
  user?: { name: string; tags: readonly string[] };
  cart: Item[];
}

/** Types whose data JSON holds. */
type Taken = [
  Session<Shop>,
  Session<Item>,
  Session<Tree>,
  Session<{ n: number }>,
  Session<Readonly<Shop>>,
  Session<Partial<Shop>>,
  Session<Required<Shop>>,
  Session<Pick<Shop, "cart">>,
  Session<Shop & { more: string }>,
  Session<{ a: string } | { b: number[] }>,
  Session<{ kind: "a"; a: 1 } | { kind: "b"; b: null }>,
  Session<{ x?: string }>,
  Session<{ x: string | undefined }>,
  Session<{ x: "light" | "dark" | 1 | true | null }>,
  Session<{ x: `${number}px` }>,
  Session<{ x: Color; y: Level }>,
  Session<{ x: Branded }>,
  Session<{ x: [string, number?, ...boolean[]] }>,
  Session<{ x: readonly [Item, Item] }>,
  Session<{ x: (string | { a: number })[][] }>,
  Session<{ x: Record<string, number> }>,
  Session<{ [name: string]: Scalar }>,
  // @ts-expect-error -- any JSON
  Session<{ x: JsonValue }>,
  Session<{ [name: string]: JsonValue }>,
  Session<Record<"a" | "b", { c: boolean }>>,
  Session<{ x: { y: { z: { list: { deep: Scalar }[] } } } }>,
  Session<{ x: object }>,
  // deno-lint-ignore ban-types -- what an empty interface is
  Session<{ x: {} }>,
  Session<{ x: never }>,
  // deno-lint-ignore no-explicit-any -- whoever writes it looks after it
  Session<{ x: any; list: any[]; map: Record<string, any> }>,
  // deno-lint-ignore no-explicit-any -- the default
  Session<Record<string, any>>,
  // What no type tells: they look like plain objects. A save does.
  Session<{ x: Bare }>,
  Session<{ x: typeof Bare }>,
];

/** Types whose data JSON turns into something else: into what. */
type Refused = [
  // @ts-expect-error -- a string
  Session<{ at: Date }>,
  // @ts-expect-error -- a string
  Session<{ url: URL }>,
  // @ts-expect-error -- an object without entries
  Session<{ map: Map<string, number> }>,
  // @ts-expect-error -- an object without entries
  Session<{ set: Set<string> }>,
  // @ts-expect-error -- an object with numbers for names
  Session<{ bytes: Uint8Array }>,
  // @ts-expect-error -- an empty object
  Session<{ buffer: ArrayBuffer }>,
  // @ts-expect-error -- an empty object
  Session<{ pattern: RegExp }>,
  // @ts-expect-error -- an empty object
  Session<{ error: Error }>,
  // @ts-expect-error -- an empty object
  Session<{ later: Promise<number> }>,
  // @ts-expect-error -- an empty object
  Session<{ file: File }>,
  // @ts-expect-error -- an empty object
  Session<{ form: FormData }>,
  // @ts-expect-error -- an object without its methods
  Session<{ point: Point }>,
  // @ts-expect-error -- what toJSON() makes of it
  Session<{ timed: Timed }>,
  // @ts-expect-error -- nothing
  Session<{ call: () => void }>,
  // @ts-expect-error -- an object without its method
  Session<{ greeter: Method }>,
  // @ts-expect-error -- nothing
  Session<{ symbol: symbol }>,
  // @ts-expect-error -- a TypeError
  Session<{ big: bigint }>,
  // @ts-expect-error -- it may be any of these: say what it is
  Session<{ x: unknown }>,
  // @ts-expect-error -- so may these
  Session<Record<string, unknown>>,
];

/** Where such a type may lie. */
type RefusedDeep = [
  // @ts-expect-error -- in an object
  Session<{ user: { born: Date } }>,
  // @ts-expect-error -- in an object of objects
  Session<{ a: { b: { c: { at: Date } } } }>,
  // @ts-expect-error -- in an array
  Session<{ dates: Date[] }>,
  // @ts-expect-error -- in an array of objects
  Session<{ items: { at: Date }[] }>,
  // @ts-expect-error -- in a tuple
  Session<{ pair: [string, Date] }>,
  // @ts-expect-error -- in a readonly array
  Session<{ dates: readonly Date[] }>,
  // @ts-expect-error -- in a record
  Session<{ dates: Record<string, Date> }>,
  // @ts-expect-error -- in the data as a record
  Session<Record<string, Date>>,
  // @ts-expect-error -- in a union
  Session<{ at: string | Date }>,
  // @ts-expect-error -- in a property that may be absent
  Session<{ at?: Date }>,
  // @ts-expect-error -- in a property that may be null
  Session<{ at: Date | null }>,
  // @ts-expect-error -- in one of several forms of the data
  Session<{ n: number } | { at: Date }>,
  // @ts-expect-error -- in a part of the data
  Session<{ n: number } & { at: Date }>,
  // @ts-expect-error -- as the data themselves
  Session<Date>,
  // @ts-expect-error -- as the data themselves
  Session<Map<string, string>>,
  // @ts-expect-error -- as the data themselves
  Session<Point>,
];

Deno.test("Session takes types whose data JSON holds, and no others", () => {
  void (0 as unknown as Taken | Refused | RefusedDeep);
});

Deno.test("no other door takes such a type", () => {
  // Never called: the types are the test.
  void (() => {
    // @ts-expect-error -- where it is made
    new Session<{ at: Date }>();
    // @ts-expect-error -- as the dictionary by itself
    const dict: SessionDict<{ at: Date }> = { at: new Date() };
    return dict;
  });
});

Deno.test("the data of a session keep their own types", async () => {
  const session: Session<Shop> = new Session<Shop>({
    backend: new MemoryBackend(),
  });
  const handler = withSession(session, (_request, dict) => {
    const tags: readonly string[] | undefined = dict.user?.tags;
    const title: string | undefined = dict.cart?.[0].title;
    dict.cart = [{ id: 1 }, { id: 2, title: "tea" }];
    // @ts-expect-error -- an item has a number for an id
    void (() => dict.cart = [{ id: "1" }]);
    // @ts-expect-error -- no object of a class for plain data
    void (() => dict.user = new Point());
    return Response.json([tags, title]);
  });
  const response = await handler(requestWith());
  assertEquals(await response.json(), [null, null]);
  // A login takes a session of any data.
  void new Login(session);
});
