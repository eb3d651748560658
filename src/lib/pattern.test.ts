// Patterns that strangers write cannot hold up the daemon.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from './errors.ts';
import { fitsGlob, textsMatching } from './pattern.ts';

test('a regular expression finds what it finds', () => {
  const texts = ['web1', '/web1', 'db'];
  assert.deepEqual([...textsMatching('^/web\\d$', texts)], ['/web1']);
  assert.deepEqual([...textsMatching('web', texts)], ['web1', '/web1']);
  assert.deepEqual([...textsMatching('', texts)], texts);
  assert.throws(() => textsMatching('(', texts), SyntaxError);
});

test('one that would run for ages is refused, and the next works', () => {
  const began = performance.now();
  const tooCostly = (error: unknown): boolean => isGantryError(error, 'invalid') && error.code === 'PATTERN_TOO_COSTLY';
  assert.throws(() => textsMatching('^(.+)+(.+)+(.+)+$^', ['a'.repeat(64)]), tooCostly);
  assert.throws(() => textsMatching('a.'.repeat(5000), ['a']), tooCostly);
  assert.ok(performance.now() - began < 1000);
  assert.deepEqual([...textsMatching('^b+$', ['a', 'bb'])], ['bb']);
});

test('shell patterns fit as in a shell, at once', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['busybox', 'busy*', true],
    ['busybox:latest', '*:latest', true],
    ['a/b', '*', false],
    ['a/b', '*/*', true],
    ['a/b', 'a*b', false],
    ['abab', '*ab', true],
    ['abxb', 'a*b', true],
    ['aa/ab', 'a*/a?', true],
    ['b1', '[a-c][0-9]', true],
    ['d1', '[a-c][0-9]', false],
    ['d1', '[^a-c]1', true],
    ['a*', 'a\\*', true],
    ['ab', 'a\\*', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['a', '[', false],
    ['a', '[z-a]', false],
    ['', '', true],
    ['', '*', true],
    ['a', '', false],
  ];
  for (const [text, pattern, fits] of cases) assert.equal(fitsGlob(text, pattern), fits, `${text} ${pattern}`);
  const began = performance.now();
  assert.equal(fitsGlob('a'.repeat(255), `${'*a'.repeat(100)}b`), false);
  assert.ok(performance.now() - began < 200);
});
