// Checks a layer's way from bytes to files: what is unpacked, what is refused, and that a failure leaves nothing.

import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { isGantryError } from '../../../lib/errors.ts';
import { digestOf } from '../../../store/blobs.ts';
import type { Member } from '../testing/made-images.ts';
import { LayerPipeline } from './pipeline.ts';
import { openPlace, ownTar } from './testing/unpack-here.ts';

const hexOf = (bytes: Buffer): string => digestOf(bytes).slice('sha256:'.length);
const TAR = ownTar(
  { name: 'd/', type: 'directory', mode: 0o750 },
  { name: 'd/f', data: 'content'.repeat(500), mode: 0o640 },
);

test('files, folders and links become what the layer says, with modes and times', async () => {
  using place = openPlace();
  const mtime = { seconds: 1_000_000_000, nanoseconds: 500_000_000 };
  const tar = ownTar(
    { name: './d/', type: 'directory', mode: 0o751, mtime },
    { name: '/d/f', data: 'hello', mode: 0o4640, mtime },
    { name: 'd/s', type: 'symlink', linkName: '../nowhere' },
    { name: 'd/h', type: 'hardlink', linkName: 'd/f' },
    { name: 'p', type: 'fifo', mode: 0o600 },
  );
  const result = await place.unpack(tar);
  assert.equal(readFileSync(place.at('d/f'), 'utf8'), 'hello');
  assert.equal(lstatSync(place.at('d/f')).mode & 0o7777, 0o4640);
  assert.equal(lstatSync(place.at('d')).mode & 0o7777, 0o751);
  // A folder's time is its own, not that of what was written into it.
  assert.deepEqual(
    ['d', 'd/f'].map((name) => lstatSync(place.at(name)).mtimeMs),
    [1e12 + 500, 1e12 + 500],
  );
  assert.equal(readlinkSync(place.at('d/s')), '../nowhere');
  assert.equal(lstatSync(place.at('d/h')).ino, lstatSync(place.at('d/f')).ino);
  assert.ok(lstatSync(place.at('p')).isFIFO());
  // As Docker counts: files, and the text of symlinks.
  assert.equal(result.sizeBytes, 'hello'.length + '../nowhere'.length);
  assert.deepEqual(await place.rebuilt(result), tar);
});

for (const pieceBytes of [1, 7, 511, 513]) {
  test(`a layer that comes in pieces of ${pieceBytes} bytes is the same layer`, async () => {
    using place = openPlace();
    const result = await place.unpack(gzipSync(TAR), { pieceBytes });
    assert.equal(result.plainHex, hexOf(TAR));
    assert.deepEqual(await place.rebuilt(result), TAR);
  });
}

for (const [name, packed] of Object.entries({
  'no compression': TAR,
  gzip: gzipSync(TAR),
  'gzip in two members': Buffer.concat([gzipSync(TAR.subarray(0, 700)), gzipSync(TAR.subarray(700))]),
  zstd: zstdCompressSync(TAR),
})) {
  test(`a layer with ${name} is known by both of its digests and lengths`, async () => {
    using place = openPlace();
    const result = await place.unpack(packed, { expectedHex: hexOf(packed), plainHex: hexOf(TAR) });
    assert.deepEqual(
      [result.compressedHex, result.compressedBytes, result.plainHex, result.plainBytes],
      [hexOf(packed), packed.length, hexOf(TAR), TAR.length],
    );
  });
}

test('of a file that comes twice the later one is seen, and the layer’s archive still has both', async () => {
  using place = openPlace();
  const tar = ownTar(
    { name: 'f', data: 'first' },
    { name: 'd/', type: 'directory', mode: 0o755 },
    { name: 'd/x', data: 'below' },
    { name: 'f', data: 'second!' },
    { name: 'd', data: 'now a file' },
  );
  const result = await place.unpack(tar);
  assert.equal(readFileSync(place.at('f'), 'utf8'), 'second!');
  assert.equal(readFileSync(place.at('d'), 'utf8'), 'now a file');
  assert.deepEqual(result.replaced, [
    { entry: 4, path: 'f', to: 0 },
    { entry: 5, path: 'd', to: 1 },
  ]);
  assert.deepEqual(await place.rebuilt(result), tar);
});

