// Owns a folder of a file system that never answers, as one of a dead file server: a FUSE mount whose program reads nothing.

import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { libc, must } from '../../src/host/libc.ts';

const MNT_DETACH = 2;

/** Whoever looks at the folder waits until it is disposed of; then the kernel fails them all. */
export function hungFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'gantry-hung-'));
  const fuse = openSync('/dev/fuse', 'r+');
  must(libc.mount('hung', path, 'fuse', 0, `fd=${fuse},rootmode=40000,user_id=0,group_id=0`), 'mount', path);
  return {
    path,
    [Symbol.dispose]() {
      closeSync(fuse);
      must(libc.umount2(path, MNT_DETACH), 'umount', path);
      rmSync(path, { recursive: true });
    },
  };
}
