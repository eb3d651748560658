// Owns turning tar entries into files of a new layer directory, as overlayfs wants them. Synchronous: runs in a worker.
// Refuses names that climb out; links cannot lead out because the kernel resolves every parent inside the root.

import {
  AT_SYMLINK_NOFOLLOW,
  errno,
  libc,
  makeDev,
  must,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_WRONLY,
  SystemError,
  timespecs,
} from '../../../host/libc.ts';
import { openRooted, ParentDirs, type Rooted, type RootedStat, statAt } from '../../../host/rooted/index.ts';
import { type ByteString, cstringOf, textOf } from '../../../lib/bytes.ts';
import type { TarEntry, TarTime } from '../../../lib/tar/index.ts';
import { cleanName, splitClean, whiteoutOf } from './names.ts';

const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
const SPECIAL_MODE: Readonly<Record<string, number>> = { character: 0o020000, block: 0o060000, fifo: 0o010000 };
const OPAQUE = Buffer.from('y');
/** The last whole second that fits into 63 bits of nanoseconds: in the year 2262. */
const GO_LAST_SECOND = 9_223_372_035;
/** The system call behind each type of entry, for the failures' words. */
const CALLS: Readonly<Record<TarEntry['type'], string>> = {
  file: 'openat',
  directory: 'mkdirat',
  symlink: 'symlinkat',
  hardlink: 'linkat',
  character: 'mknodat',
  block: 'mknodat',
  fifo: 'mknodat',
};

/** Entry number `entry` and later ones find nothing at `path`: what lay there was moved to `replaced/<to>`. */
export interface Replaced {
  readonly entry: number;
  readonly path: string;
  readonly to: number;
}

export interface LayerTreeOptions {
  /** The new, empty layer directory. */
  readonly directory: string;
  /** Where files go that a later entry of the same layer replaces; made when needed. */
  readonly replacedDirectory: string;
  /** True when the thread's umask is 0, so that files are made with their final mode. */
  readonly exactModes: boolean;
}

/** One layer being written. Feed it a tar's entries, then call finish. */
export class LayerTree implements Disposable {
  readonly #root: Rooted;
  readonly #parents: ParentDirs;
  readonly #options: LayerTreeOptions;
  readonly #times = Buffer.alloc(32);
  readonly #directoryTimes = new Map<ByteString, TarTime>();
  readonly replaced: Replaced[] = [];
  #replacedFd = -1;
  #entries = 0;
  /** In a directory with setgid bit new files take over its group: then owners must always be set. */
  #setAllOwners: boolean;
  #setAllModes: boolean;
  #file = -1;
  #entry: TarEntry | undefined;
  #path = '' as ByteString;
  /** Sum of the files' and symlinks' sizes, as Docker counts a layer. */
  sizeBytes = 0;

  constructor(options: LayerTreeOptions) {
    this.#options = options;
    this.#root = openRooted(options.directory);
    this.#setAllModes = !options.exactModes;
    this.#setAllOwners = (this.#root.stat('' as ByteString).mode & 0o2000) !== 0 || process.geteuid?.() !== 0;
    this.#parents = new ParentDirs(this.#root, {
      made: (dir, name) => {
        if (this.#setAllModes) must(libc.fchmodat(dir, name, 0o755, 0), 'fchmodat', name);
        if (this.#setAllOwners) must(libc.fchownat(dir, name, 0, 0, AT_SYMLINK_NOFOLLOW), 'fchownat', name);
      },
    });
  }

  /** The clean path of the file whose payload is being written; undefined when payload bytes are to be dropped. */
  get filePath(): ByteString | undefined {
    return this.#file >= 0 ? this.#path : undefined;
  }

  entry(entry: TarEntry): void {
    this.#entries++;
    const path = cleanName(entry.name);
    this.#path = path;
    // The root's own mode and owner are not the layer's to set. @source dockerd 28.5: pkg/archive Unpack
    if (path === '') return;
    const { parent, base } = splitClean(path);
    const whiteout = whiteoutOf(base);
    if (whiteout?.kind === 'metadata') return;
    const dir = this.#parents.get(parent);
    if (whiteout?.kind === 'opaque') this.#makeOpaque(dir);
    else if (whiteout) this.#hide(dir, cstringOf(whiteout.base), entry);
    else this.#make(entry, dir, cstringOf(base));
  }

