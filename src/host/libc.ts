// Owns the one door to libc: function declarations, errno and the error thrown for it. Knows no policy and holds no state.
//
// Every function answers as the kernel does: a result of 0 or more, or minus the errno. `must` turns the latter into a
// SystemError. Works in worker threads too (each loads its own binding).

import { constants as fsConstants } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';
import koffi from 'koffi';
import { errnoWords } from '../lib/errno-words.ts';

/** A path or name: a string (UTF-8), or raw bytes that MUST end in a NUL byte. Strings with a NUL inside are refused (EINVAL). */
export type CString = string | Uint8Array;

/** Numbers that node:os and node:fs do not export; all are the same on every Linux architecture but where taken from there. */
export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_EMPTY_PATH = 0x1000;
export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
export const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } =
  fsConstants;
export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_BENEATH = 0x08;
export const RESOLVE_IN_ROOT = 0x10;
export const CLONE_FS = 0x00000200;
export const CLONE_NEWNS = 0x00020000;
export const CLONE_NEWNET = 0x40000000;
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_REMOUNT = 32;
export const MS_BIND = 4096;
export const MS_REC = 16384;
export const MS_PRIVATE = 1 << 18;
export const MS_SLAVE = 1 << 19;
export const MNT_DETACH = 2;
export const OPEN_TREE_CLONE = 1;
export const F_SETPIPE_SZ = 1031;
export const LOCK_EX = 2;
export const LOCK_NB = 4;

/** Errno numbers of this host, by name. */
export const errno = osConstants.errno;

const NAMES = new Map<number, string>(Object.entries(errno).map(([name, number]) => [number, name]));

/** A system call that failed. `code` is the errno's name, as in Node's own errors. */
export class SystemError extends Error {
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;
  readonly path: string | undefined;

  constructor(number: number, syscall: string, path?: CString) {
    const code = NAMES.get(number) ?? `E${number}`;
    const text = errnoWords(code) ?? getSystemErrorMessage(-number) ?? `error ${number}`;
    const where = path === undefined ? undefined : cstringText(path);
    super(where === undefined ? `${syscall}: ${text}` : `${syscall} ${where}: ${text}`);
    this.name = 'SystemError';
    this.errno = number;
    this.code = code;
    this.syscall = syscall;
    this.path = where;
  }
}

/** `result`, when it is no error. @throws SystemError when it is minus an errno */
export function must(result: number, syscall: string, path?: CString): number {
  if (result < 0) throw new SystemError(-result, syscall, path);
  return result;
}

/** The bytes of a path with the closing NUL that CString wants. */
export function cstring(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 1);
  out.set(bytes);
  return out;
}

function cstringText(path: CString): string {
  if (typeof path === 'string') return path;
  const end = path.indexOf(0);
  return Buffer.from(path.buffer, path.byteOffset, end < 0 ? path.length : end).toString();
}

type Argument = number | bigint | CString | null;
let library: ReturnType<typeof koffi.load> | undefined;

/** Declares `name` at its first call. Interrupted calls are repeated, but for those where that is wrong. */
function declare<A extends readonly Argument[]>(
  name: string,
  parameters: string,
  { result = 'int', repeat = true }: { result?: string; repeat?: boolean } = {},
): (...args: A) => number {
  const types = parameters.split(', ');
  const texts = types.flatMap((type, index) => (type === 'str' ? [index] : []));
  let bound: ((...args: readonly Argument[]) => number) | undefined;
  return (...args) => {
    // The process's own symbols: glibc or musl, whichever Node was linked with.
    library ??= koffi.load(null);
    bound ??= library.func(name, result, types) as unknown as (...args: readonly Argument[]) => number;
    for (const index of texts) {
      const text = args[index];
      if (typeof text === 'string' && text.includes('\0')) return -errno.EINVAL;
    }
    for (;;) {
      const value = bound(...args);
      if (value >= 0) return value;
      const number = koffi.errno();
      if (number !== errno.EINTR || !repeat) return -number;
    }
  };
}

