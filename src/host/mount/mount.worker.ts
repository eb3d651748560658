// Owns a thread with a mount namespace and a working directory of its own: it mounts overlay file systems where nobody sees them and
// takes a descriptor that outlives their place.

import { parentPort, workerData } from 'node:worker_threads';
import {
  AT_FDCWD,
  CLONE_FS,
  CLONE_NEWNS,
  libc,
  MNT_DETACH,
  MS_RDONLY,
  MS_REC,
  MS_SLAVE,
  must,
  O_CLOEXEC,
  OPEN_TREE_CLONE,
  SystemError,
} from '../libc.ts';

/** A request for one mount. */
export interface ToMounter {
  readonly id: number;
  readonly from: string;
  /** As mount(2) wants them. */
  readonly options: string;
  readonly readOnly: boolean;
}

/** Its answer: a descriptor of this process, or why not. */
export type FromMounter =
  | { readonly id: number; readonly fd: number }
  | { readonly id: number; readonly errno: number; readonly syscall: string };

const { place } = workerData as { readonly place: string };
// Descriptors are shared with the other threads; what follows is not.
must(libc.unshare(CLONE_FS | CLONE_NEWNS), 'unshare');
must(libc.mount(null, '/', null, MS_REC | MS_SLAVE, null), 'mount', '/');

function mount({ from, options, readOnly }: ToMounter): number {
  must(libc.chdir(from), 'chdir', from);
  must(libc.mount('overlay', place, 'overlay', readOnly ? MS_RDONLY : 0, options), 'mount', 'overlay');
  try {
    return must(libc.openTree(AT_FDCWD, place, OPEN_TREE_CLONE | O_CLOEXEC), 'open_tree', place);
  } finally {
    libc.umount2(place, MNT_DETACH);
    libc.chdir('/');
  }
}

parentPort?.on('message', (request: ToMounter) => {
  const { id } = request;
  try {
    parentPort?.postMessage({ id, fd: mount(request) } satisfies FromMounter);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    parentPort?.postMessage({ id, errno: error.errno, syscall: error.syscall } satisfies FromMounter);
  }
});
