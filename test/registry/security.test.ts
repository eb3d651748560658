// What one user stores must not act in the name of another, and who was made nothing is nothing.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { htpasswdLine } from '../../src/registry/access/index.ts';
import type { RegistryConfig } from '../../src/registry/index.ts';
import { inChromium, Tab } from './support/browser.ts';
import { codesOf, scratch, sha256, startRegistry, type TestRegistry } from './support/registry.ts';

const HTML = '<!doctype html><script>document.title = "owned"</script>';
const basic = (user: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:secret`).toString('base64')}`,
});

/** A registry with the users ann and bob. */
async function withUsers(
  folder: string,
  admins: readonly string[],
  more: Partial<RegistryConfig> = {},
): Promise<TestRegistry> {
  const htpasswdFile = join(folder, 'htpasswd');
  writeFileSync(htpasswdFile, `${await htpasswdLine('ann', 'secret')}\n${await htpasswdLine('bob', 'secret')}\n`);
  return startRegistry({ access: { anonymous: 'none', realm: 'x', htpasswdFile, admins, rights: [] }, ...more });
}

/** Asks with a Host header of one's own, which fetch does not let one set. */
function ask(
  registry: TestRegistry,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, registry.url), { headers }, (answer) => {
      let body = '';
      answer.on('data', (piece) => {
        body += String(piece);
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    call.on('error', reject).end();
  });
}

test('a manifest is taken by JSON types alone: what a browser would show or run is refused', async () => {
  await using registry = await startRegistry();
  const body = JSON.stringify({ schemaVersion: 2, x: HTML });
  const put = (type: string, sent = body) =>
    registry.call('PUT', '/v2/app/manifests/v1', { body: sent, headers: { 'content-type': type } });
  for (const type of [
    'text/html',
    'text/html; charset=utf-8',
    'TEXT/HTML',
    'image/svg+xml',
    'application/xhtml+xml',
    'text/javascript',
    'application/pdf',
    'nonsense',
    'text/html+json/x',
    '*/*',
  ]) {
    const answer = await put(type);
    assert.equal(answer.status, 400, type);
    assert.deepEqual(await codesOf(answer), ['MANIFEST_INVALID'], type);
  }
  const stated = await put('application/json', JSON.stringify({ mediaType: 'text/html', x: HTML }));
  assert.equal(stated.status, 400);
  assert.equal((await put('application/vnd.example.thing.v1+json')).status, 201);
});

test('a page that an earlier version took as a manifest runs nowhere', inChromium, async () => {
  await using registry = await startRegistry();
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, x: HTML }));
  await registry.pushManifest('app', 'v1', bytes, 'application/vnd.example+json');
  await registry.stop();
  const db = new DatabaseSync(join(registry.root, 'registry.db'));
  db.exec("UPDATE manifests SET media_type = 'text/html'");
  db.close();
  await registry.start();
  const answer = await registry.call('GET', '/v2/app/manifests/v1');
  assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
  assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), sha256(bytes));
  await using tab = await Tab.open();
  await tab.page.goto(`${registry.url}/v2/app/manifests/v1`).catch(() => undefined);
  assert.notEqual(await tab.page.title(), 'owned');
  assert.equal((await registry.call('GET', '/v2/_gantry/repositories/app/manifests/v1')).status, 200);
});

test('no answer can become a page: none is sniffed, none may load or run anything', async () => {
  await using registry = await startRegistry();
  const image = await registry.pushImage('app', 'v1');
  for (const path of [
    '/v2/',
    '/nowhere',
    '/v2/app/manifests/v1',
    '/v2/app/manifests/no',
    `/v2/app/blobs/${image.config.digest}`,
    '/v2/app/tags/list',
    `/v2/app/referrers/${image.digest}`,
    '/metrics',
    '/healthz',
    '/v1/search?q=a',
    '/v2/_gantry/repositories',
    '/_gantry/',
    '/_gantry/page.js',
  ]) {
    const answer = await registry.call('GET', path);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path);
    const policy = answer.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/, path);
    assert.equal(policy.includes('sandbox'), !path.startsWith('/_gantry/'), path);
  }
});

