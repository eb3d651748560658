// Owns a stand-in for the thread that works on containers' files: the path of a task tells it what to do. Touches no file. It imports
// next to nothing, since tests wait for its start.
//   /ok       does its work: packs `packed`, or reads the archive to its end; a look answers with its thread's number as name
//   /hang     never answers
//   /late     packs, and answers nothing after that
//   /refuse   fails before anything is known; /spoil: after it said what is there; /bug: as no user should see it
//   /die      ends the thread
//   /large    packs three megabytes

import { closeSync, readSync, writeSync } from 'node:fs';
import { parentPort, threadId } from 'node:worker_threads';
import type { SentError } from '../../../lib/thread-error.ts';
import type { FromThread, Task, ToThread } from '../messages.ts';

// Descriptors come from the other thread, which Node takes for a mistake.
process.removeAllListeners('warning');

const stat = { name: String(threadId), sizeBytes: 0, mode: 0, mtimeNano: 0n, linkTarget: '' };
const FAILURES: Readonly<Record<string, SentError>> = {
  '/refuse': { kind: 'notFound', code: 'NO_SUCH_FILE', message: 'not there', hint: 'look elsewhere' },
  '/bug': { kind: undefined, code: 'BUG', message: 'a bug of ours', hint: undefined },
  '/spoil': { kind: 'system', code: 'EIO', message: 'the disk broke', hint: undefined },
};

function work(task: Task, post: (message: FromThread) => void): void {
  if (task.path === '/die') process.exit(0);
  const failure = FAILURES[task.path];
  if (task.kind !== 'extract' && (!failure || task.path === '/spoil')) post({ kind: 'stat', stat });
  if (failure) {
    post({ kind: 'failed', error: failure });
    return;
  }
  const buffer = Buffer.alloc(65_536);
  if (task.kind === 'extract') while (readSync(task.input, buffer) > 0);
  if (task.kind === 'pack') {
    const piece = task.path === '/large' ? Buffer.alloc(3 << 20) : Buffer.from('packed');
    for (let at = 0; at < piece.length; ) at += writeSync(task.output, piece, at);
  }
  if (task.path !== '/late') post({ kind: 'done' });
}

parentPort?.on('message', ({ task }: ToThread) => {
  if (task.path === '/hang') return;
  const post = (message: FromThread): void => parentPort?.postMessage(message);
  try {
    work(task, post);
  } catch (error) {
    post({ kind: 'failed', error: { kind: 'system', code: 'EIO', message: String(error), hint: undefined } });
  } finally {
    if (task.kind === 'pack') closeSync(task.output);
    if (task.kind === 'extract') closeSync(task.input);
  }
});
