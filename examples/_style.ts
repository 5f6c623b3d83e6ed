/**
 * How the pages of the examples look, and the one script that they have.
 *
 * @module
 */

/**
 * The back button may bring a page back from memory whose visitor has logged
 * out since: a page that was left is hidden, and loaded anew. Browsers that
 * heed `Cache-Control: no-store` do so without help, most of the time.
 */
export const SCRIPT = `
  addEventListener("pagehide", () => document.body.hidden = true);
  addEventListener("pageshow", (event) => event.persisted && location.reload());
`;

/** The style sheet, for light and dark. */
export const STYLE = `
  :root {
    color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif;
    --ground: light-dark(#fbfaf7, #16181d); --text: light-dark(#1d2026, #e8e6e1);
    --quiet: light-dark(#5c6370, #a3a9b5); --line: light-dark(#d9d6cf, #363b45);
    --raised: light-dark(#fff, #1f2229); --accent: light-dark(#1f5fbf, #8ab4f8);
    --one: light-dark(#b3261e, #ff8a80); --two: light-dark(#7b2fbe, #d0a2ff);
    --three: light-dark(#0b6e7f, #6fd3e3);
  }
  body { margin: 0; color: var(--text); background: var(--ground); }
  main { box-sizing: border-box; max-width: 40rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; overflow-wrap: anywhere; }
  h1 { margin: 0 0 1rem; font-size: 1.75rem; line-height: 1.2; }
  h2 { margin: 2.25rem 0 .75rem; font-size: 1.15rem; }
  a { color: var(--accent); }
  code, pre { font: .9375em/1.5 ui-monospace, monospace; }
  form { margin: 1.25rem 0; }
  label { display: block; margin: .9rem 0 .25rem; font-weight: 600; }
  label.check { font-weight: 400; }
  input:not([type=checkbox]) {
    box-sizing: border-box; width: 100%; padding: .55rem .65rem; font: inherit;
    color: inherit; background: var(--raised); border: 1px solid light-dark(#8a8f98, #6d7480); border-radius: .4rem;
  }
  button, a.button {
    display: inline-block; text-decoration: none; margin: 1rem .5rem 0 0; padding: .55rem 1.1rem; font: inherit; font-weight: 600;
    color: light-dark(#fff, #10203a); background: var(--accent); border: 1px solid transparent; border-radius: .4rem; cursor: pointer;
  }
  button.quiet { padding: .35rem .8rem; font-weight: 400; color: var(--quiet); background: none; border-color: var(--line); }
  :focus-visible { outline: 3px solid #e8a33d; outline-offset: 2px; }
  .quiet { color: var(--quiet); }
  .message, .error, .hint { padding: .65rem .9rem; border-radius: .4rem; }
  .message { background: light-dark(#e6f2ea, #17301f); }
  .error { color: light-dark(#8f1d1d, #ffb4ab); background: light-dark(#fdecec, #3b1717); }
  .hint { background: var(--raised); border: 1px solid var(--line); }
  .list { margin: 0; padding: 0; list-style: none; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); }
  .list > li { padding: .8rem 1rem; }
  .list > li + li { border-top: 1px solid var(--line); }
  .list .row { display: flex; align-items: center; justify-content: space-between; gap: 1rem; }
  .list form, .list button { flex: none; margin: 0; }
  .list span { display: block; color: var(--quiet); font-size: .9375rem; }
  .one { color: var(--one); } .two { color: var(--two); } .three { color: var(--three); }
  .token { margin: 0 0 1rem; padding: .9rem 1rem; white-space: pre-wrap; word-break: break-all; background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; }
  table { width: 100%; border-collapse: collapse; }
  tr { border-bottom: 1px solid var(--line); }
  th, td { padding: .5rem 0; text-align: left; vertical-align: top; }
  th { width: 55%; padding-right: 1rem; font-weight: 400; }
  th span, td span { display: block; color: var(--quiet); font-size: .875rem; }
  .life { display: block; margin: .5rem 0; font-size: .875rem; }
  .life line { stroke: var(--line); }
  .life .rest, .life .due, .life .past { stroke-width: 6; stroke-linecap: round; }
  .life .due { stroke: var(--two); opacity: .55; } .life .past { stroke: var(--accent); }
  .life circle { fill: var(--ground); stroke: var(--quiet); stroke-width: 2; }
  .life .now { fill: var(--accent); }
  .life text { fill: var(--quiet); stroke: var(--ground); stroke-width: 5; paint-order: stroke; }
  .life .name { fill: var(--text); font-weight: 600; }
`;
