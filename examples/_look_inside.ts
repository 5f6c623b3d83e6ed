/**
 * A page that shows a visitor's own session as a developer wants to see it. A
 * site for others has no such page: a cookie that is `HttpOnly` stands on it.
 *
 * @module
 */

import type { Session } from "@denizen/session";
import { decodeBase64Url } from "@std/encoding/base64url";
import { escape, page } from "./_example.ts";

type Payload = Record<string, unknown>;

/** A point of a session's life. */
interface Mark {
  name: string;
  /** Where it is on the line, in percent. */
  x: number;
  date: string;
}

const COOKIE_NAME = "session";
/** What the claims mean; any other name is data of the application. */
const MEANINGS: Record<string, string> = {
  _user_id: "who is logged in",
  _fresh: "whether by a password, in this session",
  _auth_time: "when the password was given",
  _stamp: "the user's security stamp: another one ends the login",
  _states: "logins that are under way at another site",
  _started: "when the session began; a renewal leaves it",
  _saved: "when it was last written",
  exp: "when it ends, unless it is renewed",
  _cookie: "the cookie that it is for: it opens no other door",
};
const TIMES = ["_auth_time", "_started", "_saved", "exp"];
/** How much of the signature is shown, in characters. */
const SHOWN = 6;
const UNITS: [seconds: number, name: string][] = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];
/** How far down the time line is, and how high a row of labels, in pixels. */
const LINE = 36;
const ROW = 44;
const BACK = `<p><a href="/">Back to the start</a></p>`;

/** Shows the session that came with a request, and no other. */
export async function lookInside(
  request: Request,
  session: Session,
): Promise<Response> {
  const token = cookieOf(request);
  const payload = token === undefined ? {} : await session.decode(token);
  const { _started: started, _saved: saved, exp: end } = payload;
  if (
    token === undefined || !isTime(started) || !isTime(saved) || !isTime(end)
  ) {
    const text = `<p>Your session begins with this page.
      <a href="">Look again</a></p>`;
    return page("Look inside", text + BACK);
  }
  const now = Date.now() / 1000;
  return page(
    "Look inside",
    `<p>This is your session, as your browser has just sent it.</p>
    <h2>The cookie</h2>${cookie(token)}
    <h2>What it says</h2>${claims(payload, now)}
    <h2>Its life</h2>${drawing(started, saved, end, now)}
    <p class="quiet">A visit in the coloured half renews it. All times are
    UTC.</p>
    <h2>Who keeps it</h2>
    <p>The backend is <code>jwt</code>: all of the session is in the cookie. The
    server keeps nothing but the key, which never leaves it. You can read what
    the cookie says, but not change it: the signature would be another one.</p>
    ${BACK}`,
  );
}

/** The cookie of the session, unless there are several. */
function cookieOf(request: Request): string | undefined {
  const pairs = (request.headers.get("Cookie") ?? "").split(/;[ \t]*/);
  const own = pairs.filter((pair) => pair.startsWith(`${COOKIE_NAME}=`));
  return own.length === 1 ? own[0].slice(COOKIE_NAME.length + 1) : undefined;
}

/** A token in its parts; whoever has all of the signature has the session. */
function cookie(token: string): string {
  const [header, payload, signature] = token.split(".");
  const text = new TextDecoder().decode(decodeBase64Url(header));
  const hidden = "•".repeat(signature.length - SHOWN);
  return `<pre class="token"><span class="one">${escape(header)}</span>.<span
    class="two">${escape(payload)}</span>.<span
    class="three">${escape(signature.slice(0, SHOWN))}${hidden}</span></pre>
  <ul class="list">
    <li><strong class="one">Header</strong>
      <span>What it is: <code>${escape(text)}</code></span></li>
    <li><strong class="two">Payload</strong>
      <span>The data and claims below, readable by whoever has the cookie</span></li>
    <li><strong class="three">Signature</strong>
      <span>HMAC-SHA-256 of both; hidden for the most part, as whoever has it has the session</span></li>
  </ul>
  <p class="quiet">${COOKIE_NAME.length + token.length} of 4,096 bytes</p>`;
}

