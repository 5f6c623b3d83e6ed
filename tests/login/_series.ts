/**
 * What the tests of remember-me tokens of one use share.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { RejectReason } from "../../mod.ts";
import { payloadOf } from "../_helpers.ts";
import { type Browser, type Setting, Site, type User } from "../_login.ts";
import { WatchedStore } from "../_watched_store.ts";

/** Longer than an answer may take to arrive, in seconds. */
export const LATER = 11;

/** A site whose backend keeps sessions. */
export class StoreSite extends Site {
  readonly store: WatchedStore;
  /** What `onReject` was told. */
  readonly reasons: RejectReason[];

  constructor({ session, ...setting }: Setting = {}) {
    const store = new WatchedStore();
    const reasons: RejectReason[] = [];
    super({
      ...setting,
      session: {
        backend: store.backend(),
        onReject: (reason) => void reasons.push(reason),
        ...session,
      },
    });
    this.store = store;
    this.reasons = reasons;
  }

  /** The series that the store has, or those of a user. */
  seriesOf(user: Partial<User> = {}): unknown[] {
    const wanted = user.id === undefined ? {} : { _user_id: user.id };
    return this.store.find({
      _cookie: "remember me beside session",
      ...wanted,
    });
  }

  /** Sees that a browser's user is known, and no theft was noticed. */
  async assertKnown(browser: Browser, user = this.susan): Promise<void> {
    assertEquals(await this.ask(browser), user);
    assertEquals(this.reasons.includes("reused"), false);
  }

  /** Closes a browser, and opens it again. */
  async comeBack(browser: Browser, user = this.susan): Promise<void> {
    browser.cookies.delete("session");
    await this.assertKnown(browser, user);
  }
}

/** A browser's remember-me token. */
export function tokenOf({ cookies }: Browser): string {
  return cookies.get("_remember") ?? "";
}

/** The number of a token in its series. */
export function numberOf(browser: Browser): unknown {
  return payloadOf(tokenOf(browser)).number;
}
