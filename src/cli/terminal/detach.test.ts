// Pins how detach keys are written: a user could not leave a container otherwise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDetachKeys } from './detach.ts';

test('keys are read as docker writes them', () => {
  assert.deepEqual([...(parseDetachKeys('ctrl-p,ctrl-q') ?? [])], [16, 17]);
  assert.deepEqual([...(parseDetachKeys('ctrl-],x') ?? [])], [29, 120]);
  assert.equal(parseDetachKeys('ctrl-1'), undefined);
  assert.equal(parseDetachKeys('nope'), undefined);
});
