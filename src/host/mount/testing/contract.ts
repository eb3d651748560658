// Owns what every mount door keeps to: the fake beside the source, the real one from test/ as root.

import assert from 'node:assert/strict';
import { fstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testFolder } from '../../../lib/testing/folder.ts';
import type { Mounts } from '../types.ts';

/** Folders of two layers and of a container; disposing takes them away. */
class Place implements Disposable {
  readonly dir = testFolder('mounts');
  readonly layers = join(this.dir, 'layers');
  readonly writable = { upper: join(this.dir, 'up'), work: join(this.dir, 'work') };
  readonly shm = join(this.dir, 'shm');

  constructor() {
    for (const path of ['layers/1', 'layers/2', 'up', 'work', 'shm'])
      mkdirSync(join(this.dir, path), { recursive: true });
    writeFileSync(join(this.layers, '1/top'), 'top');
    writeFileSync(join(this.layers, '2/below'), 'below');
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true });
  }
}

/** Registers the tests. `open` makes a door whose own folders lie in `dir`. */
export function mountsContract(what: string, open: (dir: string) => Mounts): void {
  overlayContract(what, open);
  memoryContract(what, open);
}

function overlayContract(what: string, open: (dir: string) => Mounts): void {
  const at = (fd: number, name = ''): string => `/proc/self/fd/${fd}/${name}`;

  test(`${what}: an image is read through a descriptor that shows its topmost layer`, async () => {
    using place = new Place();
    await using mounts = open(place.dir);
    await using image = await mounts.overlay({ lower: ['1', '2'], from: place.layers });
    assert.equal(readFileSync(at(image.fd, 'top'), 'utf8'), 'top');
  });

  test(`${what}: what is written through it lies in the container’s own layer and in no layer of the image`, async () => {
    using place = new Place();
    await using mounts = open(place.dir);
    await using root = await mounts.overlay({ lower: ['1', '2'], from: place.layers, writable: place.writable });
    writeFileSync(at(root.fd, 'new'), 'written');
    assert.equal(readFileSync(join(place.writable.upper, 'new'), 'utf8'), 'written');
    assert.deepEqual(readdirSync(join(place.layers, '1')), ['top']);
  });

  test(`${what}: a mount that is given back twice closes nobody else’s descriptor`, async () => {
    using place = new Place();
    await using mounts = open(place.dir);
    const first = await mounts.overlay({ lower: ['1'], from: place.layers });
    await first[Symbol.asyncDispose]();
    assert.throws(() => fstatSync(first.fd), { code: 'EBADF' });
    await using second = await mounts.overlay({ lower: ['2'], from: place.layers });
    await first[Symbol.asyncDispose]();
    assert.ok(fstatSync(second.fd).isDirectory());
  });

  test(`${what}: a layer that is gone is the kernel’s own error, and the door works on`, async () => {
    using place = new Place();
    await using mounts = open(place.dir);
    const failing = mounts.overlay({ lower: ['absent', '1'], from: place.layers });
    await assert.rejects(failing, { name: 'SystemError', code: 'ENOENT', syscall: 'mount' });
    await using image = await mounts.overlay({ lower: ['1'], from: place.layers });
    assert.ok(fstatSync(image.fd).isDirectory());
  });

  test(`${what}: more layers than the kernel takes are refused with a code of ours`, async () => {
    using place = new Place();
    await using mounts = open(place.dir);
    const lower = Array.from({ length: 2000 }, (_, n) => String(n));
    await assert.rejects(mounts.overlay({ lower, from: place.layers }), { code: 'TOO_MANY_LAYERS' });
  });
}

function memoryContract(what: string, open: (dir: string) => Mounts): void {
  test(`${what}: shared memory is taken away again; where none is, nothing happens`, async () => {
    using place = new Place();
    await using mounts = open(place.dir);
    mounts.memory(place.shm, 65_536);
    mounts.detach(place.shm);
    mounts.detach(place.shm);
    mounts.detach(join(place.dir, 'absent'));
    assert.deepEqual(readdirSync(place.shm), []);
  });

  test(`${what}: shared memory needs a folder`, async () => {
    using place = new Place();
    await using mounts = open(place.dir);
    assert.throws(() => mounts.memory(join(place.dir, 'absent'), 4096), { code: 'ENOENT', syscall: 'mount' });
  });
}
