// Contract of the rooted door: nothing resolves outside the root, not even while links are being swapped.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { bytesOfText as b } from '../../lib/bytes.ts';
import { openRooted, ParentDirs } from './index.ts';

function makeRoot(): { root: string; outside: string; [Symbol.dispose](): void } {
  const base = mkdtempSync(join(tmpdir(), 'gantry-rooted-'));
  const [root, outside] = [join(base, 'root'), join(base, 'outside')];
  mkdirSync(join(root, 'etc'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(root, 'etc/passwd'), 'inside');
  writeFileSync(join(outside, 'passwd'), 'outside');
  return { root, outside, [Symbol.dispose]: () => rmSync(base, { recursive: true }) };
}

test('absolute links, climbing links and dots stay inside the root', () => {
  using made = makeRoot();
  symlinkSync('/etc', join(made.root, 'absolute'));
  symlinkSync('../../../../etc', join(made.root, 'climbing'));
  using root = openRooted(made.root);
  for (const path of ['/etc/passwd', 'etc/passwd', '../../etc/passwd', 'absolute/passwd', 'climbing/passwd']) {
    assert.equal(root.readFile(b(path), 100).toString(), 'inside', path);
  }
  assert.equal(root.stat(b('absolute')).type, 'directory');
  assert.equal(root.stat(b('absolute'), { follow: false }).type, 'symlink');
  assert.equal(root.readLink(b('climbing')), '../../../../etc');
  assert.throws(() => root.readFile(b('missing'), 1), /no such file/);
  assert.throws(() => root.readFile(b('etc'), 1), /no regular file/);
  assert.throws(() => root.readFile(b('etc/passwd'), 5), /larger than 5/);
  assert.throws(() => root.readFile(b('etc/passwd\0x'), 5), /invalid argument/);
});

test('a fifo does not hang the reader', async () => {
  using made = makeRoot();
  const { execFileSync } = await import('node:child_process');
  execFileSync('mkfifo', [join(made.root, 'fifo')]);
  using root = openRooted(made.root);
  assert.throws(() => root.readFile(b('fifo'), 1), /no regular file/);
});

test('walk lists everything once and follows no link', () => {
  using made = makeRoot();
  symlinkSync(made.outside, join(made.root, 'etc/link'));
  using root = openRooted(made.root);
  const seen = [...root.walk(b('/'))].map(({ path, stat }) => `${path} ${stat.type}`);
  assert.deepEqual(seen, ['etc directory', 'etc/link symlink', 'etc/passwd file']);
});

test('a directory swapped for a link to the outside never leads there', async () => {
  using made = makeRoot();
  symlinkSync(made.outside, join(made.root, 'trap'));
  mkdirSync(join(made.root, 'swap'));
  writeFileSync(join(made.root, 'swap/passwd'), 'inside');
  const code = `import { renameSync } from 'node:fs'; import { workerData as d, parentPort } from 'node:worker_threads';
    parentPort.postMessage('go');
    for (let i = 0; i < 3000; i++) { renameSync(d + '/swap', d + '/tmp'); renameSync(d + '/trap', d + '/swap');
      renameSync(d + '/swap', d + '/trap'); renameSync(d + '/tmp', d + '/swap'); }
    parentPort.postMessage('done');`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: made.root });
  const ended = new Promise((resolve, reject) => {
    worker.on('exit', resolve);
    worker.on('error', reject);
  });
  await new Promise((resolve) => worker.once('message', resolve));
  let over = false;
  worker.once('message', () => (over = true));
  using root = openRooted(made.root);
  const texts = new Set<string>();
  while (!over) {
    try {
      texts.add(root.readFile(b('swap/passwd'), 100).toString());
    } catch (error) {
      texts.add((error as { code?: string }).code ?? String(error));
    }
    await new Promise(setImmediate);
  }
  await ended;
  assert.ok(!texts.has('outside'), [...texts].join());
});

test('parent directories are made inside the root, and remembered until cleared', () => {
  using made = makeRoot();
  symlinkSync(made.outside, join(made.root, 'out'));
  using root = openRooted(made.root);
  using parents = new ParentDirs(root, { capacity: 2 });
  const fd = parents.get(b('a/b/c'));
  assert.equal(parents.get(b('a/b/c')), fd);
  assert.equal(root.stat(b('a/b/c')).mode, 0o755);
  parents.get(b('out/x'));
  assert.ok(!existsSync(join(made.outside, 'x')), 'what a link out of the root names is made inside it');
  assert.ok(existsSync(join(made.root, made.outside, 'x')));
  assert.throws(() => parents.get(b('etc/passwd')), /not a directory/);
  renameSync(join(made.root, 'a'), join(made.root, 'b'));
  parents.clear();
  assert.throws(() => root.stat(b('a')), /no such file/);
  parents.get(b('a'));
  assert.equal(root.stat(b('a')).type, 'directory');
});
