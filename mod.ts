/**
 * Signed cookie sessions for `Deno.serve` handlers.
 *
 * @example Remember a visitor
 * ```ts
 * import { generateSecretKey, Session, withSession } from "@denizen/session";
 * import { assertEquals } from "@std/assert";
 *
 * const session = new Session<{ n: number }>({ secretKey: generateSecretKey() });
 *
 * // Deno.serve(handler)
 * const handler = withSession(session, (_request, dict) => {
 *   dict.n = (dict.n ?? 0) + 1;
 *   dict.save();
 *   return Response.json({ n: dict.n });
 * });
 *
 * const response = await handler(new Request("http://localhost/"));
 * assertEquals(await response.json(), { n: 1 });
 * ```
 *
 * @module
 */

export {
  type Backend,
  type BackendName,
  type CookieOptions,
  type Json,
  type JsonData,
  type Payload,
  type RejectReason,
  type SecretKey,
  Session,
  type SessionDict,
  type SessionMethods,
  type SessionOptions,
  withSession,
} from "./session.ts";
export {
  type FreshOptions,
  type GuardOptions,
  type Identified,
  Login,
  type LoginOptions,
  type LoginSession,
  type LoginUserOptions,
  type LogoutUserOptions,
  type TokenOptions,
  type UserHandler,
  type UserLoader,
} from "./login.ts";
export {
  type Flash,
  flash,
  type Flashable,
  generateSecretKey,
  isCrossOrigin,
  redirect,
  safeNextPath,
  takeFlashes,
} from "./helpers.ts";
