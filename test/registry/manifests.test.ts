// What clients push as manifests is kept as they mean it, and removing something breaks nothing else.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/patience.ts';
import { codesOf, INDEX, MANIFEST, sha256, startRegistry, type TestRegistry } from './support/registry.ts';

const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** The cache that `docker buildx build --cache-to type=registry` (0.29) pushes by default: an index of layers and a configuration. */
async function pushCache(registry: TestRegistry, repository: string, tag: string, type = INDEX): Promise<string[]> {
  const layer =
    type === INDEX
      ? 'application/vnd.oci.image.layer.v1.tar+gzip'
      : 'application/vnd.docker.image.rootfs.diff.tar.gzip';
  const layers = [];
  for (let i = 0; i < 2; i++) {
    const pushed = await registry.pushBlob(repository, randomBytes(1000), layer);
    layers.push({
      ...pushed,
      annotations: {
        'buildkit/createdat': '2026-11-01T00:00:00Z',
        'containerd.io/uncompressed': sha256(randomBytes(8)),
      },
    });
  }
  const facts = { layers: layers.map(({ digest }, i) => ({ blob: digest, parent: i - 1 })), records: [] };
  const config = await registry.pushBlob(
    repository,
    Buffer.from(JSON.stringify(facts)),
    'application/vnd.buildkit.cacheconfig.v0',
  );
  const body = { schemaVersion: 2, mediaType: type, manifests: [...layers, config] };
  const { digest } = await registry.pushManifest(repository, tag, body, type);
  return [digest, config.digest, ...layers.map((one) => one.digest)];
}

const stored = (registry: TestRegistry): string[] =>
  readdirSync(join(registry.root, 'content/blobs/sha256'))
    .map((hex) => `sha256:${hex}`)
    .sort();

for (const type of [INDEX, DOCKER_LIST]) {
  test(`BuildKit's cache, whose index lists blobs, is kept with them and goes with them (${type})`, async () => {
    await using registry = await startRegistry({ garbageGraceMs: 0 });
    const digests = await pushCache(registry, 'app', 'cache', type);
    await registry.open.repositories.collectGarbage(new AbortController().signal);
    for (const digest of digests.slice(1))
      assert.equal((await registry.call('GET', `/v2/app/blobs/${digest}`)).status, 200);
    const shown = await registry.call('GET', '/v2/_gantry/repositories/app/manifests/cache');
    const { references } = (await shown.json()) as { references: { kind: string }[] };
    assert.deepEqual(
      references.map(({ kind }) => kind),
      ['layer', 'layer', 'layer'],
    );
    const { deleted } = (await (await registry.call('DELETE', '/v2/_gantry/images/app/cache')).json()) as {
      deleted: string[];
    };
    assert.deepEqual(deleted, [digests[0]]);
    await eventually('nothing is left', () => stored(registry).length === 0);
  });
}

test('an entry that says it is an image must be one, and any entry must be here', async () => {
  await using registry = await startRegistry();
  const blob = await registry.pushBlob('app', randomBytes(100), MANIFEST);
  const put = (entry: object) =>
    registry.call('PUT', '/v2/app/manifests/v1', {
      body: JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [entry] }),
      headers: { 'content-type': INDEX },
    });
  assert.deepEqual(await codesOf(await put(blob)), ['MANIFEST_BLOB_UNKNOWN']);
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256(randomBytes(9)), size: 9 };
  assert.deepEqual(await codesOf(await put(layer)), ['MANIFEST_BLOB_UNKNOWN']);
  assert.deepEqual(await codesOf(await put({ ...blob, mediaType: layer.mediaType, size: 1 })), ['MANIFEST_INVALID']);
  assert.equal((await put({ ...blob, mediaType: layer.mediaType })).status, 201);
});

test('a manifest pushed by digest gets all the tags that its request names, at once or not at all', async () => {
  await using registry = await startRegistry({ immutableTags: ['app:fixed'] });
  const image = await registry.pushImage('app');
  const put = (query: string, reference = image.digest) =>
    registry.call('PUT', `/v2/app/manifests/${reference}?${query}`, {
      body: image.bytes,
      headers: { 'content-type': MANIFEST },
    });
  const answer = await put('tag=v1&tag=v1.2&tag=latest&tag=v1');
  assert.equal(answer.status, 201);
  assert.deepEqual(answer.headers.get('oci-tag')?.split(', '), ['v1', 'v1.2', 'latest']);
  const tags = async (): Promise<string[]> =>
    ((await (await registry.call('GET', '/v2/app/tags/list')).json()) as { tags: string[] }).tags;
  assert.deepEqual(await tags(), ['latest', 'v1', 'v1.2']);
  const found = (await (await registry.call('GET', '/v2/_gantry/search?q=tag:v1.2')).json()) as { results: unknown[] };
  assert.equal(found.results.length, 1);
  for (const query of ['tag=ok&tag=no/tag', 'tag=ok&tag=', `tag=${sha256(Buffer.from('x'))}`])
    assert.deepEqual(await codesOf(await put(query)), ['TAG_INVALID'], query);
  assert.deepEqual(await codesOf(await put('tag=ok', 'other')), ['TAG_INVALID']);
  assert.equal((await put(Array.from({ length: 101 }, (_, i) => `tag=t${i}`).join('&'))).status, 414);
  await registry.pushImage('app', 'fixed');
  assert.equal((await put('tag=new&tag=fixed')).status, 403);
  assert.deepEqual(await tags(), ['fixed', 'latest', 'v1', 'v1.2']);
});

