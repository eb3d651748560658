// Owns the pid file: one daemon for each, and none left behind.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GantryError } from '../lib/errors.ts';
import { makeFolders } from '../lib/make-folders.ts';

/** Writes our pid; removed on dispose. @throws DAEMON_RUNNING when the file names a live process that is a daemon */
export async function holdPidfile(path: string): Promise<Disposable> {
  await makeFolders(dirname(path), 0o711);
  const holder = readPid(path);
  if (holder !== undefined && holder !== process.pid && isDaemon(holder)) {
    throw new GantryError('conflict', 'DAEMON_RUNNING', `process with PID ${holder} is still running (${path})`, {
      hint: 'stop it, or give this daemon its own --exec-root, --data-root, --bridge and --host',
    });
  }
  writeFileSync(path, String(process.pid));
  return {
    [Symbol.dispose]: () => {
      if (readPid(path) === process.pid) rmSync(path, { force: true });
    },
  };
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Pids are used again: a process that is no daemon of ours does not hold the file. */
function isDaemon(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('gantryd');
  } catch {
    return false;
  }
}
