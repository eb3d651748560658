// Owns failed operations of the operating system as errors for users.

import { type Errno, errnoWords, isErrno } from './errno-words.ts';
import { GantryError } from './errors.ts';

const NO_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
const NO_ROOM: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** The code of a system error (`ENOSPC`), Node's or ours; undefined for any other error. */
export function errnoOf(error: unknown): Errno | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && isErrno(code) ? code : undefined;
}

/** `error` for users, when it is a system error: `write /var/lib/x: no space left on device`. Any other error as it is. */
export function ioError(error: unknown, action: string, path: string): unknown {
  const code = error instanceof GantryError ? undefined : errnoOf(error);
  if (code === undefined) return error;
  return systemFailure(code, `${action} ${path}: ${errnoWords(code)}`, error);
}

/** An error of the system with the text given: `exhausted` when disk, descriptors or memory ran out. */
export function systemFailure(code: Errno, message: string, cause: unknown): GantryError {
  if (NO_SPACE.has(code)) return new GantryError('exhausted', 'NO_SPACE', message, { cause });
  return new GantryError(NO_ROOM.has(code) ? 'exhausted' : 'system', code, message, { cause });
}
