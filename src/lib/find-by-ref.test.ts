import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findByRef } from './find-by-ref.ts';

const ITEMS = [
  { id: 'abc1', name: 'web' },
  { id: 'abc2', name: 'db' },
  { id: 'def3', name: 'abc1' },
];
const LOOKUP = {
  exact: (ref: string) => ITEMS.find(({ id }) => id === ref) ?? ITEMS.find(({ name }) => name === ref),
  startingWith: (prefix: string) => ITEMS.filter(({ id }) => id.startsWith(prefix)),
};

test('an exact match wins over the beginning of another id', () => {
  assert.deepEqual(findByRef('abc1', LOOKUP), { kind: 'one', item: ITEMS[0] });
  assert.deepEqual(findByRef('db', LOOKUP), { kind: 'one', item: ITEMS[1] });
});

test('the beginning of one id is enough, of two it is too little', () => {
  assert.deepEqual(findByRef('d', LOOKUP), { kind: 'one', item: ITEMS[2] });
  assert.deepEqual(findByRef('abc', LOOKUP), { kind: 'many', count: 2 });
});

test('what is no beginning of an id is found by its name only', () => {
  for (const ref of ['', 'x', 'we', 'ABC', 'abc1/..', 'a'.repeat(65)]) {
    assert.deepEqual(findByRef(ref, LOOKUP), { kind: 'none', count: 0 }, ref);
  }
});
