// Owns who may call over TCP: no page in a browser, and nobody who was led here under another host's name. Pure.

import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/**
 * Why a request that came by TCP is refused; undefined = it is not. A browser sends `Origin` or `Sec-Fetch-…` with what a page asks
 * for; a page whose own name was pointed at this machine (DNS rebinding) is a browser's same origin, and shows by its `Host`.
 * Addresses pass: nobody can point an address elsewhere.
 */
export function refusalOf(headers: IncomingHttpHeaders, names: ReadonlySet<string>): string | undefined {
  const browser = Object.keys(headers).find((name) => name === 'origin' || name.startsWith('sec-fetch-'));
  if (browser !== undefined) return `requests of web pages are refused (header ${browser})`;
  const { host = '' } = headers;
  const name = hostName(host);
  if (host === '' || isIP(name) !== 0 || isLocal(name) || names.has(name)) return undefined;
  return `the request is for the host ${JSON.stringify(name)}, which is no name of this daemon; use its address, or name it with --host`;
}

/** Without port, brackets, and the dot at the end. */
function hostName(host: string): string {
  const [, bracketed, bare = ''] = /^(?:\[([^\]]*)\]|([^:]*))/.exec(host) ?? [];
  return (bracketed ?? bare).toLowerCase().replace(/\.$/, '');
}

function isLocal(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}
