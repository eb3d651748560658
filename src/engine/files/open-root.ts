// Owns opening a container's file tree from its parts. Blocks; a thread of its own runs it.

import { AT_FDCWD, libc, must, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../host/libc.ts';
import { MountedRoot, type MountedTree, openRooted } from '../../host/rooted/index.ts';
import { bytesOfText } from '../../lib/bytes.ts';
import type { RootSource, TreeSource } from './types.ts';

/** An opened tree. Disposing closes its descriptors. */
export interface OpenRoot extends Disposable {
  readonly fd: number;
  readonly root: MountedRoot;
}

/** @throws SystemError when a part cannot be opened */
export function openRoot({ root, readOnly, trees }: RootSource): OpenRoot {
  using stack = new DisposableStack();
  const fd = open(stack, root, O_DIRECTORY);
  const mounted = trees.map((tree): MountedTree => {
    return { path: bytesOfText(tree.path), fd: openTree(stack, tree), readOnly: tree.readOnly };
  });
  const whole = new MountedRoot(fd, mounted, readOnly);
  const owned = stack.move();
  return { fd, root: whole, [Symbol.dispose]: () => owned.dispose() };
}

function openTree(stack: DisposableStack, { source, below }: TreeSource): number {
  if (below === undefined) return open(stack, source, 0);
  using root = openRooted(source);
  return keep(stack, root.openPath(bytesOfText(below)));
}

function open(stack: DisposableStack, path: string, flags: number): number {
  return keep(stack, must(libc.openat(AT_FDCWD, path, O_PATH | O_CLOEXEC | flags, 0), 'open', path));
}

function keep(stack: DisposableStack, fd: number): number {
  return stack.adopt(fd, (open) => void libc.close(open));
}
