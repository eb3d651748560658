import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolders, makeFoldersSync } from './make-folders.ts';

const both = [
  ['makeFolders', makeFolders],
  ['makeFoldersSync', async (path: string, mode?: number) => makeFoldersSync(path, mode)],
] as const;

for (const [name, make] of both) {
  test(`${name}: folders are made, with their mode, and made again without harm`, async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gantry-folders-'));
    try {
      const path = join(dir, 'a/b/c');
      await make(path, 0o700);
      await make(path, 0o755);
      assert.equal((await stat(path)).mode & 0o777, 0o700);
      await writeFile(join(dir, 'file'), '');
      await assert.rejects(make(join(dir, 'file')), { code: 'EEXIST' });
      await assert.rejects(make(join(dir, 'file/below')), { code: 'ENOTDIR' });
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test(`${name}: a place that takes no folder is an error, not a wait without end`, async () => {
    await assert.rejects(make('/proc/no-such-folder/below'), { code: 'ENOENT' });
  });
}
