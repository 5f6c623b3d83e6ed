import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import sessions from "../../examples/sessions.ts";
import { locationOf } from "../_login.ts";
import { assertCounts, textOf, Visitor } from "./_visitor.ts";

const BAD_NAMES: Record<string, RequestInit> = {
  "no name": { body: new URLSearchParams() },
  "an empty name": { body: new URLSearchParams({ name: "" }) },
  "a blank name": { body: new URLSearchParams({ name: "  " }) },
  "a long name": { body: new URLSearchParams({ name: "x".repeat(101) }) },
  "no form": { body: "name" },
  "no body": {},
  "a file": { body: formWithFile() },
};

const NO_ROUTES: [method: string, path: string][] = [
  ["GET", "/nowhere"],
  ["GET", "/logout"],
  ["POST", "/counter"],
  ["DELETE", "/"],
  ["GET", "//"],
];

function formWithFile(): FormData {
  const form = new FormData();
  form.set("name", new File(["susan"], "name.txt"));
  return form;
}

Deno.test("sessions.ts tells a new visitor that they are not logged in", async () => {
  const response = await new Visitor(sessions).get();
  const type = response.headers.get("Content-Type");
  assertEquals(type, "text/html; charset=utf-8");
  const page = await response.text();
  assertStringIncludes(page, "<!DOCTYPE html>");
  assertStringIncludes(page, "Not logged in");
  assert(!page.includes("Logged in as"));
});

Deno.test("sessions.ts shows a form whose field has a label", async () => {
  const page = await new Visitor(sessions).page();
  const id = /<label for="([^"]+)">/.exec(page)?.[1];
  const field = /<input ([^>]*)name="name"/.exec(page)?.[1];
  assertEquals(field?.includes(`id="${id}"`), true);
  assertStringIncludes(page, '<form method="post" action="/">');
});

Deno.test("sessions.ts remembers the last name, and forgets it at logout", async () => {
  const visitor = new Visitor(sessions);
  for (const name of ["susan", "david", "Zoë 🦕", "x".repeat(100)]) {
    const page = await visitor.submit("/", { name });
    assertStringIncludes(textOf(page), `Logged in as ${name}\n`);
  }
  assertStringIncludes(await visitor.submit("/logout"), "Not logged in");
  assertEquals(visitor.cookieNames, []);
});

Deno.test("sessions.ts answers a post with a redirect by 303", async () => {
  for (const path of ["/", "/logout"]) {
    const response = await new Visitor(sessions).post(path, { name: "susan" });
    assertEquals(locationOf(response), [303, "/"]);
    assertEquals(response.headers.getSetCookie().length, 1);
  }
});

Deno.test("sessions.ts escapes a name", async () => {
  const name = `<script>alert("1")</script>&'`;
  const page = await new Visitor(sessions).submit("/", { name });
  assert(!page.includes("<script>alert"), page);
  assert(!page.includes("</script>&"), page);
  const escaped = /Logged in as <strong>(.*)<\/strong>/.exec(page)?.[1];
  const text = escaped?.replace(
    /&#(\d+);/g,
    (_match, code) => String.fromCharCode(Number(code)),
  );
  assertEquals(text, name);
});

for (const [what, init] of Object.entries(BAD_NAMES)) {
  Deno.test(`sessions.ts answers ${what} with a 400`, async () => {
    const visitor = new Visitor(sessions);
    const response = await visitor.send("/", { method: "POST", ...init });
    assertEquals(response.status, 400);
    assertEquals(response.headers.getSetCookie(), []);
  });
}

Deno.test("sessions.ts counts visits beside the name", async () => {
  const visitor = new Visitor(sessions);
  await visitor.post("/", { name: "susan" });
  await assertCounts(visitor, "/counter");
  assertStringIncludes(textOf(await visitor.page()), "Logged in as susan");
});

Deno.test("sessions.ts answers 404 where there is no route", async () => {
  for (const [method, path] of NO_ROUTES) {
    const response = await new Visitor(sessions).send(path, { method });
    assertEquals(response.status, 404, `${method} ${path}`);
    assertStringIncludes(await response.text(), "Not found");
  }
});
