// Objects are found again by their names, and names that are not ours are left alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnyDigest } from '../../../spec/digest.ts';
import { keysUnder } from './keys.ts';

const ID = '0123456789abcdef'.repeat(2);

test('blobs are named as in an OCI image layout, under the prefix, by either hash', () => {
  for (const prefix of ['', 'some/where/', 'blobs/']) {
    const keys = keysUnder(prefix);
    for (const text of [`sha256:${'a1'.repeat(32)}`, `sha512:${'b2'.repeat(64)}`]) {
      const digest = parseAnyDigest(text);
      assert.ok(digest);
      assert.equal(keys.blob(digest), `${prefix}blobs/${text.replace(':', '/')}`);
      assert.equal(keys.digestOf(keys.blob(digest)), digest);
    }
  }
});

test('objects that somebody else put among the blobs are no blobs', () => {
  const keys = keysUnder('p/');
  const hex = 'a1'.repeat(32);
  for (const key of [
    `p/blobs/sha256/${hex}/more`,
    `p/blobs/sha256/${hex.toUpperCase()}`,
    `p/blobs/sha512/${hex}`,
    `p/blobs/${hex}`,
    `p/blobs/sha256:${hex}`,
    `q/blobs/sha256/${hex}`,
    'p/blobs/',
  ]) {
    assert.equal(keys.digestOf(key), undefined, key);
  }
});

test('the parts of an upload sort by name in the order of their bytes, and are told from its mark', () => {
  const keys = keysUnder('p/');
  const upload = keys.upload(ID);
  assert.equal(upload, `p/uploads/${ID}/`);
  const offsets = [0, 1, 999, 1000, 8 << 20, 5 * 1024 ** 4, Number.MAX_SAFE_INTEGER];
  const parts = offsets.map((offset) => keys.part(upload, offset));
  assert.deepEqual([...parts].sort(), parts);
  assert.deepEqual(
    parts.map((key) => keys.uploadOf(key)),
    offsets.map((offset) => ({ id: ID, offset })),
  );
  assert.deepEqual(keys.uploadOf(keys.mark(upload)), { id: ID, offset: undefined });
});

test('no id from outside names anything but an upload', () => {
  const keys = keysUnder('p/');
  for (const id of ['', '..', `../${ID}`, ID.toUpperCase(), `${ID}0`, `${ID}\n`, `${ID}/`]) {
    assert.equal(keys.upload(id), undefined, id);
  }
  for (const key of [`p/uploads/${ID}`, `p/uploads/${ID}/12`, `p/uploads/${ID}/begun/x`, `p/uploads/x/begun`, 'q']) {
    assert.equal(keys.uploadOf(key), undefined, key);
  }
});
