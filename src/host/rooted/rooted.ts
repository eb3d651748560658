// Owns a directory handle out of which no path leads: resolution is the kernel's (openat2, RESOLVE_IN_ROOT).
// Refuses: magic links of /proc, fifos and devices where a file is wanted, files larger than the caller allows.

import { readdirSync } from 'node:fs';
import { type ByteString, cstringOf, textOf } from '../../lib/bytes.ts';
import { GantryError } from '../../lib/errors.ts';
import {
  AT_FDCWD,
  errno,
  libc,
  must,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  openHow,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_XDEV,
  SystemError,
} from '../libc.ts';
import { type RootedStat, statAt, statFd } from './stat.ts';

const INSIDE = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
const HOW_PATH = openHow(O_PATH | O_CLOEXEC, 0, INSIDE);
const HOW_PATH_SAME_MOUNT = openHow(O_PATH | O_CLOEXEC, 0, INSIDE | RESOLVE_NO_XDEV);
const HOW_PATH_NOFOLLOW = openHow(O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, INSIDE);
const HOW_DIR = openHow(O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, INSIDE);

/** Deepest directory that walk() enters: each level holds one descriptor. */
const WALK_MAX_DEPTH = 512;

/** One step of a walk. `path` is relative to where the walk began, without a leading slash. */
interface WalkEntry {
  readonly path: ByteString;
  readonly stat: RootedStat;
  /** The directory it lies in and its name there, for *at calls; valid until the walk goes on. */
  readonly parentFd: number;
  readonly name: Buffer;
}

/** A directory as the root of every path given to it. Absolute paths, `..` and symlinks all stay inside. */
export interface Rooted extends Disposable {
  readonly fd: number;
  /** An open descriptor of a directory, symlinks followed inside the root. The caller closes it. @throws SystemError */
  openDir(path: ByteString): number;
  /** As openDir, but answers minus the errno instead of throwing. */
  tryOpenDir(path: ByteString): number;
  /**
   * A whole regular file. With `sameMount` nothing that is mounted below the root is entered (EXDEV): a file system that others
   * serve, as FUSE, could hold this thread for ever. @throws SystemError, FILE_TOO_LARGE, NOT_A_FILE
   */
  readFile(path: ByteString, maxBytes: number, options?: { readonly sameMount?: boolean }): Buffer;
  /** Lends a path under which Node's own functions can open the regular file, until `work` settles. @throws as readFile */
  withFile<T>(path: ByteString, work: (handlePath: string) => Promise<T>): Promise<T>;
  /** Opens whatever `path` leads to, with O_PATH; the descriptor is the caller's. @throws SystemError */
  openPath(path: ByteString): number;
  /** @throws SystemError */
  stat(path: ByteString, options?: { readonly follow?: boolean }): RootedStat;
  /** The raw target of a symlink. @throws SystemError */
  readLink(path: ByteString): ByteString;
  /** Everything below `path`, parents before their children, names sorted, symlinks not followed. */
  walk(path: ByteString): Generator<WalkEntry, void, void>;
}

/** Opens the directory at `path`, which is trusted and may lead anywhere (`/proc/<pid>/root`). @throws SystemError */
export function openRooted(path: string): Rooted {
  return rootedAt(must(libc.openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0), 'openat', path));
}

/** Takes over `fd`, an open directory. */
export function rootedAt(fd: number): Rooted {
  return {
    fd,
    openDir: (path) => must(open(fd, path, HOW_DIR), 'openat2', cstringOf(path)),
    tryOpenDir: (path) => open(fd, path, HOW_DIR),
    readFile: (path, maxBytes, { sameMount = false } = {}) =>
      using(fd, path, sameMount ? HOW_PATH_SAME_MOUNT : HOW_PATH, (file) => readRegular(file, path, maxBytes)),
    withFile: (path, work) => lendFile(fd, path, work),
    openPath: (path) => must(open(fd, path, HOW_PATH), 'openat2', cstringOf(path)),
    stat: (path, { follow = true } = {}) => using(fd, path, follow ? HOW_PATH : HOW_PATH_NOFOLLOW, statFd),
    readLink: (path) => using(fd, path, HOW_PATH_NOFOLLOW, linkTarget),
    *walk(path) {
      const start = must(open(fd, path, HOW_DIR), 'openat2', cstringOf(path));
      yield* walkFd(start, '' as ByteString, 0);
    },
    [Symbol.dispose]: () => void libc.close(fd),
  };
}

