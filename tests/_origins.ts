/**
 * Headers that tell where a request was sent from, good and bad ones, for
 * `isCrossOrigin` by itself as well as for logins on a real server.
 *
 * @module
 */

/** The other origin that the tests trust. */
export const TRUSTED = "https://app.example.com";
/** An origin that nobody trusts. */
export const EVIL = "https://evil.example";
/** The `Host` header of a request. */
export const HOST = "localhost:8000";
/** The origin of a page that is served there. */
export const OWN = `http://${HOST}`;

/**
 * Values of `Sec-Fetch-Site`, and whether a browser means another origin by
 * them; it says nothing where there is none.
 */
export const SITES: [
  site: string | undefined,
  isForeign: boolean | undefined,
][] = [
  [undefined, undefined],
  ["same-origin", false],
  ["none", false],
  ["same-site", true],
  ["cross-site", true],
  ["", true],
  ["Same-Origin", true],
  ["NONE", true],
  ["same-origin, cross-site", true],
  ["cross-site, same-origin", true],
  ["unheard-of", true],
];

/**
 * Values of `Origin`, and whether they are another one to `HOST`, for where
 * there is no `Sec-Fetch-Site`.
 */
export const ORIGINS: [origin: string | undefined, isForeign: boolean][] = [
  [undefined, false],
  [OWN, false],
  [`https://${HOST}`, false],
  [TRUSTED, false],
  [EVIL, true],
  ["null", true],
  ["", true],
  ["unparsable", true],
  [HOST, true],
  [`//${HOST}`, true],
  ["http://", true],
  [`${OWN} ${OWN}`, true],
  [`${OWN} ${EVIL}`, true],
  [`${OWN}, ${OWN}`, true],
  [`${OWN}, ${EVIL}`, true],
  [`${EVIL}, ${OWN}`, true],
  // Not as a browser writes an origin.
  [`${OWN}/`, true],
  [`${OWN}/a`, true],
  [`${OWN}?`, true],
  [`${OWN}#a`, true],
  [`HTTP://${HOST}`, true],
  [`http://${HOST.toUpperCase()}`, true],
  [`http://u@${HOST}`, true],
  [`http:${HOST}`, true],
  [`http:\\\\${HOST}`, true],
  // Another scheme.
  [`blob:${OWN}`, true],
  ["file://", true],
  [`file://${HOST}`, true],
  [`data:text/html,${HOST}`, true],
  ["chrome-extension://abcdef", true],
  // Another host, port or site.
  ["http://localhost", true],
  ["http://localhost:80", true],
  [`${OWN}1`, true],
  ["http://localhost:8001", true],
  [`http://evil-${HOST}`, true],
  [`http://sub.${HOST}`, true],
  ["http://localhost.evil.example:8000", true],
  [`${OWN}.evil.example`, true],
  [`${OWN}@evil.example`, true],
  [`http://evil.example/${HOST}`, true],
  ["http://127.0.0.1:8000", true],
  ["http://localhost.:8000", true],
  // Nearly the trusted one.
  [`${TRUSTED}/`, true],
  [`${TRUSTED}:443`, true],
  [`${TRUSTED}:8443`, true],
  [`${TRUSTED}.`, true],
  [`${TRUSTED}.evil.example`, true],
  [`${TRUSTED}@evil.example`, true],
  [`${EVIL}/${TRUSTED}`, true],
  ["https://APP.example.com", true],
  ["http://app.example.com", true],
  ["https://evilapp.example.com", true],
  ["https://evil.app.example.com", true],
  ["https://example.com", true],
  ["app.example.com", true],
];

/** Methods as they go over the wire: some are safe, in capitals alone. */
export const METHODS: [method: string, isSafe: boolean][] = [
  ["GET", true],
  ["HEAD", true],
  ["OPTIONS", true],
  ["get", false],
  ["Get", false],
  ["head", false],
  ["options", false],
  ["POST", false],
  ["post", false],
  ["PUT", false],
  ["PATCH", false],
  ["patch", false],
  ["DELETE", false],
  ["TRACE", false],
  ["QUERY", false],
  ["GETX", false],
  ["X-GET", false],
];

/** The origin whose host none of these is. */
export const GOOD = "https://good.example";

/** `Host` headers that are not the host of `GOOD`. */
export const BAD_HOSTS = [
  "",
  "a b",
  "good.example b",
  "a\tb",
  "good.example@evil.example",
  "evil.example@good.example",
  "u:p@good.example",
  "@",
  "good.example@",
  "@good.example",
  "good.example:",
  "good.example:x",
  "good.example:99999",
  ":",
  ":80",
  "good.example/",
  "good.example/login",
  "good.example?",
  "good.example#",
  "good.example\\",
  "good.example,evil.example",
  "good.example, good.example",
  "https://good.example",
  "https:",
  "//good.example",
  "good.example.",
  "sub.good.example",
  "[",
  "[::1",
  "[::g]",
  "::1",
  "..",
  "-",
  "*",
  "%",
  "%00",
  "%zz",
  "good%2Eexample",
  "good.example\xE9",
  "xn--a",
  "999.999.999.999",
  "<script>",
  "x".repeat(10_000),
];

/** Headers in which a proxy tells of a host: anybody can send them. */
export const PROXY_HEADERS: Record<string, string>[] = [
  { "X-Forwarded-Host": "evil.example" },
  { "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https" },
  { "X-Forwarded-Server": "evil.example" },
  { "X-Original-Host": "evil.example" },
  { "Forwarded": "host=evil.example;proto=https" },
  { "Referer": `${OWN}/` },
];

/** The headers of a request, those left out that it has not. */
export function headersOf(
  site: string | undefined,
  origin: string | undefined,
  host = HOST,
): Record<string, string> {
  return {
    Host: host,
    ...(site === undefined ? {} : { "Sec-Fetch-Site": site }),
    ...(origin === undefined ? {} : { Origin: origin }),
  };
}

/** What the rule says of two headers where `TRUSTED` is trusted. */
export function isRefused(
  [, isForeignSite]: typeof SITES[number],
  [origin, isForeign]: typeof ORIGINS[number],
): boolean {
  return origin !== TRUSTED && (isForeignSite ?? isForeign);
}
