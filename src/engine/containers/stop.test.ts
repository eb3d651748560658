import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { GantryError } from '../../lib/errors.ts';
import { stopPlan } from './stop.ts';
import { type Bench, openBench } from './testing/bench.ts';

const signalsOf = (bench: Bench, id: string): readonly string[] =>
  bench.launcher.runOf(id).connection.calls.filter((call) => call.startsWith('signal'));

/** A container whose process takes no signal but what `dies` says. */
async function stubborn(bench: Bench, dies: readonly number[], body: object = {}): Promise<string> {
  bench.launcher.onPrepare = ({ connection }, { id }) => {
    connection.onSignal = (signal) => {
      if (dies.includes(signal)) bench.launcher.exit(id, 128 + signal);
    };
  };
  return bench.run('web', body);
}

/** Lets timers pass once `ready` holds. */
async function passTime(t: TestContext, bench: Bench, ms: number, ready: () => boolean): Promise<void> {
  await bench.until(`a wait of ${ms} ms`, ready);
  // The timer is set in a later turn than the call that it follows.
  await new Promise(setImmediate);
  t.mock.timers.tick(ms);
}

test('a stop sends the signal, waits for the end, and tells it as Docker does', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  await bench.face.stop('web', {});
  assert.deepEqual(signalsOf(bench, id), ['signal 15']);
  assert.deepEqual(bench.actionsOf(id), ['create', 'start', 'kill', 'die', 'stop']);
  const { phase, exitCode, stoppedByHand } = bench.stateOf(id);
  assert.deepEqual([phase, exitCode, stoppedByHand], ['exited', 143, true]);
  await assert.rejects(bench.face.stop(id, {}), { kind: 'notModified', message: `container ${id} is not running` });
});

test('a process that ignores the signal is killed after the container’s own time, not before', async (t) => {
  const bench = openBench(t);
  const id = await stubborn(bench, [9], { StopSignal: 'SIGQUIT', StopTimeout: 3 });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stopped = bench.face.stop(id, {});
  await passTime(t, bench, 2999, () => signalsOf(bench, id).length === 1);
  await new Promise(setImmediate);
  assert.deepEqual(signalsOf(bench, id), ['signal 3']);
  t.mock.timers.tick(1);
  await stopped;
  assert.deepEqual(signalsOf(bench, id), ['signal 3', 'signal 9']);
  assert.equal(bench.stateOf(id).exitCode, 137);
});

test('the request’s signal and time come before the container’s, those before the daemon’s, and ten seconds last', () => {
  const plan = (options: object, config: object, daemon?: number) =>
    stopPlan({ defaults: () => ({ stopTimeoutSeconds: daemon }) } as never, { config } as never, options);
  for (const [options, config, daemon, wanted] of [
    [{}, {}, undefined, [15, 10]],
    [{}, {}, 7, [15, 7]],
    [{}, { StopSignal: 'USR1', StopTimeout: 0 }, 7, [10, 0]],
    [{ timeoutSeconds: 0, signal: 'SIGINT' }, { StopSignal: 'USR1', StopTimeout: 5 }, 7, [2, 0]],
    [{ timeoutSeconds: -1 }, { StopTimeout: 5 }, 7, [15, -1]],
  ] as const) {
    const { signal, timeoutSeconds } = plan(options, config, daemon);
    assert.deepEqual([signal, timeoutSeconds], wanted, JSON.stringify([options, config, daemon]));
  }
  assert.throws(() => plan({ signal: 'NOPE' }, {}), { kind: 'invalid' });
});

test('a stop without limit waits for as long as the process needs', async (t) => {
  const bench = openBench(t);
  const id = await stubborn(bench, []);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stopped = bench.face.stop(id, { timeoutSeconds: -1 });
  await passTime(t, bench, 1_000_000, () => signalsOf(bench, id).length === 1);
  await new Promise(setImmediate);
  assert.deepEqual(signalsOf(bench, id), ['signal 15']);
  bench.launcher.exit(id, 0);
  await stopped;
  assert.equal(bench.stateOf(id).exitCode, 0);
});

