// Whoever runs a registry must be able to look into it and clean it from the command line.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, type Said } from '../support/commands.ts';
import { certificate } from './support/certificate.ts';
import { scratch, startRegistry } from './support/registry.ts';

const GANTRY = fileURLToPath(new URL('../../bin/gantry', import.meta.url));

test('repositories, tags, history, search, retention and removal', async () => {
  using home = scratch('home');
  await using registry = await startRegistry({
    retention: [{ repositories: ['**'], tags: ['**'], keepMatching: [], keepNewest: 1 }],
    immutableTags: ['team/app:locked'],
  });
  const gantry = async (...args: readonly string[]): Promise<{ code: number | null; out: string }> => {
    const child = spawn(GANTRY, ['registry', ...args], {
      env: { ...process.env, HOME: home.path, GANTRY_REGISTRY: registry.address },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('close', resolve)),
    ]);
    return { code, out: out + err };
  };
  const first = await registry.pushImage('team/app', 'v1', { labels: { team: 'blue' } });
  const second = await registry.pushImage('team/app', 'v1');
  await registry.pushImage('team/app', 'v2');
  await registry.pushImage('team/app', 'locked');
  assert.match((await gantry('ls')).out, /NAME +TAGS +NEWEST TAG +UPDATED AT\nteam\/app +3 +locked/);
  assert.match(
    (await gantry('tags', 'team/app', '--format', '{{.Tag}} {{.Platforms}}')).out,
    /^locked linux\/amd64\nv1 linux\/amd64\nv2 linux\/amd64\n$/,
  );
  const history = await gantry('history', 'team/app:v1', '--format', '{{.Digest}}');
  assert.equal(history.out, `${second.digest}\n${first.digest}\n`);
  assert.equal((await gantry('search', 'team', 'tag:v2', '--format', '{{.Name}}')).out, 'team/app:v2\n');
  const inspected = JSON.parse((await gantry('inspect', 'team/app:v2')).out) as {
    tags: string[];
    signature: { state: string };
  };
  assert.deepEqual([inspected.tags, inspected.signature.state], [['v2'], 'none']);
  assert.match(
    (await gantry('retention', '--format', '{{.Tag}} {{.Why}}')).out,
    /^v1 no rule keeps it\nv2 no rule keeps it\n/,
  );
  assert.equal((await registry.call('HEAD', '/v2/team/app/manifests/v2')).status, 200, 'a preview removes nothing');
  assert.match((await gantry('rm', 'team/app:locked')).out, /the tag locked is immutable/);
  assert.equal((await gantry('retention', '--apply', '-f')).code, 0);
  assert.equal((await registry.call('HEAD', '/v2/team/app/manifests/v2')).status, 404);
  assert.match((await gantry('gc')).out, /^Removed \d+ blobs/);
  const gone = await gantry('tags', 'nobody');
  assert.deepEqual([gone.code, gone.out], [1, 'Error: name unknown: repository name not known to registry\n']);
  const other = await registry.pushImage('other', 'v1');
  const bare = await registry.pushImage('other');
  assert.equal(
    (await gantry('rm', 'other:v1', `other@${bare.digest}`)).out,
    `Untagged: other:v1\nDeleted: other@${other.digest}\nDeleted: other@${bare.digest}\n`,
  );
  const whole = await gantry('rm', '-f', 'other');
  assert.deepEqual([whole.code, whole.out.split('\n')[0]], [1, 'Error: other is a whole repository']);
  assert.match(whole.out, /--all/);
  const declined = await gantry('rm', '--all', 'other');
  assert.equal(declined.code, 1);
  assert.match(declined.out, /other was not removed/);
  assert.equal((await registry.call('GET', '/v2/other/tags/list')).status, 200);
  assert.equal((await gantry('retention', '--apply')).code, 1);
  assert.equal((await gantry('rm', '-f', '--all', 'other')).out, 'Deleted: other\n');
  assert.equal((await registry.call('GET', '/v2/other/tags/list')).status, 404);
});

/** An address of this machine that is not loopback's, on which Docker verifies nothing. */
const ADDRESS = Object.values(networkInterfaces())
  .flatMap((entries) => entries ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

test("HTTPS by an authority of one's own: by flag, by certs.d, or unverified as Docker means insecure", async (t) => {
  if (ADDRESS === undefined) return t.skip('this machine has no address but loopback');
  using home = scratch('home');
  const { cert, key } = await certificate(home.path, 'own', ADDRESS);
  const tls = { certificateFile: cert, keyFile: key, clientCaFiles: [], minVersion: 'TLSv1.2' } as const;
  await using secure = await startRegistry({ tls, host: ADDRESS });
  await using plain = await startRegistry({ host: ADDRESS });
  await using local = await startRegistry({ tls });
  const ls = (registry: string, ...args: readonly string[]): Promise<Said> =>
    run(GANTRY, ['registry', 'ls', '--registry', registry, ...args], { env: { HOME: home.path, XDG_CONFIG_HOME: '' } });
  assert.equal((await ls(local.address)).code, 0, 'on loopback Docker verifies nothing');
  const refused = await ls(secure.address);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /x509: certificate signed by unknown authority\nHint: --ca FILE/);
  assert.equal((await ls(secure.address, '--insecure')).code, 0);
  assert.equal((await ls(plain.address, '--insecure')).code, 0);
  assert.match((await ls(plain.address)).stderr, /Hint: a registry that speaks plain HTTP takes --insecure/);
  assert.equal((await ls(`http://${plain.address}`)).code, 0);
  assert.equal((await ls(`https://${secure.address}`, '--ca', cert)).code, 0, 'by flag');
  const folder = join(home.path, '.config/docker/certs.d', secure.address);
  mkdirSync(folder, { recursive: true });
  copyFileSync(cert, join(folder, 'ca.crt'));
  assert.equal((await ls(secure.address)).code, 0, 'by certs.d');
  assert.match((await ls(secure.address, '--ca', '/nowhere')).stderr, /cannot read the certificate/);
});
