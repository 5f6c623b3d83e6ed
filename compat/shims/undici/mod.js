// Oak's package for npm brings undici's classes along; here it has Deno's own,
// as it has from JSR.
export const { fetch, File, FormData, Headers, Request, Response } = globalThis;
