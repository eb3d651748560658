// Owns what a web page may make a browser send here. A registry on loopback lets whoever reaches it push and delete, and a browser on
// that machine reaches it for every page that it shows. Reads headers only.
// @source Fetch Metadata Request Headers (W3C), section 2.3; Fetch Standard, "Origin" header

import type { IncomingHttpHeaders } from 'node:http';
import { GantryError } from '../../lib/errors.ts';

/** What is asked of whoever changes something. */
export interface Change {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The configured Access-Control-Allow-Origin, or ''. */
  readonly allowedOrigin: string;
  /** False: credentials are not looked at. */
  readonly hasAccounts: boolean;
}

/** @throws DENIED when a browser was made to send this by a page that nobody allowed */
export function checkBrowser({ method, headers, allowedOrigin, hasAccounts }: Change): void {
  const { origin, 'sec-fetch-site': site } = headers;
  if (method === 'GET' || method === 'HEAD' || (origin === undefined && site === undefined)) return;
  if (allowedOrigin === '*' || (origin !== undefined && allowedOrigin === origin)) return;
  // Credentials too: a page whose name was pointed at this address is of the same origin, but has none.
  if (hasAccounts && isOwnPage(headers) && headers.authorization !== undefined) return;
  throw new GantryError('forbidden', 'DENIED', 'a web page may not change anything here', {
    hint: "http.headers.Access-Control-Allow-Origin of the configuration names the page's origin when it may",
  });
}

function isOwnPage({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return origin !== undefined && host !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}
