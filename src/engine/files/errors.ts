// Owns the errors about files in containers, in Docker's words. @source dockerd 28.5

import { GantryError } from '../../lib/errors.ts';

export function noSuchFile(path: string, container: string): GantryError {
  const message = `Could not find the file ${path} in container ${container}`;
  return new GantryError('notFound', 'NO_SUCH_FILE', message, { params: { path, container } });
}

export function notAFolder(): GantryError {
  return new GantryError('invalid', 'NOT_A_FOLDER', 'extraction point is not a directory');
}

export function readOnlyRoot(): GantryError {
  return new GantryError('invalid', 'READ_ONLY', 'container rootfs is marked read-only');
}

export function readOnlyVolume(): GantryError {
  return new GantryError('invalid', 'READ_ONLY', 'mounted volume is marked read-only');
}

export function stuck(seconds: number): GantryError {
  const message = `reading or writing the container's files made no progress for ${seconds} seconds`;
  return new GantryError('unavailable', 'FILES_STUCK', message, {
    hint: 'a disk or network file system that the container uses does not answer',
  });
}

export function stalled(seconds: number): GantryError {
  return new GantryError('invalid', 'CLIENT_STALLED', `the client sent nothing for ${seconds} seconds`);
}
