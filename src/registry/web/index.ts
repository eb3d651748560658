// The face of the web page: a small read-only one over the registry's own APIs. Decides nothing of rights: those APIs do.

import type { Exchange, Route } from '../http/types.ts';
import { CSS, HTML } from './page.asset.ts';
import { SCRIPT } from './script.asset.ts';

/** Nothing comes from elsewhere, nothing is inline, nobody frames it. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
} as const;

const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  '/_gantry/': ['text/html; charset=utf-8', HTML],
  '/_gantry/page.css': ['text/css; charset=utf-8', CSS],
  '/_gantry/page.js': ['text/javascript; charset=utf-8', SCRIPT],
};

/** Where the page lies, from where the browser is: relative, so that it holds under any prefix. */
function showPage(exchange: Exchange): void {
  const isFolder = exchange.path !== '/' || exchange.request.url?.split('?', 1)[0]?.endsWith('/');
  exchange.send(302, { Location: isFolder ? '_gantry/' : exchange.link('/_gantry/') });
}

/** Routes of the page; `/` leads to it. */
export function webRoutes(): readonly Route[] {
  const files = Object.entries(FILES).map(
    ([path, [type, text]]): Route => ({
      method: 'GET',
      path,
      right: 'open',
      label: 'web',
      handle: (exchange) => exchange.send(200, { ...HEADERS, 'Content-Type': type }, text),
    }),
  );
  const home = ['/', '/_gantry'].map(
    (path): Route => ({ method: 'GET', path, right: 'open', label: 'web', handle: showPage }),
  );
  return [...home, ...files];
}
