// What a docker-registry holds must come over whole, what is damaged there must be told of, and the rest come all the same.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busybox } from '../fixtures/busybox.ts';
import { startRegistry as startDockerRegistry } from '../support/registry.ts';
import { INDEX, scratch, sha256, startRegistry } from './support/registry.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/gantry-registry', import.meta.url));
const importFrom = (from: string, root: string) =>
  spawnSync(PROGRAM, ['import', '--from', from, '--root', root], { encoding: 'utf8' });

test("a docker-registry's images are taken over by a command, twice without harm", async () => {
  using folder = scratch('import');
  await using peer = await startDockerRegistry();
  const { layout } = await busybox();
  const digest = await peer.push(layout, 'team/busybox', '1');
  await peer.push(layout, 'team/busybox', 'latest');
  const refused = spawnSync(PROGRAM, ['serve', '--addr', '127.0.0.1:0', '--root', peer.storage], { encoding: 'utf8' });
  assert.match(
    refused.stderr,
    /holds the data of a docker-registry; take it over into another folder: gantry-registry import/,
  );
  const root = join(folder.path, 'root');
  const first = importFrom(peer.storage, root);
  assert.match(first.stdout, /^team\/busybox\n1 repositories, 1 manifests, 2 tags, \d+ blobs/, first.stderr);
  assert.match(importFrom(peer.storage, root).stdout, /1 repositories, 0 manifests, 0 tags, 0 blobs/);
  await using registry = await startRegistry({ root });
  for (const tag of ['1', 'latest']) {
    const answer = await registry.call('GET', `/v2/team/busybox/manifests/${tag}`);
    assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), digest);
  }
});

/** Pushes a blob as any client does. */
async function pushTo(base: string, repository: string, bytes: Buffer, mediaType: string) {
  const begun = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const where = new URL(begun.headers.get('location') ?? '', base);
  where.searchParams.set('digest', sha256(bytes));
  const put = await fetch(where, {
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { 'content-type': 'application/octet-stream' },
  });
  assert.equal(put.status, 201);
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

test("BuildKit's registry cache, whose index lists blobs, comes over with its tag", async () => {
  using folder = scratch('import');
  await using peer = await startDockerRegistry();
  const base = `http://${peer.address}`;
  const layer = await pushTo(base, 'app', Buffer.from('layer'), 'application/vnd.oci.image.layer.v1.tar+gzip');
  const config = await pushTo(base, 'app', Buffer.from('{}'), 'application/vnd.buildkit.cacheconfig.v0');
  const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [layer, config] });
  const put = await fetch(`${base}/v2/app/manifests/cache`, {
    method: 'PUT',
    body,
    headers: { 'content-type': INDEX },
  });
  assert.equal(put.status, 201);
  const root = join(folder.path, 'root');
  const { stdout, status } = importFrom(peer.storage, root);
  assert.equal(status, 0, stdout);
  await using registry = await startRegistry({ root });
  const answer = await registry.call('GET', '/v2/app/manifests/cache');
  assert.equal(await answer.text(), body);
  for (const { digest } of [layer, config])
    assert.equal((await registry.call('GET', `/v2/app/blobs/${digest}`)).status, 200);
});

test('damage, lies and symlinks in the folder are skipped by name', async () => {
  using folder = scratch('import');
  const base = join(folder.path, 'from/docker/registry/v2');
  const blob = (bytes: Buffer, digest = sha256(bytes)): string => {
    const hex = digest.slice(7);
    mkdirSync(join(base, 'blobs/sha256', hex.slice(0, 2), hex), { recursive: true });
    writeFileSync(join(base, 'blobs/sha256', hex.slice(0, 2), hex, 'data'), bytes);
    return digest;
  };
  const link = (path: string, text: string): void => {
    mkdirSync(join(base, 'repositories', path), { recursive: true });
    writeFileSync(join(base, 'repositories', path, 'link'), text);
  };
  const config = Buffer.from('{}');
  const good = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'x/y', digest: blob(config), size: 2 },
      layers: [],
    }),
  );
  const old = Buffer.from('{"schemaVersion":1,"name":"a"}');
  const flipped = blob(Buffer.from('other bytes'), sha256(Buffer.from('these bytes')));
  for (const digest of [sha256(config), flipped]) link(`app/_layers/sha256/${digest.slice(7)}`, digest);
  for (const digest of [blob(good), blob(old)]) link(`app/_manifests/revisions/sha256/${digest.slice(7)}`, digest);
  link('app/_manifests/tags/v1/current', sha256(good));
  link('app/_manifests/tags/odd/current', '../../../../etc/passwd');
  symlinkSync('/etc', join(base, 'repositories/app/_manifests/tags/evil'));
  mkdirSync(join(base, 'repositories/BAD/_manifests'), { recursive: true });
  const root = join(folder.path, 'root');
  const { stdout, status } = importFrom(join(folder.path, 'from'), root);
  assert.equal(status, 1);
  assert.match(stdout, new RegExp(`skipped app@${flipped}: provided digest`));
  assert.match(stdout, /skipped app@sha256:[0-9a-f]{64}: manifest invalid: Docker image manifest version 2, schema 1/);
  assert.match(stdout, /1 repositories, 1 manifests, 1 tags, 1 blobs/);
  assert.ok(readdirSync(join(root, 'uploads')).length === 0);
  assert.match(importFrom('/nowhere', root).stderr, /holds no docker-registry/);
});
