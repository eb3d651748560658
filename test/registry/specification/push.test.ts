// Pushing blobs whole, in chunks and by mount; pushing manifests. @source OCI distribution specification 1.1

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after } from 'node:test';
import { codesOf, INDEX, MANIFEST, OCTETS, sha256, startRegistry } from '../support/registry.ts';
import { requirement } from './requirement.ts';

const registry = await startRegistry();
after(() => registry[Symbol.asyncDispose]());
const begin = async (repository = 'app'): Promise<string> =>
  (await registry.call('POST', `/v2/${repository}/blobs/uploads/`)).headers.get('location') ?? '';
const pulled = async (location: string): Promise<Buffer> =>
  Buffer.from(await (await registry.call('GET', location)).arrayBuffer());

requirement('push-1', async () => {
  const answer = await registry.call('POST', '/v2/app/blobs/uploads/');
  assert.equal(answer.status, 202);
  assert.match(answer.headers.get('location') ?? '', /^\/v2\/app\/blobs\/uploads\/[0-9a-f]{32}$/);
});

requirement('push-2', async () => {
  const locations = await Promise.all(Array.from({ length: 20 }, () => begin()));
  assert.equal(new Set(locations).size, 20);
});

requirement('push-4', async () => {
  const bytes = randomBytes(1000);
  const put = await registry.call('PUT', `${await begin()}?digest=${sha256(bytes)}`, {
    body: bytes,
    headers: { 'content-type': OCTETS },
  });
  assert.equal(put.status, 201);
  assert.equal(put.headers.get('location'), `/v2/app/blobs/${sha256(bytes)}`);
});

requirement('push-5', async () => {
  for (const algorithm of ['sha256', 'sha512']) {
    const bytes = randomBytes(1000);
    const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
    const put = await registry.call('PUT', `${await begin()}?digest=${digest}`, { body: bytes });
    assert.deepEqual(await pulled(put.headers.get('location') ?? ''), bytes, algorithm);
  }
});

requirement('push-6', async () => {
  const bytes = randomBytes(1000);
  const post = await registry.call('POST', `/v2/app/blobs/uploads/?digest=${sha256(bytes)}`, {
    body: bytes,
    headers: { 'content-type': OCTETS },
  });
  assert.equal(post.status, 201);
  assert.deepEqual(await pulled(post.headers.get('location') ?? ''), bytes);
  const empty = await registry.call('POST', `/v2/app/blobs/uploads/?digest=${sha256(Buffer.alloc(0))}`);
  assert.equal(empty.status, 201, 'a blob of no bytes');
});

requirement('push-7', async () => {
  const bytes = randomBytes(1000);
  for (const digest of [sha256(Buffer.from('other')), 'sha256:xyz', 'md5:d41d8cd98f00b204e9800998ecf8427e', '']) {
    const put = await registry.call('PUT', `${await begin()}?digest=${digest}`, { body: bytes });
    assert.equal(put.status, 400, digest);
    assert.deepEqual(await codesOf(put), ['DIGEST_INVALID']);
  }
  assert.equal((await registry.call('HEAD', `/v2/app/blobs/${sha256(bytes)}`)).status, 404);
});

const patch = (location: string, bytes: Uint8Array, range?: string): Promise<Response> =>
  registry.call('PATCH', location, {
    body: bytes,
    headers: { 'content-type': OCTETS, ...(range === undefined ? {} : { 'content-range': range }) },
  });

requirement('chunk-1', async () => {
  const answer = await patch(await begin(), randomBytes(10), '0-9');
  assert.equal(answer.status, 202);
  assert.match(answer.headers.get('location') ?? '', /uploads/);
});

requirement('chunk-2', async () => {
  const location = await begin();
  assert.equal((await patch(location, randomBytes(10), '0-9')).headers.get('range'), '0-9');
  assert.equal((await patch(location, randomBytes(20), '10-29')).headers.get('range'), '0-29');
  assert.equal(
    (await patch(location, randomBytes(1))).headers.get('range'),
    '0-30',
    'without Content-Range it goes on',
  );
});

requirement('chunk-3', async () => {
  const location = await begin();
  await patch(location, randomBytes(10), '0-9');
  for (const range of ['0-9', '5-14', '11-20']) {
    const answer = await patch(location, randomBytes(10), range);
    assert.equal(answer.status, 416, range);
    assert.equal(answer.headers.get('range'), '0-9');
  }
  assert.equal(
    (await patch(location, randomBytes(10), '10-12')).status,
    400,
    'a range of another length than the body',
  );
});

requirement('chunk-4', async () => {
  const location = await begin();
  await patch(location, randomBytes(10), '0-9');
  const answer = await registry.call('GET', location);
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get('range'), '0-9');
  assert.equal(answer.headers.get('location'), location);
});

requirement('chunk-5', async () => {
  const bytes = randomBytes(200_000);
  for (const isLastInPut of [true, false]) {
    const location = await begin();
    await patch(location, bytes.subarray(0, 100_000), '0-99999');
    if (!isLastInPut) await patch(location, bytes.subarray(100_000), '100000-199999');
    const last = isLastInPut ? { body: bytes.subarray(100_000), headers: { 'content-range': '100000-199999' } } : {};
    const put = await registry.call('PUT', `${location}?digest=${sha256(bytes)}`, last);
    assert.equal(put.status, 201);
    assert.deepEqual(await pulled(put.headers.get('location') ?? ''), bytes);
  }
});

requirement('chunk-7', async () => {
  const location = await begin();
  assert.equal((await registry.call('DELETE', location)).status, 204);
  const gone = await registry.call('GET', location);
  assert.equal(gone.status, 404);
  assert.deepEqual(await codesOf(gone), ['BLOB_UPLOAD_UNKNOWN']);
});

