// Layers keep what their archive holds: kinds, owners, times, attributes, whiteouts; and give the same tar back.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { libc } from '../../src/host/libc.ts';
import type { ByteString } from '../../src/lib/bytes.ts';
import { digestOf } from '../../src/store/blobs.ts';
import {
  archiveOf,
  collect,
  imageOf,
  layerOf,
  type Member,
  NEVER,
  openWorkbench,
  streamOf,
  tarOf,
  type Workbench,
} from './support.ts';

async function unpacked(bench: Workbench, ...members: readonly Member[]): Promise<string> {
  const image = imageOf([layerOf(tarOf(...members))]);
  await bench.images.load(streamOf(archiveOf([{ image, tags: [] }])), bench.report, NEVER);
  await using lease = await bench.images.lease(image.id);
  return join(lease.layersDir, lease.lowerDirs[0] ?? '');
}

function xattr(path: string, name: string): Buffer | undefined {
  const out = Buffer.alloc(256);
  const length = libc.lgetxattr(path, name, out, out.length);
  return length < 0 ? undefined : out.subarray(0, length);
}

const CAPS = Buffer.from('0100000200200000000000000000000000000000', 'hex');

test('kinds, modes, owners, times and attributes survive', async () => {
  await using bench = openWorkbench();
  const mtime = { seconds: 1_600_000_000, nanoseconds: 123_456_789 };
  const long = `${'d'.repeat(200)}/${'f'.repeat(200)}`;
  const dir = await unpacked(
    bench,
    { name: './', type: 'directory', mode: 0o700, uid: 7 },
    { name: 'd/', type: 'directory', mode: 0o1777, uid: 5, gid: 6, mtime },
    {
      name: 'd/ping',
      data: 'x',
      mode: 0o4755,
      uid: 10,
      gid: 20,
      mtime,
      xattrs: new Map([['security.capability' as ByteString, CAPS]]),
    },
    { name: 'd/hard', type: 'hardlink', linkName: '/d/ping' },
    { name: 'd/soft', type: 'symlink', linkName: '/etc/passwd', uid: 3, mtime },
    { name: 'null', type: 'character', deviceMajor: 1, deviceMinor: 3, mode: 0o666 },
    { name: 'disk', type: 'block', deviceMajor: 259, deviceMinor: 300_000, mode: 0o600 },
    { name: 'pipe', type: 'fifo', mode: 0o622 },
    { name: long, data: 'long' },
    { name: 'größe-日本', data: 'utf8' },
    { name: 'raw\xff\xfe' as ByteString, data: 'raw' },
    { name: 'old', data: 'x', mtime: { seconds: -1, nanoseconds: 500_000_000 } },
  );
  const stat = (name: string) => lstatSync(join(dir, name), { bigint: true });
  assert.equal(stat('').mode & 0o7777n, 0o755n, 'the root keeps its own mode');
  assert.deepEqual([stat('d').mode & 0o7777n, stat('d').uid, stat('d').gid], [0o1777n, 5n, 6n]);
  assert.equal(stat('d').mtimeNs, 1_600_000_000_123_456_789n, 'a directory has its own time though files came later');
  assert.deepEqual([stat('d/ping').mode & 0o7777n, stat('d/ping').uid, stat('d/ping').gid], [0o4755n, 10n, 20n]);
  assert.equal(stat('d/ping').mtimeNs, 1_600_000_000_123_456_789n);
  assert.equal(stat('d/hard').ino, stat('d/ping').ino);
  assert.deepEqual(xattr(join(dir, 'd/ping'), 'security.capability'), CAPS);
  assert.equal(readlinkSync(join(dir, 'd/soft')), '/etc/passwd');
  assert.deepEqual([stat('d/soft').uid, stat('d/soft').mtimeNs], [3n, 1_600_000_000_123_456_789n]);
  assert.ok(stat('null').isCharacterDevice() && stat('null').rdev === 0x103n);
  assert.ok(stat('disk').isBlockDevice());
  assert.equal(
    execFileSync('stat', ['-c', '%Hr %Lr %a', join(dir, 'disk')], { encoding: 'utf8' }).trim(),
    '259 300000 600',
  );
  assert.ok(stat('pipe').isFIFO() && (stat('pipe').mode & 0o777n) === 0o622n);
  assert.equal(readFileSync(join(dir, long), 'utf8'), 'long');
  assert.equal(readFileSync(join(dir, 'größe-日本'), 'utf8'), 'utf8');
  assert.ok(readdirSync(dir, { encoding: 'buffer' }).some((name) => name.equals(Buffer.from('raw\xff\xfe', 'latin1'))));
  assert.equal(stat('old').mtimeNs, 0n, 'Docker knows no time before 1970');
});

