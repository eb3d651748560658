// A pull-through cache serves what its origin has, also when the origin is gone; replication brings everything over, sooner or later.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProxyConfig, ReplicationConfig } from '../../src/registry/config/types.ts';
import { codesOf, INDEX, sha256, startRegistry, type TestRegistry } from './support/registry.ts';

const proxy = (url: string, more: Partial<ProxyConfig> = {}): ProxyConfig => ({
  prefix: 'hub',
  url,
  freshMs: 0,
  expiryMs: 0,
  isInsecure: true,
  stale: 'down',
  namespaces: [],
  ...more,
});
const target = (url: string, more: Partial<ReplicationConfig> = {}): ReplicationConfig => ({
  name: 'there',
  url,
  repositories: ['**'],
  isInsecure: true,
  prefix: '',
  ...more,
});

async function pull(
  registry: TestRegistry,
  name: string,
  reference: string,
): Promise<{ status: number; bytes: Buffer }> {
  const answer = await registry.call('GET', `/v2/${name}/${reference}`);
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await condition()) return;
    await sleep(30);
  }
  assert.fail(what);
}

test('what the origin has is served and kept, and served still when the origin is down', async () => {
  await using origin = await startRegistry();
  const image = await origin.pushImage('team/app', 'v1', { bytes: 300_000 });
  const [layer] = image.layers;
  await using cache = await startRegistry({ proxies: [proxy(origin.url)] });
  assert.deepEqual((await pull(cache, 'hub/team/app', 'manifests/v1')).bytes, image.bytes);
  const got = await Promise.all(Array.from({ length: 8 }, () => pull(cache, 'hub/team/app', `blobs/${layer?.digest}`)));
  for (const { bytes } of got) assert.equal(sha256(bytes), layer?.digest);
  assert.equal((await cache.call('HEAD', `/v2/hub/team/app/blobs/${image.config.digest}`)).status, 200);
  await origin.stop();
  assert.deepEqual((await pull(cache, 'hub/team/app', 'manifests/v1')).bytes, image.bytes);
  assert.equal((await pull(cache, 'hub/team/app', `blobs/${layer?.digest}`)).status, 200);
  const missing = await cache.call('GET', '/v2/hub/team/app/manifests/v2');
  assert.equal(missing.status, 503);
});

test('a tag that moved at the origin moves here, after its time and not before', async () => {
  await using origin = await startRegistry();
  const first = await origin.pushImage('app', 'v1');
  await using cache = await startRegistry({
    proxies: [proxy(origin.url, { freshMs: 3_600_000 }), proxy(origin.url, { prefix: 'eager' })],
  });
  for (const name of ['hub/app', 'eager/app'])
    assert.deepEqual((await pull(cache, name, 'manifests/v1')).bytes, first.bytes);
  const second = await origin.pushImage('app', 'v1');
  assert.deepEqual((await pull(cache, 'hub/app', 'manifests/v1')).bytes, first.bytes);
  assert.deepEqual((await pull(cache, 'eager/app', 'manifests/v1')).bytes, second.bytes);
});

test('nobody pushes into a mirror, what the origin does not have is unknown, and other repositories are ordinary', async () => {
  await using origin = await startRegistry();
  await using cache = await startRegistry({ proxies: [proxy(origin.url)] });
  const refused = await cache.call('POST', '/v2/hub/app/blobs/uploads/');
  assert.equal(refused.status, 403);
  assert.deepEqual(await codesOf(refused), ['DENIED']);
  assert.deepEqual(await codesOf(await cache.call('GET', '/v2/hub/app/manifests/v1')), ['MANIFEST_UNKNOWN']);
  assert.deepEqual(await codesOf(await cache.call('GET', `/v2/hub/app/blobs/sha256:${'0'.repeat(64)}`)), [
    'BLOB_UNKNOWN',
  ]);
  await cache.pushImage('own', 'v1');
});

test('a reader that goes away does not cost the cache what it was fetching', async () => {
  await using origin = await startRegistry();
  const bytes = randomBytes(20 << 20);
  const image = await origin.pushImage('app', undefined);
  const layer = await origin.pushBlob('app', bytes);
  await origin.pushManifest('app', 'v1', { ...(JSON.parse(image.bytes.toString()) as object), layers: [layer] });
  await using cache = await startRegistry({ proxies: [proxy(origin.url)] });
  const aborter = new AbortController();
  const answer = await fetch(`${cache.url}/v2/hub/app/blobs/${layer.digest}`, { signal: aborter.signal });
  await answer.body?.getReader().read();
  aborter.abort();
  await until(
    async () => sha256((await pull(cache, 'hub/app', `blobs/${layer.digest}`)).bytes) === layer.digest,
    'the blob is there whole',
  );
});

