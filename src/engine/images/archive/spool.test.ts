// Checks that the members of an archive are found by name, that names and links lead nowhere else, and that nothing stays on disk.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isGantryError } from '../../../lib/errors.ts';
import { openBlobs } from '../../../store/blobs.ts';
import { collect, type Member, NEVER, tarOf } from '../testing/made-images.ts';
import { type Spool, spoolArchive } from './spool.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-spool-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const blobs = openBlobs(folder);
const leftovers = (): string[] => readdirSync(join(folder, 'ingest'));

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const spool = (members: readonly Member[], pieceBytes = 1 << 16): Promise<Spool> =>
  spoolArchive(inPieces(tarOf(...members), pieceBytes), blobs, NEVER);

const link = (name: string, linkName: string, type: 'symlink' | 'hardlink' = 'symlink'): Member => ({
  name,
  linkName,
  type,
});

for (const pieceBytes of [100, 512, 1 << 16]) {
  test(`members come back byte for byte, of an archive that comes in pieces of ${pieceBytes}`, async () => {
    const large = Buffer.alloc(20_000, 'large');
    await using members = await spool(
      [{ name: 'a', data: 'one' }, { name: 'empty' }, { name: 'd/large', data: large }],
      pieceBytes,
    );
    assert.equal((await members.read('a')).toString(), 'one');
    assert.ok((await collect(members.open('d/large'))).equals(large));
    assert.equal((await members.read('empty')).length, 0);
    assert.deepEqual([members.sizeOf('d/large'), members.has('a'), members.has('b')], [20_000, true, false]);
  });
}

test('a member is found whatever stands before its name, in the archive or in the question', async () => {
  await using members = await spool([
    { name: './a', data: '1' },
    { name: '/b', data: '2' },
    { name: 'd/../c', data: '3' },
  ]);
  for (const name of ['a', './a', '/a', '././/a', 'b', 'c']) assert.ok(members.has(name), name);
});

test('of two members of one name the later counts, be it a file or a link', async () => {
  await using members = await spool([
    { name: 'a', data: 'old' },
    { name: 'a', data: 'new' },
    { name: 'b', data: 'file' },
    link('b', 'a'),
    link('c', 'a'),
    { name: 'c', data: 'file' },
  ]);
  const texts = await Promise.all(['a', 'b', 'c'].map(async (name) => (await members.read(name)).toString()));
  assert.deepEqual(texts, ['new', 'new', 'file']);
});

/** The name of a link, where it leads, whether it is a hard link, and whether the member `x/layer` is found by it. */
const LINKS: readonly (readonly [string, string, 'symlink' | 'hardlink', boolean])[] = [
  ['y/layer', '../x/layer', 'symlink', true],
  ['y/layer', 'x/layer', 'hardlink', true],
  ['y/layer', '/x/layer', 'symlink', true],
  ['x/other', 'layer', 'symlink', true],
  ['x/other', './layer', 'symlink', true],
  // Up beyond the archive's own root there is nothing else.
  ['y/layer', '../../../../x/layer', 'symlink', true],
  ['y/layer', 'x/layer', 'symlink', false],
  ['y/layer', 'y/layer', 'hardlink', false],
];

for (const [name, target, type, isFound] of LINKS) {
  test(`a ${type} ${name} to ${target} ${isFound ? 'is the layer' : 'leads to nothing'}`, async () => {
    await using members = await spool([{ name: 'x/layer', data: 'layer' }, link(name, target, type)]);
    assert.equal(members.has(name), isFound);
    if (isFound) assert.equal((await members.read(name)).toString(), 'layer');
  });
}

test('a link to a folder leads to what is in it', async () => {
  await using members = await spool([{ name: 'x/d/layer', data: 'layer' }, link('y', 'x'), link('z', 'y/d')]);
  assert.deepEqual([members.has('y/d/layer'), members.has('z/layer'), members.has('z')], [true, true, false]);
});

test('links that lead to each other, and into themselves, come to an end', async () => {
  await using members = await spool([link('a', 'b'), link('b', 'a'), link('c', 'c/c'), link('d', 'd')]);
  for (const name of ['a', 'b', 'c', 'c/x', 'd', 'd/x']) assert.equal(members.has(name), false, name);
});

test('a member that is not there, or too large to be a document, is named', async () => {
  await using members = await spool([{ name: 'large', data: Buffer.alloc((4 << 20) + 1) }]);
  const isBad = (words: RegExp) => (error: unknown) =>
    isGantryError(error, 'invalid') && error.code === 'BAD_ARCHIVE' && words.test(error.message);
  await assert.rejects(members.read('none'), isBad(/open none: no such file or directory/));
  assert.throws(() => members.open('none'), isBad(/open none/));
  await assert.rejects(members.read('large'), isBad(/large is over 4194304 bytes/));
});

test('names that climb are refused, and names of kilobytes too', async () => {
  await assert.rejects(spool([{ name: '../x' }]), (error) => isGantryError(error, 'invalid'));
  await assert.rejects(spool([{ name: 'x'.repeat(5000) }]), /too long a name/);
  await assert.rejects(spool([link('x', 'y'.repeat(5000))]), /too long a name/);
  assert.deepEqual(leftovers(), []);
});

test('however an archive is read, nothing of it stays on disk afterwards', async () => {
  const tar = tarOf({ name: 'a', data: 'one' });
  const members = await spoolArchive(inPieces(tar, 512), blobs, NEVER);
  assert.equal(leftovers().length, 1, 'one file, however many members');
  await members[Symbol.asyncDispose]();
  assert.deepEqual(leftovers(), []);
  await assert.rejects(spoolArchive(inPieces(tar.subarray(0, 514), 512), blobs, NEVER), (error) =>
    isGantryError(error),
  );
  const broken = async function* (): AsyncGenerator<Buffer> {
    yield tar.subarray(0, 512);
    throw new Error('the client left');
  };
  await assert.rejects(spoolArchive(broken(), blobs, NEVER), /the client left/);
  await assert.rejects(spoolArchive(inPieces(tar, 512), blobs, AbortSignal.abort()), (e) =>
    isGantryError(e, 'cancelled'),
  );
  assert.deepEqual(leftovers(), []);
});
