import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type FakeRun, fakeRun } from '../../runtime/link/testing/fake-connection.ts';
import { INITIAL_STATE } from './plan/create.ts';
import { reconcile } from './recover.ts';
import { type Bench, openBench } from './testing/bench.ts';
import type { ContainerPhase } from './types.ts';

const ALWAYS = { RestartPolicy: { Name: 'always' } as const };
const STARTED = { kind: 'started', pid: 77, atUnixNs: 1_700_000_001_000_000_000n } as const;
const EXIT_FILE = 'code=3\nat=1700000002000000000\noom=0\n';

/** The shim of `id` that the next daemon finds, as it stands. */
function survive(bench: Bench, id: string, first: Parameters<typeof fakeRun>[1]): FakeRun {
  const dir = bench.launcher.runDir(id);
  mkdirSync(dir, { recursive: true });
  const run = fakeRun(dir, first);
  bench.launcher.survivors.set(id, run);
  bench.launcher.runs.set(id, run);
  return run;
}

function leaveExit(bench: Bench, id: string, text = EXIT_FILE): void {
  mkdirSync(bench.launcher.runDir(id), { recursive: true });
  writeFileSync(join(bench.launcher.runDir(id), 'exit'), text);
}

async function recover(bench: Bench): Promise<void> {
  await bench.replace();
  await bench.capability.recover();
}

test('recovery decides for every phase and every word of a shim', () => {
  const dead: readonly ContainerPhase[] = ['created', 'restarting', 'exited', 'removing', 'dead'];
  const alive: readonly ContainerPhase[] = ['running', 'paused'];
  const decide = (phase: ContainerPhase, shim?: 'ready' | 'started' | 'exited' | 'failed' | 'silent') =>
    reconcile({ ...INITIAL_STATE, phase }, { shim });
  for (const phase of [...dead, ...alive]) {
    assert.equal(decide(phase, 'started'), 'adopt', `${phase}: a process that runs is never let go`);
    assert.equal(decide(phase, 'ready'), 'abandon', `${phase}: a start that was not finished is undone`);
  }
  for (const phase of alive) {
    assert.equal(decide(phase, 'silent'), 'adopt', `${phase}: a stopped shim may have a living process`);
    for (const shim of ['exited', 'failed', undefined] as const) assert.equal(decide(phase, shim), 'settle');
  }
  for (const phase of dead) {
    assert.equal(decide(phase, 'silent'), 'abandon');
    for (const shim of ['exited', 'failed', undefined] as const) assert.equal(decide(phase, shim), 'nothing');
  }
});

test('a container outlives its daemon: the next one takes it up and hears of its end', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  survive(bench, id, STARTED);
  await recover(bench);
  assert.deepEqual(bench.actionsOf(id), [], 'nothing happened to it');
  const { phase, pid, startedAt } = bench.stateOf(id);
  assert.deepEqual([phase, pid], ['running', 77]);
  assert.equal(startedAt, '2023-11-14T22:13:20Z', 'it was not started again');
  assert.deepEqual(bench.networks.recovered, [`${id} bridge`]);
  assert.equal(bench.health.get(id)?.status, 'starting', 'its health is looked at again');
  await bench.exit(id, 6);
  assert.equal(bench.stateOf(id).exitCode, 6);
});

test('networks know what runs before any end of it may free an address', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const run = survive(bench, id, STARTED);
  run.connection.tell({ kind: 'exited', code: 0, atUnixNs: 9n, oomKilled: false });
  run.connection.latest = STARTED;
  await recover(bench);
  await bench.untilPhase(id, 'exited');
  const order = bench.steps.filter((step) => /networks|disconnect/.test(step));
  assert.deepEqual(order, ['recover-networks', 'disconnect']);
});

test('a paused container stays paused over a change of daemons', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  await bench.face.pause(id);
  survive(bench, id, STARTED);
  await recover(bench);
  assert.equal(bench.stateOf(id).phase, 'paused');
});

test('a process whose start the last daemon did not live to note is noted now', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  bench.records.update(id, { state: { error: 'an earlier try', exitCode: 127 } });
  survive(bench, id, STARTED);
  await recover(bench);
  const { phase, pid, startedAt, error, exitCode } = bench.stateOf(id);
  assert.deepEqual([phase, pid, error, exitCode], ['running', 77, '', 0]);
  assert.equal(startedAt, '2023-11-14T22:13:21Z');
});

