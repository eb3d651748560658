// Archives as strangers make them. What each gives was compared with dockerd 28.5: file system, result and message; where it differs
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
  archiveOf,
  type BuiltLayer,
  collect,
  imageOf,
  layerOf,
  type Member,
  NEVER,
  OCI_MANIFEST,
  openWorkbench,
  streamOf,
  tarOf,
  type Workbench,
} from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-strange-'));
after(() => rmSync(folder, { recursive: true }));

/** A layer whose tar is `tar`, stored in the archive as `stored`. */
const storedAs = (tar: Buffer, stored: Buffer): BuiltLayer => ({ ...layerOf(tar, 'none'), tar: stored });

async function load(bench: Workbench, ...layers: readonly BuiltLayer[]): Promise<readonly string[]> {
  await bench.images.load(streamOf(archiveOf([{ image: imageOf(layers), tags: ['x:1'] }])), bench.report, NEVER);
  return bench.images.layerPaths(imageOf(layers).id);
}

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
    const [top = ''] = await load(bench, storedAs(PLAIN, stored));
    assert.equal(readFileSync(join(top, 'a/x'), 'utf8'), 'hello');
    assert.equal(lstatSync(join(top, 'a/y')).size, 200_000);
    assert.ok((await collect(bench.images.save(['x:1'], NEVER))).includes(PLAIN));
  });
}