test('what comes into a folder that replaced another lies in the new one', async () => {
  using place = openPlace();
  const folder: Member = { name: 'd/', type: 'directory', mode: 0o755 };
  const tar = ownTar(folder, { name: 'd/x', data: 'old' }, { name: 'd' }, folder, { name: 'd/y', data: 'new' });
  const result = await place.unpack(tar);
  assert.equal(readFileSync(place.at('d/y'), 'utf8'), 'new');
  assert.throws(() => lstatSync(place.at('d/x')), /ENOENT/);
  assert.deepEqual(await place.rebuilt(result), tar);
});

test('a whiteout hides a name of the layers below, and never one of its own layer', async () => {
  using place = openPlace();
  await place.unpack(
    ownTar({ name: '.wh.gone' }, { name: 'own', data: 'x' }, { name: '.wh.own' }, { name: '.wh..wh.plnk' }),
  );
  const hidden = lstatSync(place.at('gone'));
  assert.ok(hidden.isCharacterDevice() && hidden.rdev === 0);
  assert.equal(readFileSync(place.at('own'), 'utf8'), 'x');
  assert.throws(() => lstatSync(place.at('.wh..wh.plnk')), /ENOENT/);
});

test('a link that leads out of the layer leads to the same name inside', async () => {
  using place = openPlace();
  await place.unpack(
    ownTar(
      { name: 'd/', type: 'directory', mode: 0o755 },
      { name: 'out', type: 'symlink', linkName: '../../../../../d' },
      { name: 'abs', type: 'symlink', linkName: '/d' },
      { name: 'out/a', data: '1' },
      { name: 'abs/b', data: '2' },
    ),
  );
  assert.deepEqual(
    ['a', 'b'].map((name) => readFileSync(place.at(`d/${name}`), 'utf8')),
    ['1', '2'],
  );
});

test('a time that no clock of Go’s has is the start of 1970', async () => {
  using place = openPlace();
  const times = [-5, 9_223_372_036, 8_000_000_000];
  await place.unpack(
    ownTar(...times.map((seconds, n): Member => ({ name: `f${n}`, mtime: { seconds, nanoseconds: 0 } }))),
  );
  assert.deepEqual(
    times.map((_, n) => lstatSync(place.at(`f${n}`)).mtimeMs / 1000),
    [0, 0, 8_000_000_000],
  );
});

/** What is wrong with a layer, and the code of the failure. */
const REFUSED: readonly (readonly [string, Buffer, string])[] = [
  ['climbs out', ownTar({ name: '../x' }), 'TAR_OUTSIDE'],
  ['links to a file outside', ownTar({ name: 'x', type: 'hardlink', linkName: '../../etc/passwd' }), 'TAR_OUTSIDE'],
  ['hides the folder above', ownTar({ name: '.wh...' }), 'TAR_OUTSIDE'],
  ['links to a file that it does not have', ownTar({ name: 'x', type: 'hardlink', linkName: 'none' }), 'ENOENT'],
  ['is no tar', Buffer.alloc(1024, 'x'), 'BAD_TAR'],
  ['ends within a file', TAR.subarray(0, 1500), 'TRUNCATED_TAR'],
  ['is cut gzip', gzipSync(TAR).subarray(0, 60), 'TRUNCATED_LAYER'],
];

for (const [what, bytes, code] of REFUSED) {
  test(`a layer that ${what} is refused, and nothing of it stays`, async () => {
    using place = openPlace();
    const tar = Buffer.concat([bytes]);
    await assert.rejects(place.unpack(tar), (error) => (error as { code?: unknown }).code === code);
    assert.deepEqual(place.there(), []);
  });
}

