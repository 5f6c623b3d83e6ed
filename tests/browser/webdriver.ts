/**
 * A small WebDriver client for Chromium: https://www.w3.org/TR/webdriver2/.
 *
 * @module
 */

/** A cookie as WebDriver tells it. */
export interface BrowserCookie {
  name: string;
  value: string;
  path: string;
  httpOnly: boolean;
  secure: boolean;
  sameSite: string;
  /** Seconds since the epoch; absent for a session cookie. */
  expiry?: number;
}

/** A line of the browser's console. */
export interface LogEntry {
  level: string;
  message: string;
  source: string;
}

/** Keys that have no character of their own. */
export const Keys = { tab: "\uE004", enter: "\uE007", space: " " } as const;

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const DEADLINE = 15_000;
const ADVICE =
  "install Debian's chromium and chromium-driver: apt-get install chromium chromium-driver";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--window-size=1280,800",
];

/** A Chromium of its own, without a window, with an empty profile. */
export class Browser {
  readonly #url: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(url: string, resources: AsyncDisposableStack) {
    this.#url = url;
    this.#resources = resources;
  }

  /** Starts chromedriver on a free port, and Chromium with more flags. */
  static async start(...flags: string[]): Promise<Browser> {
    const binary = await findProgram("chromium", "google-chrome");
    const program = await findProgram("chromedriver");
    await using resources = new AsyncDisposableStack();
    const profile = await Deno.makeTempDir({ prefix: "browser_test_" });
    resources.defer(() => removeDirectory(profile));
    const driver = resources.use(
      await Subprocess.start(program, ["--port=0"], /on port (\d+)\.$/m, {
        HOME: profile,
      }),
    );
    const url = `http://127.0.0.1:${driver.match[1]}/session`;
    const alwaysMatch = {
      browserName: "chrome",
      timeouts: { pageLoad: DEADLINE, script: DEADLINE },
      "goog:loggingPrefs": { browser: "ALL" },
      "goog:chromeOptions": {
        binary,
        args: [...FLAGS, ...flags, `--user-data-dir=${profile}`],
      },
    };
    const { sessionId } = await call<{ sessionId: string }>("POST", url, {
      capabilities: { alwaysMatch },
    });
    const sessionUrl = `${url}/${sessionId}`;
    resources.defer(() => call("DELETE", sessionUrl));
    return new Browser(sessionUrl, resources.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  /** Opens a page and waits until it is loaded. */
  async open(url: string): Promise<void> {
    await this.#post("/url", { url });
  }

  /** Presses the browser's back button. */
  async back(): Promise<void> {
    await this.#post("/back");
  }

  url(): Promise<string> {
    return this.#get("/url");
  }

  /** The path and query of the page. */
  async path(): Promise<string> {
    const { pathname, search } = new URL(await this.url());
    return pathname + search;
  }

  /** The visible text of the element that a CSS selector finds first. */
  async text(selector = "body"): Promise<string> {
    return await this.#get(`/element/${await this.#find(selector)}/text`);
  }

  async click(selector: string): Promise<void> {
    await this.#post(`/element/${await this.#find(selector)}/click`);
  }

  /** Types into an element, at the end of what is there. */
  async type(selector: string, text: string): Promise<void> {
    await this.#post(`/element/${await this.#find(selector)}/value`, { text });
  }

  /** Presses keys one by one, wherever the focus is. */
  async press(...keys: string[]): Promise<void> {
    const actions = keys.flatMap((text) => [...text]).flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.#post("/actions", {
      actions: [{ type: "key", id: "keyboard", actions }],
    });
  }

  /** Runs the body of a function in the page. */
  async execute<T>(script: string, ...args: unknown[]): Promise<T> {
    return await this.#post("/execute/sync", { script, args }) as T;
  }

  /** The HTTP status of the page. */
  status(): Promise<number> {
    return this.execute(
      `return performance.getEntriesByType("navigation")[0].responseStatus`,
    );
  }

  /** The cookies of the page by name, those out of a script's reach included. */
  async cookies(): Promise<BrowserCookie[]> {
    const cookies = await this.#get<BrowserCookie[]>("/cookie");
    return cookies.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async deleteCookie(name: string): Promise<void> {
    await call("DELETE", `${this.#url}/cookie/${encodeURIComponent(name)}`);
  }

  /** What the console said since the last call. */
  async log(): Promise<LogEntry[]> {
    return await this.#post("/se/log", { type: "browser" }) as LogEntry[];
  }

  /** Lays pages out as a phone of this size would, until the browser ends. */
  async resize(width: number, height: number): Promise<void> {
    await this.#command("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: width < 600,
    });
  }

  /** Lays pages out for somebody who likes them dark, or light. */
  async prefer(colorScheme: "dark" | "light"): Promise<void> {
    const features = [{ name: "prefers-color-scheme", value: colorScheme }];
    await this.#command("Emulation.setEmulatedMedia", { features });
  }

  /** Makes the cookies of an origin `SameSite=Strict`. */
  async makeStrict(origin: string): Promise<void> {
    const urls = [origin];
    const { cookies } = await this.#command("Network.getCookies", { urls }) as {
      cookies: BrowserCookie[];
    };
    for (const { name, value } of cookies) {
      await this.#command("Network.setCookie", {
        name,
        value,
        url: origin,
        httpOnly: true,
        sameSite: "Strict",
      });
    }
  }

  /** Lets `execute` do what the page's Content-Security-Policy forbids. */
  async bypassPolicy(): Promise<void> {
    await this.#command("Page.setBypassCSP", { enabled: true });
  }

  /** Runs no script of a page any more, only those of `execute`. */
  async disableScripts(): Promise<void> {
    await this.#command("Emulation.setScriptExecutionDisabled", {
      value: true,
    });
  }

  /** The page as a PNG image, to look at. */
  async screenshot(): Promise<Uint8Array> {
    return Uint8Array.fromBase64(await this.#get("/screenshot"));
  }

  /** Waits until something is so, and says what was not where it never is. */
  async until(
    what: string,
    isSo: () => boolean | Promise<boolean>,
  ): Promise<void> {
    const deadline = Date.now() + DEADLINE;
    for (;;) {
      let last: unknown;
      try {
        if (await isSo()) return;
      } catch (error) {
        // The page changes while it is looked at.
        if (!(error instanceof WebDriverError)) throw error;
        last = error;
      }
      if (Date.now() > deadline) {
        const [url, body] = [await this.url(), await this.text()];
        throw new Error(`Cannot wait for ${what} any longer: ${url}\n${body}`, {
          cause: last,
        });
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Waits until a page with this path and query is loaded. */
  async untilAt(path: string): Promise<void> {
    await this.until(
      `the page ${path}`,
      async () =>
        await this.path() === path &&
        await this.execute("return document.readyState") === "complete",
    );
  }

  /** A command of Chromium's own, beyond WebDriver. */
  #command(cmd: string, params: object): Promise<unknown> {
    return this.#post("/goog/cdp/execute", { cmd, params });
  }

  async #find(selector: string): Promise<string> {
    const element = await this.#post("/element", {
      using: "css selector",
      value: selector,
    }) as Record<typeof ELEMENT, string>;
    return element[ELEMENT];
  }

  #get<T>(path: string): Promise<T> {
    return call("GET", this.#url + path);
  }

  #post(path: string, body: object = {}): Promise<unknown> {
    return call("POST", this.#url + path, body);
  }
}

