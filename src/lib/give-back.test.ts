// Memory that somebody else still reads must never be given back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBack } from './give-back.ts';

test('a piece that has its memory alone is empty afterwards', () => {
  const piece = Buffer.alloc(1000, 1);
  giveBack(piece);
  assert.equal(piece.length, 0);
});

test('a piece that shares its memory is left as it is', () => {
  const whole = Buffer.from(new ArrayBuffer(100)).fill(1);
  for (const piece of [whole.subarray(0, 50), whole.subarray(50), Buffer.from('of the pool')]) {
    const before = Buffer.from(piece);
    giveBack(piece);
    assert.ok(before.equals(piece));
  }
  const shared = new Uint8Array(new SharedArrayBuffer(10));
  giveBack(shared);
  assert.equal(shared.length, 10);
});
