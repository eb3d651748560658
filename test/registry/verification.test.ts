// Policies must keep unsigned and unsafe images from those who pull, and never from those who are about to sign or scan them.

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PolicyRule } from '../../src/registry/config/types.ts';
import { codesOf, type Image, scratch, sha256, startRegistry, type TestRegistry } from './support/registry.ts';

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';

interface Signer {
  readonly file: string;
  sign(payload: Buffer): string;
}

function signer(folder: string, name: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const file = join(folder, `${name}.pub`);
  writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }));
  return { file, sign: (payload) => sign('sha256', payload, privateKey).toString('base64') };
}

const policy = (more: Partial<PolicyRule>): PolicyRule => ({
  repositories: ['**'],
  keyFiles: [],
  acceptOnlySigned: false,
  serveOnlySigned: false,
  refuseUnscanned: false,
  ...more,
});

/** Attaches a signature as cosign does; `of` is what the payload speaks of. */
async function attach(
  registry: TestRegistry,
  repository: string,
  image: Image,
  by: Signer,
  of = image.digest,
): Promise<void> {
  const body = {
    critical: { identity: {}, image: { 'docker-manifest-digest': of }, type: 'cosign container image signature' },
  };
  const payload = Buffer.from(JSON.stringify(body));
  const layer = await registry.pushBlob(repository, payload, SIMPLE_SIGNING);
  const config = await registry.pushBlob(repository, Buffer.from('{}'), 'application/vnd.oci.image.config.v1+json');
  const layers = [{ ...layer, annotations: { 'dev.cosignproject.cosign/signature': by.sign(payload) } }];
  await registry.pushManifest(repository, `${image.digest.replace(':', '-')}.sig`, {
    schemaVersion: 2,
    config,
    layers,
  });
}

const reader = { anonymous: 'push' as const, realm: 'x', rights: [], admins: [] };

test('a tag is accepted only on what is signed by a configured key', async () => {
  using folder = scratch();
  const good = signer(folder.path, 'good');
  const bad = signer(folder.path, 'bad');
  await using registry = await startRegistry({ policies: [policy({ keyFiles: [good.file], acceptOnlySigned: true })] });
  const image = await registry.pushImage('app');
  const tag = () =>
    registry.call('PUT', '/v2/app/manifests/v1', {
      body: image.bytes,
      headers: { 'content-type': image.descriptor.mediaType },
    });
  const refused = await tag();
  assert.equal(refused.status, 403);
  assert.deepEqual(await codesOf(refused), ['DENIED']);
  await attach(registry, 'app', image, bad);
  assert.equal((await tag()).status, 403, 'another key');
  const other = await registry.pushImage('app');
  await attach(registry, 'app', image, good, other.digest);
  assert.equal((await tag()).status, 403, 'a payload that speaks of another image');
  await attach(registry, 'app', image, good);
  assert.equal((await tag()).status, 201);
});

const OWN_TOKENS = { kind: 'own', service: 'svc', issuer: 'iss', lifetimeSeconds: 300 } as const;

