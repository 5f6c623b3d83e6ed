/**
 * The states of logins that go by way of another site, such as an OAuth
 * provider: who comes back must be who was sent there (RFC 6749 section 10.12).
 *
 * @module
 */

import { encodeBase64Url } from "@std/encoding/base64url";
import type { Payload } from "../backends/backend.ts";
import { isTime, STATES } from "../backends/claims.ts";
import type { SessionCore } from "../session/core.ts";
import type { Exchange } from "../session/exchange.ts";

const STATE_BYTES = 16;
/** How long a visitor may take at the other site, in seconds. */
const MAX_AGE = 600;
/** How many logins may be under way at once, in tabs; the oldest go first. */
const MAX_STATES = 5;

/** A state, and when it expires, in seconds since the epoch. */
type State = [state: string, exp: number];

/** Makes the states of one session, each of which is good once. */
export class LoginStates {
  readonly #core: SessionCore;

  /** Makes the states of a session. */
  constructor(core: SessionCore) {
    this.#core = core;
  }

  /** Makes a state, and keeps it in the visitor's session. */
  async create(exchange: Exchange): Promise<string> {
    await exchange.load();
    const random = crypto.getRandomValues(new Uint8Array(STATE_BYTES));
    const state = encodeBase64Url(random);
    const exp = Math.floor(this.#core.config.lifetime.now) + MAX_AGE;
    await exchange.update({
      claims: (before) => {
        const states = [...this.#statesOf(before), [state, exp]];
        return { [STATES]: states.slice(-MAX_STATES) };
      },
    });
    return state;
  }

  /**
   * The claims of a session whose state is used up.
   *
   * @returns `null` where it has no such state.
   */
  async use(exchange: Exchange, state: unknown): Promise<Payload | null> {
    await exchange.load();
    const states = this.#statesOf(exchange.claims);
    const others = states.filter(([one]) => one !== state);
    if (others.length === states.length) return null;
    return { [STATES]: others.length > 0 ? others : undefined };
  }

  #statesOf({ [STATES]: states }: Readonly<Payload>): State[] {
    const { now } = this.#core.config.lifetime;
    return Array.isArray(states)
      ? states.filter((one) => isState(one) && now < one[1])
      : [];
  }
}

function isState(value: unknown): value is State {
  return Array.isArray(value) && typeof value[0] === "string" &&
    isTime(value[1]);
}
