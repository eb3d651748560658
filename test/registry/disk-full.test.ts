// A disk that fills up in the middle of a push costs that push, and nothing that was there.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { smallDisk } from '../support/disk.ts';
import { codesOf, sha256, startRegistry } from './support/registry.ts';

test('a push that does not fit is told so, what was there stays, and deletes make room', async () => {
  await using disk = await smallDisk(32);
  await using registry = await startRegistry({ root: disk.path });
  const image = await registry.pushImage('app', 'v1', { bytes: 8 << 20 });
  const bytes = randomBytes(40 << 20);
  const begin = async (): Promise<string> =>
    (await registry.call('POST', '/v2/app/blobs/uploads/')).headers.get('location') ?? '';
  const location = await begin();
  const full = await registry.call('PUT', `${location}?digest=${sha256(bytes)}`, { body: bytes });
  assert.equal(full.status, 507);
  assert.match(await full.clone().text(), /no space left on device/);
  assert.deepEqual(await codesOf(full), ['UNAVAILABLE']);
  assert.equal((await registry.call('HEAD', `/v2/app/blobs/${sha256(bytes)}`)).status, 404);
  const pulled = await registry.call('GET', `/v2/app/blobs/${image.layers[0]?.digest}`);
  assert.equal(sha256(Buffer.from(await pulled.arrayBuffer())), image.layers[0]?.digest);
  // Deleting needs room for its own record, which the database keeps.
  assert.equal(
    (await registry.call('DELETE', `/v2/app/manifests/${image.digest}`)).status,
    202,
    registry.log.join('\n'),
  );
  assert.equal((await registry.call('DELETE', location)).status, 204);
  await registry.open.repositories.collectGarbage(new AbortController().signal);
  await registry.pushImage('app', 'v2', { bytes: 8 << 20 });
});
