// Listing tags and referrers, deleting, errors. @source OCI distribution specification 1.1

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import { codesOf, INDEX, startRegistry } from '../support/registry.ts';
import { requirement } from './requirement.ts';

const registry = await startRegistry();
after(() => registry[Symbol.asyncDispose]());
const NOWHERE = `sha256:${'0'.repeat(64)}`;
const tagged = await registry.pushImage('list', 'b');
for (const tag of ['a', 'B', '1', 'c', 'a.1', '_z']) await registry.pushManifest('list', tag, tagged.bytes);
const subject = await registry.pushImage('ref', 'v1');
const sbom = await registry.pushImage('ref', undefined, {
  more: { artifactType: 'application/x.sbom', subject: subject.descriptor, annotations: { made: 'today' } },
});
const plain = await registry.pushImage('ref', undefined, { more: { subject: subject.descriptor } });
const ORDER = ['1', 'B', '_z', 'a', 'a.1', 'b', 'c'];

async function tags(query = ''): Promise<{ tags: string[]; link: string | null; status: number }> {
  const answer = await registry.call('GET', `/v2/list/tags/list${query}`);
  const body = (await answer.json()) as { tags: string[] };
  return { tags: body.tags, link: answer.headers.get('link'), status: answer.status };
}

requirement('tags-1', async () => {
  const answer = await registry.call('GET', '/v2/list/tags/list');
  assert.equal(answer.status, 200);
  assert.equal(((await answer.json()) as { name: string }).name, 'list');
});

requirement('tags-2', async () => {
  assert.deepEqual((await tags()).tags, ORDER);
});

requirement('tags-3', async () => {
  assert.deepEqual((await tags('?n=3')).tags, ORDER.slice(0, 3));
  assert.deepEqual((await tags('?n=0')).tags, []);
  assert.equal((await registry.call('GET', '/v2/list/tags/list?n=x')).status, 400);
});

