import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Migrations, openDatabase } from './database.ts';
import { copyPathOf, rescueRecords } from './rescue.ts';

const MIGRATIONS: Migrations = {
  name: 'x',
  steps: ['CREATE TABLE x (n INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT'],
};

let dir = '';
let path = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-test-rescue-'));
  path = join(dir, 'gantry.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Rows 0 to `count`, in a file that is closed again. */
async function fill(count: number, copy: boolean): Promise<void> {
  using db = openDatabase(path);
  db.migrate(MIGRATIONS);
  db.transaction(() => {
    for (let n = 0; n < count; n++)
      db.sql('INSERT OR IGNORE INTO x (n, text) VALUES (?, ?)').run(n, `row ${n} `.repeat(20));
  });
  if (copy) await db.copyTo(copyPathOf(path));
}

function rows(): number {
  using db = openDatabase(path);
  db.migrate(MIGRATIONS);
  return Number(db.sql('SELECT count(*) AS n FROM x').get()?.n);
}

test('healthy records are left alone', async () => {
  await fill(10, false);
  const before = statSync(path).ino;
  assert.equal(rescueRecords(path).healthy, true);
  assert.equal(statSync(path).ino, before);
});

test('records that are gone, or empty, come back from their copy', async () => {
  await fill(500, true);
  for (const spoil of [() => rmSync(path), () => truncateSync(path)]) {
    spoil();
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
    const rescue = rescueRecords(path);
    assert.equal(rescue.healthy, false);
    assert.equal(rescue.rows.get('x'), 500);
    assert.equal(rows(), 500);
  }
});

test('of damaged records all that can be read is taken, the rest from the copy, and the damaged file is kept', async () => {
  await fill(2000, true);
  await fill(3000, false);
  const { size } = statSync(path);
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(4096, 0xff), 0, 4096, Math.floor(size / 8192) * 4096);
  closeSync(fd);
  const rescue = rescueRecords(path);
  assert.equal(rescue.healthy, false);
  assert.ok(rescue.setAside && existsSync(rescue.setAside));
  assert.ok(rows() >= 2000, `${rows()} rows`);
});

test('without anything to read, the records begin anew', () => {
  const fd = openSync(path, 'w');
  writeSync(fd, Buffer.alloc(100_000, 'nothing '));
  closeSync(fd);
  const rescue = rescueRecords(path);
  assert.deepEqual([rescue.healthy, rescue.rows.size], [false, 0]);
  assert.equal(rows(), 0);
});
