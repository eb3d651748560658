// Owns: tests of a process's life under a shim: start, exit, control. Refuses: failed starts, streams and logs (their own files).
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  Attach,
  alive,
  build,
  Control,
  exists,
  type Fields,
  fakeRuntime,
  pause,
  readText,
  removeDir,
  runDir,
  Spawner,
  slowCleanup,
} from './link.ts';

let spawner: Spawner;
before(() => {
  build();
  spawner = new Spawner();
});
after(() => spawner.close());

const begin = async (script: string, more: Fields = []): Promise<{ dir: string; control: Control; pid: number }> => {
  const dir = runDir();
  const answer = await spawner.request([['op', 'spawn'], ['dir', dir], ...fakeRuntime(dir, script), ...more]);
  assert.ok(Number(answer.pid) > 0, JSON.stringify(answer));
  return { dir, control: new Control(dir), pid: Number(answer.pid) };
};

test('a process starts, exits, and its exit is told and recorded', async () => {
  const { dir, control, pid } = await begin('exit 7');
  assert.equal((await control.event('ready')).pid, String(pid));
  assert.deepEqual(await control.command('start'), { seq: '1', ok: '1' });
  const started = await control.event('started');
  assert.ok(Number(started.pid) > 0);
  const exited = await control.event('exited');
  assert.equal(exited.code, '7');
  assert.equal(exited.oom, '0');
  await control.closed;
  assert.match(readText(dir, 'exit'), /^code=7\nat=\d{19}\noom=0\n$/);
  assert.equal(readText(dir, 'shim.pid').trim(), String(pid));
  assert.equal(exists(dir, 'sock'), false);
  await pause(20);
  assert.equal(alive(pid), false);
  removeDir(dir);
});

for (const [name, sig, code] of [
  ['SIGKILL', 9, '137'],
  ['SIGTERM', 15, '143'],
  ['SIGUSR1', 10, '138'],
] as const) {
  test(`${name} ends the process with code ${code}`, async () => {
    const { dir, control } = await begin('exec sleep 100', [['auto-start', 1]]);
    await control.event('started');
    assert.equal((await control.command('signal', [['sig', sig]])).ok, '1');
    assert.equal((await control.event('exited')).code, code);
    const late = await control.command('signal', [['sig', sig]]);
    assert.ok(late.errno === '3' || late.stage === 'closed', JSON.stringify(late));
    await control.closed;
    removeDir(dir);
  });
}

test('a second start and commands that do not fit are refused with stage and errno', async () => {
  const { dir, control } = await begin('exec sleep 100');
  await control.event('ready');
  assert.equal((await control.command('signal', [['sig', 15]])).errno, '3');
  assert.equal(
    (
      await control.command('resize', [
        ['rows', 1],
        ['cols', 1],
      ])
    ).errno,
    '25',
  );
  assert.equal((await control.command('dance')).stage, 'parse');
  // A newer engine may say more than this shim knows.
  assert.equal((await control.command('start', [['colour', 'red']])).ok, '1');
  assert.equal((await control.command('start')).stage, 'start');
  await control.event('started');
  assert.equal((await control.command('abandon')).stage, 'abandon');
  await control.command('signal', [['sig', 9]]);
  await control.closed;
  removeDir(dir);
});

test('an abandoned start runs the cleanup, records nothing, and ends', async () => {
  const { dir, control } = await begin('exit 0', [
    ['cleanup-arg', '/bin/sh'],
    ['cleanup-arg', '-c'],
    ['cleanup-arg', 'echo done > cleaned'],
  ]);
  await control.event('ready');
  assert.equal((await control.command('abandon')).ok, '1');
  await control.closed;
  assert.equal(readText(dir, 'cleaned'), 'done\n');
  assert.equal(exists(dir, 'exit'), false);
  removeDir(dir);
});

test('a runtime whose helper still holds the process when it exits is a good start (crun does so)', async () => {
  const dir = runDir();
  const script =
    '(sh -c "exec sleep 100" & echo $! > pid.tmp; mv pid.tmp pid; sleep 0.2) & while [ ! -s pid ]; do :; done';
  await spawner.request([
    ['op', 'spawn'],
    ['dir', dir],
    ['arg', '/bin/sh'],
    ['arg', '-c'],
    ['arg', script],
    ['pid-file', 'pid'],
    ['auto-start', 1],
  ]);
  const control = new Control(dir);
  const started = await control.event('started');
  assert.equal(started.pid, readText(dir, 'pid').trim());
  assert.equal((await control.command('signal', [['sig', 9]])).ok, '1');
  assert.equal((await control.event('exited')).code, '137');
  await control.closed;
  removeDir(dir);
});

