// Runs the Worker beside this file, with a bundle, in workerd.
import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";

const module = (path, url) => ({
  type: "ESModule",
  path,
  contents: readFileSync(url, "utf8"),
});
const miniflare = new Miniflare({
  host: "127.0.0.1",
  port: 0,
  compatibilityDate: "2026-01-01",
  modules: [
    module("worker.mjs", new URL("worker.mjs", import.meta.url)),
    module("site.mjs", new URL(process.argv[2])),
  ],
});
console.log(`${await miniflare.ready}`);