test('a process that even SIGKILL does not end is reported, not waited for for ever', async (t) => {
  const bench = openBench(t);
  const id = await stubborn(bench, []);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const failed = assert.rejects(bench.face.stop(id, { timeoutSeconds: 0, signal: 'KILL' }), {
    code: 'CANNOT_KILL',
    message: `cannot stop container: ${id}: tried to kill container, but did not receive an exit event`,
  });
  await passTime(t, bench, 1, () => signalsOf(bench, id).length === 1);
  await new Promise(setImmediate);
  t.mock.timers.tick(10_000);
  await failed;
  assert.deepEqual(signalsOf(bench, id), ['signal 9'], 'SIGKILL is not sent twice');
  assert.equal(bench.stateOf(id).phase, 'running');
});

test('a shim that keeps silent is gone round: the process is signalled itself, and the shim ended', async (t) => {
  const bench = openBench(t);
  const id = await stubborn(bench, []);
  const { connection, ends } = bench.launcher.runOf(id);
  connection.silent = true;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stopped = bench.face.stop(id, { timeoutSeconds: 0 });
  for (const ms of [1, 500]) await passTime(t, bench, ms, () => bench.steps.includes('signal 9') || ms === 1);
  await stopped;
  assert.deepEqual(
    bench.steps.filter((step) => step.startsWith('signal')),
    ['signal 15', 'signal 9'],
  );
  assert.deepEqual(ends.slice(0, 1), [0], 'killed at once');
  assert.deepEqual([bench.stateOf(id).phase, bench.stateOf(id).exitCode], ['exited', 137]);
  assert.match(bench.log.join('\n'), /its shim does not answer; killing it/);
});

test('a stop cancels the restart policy, and a restart that waits for its time', async (t) => {
  const bench = openBench(t);
  const HostConfig = { RestartPolicy: { Name: 'always' } as const };
  const id = await bench.run('web', { HostConfig });
  await bench.face.stop(id, {});
  assert.equal(bench.stateOf(id).phase, 'exited');
  await bench.face.start(id);
  await bench.exit(id, 1);
  assert.equal(bench.stateOf(id).phase, 'restarting');
  await bench.face.stop(id, {});
  assert.equal(bench.stateOf(id).phase, 'exited');
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(bench.stateOf(id).phase, 'exited', 'nothing started it meanwhile');
  assert.equal(bench.steps.filter((step) => step === 'start').length, 2);
});

test('a stop of a container with --rm removes it after the event of the stop', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('job', { HostConfig: { AutoRemove: true } });
  await bench.face.stop(id, {});
  assert.deepEqual(bench.actionsOf(id), ['create', 'start', 'kill', 'die', 'stop', 'destroy']);
  assert.equal(bench.records.byId(id), undefined);
});

test('a kill passes its signal on, and says in Docker’s words what is wrong with it', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  await bench.face.kill('web', 'HUP');
  await bench.face.kill('web', '10');
  assert.deepEqual(signalsOf(bench, id), ['signal 1', 'signal 10']);
  assert.deepEqual(
    bench.events.filter(({ action }) => action === 'kill').map(({ attributes }) => attributes.signal),
    ['1', '10'],
  );
  await assert.rejects(bench.face.kill('web', 'NOPE'), {
    kind: 'invalid',
    message: 'cannot kill container: web: invalid signal: NOPE',
  });
  await assert.rejects(bench.face.kill('gone', ''), {
    kind: 'notFound',
    message: 'cannot kill container: gone: No such container: gone',
  });
  await bench.face.kill('web', '');
  await bench.untilPhase(id, 'exited');
  assert.equal(signalsOf(bench, id).at(-1), 'signal 9');
  await assert.rejects(bench.face.kill('web', ''), {
    kind: 'conflict',
    message: `cannot kill container: web: container ${id} is not running`,
  });
});

