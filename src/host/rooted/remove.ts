// Owns removing a tree by descriptors: a folder that a running program swaps for a link meanwhile leads nowhere else. Blocks.

import { readdirSync } from 'node:fs';
import { AT_REMOVEDIR, errno, libc, must, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, SystemError } from '../libc.ts';

/** As deep as a path can be named. */
const DEEPEST = 2048;

/** Removes `name` (ending in NUL) in the open folder `dir`, with all below it; absent is fine. @throws SystemError */
export function removeAt(dir: number, name: Uint8Array, depth = 0): void {
  const unlinked = libc.unlinkat(dir, name, 0);
  if (unlinked >= 0 || unlinked === -errno.ENOENT) return;
  if (unlinked !== -errno.EISDIR && unlinked !== -errno.EPERM) throw new SystemError(-unlinked, 'unlinkat', name);
  if (depth === DEEPEST) throw new SystemError(errno.ENAMETOOLONG, 'unlinkat', name);
  const folder = must(libc.openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0), 'openat', name);
  try {
    for (const child of readdirSync(`/proc/self/fd/${folder}`, { encoding: 'buffer' })) {
      removeAt(folder, Buffer.concat([child, Buffer.of(0)]), depth + 1);
    }
  } finally {
    libc.close(folder);
  }
  const removed = libc.unlinkat(dir, name, AT_REMOVEDIR);
  if (removed < 0 && removed !== -errno.ENOENT) throw new SystemError(-removed, 'unlinkat', name);
}
