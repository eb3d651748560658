// Owns what a path in a container is, in Docker's form.

import type { MountedRoot, Place } from '../../host/rooted/index.ts';
import { type ByteString, textOf } from '../../lib/bytes.ts';
import type { FileStat } from './types.ts';

/** @source io/fs FileMode */
const TYPE_BITS: Readonly<Record<Place['stat']['type'], number>> = {
  file: 0,
  directory: 2 ** 31,
  symlink: 2 ** 27,
  block: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  character: 2 ** 26 + 2 ** 21,
};
const SPECIAL_BITS = [
  [0o4000, 2 ** 23],
  [0o2000, 2 ** 22],
  [0o1000, 2 ** 20],
] as const;

/** `path` as the caller wrote it. */
export function fileStat(root: MountedRoot, { stat, path: here }: Place, path: ByteString): FileStat {
  return {
    name: textOf(entryName(path)),
    sizeBytes: stat.sizeBytes,
    mode: goMode(stat.type, stat.mode),
    mtimeNano: BigInt(stat.mtimeSeconds) * 1_000_000_000n + BigInt(stat.mtimeNanoseconds),
    linkTarget: stat.type === 'symlink' ? textOf(root.realPath(here)) : '',
  };
}

function goMode(type: Place['stat']['type'], mode: number): number {
  const special = SPECIAL_BITS.reduce((bits, [ours, gos]) => bits + ((mode & ours) === 0 ? 0 : gos), 0);
  return TYPE_BITS[type] + special + (mode & 0o777);
}

/** The name that an archive of `path` gives to what is there. @source dockerd 28.5: HEAD and GET of eleven spellings */
export function entryName(path: ByteString): ByteString {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return '/' as ByteString;
  return trimmed.slice(trimmed.lastIndexOf('/') + 1) as ByteString;
}
