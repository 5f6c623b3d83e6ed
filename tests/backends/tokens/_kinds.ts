/**
 * The kinds of tokens that are remembered once they are verified.
 *
 * @module
 */

import { fernetBackend } from "../../../backends/fernet.ts";
import {
  type Backend,
  jwtBackend,
  type SecretKey,
} from "../../../backends/jwt.ts";
import { KEY, NOW } from "../../_helpers.ts";
import { TYPE } from "../_jwt.ts";

/** What is given for a backend of one kind. */
export interface KindOptions {
  secretKey?: SecretKey | readonly SecretKey[];
  clock?: () => number;
}

/** Makes a backend, by the name that a session has for its kind. */
export const KINDS = {
  jwt: ({ secretKey = KEY, clock = stopped }: KindOptions = {}): Backend =>
    jwtBackend({ secretKey, clock, type: TYPE }),
  fernet: ({ secretKey = KEY, clock = stopped }: KindOptions = {}): Backend =>
    fernetBackend({ secretKey, clock }),
};

/** The name of a kind. */
export type KindName = keyof typeof KINDS;

/** All of them. */
export const KIND_NAMES = Object.keys(KINDS) as KindName[]; // its keys are these

function stopped(): number {
  return NOW * 1000;
}