requirement('tags-4', async () => {
  assert.equal((await tags('?n=0')).link, null);
  assert.equal((await tags('?n=7')).link, null);
  const seen: string[] = [];
  for (let path: string | undefined = '/v2/list/tags/list?n=2'; path !== undefined; ) {
    const answer: Response = await registry.call('GET', path);
    seen.push(...((await answer.json()) as { tags: string[] }).tags);
    path = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  assert.deepEqual(seen, ORDER);
});

requirement('tags-5', async () => {
  assert.deepEqual((await tags('?last=a')).tags, ['a.1', 'b', 'c']);
  assert.deepEqual((await tags('?last=zzz')).tags, []);
});

requirement('tags-6', async () => {
  const answer = await registry.call('GET', '/v2/nobody/tags/list');
  assert.equal(answer.status, 404);
  assert.deepEqual(await codesOf(answer), ['NAME_UNKNOWN']);
});

interface Referrers {
  readonly mediaType: string;
  readonly schemaVersion: number;
  readonly manifests: readonly {
    digest: string;
    size: number;
    mediaType: string;
    artifactType?: string;
    annotations?: Record<string, string>;
  }[];
}
const referrers = async (query = ''): Promise<Referrers> =>
  (await (await registry.call('GET', `/v2/ref/referrers/${subject.digest}${query}`)).json()) as Referrers;

requirement('referrers-1', async () => {
  const answer = await registry.call('GET', `/v2/ref/referrers/${subject.digest}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), INDEX);
  const body = (await answer.json()) as Referrers;
  assert.deepEqual([body.schemaVersion, body.mediaType], [2, INDEX]);
});

requirement('referrers-2', async () => {
  for (const path of [`/v2/ref/referrers/${NOWHERE}`, `/v2/nobody/referrers/${NOWHERE}`]) {
    const answer = await registry.call('GET', path);
    assert.equal(answer.status, 200, path);
    assert.deepEqual(((await answer.json()) as Referrers).manifests, []);
  }
});

requirement('referrers-3', async () => {
  const found = (await referrers()).manifests.find(({ digest }) => digest === sbom.digest);
  assert.deepEqual([found?.mediaType, found?.size], [sbom.descriptor.mediaType, sbom.bytes.length]);
});

requirement('referrers-4', async () => {
  const { manifests } = await referrers();
  assert.equal(manifests.find(({ digest }) => digest === sbom.digest)?.artifactType, 'application/x.sbom');
  assert.equal(manifests.find(({ digest }) => digest === plain.digest)?.artifactType, plain.config.mediaType);
});

requirement('referrers-5', async () => {
  const found = (await referrers()).manifests.find(({ digest }) => digest === sbom.digest);
  assert.deepEqual(found?.annotations, { made: 'today' });
});

requirement('referrers-6', async () => {
  const answer = await registry.call('GET', `/v2/ref/referrers/${subject.digest}?artifactType=application/x.sbom`);
  assert.equal(answer.headers.get('oci-filters-applied'), 'artifactType');
  assert.deepEqual(
    ((await answer.json()) as Referrers).manifests.map(({ digest }) => digest),
    [sbom.digest],
  );
});

requirement('referrers-7', async () => {
  const answer = await registry.call('GET', '/v2/ref/referrers/nonsense');
  assert.equal(answer.status, 400);
  assert.deepEqual(await codesOf(answer), ['DIGEST_INVALID']);
});

requirement('referrers-8', async () => {
  const target = await registry.pushImage('ref');
  const body = {
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [target.descriptor],
    subject: target.descriptor,
    artifactType: 'application/x.list',
  };
  const index = await registry.pushManifest('ref', 'list', body, INDEX);
  const answer = await registry.call('GET', `/v2/ref/referrers/${target.digest}`);
  const [found] = ((await answer.json()) as Referrers).manifests;
  assert.deepEqual([found?.digest, found?.mediaType, found?.artifactType], [index.digest, INDEX, 'application/x.list']);
});

requirement('referrers-10', async () => {
  const tag = subject.digest.replace(':', '-');
  const body = { schemaVersion: 2, mediaType: INDEX, manifests: [sbom.descriptor] };
  await registry.pushManifest('ref', tag, body, INDEX);
  assert.equal((await registry.call('GET', `/v2/ref/manifests/${tag}`)).status, 200);
});

requirement('delete-1', async () => {
  const image = await registry.pushImage('del', 'gone');
  await registry.pushManifest('del', 'stays', image.bytes);
  assert.equal((await registry.call('DELETE', '/v2/del/manifests/gone')).status, 202);
  assert.equal((await registry.call('GET', '/v2/del/manifests/gone')).status, 404);
  assert.equal((await registry.call('GET', '/v2/del/manifests/stays')).status, 200);
});

requirement('delete-2', async () => {
  const image = await registry.pushImage('del', 'v2');
  assert.equal((await registry.call('DELETE', `/v2/del/manifests/${image.digest}`)).status, 202);
  for (const reference of [image.digest, 'v2'])
    assert.equal((await registry.call('GET', `/v2/del/manifests/${reference}`)).status, 404);
});

requirement('delete-3', async () => {
  const blob = await registry.pushBlob('del', randomBytes(100));
  assert.equal((await registry.call('DELETE', `/v2/del/blobs/${blob.digest}`)).status, 202);
  assert.equal((await registry.call('GET', `/v2/del/blobs/${blob.digest}`)).status, 404);
  const image = await registry.pushImage('del', 'v3');
  const needed = await registry.call('DELETE', `/v2/del/blobs/${image.config.digest}`);
  assert.equal(needed.status, 405, 'what a manifest needs stays');
  assert.deepEqual(await codesOf(needed), ['UNSUPPORTED']);
});

requirement('delete-4', async () => {
  for (const path of ['manifests/nothing', `manifests/${NOWHERE}`, `blobs/${NOWHERE}`]) {
    assert.equal((await registry.call('DELETE', `/v2/del/${path}`)).status, 404, path);
  }
});

requirement('delete-5', async () => {
  await using frozen = await startRegistry({ isDeleteOn: false });
  const image = await frozen.pushImage('app', 'v1');
  for (const path of ['manifests/v1', `manifests/${image.digest}`, `blobs/${image.config.digest}`]) {
    const answer = await frozen.call('DELETE', `/v2/app/${path}`);
    assert.equal(answer.status, 405, path);
    assert.deepEqual(await codesOf(answer), ['UNSUPPORTED']);
  }
});

requirement('delete-6', async () => {
  const target = await registry.pushImage('ref');
  const referrer = await registry.pushImage('ref', undefined, { more: { subject: target.descriptor } });
  await registry.call('DELETE', `/v2/ref/manifests/${referrer.digest}`);
  const answer = await registry.call('GET', `/v2/ref/referrers/${target.digest}`);
  assert.deepEqual(((await answer.json()) as Referrers).manifests, []);
});

const CODES = new Set([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
]);
const FAILURES: readonly (readonly [method: string, path: string, status: number, code: string])[] = [
  ['GET', `/v2/list/blobs/${NOWHERE}`, 404, 'BLOB_UNKNOWN'],
  ['PATCH', `/v2/list/blobs/uploads/${'0'.repeat(32)}`, 404, 'BLOB_UPLOAD_UNKNOWN'],
  ['PUT', `/v2/list/blobs/uploads/x?digest=${NOWHERE}`, 404, 'BLOB_UPLOAD_UNKNOWN'],
  ['GET', '/v2/list/blobs/sha256:short', 400, 'DIGEST_INVALID'],
  ['PUT', '/v2/list/manifests/v1', 400, 'MANIFEST_INVALID'],
  ['GET', '/v2/list/manifests/none', 404, 'MANIFEST_UNKNOWN'],
  ['GET', '/v2/LIST/manifests/none', 400, 'NAME_INVALID'],
  ['GET', '/v2/unknown/tags/list', 404, 'NAME_UNKNOWN'],
  ['POST', '/v2/list/manifests/v1', 405, 'UNSUPPORTED'],
];

for (const [id, check] of [
  ['error-1', async (answer: Response) => assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)],
  ['error-2', async (answer: Response) => assert.ok(CODES.has((await codesOf(answer))[0] ?? ''))],
] as const) {
  requirement(id, async () => {
    for (const [method, path] of FAILURES) await check(await registry.call(method, path));
  });
}

requirement('error-3', async () => {
  for (const [method, path, status, code] of FAILURES) {
    const answer = await registry.call(method, path);
    assert.equal(answer.status, status, `${method} ${path}`);
    assert.deepEqual(await codesOf(answer), [code], `${method} ${path}`);
  }
});
