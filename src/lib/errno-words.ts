// Owns the C library's words for the operating system's error codes. Pure.

/** @source glibc strerror(3), lower case as Go and Docker print it. Node's own words differ for many of them. */
const WORDS = {
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
} as const;

/** A code of the operating system that has words here. */
export type Errno = keyof typeof WORDS;

/** The words for an error code such as `ENOSPC`; undefined for a code that is not in the table. */
export function errnoWords(code: string): string | undefined {
  return isErrno(code) ? WORDS[code] : undefined;
}

/** True for a code that has words here. */
export function isErrno(code: string): code is Errno {
  return Object.hasOwn(WORDS, code);
}