test('who may only pull is not served what is unsigned; an entry of a signed index is', async () => {
  using folder = scratch();
  const key = signer(folder.path, 'key');
  const htpasswd = join(folder.path, 'htpasswd');
  const { htpasswdLine } = await import('../../src/registry/access/index.ts');
  writeFileSync(htpasswd, `${await htpasswdLine('ann', 'secret')}\n`);
  await using registry = await startRegistry({
    access: { ...reader, anonymous: 'pull', htpasswdFile: htpasswd, token: OWN_TOKENS },
    policies: [policy({ keyFiles: [key.file], serveOnlySigned: true })],
  });
  registry.headers = { authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` };
  const image = await registry.pushImage('app', 'v1');
  const child = await registry.pushImage('app');
  const index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [child.descriptor],
    }),
  );
  await registry.pushManifest('app', 'all', index, 'application/vnd.oci.image.index.v1+json');
  const tokenOf = async (headers: Record<string, string>): Promise<Record<string, string>> => {
    const url = `${registry.url}/v2/_gantry/token?service=svc&scope=repository:app:pull`;
    const { token } = (await (await fetch(url, { headers })).json()) as { token: string };
    return { authorization: `Bearer ${token}` };
  };
  const strangers = await tokenOf({});
  const statusFor = async (path: string, isPusher: boolean): Promise<number> => {
    const response = await fetch(`${registry.url}${path}`, { headers: isPusher ? registry.headers : strangers });
    await response.arrayBuffer();
    return response.status;
  };
  assert.equal(await statusFor('/v2/app/manifests/v1', true), 200, 'who signs must fetch');
  assert.equal(await statusFor('/v2/app/manifests/v1', false), 403);
  // As cosign does: a token to pull first, one to push later.
  const headers = await tokenOf(registry.headers);
  assert.equal((await registry.call('GET', '/v2/app/manifests/v1', { headers })).status, 200, 'by token too');
  // As oras does: without credentials until it is asked for them.
  const bare = await fetch(`${registry.url}/v2/app/manifests/v1`);
  assert.equal(bare.status, 401);
  assert.match(bare.headers.get('www-authenticate') ?? '', /^Bearer .*scope="repository:app:pull"/);
  assert.match(await bare.text(), /the policy of app refuses this manifest/);
  await attach(registry, 'app', image, key);
  assert.equal(await statusFor('/v2/app/manifests/v1', false), 200);
  assert.equal(await statusFor(`/v2/app/manifests/${child.digest}`, false), 403);
  await attach(registry, 'app', { ...child, digest: sha256(index) }, key);
  assert.equal(await statusFor(`/v2/app/manifests/${child.digest}`, false), 200);
  assert.equal(await statusFor(`/v2/app/manifests/${image.digest.replace(':', '-')}.sig`, false), 200);
});

test('a scanner that is told to runs after a push, and what it finds is kept and counts', async () => {
  using folder = scratch();
  const script = join(folder.path, 'scan');
  const finding = '{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{"Severity":"HIGH"},{"Severity":"LOW"}]}]}';
  writeFileSync(
    script,
    `#!/bin/sh\ntest -f "$1/index.json" && test -s "$1/blobs/sha256/$(echo "$2" | cut -d: -f2)" && echo '${finding}'\n`,
  );
  chmodSync(script, 0o755);
  const htpasswd = join(folder.path, 'htpasswd');
  const { htpasswdLine } = await import('../../src/registry/access/index.ts');
  writeFileSync(htpasswd, `${await htpasswdLine('ann', 'secret')}\n`);
  await using registry = await startRegistry({
    access: { ...reader, anonymous: 'pull', htpasswdFile: htpasswd },
    scanners: [{ command: [script, '{layout}', '{digest}'], timeoutMs: 20_000, repositories: ['**'], format: 'trivy' }],
    policies: [policy({ refuseSeverity: 'high', refuseUnscanned: true })],
  });
  registry.headers = { authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` };
  const image = await registry.pushImage('app', 'v1');
  let referrers: { artifactType?: string; annotations?: Record<string, string> }[] = [];
  for (let i = 0; referrers.length === 0 && i < 200; i++) {
    const answer = await registry.call('GET', `/v2/app/referrers/${image.digest}`);
    referrers = ((await answer.json()) as { manifests: typeof referrers }).manifests;
    if (referrers.length === 0) await sleep(50);
  }
  assert.equal(
    referrers[0]?.annotations?.['dev.gantry.scan.counts'],
    'low=1,medium=0,high=1,critical=0,unknown=0',
    registry.log.join('\n'),
  );
  const answer = await fetch(`${registry.url}/v2/app/manifests/v1`);
  assert.equal(answer.status, 401, 'who may push is let through, and may be asking');
  assert.match(await answer.text(), /its scan found something high/);
  const status = await registry.call('GET', `/v2/_gantry/repositories/app/verification/${image.digest}`);
  const { report } = (await status.json()) as { report: { counts: { high: number } } };
  assert.equal(report.counts.high, 1);
});

test('a scanner that hangs, floods or fails harms nobody', async () => {
  using folder = scratch();
  const script = join(folder.path, 'scan');
  writeFileSync(script, '#!/bin/sh\nsleep 60\n');
  chmodSync(script, 0o755);
  await using registry = await startRegistry({
    scanners: [{ command: [script], timeoutMs: 100, repositories: ['**'], format: 'grype' }],
  });
  await registry.pushImage('app', 'v1');
  for (let i = 0; i < 200 && !registry.log.some((line) => /it ran over 100 ms/.test(line)); i++) await sleep(25);
  assert.match(registry.log.join('\n'), /scanner .* failed: it ran over 100 ms/);
  assert.equal((await registry.call('GET', '/v2/app/manifests/v1')).status, 200);
});
