// A delete gives its space back while the registry works, and nothing that somebody needs goes with it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256, startRegistry, type TestRegistry } from './support/registry.ts';

const blobs = (registry: TestRegistry): string[] =>
  readdirSync(join(registry.root, 'content', 'blobs', 'sha256')).sort();
const hex = (digests: readonly string[]): string[] => digests.map((digest) => digest.slice('sha256:'.length)).sort();
const collect = (registry: TestRegistry) => registry.open.repositories.collectGarbage(new AbortController().signal);

async function settles(registry: TestRegistry, wanted: readonly string[]): Promise<void> {
  for (let i = 0; i < 200 && blobs(registry).join() !== hex(wanted).join(); i++) await sleep(20);
  assert.deepEqual(blobs(registry), hex(wanted));
}

test('deleting an image frees its blobs by itself; what another image shares stays', async () => {
  await using registry = await startRegistry();
  const shared = await registry.pushBlob('app', randomBytes(1000));
  const images = [];
  for (const tag of ['a', 'b']) {
    const image = await registry.pushImage('app', undefined, { layers: 1 });
    const body = { ...(JSON.parse(image.bytes.toString()) as object), layers: [...image.layers, shared] };
    const bytes = Buffer.from(JSON.stringify(body));
    await registry.pushManifest('app', tag, bytes);
    await registry.call('DELETE', `/v2/app/manifests/${image.digest}`);
    images.push({ digest: sha256(bytes), needs: [image.config.digest, ...image.layers.map(({ digest }) => digest)] });
  }
  const [a, b] = images;
  await registry.call('DELETE', `/v2/app/manifests/${a?.digest}`);
  await settles(registry, [b?.digest ?? '', shared.digest, ...(b?.needs ?? [])]);
  await registry.call('DELETE', `/v2/app/manifests/${b?.digest}`);
  await settles(registry, []);
});

test('a blob that another repository still needs stays readable there, and only there', async () => {
  await using registry = await startRegistry();
  const image = await registry.pushImage('one', 'v1');
  for (const { digest } of [image.config, ...image.layers])
    await registry.call('POST', `/v2/two/blobs/uploads/?mount=${digest}&from=one`);
  await registry.pushManifest('two', 'v1', image.bytes);
  await registry.call('DELETE', `/v2/one/manifests/${image.digest}`);
  await collect(registry);
  assert.equal((await registry.call('GET', `/v2/one/blobs/${image.config.digest}`)).status, 404);
  assert.equal((await registry.call('GET', `/v2/two/blobs/${image.config.digest}`)).status, 200);
  assert.equal((await registry.call('GET', '/v2/two/manifests/v1')).status, 200);
});

test('blobs of a push that is under way are spared, and go when nobody comes back', async () => {
  await using registry = await startRegistry({ garbageGraceMs: 300 });
  await registry.pushBlob('app', randomBytes(1000));
  await collect(registry);
  assert.equal(blobs(registry).length, 1);
  await sleep(350);
  assert.equal((await collect(registry)).blobs, 1);
  assert.deepEqual(blobs(registry), []);
});

test('who is told that a blob is there can push a manifest with it, whatever is deleted meanwhile', async () => {
  await using registry = await startRegistry();
  const image = await registry.pushImage('app', 'v1');
  for (const { digest } of [image.config, ...image.layers])
    assert.equal((await registry.call('HEAD', `/v2/app/blobs/${digest}`)).status, 200);
  await registry.call('DELETE', `/v2/app/manifests/${image.digest}`);
  await collect(registry);
  await registry.pushManifest('app', 'v2', image.bytes);
  assert.equal((await registry.call('GET', `/v2/app/blobs/${image.config.digest}`)).status, 200);
});

test('a pull that has begun ends whole', async () => {
  await using registry = await startRegistry();
  const bytes = randomBytes(8 << 20);
  const image = await registry.pushImage('app', 'v1');
  const layer = await registry.pushBlob('app', bytes);
  const body = Buffer.from(JSON.stringify({ ...(JSON.parse(image.bytes.toString()) as object), layers: [layer] }));
  await registry.pushManifest('app', 'big', body);
  const answer = await registry.call('GET', `/v2/app/blobs/${layer.digest}`);
  await registry.call('DELETE', `/v2/app/manifests/${sha256(body)}`);
  await collect(registry);
  assert.equal(existsSync(join(registry.root, 'content/blobs/sha256', layer.digest.slice(7))), false);
  assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), layer.digest);
});

test('files that no record knows go after a restart, those that a record knows stay', async () => {
  await using registry = await startRegistry();
  const image = await registry.pushImage('app', 'v1');
  const stray = randomBytes(10);
  await registry.stop();
  writeFileSync(join(registry.root, 'content/blobs/sha256', sha256(stray).slice(7)), stray);
  await registry.start();
  await settles(registry, [image.digest, image.config.digest, ...image.layers.map(({ digest }) => digest)]);
  assert.equal((await registry.call('GET', '/v2/app/manifests/v1')).status, 200);
});

test('an upload of the same content and its removal do not meet', async () => {
  await using registry = await startRegistry({ garbageGraceMs: 0 });
  const bytes = randomBytes(1000);
  for (let i = 0; i < 30; i++) {
    const [blob] = await Promise.all([registry.pushBlob('app', bytes), collect(registry)]);
    const isListed =
      registry.open.repositories.hasRepository('app') &&
      (await registry.call('HEAD', `/v2/app/blobs/${blob.digest}`)).status === 200;
    assert.ok(!isListed || blobs(registry).length === 1, `round ${i}: a blob is listed whose bytes are gone`);
  }
});
