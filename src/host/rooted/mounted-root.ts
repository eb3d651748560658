// Owns a container's file tree as its processes see it: a root, with other trees lying at some of its paths, put together here and
// not by the kernel. Every path is walked step by step and never leaves. Refuses: more than 40 links on one path.

import { type ByteString, cstringOf } from '../../lib/bytes.ts';
import { errno, libc, must, O_CLOEXEC, O_NOFOLLOW, O_PATH, SystemError } from '../libc.ts';
import { linkTarget } from './rooted.ts';
import { type RootedStat, statFd } from './stat.ts';

/** @source path_resolution(7) */
const LINKS_MAX = 40;

/** A tree that lies at `path`. */
export interface MountedTree {
  /** Absolute, as the container names it; links in it are followed. */
  readonly path: ByteString;
  /** The tree's root (a folder, or a single file); stays the owner's. */
  readonly fd: number;
  readonly readOnly: boolean;
}

/** What a path leads to. Disposing closes it. */
export interface Place extends Disposable {
  /** O_PATH. */
  readonly fd: number;
  readonly stat: RootedStat;
  /** Absolute and free of links. */
  readonly path: ByteString;
  /** True where nothing may be written. */
  readonly readOnly: boolean;
  /** True for what lies on a tree that is mounted, false for what is the root's own. */
  readonly isMounted: boolean;
}

/** Where a walk stands. */
type Step = Omit<Place, 'stat' | typeof Symbol.dispose>;

const ROOT = '/' as ByteString;

export class MountedRoot {
  readonly #root: Step;
  readonly #trees = new Map<ByteString, MountedTree>();

  /** `rootFd` and the trees' descriptors stay the caller's. Trees come in the order in which they are mounted. */
  constructor(rootFd: number, trees: readonly MountedTree[], readOnly: boolean) {
    this.#root = { fd: rootFd, path: ROOT, readOnly, isMounted: false };
    for (const tree of trees) this.#trees.set(this.realPath(tree.path), tree);
  }

