/** A site that makes a response with text while it is imported. */

const response = new Response("Members only");

/** Makes the site. */
export function makeSite(): () => Response {
  return () => response;
}