test('a reader that is slower than the origin is not cut, and one who comes second need not wait for it', async () => {
  await using origin = await startRegistry();
  const layer = await origin.pushBlob('app', randomBytes(40 << 20));
  await using cache = await startRegistry({ proxies: [proxy(origin.url)] });
  const slow = await fetch(`${cache.url}/v2/hub/app/blobs/${layer.digest}`);
  const reader = slow.body?.getReader();
  const first = await reader?.read();
  assert.equal(sha256((await pull(cache, 'hub/app', `blobs/${layer.digest}`)).bytes), layer.digest);
  const pieces = [first?.value ?? Buffer.alloc(0)];
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) pieces.push(next.value);
  assert.equal(sha256(Buffer.concat(pieces)), layer.digest);
});

test('what an origin sends that is not what its digest says is neither kept nor sent whole', async () => {
  const bytes = randomBytes(2 << 20);
  const digest = sha256(Buffer.from('something else'));
  await using liar = createServer((request, response) => {
    const body = request.url === '/v2/' ? '{}' : bytes;
    response.writeHead(200, { 'content-length': body.length }).end(body);
  }).listen(0, '127.0.0.1');
  await once(liar, 'listening');
  const { port } = liar.address() as AddressInfo;
  await using cache = await startRegistry({ proxies: [proxy(`http://127.0.0.1:${port}`)] });
  for (let i = 0; i < 2; i++) {
    const answer = await cache.call('GET', `/v2/hub/app/blobs/${digest}`);
    assert.equal(answer.status, 200);
    await assert.rejects(answer.arrayBuffer());
  }
  liar.closeAllConnections();
});

test('what nobody asks for any more goes, what somebody asks for stays', async () => {
  await using origin = await startRegistry();
  await origin.pushImage('app', 'unloved', { bytes: 100_000 });
  const loved = await origin.pushImage('app', 'loved');
  await using cache = await startRegistry({
    garbageGraceMs: 0,
    proxies: [proxy(origin.url, { freshMs: 3_600_000, expiryMs: 2000 })],
  });
  for (const tag of ['unloved', 'loved']) {
    const { bytes } = await pull(cache, 'hub/app', `manifests/${tag}`);
    const { layers } = JSON.parse(bytes.toString()) as { layers: { digest: string }[] };
    await pull(cache, 'hub/app', `blobs/${layers[0]?.digest}`);
  }
  const tags = async (): Promise<string[]> => {
    const answer = await cache.call('GET', '/v2/_gantry/repositories/hub/app/tags');
    return ((await answer.json()) as { tags: { tag: string }[] }).tags.map(({ tag }) => tag);
  };
  assert.deepEqual(await tags(), ['loved', 'unloved']);
  await until(async () => {
    await pull(cache, 'hub/app', 'manifests/loved');
    return JSON.stringify(await tags()) === '["loved"]';
  }, 'only what was asked for is left');
  assert.deepEqual((await pull(cache, 'hub/app', 'manifests/loved')).bytes, loved.bytes);
  assert.equal((await pull(cache, 'hub/app', 'manifests/unloved')).status, 200);
});

test('images, indexes and referrers that are pushed here are there, tags that go here go there', async () => {
  await using there = await startRegistry();
  await using here = await startRegistry({
    replications: [target(there.url, { repositories: ['team/**'], prefix: 'copy/' })],
  });
  const image = await here.pushImage('team/app', 'v1');
  await here.pushImage('other/app', 'v1');
  await here.pushManifest(
    'team/app',
    'all',
    { schemaVersion: 2, mediaType: INDEX, manifests: [image.descriptor] },
    INDEX,
  );
  const referrer = await here.pushImage('team/app', undefined, { more: { subject: image.descriptor } });
  const has = async (reference: string): Promise<boolean> =>
    (await there.call('HEAD', `/v2/copy/team/app/manifests/${reference}`)).status === 200;
  await until(
    async () => (await has('v1')) && (await has('all')) && (await has(referrer.digest)),
    'everything is there',
  );
  assert.deepEqual((await pull(there, 'copy/team/app', 'manifests/v1')).bytes, image.bytes);
  assert.equal((await there.call('HEAD', '/v2/copy/other/app/manifests/v1')).status, 404);
  await here.call('DELETE', '/v2/team/app/manifests/v1');
  await until(async () => !(await has('v1')), 'the tag is gone there');
  assert.ok(await has('all'));
});

test('a target that is down for a while gets everything once it is back, over a restart here', async () => {
  await using there = await startRegistry();
  const { url } = there;
  const { port } = new URL(url);
  await there.stop();
  await using here = await startRegistry({ replications: [target(url)] });
  const image = await here.pushImage('app', 'v1');
  await until(async () => here.log.some((line) => line.includes('replication to there')), 'the failure is told');
  await here.stop();
  await using back = await startRegistry({ port: Number(port) });
  await here.start();
  await until(async () => (await back.call('HEAD', `/v2/app/manifests/${image.digest}`)).status === 200, 'it is there');
});
