import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOf } from './guard.ts';

const names = new Set(['box.lan']);

test('what command lines and SDKs send over TCP passes', () => {
  for (const host of [
    '127.0.0.1:2375',
    'localhost',
    'LocalHost.:2375',
    'api.moby.localhost',
    '[::1]:2375',
    '192.0.2.7:80',
    'box.lan:2375',
    'BOX.lan',
    '',
  ]) {
    assert.equal(refusalOf({ host, 'user-agent': 'Docker-Client/28.2.2 (linux)' }, names), undefined, host);
  }
  assert.equal(refusalOf({}, names), undefined, 'HTTP/1.0');
});

test('a page cannot reach the daemon, under its own name or this one', () => {
  for (const host of [
    'evil.example:2375',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    'box.lan.evil',
    'xlocalhost',
  ]) {
    assert.match(refusalOf({ host }, names) ?? '', /^the request is for the host "/, host);
  }
  for (const header of ['origin', 'sec-fetch-site', 'sec-fetch-mode']) {
    assert.equal(
      refusalOf({ host: 'localhost:2375', [header]: 'null' }, names),
      `requests of web pages are refused (header ${header})`,
    );
  }
});
