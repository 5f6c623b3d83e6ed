/**
 * A form that remembers a visitor's name.
 *
 *     deno run --allow-net --allow-env examples/sessions.ts
 *
 * Then open http://127.0.0.1:8000.
 *
 * @module
 */

import { redirect, Session, withSession } from "@denizen/session";
import {
  escape,
  page,
  readForm,
  router,
  type Routes,
  secretKey,
  server,
} from "./_example.ts";

interface Data {
  name: string;
  n: number;
}

const session = new Session<Data>({ secretKey: secretKey() });

const showForm = withSession(session, (_request, dict) => {
  const greeting = dict.name
    ? `<p>Logged in as <strong>${escape(dict.name)}</strong></p>
       <form method="post" action="/logout">
         <button class="quiet">Log out</button>
       </form>`
    : `<p>Not logged in</p>`;
  return page(
    "Sessions",
    `${greeting}
    <form method="post" action="/">
      <label for="name">Name</label>
      <input id="name" name="name" autocomplete="name" maxlength="100" required>
      <button>Save</button>
    </form>
    <p><a href="/counter">Count my visits</a></p>`,
  );
});

const saveName = withSession(session, async (request, dict) => {
  const name = (await readForm(request)).get("name")?.trim() ?? "";
  if (name === "" || name.length > 100) {
    const back = `<p><a href="/">Give a name of up to 100 characters</a></p>`;
    return page("No name", back, { status: 400 });
  }
  dict.name = name;
  dict.save();
  return redirect("/", 303);
});

const forget = withSession(session, (_request, dict) => {
  dict.delete();
  return redirect("/", 303);
});

const count = withSession(session, (_request, dict) => {
  dict.n = (dict.n ?? 0) + 1;
  dict.save();
  return Response.json({ n: dict.n });
});

const ROUTES: Routes = {
  "GET /": showForm,
  "POST /": saveName,
  "POST /logout": forget,
  "GET /counter": count,
};

export default server(import.meta, router(ROUTES));
