/**
 * The session dictionary: JSON data with two methods that stay out of sight.
 *
 * @module
 */

import type { Payload } from "../backends/backend.ts";
import { checkPayload, isPlain } from "../backends/check.ts";
import { CLAIMS } from "../backends/claims.ts";

/** How deep data may be nested; deeper is most likely a circle. */
const MAX_DEPTH = 2000;

/**
 * The type itself where its values survive JSON: plain objects, arrays,
 * strings, numbers, booleans and null. A `Date`, a `Map` or a class instance is
 * `never`.
 *
 * @typeParam Value The type.
 */
export type Json<Value> = Value extends
  string | number | boolean | null | undefined ? Value
  // deno-lint-ignore no-explicit-any -- any parameters
  : Value extends ((...parameters: any[]) => unknown) | { toJSON(): unknown }
    ? never
  : Value extends object ? JsonData<Value>
  : never;

/**
 * An object all of whose properties survive JSON.
 *
 * @typeParam Data The object's type.
 */
export type JsonData<Data extends object> = {
  [Name in keyof Data]: Json<Data[Name]>;
};

/** What the methods of a dictionary do. */
export interface DictOwner {
  /** Saves the data as they are now. */
  save(): Promise<void>;
  /** Ends the session. */
  delete(): Promise<void>;
}

/**
 * Holds the data as own properties. The prototype has the methods and nothing
 * else, not even `Object.prototype`: `in` and a look-up by a client's string
 * find data only, and `dict["__proto__"] = value` is a plain property.
 */
export class Dict {
  readonly #owner: DictOwner;
  #save: (() => Promise<void>) | undefined;
  #delete: (() => Promise<void>) | undefined;

  static {
    Object.setPrototypeOf(this.prototype, null);
    Reflect.deleteProperty(this.prototype, "constructor");
  }

  /** Makes an empty dictionary. */
  constructor(owner: DictOwner) {
    this.#owner = owner;
  }

  /** Saves the data; a function on its own, so that it can be handed on. */
  get save(): () => Promise<void> {
    return this.#save ??= () => this.#owner.save();
  }

  set save(_value: unknown) {
    refuseName("save");
  }

  /** Ends the session. */
  get delete(): () => Promise<void> {
    return this.#delete ??= () => this.#owner.delete();
  }

  set delete(_value: unknown) {
    refuseName("delete");
  }
}

/**
 * Copies a payload's data into a dictionary.
 *
 * @returns The rest: claims, and what has the name of a method.
 */
export function fillDict(dict: Dict, payload: Payload): Payload {
  const data = dict as unknown as Payload; // a dictionary's own properties
  const rest: Payload = {};
  for (const name in payload) {
    const isData = !CLAIMS.has(name) && name !== "save" && name !== "delete";
    (isData ? data : rest)[name] = payload[name];
  }
  return rest;
}

/** The data of a payload, claims left out. */
export function dataOf(payload: Payload): Payload {
  return Object.fromEntries(
    Object.entries(payload).filter(([name]) => !CLAIMS.has(name)),
  );
}

/** Removes all data from a dictionary. */
export function clearDict(dict: Dict): void {
  for (const name of Object.keys(dict)) Reflect.deleteProperty(dict, name);
}

/**
 * Copies a dictionary's data as they are now.
 *
 * @throws {TypeError} If a name is a claim, or JSON can't hold a value.
 */
export function snapshot(dict: Dict): Payload {
  for (const name in dict) {
    if (CLAIMS.has(name)) {
      throw new TypeError(
        `Cannot save session: "${name}" is a claim of the token; rename the property`,
      );
    }
  }
  return copyData(dict);
}

/**
 * Copies a payload as it is.
 *
 * @throws {TypeError} If it is no plain object, or JSON can't hold a value.
 */
export function copyPayload(payload: object): Payload {
  if (!(payload instanceof Dict)) checkPayload(payload);
  return copyData(payload);
}

/**
 * Copies an object that JSON is to hold, and refuses what would be lost.
 *
 * @throws {TypeError} If JSON can't hold a value.
 */
function copyData(data: object): Payload {
  const copy: Payload = {};
  for (const symbol of Object.getOwnPropertySymbols(data)) {
    refuse(String(symbol), "a symbol for its name");
  }
  for (const name of Object.keys(data)) {
    // The object's own property, whatever it holds.
    const value = (data as Payload)[name];
    if (value !== undefined) define(copy, name, copyValue(value, name, 1));
  }
  return copy;
}

function refuseName(name: string): never {
  throw new TypeError(
    `Cannot set "${name}" in a session: it is the name of a method; rename the property`,
  );
}

function copyValue(value: unknown, property: string, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      break;
    case "object":
      if (value === null) return null;
      if (depth > MAX_DEPTH) refuse(property, "a circle, or too deeply nested");
      if (Array.isArray(value)) {
        return Array.from(
          value,
          (item) => copyValue(item, property, depth + 1),
        );
      }
      if (isPlain(value)) return copyObject(value, property, depth);
  }
  refuse(property, describe(value));
}

function copyObject(object: object, property: string, depth: number): Payload {
  const copy: Payload = {};
  if (Object.getOwnPropertySymbols(object).length > 0) {
    refuse(property, "a symbol for a name");
  }
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    define(copy, name, copyValue(value, property, depth + 1));
  }
  return copy;
}

/** Sets a property of the object's own, even where it is named `__proto__`. */
function define(object: Payload, name: string, value: unknown): void {
  if (name !== "__proto__") object[name] = value;
  else {
    Object.defineProperty(object, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
}

function refuse(property: string, what: string): never {
  throw new TypeError(
    `Cannot save session: "${property}" has a value that JSON cannot hold (${what}); use plain objects, arrays, strings, finite numbers, booleans and null`,
  );
}

function describe(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return typeof value;
  return value.constructor?.name || "an object";
}
