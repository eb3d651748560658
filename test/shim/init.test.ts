// Owns: tests of the init process for containers. Refuses: being PID 1 for real (runtime tests of the engine do that).
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { before, test } from 'node:test';
import { alive, build, pause, program } from './link.ts';

before(build);

const init = (...command: string[]) => spawnSync(program, ['init', '--', ...command], { encoding: 'utf8' });

test("the command's exit status becomes init's", () => {
  assert.equal(init('sh', '-c', 'exit 7').status, 7);
  assert.equal(init('sh', '-c', 'kill -9 $$').status, 137);
  assert.equal(init('true').status, 0);
  assert.equal(init('sh', '-c', 'echo out; echo err >&2').stdout, 'out\n');
});

test('a missing command is 127, one that cannot run 126, and the words are told', () => {
  const absent = init('no-such-command');
  assert.equal(absent.status, 127);
  assert.match(
    absent.stderr,
    /^\[FATAL gantry-init \(\d+\)\] exec no-such-command failed: No such file or directory\n$/,
  );
  const folder = init('/etc');
  assert.equal(folder.status, 126);
  assert.match(folder.stderr, /exec \/etc failed: Permission denied\n$/);
  assert.equal(spawnSync(program, ['init']).status, 2);
  assert.equal(spawnSync(program, ['init', '--']).status, 2);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
  test(`${signal} is forwarded to the command`, async () => {
    const child = spawn(program, [
      'init',
      '--',
      'sh',
      '-c',
      `trap 'echo got; exit 5' ${signal.slice(3)}; echo up; while :; do sleep 0.02; done`,
    ]);
    await once(child.stdout, 'data');
    child.kill(signal);
    const [code] = await once(child, 'exit');
    assert.equal(code, 5);
  });
}

test('orphans are reaped, and the command has clean signals and a group of its own', async () => {
  const script =
    '(sh -c "sleep 0.05; exit 3" & ) ; (true &) ; sleep 0.2; ps -o stat= --ppid $PPID | grep -c Z; grep -E "^Sig(Blk|Ign)" /proc/self/status; ps -o pgid= -p $$; echo $$';
  const child = spawn(program, ['init', '--', 'sh', '-c', script]);
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  const [zombies, blocked, ignored, group, pid] = out.split('\n').map((line) => line.trim());
  assert.equal(zombies, '0');
  assert.match(blocked ?? '', /0{16}$/);
  assert.ok(ignored !== undefined);
  assert.equal(group, pid);
});

test('as PID 1 of a namespace, its end takes the rest along', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs privilege');
  const child = spawn('unshare', [
    '--pid',
    '--fork',
    '--mount-proc',
    program,
    'init',
    '--',
    'sh',
    '-c',
    'sleep 61.5 & echo up; cat; exit 4',
  ]);
  await once(child.stdout, 'data');
  child.stdin.end();
  const [code] = await once(child, 'exit');
  assert.equal(code, 4);
  await pause(50);
  assert.equal(spawnSync('pgrep', ['-fx', 'sleep 61.5']).status, 1);
  assert.equal(alive(child.pid ?? 0), false);
});
