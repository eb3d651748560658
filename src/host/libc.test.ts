// Checks the libc door: errors carry errno and path, raw bytes pass as names, and a worker can use it.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  AT_FDCWD,
  cstring,
  errno,
  libc,
  must,
  O_CREAT,
  O_WRONLY,
  openHow,
  RESOLVE_IN_ROOT,
  SystemError,
  timespecs,
} from './libc.ts';

test('a failed call tells errno, call and path', () => {
  assert.equal(libc.openat(AT_FDCWD, '/nonexistent/x', 0, 0), -errno.ENOENT);
  assert.throws(
    () => must(libc.openat(AT_FDCWD, '/nonexistent/x', 0, 0), 'openat', '/nonexistent/x'),
    (error: unknown) =>
      error instanceof SystemError &&
      error.code === 'ENOENT' &&
      error.message === 'openat /nonexistent/x: no such file or directory',
  );
  assert.equal(libc.openat(AT_FDCWD, '/etc/passwd\0/../x', 0, 0), -errno.EINVAL);
});

test('openat2, names of raw bytes and times reach the file system', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-libc-'));
  try {
    const root = must(libc.openat(AT_FDCWD, dir, 0, 0), 'openat', dir);
    const name = cstring(Buffer.from([0x61, 0xff, 0xfe]));
    const fd = must(libc.openat2(root, name, openHow(O_CREAT | O_WRONLY, 0o600, RESOLVE_IN_ROOT)), 'openat2', name);
    must(libc.write(fd, Buffer.from('hello'), 5), 'write');
    must(libc.futimens(fd, timespecs(-5, 999_999_999)), 'futimens');
    must(libc.close(fd), 'close');
    must(libc.close(root), 'close');
    assert.deepEqual(readdirSync(dir, { encoding: 'buffer' }), [Buffer.from([0x61, 0xff, 0xfe])]);
    const stat = statSync(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0x61, 0xff, 0xfe])]), { bigint: true });
    assert.equal(stat.mtimeNs, -5_000_000_000n + 999_999_999n);
    assert.equal(stat.size, 5n);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a worker thread can call libc', async () => {
  const code = `import { libc } from ${JSON.stringify(new URL('./libc.ts', import.meta.url).href)};
    import { parentPort } from 'node:worker_threads';
    parentPort.postMessage(libc.openat(-100, '/nonexistent', 0, 0));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  const answer = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await worker.terminate();
  assert.equal(answer, -errno.ENOENT);
});