test('a shim that waits for a start which nobody will give is let go, and the container is as before', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const { connection, ends } = survive(bench, id, { kind: 'ready', shimPid: 5 });
  const endpoint = await bench.networks.connect({ containerId: id, network: 'bridge', pid: 5, ports: [] });
  bench.records.update(id, { endpoints: [endpoint] });
  await recover(bench);
  assert.deepEqual(bench.records.find(id).endpoints, [], 'it is attached to nothing any more');
  assert.deepEqual(bench.networks.recovered, []);
  assert.deepEqual(connection.calls, ['abandon']);
  assert.equal(ends.length, 1, 'its end is waited for by the next start');
  assert.equal(bench.stateOf(id).phase, 'created');
  await bench.face.start(id);
});

test('a stopped shim of a running container is kept, one that was never started is killed', async (t) => {
  const bench = openBench(t);
  const running = await bench.run('running');
  const created = await bench.create('created');
  survive(bench, running, 'silent');
  const half = survive(bench, created, 'silent');
  await recover(bench);
  assert.equal(bench.stateOf(running).phase, 'running');
  assert.match(bench.log.join('\n'), /its shim does not answer; taken as running/);
  assert.equal(half.ends[0], 0);
  assert.equal(bench.stateOf(created).phase, 'created');
});

test('the next daemon reports an end that none saw, with the code and time that the shim noted', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  leaveExit(bench, id);
  await recover(bench);
  const { phase, exitCode, finishedAt } = bench.stateOf(id);
  assert.deepEqual([phase, exitCode, finishedAt], ['exited', 3, '2023-11-14T22:13:22Z']);
  assert.deepEqual(bench.actionsOf(id), ['die']);
  assert.deepEqual(bench.records.find(id).endpoints, []);
  assert.ok(bench.steps.includes('sweep'));
  await recover(bench);
  assert.deepEqual(bench.actionsOf(id), [], 'once');
});

test('a short run whose start and end were both missed is reported as one that ran', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('job');
  leaveExit(bench, id);
  await recover(bench);
  const { phase, exitCode, startedAt } = bench.stateOf(id);
  assert.deepEqual([phase, exitCode, startedAt], ['exited', 3, '2023-11-14T22:13:22Z']);
});

test('a policy answers an end that no daemon saw, and counts it', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } } });
  leaveExit(bench, id);
  await recover(bench);
  await bench.untilPhase(id, 'running');
  assert.equal(bench.stateOf(id).restartCount, 1);
});

test('after a power cut, of which no shim tells, the policies start what they start with the daemon', async (t) => {
  const bench = openBench(t);
  const HostConfig = (Name: 'always' | 'unless-stopped' | 'on-failure' | 'no') => ({
    HostConfig: { RestartPolicy: { Name } },
  });
  const always = await bench.run('always', HostConfig('always'));
  const unless = await bench.run('unless', HostConfig('unless-stopped'));
  const stopped = await bench.run('stopped', HostConfig('unless-stopped'));
  const failed = await bench.run('failed', HostConfig('on-failure'));
  const none = await bench.run('none', HostConfig('no'));
  const never = await bench.create('never', HostConfig('always'));
  await bench.face.stop(stopped, {});
  await recover(bench);
  for (const id of [always, unless, failed]) await bench.untilPhase(id, 'running');
  assert.deepEqual(
    [stopped, none, never].map((id) => bench.stateOf(id).phase),
    ['exited', 'exited', 'created'],
  );
  assert.equal(bench.stateOf(none).exitCode, 137);
  assert.equal(bench.stateOf(always).restartCount, 0, 'such a start is no retry');
});

test('a restart that was due when the daemon died is done, one that was stopped is not', async (t) => {
  const bench = openBench(t);
  const due = await bench.run('due', { HostConfig: ALWAYS });
  const stopped = await bench.run('stopped', { HostConfig: ALWAYS });
  for (const id of [due, stopped]) await bench.exit(id, 1);
  bench.records.update(stopped, { state: { stoppedByHand: true } });
  for (const id of [due, stopped]) assert.equal(bench.stateOf(id).phase, 'restarting');
  await recover(bench);
  await bench.untilPhase(due, 'running');
  await bench.untilPhase(stopped, 'exited');
});

