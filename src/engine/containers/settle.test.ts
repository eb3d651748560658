import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exitOf } from './settle.ts';
import { openBench } from './testing/bench.ts';

const ALWAYS = { RestartPolicy: { Name: 'always' } as const };
const onFailure = (MaximumRetryCount: number) => ({
  RestartPolicy: { Name: 'on-failure', MaximumRetryCount } as const,
});
const forever = new AbortController().signal;

test('the end of a run is noted with the shim’s own time, its networks left, its waiters told', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: { Binds: ['data:/data'] } });
  const over = bench.face.wait(id, 'not-running', () => undefined, forever);
  bench.steps.length = 0;
  await bench.exit(id, 3);
  assert.deepEqual(await over, { exitCode: 3 });
  assert.deepEqual(bench.steps, ['disconnect', 'event volume unmount', 'event container die']);
  const { phase, pid, exitCode, finishedAt, oomKilled } = bench.stateOf(id);
  assert.deepEqual([phase, pid, exitCode, oomKilled], ['exited', 0, 3, false]);
  assert.equal(finishedAt, '2023-11-14T22:13:25Z');
  assert.deepEqual(bench.records.find(id).endpoints, []);
  assert.equal(bench.health.get(id)?.status, 'unhealthy', 'one that does not run is not well');
  const { attributes } = bench.events.find(({ action }) => action === 'die') ?? {};
  assert.deepEqual([attributes?.execDuration, attributes?.exitCode, attributes?.name], ['5', '3', 'web']);
});

test('a network that cannot be left does not keep the exit from being noted', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  bench.networks.failures.set('disconnect', new Error('netlink is busy'));
  await bench.exit(id, 0);
  assert.equal(bench.stateOf(id).phase, 'exited');
  assert.match(bench.log.join('\n'), /leaving its network failed: netlink is busy/);
});

test('a run whose shim was killed ends with 137, and what is left of it is ended too', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  bench.steps.length = 0;
  bench.launcher.runOf(id).connection.tell({ kind: 'closed' });
  await bench.untilPhase(id, 'exited');
  assert.equal(bench.stateOf(id).exitCode, 137);
  assert.equal(bench.steps[0], 'sweep');
  assert.match(bench.log.join('\n'), /its shim is gone; ending it/);
});

test('a shim that noted the exit before it was killed is believed', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const { dir, connection } = bench.launcher.runOf(id);
  writeFileSync(join(dir, 'exit'), 'code=5\nat=1700000002000000000\noom=1\n');
  connection.tell({ kind: 'closed' });
  await bench.untilPhase(id, 'exited');
  const { exitCode, oomKilled, finishedAt } = bench.stateOf(id);
  assert.deepEqual([exitCode, oomKilled, finishedAt], [5, true, '2023-11-14T22:13:22Z']);
});

test('only an exit is an exit: any other last word of a shim counts as a lost run', () => {
  const exit = { kind: 'exited', code: 0, atUnixNs: 5n, oomKilled: false } as const;
  assert.equal(exitOf(exit), exit);
  for (const end of [undefined, { kind: 'failed', stage: 'x', errno: 0, text: '' }, { kind: 'closed' }] as const)
    assert.equal(exitOf(end).code, 137);
});

test('each kill for memory has its event, at most ten of many at once, and stays in the record', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const ooms = (): number => bench.actionsOf(id).filter((action) => action === 'oom').length;
  bench.launcher.runOf(id).connection.tellOom(2);
  assert.equal(ooms(), 2);
  assert.equal(bench.stateOf(id).oomKilled, true, 'also while it runs on');
  bench.launcher.runOf(id).connection.tellOom(5000);
  assert.equal(ooms(), 12);
  await bench.exit(id, 0);
  assert.equal(bench.stateOf(id).oomKilled, true);
  await bench.face.start(id);
  assert.equal(bench.stateOf(id).oomKilled, false, 'of the next run it is not true');
  bench.launcher.exit(id, 137, 1_700_000_005_000_000_000n, true);
  await bench.untilPhase(id, 'exited');
  assert.equal(ooms(), 13, 'told with the exit, where it was not told before');
});

test('a container that fails is restarted after a growing delay, and counts its restarts', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: ALWAYS });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let starts = 1;
  for (const delayMs of [100, 200, 400]) {
    await bench.exit(id, 1, 1_700_000_000_500_000_000n);
    const { phase, restartCount } = bench.stateOf(id);
    assert.deepEqual([phase, restartCount], ['restarting', starts]);
    t.mock.timers.tick(delayMs - 1);
    await new Promise(setImmediate);
    assert.equal(bench.stateOf(id).phase, 'restarting', `not before ${delayMs} ms`);
    t.mock.timers.tick(1);
    await bench.untilPhase(id, 'running');
    starts++;
  }
  await bench.exit(id, 1, 1_700_000_060_000_000_000n);
  t.mock.timers.tick(100);
  await bench.untilPhase(id, 'running');
});

