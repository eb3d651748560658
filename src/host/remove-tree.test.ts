// What a container made deeper than a path can name goes away with it.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { libc, must, O_CLOEXEC, O_DIRECTORY, O_RDONLY } from './libc.ts';
import { removeTree, removeTreeSync } from './remove-tree.ts';

function deepTree(levels: number): string {
  const root = mkdtempSync(join(tmpdir(), 'gantry-test-deep-'));
  let fd = must(libc.openat(-100, root, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), 'openat', root);
  for (let level = 0; level < levels; level++) {
    must(libc.mkdirat(fd, 'a folder', 0o755), 'mkdirat');
    const next = must(libc.openat(fd, 'a folder', O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), 'openat');
    libc.close(fd);
    fd = next;
  }
  libc.close(fd);
  return root;
}

test('a tree deeper than any path is removed', async () => {
  const [one, two] = [deepTree(1500), deepTree(1500)];
  await removeTree(one);
  removeTreeSync(two);
  assert.deepEqual([existsSync(one), existsSync(two)], [false, false]);
  await removeTree(one);
  removeTreeSync(two);
});
