// Owns a small cache of open directories below a root, for writers that come back to the same directories again and again.

import { type ByteString, cstringOf } from '../../lib/bytes.ts';
import { errno, libc, must, SystemError } from '../libc.ts';
import type { Rooted } from './rooted.ts';

/** Symlinks to nowhere that are followed one after the other. @source Linux: MAXSYMLINKS */
const LINKS_MAX = 40;

/** Open directories by path, least recently used ones closed first. Paths are clean (no `.`, `..`, empty or outer slashes). */
export class ParentDirs implements Disposable {
  readonly #root: Rooted;
  readonly #capacity: number;
  readonly #open = new Map<ByteString, number>();
  readonly #made: (parentFd: number, name: Buffer) => void;
  #lastPath: ByteString | undefined;
  #lastFd = -1;

  /** `made` is called with each directory that had to be made on the way to a file (mode 0755). */
  constructor(root: Rooted, { capacity = 64, made = () => {} }: ParentOptions = {}) {
    this.#root = root;
    this.#capacity = capacity;
    this.#made = made;
  }

  /** The descriptor of directory `path` ('' is the root), made when absent. Valid until the next call. @throws SystemError */
  get(path: ByteString): number {
    if (path === this.#lastPath) return this.#lastFd;
    let fd = this.#open.get(path);
    if (fd === undefined) {
      fd = this.#openOrMake(path);
      this.#shrink();
    } else this.#open.delete(path);
    this.#open.set(path, fd);
    this.#lastPath = path;
    this.#lastFd = fd;
    return fd;
  }

  /** Forgets everything: call it when a directory or a symlink on some path was replaced. */
  clear(): void {
    for (const fd of this.#open.values()) libc.close(fd);
    this.#open.clear();
    this.#lastPath = undefined;
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #shrink(): void {
    for (const [path, fd] of this.#open) {
      if (this.#open.size < this.#capacity) return;
      libc.close(fd);
      this.#open.delete(path);
    }
  }

  /** `hops` counts the symlinks to nowhere on the way. */
  #openOrMake(path: ByteString, hops = 0): number {
    const fd = this.#root.tryOpenDir(path);
    if (fd !== -errno.ENOENT || path === '') return must(fd, 'openat2', cstringOf(path));
    const slash = path.lastIndexOf('/');
    const parent = this.get(path.slice(0, Math.max(0, slash)) as ByteString);
    const name = cstringOf(path.slice(slash + 1) as ByteString);
    const made = libc.mkdirat(parent, name, 0o755);
    // EEXIST with ENOENT before: a symlink to nowhere is in the way. What it names is made.
    // @source dockerd 28.5: a layer with /var/run -> /run, then /var/run/x
    if (made === -errno.EEXIST) {
      if (hops >= LINKS_MAX) throw new SystemError(errno.ELOOP, 'openat2', cstringOf(path));
      const target = linkTarget(path, this.#root.readLink(path));
      libc.close(this.#openOrMake(target, hops + 1));
    } else {
      must(made, 'mkdirat', cstringOf(path));
      this.#made(parent, name);
    }
    return this.#root.openDir(path);
  }
}

/** Where the symlink at `path` leads, as a clean path; `..` stops at the root. */
function linkTarget(path: ByteString, target: ByteString): ByteString {
  const parts = target.startsWith('/') ? [] : path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/') as ByteString;
}

export interface ParentOptions {
  readonly capacity?: number;
  readonly made?: (parentFd: number, name: Buffer) => void;
}
