export import Deno = globalThis.Deno;