for (const [what, stored] of Object.entries({ bzip2: tool('bzip2', PLAIN), xz: tool('xz', PLAIN) })) {
  test(`an image whose registry holds a layer of ${what} is pulled, and a file system of ${what} imported`, async () => {
    const { openFakeRegistry } = await import('./fake-registry.ts');
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
    await assert.rejects(load(bench, storedAs(PLAIN, stored)), (error: unknown) => {
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
    await assert.rejects(load(bench, storedAs(PLAIN, COMPRESSED.xz ?? PLAIN)), (error: unknown) => {
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
    const [top = ''] = await load(bench, layerOf(tar));
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
    const [top = ''] = await load(bench, layerOf(tar));
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
  await load(bench, layer);
  return readdirSync(join(bench.root, 'layers')).sort().join() === before.join();
}

test('an archive that is sparse itself loads', async () => {
  await using bench = openWorkbench();
  const holes = tarOf({ name: 'zeros', data: Buffer.alloc(2 << 20) }, { name: 'end', data: 'x' });
  const image = imageOf([layerOf(holes)]);
  const archive = join(folder, 'unpacked');
  execFileSync('mkdir', ['-p', archive]);
  execFileSync('tar', ['-C', archive, '-xf', '-'], { input: archiveOf([{ image, tags: ['x:1'] }]) });
  execFileSync('sh', ['-c', 'for f in blobs/sha256/*; do cp --sparse=always "$f" t && mv t "$f"; done'], {
    cwd: archive,
  });
  const tar = execFileSync('tar', ['-C', archive, '-S', '--format=pax', '-cf', '-', '.'], { maxBuffer: 1 << 24 });
  assert.ok(tar.length < 1 << 20, 'tar made it sparse');
  assert.deepEqual(await bench.images.load(streamOf(tar), bench.report, NEVER), ['x:1']);
  assert.equal(lstatSync(join(bench.images.layerPaths(image.id)[0] ?? '', 'zeros')).size, 2 << 20);
});

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
    await assert.rejects(load(bench, layerOf(tarOf(...members))), (error: unknown) => {
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
  await assert.rejects(load(bench, below, above), /^GantryError: linkat a\/x a\/z: no such file or directory$/);
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
  const [top = ''] = await load(bench, layerOf(tar));
  assert.equal(lstatSync(join(top, 'u-1')).uid, 0, 'chown(2) leaves it as it is');
  assert.equal(lstatSync(join(top, 'u-2')).uid, 4_294_967_294);
});

test('a path sixty folders deep, and names of any bytes, are unpacked', async () => {
  await using bench = openWorkbench();
  const deep = Array.from({ length: 60 }, () => 'd'.repeat(50)).join('/');
  const [top = ''] = await load(bench, layerOf(tarOf({ name: deep, data: 'x' }, { name: 'a\nb\tc', data: '1' })));
  assert.equal(readFileSync(join(top, deep), 'utf8'), 'x');
  assert.ok(existsSync(join(top, 'a\nb\tc')));
});

// dockerd refuses over 125: "max depth exceeded".
test('an image of 127 layers is loaded and lent in order', async () => {
  await using bench = openWorkbench();
  const layers = Array.from({ length: 127 }, (_, i) => layerOf(tarOf({ name: `f${i}`, data: `${i}` })));
  await load(bench, ...layers);
  await using lease = await bench.images.lease(imageOf(layers).id);
  assert.equal(lease.lowerDirs.length, 127);
  assert.ok(existsSync(join(lease.layersDir, lease.lowerDirs[0] ?? '', 'f126')));
});

const CONFIG_NAME = 'c';
const LAYER = layerOf(PLAIN);
const IMAGE = imageOf([LAYER]);
const manifestOf = (layer: string): Member => ({
  name: 'manifest.json',
  data: JSON.stringify([{ Config: CONFIG_NAME, RepoTags: ['x:1'], Layers: [layer] }]),
});
const config: Member = { name: CONFIG_NAME, data: IMAGE.config };

const ARCHIVES: Readonly<Record<string, readonly Member[]>> = {
  'its layer behind a symlink': [
    config,
    { name: 'blob', data: PLAIN },
    { name: 'l/t', type: 'symlink', linkName: '../blob' },
    manifestOf('l/t'),
  ],
  'its layer behind an absolute symlink': [
    config,
    { name: 'blob', data: PLAIN },
    { name: 'l', type: 'symlink', linkName: '/blob' },
    manifestOf('l'),
  ],
  'its layer behind a symlink that climbs': [
    config,
    { name: 'blob', data: PLAIN },
    { name: 'l/t', type: 'symlink', linkName: '../../../blob' },
    manifestOf('l/t'),
  ],
  'its layer behind a hard link': [
    config,
    { name: 'blob', data: PLAIN },
    { name: 'l', type: 'hardlink', linkName: 'blob' },
    manifestOf('l'),
  ],
  'its layer below a folder that is a symlink': [
    config,
    { name: 'l/t', data: PLAIN },
    { name: 'm', type: 'symlink', linkName: 'l' },
    manifestOf('m/t'),
  ],
  'its layer behind nine symlinks': [
    config,
    { name: 'l0', data: PLAIN },
    ...Array.from({ length: 9 }, (_, i): Member => ({ name: `l${i + 1}`, type: 'symlink', linkName: `l${i}` })),
    manifestOf('l9'),
  ],
  'a member that comes twice': [
    { name: CONFIG_NAME, data: 'other' },
    config,
    { name: 'l', data: PLAIN },
    manifestOf('l'),
  ],
  'a symlink that becomes a file': [
    { name: CONFIG_NAME, type: 'symlink', linkName: 'x' },
    config,
    { name: 'l', data: PLAIN },
    manifestOf('l'),
  ],
  'absolute names': [{ name: `/${CONFIG_NAME}`, data: IMAGE.config }, { name: '/l', data: PLAIN }, manifestOf('l')],
  'names with dots': [
    { name: `./a/../${CONFIG_NAME}`, data: IMAGE.config },
    { name: './l', data: PLAIN },
    manifestOf('./l'),
  ],
  'a device and a pipe in it': [
    config,
    { name: 'l', data: PLAIN },
    { name: 'null', type: 'character', deviceMajor: 1, deviceMinor: 3 },
    { name: 'p', type: 'fifo' },
    manifestOf('l'),
  ],
  'attributes on its members': [
    { ...config, xattrs: new Map([['user.x' as ByteString, Buffer.from('1')]]) },
    { name: 'l', data: PLAIN },
    manifestOf('l'),
  ],
};

for (const [what, members] of Object.entries(ARCHIVES)) {
  test(`an archive with ${what} loads`, async () => {
    await using bench = openWorkbench();
    assert.deepEqual(await bench.images.load(streamOf(tarOf(...members)), bench.report, NEVER), ['x:1']);
    assert.ok(existsSync(join(bench.images.layerPaths(IMAGE.id)[0] ?? '', 'a/x')));
    assert.deepEqual(readdirSync(join(bench.root, 'content/ingest')), []);
  });
}

test('an archive whose layer is a link to itself is refused', async () => {
  await using bench = openWorkbench();
  const members = [config, { name: 'l', type: 'symlink', linkName: 'l' } as const, manifestOf('l')];
  await assert.rejects(
    bench.images.load(streamOf(tarOf(...members)), bench.report, NEVER),
    /^GantryError: open l: no such file or directory$/,
  );
});

test('a layer that is known need not be in the archive', async () => {
  await using bench = openWorkbench();
  await load(bench, LAYER);
  const other = imageOf([LAYER], { author: 'other' });
  const members = [{ name: CONFIG_NAME, data: other.config }, manifestOf('gone')];
  assert.deepEqual(await bench.images.load(streamOf(tarOf(...members)), bench.report, NEVER), ['x:1']);
});

const WORDS: Readonly<Record<string, string>> = {
  '{}': 'json: cannot unmarshal object into Go value of type []tarexport.manifestItem',
  null: 'invalid manifest, manifest cannot be null (but can be [])',
  '"x"': 'json: cannot unmarshal string into Go value of type []tarexport.manifestItem',
  garbage: "invalid character 'g' looking for beginning of value",
  '["x"]': 'json: cannot unmarshal string into .0 of type tarexport.manifestItem',
  '[{"Config":5}]': 'json: cannot unmarshal number into Go struct field .0.Config of type string',
  '[{"Layers":"x"}]': 'json: cannot unmarshal string into Go struct field .0.Layers of type []string',
  '[{"Layers":[5]}]': 'json: cannot unmarshal number into .0.Layers.0 of type string',
  '[{"RepoTags":"x"}]': 'json: cannot unmarshal string into Go struct field .0.RepoTags of type []string',
  '[{"Parent":5}]': 'json: cannot unmarshal number into Go struct field .0.Parent of type image.ID',
  '[{"LayerSources":5}]':
    'json: cannot unmarshal number into Go struct field .0.LayerSources of type map[layer.DiffID]distribution.Descriptor',
  '[{"RepoTags":["sha256:1"]}]': 'refusing to create an ambiguous tag using digest algorithm as name',
};

for (const [text, message] of Object.entries(WORDS)) {
  test(`an archive whose manifest.json is ${text} is refused in Docker's words`, async () => {
    await using bench = openWorkbench();
    const archive = tarOf({ name: 'manifest.json', data: text });
    await assert.rejects(bench.images.load(streamOf(archive), bench.report, NEVER), (error: unknown) => {
      assert.equal(error instanceof Error ? error.message : '', message);
      return true;
    });
  });
}

test('an image of another system is not loaded, nor one of another platform than asked for', async () => {
  await using bench = openWorkbench();
  const windows = archiveOf([{ image: imageOf([LAYER], { os: 'windows' }), tags: ['x:1'] }]);
  await assert.rejects(
    bench.images.load(streamOf(windows), bench.report, NEVER),
    /^GantryError: cannot load windows image on linux$/,
  );
  const images = ['amd64', 'arm64'].map((architecture) => ({
    image: imageOf([LAYER], { architecture }),
    tags: [`${architecture}:1`],
  }));
  const both = archiveOf(images);
  const wanted = { os: 'linux', architecture: 'arm64', variant: 'v8' };
  assert.deepEqual(await bench.images.load(streamOf(both), bench.report, NEVER, { platform: wanted }), ['arm64:1']);
  const other = { os: 'linux', architecture: 's390x' };
  await assert.rejects(
    bench.images.load(streamOf(both), bench.report, NEVER, { platform: other }),
    /^GantryError: no image of the archive matches the platform linux\/s390x$/,
  );
});

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
type Described = Readonly<Record<string, unknown>>;

const describe = (bytes: Buffer, mediaType: string, more: Described = {}): Described => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
  ...more,
});

const indexOf = (...manifests: readonly Described[]): Buffer =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));

/** An OCI layout with these entries in its index, and blobs. */
function layoutOf(entries: readonly Described[], ...blobs: readonly Buffer[]): Buffer {
  return tarOf(
    { name: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', data: indexOf(...entries) },
    ...blobs.map((data) => ({ name: `blobs/sha256/${digestOf(data).slice(7)}`, data })),
  );
}

const tagged = { annotations: { 'io.containerd.image.name': 'docker.io/library/x:1' } };
const STORED = layerOf(PLAIN);
const HERE = imageOf([STORED]);
const AWAY = imageOf([STORED], { architecture: 's390x' });
const host = { architecture: JSON.parse(HERE.config.toString()).architecture as string, os: 'linux' };
const here = describe(HERE.manifest, OCI_MANIFEST, { platform: host });
const away = describe(AWAY.manifest, OCI_MANIFEST, { platform: { ...host, architecture: 's390x' } });
const BLOBS = [HERE.manifest, HERE.config, AWAY.manifest, AWAY.config, STORED.blob];
const index = indexOf(away, here);
const outer = indexOf(describe(index, OCI_INDEX));

const LAYOUTS: Readonly<Record<string, Buffer>> = {
  'one image': layoutOf([{ ...here, ...tagged }], ...BLOBS),
  'an index of platforms': layoutOf([describe(index, OCI_INDEX, tagged)], index, ...BLOBS),
  'an index in an index': layoutOf([describe(outer, OCI_INDEX, tagged)], outer, index, ...BLOBS),
  'several platforms under one name': layoutOf(
    [
      { ...here, ...tagged },
      { ...away, ...tagged },
    ],
    ...BLOBS,
  ),
  'only the platform that is wanted': layoutOf(
    [describe(index, OCI_INDEX, tagged)],
    index,
    HERE.manifest,
    HERE.config,
    STORED.blob,
  ),
};

for (const [what, archive] of Object.entries(LAYOUTS)) {
  test(`an OCI layout with ${what} gives the image for this host`, async () => {
    await using bench = openWorkbench();
    assert.deepEqual(await bench.images.load(streamOf(archive), bench.report, NEVER), ['x:1']);
    assert.deepEqual(
      bench.images.list().map(({ id }) => id),
      [HERE.id],
    );
  });
}

const deepest = [1, 2, 3, 4].reduce<readonly Buffer[]>(
  (all) => [indexOf(describe(all[0] ?? index, OCI_INDEX)), ...all],
  [index],
);
const chart = Buffer.from(
  HERE.manifest
    .toString()
    .replace('application/vnd.oci.image.config.v1+json', 'application/vnd.cncf.helm.config.v1+json'),
);
const LAYOUTS_REFUSED: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
  'indexes without end': [
    layoutOf([describe(deepest[0] ?? index, OCI_INDEX)], ...deepest, ...BLOBS),
    /nested too deeply/,
  ],
  'a chart': [
    layoutOf([describe(chart, OCI_MANIFEST)], chart, ...BLOBS),
    /unsupported media type application\/vnd\.cncf/,
  ],
  'another blob under its digest': [
    tarOf(
      { name: 'index.json', data: indexOf(here) },
      ...[HERE.manifest, HERE.config].map((data) => ({ name: `blobs/sha256/${digestOf(data).slice(7)}`, data })),
      { name: `blobs/sha256/${STORED.blobDigest.slice(7)}`, data: gzipSync(tarOf({ name: 'evil', data: 'x' })) },
    ),
    /verification failed for digest|invalid diffID/,
  ],
  'no blob for its layer': [layoutOf([here], HERE.manifest, HERE.config), /open blobs\/sha256\/\w+: no such file/],
};

for (const [what, [archive, message]] of Object.entries(LAYOUTS_REFUSED)) {
  test(`an OCI layout with ${what} is refused, and leaves nothing`, async () => {
    await using bench = openWorkbench();
    await assert.rejects(bench.images.load(streamOf(archive), bench.report, NEVER), message);
    assert.deepEqual(bench.leftovers(), []);
  });
}

test('an archive of 90,000 tiny members costs the engine one open file', async () => {
  await using bench = openWorkbench();
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  let most = 0;
  const archive = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 90_000; i += 1000) {
      yield Buffer.concat(
        Array.from({ length: 1000 }, (_, n) => tarOf({ name: `m${i + n}`, data: 'x' }).subarray(0, -1024)),
      );
      most = Math.max(most, open());
    }
    yield tarOf({ name: 'large', data: Buffer.alloc(100_000) }, config, { name: 'l', data: PLAIN }, manifestOf('l'));
  };
  await bench.images.load(archive(), bench.report, NEVER);
  assert.ok(most <= before + 4, `${most} open files, ${before} before`);
});