test('a start by hand begins the delays anew', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: ALWAYS });
  for (let round = 0; round < 2; round++) {
    await bench.exit(id, 1, 1_700_000_000_500_000_000n);
    await bench.untilPhase(id, 'running');
  }
  await bench.face.stop(id, {});
  await bench.face.start(id);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await bench.exit(id, 1, 1_700_000_000_500_000_000n);
  t.mock.timers.tick(100);
  await bench.untilPhase(id, 'running');
});

test('each end of a container that is restarted is an end for those who wait for one', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: ALWAYS });
  const next = bench.face.wait(id, 'next-exit', () => undefined, forever);
  await bench.exit(id, 4);
  assert.deepEqual(await next, { exitCode: 4 });
  await bench.untilPhase(id, 'running');
});

test('on-failure gives up after its number of retries, and never answers a good end', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('job', { HostConfig: onFailure(1) });
  await bench.exit(id, 1);
  await bench.untilPhase(id, 'running');
  await bench.exit(id, 1);
  assert.equal(bench.stateOf(id).phase, 'exited');
  const good = await bench.run('good', { HostConfig: onFailure(0) });
  await bench.exit(good, 0);
  assert.equal(bench.stateOf(good).phase, 'exited');
});

test('a restart by policy that fails leaves the container ended, with the reason, and lets waiters go', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: ALWAYS });
  await bench.exit(id, 1);
  bench.launcher.failures.set('prepare', new Error('no memory'));
  const over = bench.face.wait(id, 'not-running', () => undefined, forever);
  assert.deepEqual(await over, { exitCode: 128 });
  const { phase, error } = bench.stateOf(id);
  assert.deepEqual([phase, error], ['exited', 'no memory']);
  await bench.until('log', () => bench.log.some((line) => line.includes('restart failed: no memory')));
});

test('a start by hand resets what the restart policy has counted', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('job', { HostConfig: onFailure(1) });
  await bench.exit(id, 1);
  await bench.untilPhase(id, 'running');
  await bench.face.stop(id, {});
  await bench.face.start(id);
  assert.equal(bench.stateOf(id).restartCount, 0);
  await bench.exit(id, 1);
  assert.equal(bench.stateOf(id).phase, 'restarting');
  await bench.untilPhase(id, 'running');
});

test('a container with --rm goes a moment after its end: who comes right behind it still sees how it ended', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('job', { HostConfig: { AutoRemove: true } });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await bench.exit(id, 7);
  await bench.untilPhase(id, 'removing');
  assert.equal(bench.face.view(id).record.state.exitCode, 7);
  await new Promise(setImmediate);
  t.mock.timers.tick(250);
  await bench.until('removal', () => bench.records.byId(id) === undefined);
  assert.deepEqual(bench.actionsOf(id), ['create', 'start', 'die', 'destroy']);
  assert.deepEqual(
    await bench.face.wait('job', 'not-running', () => undefined, forever),
    { exitCode: 7 },
    'also a wait that comes too late gets the exit code',
  );
});

test('who waits for the removal of a container with --rm does not wait for its grace', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('job', { HostConfig: { AutoRemove: true } });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const first = bench.face.wait(id, 'removed', () => undefined, forever);
  bench.launcher.exit(id, 2);
  assert.deepEqual(await first, { exitCode: 2 });
  const other = await bench.run('late', { HostConfig: { AutoRemove: true } });
  await bench.exit(other, 3);
  await bench.untilPhase(other, 'removing');
  await new Promise(setImmediate);
  assert.deepEqual(await bench.face.wait(other, 'removed', () => undefined, forever), { exitCode: 3 });
});

test('an automatic removal that the disk refuses still tells those who wait', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('job', { HostConfig: { AutoRemove: true } });
  const over = bench.face.wait(id, 'removed', () => undefined, forever);
  t.mock.method(bench.records, 'remove', () => {
    throw new Error('disk is full');
  });
  bench.launcher.exit(id, 2);
  assert.deepEqual(await over, { exitCode: 2 });
  assert.match(bench.log.join('\n'), /removing it failed: disk is full/);
});

test('the word of an earlier run does not end the present one', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const first = bench.launcher.runOf(id);
  await bench.face.stop(id, {});
  await bench.face.start(id);
  first.connection.tellOom(1);
  first.connection.tell({ kind: 'exited', code: 9, atUnixNs: 1n, oomKilled: false });
  await new Promise(setImmediate);
  assert.equal(bench.stateOf(id).phase, 'running');
  assert.ok(!bench.actionsOf(id).includes('oom'));
});
