// Owns: tests of starts that fail, in the runtime, in a step or in the specification, and of what the shim reports.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { build, Control, type Fields, readText, removeDir, runDir, Spawner, slowCleanup } from './link.ts';

let spawner: Spawner;
before(() => {
  build();
  spawner = new Spawner();
});
after(() => spawner.close());

const fails = async (fields: Fields): Promise<{ failed: Record<string, string>; record: string }> => {
  const dir = runDir();
  const answer = await spawner.request([['op', 'spawn'], ['dir', dir], ...fields]);
  assert.ok(answer.pid, JSON.stringify(answer));
  const control = new Control(dir);
  await control.command('start');
  const failed = await control.event('failed');
  await control.closed;
  const record = readText(dir, 'exit');
  removeDir(dir);
  return { failed, record };
};

test('a failed start tells what the runtime wrote in its log', async () => {
  const script = 'echo "executable file not found in \\$PATH" > fail.log; exit 1';
  const { failed, record } = await fails([
    ['arg', '/bin/sh'],
    ['arg', '-c'],
    ['arg', script],
    ['pid-file', 'pid'],
    ['fail-file', 'fail.log'],
  ]);
  assert.deepEqual(failed, {
    ev: 'failed',
    version: '1',
    stage: 'runtime',
    errno: '0',
    text: 'executable file not found in $PATH\n',
  });
  assert.equal(record, 'stage=runtime\nerrno=0\ntext=executable file not found in $PATH\n\n');
});

test('a failed start without a log tells what the runtime printed, else its status', async () => {
  const printed = await fails([
    ['arg', '/bin/sh'],
    ['arg', '-c'],
    ['arg', 'echo sorry >&2; exit 1'],
    ['pid-file', 'pid'],
  ]);
  assert.equal(printed.failed.text, 'sorry\n');
  const silent = await fails([
    ['arg', '/bin/sh'],
    ['arg', '-c'],
    ['arg', 'exit 3'],
    ['pid-file', 'pid'],
  ]);
  assert.equal(silent.failed.text, 'the runtime exited with status 3');
});

test('a runtime that is not there, leaves no pid or names a stranger is a failed start', async () => {
  const absent = await fails([
    ['arg', '/proc/no/such/runtime'],
    ['pid-file', 'pid'],
  ]);
  assert.equal(absent.failed.stage, 'exec');
  assert.equal(absent.failed.errno, '2');
  assert.equal(absent.failed.text, '/proc/no/such/runtime: No such file or directory');
  const noPid = await fails([
    ['arg', '/bin/true'],
    ['pid-file', 'pid'],
  ]);
  assert.equal(noPid.failed.stage, 'pid-file');
  const stranger = await fails([
    ['arg', '/bin/sh'],
    ['arg', '-c'],
    ['arg', 'echo 1 > pid'],
    ['pid-file', 'pid'],
  ]);
  assert.equal(stranger.failed.stage, 'pid-file');
  assert.equal(stranger.failed.errno, '10');
});

test('a failed step names itself, and later steps do not run', async () => {
  const { failed } = await fails([
    ['arg', '/bin/true'],
    ['pid-file', 'pid'],
    ['step', 'mkdir\x1fone\x1f0755'],
    ['step', 'chdir\x1f/proc/no/such/place'],
    ['step', 'mkdir\x1ftwo\x1f0755'],
    ...slowCleanup,
  ]);
  assert.deepEqual(failed, {
    ev: 'failed',
    version: '1',
    stage: 'step:chdir',
    errno: '2',
    text: '/proc/no/such/place: No such file or directory',
  });
});

test('malformed specifications are refused by the spawner, which lives on', async () => {
  const dir = runDir();
  const refused = async (fields: Fields): Promise<Record<string, string>> => spawner.request(fields);
  assert.equal((await refused([['op', 'spawn']])).stage, 'parse');
  assert.equal(
    (
      await refused([
        ['op', 'spawn'],
        ['dir', dir],
        ['arg', 'x'],
        ['pid-file', 'p'],
        ['nonsense', 1],
      ])
    ).stage,
    'parse',
  );
  assert.equal(
    (
      await refused([
        ['op', 'spawn'],
        ['dir', dir],
        ['arg', 'x'],
        ['pid-file', 'p'],
        ['tty', 2],
      ])
    ).stage,
    'parse',
  );
  assert.equal(
    (
      await refused([
        ['op', 'spawn'],
        ['dir', '/proc/no/such'],
        ['arg', 'x'],
        ['pid-file', 'p'],
      ])
    ).stage,
    'dir',
  );
  assert.equal((await refused([['op', 'jump']])).stage, 'parse');
  assert.equal(
    (
      await refused([
        ['op', 'run'],
        ['arg', '/bin/true'],
      ])
    ).code,
    '0',
  );
  removeDir(dir);
});
