// Owns the hold on a root folder: one engine or registry for each, in whichever process. The kernel lets go when the holder dies.

import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { GantryError } from '../lib/errors.ts';
import { errno, LOCK_EX, LOCK_NB, libc, must } from './libc.ts';

/** Holds `root` (`what` names it in the error) until disposed. @throws ROOT_TAKEN when another process has it */
export function lockRoot(root: string, what: string): Disposable {
  const path = join(root, 'lock');
  // Close-on-exec, as all of Node's: no child keeps it.
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const result = libc.flock(fd, LOCK_EX | LOCK_NB);
    if (result === -errno.EWOULDBLOCK) throw rootTaken(root, what, path);
    must(result, 'flock', path);
    tellHolder(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}

/** For people only. Written over what is there: on a full disk there may be no room for more. */
function tellHolder(fd: number): void {
  try {
    writeSync(fd, `${String(process.pid).padEnd(15)}\n`, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function rootTaken(root: string, what: string, path: string): GantryError {
  const holder = readFileSync(path, 'utf8').trim();
  return new GantryError('conflict', 'ROOT_TAKEN', `the ${what} ${root} is in use by another process (PID ${holder})`, {
    hint: 'stop it, or choose another folder',
    params: { root },
  });
}
