// A registry whose bytes lie in a bucket is the same registry.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openFakeS3 } from '../../src/registry/storage/s3/fake.ts';
import { openS3Storage } from '../../src/registry/storage/s3/s3.ts';
import { eventually } from '../support/patience.ts';
import { sha256, startRegistry } from './support/registry.ts';

async function digestsIn(config: Parameters<typeof openS3Storage>[0]): Promise<string[]> {
  await using storage = await openS3Storage(config);
  const digests = [];
  for await (const { digest } of storage.blobs()) digests.push(digest as string);
  return digests.sort();
}

test('images are pushed to a bucket, pulled whole and in parts, kept over a restart, and deleted from it', async () => {
  await using fake = await openFakeS3();
  await using registry = await startRegistry({ storage: fake.config });
  const image = await registry.pushImage('team/app', 'v1', { layers: 2, bytes: 300_000 });

  // In chunks, as Docker pushes, of more than one part.
  const bytes = randomBytes(11 << 20);
  const begun = await registry.call('POST', '/v2/team/app/blobs/uploads/');
  let location = begun.headers.get('location') ?? '';
  for (const piece of [bytes.subarray(0, 7 << 20), bytes.subarray(7 << 20)]) {
    const answer = await registry.call('PATCH', location, { body: piece });
    assert.equal(answer.status, 202);
    location = answer.headers.get('location') ?? '';
  }
  const big = sha256(bytes);
  assert.equal((await registry.call('PUT', `${location}?digest=${big}`)).status, 201);

  await registry.stop();
  await registry.start();
  const get = async (path: string, headers = {}): Promise<Buffer> =>
    Buffer.from(await (await registry.call('GET', path, { headers })).arrayBuffer());
  assert.equal(sha256(await get('/v2/team/app/manifests/v1')), image.digest);
  for (const { digest } of [image.config, ...image.layers])
    assert.equal(sha256(await get(`/v2/team/app/blobs/${digest}`)), digest);
  assert.ok((await get(`/v2/team/app/blobs/${big}`)).equals(bytes));
  assert.ok(
    (await get(`/v2/team/app/blobs/${big}`, { range: 'bytes=5000000-8999999' })).equals(
      bytes.subarray(5_000_000, 9_000_000),
    ),
  );
  const head = await registry.call('HEAD', `/v2/team/app/blobs/${big}`);
  assert.equal(head.headers.get('content-length'), String(bytes.length));
  const health = await registry.call('GET', '/healthz');
  assert.deepEqual(await health.json(), { status: 'ok', faults: [] });

  await registry.call('DELETE', `/v2/team/app/manifests/${image.digest}`);
  await registry.call('DELETE', `/v2/team/app/blobs/${big}`);
  await eventually('the bucket is empty', async () => (await digestsIn(fake.config)).length === 0);
});

test('a bucket that fails is told in words, costs nothing that was there, and shows in the health', async () => {
  await using fake = await openFakeS3();
  await using registry = await startRegistry({ storage: fake.config });
  const image = await registry.pushImage('app', 'v1');
  fake.fail = () => true;
  const layer = `/v2/app/blobs/${image.layers[0]?.digest}`;
  const answer = await registry.call('GET', layer);
  assert.equal(answer.status, 503);
  assert.match(await answer.text(), /"code":"UNAVAILABLE"/);
  assert.equal((await registry.call('GET', '/healthz')).status, 503);
  fake.fail = () => false;
  assert.equal((await registry.call('GET', layer)).status, 200);
  assert.equal((await registry.call('GET', '/healthz')).status, 200);
});
