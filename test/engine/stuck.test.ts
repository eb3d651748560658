// Owns shims that are stopped (SIGSTOP) and say nothing: no verb and no start of the daemon waits for one without end.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { hungFolder } from '../support/hung-folder.ts';
import { eventually } from '../support/patience.ts';

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

const must = async (...args: string[]) => {
  const said = await daemon.gantry(...args);
  assert.equal(said.code, 0, `${args.join(' ')}: ${said.stderr}`);
  return said.stdout.trim();
};
const shimPid = (id: string): number =>
  Number(readFileSync(`${daemon.execRoot}/shims/${id.slice(0, 24)}/shim.pid`, 'utf8'));
const state = (id: string) => must('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', id);
const gone = (pid: number) => eventually(`the end of ${pid}`, () => !existsSync(`/proc/${pid}`));
const runSleeper = () => must('run', '-d', 'busybox', 'sleep', '1000');

for (const [verb, ...args] of [['stop', '-t', '1'], ['kill'], ['rm', '-f']] as const) {
  test(`${verb} ends a container whose shim is stuck`, async () => {
    const id = await runSleeper();
    const shim = shimPid(id);
    const pid = Number(await must('inspect', '-f', '{{.State.Pid}}', id));
    process.kill(shim, 'SIGSTOP');
    const startedMs = performance.now();
    await must(verb, ...args, id);
    assert.ok(performance.now() - startedMs < 12_000, `${verb} took ${performance.now() - startedMs} ms`);
    await gone(pid);
    await gone(shim);
    if (verb === 'rm') return;
    assert.equal(await state(id), 'exited 137');
    await must('start', id);
    await must('rm', '-f', id);
  });
}

test('a restarted daemon answers although a shim is stuck, and goes on with it when it wakes', async () => {
  const id = await runSleeper();
  const other = await runSleeper();
  const shim = shimPid(id);
  process.kill(shim, 'SIGSTOP');
  await daemon.kill9();
  const startedMs = performance.now();
  await daemon.start();
  assert.ok(performance.now() - startedMs < 8000, `the start took ${performance.now() - startedMs} ms`);
  assert.equal(await state(id), 'running 0');
  assert.equal(await must('exec', other, 'echo', 'here'), 'here');
  process.kill(shim, 'SIGCONT');
  await must('stop', '-t', '0', id);
  assert.equal(await state(id), 'exited 137');
  assert.doesNotMatch(daemon.log(), new RegExp(`${id}: its shim is gone`));
  await must('rm', '-f', id, other);
});

test('attach and resize of a container whose shim is stuck fail with a reason', async () => {
  const id = await must('run', '-dit', 'busybox', 'sh');
  process.kill(shimPid(id), 'SIGSTOP');
  const [attached, resized] = await Promise.all([
    daemon.api('POST', `/containers/${id}/attach?stream=1&stdout=1`),
    daemon.api('POST', `/containers/${id}/resize?h=10&w=10`),
  ]);
  for (const { status, text } of [attached, resized]) {
    assert.ok(status >= 500, text);
    assert.match(text, /did not answer within 10 s/);
  }
  await must('rm', '-f', id);
});

test('a health check whose shim is stuck counts as too late, and leaves no process', async () => {
  const id = await must(
    'run',
    '-d',
    '--health-cmd',
    'sleep 500',
    '--health-interval',
    '1s',
    '--health-timeout',
    '3s',
    'busybox',
    'sleep',
    '1000',
  );
  const shim = await eventually('the shim of a probe', async () => {
    const row = (await must('top', id, '-o', 'ppid,pid,args')).split('\n').find((line) => line.endsWith('sleep 500'));
    return row !== undefined && Number(row.trim().split(/\s+/)[0]);
  });
  process.kill(shim, 'SIGSTOP');
  await eventually(
    'its outcome',
    async () =>
      (await must('inspect', '-f', '{{range .State.Health.Log}}{{.Output}}{{end}}', id)).includes(
        'exceeded timeout (3s)',
      ),
    40_000,
  );
  await gone(shim);
  await must('rm', '-f', id);
});

test('a stuck spawner is replaced', async () => {
  const children = readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const spawner = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('spawner'));
  assert.ok(spawner);
  process.kill(spawner, 'SIGSTOP');
  const first = await daemon.gantry('run', '--rm', 'busybox', 'true');
  assert.match(first.stderr, /did not answer within 10 s/);
  await gone(spawner);
  assert.equal(await must('run', '--rm', 'busybox', 'echo', 'again'), 'again');
});

test('bind sources on a file system that hangs cost the daemon nothing but their own starts', async () => {
  using hung = hungFolder();
  // More than the threads that Node has for files.
  const starts = ['', '/x', '/x/y', '/z', '/x', '/y'].map((below) =>
    daemon.gantry('run', '--rm', '-v', `${hung.path}${below}:/x`, 'busybox', 'true'),
  );
  const given = daemon.gantry('create', '--mount', `type=bind,src=${hung.path}/x,dst=/x`, 'busybox');
  const startedMs = performance.now();
  assert.equal(await must('run', '--rm', 'busybox', 'echo', 'fine'), 'fine');
  assert.ok(performance.now() - startedMs < 8000, `the start took ${performance.now() - startedMs} ms`);
  for (const { code, stderr } of await Promise.all([...starts, given])) {
    assert.notEqual(code, 0);
    assert.match(stderr, /the file system of the bind source .* does not answer/);
  }
  assert.equal(await must('ps', '-aq'), '');
});
