// What containers were given is read by nobody else.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

test('records of a newer program are refused by name, and stay as they are', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-test-db-'));
  const path = join(dir, 'gantry.db');
  const steps = ['CREATE TABLE x (a TEXT) STRICT', 'ALTER TABLE x ADD COLUMN b TEXT'];
  try {
    {
      using db = openDatabase(path);
      db.migrate({ name: 'x', steps });
    }
    for (const _ of [1, 2]) {
      using db = openDatabase(path);
      assert.throws(() => db.migrate({ name: 'x', steps: steps.slice(0, 1) }), {
        code: 'RECORDS_NEWER',
        message: /records of x are of version 2/,
      });
    }
    using db = openDatabase(path);
    db.migrate({ name: 'x', steps });
    db.sql('INSERT INTO x (a, b) VALUES (?, ?)').run('1', '2');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('a damaged file of records is one clear error with a way out', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-test-db-'));
  try {
    writeFileSync(join(dir, 'gantry.db'), 'no database at all '.repeat(1000));
    assert.throws(() => openDatabase(join(dir, 'gantry.db')), { code: 'RECORDS_DAMAGED', hint: /--recover/ });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
