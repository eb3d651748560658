// Owns the messages between the main thread and a thread that works on a container's files. No behaviour.

import type { SentError } from '../../lib/thread-error.ts';
import type { FileStat, RootSource } from './types.ts';

export type Task =
  | { readonly kind: 'stat'; readonly path: string }
  /** Writes a tar to the descriptor `output`. */
  | { readonly kind: 'pack'; readonly path: string; readonly output: number }
  /** Reads a plain tar from the descriptor `input`. */
  | {
      readonly kind: 'extract';
      readonly path: string;
      readonly input: number;
      readonly noOverwriteDirNonDir: boolean;
      /** Whose everything becomes, as in `--user`; undefined: the archive's owners. */
      readonly user: string | undefined;
    };

export interface ToThread {
  /** As the caller named it, for messages. */
  readonly container: string;
  readonly root: RootSource;
  readonly task: Task;
}

export type FromThread =
  /** What the path is; the first message of `stat` and `pack`. */
  | { readonly kind: 'stat'; readonly stat: FileStat }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: SentError };
