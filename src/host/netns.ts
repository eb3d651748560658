// Owns short visits to another network namespace by the calling thread. Knows nothing of what is done there.

import { closeSync, openSync, readlinkSync } from 'node:fs';
import { CLONE_NEWNET, libc, must } from './libc.ts';

/** An open handle on a network namespace; it keeps the namespace alive while open. */
export interface NetworkNamespace extends Disposable {
  readonly fd: number;
  /** `net:[4026531840]`: the same text means the same namespace. */
  readonly identity: string;
}

let home: number | undefined;
let away = false;

/** The network namespace of a process. @throws NodeJS.ErrnoException ENOENT when the process is gone */
export function openNetworkNamespace(pid: number): NetworkNamespace {
  const path = `/proc/${pid}/ns/net`;
  const fd = openSync(path, 'r');
  return { fd, identity: networkNamespaceOf(`/proc/self/fd/${fd}`), [Symbol.dispose]: () => closeSync(fd) };
}

/** The identity of the namespace behind a /proc path. @throws NodeJS.ErrnoException */
function networkNamespaceOf(path: string): string {
  return readlinkSync(path);
}

/**
 * Runs `visit` with the calling thread inside a network namespace. `visit` must be synchronous: what it opens (sockets,
 * files under /proc/sys/net) belongs to that namespace for good; the thread does not.
 * Visits do not nest. The process ends when the way back fails, for a thread lost in a container's namespace must do nothing more.
 * @throws SystemError when the namespace cannot be entered; whatever `visit` throws
 */
export function insideNetworkNamespace<T>(namespaceFd: number, visit: () => T): T {
  home ??= openSync('/proc/thread-self/ns/net', 'r');
  if (away) throw new Error('a visit to a network namespace within another');
  must(libc.setns(namespaceFd, CLONE_NEWNET), 'setns');
  away = true;
  try {
    return visit();
  } finally {
    away = false;
    if (libc.setns(home, CLONE_NEWNET) < 0) {
      process.stderr.write('fatal: cannot return from a network namespace\n');
      process.abort();
    }
  }
}
