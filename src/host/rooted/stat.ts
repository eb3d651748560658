// Owns file facts read by statx: one shape for every architecture, nanosecond times.

import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, type CString, libc, must } from '../libc.ts';

export interface RootedStat {
  readonly type: 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket';
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly links: number;
  readonly inode: bigint;
  /** Of the file system that holds the file: major * 2^32 + minor. */
  readonly device: bigint;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** Of a device file. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

const TYPES: Readonly<Record<number, RootedStat['type']>> = {
  1: 'fifo',
  2: 'character',
  4: 'directory',
  6: 'block',
  8: 'file',
  10: 'symlink',
  12: 'socket',
};

/** STATX_BASIC_STATS. @source include/uapi/linux/stat.h */
const BASIC = 0x7ff;
const scratch = Buffer.alloc(256);

/** Facts of an open file (O_PATH suffices). @throws SystemError */
export function statFd(fd: number): RootedStat {
  must(libc.statx(fd, '', AT_EMPTY_PATH, BASIC, scratch), 'statx');
  return decode();
}

/** Facts of `name` in the directory `dir`, a symlink not followed; minus the errno when there are none. */
export function statAt(dir: number, name: CString): RootedStat | number {
  const result = libc.statx(dir, name, AT_SYMLINK_NOFOLLOW, BASIC, scratch);
  return result < 0 ? result : decode();
}

/** @source struct statx in include/uapi/linux/stat.h */
function decode(): RootedStat {
  const mode = scratch.readUInt16LE(28);
  return {
    type: TYPES[mode >> 12] ?? 'file',
    mode: mode & 0o7777,
    links: scratch.readUInt32LE(16),
    uid: scratch.readUInt32LE(20),
    gid: scratch.readUInt32LE(24),
    inode: scratch.readBigUInt64LE(32),
    sizeBytes: Number(scratch.readBigUInt64LE(40)),
    mtimeSeconds: Number(scratch.readBigInt64LE(112)),
    mtimeNanoseconds: scratch.readUInt32LE(120),
    deviceMajor: scratch.readUInt32LE(128),
    deviceMinor: scratch.readUInt32LE(132),
    device: (BigInt(scratch.readUInt32LE(136)) << 32n) | BigInt(scratch.readUInt32LE(140)),
  };
}