requirement('mount-1', async () => {
  const blob = await registry.pushBlob('from', randomBytes(100));
  const answer = await registry.call('POST', `/v2/to/blobs/uploads/?mount=${blob.digest}&from=from`);
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('location'), `/v2/to/blobs/${blob.digest}`);
});

requirement('mount-2', async () => {
  for (const query of [
    `mount=sha256:${'0'.repeat(64)}&from=from`,
    `mount=sha256:${'0'.repeat(64)}&from=nobody`,
    'mount=nonsense&from=from',
  ]) {
    const answer = await registry.call('POST', `/v2/to/blobs/uploads/?${query}`);
    assert.equal(answer.status, 202, query);
    assert.match(answer.headers.get('location') ?? '', /^\/v2\/to\/blobs\/uploads\//);
  }
});

requirement('mount-3', async () => {
  const bytes = randomBytes(100);
  const blob = await registry.pushBlob('from', bytes);
  const answer = await registry.call('POST', `/v2/to/blobs/uploads/?mount=${blob.digest}&from=from`);
  assert.deepEqual(await pulled(answer.headers.get('location') ?? ''), bytes);
});

requirement('mount-4', async () => {
  const blob = await registry.pushBlob('from', randomBytes(100));
  const answer = await registry.call('POST', `/v2/elsewhere/blobs/uploads/?mount=${blob.digest}`);
  assert.ok([201, 202].includes(answer.status));
});

requirement('manifest-1', async () => {
  const image = await registry.pushImage('app');
  const put = await registry.call('PUT', '/v2/app/manifests/v1', {
    body: image.bytes,
    headers: { 'content-type': MANIFEST },
  });
  assert.equal(put.status, 201);
  assert.equal(put.headers.get('location'), `/v2/app/manifests/${image.digest}`);
});

requirement('manifest-2', async () => {
  const image = await registry.pushImage('app');
  const spaced = Buffer.from(`${JSON.stringify(JSON.parse(image.bytes.toString()), null, 3)}\n\n`);
  await registry.pushManifest('app', 'spaced', spaced);
  assert.deepEqual(await pulled('/v2/app/manifests/spaced'), spaced);
});

requirement('manifest-3', async () => {
  const image = await registry.pushImage('app');
  const put = await registry.call('PUT', '/v2/app/manifests/v3', {
    body: image.bytes,
    headers: { 'content-type': MANIFEST },
  });
  assert.deepEqual(await pulled(put.headers.get('location') ?? ''), image.bytes);
});

requirement('manifest-4', async () => {
  const image = await registry.pushImage('app');
  const missing = { mediaType: 'x/y', digest: `sha256:${'1'.repeat(64)}`, size: 5 };
  const body = { ...(JSON.parse(image.bytes.toString()) as object), layers: [missing] };
  const put = await registry.call('PUT', '/v2/app/manifests/v4', {
    body: JSON.stringify(body),
    headers: { 'content-type': MANIFEST },
  });
  assert.equal(put.status, 404);
  assert.deepEqual(await codesOf(put), ['MANIFEST_BLOB_UNKNOWN']);
});

requirement('manifest-5', async () => {
  const image = await registry.pushImage('app');
  const padded = (bytes: number): Buffer => {
    const body = { ...(JSON.parse(image.bytes.toString()) as object), annotations: { pad: '' } };
    return Buffer.from(
      JSON.stringify({ ...body, annotations: { pad: 'x'.repeat(bytes - JSON.stringify(body).length) } }),
    );
  };
  await registry.pushManifest('app', 'large', padded(4 << 20));
  const over = await registry.call('PUT', '/v2/app/manifests/larger', {
    body: padded((4 << 20) + 1),
    headers: { 'content-type': MANIFEST },
  });
  assert.equal(over.status, 413);
  assert.deepEqual(await codesOf(over), ['SIZE_INVALID']);
});

requirement('manifest-6', async () => {
  const image = await registry.pushImage('app');
  const put = await registry.call('PUT', '/v2/app/manifests/v6', {
    body: image.bytes,
    headers: { 'content-type': MANIFEST },
  });
  assert.equal(put.headers.get('docker-content-digest'), image.digest);
});

requirement('manifest-7', async () => {
  const subject = await registry.pushImage('app');
  const image = await registry.pushImage('app');
  const body = JSON.stringify({ ...(JSON.parse(image.bytes.toString()) as object), subject: subject.descriptor });
  const put = await registry.call('PUT', `/v2/app/manifests/${sha256(Buffer.from(body))}`, {
    body,
    headers: { 'content-type': MANIFEST },
  });
  assert.equal(put.status, 201);
  assert.equal(put.headers.get('oci-subject'), subject.digest);
});

requirement('manifest-8', async () => {
  const image = await registry.pushImage('app');
  const subject = { mediaType: MANIFEST, digest: `sha256:${'2'.repeat(64)}`, size: 7 };
  await registry.pushManifest('app', 'orphan', { ...(JSON.parse(image.bytes.toString()) as object), subject });
});

requirement('manifest-9', async () => {
  const image = await registry.pushImage('app');
  const put = await registry.call('PUT', `/v2/app/manifests/sha256:${'3'.repeat(64)}`, {
    body: image.bytes,
    headers: { 'content-type': MANIFEST },
  });
  assert.equal(put.status, 400);
  assert.deepEqual(await codesOf(put), ['DIGEST_INVALID']);
  const index = { schemaVersion: 2, mediaType: INDEX, manifests: [image.descriptor] };
  await registry.pushManifest('app', 'index', index, INDEX);
});
