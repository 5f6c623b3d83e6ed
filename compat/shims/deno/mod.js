// Oak's package for npm brings an imitation of Deno along; here it has Deno.
export const { Deno } = globalThis;
