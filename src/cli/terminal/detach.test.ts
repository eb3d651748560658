// Pins detach keys: typed bytes must not get lost, and the keys must work however they are cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDetachFilter, parseDetachKeys } from './detach.ts';

test('keys are read as docker writes them', () => {
  assert.deepEqual([...(parseDetachKeys('ctrl-p,ctrl-q') ?? [])], [16, 17]);
  assert.deepEqual([...(parseDetachKeys('ctrl-],x') ?? [])], [29, 120]);
  assert.equal(parseDetachKeys('ctrl-1'), undefined);
  assert.equal(parseDetachKeys('nope'), undefined);
});

function type(keys: string, ...chunks: string[]): string {
  const filter = createDetachFilter(parseDetachKeys(keys) ?? new Uint8Array());
  let sent = '';
  for (const chunk of chunks) {
    const { bytes, detached } = filter.push(Buffer.from(chunk));
    sent += Buffer.from(bytes).toString();
    if (detached) return `${sent}!`;
  }
  return sent;
}

test('the keys detach, in one piece or several', () => {
  assert.equal(type('ctrl-p,ctrl-q', 'ls\n\x10\x11'), 'ls\n!');
  assert.equal(type('ctrl-p,ctrl-q', 'ls\x10', '\x11'), 'ls!');
  assert.equal(type('x', 'abx'), 'ab!');
});

test('half of the keys is sent on with what follows', () => {
  assert.equal(type('ctrl-p,ctrl-q', '\x10', 'a'), '\x10a');
  assert.equal(type('ctrl-p,ctrl-q', '\x10\x10\x11'), '\x10!');
});
