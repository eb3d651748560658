// Owns the errors of the records database: what SQLite reports, as a GantryError. Repairs nothing.

import { closeSync, openSync, rmSync } from 'node:fs';
import { GantryError, messageOf } from '../lib/errors.ts';

/** Primary result codes. @source sqlite.org/rescode.html */
export const SQLITE = { readOnly: 8, io: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

/** Runs `act` on the records at `path`. @throws DISK_FULL, RECORDS_READ_ONLY, RECORDS_IO, RECORDS_DAMAGED instead of SQLite's errors */
export function withRecordsErrors<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw failureOf(path, cause) ?? cause;
  }
}

/** The error for what the disk did; undefined for any other failure. */
function failureOf(path: string, cause: unknown): GantryError | undefined {
  switch (codeOf(cause)) {
    case SQLITE.full:
      return cannotWrite('DISK_FULL', path, 'no space left on device', cause);
    case SQLITE.readOnly:
    case SQLITE.io:
    case SQLITE.cannotOpen:
      return isReadOnly(path)
        ? cannotWrite('RECORDS_READ_ONLY', path, 'read-only file system', cause)
        : cannotWrite('RECORDS_IO', path, 'input/output error', cause);
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return new GantryError('system', 'RECORDS_DAMAGED', `the records are damaged: ${messageOf(cause)}`, {
        cause,
      });
    default:
      return undefined;
  }
}

function cannotWrite(
  code: 'DISK_FULL' | 'RECORDS_IO' | 'RECORDS_READ_ONLY',
  path: string,
  why: string,
  cause: unknown,
): GantryError {
  const full = code === 'DISK_FULL';
  return new GantryError(full ? 'exhausted' : 'unavailable', code, `cannot write the records (${path}): ${why}`, {
    cause,
    hint: full ? undefined : "the kernel's log (dmesg) says what happened to the disk",
  });
}

/** SQLite reports "I/O error" also for a disk that the kernel made read-only after an error. A write of our own shows which it is. */
function isReadOnly(path: string): boolean {
  const probe = `${path}.probe`;
  try {
    closeSync(openSync(probe, 'w', 0o600));
    rmSync(probe);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

/** True for a failure of the disk under the records that may be temporary: full, read-only or input/output errors. */
export function isDiskFailure(error: unknown): boolean {
  return error instanceof GantryError && ['DISK_FULL', 'RECORDS_READ_ONLY', 'RECORDS_IO'].includes(error.code);
}

/** The primary result code of an error of SQLite; undefined for other errors. */
export function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** @returns RECORDS_NEWER */
export function newerRecords(name: string, version: number, known: number): GantryError {
  const message = `the records of ${name} are of version ${version}, and this program knows them up to version ${known}`;
  return new GantryError('conflict', 'RECORDS_NEWER', message, {
    params: { name, version, known },
    hint: 'a newer version of the program wrote them: run that one',
  });
}
