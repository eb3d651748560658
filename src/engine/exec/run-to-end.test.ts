import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ExecEntries } from './entries.ts';
import { type ExecBench, framed, openExecBench } from './testing/fake-launcher.ts';

const LIMITS = { timeoutMs: 60_000, mostBytes: 5 };
const exited = (code: number) => ({ kind: 'exited', code, atUnixNs: 1n, oomKilled: false }) as const;
const run = (bench: ExecBench, timeoutMs = LIMITS.timeoutMs) =>
  bench.execs.run(bench.container, ['probe'], { ...LIMITS, timeoutMs });

test('a command runs to its end; its code and the first bytes of its output come back', async (t) => {
  const bench = openExecBench(t);
  bench.launcher.onStart = ({ connection }, shim) => {
    shim.attached[0]?.socket.write(framed('abc'));
    shim.attached[0]?.socket.end(framed('defgh'));
    connection.tell(exited(2));
  };
  assert.deepEqual(await run(bench), { exitCode: 2, output: 'abcde' });
  assert.deepEqual(bench.actions, ['exec_create: probe ', 'exec_start: probe ', 'exec_die']);
  const id = bench.events[0]?.attributes.execID ?? '';
  assert.throws(() => bench.execs.face.inspect(id), { code: 'NO_SUCH_EXEC' }, 'nobody can ask for it afterwards');
});

test('a command that takes too long is killed, and what it had written is kept', async (t) => {
  const bench = openExecBench(t);
  bench.launcher.onStart = ({ connection }, shim) => {
    shim.attached[0]?.socket.write(framed('wait'));
    connection.onSignal = (signal) => {
      assert.equal(signal, 9);
      shim.attached[0]?.socket.end();
      connection.tell(exited(137));
    };
  };
  assert.deepEqual(await run(bench, 5), { exitCode: undefined, output: 'wait' });
});

test('a command whose shim keeps silent is killed past it', async (t) => {
  const bench = openExecBench(t);
  bench.launcher.onStart = ({ connection }, shim) => {
    connection.silent = true;
    shim.attached[0]?.socket.end();
  };
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const done = run(bench, 1000);
  const passed = async (ms: number, ready: () => boolean): Promise<void> => {
    while (!ready()) await setImmediate();
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    t.mock.timers.tick(ms);
  };
  await passed(1000, () => bench.launcher.steps.includes('start'));
  await passed(5000, () => bench.launcher.runs[0]?.connection.calls.includes('signal 9') ?? false);
  assert.equal((await done).exitCode, undefined);
  assert.ok(bench.launcher.steps.includes('kill 4242'));
  assert.deepEqual(bench.launcher.runs[0]?.ends[0], 0, 'the shim is killed too');
});

test('a command that cannot run is an error, and leaves no exec behind', async (t) => {
  const bench = openExecBench(t);
  bench.launcher.failures.set('start', new Error('no such program'));
  await assert.rejects(run(bench), /no such program/);
  assert.deepEqual(bench.execs.idsOf(bench.container.id), []);
  assert.equal(bench.launcher.steps.at(-1), 'sweep');
});

const record = (id: string, containerId: string) =>
  ({ id, containerId, running: false, exitCode: null, pid: 0, request: {} }) as never;

test('an outcome can be asked for five minutes, and is forgotten then', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const entries = new ExecEntries();
  const ended = entries.add(record('a', 'c'));
  ended.endedMs = Date.now();
  entries.add(record('waits', 'c'));
  t.mock.timers.tick(299_000);
  entries.add(record('b', 'c'));
  assert.equal(entries.get('a'), ended);
  t.mock.timers.tick(40_000);
  entries.add(record('d', 'c'));
  assert.throws(() => entries.get('a'), { code: 'NO_SUCH_EXEC' });
  assert.equal(entries.get('waits').started, false, 'one that has not ended is not forgotten');
});

test('execs that were never started go with the run of their container, the others with the container', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const entries = new ExecEntries();
  const [ended, justEnded] = ['ended', 'just'].map((id) => entries.add(record(id, 'c')));
  entries.add(record('unstarted', 'c'));
  entries.add(record('other', 'd'));
  if (!ended || !justEnded) assert.fail();
  for (const entry of [ended, justEnded]) entry.started = true;
  ended.endedMs = Date.now() - 5000;
  justEnded.endedMs = Date.now();
  entries.containerStopped('c');
  assert.throws(() => entries.get('unstarted'));
  assert.equal(entries.get('ended'), ended);
  entries.containerRemoved('c');
  assert.throws(() => entries.get('ended'));
  assert.equal(entries.get('just'), justEnded, 'who read its output asks for the outcome only now');
  assert.equal(entries.get('other').record.containerId, 'd');
});
