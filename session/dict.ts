/**
 * The session dictionary: plain data with two methods that stay out of sight.
 *
 * @module
 */

import type { Payload } from "../backends/backend.ts";
import { RESERVED_CLAIMS } from "../backends/claims.ts";

/** What the methods of a dictionary do. */
export interface DictOwner {
  save(dict: Dict): Promise<void>;
  delete(dict: Dict): Promise<void>;
}

/** Built-in objects that JSON keeps; of others it would drop the content. */
const JSON_TAGS: ReadonlySet<string> = new Set([
  "[object Object]",
  "[object Array]",
  "[object String]",
  "[object Number]",
  "[object Boolean]",
]);

/**
 * Holds the data as own properties. The prototype has the methods and nothing
 * else, not even `Object.prototype`: `in` and a look-up by a client's string
 * find data only, and `dict["__proto__"] = value` is a plain property.
 */
export class Dict {
  readonly #owner: DictOwner;

  static {
    Object.setPrototypeOf(this.prototype, null);
    Reflect.deleteProperty(this.prototype, "constructor");
  }

  constructor(owner: DictOwner) {
    this.#owner = owner;
  }

  get save(): () => Promise<void> {
    return this.#save;
  }

  set save(_value: unknown) {
    refuseName("save");
  }

  get delete(): () => Promise<void> {
    return this.#delete;
  }

  set delete(_value: unknown) {
    refuseName("delete");
  }

  #save(): Promise<void> {
    return this.#owner.save(this);
  }

  #delete(): Promise<void> {
    return this.#owner.delete(this);
  }
}

/** Copies a payload's data into a dictionary; claims and methods stay out. */
export function fillDict(dict: Dict, payload: Payload): void {
  const data = dict as unknown as Payload; // a dictionary's own properties
  for (const name in payload) {
    if (RESERVED_CLAIMS.has(name) || name === "save" || name === "delete") {
      continue;
    }
    data[name] = payload[name];
  }
}

/** Removes all data from a dictionary. */
export function clearDict(dict: Dict): void {
  for (const name of Object.keys(dict)) Reflect.deleteProperty(dict, name);
}

/**
 * Copies a dictionary's data as they are now.
 *
 * @throws {TypeError} If a name is a reserved claim, or JSON can't hold a value.
 */
export function snapshot(dict: Dict): Payload {
  for (const name of Object.keys(dict)) {
    if (RESERVED_CLAIMS.has(name)) {
      throw new TypeError(
        `Cannot save session: "${name}" is a claim of the token; rename the property`,
      );
    }
  }
  return toJsonObject(dict);
}

/**
 * Copies an object by way of JSON, and refuses what would be lost on the way.
 *
 * @throws {TypeError} If JSON can't hold a value.
 */
export function toJsonObject(data: object): Payload {
  let property = "";
  const text = JSON.stringify(data, function (key: string, value: unknown) {
    if (this === data) property = key;
    if (!isJson(value)) {
      throw new TypeError(
        `Cannot save session: "${property}" has a value that JSON cannot hold (${
          describe(value)
        }); use plain objects, arrays, strings, finite numbers, booleans and null`,
      );
    }
    return value;
  });
  return JSON.parse(text);
}

function isJson(value: unknown): boolean {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value);
    case "object":
      return value === null ||
        JSON_TAGS.has(Object.prototype.toString.call(value));
    case "string":
    case "boolean":
    case "undefined": // As good as absent.
      return true;
    default:
      return false;
  }
}

function describe(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value !== "object") return typeof value;
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

function refuseName(name: string): never {
  throw new TypeError(
    `Cannot set "${name}" in a session: it is the name of a method; rename the property`,
  );
}
