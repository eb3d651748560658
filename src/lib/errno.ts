// Owns what the operating system's errors are called: the C library's words by code, and a failed file operation as an error for users.

import { GantryError } from './errors.ts';

/** @source glibc strerror(3), lower case as Go and Docker print it. Node's own words differ for many of them. */
const WORDS: Readonly<Record<string, string>> = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  EAGAIN: 'resource temporarily unavailable',
  EBADF: 'bad file descriptor',
  EBUSY: 'device or resource busy',
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'file exists',
  EFBIG: 'file too large',
  EINVAL: 'invalid argument',
  EIO: 'input/output error',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  EMFILE: 'too many open files',
  EMLINK: 'too many links',
  ENAMETOOLONG: 'file name too long',
  ENFILE: 'too many open files in system',
  ENODEV: 'no such device',
  ENOENT: 'no such file or directory',
  ENOMEM: 'cannot allocate memory',
  ENOSPC: 'no space left on device',
  ENOSYS: 'function not implemented',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  ENOTSUP: 'operation not supported',
  ENXIO: 'no such device or address',
  EOPNOTSUPP: 'operation not supported',
  EOVERFLOW: 'value too large for defined data type',
  EPERM: 'operation not permitted',
  EPIPE: 'broken pipe',
  EROFS: 'read-only file system',
  ESTALE: 'stale file handle',
  ETXTBSY: 'text file busy',
  EUCLEAN: 'structure needs cleaning',
  EXDEV: 'invalid cross-device link',
};

const NO_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);
const NO_ROOM: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** The words for an error code such as `ENOSPC`; undefined for a code that is not in the table. */
export function errnoWords(code: string): string | undefined {
  return Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
}

/** The code of a system error (`ENOSPC`), Node's or ours; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && errnoWords(code) !== undefined ? code : undefined;
}

/** `error` for users, when it is a system error: `write /var/lib/x: no space left on device`. Any other error as it is. */
export function ioError(error: unknown, action: string, path: string): unknown {
  const code = error instanceof GantryError ? undefined : errnoOf(error);
  if (code === undefined) return error;
  return systemFailure(code, `${action} ${path}: ${errnoWords(code)}`, error);
}

/** An error of the system with the text given: `exhausted` when disk, descriptors or memory ran out. */
export function systemFailure(code: string, message: string, cause: unknown): GantryError {
  if (NO_SPACE.has(code)) return new GantryError('exhausted', 'NO_SPACE', message, { cause });
  return new GantryError(NO_ROOM.has(code) ? 'exhausted' : 'system', code, message, { cause });
}