test('an out-of-memory kill is told from the cgroup file', async () => {
  const dir = runDir();
  writeFileSync(join(dir, 'events'), 'low 0\noom 3\noom_kill 2\n');
  await spawner.request([
    ['op', 'spawn'],
    ['dir', dir],
    ...fakeRuntime(dir, 'sleep 0.1; kill -9 $$'),
    ['oom-file', join(dir, 'events')],
  ]);
  const control = new Control(dir);
  await control.command('start');
  const exited = await control.event('exited');
  assert.equal(exited.code, '137');
  assert.equal(exited.oom, '1');
  await control.closed;
  assert.match(readText(dir, 'exit'), /oom=1/);
  removeDir(dir);
});

test('kills for memory are told while the process runs, and to those who connect later', async () => {
  const dir = runDir();
  const events = join(dir, 'events');
  writeFileSync(events, 'low 0\noom 0\noom_kill 0\n');
  await spawner.request([['op', 'spawn'], ['dir', dir], ...fakeRuntime(dir, 'exec sleep 1000'), ['oom-file', events]]);
  const control = new Control(dir);
  await control.command('start');
  await control.event('started');
  await pause(200);
  writeFileSync(events, 'low 0\noom 1\noom_kill 1\n');
  assert.equal((await control.event('oom')).kills, '1');
  const late = new Control(dir);
  assert.equal((await late.event('started')).oom, '1');
  writeFileSync(events, 'low 0\noom 9\noom_kill 9\n');
  assert.equal((await late.event('oom')).kills, '9');
  for (let kills = 10; kills < 200; kills++) {
    writeFileSync(events, `oom_kill ${kills}\n`);
    await pause(1);
  }
  await control.command('signal', [['sig', 9]]);
  const exited = await control.event('exited');
  assert.deepEqual([exited.code, exited.oom], ['137', '1']);
  const told = control.events.filter(({ ev }) => ev === 'oom');
  assert.equal(told.at(-1)?.kills, '199');
  assert.ok(told.length < 30, `a storm is told in ${told.length} messages`);
  await control.closed;
  removeDir(dir);
});

test('while the cleanup runs a new control connection is told of the exit', async () => {
  const { dir, control } = await begin('exit 4', [...slowCleanup]);
  await control.event('ready');
  await control.command('start');
  await control.event('exited');
  const late = new Control(dir);
  assert.equal((await late.event('exited')).code, '4');
  const attach = new Attach(dir, { stdout: true });
  await attach.ready;
  await attach.ended;
  await late.closed;
  removeDir(dir);
});

test('a process whose engine goes away lives on, and tells the next engine', async () => {
  const engine = new Spawner();
  const dir = runDir();
  const answer = await engine.request([
    ['op', 'spawn'],
    ['dir', dir],
    ...fakeRuntime(dir, 'trap "exit 5" USR1; while :; do sleep 0.02; done'),
    ['auto-start', 1],
  ]);
  const first = new Control(dir);
  const started = await first.event('started');
  first.socket.destroy();
  await engine.kill();
  await pause(50);
  assert.ok(alive(Number(answer.pid)));
  process.kill(Number(answer.pid), 'SIGTERM');
  process.kill(Number(answer.pid), 'SIGHUP');
  const second = new Control(dir);
  assert.deepEqual(await second.event('started'), started);
  await second.command('signal', [['sig', 10]]);
  assert.equal((await second.event('exited')).code, '5');
  await second.closed;
  removeDir(dir);
});

test('the spawner ends with its link and leaves no zombie of a shim', async () => {
  const engine = new Spawner();
  const dir = runDir();
  const answer = await engine.request([
    ['op', 'spawn'],
    ['dir', dir],
    ...fakeRuntime(dir, 'exit 0'),
    ['auto-start', 1],
  ]);
  const control = new Control(dir);
  await control.closed;
  const run = await engine.request([
    ['op', 'run'],
    ['arg', '/bin/sh'],
    ['arg', '-c'],
    ['arg', `ps -o stat= --ppid ${engine.pid} | grep -c Z; true`],
  ]);
  assert.equal(run.out, '0\n');
  assert.ok(answer.pid);
  assert.equal(await engine.close(), 0);
  removeDir(dir);
});

test('a socket is reachable below a path longer than a socket address', async () => {
  const dir = runDir();
  const deep = join(dir, 'd'.repeat(100), 'e'.repeat(100));
  const made = await spawner.request([
    ['op', 'run'],
    ['arg', 'mkdir'],
    ['arg', '-p'],
    ['arg', deep],
  ]);
  assert.equal(made.code, '0');
  const answer = await spawner.request([
    ['op', 'spawn'],
    ['dir', deep],
    ...fakeRuntime(deep, 'exit 9'),
    ['auto-start', 1],
  ]);
  assert.ok(answer.pid);
  for (let i = 0; i < 200 && !exists(deep, 'exit'); i++) await pause(5);
  assert.match(readText(deep, 'exit'), /^code=9\n/);
  removeDir(dir);
});