/** What WebDriver answers where it can't do what it was told. */
export class WebDriverError extends Error {
  override readonly name = "WebDriverError";
}

/** A process that says when it is ready, and ends with the test. */
export class Subprocess {
  /** What the process said when it was ready. */
  readonly match: RegExpMatchArray;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;

  private constructor(
    match: RegExpMatchArray,
    child: Deno.ChildProcess,
    reading: Promise<unknown>,
  ) {
    this.match = match;
    this.#child = child;
    this.#reading = reading;
  }

  /** Starts a program and waits until a pattern is in its output. */
  static async start(
    program: string,
    args: string[],
    ready: RegExp,
    env: Record<string, string> = {},
  ): Promise<Subprocess> {
    const child = new Deno.Command(program, {
      args,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const timer = setTimeout(() => child.kill(), DEADLINE);
    const found = Promise.withResolvers<RegExpMatchArray | null>();
    let output = "";
    async function read(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
      for await (const part of stream.pipeThrough(new TextDecoderStream())) {
        output += part;
        const match = output.match(ready);
        if (match) found.resolve(match);
      }
    }
    // Read to the end, or the process would wait for a reader.
    const reading = Promise.all([read(child.stdout), read(child.stderr)])
      .finally(() => found.resolve(null));
    const match = await found.promise;
    clearTimeout(timer);
    if (match) return new Subprocess(match, child, reading);
    await child.status;
    throw new Error(`Cannot start ${program} ${args.join(" ")}:\n${output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
    await this.#reading;
  }
}

async function call<T>(
  method: string,
  url: string,
  body?: object,
): Promise<T> {
  const response = await fetch(url, {
    method,
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(2 * DEADLINE),
  });
  const { value } = await response.json();
  if (!response.ok) {
    throw new WebDriverError(`${value.error}: ${value.message}`);
  }
  return value;
}

/** The first of these programs that is installed. */
async function findProgram(...names: string[]): Promise<string> {
  for (const name of names) {
    for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
      const path = `${directory}/${name}`;
      const isFile = await Deno.stat(path).then((s) => s.isFile, () => false);
      if (isFile) return path;
    }
  }
  throw new Error(`Cannot find ${names[0]}: ${ADVICE}`);
}

/** Chromium may still be writing for a moment after it has ended. */
async function removeDirectory(path: string): Promise<void> {
  const deadline = Date.now() + DEADLINE;
  for (;;) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
