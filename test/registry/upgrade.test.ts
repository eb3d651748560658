// A root that an earlier version left serves what it served, and what was promised then is kept now.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { WebhookConfig } from '../../src/registry/config/types.ts';
import { must } from '../support/commands.ts';
import { eventually } from '../support/patience.ts';
import { scratch, sha256, startRegistry } from './support/registry.ts';

/**
 * The root of a registry of November 2026, whose queues had tables of their own: team/app with tags v1 (moved once), latest and all (an
 * index), an SBOM, web:old deleted; 15 events for webhook ci, 11 dead letters of webhook gone, 5 copies for replication second, two scans
 * that wait and one that failed for good; a robot.
 */
const ROOT = fileURLToPath(new URL('./fixtures/root-0.1.tar.gz', import.meta.url));
const FIRST = 'sha256:e0650cfba85cc67f8431c22058711b760ac3968f0029092b1deb419babac2343';
const SECOND = 'sha256:6375d4487acae1cf5d2cfaa84329797d91d7f66d015347e145fc4c2e1844f421';
const SBOM = 'sha256:6c63276e528cde9df43554ac5b03477471d1564ba261304ffff538cf7e099c61';

test('images, history, search, robots and every queue of an earlier version go on', async () => {
  using folder = scratch('upgrade');
  await must('tar', ['-xzf', ROOT, '-C', folder.path]);
  const db = new DatabaseSync(join(folder.path, 'registry.db'));
  db.exec('UPDATE notifications_outbox SET due_ms = 0; UPDATE replication_jobs SET due_ms = 0;');
  db.close();
  const heard: { action: string; target: { repository: string; tag?: string } }[] = [];
  await using receiver = createServer((request, response) => {
    let text = '';
    request.on('data', (piece) => {
      text += String(piece);
    });
    request.on('end', () => {
      heard.push(...(JSON.parse(text) as { events: typeof heard }).events);
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const hook = (name: string): WebhookConfig => ({
    name,
    url,
    format: 'distribution',
    headers: {},
    actions: ['mount'],
    repositories: ['**'],
    timeoutMs: 5000,
    maxAttempts: 3,
    backoffMs: 10,
  });
  await using there = await startRegistry();
  await using registry = await startRegistry({
    root: folder.path,
    webhooks: [hook('ci'), hook('gone')],
    replications: [{ name: 'second', url: there.url, repositories: ['**'], isInsecure: true, prefix: '' }],
    scanners: [{ command: ['/bin/false'], timeoutMs: 1000, repositories: ['team/**'], format: 'trivy' }],
  });
  const get = async <T>(path: string): Promise<T> => (await (await registry.call('GET', path)).json()) as T;
  for (const [reference, digest] of [
    ['v1', SECOND],
    ['latest', SECOND],
    [FIRST, FIRST],
  ]) {
    const answer = await registry.call('GET', `/v2/team/app/manifests/${reference}`);
    assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), digest);
  }
  const { history } = await get<{ history: { digest: string }[] }>('/v2/_gantry/repositories/team/app/history/v1');
  assert.deepEqual(
    history.map(({ digest }) => digest),
    [SECOND, FIRST],
  );
  const { manifests } = await get<{ manifests: { digest: string }[] }>(`/v2/team/app/referrers/${SECOND}`);
  assert.deepEqual(
    manifests.map(({ digest }) => digest),
    [SBOM],
  );
  assert.equal((await get<{ results: unknown[] }>('/v2/_gantry/search?q=team')).results.length, 3);
  assert.equal((await get<{ robots: unknown[] }>('/v2/_gantry/robots')).robots.length, 1);

  await eventually('what waited is delivered', () => heard.length === 15);
  const tags = heard.flatMap(({ target }) => (target.repository === 'team/app' && target.tag ? [target.tag] : []));
  assert.deepEqual(tags, ['v1', 'v1', 'latest', 'all'], 'in its order');
  const { dead } = await get<{ dead: { id: number; attempts: number }[] }>('/v2/_gantry/webhooks/gone/dead');
  assert.deepEqual([dead.length, dead[0]?.attempts], [11, 1]);
  await registry.call('POST', `/v2/_gantry/webhooks/gone/dead/${dead[0]?.id}/retry`);
  await eventually('a dead letter lives again', () => heard.length === 16);

  const has = async (reference: string): Promise<boolean> =>
    (await there.call('HEAD', `/v2/team/app/manifests/${reference}`)).status === 200;
  await eventually(
    'what was to be copied is there',
    async () => (await has('v1')) && (await has('all')) && (await has(SBOM)),
  );
  await eventually('nothing is left to copy', async () => {
    const { replications } = await get<{ replications: { pending: number }[] }>('/v2/_gantry/replications');
    return replications[0]?.pending === 0;
  });

  const scan = async (digest: string): Promise<unknown> =>
    (await get<{ scan?: unknown }>(`/v2/_gantry/repositories/team/app/verification/${digest}`)).scan;
  assert.deepEqual(await scan(FIRST), { state: 'failed', attempts: 5 });
  assert.equal(((await scan(SECOND)) as { state: string }).state, 'waiting');
  await registry.pushImage('team/app', 'v2');
  await registry.call('DELETE', `/v2/team/app/manifests/${FIRST}`);
  assert.equal(await scan(SECOND).then((found) => found !== undefined), true);
});
