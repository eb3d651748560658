// Whoever runs a registry must be able to look into it and clean it from the command line.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
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
  assert.equal((await gantry('rm', '-f', 'other')).out, 'Deleted: other\n');
  assert.equal((await registry.call('GET', '/v2/other/tags/list')).status, 404);
});
