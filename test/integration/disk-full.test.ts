// Owns what happens when the disk under the engine is full: a clear failure, nothing left behind, and the engine works on.

import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { nginx } from '../fixtures/nginx.ts';
import { startDaemon } from '../support/daemon.ts';
import { smallDisk } from '../support/disk.ts';
import { eventually } from '../support/patience.ts';

const MEBIBYTE = 1024 * 1024;

const freeMebibytes = (path: string) => {
  const { bavail, bsize } = statfsSync(path);
  return (bavail * bsize) / MEBIBYTE;
};

test('an image larger than the disk is refused whole, and its space given back', async () => {
  await using disk = await smallDisk(96);
  await using daemon = await startDaemon({ dataRoot: join(disk.path, 'data') });
  await daemon.load((await busybox()).archive);
  const before = freeMebibytes(disk.path);
  const said = await daemon.gantry('load', '-i', (await nginx()).archive, { timeoutMs: 120_000 });
  assert.equal(said.code, 1);
  assert.match(said.stderr, /no space left on device/);
  assert.ok(before - freeMebibytes(disk.path) < 4, `${before} MiB were free, now ${freeMebibytes(disk.path)}`);
  assert.equal((await daemon.gantry('run', '--rm', 'busybox', 'echo', 'still here')).stdout, 'still here\n');
});

test('a container that fills the disk gets the error itself; others go on, and rm gives the space back', async () => {
  await using disk = await smallDisk(64);
  await using daemon = await startDaemon({ dataRoot: join(disk.path, 'data') });
  await daemon.load((await busybox()).archive);
  const before = freeMebibytes(disk.path);
  const fill = 'cat /dev/zero > /fill; echo "ended with $?"';
  const said = await daemon.gantry('run', '--name', 'filler', 'busybox', 'sh', '-c', fill);
  assert.match(said.stderr, /No space left on device/);
  assert.equal((await daemon.api('GET', '/_ping')).status, 200);
  assert.equal((await daemon.gantry('rm', '-f', 'filler')).code, 0);
  await eventually('the space given back', () => before - freeMebibytes(disk.path) < 4);
  assert.equal((await daemon.gantry('run', '--rm', 'busybox', 'echo', 'again')).stdout, 'again\n');
});
