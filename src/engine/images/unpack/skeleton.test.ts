// Checks that a layer's tar is written again to the byte, and that a damaged skeleton never gives another one quietly.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ByteString } from '../../../lib/bytes.ts';
import { isGantryError } from '../../../lib/errors.ts';
import { movedAway, rebuildTar, SkeletonWriter, skeletonBytes } from './skeleton.ts';
import type { Replaced } from './tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-skeleton-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const b = (text: string): ByteString => text as ByteString;

let last = 0;
/** A new layer folder with these files, and where its skeleton goes. */
function newTarget(files: Readonly<Record<string, string | Buffer>> = {}) {
  const directory = join(folder, String(++last));
  const target = { directory, skeleton: `${directory}.skeleton`, replaced: `${directory}.replaced` };
  mkdirSync(directory);
  mkdirSync(target.replaced);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return target;
}

function write(path: string, work: (writer: SkeletonWriter) => void): void {
  using writer = new SkeletonWriter(path);
  work(writer);
  writer.end();
}

async function rebuilt(target: Parameters<typeof rebuildTar>[0], moves: readonly Replaced[] = []): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of rebuildTar(target, moves)) pieces.push(piece);
  return Buffer.concat(pieces);
}

const isDamage = (words: RegExp) => (error: unknown) =>
  isGantryError(error, 'system') && error.code === 'LAYER_DAMAGED' && words.test(error.message);

test('headers and files come back in their order, small and large, a name of any bytes too', async () => {
  const large = Buffer.alloc(3_000_000, 'large');
  const target = newTarget({ a: 'one', large });
  writeFileSync(Buffer.concat([Buffer.from(`${target.directory}/`), Buffer.from([0xff, 0xfe])]), 'odd');
  const header = Buffer.from('<a>');
  write(target.skeleton, (writer) => {
    writer.literal(header);
    writer.payload(b('a'), 1, 3);
    // What was given is copied: its memory is used again.
    header.fill('x');
    writer.literal(Buffer.from('<large>'));
    writer.payload(b('large'), 2, large.length);
    writer.payload(b('\xff\xfe'), 3, 3);
    writer.literal(Buffer.from('<end>'));
  });
  const wanted = Buffer.concat(['<a>', 'one', '<large>', large, 'odd', '<end>'].map((part) => Buffer.from(part)));
  assert.ok((await rebuilt(target)).equals(wanted));
  assert.equal(await skeletonBytes(target.skeleton), wanted.length);
});

test('two hundred files that are read ahead come in their order', async () => {
  const names = Array.from({ length: 200 }, (_, n) => `f${n}`);
  const target = newTarget(Object.fromEntries(names.map((name) => [name, `${name};`])));
  write(target.skeleton, (writer) => {
    for (const [n, name] of names.entries()) writer.payload(b(name), n + 1, name.length + 1);
  });
  assert.equal((await rebuilt(target)).toString(), names.map((name) => `${name};`).join(''));
});

test('headers of many megabytes are written in parts, and come back whole', async () => {
  const target = newTarget();
  const literal = Buffer.alloc(3 << 20, 'thirteen byte');
  write(target.skeleton, (writer) => {
    for (let at = 0; at < literal.length; at += 10_000) writer.literal(literal.subarray(at, at + 10_000));
  });
  assert.ok((await rebuilt(target)).equals(literal));
  assert.ok(readFileSync(target.skeleton).length < literal.length / 100, 'they are kept compressed');
});

test('of a sparse file only the parts that its archive had come back', async () => {
  const target = newTarget({ s: 'AAAA....BBBB....' });
  write(target.skeleton, (writer) => {
    writer.payload(b('s'), 1, 4);
    writer.payload(b('s'), 1, 4, 8);
  });
  assert.equal((await rebuilt(target)).toString(), 'AAAABBBB');
});

test('a file that a later entry replaced is read from where it was moved', async () => {
  const target = newTarget({ f: 'second' });
  writeFileSync(join(target.replaced, '0'), 'first!');
  mkdirSync(join(target.replaced, '1'));
  writeFileSync(join(target.replaced, '1', 'x'), 'below');
  write(target.skeleton, (writer) => {
    writer.payload(b('f'), 1, 6);
    writer.payload(b('d/x'), 2, 5);
    writer.payload(b('f'), 3, 6);
  });
  const moves = [
    { entry: 3, path: 'f', to: 0 },
    { entry: 4, path: 'd', to: 1 },
  ];
  assert.equal((await rebuilt(target, moves)).toString(), 'first!belowsecond');
});

