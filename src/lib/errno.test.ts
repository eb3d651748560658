// Checks that failures of files are told in the C library's words, with the path.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ioError } from './errno.ts';
import { errnoWords } from './errno-words.ts';
import { isGantryError } from './errors.ts';

test('a failed file operation names the path in words, not in Node’s form', () => {
  let thrown: unknown;
  try {
    readFileSync('/proc/self/nope');
  } catch (error) {
    thrown = ioError(error, 'open', '/proc/self/nope');
  }
  assert.ok(isGantryError(thrown, 'system'));
  assert.equal(thrown.message, 'open /proc/self/nope: no such file or directory');
});

test('a full disk is told apart from a broken one', () => {
  const of = (code: string): unknown => ioError(Object.assign(new Error('x'), { code }), 'write', '/d');
  assert.ok(isGantryError(of('ENOSPC'), 'exhausted'));
  assert.ok(isGantryError(of('EDQUOT'), 'exhausted'));
  assert.ok(isGantryError(of('EIO'), 'system'));
  assert.equal((of('EIO') as Error).message, 'write /d: input/output error');
});

test('bugs and expected failures pass unchanged', () => {
  const bug = new TypeError('x is not a function');
  assert.equal(ioError(bug, 'write', '/d'), bug);
  assert.equal(errnoWords('toString'), undefined);
});
