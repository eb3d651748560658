// Layers as strangers make them. What each gives was compared with dockerd 28.5: file system, result and message; where it differs
// on purpose, the test says so.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { ByteString } from '../../src/lib/bytes.ts';
import { isGantryError } from '../../src/lib/errors.ts';
import { TAR_END, tarHeader, tarPadding } from '../../src/lib/tar/index.ts';
import { digestOf } from '../../src/store/blobs.ts';
import {
  type BuiltLayer,
  collect,
  imageOf,
  layerOf,
  loadLayers,
  type Member,
  NEVER,
  openWorkbench,
  streamOf,
  tarOf,
  type Workbench,
} from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-strange-'));
after(() => rmSync(folder, { recursive: true }));

/** A layer whose tar is `tar`, stored in the archive as `stored`. */
const storedAs = (tar: Buffer, stored: Buffer): BuiltLayer => ({ ...layerOf(tar, 'none'), tar: stored });

/** Bytes without the parts that could be left out: what compresses badly takes several blocks. */
const PLAIN = tarOf(
  { name: 'a/', type: 'directory' },
  { name: 'a/x', data: 'hello' },
  { name: 'a/y', data: randomBytes(200_000) },
);
const [FIRST, SECOND] = [PLAIN.subarray(0, 700), PLAIN.subarray(700)];
const tool = (name: string, input: Buffer): Buffer => execFileSync(name, ['-c'], { input, maxBuffer: 1 << 24 });
const skippable = Buffer.concat([Buffer.from('502a4d1808000000', 'hex'), Buffer.from('12345678')]);

const COMPRESSED: Readonly<Record<string, Buffer>> = {
  'plain bytes': PLAIN,
  'gzip of two members': Buffer.concat([gzipSync(FIRST), gzipSync(SECOND)]),
  'gzip with zeros behind it': Buffer.concat([gzipSync(PLAIN), Buffer.alloc(512)]),
  'gzip with garbage behind it': Buffer.concat([gzipSync(PLAIN), Buffer.from('garbage')]),
  'gzip without its checksum': gzipSync(PLAIN).subarray(0, -8),
  'zstd of two frames': Buffer.concat([zstdCompressSync(FIRST), zstdCompressSync(SECOND)]),
  'zstd with skippable frames': Buffer.concat([
    skippable,
    zstdCompressSync(FIRST),
    skippable,
    zstdCompressSync(SECOND),
    skippable,
  ]),
  'zstd with garbage behind it': Buffer.concat([zstdCompressSync(PLAIN), Buffer.from('garbage!')]),
  bzip2: tool('bzip2', PLAIN),
  'bzip2 of two streams': Buffer.concat([tool('bzip2', FIRST), tool('bzip2', SECOND)]),
  xz: tool('xz', PLAIN),
  'xz of two streams': Buffer.concat([tool('xz', FIRST), tool('xz', SECOND)]),
};

for (const [what, stored] of Object.entries(COMPRESSED)) {
  test(`a layer of ${what} loads, and is given back`, async () => {
    await using bench = openWorkbench();
    const [top = ''] = await loadLayers(bench, storedAs(PLAIN, stored));
    assert.equal(readFileSync(join(top, 'a/x'), 'utf8'), 'hello');
    assert.equal(lstatSync(join(top, 'a/y')).size, 200_000);
    assert.ok((await collect(bench.images.save(['x:1'], NEVER))).includes(PLAIN));
  });
}

for (const [what, stored] of Object.entries({ bzip2: tool('bzip2', PLAIN), xz: tool('xz', PLAIN) })) {
  test(`an image whose registry holds a layer of ${what} is pulled, and a file system of ${what} imported`, async () => {
    const { openFakeRegistry } = await import('../../src/remote/testing/fake-registry.ts');
    await using registry = await openFakeRegistry();
    await using bench = openWorkbench();
    const layer = { ...layerOf(PLAIN), blob: stored, blobDigest: digestOf(stored) };
    registry.push('demo', '1', imageOf([layer]));
    const pulled = await bench.images.pull({ reference: `${registry.host}/demo:1` }, bench.report, NEVER);
    assert.ok(existsSync(join(bench.images.layerPaths(pulled.id)[0] ?? '', 'a/x')));
    const imported = await bench.images.import(streamOf(stored), { changes: [], message: '' }, bench.report, NEVER);
    assert.deepEqual(imported.diffIds, [digestOf(PLAIN)]);
  });
}

