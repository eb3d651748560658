// Disks that are full, out of inodes, or read-only: every verb says so in words, with the path, and leaves nothing half-made.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { libc, MNT_DETACH, MS_RDONLY, MS_REMOUNT, must } from '../../src/host/libc.ts';
import { isGantryError } from '../../src/lib/errors.ts';
import { type FakeRegistry, openFakeRegistry } from '../../src/remote/testing/fake-registry.ts';
import {
  archiveOf,
  collect,
  imageOf,
  layerOf,
  NEVER,
  openWorkbench,
  streamOf,
  tarOf,
  type Workbench,
} from './support.ts';

/** A throwaway disk in memory. */
function openDisk(
  options: string,
  path = mkdtempSync(join(tmpdir(), 'gantry-disk-')),
): { readonly path: string; readonly mount: (flags: number) => void } & Disposable {
  must(libc.mount('tmpfs', path, 'tmpfs', 0, `mode=755,${options}`), 'mount', path);
  return {
    path,
    mount: (flags) => void must(libc.mount('tmpfs', path, 'tmpfs', MS_REMOUNT | flags, options), 'mount', path),
    [Symbol.dispose]() {
      libc.umount2(path, MNT_DETACH);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Leaves `freeBytes` on the disk. */
function fill(disk: string, freeBytes: number): Disposable {
  const path = join(disk, 'filler');
  const fd = openSync(path, 'w');
  const { bavail, bsize } = statfsSync(disk);
  const block = Buffer.alloc(4096);
  for (let left = bavail * bsize - freeBytes; left >= block.length; left -= block.length) writeSync(fd, block);
  closeSync(fd);
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

const LAYERS = [
  layerOf(tarOf(...Array.from({ length: 20 }, (_, i) => ({ name: `d${i}/f`, data: randomBytes(20_000) })))),
  layerOf(
    tarOf({ name: 'big', data: randomBytes(700_000) }, { name: 'twice', data: 'a' }, { name: 'twice', data: 'b' }),
  ),
];
const IMAGE = imageOf(LAYERS);
const ARCHIVE = archiveOf([{ image: IMAGE, tags: ['x:1'] }]);

const VERBS: Readonly<Record<string, (bench: Workbench, registry: FakeRegistry) => Promise<unknown>>> = {
  pull: (bench, registry) => bench.images.pull({ reference: `${registry.host}/demo:1` }, bench.report, NEVER),
  load: (bench) => bench.images.load(streamOf(ARCHIVE), bench.report, NEVER),
  import: (bench) =>
    bench.images.import(streamOf(LAYERS[1]?.tar ?? ARCHIVE), { changes: [], message: '' }, bench.report, NEVER),
};

/** `write /path: no space left on device`, in our words and the system's, never in Node's. */
const IN_WORDS = /^(\w+ \S.*|cannot write the records): (no space left on device|disk quota exceeded)$/;

async function assertRefused(work: Promise<unknown>, bench: Workbench, what: string): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    assert.ok(isGantryError(error, 'exhausted'), `${what}: ${error instanceof Error ? error.stack : error}`);
    assert.match(error.message, IN_WORDS, what);
    assert.deepEqual(bench.leftovers(), [], what);
    assert.deepEqual(bench.images.list(), [], what);
    return true;
  }
}

for (const [verb, work] of Object.entries(VERBS)) {
  test(`${verb} on a disk that is full at any moment says what could not be written, and leaves nothing`, async () => {
    await using registry = await openFakeRegistry();
    registry.push('demo', '1', IMAGE);
    using disk = openDisk('size=6m');
    mkdirSync(join(disk.path, 'data'));
    await using bench = openWorkbench({ root: join(disk.path, 'data') });
    let refused = 0;
    for (let freeKib = 0; freeKib < 3000; freeKib += freeKib < 64 ? 8 : 200) {
      using _filler = fill(disk.path, freeKib * 1024);
      const isRefused = await assertRefused(work(bench, registry), bench, `${freeKib} KiB free`);
      if (isRefused) refused++;
      for (const { id } of bench.images.list()) await bench.images.remove(id, { force: true, prune: true });
      assert.deepEqual(bench.leftovers(), []);
    }
    assert.ok(refused >= 10, `${refused} tries were refused`);
    await work(bench, registry);
    assert.equal(bench.images.list().length, 1, 'with room it works');
  });

  test(`${verb} on a disk that runs out of inodes says so, and leaves nothing`, async () => {
    await using registry = await openFakeRegistry();
    registry.push('demo', '1', IMAGE);
    for (let inodes = 14; inodes < 50; inodes += 3) {
      using disk = openDisk(`size=20m,nr_inodes=${inodes}`);
      mkdirSync(join(disk.path, 'data'));
      await using bench = openWorkbench({ root: join(disk.path, 'data') });
      await assertRefused(work(bench, registry), bench, `${inodes} inodes`);
    }
  });

  test(`${verb} on a disk that became read-only says so, with the path`, async () => {
    await using registry = await openFakeRegistry();
    registry.push('demo', '1', IMAGE);
    await using bench = openWorkbench();
    using disk = openDisk('size=20m', join(bench.root, 'layers'));
    disk.mount(MS_RDONLY);
    await assert.rejects(work(bench, registry), (error: unknown) => {
      assert.ok(isGantryError(error, 'system'), String(error));
      assert.match(error.message, /^(mkdir|open) \/\S+: read-only file system$/);
      return true;
    });
    disk.mount(0);
    await work(bench, registry);
    assert.equal(bench.images.list().length, 1);
  });
}

test('saving needs no room', async () => {
  using disk = openDisk('size=6m');
  mkdirSync(join(disk.path, 'data'));
  await using bench = openWorkbench({ root: join(disk.path, 'data') });
  await bench.images.load(streamOf(ARCHIVE), bench.report, NEVER);
  using _filler = fill(disk.path, 0);
  const saved = await collect(bench.images.save(['x:1'], NEVER));
  assert.ok(LAYERS.every(({ tar }) => saved.includes(tar)));
});

test('removing on a full disk gives room again', async () => {
  using disk = openDisk('size=6m');
  mkdirSync(join(disk.path, 'data'));
  await using bench = openWorkbench({ root: join(disk.path, 'data') });
  await bench.images.load(streamOf(ARCHIVE), bench.report, NEVER);
  using _filler = fill(disk.path, 0);
  await bench.images.remove('x:1', { force: false, prune: true });
  assert.deepEqual(bench.leftovers(), []);
});
