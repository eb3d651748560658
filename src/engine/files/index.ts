// Owns the face of the files capability: which tree a path belongs to is the container's affair, how it is read a thread's.

import { decompressed } from '../../host/inflate/index.ts';
import { isGantryError } from '../../lib/errors.ts';
import { itemsInTime } from '../../lib/within.ts';
import type { ContainerRecord } from '../containers/types.ts';
import { stalled } from './errors.ts';
import { FileThreads, type FileThreadsOptions } from './threads.ts';
import type { ContainerFiles, FileArchive, WithRoot, WriteRequest } from './types.ts';

export type * from './types.ts';

/** A client that sends nothing for so long frees a container that others want to start. */
const STALLED_MS = 60_000;

const DAMAGED: ReadonlySet<string> = new Set([
  'BAD_TAR',
  'UNSUPPORTED_TAR',
  'TRUNCATED_TAR',
  'TRUNCATED_LAYER',
  'CORRUPT_LAYER',
]);

export interface FilesDeps {
  /** @throws NO_SUCH_CONTAINER */
  readonly find: (ref: string) => ContainerRecord;
  readonly withRoot: WithRoot;
  readonly publish: (container: ContainerRecord, action: string) => void;
  readonly threads?: FileThreadsOptions;
}

/** Docker answers a damaged archive with 500. @source dockerd 28.5 */
function inDockersKind(error: unknown): never {
  if (!isGantryError(error, 'invalid') || !DAMAGED.has(error.code)) throw error;
  throw error.ofKind('system');
}

export function createFiles({
  find,
  withRoot,
  publish,
  threads: options,
}: FilesDeps): ContainerFiles & AsyncDisposable {
  const threads = new FileThreads(options);
  return {
    stat: (ref, path, signal) =>
      withRoot(find(ref), 'read', (root) => threads.stat({ container: ref, root }, path, signal)),

    async read(ref, path, signal) {
      const container = find(ref);
      const answer = Promise.withResolvers<FileArchive>();
      // The tree is lent for as long as the archive is read, the answer is there before.
      const lending = withRoot(container, 'read', async (root) => {
        const ended = Promise.withResolvers<void>();
        answer.resolve(threads.pack({ container: ref, root }, path, signal, ended.resolve));
        await ended.promise;
      });
      lending.catch(answer.reject);
      const archive = await answer.promise;
      publish(container, 'archive-path');
      return archive;
    },

    async write(ref, { path, noOverwriteDirNonDir, asUser }: WriteRequest, archive, signal) {
      const container = find(ref);
      const user = asUser ? container.config.User || undefined : undefined;
      await withRoot(container, 'write', (root, isExclusive) => {
        const bytes = isExclusive ? itemsInTime(archive, STALLED_MS, () => stalled(STALLED_MS / 1000)) : archive;
        const task = { path, noOverwriteDirNonDir, user };
        return threads.extract({ container: ref, root }, task, decompressed(bytes), signal).catch(inDockersKind);
      });
      publish(container, 'extract-to-dir');
    },

    [Symbol.asyncDispose]: () => threads[Symbol.asyncDispose](),
  };
}
