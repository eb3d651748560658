import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oversized } from './sizes.ts';

const lines = (count: number) => 'x();\n'.repeat(count);
const methods = (count: number) =>
  Array.from({ length: count }, (_, i) => `m${i}(): void; readonly p${i}: string;`).join('');

test('a file of 400 lines is fine, one more is not', () => {
  assert.deepEqual(oversized('src/a.ts', lines(400)), []);
  assert.deepEqual(oversized('src/a.ts', lines(401)), ['src/a.ts: 401 lines, 400 at most']);
});

test('a function of 60 lines is fine, one more is not, but in a test', () => {
  assert.deepEqual(oversized('src/a.ts', `const f = () => {\n${lines(58)}};\n`), []);
  const long = `\nclass A {\n  m() {\n${lines(59)}  }\n}\n`;
  assert.deepEqual(oversized('src/a.ts', long), ['src/a.ts:3: a function of 61 lines, 60 at most']);
  assert.deepEqual(oversized('src/a.test.ts', long), []);
});

test('an interface of ten methods is fine, one more is not; properties do not count', () => {
  assert.deepEqual(oversized('src/a.ts', `interface A { ${methods(10)} }\n`), []);
  const more = `export interface A { ${methods(10)} readonly f: (a: string) => void }\n`;
  assert.deepEqual(oversized('src/a.ts', more), ['src/a.ts:1: A has 11 methods, 10 at most']);
});
