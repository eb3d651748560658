// A requirement without a test would be a promise that nobody keeps.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REQUIREMENTS } from './requirements.table.ts';

test('every requirement on a registry has a test of its name', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
  const text = files.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('\n');
  const missing = REQUIREMENTS.filter(({ id, exempt }) => exempt === undefined && !text.includes(`'${id}'`));
  assert.deepEqual(
    missing.map(({ id }) => id),
    [],
  );
  assert.ok(REQUIREMENTS.length > 50);
});
