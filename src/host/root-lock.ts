// Owns the hold on what only one process may have: a root folder of an engine or registry, the name of a bridge. The kernel lets go
// when the holder dies.

import { closeSync, constants, openSync, readFileSync, readlinkSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { GantryError } from '../lib/errors.ts';
import { makeFoldersSync } from '../lib/make-folders.ts';
import { errno, LOCK_EX, LOCK_NB, libc, must } from './libc.ts';

/** Holds `root` (`what` names it in the error) until disposed. @throws ROOT_TAKEN when another process has it */
export function lockRoot(root: string, what: string): Disposable {
  const path = join(root, 'lock');
  const fd = lockFile(path);
  if (fd === undefined) throw rootTaken(root, what, path);
  return { [Symbol.dispose]: () => closeSync(fd) };
}

/** Where locks lie that belong to no root. */
const LOCKS = '/run/gantry-locks';

/**
 * Holds the name of a bridge in this process's network namespace until disposed.
 * @throws BRIDGE_TAKEN when another process has it
 */
export function lockBridge(name: string): Disposable {
  const namespace = readlinkSync('/proc/self/ns/net').replace(/\D/g, '');
  const path = join(LOCKS, `${namespace}-${name}`);
  makeFoldersSync(LOCKS, 0o700);
  const fd = lockFile(path);
  if (fd === undefined) throw bridgeTaken(name, path);
  return {
    [Symbol.dispose]() {
      // Before it is free: whoever comes next makes a file of their own.
      rmSync(path, { force: true });
      closeSync(fd);
      removeIfEmpty(LOCKS);
    },
  };
}

/** An open, locked file at `path`; undefined when another process has it locked. */
function lockFile(path: string): number | undefined {
  // Close-on-exec, as all of Node's: no child keeps it.
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const result = libc.flock(fd, LOCK_EX | LOCK_NB);
    if (result === -errno.EWOULDBLOCK) {
      closeSync(fd);
      return undefined;
    }
    must(result, 'flock', path);
    noteHolder(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** For people only. Written over what is there: on a full disk there may be no room for more. */
function noteHolder(fd: number): void {
  try {
    writeSync(fd, `${String(process.pid).padEnd(15)}\n`, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Others lie in it.
  }
}

function rootTaken(root: string, what: string, path: string): GantryError {
  return new GantryError(
    'conflict',
    'ROOT_TAKEN',
    `the ${what} ${root} is in use by another process (PID ${holderOf(path)})`,
    { hint: 'stop it, or choose another folder', params: { root } },
  );
}

function bridgeTaken(bridge: string, path: string): GantryError {
  return new GantryError(
    'conflict',
    'BRIDGE_TAKEN',
    `the bridge ${bridge} is in use by another engine (PID ${holderOf(path)})`,
    { hint: 'stop it, or choose another name with --bridge', params: { bridge } },
  );
}

function holderOf(path: string): string {
  return readFileSync(path, 'utf8').trim();
}
