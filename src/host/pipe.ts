// Owns pipes between this thread and another: one end is a stream here, the other a plain descriptor there.

import { Socket } from 'node:net';
import { F_SETPIPE_SZ, libc, must, O_CLOEXEC } from './libc.ts';

/** Fewer turns between the two threads. The kernel may refuse: a user may have so much only. */
const PIPE_BYTES = 1 << 20;

export interface ThreadPipe {
  /** This thread's end. */
  readonly stream: Socket;
  /** The other's, which blocks, and is that thread's to close. */
  readonly fd: number;
}

/** A pipe that this thread reads. @throws SystemError EMFILE */
export function pipeToHere(): ThreadPipe {
  const [reading, writing] = pipe();
  return { stream: new Socket({ fd: reading, readable: true, writable: false }), fd: writing };
}

/** A pipe that this thread writes. @throws SystemError EMFILE */
export function pipeFromHere(): ThreadPipe {
  const [reading, writing] = pipe();
  return { stream: new Socket({ fd: writing, readable: false, writable: true }), fd: reading };
}

function pipe(): readonly [reading: number, writing: number] {
  const fds = Buffer.alloc(8);
  must(libc.pipe2(fds, O_CLOEXEC), 'pipe2');
  const [reading, writing] = [fds.readInt32LE(0), fds.readInt32LE(4)];
  libc.fcntl(writing, F_SETPIPE_SZ, PIPE_BYTES);
  return [reading, writing];
}
