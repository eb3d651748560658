// Credentials help whoever has the right ones, hurt nobody who has others, and lose nobody theirs.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { htpasswdLine } from '../../src/registry/access/index.ts';
import { ORAS, programOf } from '../fixtures/debian-program.ts';
import { must, run, type Said } from '../support/commands.ts';
import { MANIFEST, scratch, startRegistry, type TestRegistry } from './support/registry.ts';

const GANTRY = fileURLToPath(new URL('../../bin/gantry', import.meta.url));
const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

// What these send after `docker login` elsewhere: crane, ko and flux (go-containerregistry) ask /v2/ without, then send what they have
// with every request; kaniko checks push rights first by an upload that it cancels.
for (const [who, authorization] of [
  ['the Basic header of crane, ko and flux', basic('ann', 'secret-of-elsewhere')],
  ['the Basic header of kaniko with an empty user', basic('', 'x')],
  ['a Bearer token of another registry', `Bearer ${randomBytes(40).toString('base64url')}`],
  ['an identity token as Basic', basic('<token>', randomBytes(30).toString('hex'))],
  ['a header of no known scheme', 'Negotiate abc'],
] as const) {
  test(`an open registry takes pushes and pulls with ${who}, however many`, async () => {
    await using registry = await startRegistry();
    assert.equal((await registry.call('GET', '/v2/')).status, 200);
    registry.headers = { authorization };
    for (let i = 0; i < 12; i++) {
      assert.equal((await registry.call('GET', '/v2/')).status, 200);
      const probe = await registry.call('POST', '/v2/app/blobs/uploads/');
      assert.equal(probe.status, 202);
      assert.equal((await registry.call('DELETE', probe.headers.get('location') ?? '')).status, 204);
    }
    const image = await registry.pushImage('app', 'v1');
    const pulled = await registry.call('GET', '/v2/app/manifests/v1', { headers: { accept: MANIFEST } });
    assert.equal(pulled.status, 200);
    assert.equal((await registry.call('GET', `/v2/app/blobs/${image.config.digest}`)).status, 200);
  });
}

test('a real client that is logged in pushes to an open registry and pulls from it', async (t) => {
  const oras = await programOf(ORAS);
  if (oras === undefined) return t.skip('no oras here');
  using folder = scratch();
  await using registry = await startRegistry();
  const cwd = folder.path;
  const config = ['--registry-config', join(cwd, 'config.json'), '--plain-http'];
  writeFileSync(join(cwd, 'a.txt'), 'a');
  await must(oras, ['login', '-u', 'ann', '-p', 'anything', ...config, registry.address], { cwd });
  for (let i = 0; i < 3; i++) {
    await must(oras, ['push', ...config, `${registry.address}/a:v${i}`, 'a.txt:text/plain'], { cwd });
    await must(oras, ['pull', ...config, '-o', join(cwd, 'got'), `${registry.address}/a:v${i}`], { cwd });
  }
});

/** A registry with accounts beside anonymous pull, as Docker needs tokens for. */
async function withTokens(folder: string): Promise<TestRegistry> {
  const htpasswdFile = join(folder, 'htpasswd');
  writeFileSync(
    htpasswdFile,
    `# ours\n${await htpasswdLine('ann', 'secret')}\nold:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n`,
  );
  const token = { kind: 'own', service: 'svc', issuer: 'iss', lifetimeSeconds: 300 } as const;
  return startRegistry({ access: { anonymous: 'pull', realm: 'x', htpasswdFile, token, admins: ['ann'], rights: [] } });
}

/** What `login` keeps: a refresh token in the place of the password. */
async function loggedIn(registry: TestRegistry, home: string, user: string, password: string): Promise<void> {
  const query = new URLSearchParams({ service: 'svc', offline_token: 'true', client_id: 'docker', account: user });
  const answer = await registry.call('GET', `/v2/_gantry/token?${query}`, {
    headers: { authorization: basic(user, password) },
  });
  const { refresh_token: identitytoken } = (await answer.json()) as { refresh_token: string };
  mkdirSync(join(home, '.docker'), { recursive: true });
  const auth = Buffer.from(`${user}:`).toString('base64');
  writeFileSync(
    join(home, '.docker', 'config.json'),
    JSON.stringify({ auths: { [registry.address]: { auth, identitytoken } } }),
  );
}

test('who logged in with accounts and anonymous access beside each other administers by the token that login kept', async () => {
  using folder = scratch();
  await using registry = await withTokens(folder.path);
  const gantry = (args: readonly string[], input?: string): Promise<Said> =>
    run(GANTRY, ['registry', ...args], {
      env: { HOME: folder.path, DOCKER_CONFIG: join(folder.path, '.docker'), GANTRY_REGISTRY: registry.address },
      ...(input === undefined ? {} : { input }),
    });
  const refused = await gantry(['users']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /unauthorized: authentication required\nHint: log in first: gantry login/);
  await loggedIn(registry, folder.path, 'ann', 'secret');
  assert.equal((await gantry(['users'])).stdout, 'ann\n');
  const before = readFileSync(join(folder.path, 'htpasswd'), 'utf8');
  assert.equal((await gantry(['users', '--add', 'bob'], 'bobs')).code, 0);
  assert.ok(readFileSync(join(folder.path, 'htpasswd'), 'utf8').startsWith(before), 'comments and other hashes stay');
  assert.equal((await gantry(['gc'])).code, 0);
  assert.equal((await gantry(['users', '--rm', 'bob'])).code, 0);
  assert.equal(readFileSync(join(folder.path, 'htpasswd'), 'utf8'), before);
  await gantry(['users', '--add', 'bob'], 'bobs');
  await loggedIn(registry, folder.path, 'bob', 'bobs');
  assert.match((await gantry(['users'])).stderr, /denied|unauthorized/);
});

test('one stale client behind a proxy does not keep the others from logging in', async () => {
  using folder = scratch();
  await using registry = await withTokens(folder.path);
  const status = async (user: string, password: string): Promise<number> =>
    (await registry.call('GET', '/v2/', { headers: { authorization: basic(user, password) } })).status;
  for (let i = 0; i < 40; i++) assert.equal(await status('ann', 'of last year'), 401);
  for (let i = 0; i < 8; i++)
    assert.equal(await status('eve', `guess${i}`).then((code) => (code === 429 ? 401 : code)), 401);
  for (let i = 0; i < 40; i++) assert.equal(await status('ann', 'secret'), 200);
});
