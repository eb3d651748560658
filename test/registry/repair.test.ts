// What the disk loses or damages is noticed, told of, and comes back with the next push; nothing else is touched.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openFakeS3 } from '../../src/registry/storage/s3/fake.ts';
import { run } from '../support/commands.ts';
import { eventually } from '../support/patience.ts';
import { INDEX, MANIFEST, scratch, sha256, startRegistry, type TestRegistry } from './support/registry.ts';

const GANTRY = fileURLToPath(new URL('../../bin/gantry', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../bin/gantry-registry', import.meta.url));
const fileOf = (registry: TestRegistry, digest = ''): string =>
  join(registry.root, 'content/blobs/sha256', digest.slice(7));

interface Fault {
  readonly kind: string;
  readonly digest: string;
  readonly hurts: readonly string[];
  readonly outcome: string;
}

/** Checks over the API: the faults, and the report. */
async function check(registry: TestRegistry, query = ''): Promise<{ faults: Fault[]; report: Record<string, number> }> {
  const answer = await registry.call('POST', `/v2/_gantry/check${query}`);
  assert.equal(answer.status, 200);
  const lines = (await answer.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { fault?: Fault; report?: Record<string, number> });
  const { report = {} } = lines.at(-1) ?? {};
  return { faults: lines.flatMap(({ fault }) => fault ?? []), report };
}

const kinds = (faults: readonly Fault[]): string[] =>
  faults.map(({ kind, digest, outcome }) => `${kind} ${digest} ${outcome}`).sort();

test('a blob or manifest whose file was lost, cut or lengthened is asked for again by pushers, and healed by them', async () => {
  await using registry = await startRegistry();
  const image = await registry.pushImage('app', 'v1', { layers: 3 });
  await registry.call('POST', `/v2/other/blobs/uploads/?mount=${image.config.digest}&from=app`);
  const [lost, cut, longer] = image.layers.map(({ digest }) => digest);
  rmSync(fileOf(registry, lost));
  truncateSync(fileOf(registry, cut), 10);
  appendFileSync(fileOf(registry, longer), 'x');
  const head = async (path: string): Promise<number> => (await registry.call('HEAD', path)).status;
  for (const digest of [lost, cut, longer]) {
    assert.equal(await head(`/v2/app/blobs/${digest}`), 404);
    assert.equal(
      (await registry.call('POST', `/v2/other/blobs/uploads/?mount=${digest}&from=app`)).status,
      202,
      'nor mounted',
    );
  }
  assert.equal(await head(`/v2/app/blobs/${image.config.digest}`), 200);
  rmSync(fileOf(registry, image.digest));
  await registry.stop();
  await registry.start();
  assert.equal(await head('/v2/app/manifests/v1'), 404);
  assert.equal((await registry.call('GET', '/v2/app/manifests/v1')).status, 404);
  await registry.pushManifest('app', image.digest, image.bytes);
  assert.equal(await head('/v2/app/manifests/v1'), 200, 'the tag led to it all the while');
});

test('pushing the same layer again puts the lost file back', async () => {
  await using registry = await startRegistry();
  const bytes = Buffer.alloc(5000, 7);
  const { digest } = await registry.pushBlob('app', bytes);
  rmSync(fileOf(registry, digest));
  assert.equal((await registry.call('HEAD', `/v2/app/blobs/${digest}`)).status, 404);
  await registry.pushBlob('app', bytes);
  const got = await registry.call('GET', `/v2/app/blobs/${digest}`);
  assert.equal(sha256(Buffer.from(await got.arrayBuffer())), digest);
  assert.deepEqual((await check(registry)).faults, []);
});

test('a check finds every kind of fault and names who is hurt; a repair mends what can be and touches nothing else', async () => {
  await using registry = await startRegistry();
  const image = await registry.pushImage('team/app', 'v1', { layers: 3 });
  await registry.pushManifest(
    'team/app',
    'all',
    { schemaVersion: 2, mediaType: INDEX, manifests: [image.descriptor] },
    INDEX,
  );
  const fine = await registry.pushImage('fine', 'v1');
  const [lost = '', damaged = '', unlinked = ''] = image.layers.map(({ digest }) => digest);
  await registry.stop();
  rmSync(fileOf(registry, lost));
  writeFileSync(fileOf(registry, damaged), Buffer.alloc(1000, 1));
  const db = new DatabaseSync(join(registry.root, 'registry.db'));
  db.exec(`DELETE FROM blob_links WHERE blob = (SELECT id FROM blobs WHERE digest = '${unlinked}')`);
  db.exec(`UPDATE blobs SET size = 1 WHERE digest = '${fine.config.digest}'`);
  db.close();
  await registry.start();
  await registry.open.repositories.collectGarbage(new AbortController().signal);
  const stray = Buffer.from('stray');
  writeFileSync(fileOf(registry, sha256(stray)), stray);
  const expected = (repaired: boolean): string[] =>
    [
      `missing ${lost} found`,
      `damaged ${damaged} ${repaired ? 'removed' : 'found'}`,
      `size ${fine.config.digest} ${repaired ? 'repaired' : 'found'}`,
      `stray ${sha256(stray)} ${repaired ? 'repaired' : 'found'}`,
      `unlinked ${unlinked} ${repaired ? 'repaired' : 'found'}`,
    ].sort();
  const found = await check(registry);
  assert.deepEqual(kinds(found.faults), expected(false));
  assert.deepEqual([found.report.faults, found.report.mended], [5, 0]);
  for (const { kind, hurts } of found.faults)
    if (kind === 'missing' || kind === 'damaged') assert.deepEqual(hurts, ['team/app:v1']);
  assert.ok(existsSync(fileOf(registry, damaged)), 'a check changes nothing');
  assert.match(await (await registry.call('GET', '/metrics')).text(), /^gantry_registry_content_faults 5$/m);
  const kept = (await (await registry.call('GET', '/v2/_gantry/check')).json()) as { faults: unknown[] };
  assert.equal(kept.faults.length, 5);
  assert.deepEqual(kinds((await check(registry, '?repair=true')).faults), expected(true));
  assert.deepEqual(kinds((await check(registry)).faults), [`missing ${damaged} found`, `missing ${lost} found`].sort());
  assert.equal((await registry.call('GET', `/v2/team/app/blobs/${unlinked}`)).status, 200);
  assert.equal((await registry.call('HEAD', `/v2/fine/blobs/${fine.config.digest}`)).status, 200);
  assert.equal((await registry.call('GET', '/v2/fine/manifests/v1')).status, 200);
});

test('what is nowhere is told of, but for mirrors and layers that lie elsewhere by agreement', async () => {
  await using origin = await startRegistry();
  await origin.pushImage('app', 'v1');
  await using registry = await startRegistry({
    proxies: [
      { prefix: 'hub', url: origin.url, freshMs: 0, expiryMs: 0, isInsecure: true, stale: 'down', namespaces: [] },
    ],
  });
  assert.equal((await registry.call('GET', '/v2/hub/app/manifests/v1')).status, 200);
  const config = await registry.pushBlob('app', Buffer.from('{}'), 'application/vnd.oci.image.config.v1+json');
  const foreign = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    digest: sha256(Buffer.from('elsewhere')),
    size: 9,
    urls: ['https://x.example/'],
  };
  await registry.pushManifest('app', 'v1', { schemaVersion: 2, mediaType: MANIFEST, config, layers: [foreign] });
  assert.deepEqual((await check(registry)).faults, []);
  const child = await registry.pushImage('app');
  await registry.pushManifest(
    'app',
    'all',
    { schemaVersion: 2, mediaType: INDEX, manifests: [child.descriptor] },
    INDEX,
  );
  await registry.call('DELETE', `/v2/app/manifests/${child.digest}?force=true`);
  const { faults } = await check(registry);
  assert.deepEqual(
    faults.map(({ kind, digest }) => [kind, digest]),
    [['incomplete', child.digest]],
  );
});

test('the command says what is wrong and how it ends; without a server too', async () => {
  using home = scratch('home');
  await using registry = await startRegistry();
  const image = await registry.pushImage('app', 'v1');
  const gantry = (...args: readonly string[]) =>
    run(GANTRY, ['registry', 'check', ...args], { env: { HOME: home.path, GANTRY_REGISTRY: registry.address } });
  const clean = await gantry();
  assert.deepEqual(
    [clean.code, /^Checked 3 blobs of [\d.]+kB: 0 faults, 0 mended\n$/.test(clean.stdout)],
    [0, true],
    clean.stdout,
  );
  const layer = image.layers[0]?.digest ?? '';
  writeFileSync(fileOf(registry, layer), 'other bytes');
  const broken = await gantry();
  assert.equal(broken.code, 1);
  assert.match(
    broken.stdout,
    new RegExp(`^damaged ${layer}: it has 11 bytes of 1000, and the digest sha256:\\w+ \\(app:v1\\)\n`),
  );
  const repaired = await gantry('--repair');
  assert.equal(repaired.code, 0);
  assert.match(repaired.stdout, /: removed\nChecked 3 blobs of [\d.]+kB: 1 faults, 1 mended\n$/);
  assert.match(repaired.stderr, /comes back when it is pushed again/);
  await registry.stop();
  const offline = (...args: readonly string[]) =>
    spawnSync(PROGRAM, ['check', '--root', registry.root, ...args], { encoding: 'utf8' });
  const first = offline();
  assert.equal(first.status, 1);
  assert.match(
    first.stdout,
    new RegExp(`^missing ${layer}: .*\\(app:v1\\)\n3 blobs \\(\\d+ bytes\\) checked, 1 faults, 0 mended\n$`),
  );
  await registry.start();
});

test('the background reads everything in its time, goes on where it was cut short, and changes nothing', async () => {
  await using registry = await startRegistry({ checkEveryMs: 60_000 });
  const image = await registry.pushImage('app', 'v1');
  await registry.stop();
  writeFileSync(fileOf(registry, image.layers[0]?.digest), 'other');
  // The background looks first ten minutes after a start: here it is told to look at once.
  const { openStoreForTest, createRepair } = await parts();
  const log: string[] = [];
  await using store = await openStoreForTest(registry.root);
  await using repair = createRepair({
    repositories: store.repositories,
    database: store.database,
    log: (level, message) => log.push(`${level} ${message}`),
    checkEveryMs: 60_000,
    checkBytesPerSecond: 1 << 30,
    isMirror: () => false,
    lookMs: 5,
  });
  repair.start();
  await eventually('the fault is found', () => repair.faults() === 1);
  assert.match(log.join('\n'), /error damaged content sha256:/);
  assert.ok(existsSync(fileOf(registry, image.layers[0]?.digest)));
});

async function parts() {
  const [{ openStore }, { createRepair }, { configFor }] = await Promise.all([
    import('../../src/registry/open-store.ts'),
    import('../../src/registry/repair/index.ts'),
    import('./support/registry.ts'),
  ]);
  return { createRepair, openStoreForTest: (root: string) => openStore(configFor(root), () => {}) };
}

test('a store in a bucket is checked as well', async () => {
  await using fake = await openFakeS3();
  await using registry = await startRegistry({ storage: fake.config });
  await registry.pushImage('app', 'v1');
  assert.deepEqual((await check(registry)).report, {
    blobs: 3,
    bytes: (await check(registry)).report.bytes,
    faults: 0,
    mended: 0,
  });
  fake.fail = () => true;
  const answer = await registry.call('POST', '/v2/_gantry/check');
  assert.match(await answer.text(), /"error":"the object store failed/);
  fake.fail = () => false;
});
