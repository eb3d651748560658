import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { folderBytes } from './size.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-size-'));
});
after(() => rmSync(dir, { recursive: true }));

test('what a prune reports is what the disk gets back: all files, a file of two names once, nothing behind a link', async () => {
  const volume = join(dir, 'volume');
  mkdirSync(join(volume, 'a/b'), { recursive: true });
  writeFileSync(join(dir, 'outside'), 'x'.repeat(5000));
  writeFileSync(join(volume, 'top'), 'x'.repeat(10));
  writeFileSync(join(volume, 'a/b/deep'), 'x'.repeat(300));
  linkSync(join(volume, 'a/b/deep'), join(volume, 'a/again'));
  symlinkSync(join(dir, 'outside'), join(volume, 'link'));
  symlinkSync('..', join(volume, 'a/up'));
  assert.equal(await folderBytes(volume), 310);
});

test('a volume whose folder is gone has no bytes, and fails no list', async () => {
  assert.equal(await folderBytes(join(dir, 'absent')), 0);
});
