import assert from 'node:assert/strict';
import { buffer, text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { GantryError } from '../../lib/errors.ts';
import { type ExecBench, framed, openExecBench } from './testing/fake-launcher.ts';

const ATTACHED = { detach: false, tty: false };
const DETACHED = { detach: true, tty: false };
const here = (): AbortSignal => new AbortController().signal;
const NO_PROGRAM = new GantryError('invalid', 'START_FAILED', 'exec: "nope": not found', { params: { exitCode: 127 } });

const exited = (code: number) => ({ kind: 'exited', code, atUnixNs: 1n, oomKilled: false }) as const;

async function outcome(bench: ExecBench, id: string): Promise<number | null> {
  while (bench.execs.face.inspect(id).running) await setImmediate();
  return bench.execs.face.inspect(id).exitCode;
}

test('an exec is created, started and ended, with Docker’s three events', async (t) => {
  const bench = openExecBench(t);
  const id = await bench.create({ command: ['sh', '-c', 'x y'] });
  assert.deepEqual(bench.execs.idsOf(bench.container.id), []);
  assert.equal(await bench.execs.face.start(id, DETACHED, here()), undefined);
  assert.deepEqual(bench.execs.idsOf(bench.container.id), [id]);
  assert.partialDeepStrictEqual(bench.execs.face.inspect(id), { running: true, pid: 4242, exitCode: null });
  bench.launcher.runs[0]?.connection.tell(exited(3));
  assert.equal(await outcome(bench, id), 3);
  assert.deepEqual(bench.actions, ['exec_create: sh -c x y', 'exec_start: sh -c x y', 'exec_die']);
  assert.deepEqual(bench.events[2]?.attributes, {
    tier: 'front',
    execID: id,
    exitCode: '3',
    image: 'busybox',
    name: 'web',
  });
  await setImmediate();
  assert.equal(bench.launcher.steps.at(-1), 'sweep', 'nothing of it stays in the run folder');
});

test('an attached exec gets its output from the first byte, and its outcome is there at the end', async (t) => {
  const bench = openExecBench(t);
  const id = await bench.create();
  bench.launcher.onStart = ({ connection }, shim) => {
    assert.equal(shim.attached.length, 1, 'joined before it began');
    shim.attached[0]?.socket.end(framed('hi'));
    // The shim tells of the end after the last byte.
    setTimeout(() => connection.tell(exited(0)), 20);
  };
  const joined = await bench.execs.face.start(id, ATTACHED, here());
  assert.deepEqual(await buffer(joined?.stream ?? assert.fail()), framed('hi'));
  assert.equal(bench.execs.face.inspect(id).exitCode, 0);
});

test('a program that is not there: an attached client reads why, a detached one is told, both get the code', async (t) => {
  const bench = openExecBench(t);
  bench.launcher.failures.set('start', NO_PROGRAM);
  const detached = await bench.create();
  await assert.rejects(bench.execs.face.start(detached, DETACHED, here()), /not found/);
  assert.equal(bench.execs.face.inspect(detached).exitCode, 127);
  for (const tty of [false, true]) {
    const id = await bench.create({ tty });
    const joined = await bench.execs.face.start(id, { ...ATTACHED, tty }, here());
    const output = text(joined?.stream ?? assert.fail());
    const words = 'exec: "nope": not found\r\n';
    assert.equal(await output, tty ? words : framed(words).toString());
    assert.equal(bench.execs.face.inspect(id).exitCode, 127);
  }
  assert.deepEqual(
    bench.launcher.runs.map(({ connection }) => connection.calls),
    [['abandon'], ['abandon'], ['abandon']],
  );
  assert.equal(bench.launcher.steps.at(-1), 'sweep');
  assert.ok(!bench.actions.includes('exec_die'), 'what never ran does not die');
});

test('a shim that nobody can attach to ends the stream, and is let go', async (t) => {
  const bench = openExecBench(t);
  bench.launcher.listens = false;
  const id = await bench.create();
  const joined = await bench.execs.face.start(id, ATTACHED, here());
  assert.match(await text(joined?.stream ?? assert.fail()), /the shim is gone/);
  assert.ok(!bench.launcher.steps.includes('start'));
  assert.equal(bench.execs.face.inspect(id).running, false);
});

test('what is wrong before the stream exists is an error, not part of the stream', async (t) => {
  const bench = openExecBench(t);
  const id = await bench.create();
  bench.launcher.failures.set('prepare', new GantryError('invalid', 'START_FAILED', 'unable to find user nosuch'));
  await assert.rejects(bench.execs.face.start(id, ATTACHED, here()), /unable to find user nosuch/);
  assert.equal(bench.execs.face.inspect(id).exitCode, 128);
  assert.equal(bench.launcher.steps.at(-1), 'sweep');
});

test('an exec runs once', async (t) => {
  const bench = openExecBench(t);
  const id = await bench.create();
  await bench.execs.face.start(id, DETACHED, here());
  const refused = (why: string) => ({ kind: 'conflict', message: `exec command ${id} ${why}` });
  await assert.rejects(bench.execs.face.start(id, DETACHED, here()), refused('is already running'));
  bench.launcher.runs[0]?.connection.tell(exited(0));
  await outcome(bench, id);
  await assert.rejects(bench.execs.face.start(id, DETACHED, here()), refused('has already run'));
});

test('an outcome is forgotten in time: a health check every second must not fill the memory', async (t) => {
  const bench = openExecBench(t);
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  const id = await bench.create();
  await bench.execs.face.start(id, DETACHED, here());
  bench.launcher.runs[0]?.connection.tell(exited(0));
  await outcome(bench, id);
  bench.launcher.failures.set('start', NO_PROGRAM);
  const failed = await bench.create();
  await assert.rejects(bench.execs.face.start(failed, DETACHED, here()), /not found/);
  t.mock.timers.tick(360_000);
  await bench.create();
  for (const gone of [id, failed]) assert.throws(() => bench.execs.face.inspect(gone), { code: 'NO_SUCH_EXEC' });
});

test('an exec needs a command and a container that runs', async (t) => {
  const bench = openExecBench(t);
  await assert.rejects(bench.create({ command: [] }), { kind: 'invalid', message: 'No exec command specified' });
  const id = await bench.create();
  for (const [phase, message] of [
    ['paused', 'Container web is paused, unpause the container before exec'],
    ['restarting', `Container ${bench.container.id} is restarting, wait until the container is running`],
    ['exited', `container ${bench.container.id} is not running`],
  ] as const) {
    bench.setPhase(phase);
    await assert.rejects(bench.create(), { kind: 'conflict', message });
    await assert.rejects(bench.execs.face.start(id, DETACHED, here()), { kind: 'conflict' });
  }
  assert.throws(() => bench.execs.face.inspect('nope'), { kind: 'notFound', message: 'No such exec instance: nope' });
});

test('a container that ends while an exec is looked at is said to have ended, not to lack a file', async (t) => {
  const bench = openExecBench(t);
  for (const code of ['ENOENT', 'ESRCH']) {
    bench.launcher.failures.set('check', Object.assign(new Error('no such file'), { code }));
    await assert.rejects(bench.create(), { code: 'CONTAINER_NOT_RUNNING' });
  }
  bench.launcher.failures.set('check', Object.assign(new Error('input/output error'), { code: 'EIO' }));
  await assert.rejects(bench.create(), { code: 'EIO' });
});

test('an exec whose shim is killed has ended with 137', async (t) => {
  const bench = openExecBench(t);
  const id = await bench.create();
  await bench.execs.face.start(id, DETACHED, here());
  bench.launcher.runs[0]?.connection.tell({ kind: 'closed' });
  assert.equal(await outcome(bench, id), 137);
});

test('the detach keys leave the process running, and are the client’s own', async (t) => {
  const bench = openExecBench(t);
  const id = await bench.create({ tty: true, stdin: true, detachKeys: '~x' });
  const joined = await bench.execs.face.start(id, { ...ATTACHED, tty: true }, here());
  const stream = joined?.stream ?? assert.fail();
  stream.write('\x10\x11ab');
  while (bench.launcher.shims[0]?.attached[0]?.input !== '\x10\x11ab') await setImmediate();
  stream.write('~x');
  assert.equal(await text(stream), '');
  assert.equal(bench.actions.at(-1), 'exec_detach');
  assert.equal(bench.execs.face.inspect(id).running, true);
});

test('a client that goes away leaves the process running', async (t) => {
  const bench = openExecBench(t);
  const id = await bench.create();
  const client = new AbortController();
  const joined = await bench.execs.face.start(id, ATTACHED, client.signal);
  while (!bench.execs.face.inspect(id).running) await setImmediate();
  client.abort();
  assert.equal(joined?.stream.destroyed, true);
  assert.equal(bench.execs.face.inspect(id).running, true);
});

test('a terminal gets the client’s size, at its start and when it changes', async (t) => {
  const bench = openExecBench(t);
  const id = await bench.create({ tty: true });
  await bench.execs.face.start(id, { ...DETACHED, consoleSize: [24, 80] }, here());
  assert.deepEqual(bench.launcher.request?.consoleSize, [24, 80]);
  await bench.execs.face.resize(id, 30, 90);
  assert.equal(bench.launcher.runs[0]?.connection.calls.at(-1), 'resize 30 90');
  bench.launcher.runs[0]?.connection.tell(exited(0));
  await outcome(bench, id);
  await assert.rejects(bench.execs.face.resize(id, 1, 1), {
    kind: 'notFound',
    message: `NotFound: process does not exist ${id}: not found`,
  });
  const plain = await bench.create();
  await bench.execs.face.start(plain, DETACHED, here());
  await bench.execs.face.resize(plain, 1, 1);
  assert.deepEqual(bench.launcher.runs[1]?.connection.calls, ['start'], 'without a terminal nothing changes');
});

test('a size that comes before the start is kept for it, but not for ever', async (t) => {
  const bench = openExecBench(t);
  const id = await bench.create({ tty: true });
  const early = bench.execs.face.resize(id, 24, 80);
  await bench.execs.face.start(id, DETACHED, here());
  await early;
  assert.equal(bench.launcher.runs[0]?.connection.calls.at(-1), 'resize 24 80');
  const never = await bench.create({ tty: true });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const late = assert.rejects(bench.execs.face.resize(never, 1, 1), { code: 'EXEC_NOT_STARTED' });
  t.mock.timers.tick(10_000);
  await late;
});

test('an engine that closes lets execs run on', async (t) => {
  const bench = openExecBench(t);
  const id = await bench.create();
  await bench.execs.face.start(id, DETACHED, here());
  bench.execs.close();
  const connection = bench.launcher.runs[0]?.connection;
  assert.deepEqual([connection?.disposed, connection?.calls], [true, ['start']]);
});
