// The face of the web page: a small read-only one over the registry's own APIs. Decides nothing of rights: those APIs do.

import type { Route } from '../http/types.ts';
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
  const home: Route = {
    method: 'GET',
    path: '/',
    right: 'open',
    label: 'web',
    handle: (exchange) => exchange.send(302, { Location: '/_gantry/' }),
  };
  return [home, ...files];
}
