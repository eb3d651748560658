// What containers were given is read by nobody else.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from './database.ts';

test('the records are readable by their owner alone, in an open folder and after a looser engine too', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-test-db-'));
  const modes = (): readonly number[] => readdirSync(dir).map((name) => statSync(join(dir, name)).mode & 0o777);
  try {
    chmodSync(dir, 0o755);
    {
      using db = openDatabase(join(dir, 'gantry.db'));
      db.migrate({ name: 'x', steps: ['CREATE TABLE x (a TEXT) STRICT'] });
      assert.deepEqual(new Set(modes()), new Set([0o600]));
      assert.equal(modes().length, 3);
    }
    for (const name of readdirSync(dir)) chmodSync(join(dir, name), 0o644);
    using _again = openDatabase(join(dir, 'gantry.db'));
    assert.deepEqual(new Set(modes()), new Set([0o600]));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
