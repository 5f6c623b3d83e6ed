/**
 * Sessions and logins that are shared with the real Microdot; ignored where
 * Python can't import it.
 */

import { Login, Session } from "@denizen/session";
import { TestClient } from "@denizen/session/testing";
import { assertEquals } from "@std/assert";

const PYTHON = "/usr/bin/python3";
const KEY = "correct horse battery staple, and a pony";

const MICRODOT = `
import asyncio, json, sys
from microdot import Microdot, redirect
from microdot.login import Login
from microdot.session import Session, with_session
from microdot.test_client import TestClient

key, cookies, method, path = json.loads(sys.argv[1])
app = Microdot()
Session(app, secret_key=key)
login = Login()

class User:
    def __init__(self, id):
        self.id = id

@login.user_loader
async def load(id):
    return User(id) if id == 1 else None

@app.get("/")
@with_session
async def index(request, session):
    return dict(session)

@app.post("/color")
@with_session
async def color(request, session):
    session["color"] = "red"
    session.save()
    return "saved"

@app.get("/home")
@login
async def home(request):
    return "home"

@app.get("/fresh")
@login.fresh
async def fresh(request):
    return "fresh"

@app.post("/login")
async def log_in(request):
    return await login.login_user(request, User(1), remember=True)

@app.post("/logout")
async def log_out(request):
    await login.logout_user(request)
    return redirect("/")

async def main():
    client = TestClient(app, cookies=cookies)
    response = await client.request(method, path)
    lines = response.headers.get("Set-Cookie", [])
    print(json.dumps([response.status_code, response.text,
                      [lines] if isinstance(lines, str) else lines]))

asyncio.run(main())
`;

/** Runs Python; `null` where it fails. */
async function python(script: string, input: unknown): Promise<unknown> {
  const args = ["-c", script, JSON.stringify(input)];
  const { success, stdout } = await new Deno.Command(PYTHON, {
    args,
    stderr: "null",
  }).output();
  return success ? JSON.parse(new TextDecoder().decode(stdout)) : null;
}

/** A browser that visits both services. */
class Visitor extends TestClient<{ id: number }> {
  /** Asks the Python service. */
  async ask(
    method: string,
    path: string,
  ): Promise<[status: number, text: string]> {
    const url = new URL("http://localhost/");
    const pairs = this.cookies.headerFor(url).split("; ").filter(Boolean);
    const cookies = Object.fromEntries(pairs.map((pair) => pair.split("=")));
    const answer = await python(MICRODOT, [KEY, cookies, method, path]);
    const [status, text, lines] = answer as [number, string, string[]];
    for (const line of lines) {
      this.cookies.keep(url, new Headers({ "Set-Cookie": line }));
    }
    return [status, text];
  }
}

function makeVisitor() {
  const session = new Session({ secretKey: KEY });
  const login = new Login<{ id: number }>(session, {
    userLoader: (id) => id === 1 ? { id } : null,
  });
  const guarded = login.required((request) => {
    if (request.method === "POST") return login.logoutUser(request);
    return session.get(request).then((dict) => Response.json({ ...dict }));
  });
  return new Visitor(guarded, { login });
}

const ignore =
  await python("import microdot.login, jwt; print(1)", "") === null;

Deno.test({
  name: "Microdot: a login here is one there, with its data",
  ignore,
  async fn() {
    const visitor = makeVisitor();
    assertEquals((await visitor.ask("GET", "/home"))[0], 302);
    await visitor.loginAs({ id: 1 });
    assertEquals(await visitor.ask("GET", "/home"), [200, "home"]);
    assertEquals(await visitor.ask("GET", "/fresh"), [200, "fresh"]);
    await visitor.ask("POST", "/color");
    assertEquals(await (await visitor.get("/")).json(), { color: "red" });
  },
});

Deno.test({
  name: "Microdot: a login there is one here, until a logout on either side",
  ignore,
  async fn() {
    for (const isHere of [true, false]) {
      const visitor = makeVisitor();
      await visitor.ask("POST", "/login");
      assertEquals((await visitor.get("/")).status, 200);
      if (isHere) await visitor.post("/");
      else await visitor.ask("POST", "/logout");
      assertEquals((await visitor.get("/")).status, 302);
      assertEquals((await visitor.ask("GET", "/home"))[0], 302);
      assertEquals(visitor.cookies.get("_remember"), undefined);
    }
  },
});

Deno.test({
  name: "Microdot: each logs in by its own remember cookie",
  ignore,
  async fn() {
    const visitor = makeVisitor();
    await visitor.ask("POST", "/login");
    visitor.cookies.delete("session");
    assertEquals((await visitor.get("/")).status, 302);
    assertEquals((await visitor.ask("GET", "/home"))[0], 200);
    await visitor.loginAs({ id: 1 }, { remember: true });
    visitor.cookies.delete("session");
    assertEquals((await visitor.ask("GET", "/home"))[0], 302);
    assertEquals((await visitor.get("/")).status, 200);
  },
});
