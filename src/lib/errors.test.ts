import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import { GantryError, messageOf } from './errors.ts';

function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('it did not throw');
}

test('a failed call on a file is told with its path and in words, not in Node’s', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [thrown(() => mkdirSync('/proc/none')), 'mkdir /proc/none: no such file or directory'],
    [thrown(() => renameSync('/none-a', '/none-b')), 'rename /none-a /none-b: no such file or directory'],
    [
      Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }),
      'write: no space left on device',
    ],
    [
      Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED', syscall: 'connect' }),
      'connect ECONNREFUSED 127.0.0.1:1',
    ],
    [new GantryError('system', 'EIO', 'own words'), 'own words'],
    ['text', 'text'],
  ];
  for (const [error, text] of cases) assert.equal(messageOf(error), text);
});