test('bytes that are not what was promised are the registry’s lie, whatever else is wrong with them', async () => {
  const lie = (error: unknown): boolean => isGantryError(error, 'system') && error.code === 'DIGEST_MISMATCH';
  for (const bytes of [Buffer.alloc(4096, 'x'), ownTar({ name: '../x' }), gzipSync(TAR).subarray(0, 60)]) {
    using place = openPlace();
    await assert.rejects(place.unpack(bytes, { expectedHex: hexOf(TAR), pieceBytes: 512 }), lie);
    assert.deepEqual(place.there(), []);
  }
});

test('a damaged end of the compression is no loss where all of the tar was there', async () => {
  // Without its last eight bytes: checksum and length.
  const damaged = gzipSync(TAR).subarray(0, -8);
  using place = openPlace();
  const result = await place.unpack(damaged, { plainHex: hexOf(TAR) });
  assert.equal(result.plainHex, hexOf(TAR));
  using other = openPlace();
  await assert.rejects(other.unpack(damaged), (error) => isGantryError(error, 'invalid'));
  assert.deepEqual(other.there(), []);
});

test('of a layer that is cut that is said, also where its digest is known', async () => {
  using place = openPlace();
  const work = place.unpack(gzipSync(TAR).subarray(0, 60), { plainHex: hexOf(TAR) });
  await assert.rejects(work, (error) => isGantryError(error) && error.code === 'TRUNCATED_LAYER');
  assert.deepEqual(place.there(), []);
});

for (const [name, packed] of Object.entries({ gzip: gzipSync(TAR), zstd: zstdCompressSync(TAR) })) {
  test(`bytes behind a layer of ${name} are passed over, and belong to its digest`, async () => {
    using place = openPlace();
    const padded = Buffer.concat([packed, Buffer.from('some garbage')]);
    const result = await place.unpack(padded, { plainHex: hexOf(TAR), pieceBytes: 64 });
    assert.deepEqual([result.compressedHex, result.plainHex], [hexOf(padded), hexOf(TAR)]);
  });
}

test('a layer that is called off ends with that word, and nothing of it stays', async () => {
  using place = openPlace();
  const options = { expectedHex: undefined, plainHex: undefined, exactModes: false, consumed: () => {} };
  const pipeline = new LayerPipeline({ target: place.target, ...options });
  pipeline.write(TAR.subarray(0, 1024));
  await new Promise(setImmediate);
  pipeline.abort();
  pipeline.write(TAR.subarray(1024));
  pipeline.end();
  await assert.rejects(pipeline.result, (error) => isGantryError(error, 'cancelled'));
  assert.deepEqual(place.there(), []);
});

test('a folder that is there already is not taken for the layer’s', () => {
  using place = openPlace();
  mkdirSync(place.target.directory);
  const options = { expectedHex: undefined, plainHex: undefined, exactModes: false, consumed: () => {} };
  assert.throws(() => new LayerPipeline({ target: place.target, ...options }), /file exists/);
  assert.deepEqual(place.there(), ['directory'], 'and it is not removed');
});

test('the sender gets its allowance back for every byte, also for those that nobody needs', async () => {
  for (const bytes of [TAR, gzipSync(TAR), Buffer.alloc(4096, 'x')]) {
    using place = openPlace();
    let consumed = 0;
    const count = (n: number): void => {
      consumed += n;
    };
    await place.unpack(bytes, { consumed: count, pieceBytes: 100, expectedHex: hexOf(bytes) }).catch(() => {});
    assert.ok(consumed >= bytes.length);
  }
});

test('what is only called gzip is refused', async () => {
  using place = openPlace();
  const bytes = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), deflateRawSync(TAR)]);
  await assert.rejects(place.unpack(bytes), (error) => isGantryError(error, 'invalid'));
});
