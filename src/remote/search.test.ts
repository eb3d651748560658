import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { RegistryClient, type SearchResult } from './index.ts';

const asked: string[] = [];
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const { authorization = '' } = request.headers;
  asked.push(`${request.url} ${authorization}`.trim());
  if (request.url?.includes('q=busy')) response.statusCode = 503;
  response.end(request.url?.includes('q=text') ? 'hello' : JSON.stringify({ results: RESULTS }));
});
const RESULTS = [
  { name: 'a/b', description: 'about', star_count: 5, is_official: true, is_automated: true },
  { name: 7, description: null },
  'strange',
];
const client = new RegistryClient({ mirrors: [], insecure: [], maxConcurrentDownloads: 1 }, { userAgent: 'test' });
let address = '';
before(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => void asked.splice(0));
after(() => {
  client[Symbol.dispose]();
  server.close();
});

const search = (term: string, credentials = {}): Promise<readonly SearchResult[]> =>
  client.search({ term, limit: 7, credentials, signal: new AbortController().signal });

test('a registry named before the first slash is asked, by HTTP where that is allowed, as the user who asks', async () => {
  const found = await search(`${address}/some/thing here`, { username: 'ann', password: 'secret' });
  assert.deepEqual(found, [
    { name: 'a/b', description: 'about', stars: 5, official: true },
    { name: '', description: '', stars: 0, official: false },
  ]);
  const basic = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
  assert.deepEqual(asked, ['/v1/_ping', `/v1/search?q=some%2Fthing+here&n=7 ${basic}`]);
});

test('a registry that fails, or answers something else, is told in words', async () => {
  await assert.rejects(search(`${address}/busy`), { message: 'Unexpected status code 503' });
  await assert.rejects(search(`${address}/text`), { message: /^error decoding registry search results: / });
  await assert.rejects(search('127.0.0.1:1/x'), {
    code: 'BAD_ENDPOINT',
    message:
      'invalid registry endpoint "http://127.0.0.1:1/v1/". HTTPS attempt: Get "https://127.0.0.1:1/v1/_ping": dial tcp 127.0.0.1:1: connect: connection refused. HTTP attempt: Get "http://127.0.0.1:1/v1/_ping": dial tcp 127.0.0.1:1: connect: connection refused',
  });
});

test('a term with a scheme or a strange registry is refused', async () => {
  await assert.rejects(search('https://example.com/x'), { code: 'BAD_TERM', message: /should not have a scheme$/ });
  await assert.rejects(search('exa mple.com/x'), { code: 'BAD_TERM', message: 'invalid index name (exa mple.com)' });
  assert.deepEqual(asked, []);
});
