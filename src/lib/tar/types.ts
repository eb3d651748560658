// Owns the shapes of tar entries. No behaviour.

import type { ByteString } from '../bytes.ts';

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';

/** Seconds since 1970 (may be negative) and nanoseconds 0-999999999 after that second. */
export interface TarTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** A part of a sparse file that the archive holds. */
export interface TarSegment {
  readonly offset: number;
  readonly length: number;
}

/** One member of an archive, long names and pax records already applied. */
export interface TarEntry {
  readonly type: TarEntryType;
  /** As written: not cleaned, may be absolute, may climb, may end in `/`. */
  readonly name: ByteString;
  /** Target of a symlink or hardlink; '' otherwise. */
  readonly linkName: ByteString;
  /** Permission bits with setuid, setgid and sticky: 0-0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Length of the file; 0 for everything but files. */
  readonly size: number;
  /** For a sparse file the parts that follow, in order and none empty: all else of it is zeros. */
  readonly segments?: readonly TarSegment[] | undefined;
  readonly mtime: TarTime;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes, values binary; undefined when there are none. */
  readonly xattrs: ReadonlyMap<ByteString, Buffer> | undefined;
}

/** What the reader calls, in archive order: entry, its data in pieces, entryEnd. Buffers are only valid during the call. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** A piece of the present entry's payload, and where in the file it belongs. Holes of sparse files have no pieces. */
  data(bytes: Buffer, offset: number): void;
  entryEnd(): void;
  /** Every byte of the archive that is no payload (headers, sparse maps, padding, end marker, trailing bytes), in order. */
  frame?(bytes: Buffer): void;
}
