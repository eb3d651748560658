// Owns a thread that looks at, packs or extracts one container's files at a time. It may block, on a slow client as on a dead disk:
// whoever started it gives it up.

import { parentPort } from 'node:worker_threads';
import { CLONE_FS, libc, must, SystemError } from '../../host/libc.ts';
import { type Place, rootedAt } from '../../host/rooted/index.ts';
import { bytesOfText } from '../../lib/bytes.ts';
import { TAR_END } from '../../lib/tar/index.ts';
import { sentError } from '../../lib/thread-error.ts';
import { resolveUser } from '../../runtime/user.ts';
import { readUserFiles } from '../../runtime/user-files.ts';
import { noSuchFile, notAFolder, readOnlyRoot, readOnlyVolume } from './errors.ts';
import { extractTar } from './extract.ts';
import { entryName, fileStat } from './file-stat.ts';
import type { FromThread, Task, ToThread } from './messages.ts';
import { type OpenRoot, openRoot } from './open-root.ts';
import { packTree } from './pack.ts';

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
  const path = bytesOfText(task.path);
  using place = find(task.path, container, () => root.open(path, { follow: false }));
  post({ kind: 'stat', stat: fileStat(root, place, path) });
  if (task.kind === 'stat') return;
  const write = (piece: Uint8Array): void => writeAll(task.output, piece);
  packTree({ root, place, name: entryName(path), write });
  write(TAR_END);
}

function extract({ root, fd }: OpenRoot, task: Extract<Task, { kind: 'extract' }>, container: string): void {
  using target = find(task.path, container, () => root.open(bytesOfText(task.path)));
  if (target.stat.type !== 'directory') throw notAFolder();
  if (target.readOnly) throw target.isMounted ? readOnlyVolume() : readOnlyRoot();
  const { noOverwriteDirNonDir } = task;
  const owner = task.user === undefined ? undefined : ownerOf(fd, task.user);
  extractTar(root.at(target), pieces(task.input), { target: task.path, noOverwriteDirNonDir, owner });
}

/** @source dockerd 28.5: HEAD and PUT of paths that lead nowhere, loop, or go on behind a file */
function find(path: string, container: string, open: () => Place): Place {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === 'ENOENT') throw noSuchFile(path, container);
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
