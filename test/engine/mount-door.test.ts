// Owns the contract of the mount door on this host's kernel, and what only a kernel can show. Needs root.

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linuxMounts } from '../../src/host/mount/index.ts';
import { mountsContract } from '../../src/host/mount/testing/contract.ts';

mountsContract('the kernel’s mount door', (dir) => linuxMounts(join(dir, 'mounts')));

function makePlace(): { readonly dir: string; [Symbol.dispose](): void } {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-mount-'));
  for (const path of ['layers/1', 'layers/2', 'up', 'work', 'shm']) mkdirSync(join(dir, path), { recursive: true });
  writeFileSync(join(dir, 'layers/1/top'), 'top');
  writeFileSync(join(dir, 'layers/2/below'), 'below');
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}

test('an overlay shows all layers, is read-only without a layer of its own, and is seen by nobody', async () => {
  using place = makePlace();
  const { dir } = place;
  await using mounts = linuxMounts(join(dir, 'mounts'));
  const request = { lower: ['1', '2'], from: join(dir, 'layers') };
  const cwd = process.cwd();
  const writable = { upper: join(dir, 'up'), work: join(dir, 'work') };
  await using both = await mounts.overlay({ ...request, writable });
  assert.deepEqual(readdirSync(`/proc/self/fd/${both.fd}`).sort(), ['below', 'top']);
  await using image = await mounts.overlay(request);
  assert.deepEqual(readdirSync(`/proc/self/fd/${image.fd}`).sort(), ['below', 'top']);
  assert.throws(() => writeFileSync(`/proc/self/fd/${image.fd}/new`, ''), { code: 'EROFS' });
  await using single = await mounts.overlay({ ...request, lower: ['2'] });
  assert.deepEqual(readdirSync(`/proc/self/fd/${single.fd}`), ['below']);
  assert.equal(process.cwd(), cwd);
  assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(dir));
  assert.ok(existsSync(join(dir, 'mounts/place')));
});

test('shared memory has the size that was asked for, and runs no program', async () => {
  using place = makePlace();
  const shm = join(place.dir, 'shm');
  await using mounts = linuxMounts(join(place.dir, 'mounts'));
  mounts.memory(shm, 1 << 20);
  try {
    const { blocks, bsize } = statfsSync(shm);
    assert.equal(blocks * bsize, 1 << 20);
    const line = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find((text) => text.includes(shm));
    assert.match(line ?? '', /nosuid,nodev,noexec/);
  } finally {
    mounts.detach(shm);
  }
});