test('whiteouts become what overlayfs hides by, and never hide their own layer', async () => {
  await using bench = openWorkbench();
  const dir = await unpacked(
    bench,
    { name: 'etc/.wh.gone' },
    { name: 'var/', type: 'directory' },
    { name: 'var/new', data: 'n' },
    { name: 'var/.wh..wh..opq' },
    { name: 'kept', data: 'k' },
    { name: '.wh.kept' },
    { name: 'dir/f', data: 'f' },
    { name: '.wh.dir' },
    { name: '.wh.back' },
    { name: 'back/', type: 'directory' },
    { name: '.wh..wh.plnk/1', data: 'x' },
  );
  const gone = lstatSync(join(dir, 'etc/gone'));
  assert.ok(gone.isCharacterDevice() && gone.rdev === 0);
  assert.equal(xattr(join(dir, 'var'), 'trusted.overlay.opaque')?.toString(), 'y');
  assert.equal(readFileSync(join(dir, 'var/new'), 'utf8'), 'n');
  assert.ok(!existsSync(join(dir, 'var/.wh..wh..opq')));
  assert.equal(readFileSync(join(dir, 'kept'), 'utf8'), 'k');
  assert.equal(xattr(join(dir, 'dir'), 'trusted.overlay.opaque')?.toString(), 'y');
  assert.equal(xattr(join(dir, 'back'), 'trusted.overlay.opaque')?.toString(), 'y');
});

test('a later entry replaces an earlier one, and both are in the archive given back', async () => {
  await using bench = openWorkbench();
  const tar = tarOf(
    { name: 'a', data: 'first' },
    { name: 'dir/x', data: 'below' },
    { name: 'a', data: 'second' },
    { name: 'dir', data: 'now a file' },
    { name: 'l', type: 'symlink', linkName: 'dir2' },
    { name: 'l', type: 'directory' },
    { name: 'l/x', data: 'in a directory' },
  );
  const image = imageOf([layerOf(tar)]);
  await bench.images.load(streamOf(archiveOf([{ image, tags: ['twice:1'] }])), bench.report, NEVER);
  await using lease = await bench.images.lease(image.id);
  const dir = join(lease.layersDir, lease.lowerDirs[0] ?? '');
  assert.equal(readFileSync(join(dir, 'a'), 'utf8'), 'second');
  assert.equal(readFileSync(join(dir, 'dir'), 'utf8'), 'now a file');
  assert.equal(readFileSync(join(dir, 'l/x'), 'utf8'), 'in a directory');
  const saved = await collect(bench.images.save(['twice:1'], NEVER));
  assert.ok(saved.includes(tar));
});

test('what only overlayfs may say is not the image’s to say', async () => {
  await using bench = openWorkbench();
  const xattrs = new Map(
    ['trusted.overlay.redirect', 'trusted.overlay.metacopy', 'trusted.overlay.opaque', 'user.kept'].map(
      (name): [ByteString, Buffer] => [name as ByteString, Buffer.from('y')],
    ),
  );
  const dir = await unpacked(bench, { name: 'f', data: 'x', xattrs }, { name: 'd/', type: 'directory', xattrs });
  for (const path of ['f', 'd']) {
    assert.equal(xattr(join(dir, path), 'user.kept')?.toString(), 'y');
    for (const name of ['redirect', 'metacopy', 'opaque'])
      assert.equal(xattr(join(dir, path), `trusted.overlay.${name}`), undefined, `${path} ${name}`);
  }
});

