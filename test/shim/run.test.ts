// Owns: tests of the spawner's short commands. Refuses: shims.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withSpawner } from './begin.ts';
import { alive, type Message } from './link.ts';

const { spawner } = withSpawner();

const run = (script: string, more: [string, string | number][] = []): Promise<Message> =>
  spawner().request([['op', 'run'], ['arg', '/bin/sh'], ['arg', '-c'], ['arg', script], ...more]);

test('a command answers with code, out and err', async () => {
  const { code, out, err } = await run('echo a; echo b >&2; exit 3');
  assert.deepEqual({ code, out, err }, { code: '3', out: 'a\n', err: 'b\n' });
  assert.equal((await run('kill -9 $$')).code, '137');
  assert.equal((await run('printf "a\\0b"')).out, 'a b');
});

test('output is cut at 64 KiB, and a command that prints more still ends', async () => {
  const answer = await run('head -c 3000000 /dev/zero | tr "\\0" x; exit 1');
  assert.equal(answer.out?.length, 65_536);
  assert.equal(answer.code, '1');
});

test('a command out of time is killed with what it started', async () => {
  const start = performance.now();
  const answer = await run('sleep 50 & echo $! >&2; echo $! ; sleep 50', [['timeout-ms', 100]]);
  assert.equal(answer.stage, 'timeout');
  assert.equal(answer.errno, '110');
  assert.ok(performance.now() - start < 2000);
  const left = await run('pgrep -fx "sleep 50" | wc -l');
  assert.equal(left.code, '0');
});

test('a command need not wait for those who keep its output', async () => {
  const start = performance.now();
  const answer = await run('sleep 2 & echo $!');
  assert.equal(answer.code, '0');
  assert.ok(performance.now() - start < 1000);
  assert.ok(alive(Number(answer.out)));
  process.kill(Number(answer.out), 'SIGKILL');
});

test('steps come before the command, and their failure or a missing program is told', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-shim-run-'));
  const answer = await run('pwd; cat f; readlink /proc/self/ns/mnt', [
    ['step', 'unshare\x1fmount'],
    ['step', `mount\x1ftmpfs\x1ftmpfs\x1f${folder}\x1f0\x1fsize=64k`],
    ['step', `chdir\x1f${folder}`],
    ['step', 'write\x1ff\x1fhello\n'],
  ]);
  if (process.getuid?.() === 0) {
    const [cwd, text, namespace] = (answer.out ?? '').split('\n');
    assert.deepEqual([cwd, text], [folder, 'hello']);
    assert.notEqual(namespace, (await run('readlink /proc/self/ns/mnt')).out?.trim());
  }
  assert.equal((await run('true', [['step', 'chdir\x1f/proc/no/such']])).stage, 'step:chdir');
  for (const more of [[], [['step', 'chdir\x1f/']]] as [string, string][][]) {
    const absent = await spawner().request([['op', 'run'], ['arg', 'no-such-program'], ...more]);
    assert.deepEqual([absent.stage, absent.errno], ['exec', '2']);
  }
  rmSync(folder, { recursive: true });
});

const isRoot = process.getuid?.() === 0;

test('a part of a folder is bound, and no link in it leads out of the folder', async (t) => {
  if (!isRoot) return t.skip('needs privilege');
  const folder = mkdtempSync(join(tmpdir(), 'gantry-shim-bind-'));
  const root = join(folder, 'root');
  mkdirSync(join(root, 'a/b'), { recursive: true });
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'a/b/file'), 'inside');
  writeFileSync(join(root, 'etc/hostname'), 'the root’s own');
  symlinkSync('/etc', join(root, 'absolute'));
  symlinkSync('../../../../../../etc', join(root, 'climbing'));
  symlinkSync('/proc/self/root', join(root, 'magic'));
  const show = async (path: string, command: string) =>
    run(command, [
      ['step', 'unshare\x1fmount'],
      ['step', `bind\x1f${root}\x1f${path}\x1f${folder}/target-${path.replaceAll('/', '-')}`],
      ['step', `chdir\x1f${folder}`],
    ]);
  assert.equal((await show('a/b', 'cat target-a-b/file')).out, 'inside');
  assert.equal((await show('a/b/file', 'cat target-a-b-file')).out, 'inside');
  for (const link of ['absolute', 'climbing'])
    assert.equal((await show(link, `cat target-${link}/hostname`)).out, 'the root’s own', link);
  for (const [path, errno] of [
    ['missing', '2'],
    ['magic', '2'],
    ['../root/a/b/../../../x', '2'],
  ] as const) {
    const refused = await show(path, 'true');
    assert.deepEqual([refused.stage, refused.errno], ['step:bind', errno], path);
    assert.ok(refused.text?.startsWith(`${path}: `), String(refused.text));
  }
  rmSync(folder, { recursive: true });
});

test('mounts that are held stay in touch with those that they were copied from', async (t) => {
  if (!isRoot) return t.skip('needs privilege');
  const folder = mkdtempSync(join(tmpdir(), 'gantry-shim-hold-'));
  const setUp = `mount -t tmpfs top ${folder} && mount --make-shared ${folder} && mkdir ${folder}/in ${folder}/out`;
  assert.equal((await run(setUp)).code, '0');
  try {
    const target = mkdtempSync(join(tmpdir(), 'gantry-shim-put-'));
    const held: [string, string][] = [
      ['step', `hold\x1f${folder}`],
      ['step', 'unshare\x1fmount'],
      ['step', `put\x1f${target}`],
    ];
    const inside = await run(`mount -t tmpfs inner ${target}/in && touch ${target}/in/made`, held);
    assert.equal(inside.code, '0', String(inside.err));
    assert.equal((await run(`ls ${folder}/in`)).out, 'made\n');
    rmSync(target, { recursive: true });
  } finally {
    await run(`umount ${folder}/in; umount ${folder}; rmdir ${folder}`);
  }
  assert.equal((await run('true', [['step', 'put\x1f/x']])).stage, 'step:put');
  assert.equal((await run('true', [['step', 'hold\x1f/proc/no/such']])).errno, '2');
});

test('a new network namespace has its loopback up', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs privilege');
  const answer = await run(
    'cat /sys/class/net/lo/operstate; cat /proc/net/dev | wc -l; ip -o link show lo 2>/dev/null',
    [['step', 'unshare\x1fnet']],
  );
  assert.match(answer.out ?? '', /\n3\n/);
});

test('many commands at once all answer, each with its own output', async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => run(`echo ${i}; exit ${i % 50}`)));
  answers.forEach((answer, i) => {
    assert.deepEqual([answer.out, answer.code], [`${i}\n`, String(i % 50)]);
  });
});

test('commands find clean signals, no stray descriptors, and /dev/null as stdin', async () => {
  const answer = await run('grep -E "^Sig(Blk|Ign)" /proc/self/status; ls /proc/self/fd; cat');
  assert.match(answer.out ?? '', /SigBlk:\t0{16}\nSigIgn:\t0{16}\n0\n1\n2\n3\n$/);
});