/** As `declare`, but the call runs on the thread pool. A failure answers -EIO: the errno stays on that thread. */
function declareOffThread<A extends readonly Argument[]>(
  name: string,
  parameters: string,
): (...args: A) => Promise<number> {
  let bound: { async(...args: readonly unknown[]): void } | undefined;
  return (...args) => {
    library ??= koffi.load(null);
    bound ??= library.func(name, 'long', parameters.split(', ')) as unknown as NonNullable<typeof bound>;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    bound.async(...args, (error: Error | null, value: number) => {
      if (error) reject(error);
      else resolve(value < 0 ? -errno.EIO : value);
    });
    return promise;
  };
}

let trim: ((keep: number) => unknown) | undefined;

/** Gives memory that was freed back to the system, where libc can (glibc). For after large work. */
function mallocTrim(): void {
  library ??= koffi.load(null);
  try {
    trim ??= library.func('malloc_trim', 'int', ['size_t']) as unknown as (keep: number) => unknown;
  } catch {
    trim = () => {};
  }
  trim(0);
}

type Fd = number;
type Bytes = Uint8Array;

/** openat2's number, the same on every architecture. @source include/uapi/asm-generic/unistd.h */
const SYS_OPENAT2 = 437;
const openat2Call = declare<[nr: number, dir: Fd, path: CString, how: Bytes, size: number]>(
  'syscall',
  'long, int, str, void *, size_t',
  { result: 'long' },
);

/** A `struct open_how` for libc.openat2; build once and reuse. */
export function openHow(flags: number, mode: number, resolve: number): Bytes {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags >>> 0), 0);
  how.writeBigUInt64LE(BigInt(mode), 8);
  how.writeBigUInt64LE(BigInt(resolve), 16);
  return how;
}

/** open_tree's number, the same on every architecture. @source include/uapi/asm-generic/unistd.h */
const SYS_OPEN_TREE = 428;
const openTreeCall = declare<[nr: number, dir: Fd, path: CString, flags: number]>('syscall', 'long, int, str, uint32', {
  result: 'long',
});