test('a layer that replaces its files over and over is given back soon', async () => {
  await using bench = openWorkbench();
  const members = Array.from({ length: 20_000 }, (_, i): Member => ({ name: `d/f${i % 10}`, data: `${i}` }));
  const tar = tarOf(...members);
  const image = imageOf([layerOf(tar)]);
  await bench.images.load(streamOf(archiveOf([{ image, tags: ['again:1'] }])), bench.report, NEVER);
  // In time of the processor: what must not grow with the square is work, not waiting for a busy machine.
  const began = process.cpuUsage();
  const saved = await collect(bench.images.save(['again:1'], NEVER));
  assert.ok(saved.includes(tar));
  assert.ok(process.cpuUsage(began).user < 20_000_000);
});

test('links lead nowhere but inside the layer', async () => {
  await using bench = openWorkbench();
  const dir = await unpacked(
    bench,
    { name: '/abs', data: 'absolute' },
    { name: 'etc/', type: 'directory' },
    { name: 'in', type: 'symlink', linkName: '/etc' },
    { name: 'up', type: 'symlink', linkName: '../../../../../../etc' },
    { name: 'in/one', data: '1' },
    { name: 'up/two', data: '2' },
    { name: 'var/run', type: 'symlink', linkName: '/gone/run' },
    { name: 'var/run/three', data: '3' },
  );
  assert.equal(readFileSync(join(dir, 'abs'), 'utf8'), 'absolute');
  assert.equal(readFileSync(join(dir, 'etc/one'), 'utf8'), '1');
  assert.equal(readFileSync(join(dir, 'etc/two'), 'utf8'), '2');
  assert.equal(
    readFileSync(join(dir, 'gone/run/three'), 'utf8'),
    '3',
    'a link to nowhere gets what it names, as at Docker',
  );
  assert.ok(!existsSync('/etc/one') && !existsSync('/etc/two') && !existsSync('/gone'));
});

const HOSTILE: readonly (readonly [string, readonly Member[], RegExp])[] = [
  ['a name that climbs', [{ name: '../escaped', data: 'x' }], /invalid entry name "\.\.\/escaped"/],
  ['a name that climbs late', [{ name: 'a/../../escaped', data: 'x' }], /invalid entry name/],
  [
    'a hard link to outside',
    [{ name: 'h', type: 'hardlink', linkName: '../../etc/passwd' }],
    /invalid hardlink target/,
  ],
  [
    'a hard link through a link',
    [
      { name: 'l', type: 'symlink', linkName: '/etc' },
      { name: 'h', type: 'hardlink', linkName: 'l/passwd' },
    ],
    /no such file/,
  ],
  [
    'a hard link to the host by an absolute name',
    [{ name: 'h', type: 'hardlink', linkName: '/etc/passwd' }],
    /no such file/,
  ],
  [
    'a file through links that lead to each other',
    [
      { name: 'a', type: 'symlink', linkName: 'b' },
      { name: 'b', type: 'symlink', linkName: 'a' },
      { name: 'a/x', data: 'x' },
    ],
    /too many levels of symbolic links/,
  ],
  ['a whiteout of the parent', [{ name: '.wh...', data: '' }], /invalid whiteout entry/],
  ['a name over 255 bytes', [{ name: 'n'.repeat(256), data: 'x' }], /name too long/],
];

for (const [what, members, message] of HOSTILE) {
  test(`an archive with ${what} is refused and leaves nothing`, async () => {
    await using bench = openWorkbench();
    const image = imageOf([layerOf(tarOf({ name: 'ok', data: 'ok' }, ...members))]);
    await assert.rejects(
      bench.images.load(streamOf(archiveOf([{ image, tags: ['x:1'] }])), bench.report, NEVER),
      message,
    );
    assert.deepEqual(bench.leftovers(), []);
    assert.deepEqual(bench.images.list(), []);
  });
}

test('equal layers are kept once, and given to overlayfs once', async () => {
  await using bench = openWorkbench();
  const layer = layerOf(tarOf({ name: 'a', data: 'a' }));
  const other = layerOf(tarOf({ name: '.wh.a' }));
  const image = imageOf([layer, other, layer]);
  await bench.images.load(streamOf(archiveOf([{ image, tags: [] }])), bench.report, NEVER);
  await using lease = await bench.images.lease(image.id);
  assert.equal(lease.lowerDirs.length, 2);
  assert.ok(existsSync(join(lease.layersDir, lease.lowerDirs[0] ?? '', 'a')));
  assert.equal(bench.images.get(image.id).diffIds.length, 3);
  assert.equal(digestOf(layer.tar), layer.diffId);
});