const DAMAGED: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
  'gzip that ends in the middle': [gzipSync(PLAIN).subarray(0, 90_000), /^unexpected EOF$/],
  'zstd that ends in the middle': [zstdCompressSync(PLAIN).subarray(0, 90_000), /^unexpected EOF$/],
  'bzip2 that ends in the middle': [tool('bzip2', PLAIN).subarray(0, 90_000), /^unexpected EOF$/],
  'xz that ends in the middle': [tool('xz', PLAIN).subarray(0, 90_000), /^unexpected EOF$/],
  'gzip with other bytes in the middle': [spoiled(gzipSync(PLAIN)), /gzip: invalid checksum|corrupt compressed data/],
  'bzip2 with other bytes in the middle': [spoiled(tool('bzip2', PLAIN)), /corrupt compressed data|invalid tar header/],
  'xz with other bytes in the middle': [spoiled(tool('xz', PLAIN)), /corrupt compressed data/],
  'another tar': [tarOf({ name: 'other', data: 'x' }), /^invalid diffID: expected sha256:/],
};

function spoiled(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0x55, 100_000, 100_008);
  return copy;
}

for (const [what, [stored, message]] of Object.entries(DAMAGED)) {
  test(`a layer of ${what} is refused, and leaves nothing`, async () => {
    await using bench = openWorkbench();
    await assert.rejects(loadLayers(bench, storedAs(PLAIN, stored)), (error: unknown) => {
      assert.ok(isGantryError(error, 'invalid'), String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(bench.leftovers(), []);
  });
}

test('without the program for it, a layer of xz says which is missing', async () => {
  const { PATH } = process.env;
  process.env.PATH = folder;
  try {
    await using bench = openWorkbench();
    await assert.rejects(loadLayers(bench, storedAs(PLAIN, COMPRESSED.xz ?? PLAIN)), (error: unknown) => {
      assert.ok(isGantryError(error, 'system'), String(error));
      assert.equal(error.message, 'exec: "xz": executable file not found in $PATH');
      assert.match(error.hint ?? '', /install xz-utils/);
      return true;
    });
  } finally {
    process.env.PATH = PATH;
  }
});

const ENDINGS: Readonly<Record<string, Buffer>> = {
  'garbage behind the end': Buffer.concat([PLAIN, Buffer.from('garbage'.repeat(100))]),
  'one zero block at the end': PLAIN.subarray(0, -512),
  'no end at all': PLAIN.subarray(0, -1024),
  'the last file’s block not filled up': PLAIN.subarray(0, -1024 - 100),
};

for (const [what, tar] of Object.entries(ENDINGS)) {
  test(`a layer with ${what} loads, and is given back to the byte`, async () => {
    await using bench = openWorkbench();
    const [top = ''] = await loadLayers(bench, layerOf(tar));
    assert.equal(lstatSync(join(top, 'a/y')).size, 200_000);
    assert.ok((await collect(bench.images.save(['x:1'], NEVER))).includes(tar));
  });
}

/** Files with holes: 5 MiB in length, some kilobytes stored. */
function sparseFiles(): readonly string[] {
  const fill: Readonly<Record<string, (fd: number) => void>> = {
    begins: (fd) => {
      writeSync(fd, 'A'.repeat(4096), 0);
      writeSync(fd, 'B'.repeat(5000), 1 << 20);
      ftruncateSync(fd, 5 << 20);
    },
    hole: (fd) => ftruncateSync(fd, 3 << 20),
    many: (fd) => {
      for (let i = 0; i < 60; i++) writeSync(fd, `${i}`.repeat(1000), i * 65_536);
    },
    plain: (fd) => void writeSync(fd, 'plain'),
  };
  for (const [name, work] of Object.entries(fill)) {
    const fd = openSync(join(folder, name), 'w');
    work(fd);
    closeSync(fd);
  }
  return Object.keys(fill);
}

const SPARSE: Readonly<Record<string, readonly string[]>> = {
  // dockerd refuses this one: "unhandled tar header type 83".
  'GNU’s own header': ['--format=gnu'],
  'pax 0.0': ['--format=pax', '--sparse-version=0.0'],
  'pax 0.1': ['--format=pax', '--sparse-version=0.1'],
  'pax 1.0': ['--format=pax', '--sparse-version=1.0'],
};

for (const [form, flags] of Object.entries(SPARSE)) {
  test(`sparse files in the form of ${form} are loaded and imported, stay sparse, and are given back to the byte`, async () => {
    await using bench = openWorkbench();
    const names = sparseFiles();
    const tar = execFileSync('tar', ['-C', folder, '-S', ...flags, '-cf', '-', ...names], { maxBuffer: 1 << 24 });
    const [top = ''] = await loadLayers(bench, layerOf(tar));
    for (const name of names) {
      assert.ok(readFileSync(join(top, name)).equals(readFileSync(join(folder, name))), name);
    }
    assert.ok(lstatSync(join(top, 'begins')).blocks * 512 < 1 << 20, 'holes take no room');
    assert.ok((await collect(bench.images.save(['x:1'], NEVER))).includes(tar));
    assert.ok(await looksWhole(bench, layerOf(tar)), 'and a check of it is content');
    const imported = await bench.images.import(streamOf(tar), { changes: [], message: '' }, bench.report, NEVER);
    assert.deepEqual(imported.diffIds, [digestOf(tar)]);
  });
}

/** Loads it again: nothing is unpacked when the layer is found whole. */
async function looksWhole(bench: Workbench, layer: BuiltLayer): Promise<boolean> {
  const before = readdirSync(join(bench.root, 'layers')).sort();
  await loadLayers(bench, layer);
  return readdirSync(join(bench.root, 'layers')).sort().join() === before.join();
}

const REFUSED: Readonly<Record<string, readonly [readonly Member[], string]>> = {
  'a hard link to nothing': [
    [{ name: 'a', type: 'hardlink', linkName: 'nope' }],
    'linkat nope a: no such file or directory',
  ],
  'a hard link to a folder': [
    [
      { name: 'x/', type: 'directory' },
      { name: 'a', type: 'hardlink', linkName: 'x' },
    ],
    'linkat x a: operation not permitted',
  ],
  'a symlink to the empty name': [
    [{ name: 'l', type: 'symlink', linkName: '' }],
    'symlinkat  l: no such file or directory',
  ],
  'an attribute that the disk does not know': [
    [{ name: 'x', data: '1', xattrs: new Map([['bogus.foo' as ByteString, Buffer.from('1')]]) }],
    'lsetxattr /x: xattr "bogus.foo": operation not supported',
  ],
  'an attribute that is too large': [
    [{ name: 'x', data: '1', xattrs: new Map([['user.foo' as ByteString, Buffer.alloc(60_000)]]) }],
    'lsetxattr /x: xattr "user.foo": no space left on device',
  ],
  'a name of 300 bytes': [[{ name: 'c'.repeat(300), data: '1' }], `openat ${'c'.repeat(300)}: file name too long`],
  'an extended header of over 1 MiB': [
    [{ name: 'x', xattrs: new Map([['user.foo' as ByteString, Buffer.alloc(1_100_000)]]) }],
    'archive/tar: header field too long',
  ],
};

for (const [what, [members, message]] of Object.entries(REFUSED)) {
  test(`a layer with ${what} is refused in Docker's words`, async () => {
    await using bench = openWorkbench();
    await assert.rejects(loadLayers(bench, layerOf(tarOf(...members))), (error: unknown) => {
      assert.equal(error instanceof Error ? error.message : '', message);
      return true;
    });
    assert.deepEqual(bench.leftovers(), []);
  });
}

test('a hard link to a file of the layer below is refused: layers are unpacked alone', async () => {
  await using bench = openWorkbench();
  const below = layerOf(tarOf({ name: 'a/', type: 'directory' }, { name: 'a/x', data: '1' }));
  const above = layerOf(tarOf({ name: 'a/z', type: 'hardlink', linkName: 'a/x' }));
  await assert.rejects(loadLayers(bench, below, above), /^GantryError: linkat a\/x a\/z: no such file or directory$/);
});

test('owners below zero and beyond 32 bits are what the kernel makes of them', async () => {
  await using bench = openWorkbench();
  const paxed = (uid: string): Buffer => {
    const body = Buffer.from(`${uid.length + 8} uid=${uid}\n`);
    const head = tarHeader({ name: 'h' as ByteString, type: 'file', size: body.length });
    head.write('x', 156);
    head.write('        ', 148);
    head.write(
      `${head
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return Buffer.concat([
      head,
      body,
      tarPadding(body.length),
      tarHeader({ name: `u${uid}` as ByteString, type: 'file' }),
    ]);
  };
  const tar = Buffer.concat([paxed('-1'), paxed('-2'), TAR_END]);
  const [top = ''] = await loadLayers(bench, layerOf(tar));
  assert.equal(lstatSync(join(top, 'u-1')).uid, 0, 'chown(2) leaves it as it is');
  assert.equal(lstatSync(join(top, 'u-2')).uid, 4_294_967_294);
});

test('a path sixty folders deep, and names of any bytes, are unpacked', async () => {
  await using bench = openWorkbench();
  const deep = Array.from({ length: 60 }, () => 'd'.repeat(50)).join('/');
  const [top = ''] = await loadLayers(bench, layerOf(tarOf({ name: deep, data: 'x' }, { name: 'a\nb\tc', data: '1' })));
  assert.equal(readFileSync(join(top, deep), 'utf8'), 'x');
  assert.ok(existsSync(join(top, 'a\nb\tc')));
});

// dockerd refuses over 125: "max depth exceeded".
test('an image of 127 layers is loaded and lent in order', async () => {
  await using bench = openWorkbench();
  const layers = Array.from({ length: 127 }, (_, i) => layerOf(tarOf({ name: `f${i}`, data: `${i}` })));
  await loadLayers(bench, ...layers);
  await using lease = await bench.images.lease(imageOf(layers).id);
  assert.equal(lease.lowerDirs.length, 127);
  assert.ok(existsSync(join(lease.layersDir, lease.lowerDirs[0] ?? '', 'f126')));
});
