// Owns: tests of processes that the shim begins in a session of their own, and of what they report. Refuses: real runtimes.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { withSpawner } from './begin.ts';
import { Attach, Control, pause, program, removeDir, runDir, unframe } from './link.ts';

const { spawner } = withSpawner();

let sealed = 0;
before(async () => {
  const answer = await spawner().request([
    ['op', 'seal'],
    ['path', program],
  ]);
  sealed = Number(answer.fd);
});

interface Starting {
  readonly dir: string;
  readonly control: Control;
}

/** A shim whose runtime is `body`, which leaves a process with its pid in `pid`. */
const begin = async (t: TestContext, body: string): Promise<Starting> => {
  const dir = runDir();
  const args = ['/bin/sh', '-c', body].map((arg): [string, string] => ['arg', arg]);
  const answer = await spawner().request([
    ['op', 'spawn'],
    ['dir', dir],
    ...args,
    ['pid-file', 'pid'],
    ['session', sealed],
  ]);
  assert.ok(Number(answer.pid) > 0, JSON.stringify(answer));
  const control = new Control(dir);
  t.after(async () => {
    await Promise.race([control.command('abandon'), control.closed]);
    await Promise.race([control.command('signal', [['sig', 9]]), control.closed]);
    await control.closed;
    removeDir(dir);
  });
  return { dir, control };
};

/** The process is on its way to `command`, by the descriptors that the runtime was given. */
const starting = (t: TestContext, command: string): Promise<Starting> => {
  const process = `while kill -0 $runtime 2>/dev/null; do :; done; exec /proc/self/fd/3 session -- ${command}`;
  return begin(t, `runtime=$$; PATH=$PWD/bin:/usr/bin:/bin; (${process}) & printf %s $! > pid`);
};

test('a process begins in a session of its own, with no descriptor but its three', async (t) => {
  const { dir, control } = await starting(t, `sh -c 'cut -d" " -f1,5,6 /proc/$$/stat; echo $$; ls /proc/$$/fd'`);
  const attach = new Attach(dir, { stdout: true, stderr: true });
  await attach.ready;
  await control.command('start');
  await attach.ended;
  const [stat = '', pid = '', ...descriptors] = unframe(attach.bytes).stdout.toString().trim().split('\n');
  assert.equal(stat, `${pid} ${pid} ${pid}`);
  assert.deepEqual(descriptors, ['0', '1', '2']);
  assert.equal((await control.event('exited')).code, '0');
});

test('a program that cannot be run fails the start, with its errno', async (t) => {
  for (const [command, errno] of [
    ['no-such-program', '2'],
    ['/proc/no/such/program', '2'],
    ['/etc/shadow', '13'],
    ['/etc', '21'],
    ['""', '2'],
  ]) {
    const { control } = await starting(t, String(command));
    await control.command('start');
    const failed = await control.event('failed');
    assert.deepEqual([failed.stage, failed.errno], ['session', errno], String(command));
    await control.closed;
  }
});

test('PATH is searched on past what may not be run, and a text is no program', async (t) => {
  const begun = await starting(t, 'tool');
  mkdirSync(join(begun.dir, 'bin/tool'), { recursive: true });
  await begun.control.command('start');
  assert.equal((await begun.control.event('failed')).errno, '13', 'found, but a folder');
  const text = await starting(t, 'tool');
  mkdirSync(join(text.dir, 'bin'));
  writeFileSync(join(text.dir, 'bin/tool'), 'echo no program');
  chmodSync(join(text.dir, 'bin/tool'), 0o755);
  await text.control.command('start');
  assert.equal((await text.control.event('failed')).errno, '8');
});

test('a process that is killed on its way has ended, and is not waited for', async (t) => {
  const { control } = await starting(t, 'sleep 100');
  await control.command('start');
  const { pid } = await control.event('started');
  process.kill(Number(pid), 'SIGKILL');
  assert.equal((await control.event('exited')).code, '137');
});

test('an abandoned start leaves no process on its way', async (t) => {
  // One that never reports.
  const { control } = await begin(t, 'sleep 100 & printf %s $! > pid');
  await control.command('start');
  await pause(100);
  await control.command('abandon');
  await Promise.race([control.closed, pause(3000).then(() => assert.fail('the shim still waits'))]);
});
