// Serves a bundle on Bun.
const { makeSite } = await import(process.argv[2]);
const options = { hostname: "127.0.0.1", port: 0, idleTimeout: 120 };
const { url } = globalThis.Bun.serve({ ...options, fetch: makeSite() });
console.log(`${url}`);
