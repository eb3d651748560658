// Owns the shapes of the files capability: looking at, reading and writing paths in containers, running or not. No behaviour.

import type { Readable } from 'node:stream';
import type { ContainerRecord } from '../containers/types.ts';

/** What a path in a container is. */
export interface FileStat {
  /** The last part of the path as the caller wrote it; `/` for the root, `.` for a path that ends in a dot. */
  readonly name: string;
  readonly sizeBytes: number;
  /** In Go's form. @source io/fs FileMode */
  readonly mode: number;
  /** Unix time in nanoseconds. */
  readonly mtimeNano: bigint;
  /** Of a symlink: where it leads to in the container; '' for anything else. */
  readonly linkTarget: string;
}

/** What a path was, and a tar of it with all below. Destroying the archive ends the work behind it. */
export interface FileArchive {
  readonly stat: FileStat;
  readonly archive: Readable;
}

export interface WriteRequest {
  /** An existing folder. */
  readonly path: string;
  /** Refuse to put a folder over something else, or something else over a folder. */
  readonly noOverwriteDirNonDir: boolean;
  /** Everything belongs to the container's user, not to the archive's. */
  readonly asUser: boolean;
}

/** The files capability. `ref` is an id, a name or a unique id prefix; unknown → NO_SUCH_CONTAINER. */
export interface ContainerFiles {
  /** @throws NO_SUCH_FILE */
  stat(ref: string, path: string, signal: AbortSignal): Promise<FileStat>;
  /** A link at the end of `path` is archived itself; one followed by a slash is followed. @throws NO_SUCH_FILE */
  read(ref: string, path: string, signal: AbortSignal): Promise<FileArchive>;
  /**
   * Extracts a tar, plain or compressed, below a folder.
   * @throws NO_SUCH_FILE, NOT_A_FOLDER, READ_ONLY, ENTRY_NAME, OVERWRITE_REFUSED, CLIENT_STALLED and damage of the archive
   */
  write(ref: string, request: WriteRequest, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
}

/** A tree that lies at `path` in the container; the thread opens it, since its disk may not answer. */
export interface TreeSource {
  readonly path: string;
  /** On the host. */
  readonly source: string;
  /** What of it is meant; resolved below `source`. */
  readonly below?: string | undefined;
  readonly readOnly: boolean;
}

/** A container's file tree. */
export interface RootSource {
  /** A folder of the host; may be `/proc/self/fd/N`. */
  readonly root: string;
  readonly readOnly: boolean;
  readonly trees: readonly TreeSource[];
}

/** Lends the tree of a container while `work` runs. `isExclusive`: other verbs of the container wait, so that it must have a limit. */
export type WithRoot = <T>(
  container: ContainerRecord,
  access: 'read' | 'write',
  work: (root: RootSource, isExclusive: boolean) => Promise<T>,
) => Promise<T>;
