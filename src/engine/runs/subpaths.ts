// Owns the parts of volumes that are mounted instead of the whole (`volume-subpath`). No part leads out of its volume.

import { libc, SystemError } from '../../host/libc.ts';
import { openRooted, statFd } from '../../host/rooted/index.ts';
import { bytesOfText } from '../../lib/bytes.ts';
import { GantryError } from '../../lib/errors.ts';
import type { MountFact } from './facts.ts';

/**
 * The mounts, with the source of each part as a descriptor's path, that nobody can swap for another place before the runtime
 * mounts it. The descriptors are `opened`'s to close: keep them until then.
 * They are opened in the mount namespace of process `pid`, since the runtime can mount nothing of another.
 * @throws VOLUME_SUBPATH in Docker's words
 */
export function openSubpaths(pid: number, mounts: readonly MountFact[], opened: DisposableStack): readonly MountFact[] {
  return mounts.map((mount) => {
    if (mount.subpath === undefined) return mount;
    const fd = openPart(`/proc/${pid}/root${mount.source}`, mount.source, mount.subpath);
    opened.defer(() => void libc.close(fd));
    const sourceIsDirectory = statFd(fd).type === 'directory';
    return { ...mount, source: `/proc/${process.pid}/fd/${fd}`, sourceIsDirectory };
  });
}

function openPart(volume: string, shown: string, subpath: string): number {
  using root = openRooted(volume);
  try {
    return root.openPath(bytesOfText(subpath));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const path = `${shown}/${subpath}`;
    const why = error.code === 'ENOENT' ? 'no such file or directory' : error.message;
    throw new GantryError('notFound', 'VOLUME_SUBPATH', `cannot access path ${path}: lstat ${path}: ${why}`);
  }
}
