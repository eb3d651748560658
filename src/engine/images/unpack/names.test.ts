// Checks that no name in a layer leads out of it, and that whiteouts are told from files.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ByteString } from '../../../lib/bytes.ts';
import { isGantryError } from '../../../lib/errors.ts';
import { cleanName, splitClean, whiteoutOf } from './names.ts';

const b = (text: string): ByteString => text as ByteString;

const CLEANED: readonly (readonly [string, string])[] = [
  ['a', 'a'],
  ['a/b', 'a/b'],
  ['./a', 'a'],
  ['/a/b/', 'a/b'],
  ['//a//b', 'a/b'],
  ['a/./b', 'a/b'],
  ['a/../b', 'b'],
  ['a/b/../../c', 'c'],
  ['', ''],
  ['.', ''],
  ['/', ''],
  ['a/..', ''],
  // Dots that are part of a name are no way up.
  ['..a/b..', '..a/b..'],
  ['...', '...'],
  ['.a', '.a'],
  // Bytes that are no UTF-8 stay what they are.
  ['\xff/\xfe', '\xff/\xfe'],
];

for (const [name, wanted] of CLEANED) {
  test(`an entry named ${JSON.stringify(name)} lies at ${JSON.stringify(wanted)}`, () => {
    assert.equal(cleanName(b(name)), wanted);
  });
}

for (const name of ['..', '../a', 'a/../../b', '/..', '/../etc/passwd', './../x', 'a/../..']) {
  test(`an entry named ${JSON.stringify(name)} does not climb out of its layer`, () => {
    const isRefused = (error: unknown): boolean => isGantryError(error, 'invalid') && error.code === 'TAR_OUTSIDE';
    assert.throws(() => cleanName(b(name)), isRefused);
  });
}

test('a refused name is told with what it was for, in text that people can read', () => {
  assert.throws(() => cleanName(b('../\xc3\xa4'), 'hardlink target'), /invalid hardlink target "\.\.\/ä"/);
});

test('a name with a NUL is refused: the kernel would see another name', () => {
  assert.throws(() => cleanName(b('a\0/../../b')), /invalid tar header/);
});

test('a clean name is parted into its folder and its last name', () => {
  assert.deepEqual(splitClean(b('a/b/c')), { parent: 'a/b', base: 'c' });
  assert.deepEqual(splitClean(b('a')), { parent: '', base: 'a' });
});

test('whiteouts hide a name or a whole folder; ordinary names with wh in them do not', () => {
  assert.deepEqual(whiteoutOf(b('.wh.a')), { kind: 'hides', base: 'a' });
  assert.deepEqual(whiteoutOf(b('.wh..a')), { kind: 'hides', base: '.a' });
  assert.deepEqual(whiteoutOf(b('.wh..wh..opq')), { kind: 'opaque' });
  assert.deepEqual(whiteoutOf(b('.wh..wh.plnk')), { kind: 'metadata' });
  for (const name of ['a', '.wh', 'wh.a', 'a.wh.b', '.WH.a']) assert.equal(whiteoutOf(b(name)), undefined);
});

for (const name of ['.wh.', '.wh..', '.wh...']) {
  test(`the whiteout ${name} does not hide the folder it lies in, or the one above`, () => {
    assert.throws(() => whiteoutOf(b(name)), /invalid whiteout entry/);
  });
}
