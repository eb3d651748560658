// Determining support, pulling, checking existence. @source OCI distribution specification 1.1

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import { codesOf, sha256, startRegistry } from '../support/registry.ts';
import { requirement } from './requirement.ts';

const registry = await startRegistry();
after(() => registry[Symbol.asyncDispose]());
const content = randomBytes(300_000);
const blob = await registry.pushBlob('team/app', content);
const image = await registry.pushImage('team/app', 'v1');
const NOWHERE = `sha256:${'0'.repeat(64)}`;

requirement('base-1', async () => {
  const answer = await registry.call('GET', '/v2/');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('docker-distribution-api-version'), 'registry/2.0');
});

requirement('base-2', async () => {
  await using closed = await startRegistry({
    access: { anonymous: 'none', realm: 'x', rights: [], admins: [], htpasswdFile: '/dev/null' },
  });
  const answer = await closed.call('GET', '/v2/');
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic realm="x"$/);
  assert.deepEqual(await codesOf(answer), ['UNAUTHORIZED']);
});

requirement('pull-1', async () => {
  for (const name of ['UPPER', 'a//b', '-a', 'a-', 'a..b', 'a___b', `${'a'.repeat(256)}`, 'a/b/', 'ä']) {
    const answer = await registry.call('GET', `/v2/${encodeURIComponent(name)}/manifests/v1`);
    assert.ok([400, 404].includes(answer.status), `${name}: ${answer.status}`);
    assert.ok(['NAME_INVALID', 'UNKNOWN'].includes((await codesOf(answer))[0] ?? ''), name);
  }
  for (const name of ['a', 'a/b/c', 'a.b', 'a_b', 'a__b', 'a--b', '0', 'a'.repeat(255)]) {
    assert.equal((await registry.call('POST', `/v2/${name}/blobs/uploads/`)).status, 202, name);
  }
});

requirement('pull-2', async () => {
  for (const tag of ['.a', '-a', 'a b', `a${'b'.repeat(128)}`, 'ä']) {
    const path = `/v2/team/app/manifests/${encodeURIComponent(tag)}`;
    assert.equal((await registry.call('GET', path)).status, 404, tag);
    assert.equal((await registry.call('PUT', path, { body: image.bytes })).status, 400, tag);
  }
  await registry.pushManifest('team/app', `_${'x'.repeat(127)}`, image.bytes);
});

requirement('pull-3', async () => {
  for (const reference of ['v1', image.digest]) {
    const answer = await registry.call('GET', `/v2/team/app/manifests/${reference}`);
    assert.equal(answer.status, 200);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), image.bytes);
  }
});

requirement('pull-4', async () => {
  const answer = await registry.call('GET', '/v2/team/app/manifests/v1');
  assert.equal(answer.headers.get('content-type'), 'application/vnd.oci.image.manifest.v1+json');
});

requirement('pull-5', async () => {
  const answer = await registry.call('GET', '/v2/team/app/manifests/v1');
  assert.equal(answer.headers.get('docker-content-digest'), sha256(Buffer.from(await answer.arrayBuffer())));
});

requirement('pull-6', async () => {
  for (const reference of ['v2', NOWHERE]) {
    const answer = await registry.call('GET', `/v2/team/app/manifests/${reference}`);
    assert.equal(answer.status, 404);
    assert.deepEqual(await codesOf(answer), ['MANIFEST_UNKNOWN']);
  }
  assert.deepEqual(await codesOf(await registry.call('GET', '/v2/nobody/manifests/v1')), ['NAME_UNKNOWN']);
});

requirement('pull-9', async () => {
  const answer = await registry.call('GET', `/v2/team/app/blobs/${blob.digest}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('docker-content-digest'), blob.digest);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), content);
});

requirement('pull-10', async () => {
  const answer = await registry.call('GET', `/v2/team/app/blobs/${NOWHERE}`);
  assert.equal(answer.status, 404);
  assert.deepEqual(await codesOf(answer), ['BLOB_UNKNOWN']);
  assert.equal(
    (await registry.call('GET', `/v2/other/blobs/${blob.digest}`)).status,
    404,
    'a blob of another repository',
  );
});

requirement('pull-11', async () => {
  const size = content.length;
  const ranges: readonly (readonly [string, number, number])[] = [
    ['bytes=0-0', 0, 1],
    ['bytes=100-199', 100, 200],
    [`bytes=${size - 5}-`, size - 5, size],
    ['bytes=-7', size - 7, size],
    [`bytes=10-${size * 2}`, 10, size],
    ['bytes=70000-299999', 70_000, size],
  ];
  for (const [range, from, to] of ranges) {
    const answer = await registry.call('GET', `/v2/team/app/blobs/${blob.digest}`, { headers: { range } });
    assert.equal(answer.status, 206, range);
    assert.equal(answer.headers.get('content-range'), `bytes ${from}-${to - 1}/${size}`);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), content.subarray(from, to), range);
  }
  const beyond = await registry.call('GET', `/v2/team/app/blobs/${blob.digest}`, {
    headers: { range: `bytes=${size}-` },
  });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get('content-range'), `bytes */${size}`);
  const odd = await registry.call('GET', `/v2/team/app/blobs/${blob.digest}`, { headers: { range: 'lines=1-2' } });
  assert.equal(odd.status, 200);
});

requirement('pull-12', async () => {
  for (const path of [`blobs/${blob.digest}`, 'manifests/v1', `manifests/${image.digest}`]) {
    assert.equal((await registry.call('HEAD', `/v2/team/app/${path}`)).status, 200, path);
  }
});

requirement('pull-13', async () => {
  const head = await registry.call('HEAD', `/v2/team/app/blobs/${blob.digest}`);
  assert.equal(head.headers.get('content-length'), String(content.length));
  assert.equal(
    (await registry.call('HEAD', '/v2/team/app/manifests/v1')).headers.get('content-length'),
    String(image.bytes.length),
  );
});

requirement('pull-14', async () => {
  for (const path of [`blobs/${NOWHERE}`, 'manifests/no', `manifests/${NOWHERE}`]) {
    assert.equal((await registry.call('HEAD', `/v2/team/app/${path}`)).status, 404, path);
  }
});
