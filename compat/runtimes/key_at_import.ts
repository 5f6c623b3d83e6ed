/** A site that makes its key while it is imported. */

import { generateSecretKey } from "@denizen/session/helpers";

const key = generateSecretKey();

/** Makes the site. */
export function makeSite(): () => Response {
  return () => new Response(key);
}