test('where nobody was named admin, no user resets the password of another', async () => {
  using folder = scratch();
  await using registry = await withUsers(folder.path, []);
  const reset = (headers: Record<string, string>) =>
    registry.call('POST', '/v2/_gantry/users', { headers, body: JSON.stringify({ name: 'ann', password: 'mine' }) });
  assert.equal((await reset(basic('bob'))).status, 403);
  assert.equal((await reset({})).status, 401);
  for (const [method, path] of [
    ['GET', 'users'],
    ['DELETE', 'users/ann'],
    ['GET', 'robots'],
    ['POST', 'gc'],
    ['POST', 'retention/apply'],
    ['DELETE', 'repositories/app'],
  ] as const) {
    assert.equal((await registry.call(method, `/v2/_gantry/${path}`, { headers: basic('bob') })).status, 403, path);
  }
  registry.headers = basic('ann');
  await registry.pushImage('app', 'v1');
});

test('strangers who may push beside accounts do not administer these', async () => {
  using folder = scratch();
  const htpasswdFile = join(folder.path, 'htpasswd');
  writeFileSync(htpasswdFile, `${await htpasswdLine('ann', 'secret')}\n`);
  await using registry = await startRegistry({
    access: { anonymous: 'push', realm: 'x', htpasswdFile, admins: ['ann'], rights: [] },
  });
  await registry.pushImage('app', 'v1');
  const body = JSON.stringify({ name: 'ann', password: 'mine' });
  assert.equal((await registry.call('POST', '/v2/_gantry/users', { body })).status, 401);
  assert.equal((await registry.call('GET', '/v2/_gantry/users', { headers: basic('ann') })).status, 200);
});

test('the metrics of a registry with accounts are for its admins, also on loopback', async () => {
  using folder = scratch();
  await using registry = await withUsers(folder.path, ['ann']);
  const status = async (headers = {}): Promise<number> => (await registry.call('GET', '/metrics', { headers })).status;
  assert.deepEqual([await status(), await status(basic('bob')), await status(basic('ann'))], [401, 403, 200]);
  await using open = await startRegistry();
  assert.equal((await open.call('GET', '/metrics')).status, 200);
});

test('a page whose name was pointed at loopback reads nothing there; the names of this machine do', async () => {
  await using registry = await startRegistry({ externalUrl: 'https://registry.example/' });
  await registry.pushImage('app', 'v1');
  for (const host of ['evil.example', 'evil.example:5000', 'localhost.evil.example', '127.0.0.1.evil.example']) {
    for (const path of ['/v2/_catalog', '/v2/app/manifests/v1', '/_gantry/', '/metrics']) {
      const answer = await ask(registry, path, { host });
      assert.equal(answer.status, 403, `${host} ${path}`);
      assert.match(answer.body, /not known as \\?"(evil|localhost|127).*http\.host/);
    }
  }
  for (const host of [
    'localhost',
    'LOCALHOST:5000',
    'x.localhost',
    '127.0.0.1:1',
    '[::1]:5000',
    'registry',
    'registry.example',
    'host.docker.internal:5000',
    '10.1.2.3',
  ])
    assert.equal((await ask(registry, '/v2/_catalog', { host })).status, 200, host);
});

test('a name that nobody knows is no matter where strangers may nothing, or behind a proxy that was named', async () => {
  using folder = scratch();
  await using closed = await withUsers(folder.path, []);
  assert.equal((await ask(closed, '/v2/', { host: 'registry.example', ...basic('ann') })).status, 200);
  await using behind = await startRegistry({ trustedProxies: ['127.0.0.1'] });
  assert.equal((await ask(behind, '/v2/', { host: 'registry.example' })).status, 200);
});
