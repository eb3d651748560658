// Whoever opens a web page must not thereby delete an image.

import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { checkBrowser } from './browser.ts';

const isRefused = (
  headers: IncomingHttpHeaders,
  method = 'DELETE',
  allowedOrigin = '',
  hasAccounts = true,
): boolean => {
  try {
    checkBrowser({ method, headers: { host: 'localhost:5000', ...headers }, allowedOrigin, hasAccounts });
    return false;
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'DENIED');
    return true;
  }
};

const CASES: readonly (readonly [what: string, headers: IncomingHttpHeaders, isRefused: boolean])[] = [
  ['a client that is no browser', {}, false],
  ['a client that is no browser, logged in', { authorization: 'Basic x' }, false],
  ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, true],
  ['another site, with the remembered password', { 'sec-fetch-site': 'cross-site', authorization: 'Basic x' }, true],
  ['another port of this machine', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }, true],
  ['a name that was pointed at this address', { host: 'evil.example', 'sec-fetch-site': 'same-origin' }, true],
  ['our own page, logged in', { 'sec-fetch-site': 'same-origin', authorization: 'Basic x' }, false],
  ['an older browser at our own page', { origin: 'http://localhost:5000', authorization: 'Basic x' }, false],
  ['an older browser at another site', { origin: 'https://evil.example', authorization: 'Basic x' }, true],
  ['an origin that is hidden', { origin: 'null', authorization: 'Basic x' }, true],
];

for (const [what, headers, expected] of CASES) {
  test(`a change by ${what} is ${expected ? 'refused' : 'let through'}`, () => {
    assert.equal(isRefused(headers), expected);
    assert.equal(isRefused(headers, 'POST'), expected);
    assert.equal(isRefused(headers, 'GET'), false);
    assert.equal(isRefused(headers, 'HEAD'), false);
  });
}

test('an origin that the configuration names may change things', () => {
  const headers = { origin: 'https://ui.example', 'sec-fetch-site': 'cross-site' };
  assert.equal(isRefused(headers, 'DELETE', 'https://ui.example'), false);
  assert.equal(isRefused(headers, 'DELETE', '*'), false);
  assert.equal(isRefused(headers, 'DELETE', 'https://ui.example.org'), true);
});

test('where credentials are not looked at, some that a page makes up open nothing', () => {
  const headers = { 'sec-fetch-site': 'same-origin', authorization: 'Basic x' };
  assert.equal(isRefused(headers, 'DELETE', '', false), true);
});
