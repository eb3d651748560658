// A glob of a rule must speak of exactly the repositories that its author meant.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fits } from './glob.ts';

const CASES: readonly (readonly [text: string, pattern: string, fits: boolean])[] = [
  ['app', 'app', true],
  ['app', 'ap', false],
  ['team/app', '*', false],
  ['team/app', '**', true],
  ['team/app', 'team/*', true],
  ['team/a/b', 'team/*', false],
  ['team/a/b', 'team/**', true],
  ['team/a/b', '**/b', true],
  ['team/a/b', '**/a/*', true],
  ['team/a/x/b', '**/a/*', false],
  ['x/a/y/a/z', '**/a/*', true],
  ['v1.2', 'v?.?', true],
  ['v/1', 'v?1', false],
  ['', '', true],
  ['', '*', true],
  ['prod-1', 'prod-*', true],
  [`${'a'.repeat(2000)}b`, '*a*a*a*a*a*a*a*a*c', false],
];

for (const [text, pattern, wanted] of CASES) {
  test(`${pattern} ${wanted ? 'fits' : 'does not fit'} ${text.slice(0, 20)}`, () => {
    assert.equal(fits(text, pattern), wanted);
  });
}
