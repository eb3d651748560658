import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, page } from './error-codes.ts';

const table = (path: string, ...rows: string[]) => ({
  path,
  text: `declare module '../lib/errors.ts' {\n  interface ErrorCodes {\n${rows.map((row) => `    ${row};\n`).join('')}  }\n}\n`,
});
const made = (kind: string, code: string) => ({
  path: 'src/a/b.ts',
  text: `throw new GantryError(\n  '${kind}', '${code}', 'x');`,
});

test('a code with its kind is fine, and one that only a helper names', () => {
  const files = [table('src/a/codes.ts', "GONE: 'notFound' | 'system'", "SHUT: 'conflict'"), made('system', 'GONE')];
  assert.deepEqual(complaints([...files, { path: 'src/a/c.ts', text: "invalid('SHUT', 'x')" }]), []);
});

test('another kind, a code in two tables and one that nobody uses are complaints', () => {
  const files = [
    table('src/a/codes.ts', "GONE: 'notFound'", "OLD: 'system'"),
    table('src/b/codes.ts', "GONE: 'notFound'"),
  ];
  assert.deepEqual(complaints([...files, made('invalid', 'GONE')]), [
    'src/b/codes.ts: GONE is in src/a/codes.ts too',
    'src/a/b.ts: GONE is notFound, not invalid',
    'src/a/codes.ts: nobody uses OLD',
  ]);
});

test('the page lists the tables', () => {
  assert.match(
    page([table('src/a/codes.ts', "GONE: 'notFound' | 'system'")]),
    /## src\/a\n[\s\S]*\| `GONE` \| notFound, system \|/,
  );
});
