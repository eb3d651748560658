// Owns: tests with real runc and crun: run, failed start, exec, tty and resize, out of memory path. Refuses: what a fake runtime can show.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { processOf, type Runtime, runFields, runtimes, writeBundle } from './bundle.ts';
import { Attach, build, Control, exists, type Fields, removeDir, runDir, Spawner, unframe } from './link.ts';

let spawner: Spawner;
before(() => {
  build();
  spawner = new Spawner();
});
after(() => spawner.close());

let count = 0;
const newId = (): string => `shim-test-${process.pid}-${++count}`;

const begin = async (t: TestContext, fields: (dir: string) => Fields): Promise<{ dir: string; control: Control }> => {
  const dir = runDir();
  const answer = await spawner.request([['op', 'spawn'], ['dir', dir], ...fields(dir)]);
  assert.ok(answer.pid, JSON.stringify(answer));
  const control = new Control(dir);
  t.after(async () => {
    await Promise.race([control.command('signal', [['sig', 9]]), control.closed]);
    await control.closed;
    removeDir(dir);
  });
  return { dir, control };
};

const container = (
  t: TestContext,
  runtime: Runtime,
  script: string,
  more: Fields = [],
  terminal = false,
): Promise<{ dir: string; control: Control; id: string }> => {
  const id = newId();
  return begin(t, (dir) => {
    writeBundle(dir, script, terminal);
    return [...runFields(runtime, dir, id, terminal), ...more];
  }).then((run) => ({ ...run, id }));
};

const suite = (runtime: Runtime): void => {
  test(`${runtime.name}: a container runs, its output is framed, its exit told, its state cleaned up`, async (t) => {
    const { dir, control } = await container(t, runtime, 'echo hello; echo world >&2; exit 42');
    const attach = new Attach(dir, { stdout: true, stderr: true });
    await attach.ready;
    await control.command('start');
    await attach.ended;
    const { stdout, stderr } = unframe(attach.bytes);
    assert.equal(stdout.toString(), 'hello\n');
    assert.equal(stderr.toString(), 'world\n');
    assert.equal((await control.event('exited')).code, '42');
    await control.closed;
    assert.deepEqual(readdirSync(join(dir, 'state')), []);
  });

  test(`${runtime.name}: a container that cannot start tells the runtime's words`, async (t) => {
    const id = newId();
    const { control } = await begin(t, (dir) => {
      writeBundle(dir, 'true');
      const config = { ...processOf('true', false), args: ['/proc/no/such/program'] };
      const file = join(dir, 'config.json');
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), process: config }));
      return runFields(runtime, dir, id);
    });
    await control.command('start');
    const failed = await control.event('failed');
    assert.equal(failed.stage, 'runtime');
    assert.match(failed.text ?? '', /no such file or directory/i);
  });

  test(`${runtime.name}: exec under a shim of its own, with stdin and exit code`, async (t) => {
    const { dir, control, id } = await container(t, runtime, 'echo up; exec sleep 100');
    await control.command('start');
    await control.event('started');
    const exec = await begin(t, (execDir) => {
      writeFileSync(join(execDir, 'process.json'), JSON.stringify(processOf('read x; echo "exec $x"; exit 9', false)));
      const argv = [
        runtime.path,
        '--root',
        join(dir, 'state'),
        '--log',
        'fail.log',
        'exec',
        '--detach',
        '--process',
        'process.json',
        '--pid-file',
        'pid',
        id,
      ];
      return [
        ...runtime.steps,
        ...argv.map((arg): [string, string] => ['arg', arg]),
        ['pid-file', 'pid'],
        ['fail-file', 'fail.log'],
        ['stdin', 'open'],
        ['stdin-once', 1],
      ];
    });
    const attach = new Attach(exec.dir, { stdin: true, stdout: true });
    await attach.ready;
    attach.socket.end('word\n');
    await exec.control.command('start');
    await attach.ended;
    assert.equal(unframe(attach.bytes).stdout.toString(), 'exec word\n');
    assert.equal((await exec.control.event('exited')).code, '9');
    assert.equal((await control.command('signal', [['sig', 15]])).ok, '1');
    await control.command('signal', [['sig', 9]]);
    assert.equal((await control.event('exited')).code, '137');
  });

  test(`${runtime.name}: a tty has the asked size, takes input raw, resizes, and stores carriage returns`, async (t) => {
    const script =
      'stty size; read x; echo "got $x"; trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.02; done';
    const { dir, control } = await container(
      t,
      runtime,
      script,
      [
        ['stdin', 'open'],
        ['rows', 33],
        ['cols', 99],
      ],
      true,
    );
    const attach = new Attach(dir, { stdin: true, stdout: true });
    await attach.ready;
    attach.socket.write('abc\n');
    await control.command('start');
    await attach.until((bytes) => bytes.includes('ready\r\n'));
    assert.equal(
      (
        await control.command('resize', [
          ['rows', 10],
          ['cols', 20],
        ])
      ).ok,
      '1',
    );
    await attach.ended;
    const text = attach.bytes.toString();
    assert.match(text, /33 99\r\n/);
    assert.match(text, /got abc\r\n/);
    assert.match(text, /10 20\r\n/);
    assert.equal((await control.event('exited')).code, '3');
    assert.equal(exists(dir, 'console'), false);
  });

  test(`${runtime.name}: closing the last tty attacher leaves the process running`, async (t) => {
    const { dir, control } = await container(
      t,
      runtime,
      'read x; echo "got $x"; exit 5',
      [
        ['stdin', 'open'],
        ['stdin-once', 1],
      ],
      true,
    );
    await control.command('start');
    const first = new Attach(dir, { stdin: true, stdout: true });
    await first.ready;
    first.socket.destroy();
    const second = new Attach(dir, { stdin: true, stdout: true });
    await second.ready;
    second.socket.write('again\n');
    await second.ended;
    assert.match(second.bytes.toString(), /got again\r\n/);
    assert.equal((await control.event('exited')).code, '5');
  });

  test(`${runtime.name}: a large output through a tty is whole`, async (t) => {
    const { dir, control } = await container(t, runtime, 'stty -opost; seq 1 200000', [], true);
    const attach = new Attach(dir, { stdout: true });
    await attach.ready;
    await control.command('start');
    await attach.ended;
    const lines = attach.bytes.toString().split('\n');
    assert.equal(lines.length, 200_001);
    assert.equal(lines[199_999], '200000');
  });
};

for (const runtime of runtimes()) suite(runtime);
if (!runtimes().length) test('real runtimes', { skip: 'no runtime or no privilege here' });