test('only a kill that is meant to end the container holds its restart policy back', async (t) => {
  const bench = openBench(t);
  const HostConfig = { RestartPolicy: { Name: 'always' } as const };
  const id = await stubborn(bench, [1, 2, 9], { HostConfig, StopSignal: 'SIGINT' });
  await bench.face.kill(id, 'HUP');
  await bench.untilPhase(id, 'restarting');
  await bench.untilPhase(id, 'running');
  await bench.face.kill(id, 'INT');
  await bench.untilPhase(id, 'exited');
  await bench.face.start(id);
  await bench.face.kill(id, '');
  await bench.untilPhase(id, 'exited');
});

test('a kill of a container that waits for its restart ends the waiting', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: { RestartPolicy: { Name: 'always' } } });
  await bench.exit(id, 1);
  await bench.face.kill(id, 'TERM');
  assert.equal(bench.stateOf(id).phase, 'exited');
});

test('a restart ends the run and begins another, with the events of Docker', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { HostConfig: { RestartPolicy: { Name: 'on-failure' } } });
  await bench.face.restart('web', { timeoutSeconds: 0 });
  assert.deepEqual(bench.actionsOf(id).slice(2), ['kill', 'die', 'stop', 'start', 'restart']);
  const { phase, stoppedByHand, restartCount } = bench.stateOf(id);
  assert.deepEqual([phase, stoppedByHand, restartCount], ['running', false, 0]);
  await bench.face.stop(id, {});
  bench.events.length = 0;
  await bench.face.restart('web', {});
  assert.deepEqual(bench.actionsOf(id), ['start', 'restart'], 'one that does not run is started');
});

test('a restart of a container with --rm does not remove it in between', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('job', { HostConfig: { AutoRemove: true } });
  await bench.face.restart('job', {});
  assert.equal(bench.stateOf(id).phase, 'running');
});

test('a container is paused once and resumed once', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  await assert.rejects(bench.face.unpause(id), { kind: 'system', message: `Container ${id} is not paused` });
  await bench.face.pause(id);
  assert.equal(bench.stateOf(id).phase, 'paused');
  await assert.rejects(bench.face.pause(id), { kind: 'conflict', message: `Container ${id} is already paused` });
  await bench.face.unpause(id);
  assert.equal(bench.stateOf(id).phase, 'running');
  assert.deepEqual(bench.actionsOf(id).slice(2), ['pause', 'unpause']);
  await bench.face.stop(id, {});
  await assert.rejects(bench.face.pause(id), { code: 'CONTAINER_NOT_RUNNING' });
  bench.records.update(id, { state: { phase: 'restarting' } });
  await assert.rejects(bench.face.pause(id), { code: 'CONTAINER_RESTARTING' });
  bench.records.update(id, { state: { phase: 'exited' } });
});

test('a pause that the runtime refuses leaves the container running', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  bench.launcher.failures.set('pause', new GantryError('system', 'RUNTIME_FAILED', 'crun: no freezer'));
  await assert.rejects(bench.face.pause(id), /no freezer/);
  assert.equal(bench.stateOf(id).phase, 'running');
  assert.ok(!bench.actionsOf(id).includes('pause'));
});

test('a stop of a paused container thaws it first: a frozen process takes no signal', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web');
  const { connection } = bench.launcher.runOf(id);
  connection.onSignal = () => undefined;
  await bench.face.pause(id);
  const stopped = bench.face.stop(id, {});
  await bench.until('unpause', () => bench.actionsOf(id).includes('unpause'));
  bench.launcher.exit(id, 0);
  await stopped;
  assert.deepEqual(bench.actionsOf(id).slice(2), ['pause', 'kill', 'unpause', 'die', 'stop']);
});

test('a signal that does not stop a paused container leaves it frozen, where it names one that does', async (t) => {
  const bench = openBench(t);
  const id = await bench.run('web', { StopSignal: 'SIGTERM' });
  await bench.face.pause(id);
  await bench.face.kill(id, 'HUP');
  assert.equal(bench.stateOf(id).phase, 'paused');
  await bench.face.kill(id, 'KILL');
  await bench.untilPhase(id, 'exited');
});
