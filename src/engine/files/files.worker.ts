// Owns a thread that looks at, packs or extracts one container's files at a time. It may block, on a slow client as on a dead disk:
// whoever started it gives it up.

import { parentPort } from 'node:worker_threads';
import { packTree, TarExtractor } from '../../host/archive/index.ts';
import { CLONE_FS, libc, must, SystemError } from '../../host/libc.ts';
import { rootedAt } from '../../host/rooted/index.ts';
import { bytesOfText } from '../../lib/bytes.ts';
import { sentError } from '../../lib/thread-error.ts';
import { resolveUser } from '../../runtime/user.ts';
import { readUserFiles } from '../../runtime/user-files.ts';
import { noSuchFile, notAFolder, readOnlyRoot, readOnlyVolume, tooManyLinks } from './errors.ts';
import { cleanPath, entryName, fileStat } from './file-stat.ts';
import type { FromThread, Task, ToThread } from './messages.ts';
import { type OpenRoot, openRoot } from './open-root.ts';

if (!parentPort) throw new Error('files.worker.ts runs as a worker thread only');
const port = parentPort;
const INPUT_BYTES = 1 << 20;
// A umask of this thread alone: files are then made with their final mode.
if (libc.unshare(CLONE_FS) === 0) libc.umask(0);

function post(message: FromThread): void {
  port.postMessage(message);
}

port.on('message', ({ container, root, task }: ToThread) => {
  try {
    using open = openRoot(root);
    if (task.kind === 'extract') extract(open, task, container);
    else lookAt(open, task, container);
    post({ kind: 'done' });
  } catch (error) {
    post({ kind: 'failed', error: sentError(error) });
  } finally {
    if (task.kind === 'pack') libc.close(task.output);
    if (task.kind === 'extract') libc.close(task.input);
  }
});

function lookAt({ root }: OpenRoot, task: Exclude<Task, { kind: 'extract' }>, container: string): void {
  const path = bytesOfText(cleanPath(task.path));
  using place = find(task.path, container, () => root.open(path, { follow: false }));
  // A tar names what the path means, a look what was written.
  const named = task.kind === 'stat' ? bytesOfText(task.path) : path;
  post({ kind: 'stat', stat: find(task.path, container, () => fileStat(root, place, named)) });
  if (task.kind === 'stat') return;
  const archive = packTree({ root, place, name: entryName(path), keepsPieces: false });
  for (const piece of archive) writeAll(task.output, piece);
}

function extract({ root, fd }: OpenRoot, task: Extract<Task, { kind: 'extract' }>, container: string): void {
  using target = find(task.path, container, () => root.open(bytesOfText(cleanPath(task.path))));
  if (target.stat.type !== 'directory') throw notAFolder();
  if (target.readOnly) throw target.isMounted ? readOnlyVolume() : readOnlyRoot();
  const { noOverwriteDirNonDir } = task;
  const owner = task.user === undefined ? 'archive' : ownerOf(fd, task.user);
  try {
    using extractor = new TarExtractor(root.at(target), { target: task.path, noOverwriteDirNonDir, owner });
    for (const piece of pieces(task.input)) extractor.write(piece);
    extractor.end();
  } catch (error) {
    // @source dockerd 28.5: a hard link to nothing
    if (error instanceof SystemError && error.code === 'ENOENT') throw noSuchFile(task.path, container);
    throw error;
  }
}

/** @source dockerd 28.5: HEAD and PUT of paths that lead nowhere, loop, or go on behind a file */
function find<T>(path: string, container: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === 'ENOENT') throw noSuchFile(path, container);
    if (error.code === 'ELOOP') throw tooManyLinks(path);
    throw new SystemError(error.errno, 'lstat', path);
  }
}

/** The container's user, of its own files. */
function ownerOf(rootFd: number, user: string): { readonly uid: number; readonly gid: number } {
  using rooted = rootedAt(must(libc.dup(rootFd), 'dup'));
  return resolveUser(user, [], readUserFiles(rooted));
}

function writeAll(output: number, piece: Uint8Array): void {
  for (let rest = piece; rest.length > 0; ) rest = rest.subarray(must(libc.write(output, rest, rest.length), 'write'));
}

function* pieces(input: number): Generator<Buffer, void, void> {
  const buffer = Buffer.allocUnsafeSlow(INPUT_BYTES);
  for (;;) {
    const count = must(libc.read(input, buffer, buffer.length), 'read');
    if (count === 0) return;
    yield buffer.subarray(0, count);
  }
}