/** A rename beside the resolution makes the kernel give up with EAGAIN: try again a bounded number of times. */
function open(root: number, path: ByteString, how: Uint8Array): number {
  const name = path === '' ? Buffer.from('.\0') : cstringOf(path);
  if (name.indexOf(0) !== name.length - 1) return -errno.EINVAL;
  for (let attempt = 0; ; attempt++) {
    const fd = libc.openat2(root, name, how);
    if (fd !== -errno.EAGAIN || attempt === 100) return fd;
  }
}

function using<T>(root: number, path: ByteString, how: Uint8Array, work: (fd: number) => T): T {
  const fd = must(open(root, path, how), 'openat2', cstringOf(path));
  try {
    return work(fd);
  } finally {
    libc.close(fd);
  }
}

async function lendFile<T>(root: number, path: ByteString, work: (handlePath: string) => Promise<T>): Promise<T> {
  const handle = must(open(root, path, HOW_PATH), 'openat2', cstringOf(path));
  try {
    if (statFd(handle).type !== 'file') throw notAFile(path);
    return await work(`/proc/self/fd/${handle}`);
  } finally {
    libc.close(handle);
  }
}

function notAFile(path: ByteString): GantryError {
  return new GantryError('invalid', 'NOT_A_FILE', `${textOf(path)} is no regular file`);
}

/** `handle` is O_PATH: what it is gets known before it is opened, for opening a device may already do something. */
function readRegular(handle: number, path: ByteString, maxBytes: number): Buffer {
  const stat = statFd(handle);
  if (stat.type !== 'file') throw notAFile(path);
  const name = `/proc/self/fd/${handle}`;
  const fd = must(libc.openat(AT_FDCWD, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0), 'openat', cstringOf(path));
  try {
    return readAll(fd, path, maxBytes, stat);
  } finally {
    libc.close(fd);
  }
}

function readAll(fd: number, path: ByteString, maxBytes: number, stat: RootedStat): Buffer {
  const tooLarge = (): GantryError =>
    new GantryError('invalid', 'FILE_TOO_LARGE', `${textOf(path)} is larger than ${maxBytes} bytes`);
  if (stat.sizeBytes > maxBytes) throw tooLarge();
  // Files of /proc say size 0: read until the end, not to the size.
  const parts: Buffer[] = [];
  for (let total = 0; ; ) {
    const part = Buffer.allocUnsafe(Math.max(4096, stat.sizeBytes - total + 1));
    const count = must(libc.read(fd, part, part.length), 'read', cstringOf(path));
    if (count === 0) return Buffer.concat(parts);
    total += count;
    if (total > maxBytes) throw tooLarge();
    parts.push(part.subarray(0, count));
  }
}

/** Where an open symlink (O_PATH) leads, as it is written. @throws SystemError */
export function linkTarget(fd: number): ByteString {
  const out = Buffer.allocUnsafe(4096);
  const count = must(libc.readlinkat(fd, '', out, out.length), 'readlinkat');
  return out.toString('latin1', 0, count) as ByteString;
}

/** Lists by descriptor: a directory that is swapped for a symlink meanwhile is not followed. Closes `dir`. */
function* walkFd(dir: number, prefix: ByteString, depth: number): Generator<WalkEntry, void, void> {
  try {
    const names = readdirSync(`/proc/self/fd/${dir}`, { encoding: 'buffer' }).sort(Buffer.compare);
    for (const bare of names) {
      const name = Buffer.concat([bare, Buffer.of(0)]);
      const stat = statAt(dir, name);
      if (stat === -errno.ENOENT) continue;
      if (typeof stat === 'number') throw new SystemError(-stat, 'statx', name);
      const path = `${prefix}${bare.toString('latin1')}` as ByteString;
      yield { path, stat, parentFd: dir, name };
      if (stat.type !== 'directory') continue;
      if (depth >= WALK_MAX_DEPTH) throw new SystemError(errno.ELOOP, 'walk', name);
      const child = libc.openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
      if (child >= 0) yield* walkFd(child, `${path}/` as ByteString, depth + 1);
      else if (child !== -errno.ENOENT && child !== -errno.ENOTDIR) throw new SystemError(-child, 'openat', name);
    }
  } finally {
    libc.close(dir);
  }
}

/** The kernel's limit. @source xattr(7) */
const xattrScratch = Buffer.alloc(64 * 1024);

/** An extended attribute of an open file; undefined when it has none of that name, or its file system has none at all. @throws SystemError */
export function fileXattr(fd: number, name: ByteString): Buffer | undefined {
  const count = libc.fgetxattr(fd, cstringOf(name), xattrScratch, xattrScratch.length);
  if (count === -errno.ENODATA || count === -errno.ENOTSUP || count === -errno.EOPNOTSUPP) return undefined;
  return Buffer.from(xattrScratch.subarray(0, must(count, 'fgetxattr', cstringOf(name))));
}