test('what a tagged index needs is not deleted from under it, but by who insists', async () => {
  await using registry = await startRegistry();
  const image = await registry.pushImage('app');
  const index = (manifests: readonly unknown[], n = 0) => ({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests,
    annotations: { n: String(n) },
  });
  const inner = await registry.pushManifest(
    'app',
    sha256(Buffer.from(JSON.stringify(index([image.descriptor])))),
    index([image.descriptor]),
    INDEX,
  );
  await registry.pushManifest('app', 'all', index([inner], 1), INDEX);
  const remove = (digest: string, query = '') => registry.call('DELETE', `/v2/app/manifests/${digest}${query}`);
  for (const digest of [image.digest, inner.digest]) {
    const refused = await remove(digest);
    assert.equal(refused.status, 405);
    const text = await refused.text();
    assert.match(text, /"UNSUPPORTED".*an index that is tagged all needs this manifest.*force=true/);
  }
  assert.equal((await registry.call('GET', `/v2/app/manifests/${image.digest}`)).status, 200);
  await registry.call('DELETE', '/v2/app/manifests/all');
  assert.equal((await remove(image.digest)).status, 202, 'an index that no tag leads to holds nothing');
  const other = await registry.pushImage('app');
  await registry.pushManifest('app', 'two', index([other.descriptor], 2), INDEX);
  assert.equal((await remove(other.digest, '?force=true')).status, 202);
});

test('a repository that holds nothing is in no list, and is forgotten', async () => {
  await using registry = await startRegistry({ garbageGraceMs: 0, uploadExpiryMs: 2000 });
  const names = async (path: string, key: string): Promise<string[]> => {
    const rows =
      ((await (await registry.call('GET', path)).json()) as Record<string, (string | { name: string })[]>)[key] ?? [];
    return rows.map((row) => (typeof row === 'string' ? row : row.name));
  };
  await registry.pushImage('kept', 'v1');
  const gone = await registry.pushImage('gone', 'v1');
  await registry.pushBlob('blobs/only', randomBytes(10));
  await registry.call('POST', '/v2/begun/blobs/uploads/');
  await registry.call('DELETE', `/v2/gone/manifests/${gone.digest}`);
  for (const [path, key] of [
    ['/v2/_catalog', 'repositories'],
    ['/v2/_gantry/repositories', 'repositories'],
    ['/v1/search?q=', 'results'],
  ] as const)
    assert.deepEqual(await names(path, key), ['kept'], path);
  assert.match(await (await registry.call('GET', '/metrics')).text(), /^gantry_registry_repositories 1$/m);
  await eventually('the names are forgotten', async () => {
    await registry.open.repositories.collectGarbage(new AbortController().signal);
    return (
      (await registry.call('GET', '/v2/blobs/only/tags/list')).status === 404 &&
      (await registry.call('GET', '/v2/begun/tags/list')).status === 404
    );
  });
  const history = (await (await registry.call('GET', '/v2/_gantry/repositories/gone/history/v1')).json()) as {
    history: unknown[];
  };
  assert.equal(history.history.length, 1, 'what a tag was stays known for a while');
  await registry.call('DELETE', '/v2/_gantry/repositories/kept');
  assert.deepEqual(await names('/v2/_catalog', 'repositories'), []);
});

test('a manifest with very many tags goes at once, whatever it takes to clean up after it', async () => {
  await using registry = await startRegistry({ garbageGraceMs: 0 });
  const image = await registry.pushImage('app');
  const tags = Array.from({ length: 3000 }, (_, i) => `t${i}`);
  for (let i = 0; i < tags.length; i += 100) {
    const query = tags
      .slice(i, i + 100)
      .map((tag) => `tag=${tag}`)
      .join('&');
    const put = await registry.call('PUT', `/v2/app/manifests/${image.digest}?${query}`, {
      body: image.bytes,
      headers: { 'content-type': MANIFEST },
    });
    assert.equal(put.status, 201);
  }
  await registry.pushImage('app', 'other');
  assert.equal((await registry.call('DELETE', `/v2/app/manifests/${image.digest}`)).status, 202);
  const status = async (path: string): Promise<number> => (await registry.call('GET', path)).status;
  assert.deepEqual(
    [await status('/v2/app/manifests/t7'), await status(`/v2/app/manifests/${image.digest}`)],
    [404, 404],
  );
  const list = (await (await registry.call('GET', '/v2/app/tags/list')).json()) as { tags: string[] };
  assert.deepEqual(list.tags, ['other']);
  const search = async (): Promise<unknown> =>
    ((await (await registry.call('GET', '/v2/_gantry/search?q=tag:t*')).json()) as { results: unknown }).results;
  assert.deepEqual(await search(), []);
  // The same again, while the old tags are still on their way out.
  await registry.pushImage('app', 't1');
  const again = await registry.call('PUT', `/v2/app/manifests/${image.digest}?tag=t2`, {
    body: image.bytes,
    headers: { 'content-type': MANIFEST },
  });
  assert.ok([201, 404].includes(again.status));
  await registry.stop();
  await registry.start();
  await registry.open.repositories.collectGarbage(new AbortController().signal);
  assert.equal(await status('/v2/app/manifests/t1'), 200);
  assert.equal(await status('/v2/app/manifests/t3'), 404);
  const { history } = (await (await registry.call('GET', '/v2/_gantry/repositories/app/history/t3')).json()) as {
    history: { until?: string }[];
  };
  assert.equal(history.length, 1);
  assert.ok(history[0]?.until, 'its history ends');
  const moved = (await (await registry.call('GET', '/v2/_gantry/repositories/app/history/t1')).json()) as {
    history: { until?: string }[];
  };
  assert.deepEqual(
    moved.history.map(({ until }) => until === undefined),
    [true, false],
  );
});
