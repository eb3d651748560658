// Removing an image takes what only it led to, and nothing that something else leads to.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Image, INDEX, MANIFEST, startRegistry, type TestRegistry } from './support/registry.ts';

async function remove(registry: TestRegistry, name: string, tag: string): Promise<string[]> {
  const answer = await registry.call('DELETE', `/v2/_gantry/images/${name}/${tag}`);
  assert.equal(answer.status, 200);
  return ((await answer.json()) as { deleted: string[] }).deleted.sort();
}

const isThere = async (registry: TestRegistry, digest: string): Promise<boolean> =>
  (await registry.call('HEAD', `/v2/app/manifests/${digest}`)).status === 200;

const indexOf = (...images: readonly Image[]) => ({
  schemaVersion: 2,
  mediaType: INDEX,
  manifests: images.map(({ descriptor }) => descriptor),
});

test('an image stays as long as another tag or an index leads to it', async () => {
  await using registry = await startRegistry();
  const image = await registry.pushImage('app', 'v1');
  await registry.pushManifest('app', 'latest', image.bytes);
  const index = await registry.pushManifest('app', 'all', indexOf(image), INDEX);
  assert.deepEqual(await remove(registry, 'app', 'v1'), []);
  assert.deepEqual(await remove(registry, 'app', 'latest'), []);
  assert.deepEqual(await remove(registry, 'app', 'all'), [image.digest, index.digest].sort());
  assert.equal((await registry.call('DELETE', '/v2/_gantry/images/app/all')).status, 404);
});

test('of an index go the entries that no tag and no other index has, and what belongs to them', async () => {
  await using registry = await startRegistry();
  const [own, tagged, shared] = [
    await registry.pushImage('app'),
    await registry.pushImage('app', 'amd64'),
    await registry.pushImage('app'),
  ];
  const index = await registry.pushManifest('app', 'all', indexOf(own, tagged, shared), INDEX);
  await registry.pushManifest('app', 'other', indexOf(shared), INDEX);
  const sbom = await registry.pushImage('app', undefined, { more: { subject: own.descriptor } });
  const ofSbom = await registry.pushImage('app', undefined, { more: { subject: sbom.descriptor } });
  const kept = await registry.pushImage('app', 'report', { more: { subject: own.descriptor } });
  const signature = await registry.pushImage('app', `${index.digest.replace(':', '-')}.sig`);
  const gone = [own, sbom, ofSbom, signature].map(({ digest }) => digest);
  assert.deepEqual(await remove(registry, 'app', 'all'), [...gone, index.digest].sort());
  for (const { digest } of [tagged, shared, kept]) assert.ok(await isThere(registry, digest), digest);
});

test('what refers to itself by way of others ends', async () => {
  await using registry = await startRegistry();
  const image = await registry.pushImage('app', 'v1');
  let subject = image.descriptor;
  const chain = [image.digest];
  for (let i = 0; i < 50; i++) {
    const { digest, descriptor } = await registry.pushImage('app', undefined, { layers: 0, more: { subject } });
    subject = descriptor;
    chain.push(digest);
  }
  assert.deepEqual(await remove(registry, 'app', 'v1'), chain.sort());
});

test('a tag that may not move, or belongs to a signature that may not, keeps all of it', async () => {
  await using registry = await startRegistry({ immutableTags: ['app:v1', '**:sha256-*'] });
  const v1 = await registry.pushImage('app', 'v1');
  const v2 = await registry.pushImage('app', 'v2');
  await registry.pushManifest(
    'app',
    `${v2.digest.replace(':', '-')}.sig`,
    { ...JSON.parse(v1.bytes.toString()), n: 1 },
    MANIFEST,
  );
  for (const tag of ['v1', 'v2']) {
    assert.equal((await registry.call('DELETE', `/v2/_gantry/images/app/${tag}`)).status, 403);
    assert.equal((await registry.call('HEAD', `/v2/app/manifests/${tag}`)).status, 200);
  }
});

test('where nothing is deleted, nothing is, by whichever way', async () => {
  for (const overrides of [{ isDeleteOn: false }, { isReadOnly: true }]) {
    await using filled = await startRegistry();
    await filled.pushImage('app', 'v1');
    await filled.stop();
    await using registry = await startRegistry({ ...overrides, root: filled.root });
    for (const [method, path] of [
      ['DELETE', '/v2/app/manifests/v1'],
      ['DELETE', '/v2/_gantry/images/app/v1'],
      ['DELETE', '/v2/_gantry/repositories/app'],
      ['POST', '/v2/_gantry/retention/apply'],
    ] as const) {
      assert.equal((await registry.call(method, path)).status, 405, path);
    }
    assert.equal((await registry.call('HEAD', '/v2/app/manifests/v1')).status, 200);
  }
});