function claims(payload: Payload, now: number): string {
  const isClaim = (name: string) => Object.hasOwn(MEANINGS, name);
  const data = Object.keys(payload).filter((name) => !isClaim(name));
  const known = Object.keys(MEANINGS).filter((name) => name in payload);
  const rows = [...data, ...known].map((name) => {
    const value = payload[name];
    const text = TIMES.includes(name) && isTime(value)
      ? `${dateOf(value)} <span>${value}, ${distance(value - now)}</span>`
      : `<code>${escape(JSON.stringify(value))}</code>`;
    const meaning = isClaim(name) ? MEANINGS[name] : "data of the application";
    return `<tr><th scope="row"><code>${escape(name)}</code>
      <span>${meaning}</span></th><td>${text}</td></tr>`;
  });
  return `<table>${rows.join("")}</table>`;
}

/** A time line, as wide as there is room. */
function drawing(
  started: number,
  saved: number,
  end: number,
  now: number,
): string {
  const mark = (name: string, time: number): Mark => {
    const part = Math.min(Math.max((time - started) / (end - started), 0), 1);
    return { name, x: Math.round(20 + 960 * part) / 10, date: dateOf(time) };
  };
  const [first, last] = [mark("started", started), mark("expires", end)];
  const written = mark("last written", saved);
  const renewable = mark("renewable", (saved + end) / 2);
  const present = { ...mark("now", now), date: "" };
  const marks = [first, renewable, last];
  if (written.x - first.x > 1) marks.push(written);
  // The mark next to the middle comes first: few lines cross a label.
  marks.sort((a, b) => Math.abs(a.x - 50) - Math.abs(b.x - 50));
  const y = (row: number) => 70 + ROW * row;
  return `<svg class="life" role="img" width="100%" height="${y(marks.length)}"
    aria-label="Started ${first.date}, expires ${last.date}">
    ${
    marks.map((one, row) => line("", one, { ...one, y: y(row) + 22 })).join("")
  }
    ${line("", present, { ...present, y: 8 })}
    ${line("rest", first, last)}${line("due", renewable, last)}
    ${line("past", first, present)}
    ${marks.map((one) => dot("", one)).join("")}${dot("now", present)}
    ${marks.map((one, row) => label(one, y(row))).join("")}${label(present, 20)}
  </svg>`;
}

function line(kind: string, from: Mark, to: Mark & { y?: number }): string {
  return `<line class="${kind}" x1="${from.x}%" y1="${LINE}"
    x2="${to.x}%" y2="${to.y ?? LINE}"/>`;
}

function dot(kind: string, { x }: Mark): string {
  return `<circle class="${kind}" cx="${x}%" cy="${LINE}" r="6"/>`;
}

function label({ x, name, date }: Mark, y: number): string {
  const [anchor, dx] = x > 50 ? ["end", -7] : ["start", 7];
  const place = `x="${x}%" dx="${dx}" text-anchor="${anchor}"`;
  return `<text class="name" ${place} y="${y}">${name}</text>
    <text ${place} y="${y + 18}">${date}</text>`;
}

/** Whether a claim is a time that there is a date for. */
function isTime(claim: unknown): claim is number {
  return typeof claim === "number" && Math.abs(claim) < 8.64e12;
}

function dateOf(time: number): string {
  return new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ");
}

/** How far away a time is, such as "2 days ago". */
function distance(seconds: number): string {
  const away = Math.round(Math.abs(seconds));
  const [size, unit] = UNITS.find(([size]) => away >= size) ?? [1, "second"];
  const count = Math.round(away / size);
  const text = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return seconds < 0 ? `${text} ago` : `in ${text}`;
}