  /** Opens what `path` leads to; with `follow` false a link at its end is opened itself. @throws SystemError ENOENT, ENOTDIR, ELOOP, … */
  open(path: ByteString, { follow = true }: { readonly follow?: boolean } = {}): Place {
    using walk = new Walk(this.#root, this.#trees);
    const end = walk.to(path, follow);
    return place(must(libc.dup(end.fd), 'dup'), end);
  }

  /** As `open`; undefined when something on the way is not there. @throws SystemError for any other reason */
  tryOpen(path: ByteString, options: { readonly follow?: boolean } = {}): Place | undefined {
    return unlessAbsent(() => this.open(path, options));
  }

  /** What lies at `name` in the folder `parent`, a link not followed, with the trees mounted there. @throws SystemError */
  child(parent: Step, name: ByteString): Place {
    const step = stepInto(parent, name, this.#trees);
    return place(step.fd, step);
  }

  /** As `child`; undefined when nothing is there. @throws SystemError for any other reason */
  tryChild(parent: Step, name: ByteString): Place | undefined {
    return unlessAbsent(() => this.child(parent, name));
  }

  /** The same tree as after chroot(2) into the folder `place`, which stays open: links in it resolve below it. */
  at(place: Step): MountedRoot {
    const below = new MountedRoot(place.fd, [], place.readOnly);
    const prefix = place.path === ROOT ? '' : place.path;
    for (const [path, tree] of this.#trees) {
      if (path.startsWith(`${prefix}/`)) below.#trees.set(path.slice(prefix.length) as ByteString, tree);
    }
    return below;
  }

  /** `path` without links, as far as it exists. @throws SystemError ELOOP, ENOTDIR, … */
  realPath(path: ByteString): ByteString {
    using found = this.tryOpen(path);
    if (found) return found.path;
    using link = this.tryOpen(path, { follow: false });
    if (link) return this.realPath(joined(parentOf(link.path), linkTarget(link.fd)));
    const parent = this.realPath(parentOf(path));
    return `${parent === ROOT ? '' : parent}/${baseOf(path)}` as ByteString;
  }

  /** Names of trees that lie directly in the folder at `path`, whether the folder has an entry for them or not. */
  mountedIn(path: ByteString): readonly ByteString[] {
    return [...this.#trees.keys()].filter((tree) => parentOf(tree) === path).map((tree) => baseOf(tree));
  }
}

function unlessAbsent<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function place(fd: number, { path, readOnly, isMounted }: Omit<Step, 'fd'>): Place {
  try {
    return { fd, stat: statFd(fd), path, readOnly, isMounted, [Symbol.dispose]: () => void libc.close(fd) };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** One resolution: the folders from the root to where it stands. */
class Walk implements Disposable {
  readonly #root: Step;
  readonly #trees: ReadonlyMap<ByteString, MountedTree>;
  /** Opened by this walk. */
  readonly #steps: Step[] = [];
  #links = 0;

  constructor(root: Step, trees: ReadonlyMap<ByteString, MountedTree>) {
    this.#root = root;
    this.#trees = trees;
  }

  to(path: ByteString, follow: boolean): Step {
    const names = path.split('/').filter((name) => name !== '' && name !== '.') as ByteString[];
    const mustBeFolder = /\/\.?$/.test(path) && names.length > 0;
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const isLast = names.length === 0;
      if (name === '..') this.#up();
      else names.unshift(...this.#into(name, !isLast || follow || mustBeFolder));
      if ((!isLast || mustBeFolder) && statFd(this.#top.fd).type !== 'directory') throw notAFolder(path);
    }
    return this.#top;
  }

  [Symbol.dispose](): void {
    while (this.#steps.length > 0) this.#up();
  }

  get #top(): Step {
    return this.#steps.at(-1) ?? this.#root;
  }

  #up(): void {
    const left = this.#steps.pop();
    if (left) libc.close(left.fd);
  }

  /** Goes one step down; answers the names that a link puts in its place. */
  #into(name: ByteString, follow: boolean): readonly ByteString[] {
    const step = stepInto(this.#top, name, this.#trees);
    if (!follow || statFd(step.fd).type !== 'symlink') {
      this.#steps.push(step);
      return [];
    }
    const target = linkTarget(step.fd);
    libc.close(step.fd);
    if (++this.#links > LINKS_MAX) throw new SystemError(errno.ELOOP, 'openat', cstringOf(name));
    if (target.startsWith('/')) this[Symbol.dispose]();
    const names = target.split('/').filter((part) => part !== '' && part !== '.') as ByteString[];
    // An absolute link to the root, or a relative one to here: nothing more to do.
    return names;
  }
}

function stepInto(parent: Step, name: ByteString, trees: ReadonlyMap<ByteString, MountedTree>): Step {
  const path = `${parent.path === ROOT ? '' : parent.path}/${name}` as ByteString;
  const tree = trees.get(path);
  if (tree) return { fd: must(libc.dup(tree.fd), 'dup'), path, readOnly: tree.readOnly, isMounted: true };
  const flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  const fd = must(libc.openat(parent.fd, cstringOf(name), flags, 0), 'openat', cstringOf(path));
  return { fd, path, readOnly: parent.readOnly, isMounted: parent.isMounted };
}

function notAFolder(path: ByteString): SystemError {
  return new SystemError(errno.ENOTDIR, 'openat', cstringOf(path));
}

function parentOf(path: ByteString): ByteString {
  return (path.slice(0, path.lastIndexOf('/')) || '/') as ByteString;
}

function baseOf(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1) as ByteString;
}

/** Where a link in the folder `from` leads to. */
function joined(from: ByteString, target: ByteString): ByteString {
  return target.startsWith('/') ? target : (`${from}/${target}` as ByteString);
}
