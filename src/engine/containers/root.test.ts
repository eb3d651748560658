import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBench } from './testing/bench.ts';

test('the files of a running container are those that its process sees, volumes at their places', async (t) => {
  const bench = openBench(t);
  const HostConfig = { Binds: ['data:/data:ro', '/srv:/data/in'], Tmpfs: { '/tmp': '' } };
  const id = await bench.run('web', { HostConfig });
  bench.steps.length = 0;
  await bench.capability.withRoot(bench.records.find(id), 'write', async (root, isExclusive) => {
    assert.equal(isExclusive, false, 'its process goes on writing');
    assert.deepEqual([root.root, root.readOnly], [bench.launcher.rootfs, false]);
    const trees = root.trees.map(({ path, readOnly, source, below }) => [path, readOnly, source, below]);
    assert.deepEqual(
      trees,
      [
        ['/data', true, join(bench.dir, 'volumes', 'data', '_data'), undefined],
        ['/tmp', false, '/proc/4242/root', '/tmp'],
        ['/etc/resolv.conf', false, join(bench.dir, 'containers', id, 'resolv.conf'), undefined],
        ['/etc/hostname', false, join(bench.dir, 'containers', id, 'hostname'), undefined],
        ['/etc/hosts', false, join(bench.dir, 'containers', id, 'hosts'), undefined],
        ['/data/in', false, '/srv', undefined],
      ],
      'outer ones before those in them',
    );
  });
  assert.deepEqual(bench.steps, [], 'nothing is mounted for it');
});

test('the files of a container that does not run are mounted for the work, and let go of after it', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: { Tmpfs: { '/tmp': '' } } });
  await bench.face.stop(id, {});
  bench.steps.length = 0;
  const work = bench.capability.withRoot(bench.records.find(id), 'read', async (root, isExclusive) => {
    assert.equal(isExclusive, false);
    assert.match(root.root, /^\/proc\/self\/fd\/\d+$/);
    assert.ok(!root.trees.some(({ path }) => path === '/tmp'), 'a memory file system is gone with its run');
    throw new Error('the work failed');
  });
  await assert.rejects(work, /the work failed/);
  assert.deepEqual(bench.steps, ['lease', 'mount read', 'unmount', 'release']);
  assert.equal(bench.images.leases, 0);
});

test('a container that is written to cannot be started meanwhile, and starts afterwards', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const gate = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<boolean>();
  const work = bench.capability.withRoot(bench.records.find(id), 'write', async (_root, isExclusive) => {
    inside.resolve(isExclusive);
    await gate.promise;
  });
  assert.equal(await inside.promise, true);
  const started = bench.face.start(id);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(bench.stateOf(id).phase, 'created');
  gate.resolve();
  await work;
  await started;
  assert.equal(bench.stateOf(id).phase, 'running');
});

test('a container that is removed while somebody waits to write to it is not written to', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const record = bench.records.find(id);
  const removed = bench.face.remove(id, { force: false, volumes: false, link: false });
  const work = bench.capability.withRoot(record, 'write', () => Promise.reject(new Error('reached')));
  await removed;
  await assert.rejects(work, { code: 'NO_SUCH_CONTAINER' });
});

test('a copy before the first start finds mount points, working folder and the volumes’ first content', async (t) => {
  const bench = openBench(t);
  mkdirSync(join(bench.launcher.rootfs, 'data'));
  writeFileSync(join(bench.launcher.rootfs, 'data', 'seed'), 'x');
  const HostConfig = { Binds: ['data:/data', '/srv:/bound'], Tmpfs: { '/run/mem': '' } };
  const id = await bench.create('web', { WorkingDir: '/srv/app', HostConfig });
  const seen = await bench.capability.withRoot(bench.records.find(id), 'read', async () =>
    ['run/mem', 'srv/app', 'bound'].map((path) => existsSync(join(bench.launcher.rootfs, path))),
  );
  assert.deepEqual(seen, [true, true, false], 'a bind’s place is made by its start');
  assert.ok(existsSync(join(bench.dir, 'volumes', 'data', '_data', 'seed')));
});
