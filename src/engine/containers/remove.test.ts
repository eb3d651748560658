import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bench, openBench } from './testing/bench.ts';

const PLAIN = { force: false, volumes: false, link: false };
const FORCE = { ...PLAIN, force: true };
const forever = new AbortController().signal;
const VOLUMES = { Volumes: { '/own': {} }, HostConfig: { Binds: ['named:/named'] } };

const volumeNames = (bench: Bench): readonly string[] => bench.volumes.list(new Map()).map(({ name }) => name);

test('a removal takes the record, the name, the folder and the shim’s rests, and tells of it', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const folder = join(bench.dir, 'containers', id);
  assert.ok(existsSync(folder));
  const gone = bench.face.wait(id, 'removed', () => undefined, forever);
  await bench.face.remove('web', PLAIN);
  assert.deepEqual(await gone, { exitCode: 0 });
  await assert.rejects(async () => bench.face.view('web'), { message: 'No such container: web' });
  assert.deepEqual(bench.actionsOf(id), ['create', 'destroy']);
  assert.deepEqual(bench.removed, ['web'], 'its image may be waiting for it');
  await bench.until('folder', () => !existsSync(folder) && !existsSync(`${folder}.removed`));
  assert.ok(bench.steps.includes('sweep'));
  await bench.create('web');
});

test('a container that runs is removed by force only, after its end', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const refused = (why: string) => ({ kind: 'conflict', message: `cannot remove container "web": ${why}` });
  const running = 'container is running: stop the container before removing or force remove';
  await assert.rejects(bench.face.remove(id, PLAIN), refused(running));
  await bench.face.pause(id);
  await assert.rejects(bench.face.remove(id, PLAIN), refused('container is paused and must be unpaused first'));
  await bench.face.remove(id, FORCE);
  assert.deepEqual(bench.actionsOf(id).slice(3), ['kill', 'unpause', 'die', 'destroy']);
  assert.equal(bench.records.byId(id), undefined);
});

test('a removal by force beats a restart policy', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: { RestartPolicy: { Name: 'always' } } });
  await bench.exit(id, 1);
  await bench.face.remove(id, FORCE);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(bench.records.byId(id), undefined);
  assert.equal(bench.steps.filter((step) => step === 'start').length, 1);
});

test('a container that somebody starts as often as it is ended is given up on, not chased for ever', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  let starts = 0;
  const update = bench.records.update.bind(bench.records);
  t.mock.method(bench.records, 'update', (...[which, change]: Parameters<typeof update>) => {
    const done = update(which, change);
    if (change.state?.phase === 'exited' && starts++ < 20) void bench.face.start(id).catch(() => undefined);
    return done;
  });
  await assert.rejects(bench.face.remove(id, FORCE), { code: 'CONTAINER_STILL_RUNNING' });
});

test('--volumes takes the anonymous volumes along, and no other; without it all stay', async (t) => {
  const bench = openBench(t);
  await bench.create('one', VOLUMES);
  const id = await bench.create('two', VOLUMES);
  assert.equal(volumeNames(bench).length, 3);
  const [own] = bench.records.find(id).mounts.filter(({ anonymous }) => anonymous);
  await bench.face.remove('two', { ...PLAIN, volumes: true });
  assert.equal(volumeNames(bench).length, 2);
  assert.ok(!volumeNames(bench).includes(own?.name ?? ''));
  await bench.face.remove('one', PLAIN);
  assert.equal(volumeNames(bench).length, 2);
  await bench.volumes.sweep(() => false);
  assert.equal(volumeNames(bench).length, 2, 'a volume that its container left is nobody’s to sweep');
});

test('an anonymous volume that could not be removed with its container is the next daemon’s to remove', async (t) => {
  const bench = openBench(t);
  await bench.create('web', VOLUMES);
  const broken = t.mock.method(bench.volumes, 'remove', () => Promise.reject(new Error('input/output error')));
  await bench.face.remove('web', { ...PLAIN, volumes: true });
  broken.mock.restore();
  assert.equal(volumeNames(bench).length, 2);
  await bench.volumes.sweep((owner) => bench.records.byId(owner) !== undefined);
  assert.deepEqual(volumeNames(bench), ['named']);
});

test('a volume that another container has by --volumes-from outlives its first owner', async (t) => {
  const bench = openBench(t);
  await bench.create('one', { Volumes: { '/own': {} } });
  const id = await bench.create('two', { HostConfig: { VolumesFrom: ['one:ro'] } });
  const [mount] = bench.records.find(id).mounts;
  assert.equal(mount?.writable, false);
  await bench.face.remove('one', { ...PLAIN, volumes: true });
  assert.ok(volumeNames(bench).includes(mount?.name ?? ''));
});

test('a link cannot be removed, as there are none', async (t) => {
  const bench = openBench(t);
  await bench.create('web');
  await assert.rejects(bench.face.remove('web', { ...PLAIN, link: true }), { kind: 'invalid', code: 'LINKS' });
});

test('two removals at once are one', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  await Promise.all([bench.face.remove(id, PLAIN), bench.face.remove(id, PLAIN)]);
  assert.deepEqual(bench.actionsOf(id), ['create', 'destroy']);
});

test('a record that cannot be removed keeps the container whole', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web', VOLUMES);
  const transaction = t.mock.method(bench.db, 'transaction', () => {
    throw new Error('disk is full');
  });
  await assert.rejects(bench.face.remove(id, { ...PLAIN, volumes: true }), /disk is full/);
  transaction.mock.restore();
  assert.equal(bench.face.view('web').record.id, id);
  assert.equal(volumeNames(bench).length, 2);
  assert.ok(existsSync(join(bench.dir, 'containers', id)));
});

test('prune takes all that do not run, and counts what they wrote', async (t) => {
  const bench = openBench(t);
  const dead = await bench.create('dead');
  await bench.create('kept', { Labels: { keep: '' } });
  await bench.run('alive');
  const upper = join(bench.dir, 'containers', dead, 'rw', 'upper');
  mkdirSync(upper, { recursive: true });
  writeFileSync(join(upper, 'file'), 'x'.repeat(123));
  const result = await bench.face.prune(new Map([['label!', ['keep']]]));
  assert.deepEqual(result, { ids: [dead], reclaimedBytes: 123 });
  assert.deepEqual(
    bench.records.all().map(({ name }) => name),
    ['kept', 'alive'],
  );
});

test('prune spares a container that is started while it looks', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const pruned = bench.face.prune(new Map());
  const started = bench.face.start(id);
  assert.deepEqual((await pruned).ids, []);
  await started;
  assert.equal(bench.stateOf(id).phase, 'running');
});