const MOVES: readonly Replaced[] = [
  { entry: 3, path: 'a', to: 0 },
  { entry: 5, path: 'a/b', to: 1 },
  { entry: 7, path: 'a', to: 2 },
  { entry: 9, path: 'a', to: 3 },
];

/** A path, the number of the entry that wrote it, and the move that took it away. */
const AWAY: readonly (readonly [string, number, number | undefined])[] = [
  ['a', 1, 0],
  ['a', 3, 2],
  ['a', 8, 3],
  ['a', 9, undefined],
  // The first move counts, be it of the path or of a folder above.
  ['a/b', 2, 0],
  ['a/b', 4, 1],
  ['a/b/c', 4, 1],
  ['a/b', 6, 2],
  ['a/c', 6, 2],
  // A name that only begins alike is another.
  ['ab', 1, undefined],
  ['b/a', 1, undefined],
];

for (const [path, entry, to] of AWAY) {
  test(`what entry ${entry} wrote at ${path} is ${to === undefined ? 'still there' : `at number ${to} of the replaced`}`, () => {
    const byPath = Map.groupBy(MOVES, (move) => move.path);
    assert.equal(movedAway(byPath, path, entry)?.to, to);
  });
}

test('a file that is gone, shorter, or under what is no folder any more is named', async () => {
  const target = newTarget({ f: 'abc' });
  write(target.skeleton, (writer) => writer.payload(b('f'), 1, 5));
  await assert.rejects(rebuilt(target), isDamage(/the file f is shorter than it was/));
  rmSync(join(target.directory, 'f'));
  await assert.rejects(rebuilt(target), isDamage(/the file f is gone/));
  const under = newTarget({ d: 'a file' });
  write(under.skeleton, (writer) => writer.payload(b('d/f'), 1, 5));
  await assert.rejects(rebuilt(under), isDamage(/the file d\/f is gone/));
});

test('a file that is read ahead and gone is told when its turn comes, and is no accident of the program', async () => {
  const large = Buffer.alloc(3_000_000, 'large');
  const target = newTarget({ large });
  write(target.skeleton, (writer) => {
    writer.payload(b('large'), 1, large.length);
    writer.payload(b('gone'), 2, 5);
  });
  let bytes = 0;
  const read = async (): Promise<void> => {
    for await (const piece of rebuildTar(target, [])) {
      bytes += piece.length;
      await new Promise(setImmediate);
    }
  };
  await assert.rejects(read(), isDamage(/the file gone is gone/));
  assert.equal(bytes, large.length);
});

test('a link that somebody put into a layer does not lead to files of the host', async () => {
  const target = newTarget();
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'secret');
  symlinkSync(secret, join(target.directory, 'f'));
  write(target.skeleton, (writer) => writer.payload(b('f'), 1, 6));
  await assert.rejects(rebuilt(target), isDamage(/the file f is gone/));
});

test('a skeleton that ends anywhere too early, or has other bytes, is damaged and nothing else', async () => {
  const target = newTarget({ a: 'one' });
  write(target.skeleton, (writer) => {
    writer.literal(Buffer.from('header'));
    writer.payload(b('a'), 1, 3);
  });
  const whole = readFileSync(target.skeleton);
  for (let length = 1; length < whole.length; length++) {
    truncateSync(target.skeleton, 0);
    writeFileSync(target.skeleton, whole.subarray(0, length));
    await assert.rejects(skeletonBytes(target.skeleton), isDamage(/the skeleton/), `cut to ${length} bytes`);
  }
  for (let at = 0; at < whole.length; at++) {
    const spoiled = Buffer.from(whole);
    spoiled[at] = (spoiled[at] ?? 0) ^ 0xff;
    writeFileSync(target.skeleton, spoiled);
    // The digest of the tar tells what this does not.
    await rebuilt(target).catch((error: unknown) => assert.ok(isDamage(/./)(error), `byte ${at}: ${error}`));
  }
});

test('a skeleton that is gone is damage; one that is there already is never written over', async () => {
  const target = newTarget();
  await assert.rejects(rebuilt(target), isDamage(/skeleton is gone/));
  writeFileSync(target.skeleton, 'x');
  assert.throws(() => new SkeletonWriter(target.skeleton), /file exists/);
});
