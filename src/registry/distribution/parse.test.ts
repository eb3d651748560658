// What requests say must be read exactly: a range that is read wrongly is a corrupt layer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentRangeOf, digestOf, limitOf, rangeOf, referenceOf } from './parse.ts';

const HEX = 'a'.repeat(64);

const RANGES: readonly (readonly [header: string | undefined, sizeBytes: number, expected: unknown])[] = [
  [undefined, 100, 'none'],
  ['bytes=0-9', 100, { start: 0, end: 10 }],
  ['bytes=90-', 100, { start: 90, end: 100 }],
  ['bytes=-10', 100, { start: 90, end: 100 }],
  ['bytes=-1000', 100, { start: 0, end: 100 }],
  ['bytes=99-5000', 100, { start: 99, end: 100 }],
  ['bytes=100-', 100, 'unsatisfiable'],
  ['bytes=-0', 100, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=9-0', 100, 'none'],
  ['bytes=0-1,5-6', 100, 'none'],
  ['items=0-1', 100, 'none'],
  ['bytes=-', 100, 'none'],
  ['bytes=a-b', 100, 'none'],
];

for (const [header, sizeBytes, expected] of RANGES) {
  test(`Range ${header ?? '(none)'} of ${sizeBytes} bytes`, () =>
    assert.deepEqual(rangeOf(header, sizeBytes), expected));
}

test('Content-Range is two inclusive offsets, as the specification and as RFC 9110 write them', () => {
  assert.equal(contentRangeOf(undefined), undefined);
  assert.deepEqual(contentRangeOf('0-99'), { start: 0, length: 100 });
  assert.deepEqual(contentRangeOf('bytes 100-199/*'), { start: 100, length: 100 });
  for (const header of ['', '5', '9-0', 'a-b', '-5', '5-', '0-1,2-3', `0-${'9'.repeat(30)}`]) {
    assert.throws(() => contentRangeOf(header), { code: 'RANGE_INVALID' }, header);
  }
});

test('a reference is a tag or a digest; what is neither cannot be put and is not there', () => {
  assert.equal(referenceOf('v1.0', true), 'v1.0');
  assert.equal(referenceOf(`sha256:${HEX}`, true), `sha256:${HEX}`);
  assert.throws(() => referenceOf('.v1', true), { code: 'TAG_INVALID' });
  assert.throws(() => referenceOf('.v1', false), { code: 'MANIFEST_UNKNOWN' });
  assert.throws(() => referenceOf('sha256:abc', false), { code: 'DIGEST_INVALID' });
  assert.throws(() => digestOf(null), { code: 'DIGEST_INVALID' });
  assert.throws(() => digestOf(`md5:${'a'.repeat(32)}`), { code: 'DIGEST_INVALID' });
});

test('a page is as long as was asked for, and never longer than allowed', () => {
  assert.deepEqual([limitOf(null, 100), limitOf('0', 100), limitOf('7', 100), limitOf('900', 100)], [100, 0, 7, 100]);
  for (const n of ['-1', 'x', '1.5', '', '9'.repeat(20)]) {
    assert.throws(() => limitOf(n, 100), { code: 'PAGINATION_NUMBER_INVALID' }, n);
  }
});