/** libc, each function as its man page says but for the result: minus the errno on failure. */
export const libc = {
  mallocTrim,
  /** `how` is from openHow. EAGAIN (a rename raced with the resolution) is for the caller to repeat. */
  openat2: (dir: Fd, path: CString, how: Bytes): number => openat2Call(SYS_OPENAT2, dir, path, how, how.length),
  /** A mounted tree; with OPEN_TREE_CLONE a copy that is mounted nowhere. @source open_tree(2) */
  openTree: (dir: Fd, path: CString, flags: number): number => openTreeCall(SYS_OPEN_TREE, dir, path, flags),
  chdir: declare<[path: CString]>('chdir', 'str'),
  openat: declare<[dir: Fd, path: CString, flags: number, mode: number]>('openat', 'int, str, int, uint32'),
  mkdirat: declare<[dir: Fd, path: CString, mode: number]>('mkdirat', 'int, str, uint32'),
  symlinkat: declare<[target: CString, dir: Fd, path: CString]>('symlinkat', 'str, int, str'),
  linkat: declare<[fromDir: Fd, from: CString, toDir: Fd, to: CString, flags: number]>(
    'linkat',
    'int, str, int, str, int',
  ),
  /** `dev` is made by makeDev. */
  mknodat: declare<[dir: Fd, path: CString, mode: number, dev: number | bigint]>('mknodat', 'int, str, uint32, uint64'),
  unlinkat: declare<[dir: Fd, path: CString, flags: number]>('unlinkat', 'int, str, int'),
  renameat: declare<[fromDir: Fd, from: CString, toDir: Fd, to: CString]>('renameat', 'int, str, int, str'),
  /** Answers the target's length; the bytes are in `out`, without NUL. */
  readlinkat: declare<[dir: Fd, path: CString, out: Bytes, size: number]>('readlinkat', 'int, str, void *, size_t', {
    result: 'long',
  }),
  fchownat: declare<[dir: Fd, path: CString, uid: number, gid: number, flags: number]>(
    'fchownat',
    'int, str, uint32, uint32, int',
  ),
  fchown: declare<[fd: Fd, uid: number, gid: number]>('fchown', 'int, uint32, uint32'),
  fchmodat: declare<[dir: Fd, path: CString, mode: number, flags: number]>('fchmodat', 'int, str, uint32, int'),
  fchmod: declare<[fd: Fd, mode: number]>('fchmod', 'int, uint32'),
  /** `times` is from timespecs. */
  utimensat: declare<[dir: Fd, path: CString, times: Bytes | null, flags: number]>(
    'utimensat',
    'int, str, void *, int',
  ),
  futimens: declare<[fd: Fd, times: Bytes | null]>('futimens', 'int, void *'),
  statx: declare<[dir: Fd, path: CString, flags: number, mask: number, out: Bytes]>(
    'statx',
    'int, str, int, uint32, void *',
  ),
  lsetxattr: declare<[path: CString, name: CString, value: Bytes, size: number, flags: number]>(
    'lsetxattr',
    'str, str, void *, size_t, int',
  ),
  setxattr: declare<[path: CString, name: CString, value: Bytes, size: number, flags: number]>(
    'setxattr',
    'str, str, void *, size_t, int',
  ),
  fsetxattr: declare<[fd: Fd, name: CString, value: Bytes, size: number, flags: number]>(
    'fsetxattr',
    'int, str, void *, size_t, int',
  ),
  lgetxattr: declare<[path: CString, name: CString, out: Bytes, size: number]>(
    'lgetxattr',
    'str, str, void *, size_t',
    { result: 'long' },
  ),
  fgetxattr: declare<[fd: Fd, name: CString, out: Bytes, size: number]>('fgetxattr', 'int, str, void *, size_t', {
    result: 'long',
  }),
  llistxattr: declare<[path: CString, out: Bytes, size: number]>('llistxattr', 'str, void *, size_t', {
    result: 'long',
  }),
  flistxattr: declare<[fd: Fd, out: Bytes, size: number]>('flistxattr', 'int, void *, size_t', { result: 'long' }),
  /** `operation` is LOCK_EX, with LOCK_NB. */
  flock: declare<[fd: Fd, operation: number]>('flock', 'int, int'),
  // Linux frees the descriptor even when close is interrupted.
  close: declare<[fd: Fd]>('close', 'int', { repeat: false }),
  read: declare<[fd: Fd, out: Bytes, size: number]>('read', 'int, void *, size_t', { result: 'long' }),
  write: declare<[fd: Fd, bytes: Bytes, size: number]>('write', 'int, void *, size_t', { result: 'long' }),
  /** `fds` are `count` of `struct pollfd` (8 bytes each: fd, events, revents). Answers how many have something to report. */
  poll: declare<[fds: Bytes, count: number, timeoutMs: number]>('poll', 'void *, unsigned long, int'),
  /** `limits` is a `struct rlimit` (two 64-bit numbers: soft, hard). */
  getrlimit: declare<[resource: number, limits: Bytes]>('getrlimit', 'int, void *'),
  pwrite: declare<[fd: Fd, bytes: Bytes, size: number, offset: number]>('pwrite', 'int, void *, size_t, int64', {
    result: 'long',
  }),
  ftruncate: declare<[fd: Fd, length: number]>('ftruncate', 'int, int64'),
  /** Preallocates `length` bytes; 0 or ENOTSUP. `mode` 1 keeps the size. */
  fallocate: declare<[fd: Fd, mode: number, offset: number, length: number]>('fallocate', 'int, int, int64, int64'),
  dup: declare<[fd: Fd]>('dup', 'int'),
  /** `fds` receives two 32-bit descriptors: the end to read from, the end to write to. */
  pipe2: declare<[fds: Bytes, flags: number]>('pipe2', 'void *, int'),
  fcntl: declare<[fd: Fd, command: number, argument: number]>('fcntl', 'int, int, int'),
  umask: declare<[mask: number]>('umask', 'uint32'),
  setns: declare<[fd: Fd, type: number]>('setns', 'int, int'),
  unshare: declare<[flags: number]>('unshare', 'int'),
  mount: declare<[source: CString | null, target: CString, type: CString | null, flags: number, data: CString | null]>(
    'mount',
    'str, str, str, unsigned long, str',
  ),
  umount2: declare<[target: CString, flags: number]>('umount2', 'str, int'),
  socket: declare<[domain: number, type: number, protocol: number]>('socket', 'int, int, int'),
  bind: declare<[fd: Fd, address: Bytes, size: number]>('bind', 'int, void *, uint32'),
  connect: declare<[fd: Fd, address: Bytes, size: number]>('connect', 'int, void *, uint32'),
  listen: declare<[fd: Fd, backlog: number]>('listen', 'int, int'),
  setsockopt: declare<[fd: Fd, level: number, name: number, value: Bytes, size: number]>(
    'setsockopt',
    'int, int, int, void *, uint32',
  ),
  sendto: declare<[fd: Fd, bytes: Bytes, size: number, flags: number, address: Bytes | null, addressSize: number]>(
    'sendto',
    'int, void *, size_t, int, void *, uint32',
    { result: 'long' },
  ),
  /** close(2) on the thread pool, for descriptors whose end waits on kernel locks. */
  closeOffThread: declareOffThread<[fd: Fd]>('close', 'int'),
  /** recv(2) on the thread pool. */
  recvOffThread: declareOffThread<[fd: Fd, out: Bytes, size: number, flags: number]>(
    'recv',
    'int, void *, size_t, int',
  ),
  /** send(2) on the thread pool, for requests that wait on kernel locks. */
  sendOffThread: declareOffThread<[fd: Fd, bytes: Bytes, size: number, flags: number]>(
    'send',
    'int, void *, size_t, int',
  ),
  /** From the file's own position, when `offset` is null. Answers the bytes sent; -EAGAIN when a non-blocking socket is full. */
  sendfile: declare<[socket: Fd, file: Fd, offset: Bytes | null, count: number]>(
    'sendfile',
    'int, int, void *, size_t',
    {
      result: 'long',
    },
  ),
  /** `advice` 3 (WILLNEED) starts reading into the page cache and does not wait. Answers 0 or an errno. */
  posixFadvise: declare<[file: Fd, offset: number, length: number, advice: number]>(
    'posix_fadvise',
    'int, int64, int64, int',
  ),
  /** `message` is a `struct msghdr` laid out by the caller. */
  sendmsg: declare<[fd: Fd, message: Bytes, flags: number]>('sendmsg', 'int, void *, int', { result: 'long' }),
  recv: declare<[fd: Fd, out: Bytes, size: number, flags: number]>('recv', 'int, void *, size_t, int', {
    result: 'long',
  }),
};

/** A `dev_t` as the kernel and glibc code it. */
export function makeDev(major: number, minor: number): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return (b & 0xffn) | ((a & 0xfffn) << 8n) | ((b & ~0xffn) << 12n) | ((a & ~0xfffn) << 32n);
}

/** Two `struct timespec` (access, modification) set to the same time, for utimensat and futimens. */
export function timespecs(seconds: number, nanoseconds: number, into: Buffer = Buffer.alloc(32)): Buffer {
  const low = seconds >>> 0;
  const high = Math.floor(seconds / 2 ** 32);
  for (const offset of [0, 16]) {
    into.writeUInt32LE(low, offset);
    into.writeInt32LE(high, offset + 4);
    into.writeUInt32LE(nanoseconds, offset + 8);
    into.writeUInt32LE(0, offset + 12);
  }
  return into;
}
