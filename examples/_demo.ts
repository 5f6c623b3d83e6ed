/**
 * The login example, for `deno task demo`.
 *
 * @module
 */

import { listen } from "./_example.ts";
import example from "./login.ts";

listen(example.fetch);