test('a container that cannot be started with the daemon keeps no other from it', async (t) => {
  const bench = openBench(t);
  const bad = await bench.run('bad', { HostConfig: ALWAYS });
  const good = await bench.run('good', { HostConfig: ALWAYS });
  await bench.replace();
  bench.launcher.onPrepare = (_run, { name }) => {
    if (name === 'bad') throw new Error('no such runtime');
  };
  await bench.capability.recover();
  await bench.untilPhase(good, 'running');
  assert.match(bench.log.join('\n'), /restart with the daemon failed: no such runtime/);
  assert.deepEqual([bench.stateOf(bad).phase, bench.stateOf(bad).error], ['exited', 'no such runtime']);
});

test('a container that cannot be looked at is said, and the daemon starts all the same', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  bench.launcher.failures.set('adopt', new Error('input/output error'));
  await recover(bench);
  assert.match(bench.log.join('\n'), new RegExp(`container ${id}: recovery failed: input/output error`));
});

test('folders that no record owns are freed, those of containers stay; shims of unknown ones are swept', async (t) => {
  const bench = openBench(t);
  const id = await bench.create('web');
  const folder = (name: string): string => join(bench.dir, 'containers', name);
  for (const name of ['ab'.repeat(32), `${'cd'.repeat(32)}.removed`])
    mkdirSync(join(folder(name), 'rw'), { recursive: true });
  await recover(bench);
  await bench.until(
    'rubbish',
    () => ![`${'ab'.repeat(32)}`, `${'cd'.repeat(32)}.removed`].some((name) => existsSync(folder(name))),
  );
  assert.ok(existsSync(folder(id)));
  assert.deepEqual(bench.launcher.known, [id]);
});

test('what --rm should have removed while no daemon ran is removed by the next', async (t) => {
  const bench = openBench(t);
  const HostConfig = { AutoRemove: true };
  const ended = await bench.run('ended', { HostConfig });
  const alive = await bench.run('alive', { HostConfig });
  survive(bench, alive, STARTED);
  leaveExit(bench, ended);
  await recover(bench);
  await bench.until('removal', () => bench.records.byId(ended) === undefined);
  assert.deepEqual(bench.actionsOf(ended), ['die', 'destroy']);
  assert.equal(bench.stateOf(alive).phase, 'running');
});

test('a daemon that closes lets its containers run on, and its callers go', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: ALWAYS });
  const waiting = bench.face.wait(id, 'not-running', () => undefined, new AbortController().signal);
  const told = assert.rejects(waiting, { code: 'ENGINE_CLOSED' });
  await bench.capability.close();
  await told;
  const { connection } = bench.launcher.runOf(id);
  assert.equal(connection.disposed, true);
  assert.deepEqual(connection.calls, ['start'], 'no signal was sent');
  assert.equal(bench.stateOf(id).phase, 'running');
});

test('a daemon that ends with its containers stops each in its own way, and they come back with it', async (t) => {
  const bench = openBench(t);
  const web = await bench.run('web', { HostConfig: { RestartPolicy: { Name: 'unless-stopped' } } });
  const job = await bench.run('job', { StopSignal: 'SIGKILL', HostConfig: { AutoRemove: true } });
  await bench.capability.shutdown(5);
  assert.deepEqual(bench.launcher.runOf(web).connection.calls.at(-1), 'signal 15');
  assert.deepEqual(bench.launcher.runOf(job).connection.calls.at(-1), 'signal 9');
  assert.deepEqual([bench.stateOf(web).phase, bench.stateOf(web).stoppedByHand], ['exited', false]);
  assert.ok(bench.records.byId(job), 'removed by the next daemon');
  await recover(bench);
  await bench.untilPhase(web, 'running');
  await bench.until('removal', () => bench.records.byId(job) === undefined);
});

test('a container that does not end keeps a daemon no longer than its limits', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { StopTimeout: 1 });
  bench.launcher.runOf(id).connection.onSignal = () => undefined;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const done = bench.capability.shutdown(3);
  await bench.until('signal', () => bench.launcher.runOf(id).connection.calls.includes('signal 15'));
  await new Promise(setImmediate);
  // The container's own second, and five of grace; the daemon's three are less.
  t.mock.timers.tick(6000);
  await done;
  assert.match(bench.log.join('\n'), /not all containers ended in time; they run on/);
});
