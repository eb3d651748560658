// Checks the records of layers, and of the folders that a repaired layer had before.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../spec/digest.ts';
import { openDatabase } from '../../store/database.ts';
import { type LayerRow, LayerRows } from './layer-rows.ts';

const [A, B] = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}`) as [Digest, Digest];
const row = (diffId: Digest, directory: string): LayerRow => ({
  layer: { diffId, directory, sizeBytes: 3, tarBytes: 1024 },
  replaced: [{ entry: 2, path: 'f\xff', to: 0 }],
});

function opened(): { readonly rows: LayerRows; again(): LayerRows } {
  const db = openDatabase(':memory:');
  return { rows: new LayerRows(db), again: () => new LayerRows(db) };
}

test('layers are the same after a restart, with the bytes of replaced paths', () => {
  const { rows, again } = opened();
  rows.put(row(A, '1'));
  rows.put(row(B, '2'));
  assert.deepEqual(again().all(), [row(A, '1'), row(B, '2')]);
});

test('the old folder of a repaired layer is known until nobody needs it, also after a restart', () => {
  const { rows, again } = opened();
  rows.put(row(A, '1'));
  rows.put(row(A, '2'));
  for (const now of [rows, again()]) {
    assert.equal(now.get(A)?.layer.directory, '2');
    assert.deepEqual([...now.directories()].sort(), ['1', '2']);
  }
  rows.forgetRetired(() => new Set([A]));
  assert.ok(rows.directories().has('1'));
  rows.forgetRetired(() => new Set([B]));
  for (const now of [rows, again()]) assert.deepEqual([...now.directories()], ['2']);
});

test('who is mounted is asked for only where a folder was retired', () => {
  const { rows } = opened();
  rows.put(row(A, '1'));
  rows.forgetRetired(() => assert.fail('nobody needs to know'));
});

test('a layer that is removed is forgotten, and its number with it', () => {
  const { rows, again } = opened();
  rows.put(row(A, '1'));
  rows.put(row(B, '2'));
  rows.remove([row(A, '1')]);
  for (const now of [rows, again()]) {
    assert.equal(now.get(A), undefined);
    assert.deepEqual([...now.directories()], ['2']);
  }
});