  /** A piece of the file's payload, which belongs at `offset`. */
  data(bytes: Buffer, offset: number): void {
    if (this.#file < 0) return;
    const isSparse = this.#entry?.segments !== undefined;
    let rest: Uint8Array = bytes;
    while (rest.length > 0) {
      const at = offset + bytes.length - rest.length;
      const result = isSparse
        ? libc.pwrite(this.#file, rest, rest.length, at)
        : libc.write(this.#file, rest, rest.length);
      const written = must(result, 'write', cstringOf(this.#path));
      if (written === rest.length) return;
      rest = rest.subarray(written);
    }
  }

  entryEnd(): void {
    const [fd, entry] = [this.#file, this.#entry];
    this.#file = -1;
    if (fd < 0 || !entry) return;
    this.sizeBytes += entry.size;
    try {
      // A hole at the end has no length until the file's length is set.
      if (entry.segments) must(libc.ftruncate(fd, entry.size), 'truncate', cstringOf(this.#path));
      if (this.#owned(entry)) must(libc.fchown(fd, id(entry.uid), id(entry.gid)), 'fchown', cstringOf(this.#path));
      if (this.#moded(entry)) must(libc.fchmod(fd, entry.mode), 'fchmod', cstringOf(this.#path));
      for (const [name, value] of this.#xattrsOf(entry)) {
        this.#xattrResult(libc.fsetxattr(fd, cstringOf(name), value, value.length, 0), name);
      }
      must(libc.futimens(fd, this.#timesOf(entry.mtime)), 'futimens', cstringOf(this.#path));
    } finally {
      libc.close(fd);
    }
  }

  /** Sets what only lasts when nothing is written any more: the directories' times. */
  finish(): void {
    for (const [path, mtime] of this.#directoryTimes) {
      const { parent, base } = splitClean(path);
      const result = libc.utimensat(
        this.#parents.get(parent),
        cstringOf(base),
        this.#timesOf(mtime),
        AT_SYMLINK_NOFOLLOW,
      );
      must(result, 'utimensat', cstringOf(path));
    }
  }

  [Symbol.dispose](): void {
    if (this.#file >= 0) libc.close(this.#file);
    this.#file = -1;
    if (this.#replacedFd >= 0) libc.close(this.#replacedFd);
    this.#replacedFd = -1;
    this.#parents[Symbol.dispose]();
    this.#root[Symbol.dispose]();
  }

  /** A time before 1970 or beyond what Go counts in nanoseconds is the start of 1970. @source dockerd 28.5 */
  #timesOf({ seconds, nanoseconds }: TarTime): Buffer {
    if (seconds < 0 || seconds > GO_LAST_SECOND) return timespecs(0, 0, this.#times);
    return timespecs(seconds, nanoseconds, this.#times);
  }

  #owned(entry: TarEntry): boolean {
    return entry.uid !== 0 || entry.gid !== 0 || this.#setAllOwners;
  }

  /** A change of owner takes the setuid and setgid bits away. */
  #moded(entry: TarEntry): boolean {
    return this.#setAllModes || ((entry.mode & 0o6000) !== 0 && this.#owned(entry));
  }

  /** What overlayfs reads of a lower layer is ours to say: a redirect or metacopy of the image's would show other files. */
  #xattrsOf(entry: TarEntry): (readonly [ByteString, Buffer])[] {
    return [...(entry.xattrs ?? [])].filter(([name]) => !name.startsWith('trusted.overlay.'));
  }

  /**
   * An attribute that cannot be kept is a file without its capabilities, say: it fails, as at Docker.
   * Only `user.` on what is no file or directory is passed over, for no kernel has it there.
   */
  #xattrResult(result: number, name: ByteString): void {
    if (result >= 0) return;
    const type = this.#entry?.type;
    if (result === -errno.EPERM && name.startsWith('user.') && type !== 'file' && type !== 'directory') return;
    throw new SystemError(-result, `lsetxattr /${textOf(this.#path)}: xattr "${textOf(name)}"`);
  }

  #make(entry: TarEntry, dir: number, base: Buffer): void {
    let result = this.#create(entry, dir, base);
    let hid = false;
    if (result === -errno.EEXIST) {
      const there = statAt(dir, base);
      if (typeof there === 'number') throw new SystemError(-there, 'statx', cstringOf(this.#path));
      if (there.type === 'directory' && entry.type === 'directory') result = 0;
      else {
        hid = isWhiteout(there);
        this.#moveAway(dir, base, there.type === 'directory');
        const { parent } = splitClean(this.#path);
        result = this.#create(entry, this.#parents.get(parent), base);
      }
    }
    if (result < 0) throw new SystemError(-result, CALLS[entry.type], this.#failedAt(entry));
    this.#entry = entry;
    if (entry.type === 'file') this.#file = result;
    else this.#settle(entry, base, hid);
  }

  /** Path, and for links the target before it, as dockerd 28.5 tells them. */
  #failedAt({ type, linkName }: TarEntry): string {
    const path = textOf(this.#path);
    return type === 'symlink' || type === 'hardlink' ? `${textOf(linkName)} ${path}` : path;
  }

  /** Makes the entry; a descriptor for files. Minus the errno on failure. */
  #create(entry: TarEntry, dir: number, base: Buffer): number {
    switch (entry.type) {
      case 'file':
        return libc.openat(dir, base, NEW_FILE, entry.mode);
      case 'directory':
        return libc.mkdirat(dir, base, entry.mode);
      case 'symlink':
        return libc.symlinkat(cstringOf(entry.linkName), dir, base);
      case 'hardlink':
        return this.#link(cleanName(entry.linkName, 'hardlink target'), dir, base);
      default:
        return libc.mknodat(
          dir,
          base,
          (SPECIAL_MODE[entry.type] ?? 0) | entry.mode,
          makeDev(entry.deviceMajor, entry.deviceMinor),
        );
    }
  }

  /** The target is looked up inside the root and, being the last component, never followed. */
  #link(target: ByteString, dir: number, base: Buffer): number {
    const { parent, base: targetBase } = splitClean(target);
    const from = this.#root.tryOpenDir(parent);
    if (from < 0) return from;
    try {
      return libc.linkat(from, cstringOf(targetBase), dir, base, 0);
    } finally {
      libc.close(from);
    }
  }

  /** Owner, mode, attributes and time of everything but files and hard links. */
  #settle(entry: TarEntry, base: Buffer, hid: boolean): void {
    if (entry.type === 'hardlink') return;
    if (entry.type === 'symlink') this.sizeBytes += entry.linkName.length;
    const dir = this.#parents.get(splitClean(this.#path).parent);
    const name = cstringOf(this.#path);
    // A directory that is there already keeps what it had but for what the entry says.
    const isDirectory = entry.type === 'directory';
    if (isDirectory || this.#owned(entry)) {
      must(libc.fchownat(dir, base, id(entry.uid), id(entry.gid), AT_SYMLINK_NOFOLLOW), 'fchownat', name);
    }
    if (entry.type !== 'symlink' && (isDirectory || this.#moded(entry))) {
      must(libc.fchmodat(dir, base, entry.mode, 0), 'fchmodat', name);
    }
    if (isDirectory && (entry.mode & 0o2000) !== 0) {
      this.#setAllOwners = true;
      this.#setAllModes = true;
    }
    this.#setXattrsAt(entry, dir, base);
    if (isDirectory) {
      this.#directoryTimes.set(this.#path, entry.mtime);
      if (hid) this.#makeOpaque(this.#parents.get(this.#path));
      return;
    }
    must(libc.utimensat(dir, base, this.#timesOf(entry.mtime), AT_SYMLINK_NOFOLLOW), 'utimensat', name);
  }

  #setXattrsAt(entry: TarEntry, dir: number, base: Buffer): void {
    if (!entry.xattrs) return;
    const path = Buffer.concat([Buffer.from(`/proc/self/fd/${dir}/`), base]);
    for (const [name, value] of this.#xattrsOf(entry)) {
      this.#xattrResult(libc.lsetxattr(path, cstringOf(name), value, value.length, 0), name);
    }
  }

  #makeOpaque(dir: number): void {
    must(libc.fsetxattr(dir, 'trusted.overlay.opaque', OPAQUE, 1, 0), 'setxattr', cstringOf(this.#path));
  }

  /**
   * Hides `base` of the layers below: overlayfs's 0/0 device. A whiteout never hides what its own layer brings,
   * so a directory that is there already becomes opaque instead, and a file already hides what is below.
   */
  #hide(dir: number, base: Buffer, entry: TarEntry): void {
    const made = libc.mknodat(dir, base, 0o020000, 0);
    if (made !== -errno.EEXIST) {
      must(made, 'mknodat', cstringOf(this.#path));
      if (this.#owned(entry)) {
        must(libc.fchownat(dir, base, id(entry.uid), id(entry.gid), AT_SYMLINK_NOFOLLOW), 'fchownat', base);
      }
      return;
    }
    const there = statAt(dir, base);
    if (typeof there === 'number' || there.type !== 'directory') return;
    const fd = must(libc.openat(dir, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0), 'openat', base);
    try {
      this.#makeOpaque(fd);
    } finally {
      libc.close(fd);
    }
  }

  /** Keeps what an entry replaces: the layer's archive can only be written again with every payload at hand. */
  #moveAway(dir: number, base: Buffer, isDirectory: boolean): void {
    if (this.#replacedFd < 0) {
      const path = this.#options.replacedDirectory;
      must(libc.mkdirat(-100, path, 0o700), 'mkdirat', path);
      this.#replacedFd = must(libc.openat(-100, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), 'openat', path);
    }
    const to = this.replaced.length;
    must(libc.renameat(dir, base, this.#replacedFd, `${to}`), 'renameat', cstringOf(this.#path));
    this.replaced.push({ entry: this.#entries, path: this.#path, to });
    for (const path of isDirectory ? this.#directoryTimes.keys() : []) {
      if (path === this.#path || path.startsWith(`${this.#path}/`)) this.#directoryTimes.delete(path);
    }
    this.#parents.clear();
  }
}

/** An owner as the kernel takes it, in 32 bits. -1 leaves root the owner. @source chown(2); Go passes it on so too */
function id(number: number): number {
  return number >>> 0;
}

function isWhiteout(stat: RootedStat): boolean {
  return stat.type === 'character' && stat.deviceMajor === 0 && stat.deviceMinor === 0;
}
