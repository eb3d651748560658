// Owns the step from a tar to files in a folder of a tree that programs may be using. Every act goes by a descriptor of what was looked
// at, so that a name swapped for a link meanwhile leads nowhere. Refuses names that climb out of the folder. Blocks.

import { type ByteString, byteString, cstringOf, textOf } from '../../lib/bytes.ts';
import { errnoOf, systemFailure } from '../../lib/errno.ts';
import { errnoWords } from '../../lib/errno-words.ts';
import { GantryError } from '../../lib/errors.ts';
import { type TarEntry, TarReader, type TarSink, type TarTime } from '../../lib/tar/index.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  type CString,
  errno,
  libc,
  makeDev,
  must,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  SystemError,
  timespecs,
} from '../libc.ts';
import { type MountedRoot, type Place, removeAt } from '../rooted/index.ts';

const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
const NODE_BITS: Readonly<Record<string, number>> = { character: 0o020000, block: 0o060000, fifo: 0o010000 };
/** Each level above a missing folder is opened: as deep as trees that can be packed. */
const DEEPEST = 2048;
/** Of folders that the archive goes through but does not name. */
const IMPLIED_MODE = 0o755;

export interface ExtractOptions {
  /** The folder's path as the caller named it, for messages. */
  readonly target: string;
  /** Refuse to put a folder over something else, or something else over a folder. */
  readonly noOverwriteDirNonDir: boolean;
  /**
   * Everything gets this owner; `archive`: the one that the archive names; `process`: whoever runs this, and then attributes that
   * this user may not set, or that the file system does not have, are left out.
   */
  readonly owner: { readonly uid: number; readonly gid: number } | 'archive' | 'process';
  /** Entries called `from`, or below it, are called `to`. */
  readonly rename?: { readonly from: ByteString; readonly to: ByteString } | undefined;
}

/** Writes a plain tar, given piece by piece, below a folder. Disposing closes what is open; what was written stays. */
export class TarExtractor implements Disposable {
  readonly #extraction: Extraction;
  readonly #reader: TarReader;

  /** `root` stays the caller's. */
  constructor(root: MountedRoot, options: ExtractOptions) {
    this.#extraction = new Extraction(root, options);
    this.#reader = new TarReader(this.#extraction);
  }

  /** @throws ENTRY_NAME, OVERWRITE_REFUSED; BAD_TAR; SystemError of whatever could not be written */
  write(piece: Buffer): void {
    this.#reader.write(piece);
  }

  /** The archive is over. @throws TRUNCATED_TAR */
  end(): void {
    this.#reader.end();
    this.#extraction.finish();
  }

  [Symbol.dispose](): void {
    this.#extraction[Symbol.dispose]();
  }
}

class Extraction implements TarSink, Disposable {
  readonly #root: MountedRoot;
  readonly #options: ExtractOptions;
  /** Path → time; set at the end, when nothing is written into them any more. */
  readonly #folderTimes = new Map<ByteString, TarTime>();
  /** The folder of the last entry, kept open for the next. */
  #parent: Place | undefined;
  #parentPath: ByteString | undefined;
  #file = -1;
  #entry: TarEntry | undefined;

  constructor(root: MountedRoot, options: ExtractOptions) {
    this.#root = root;
    this.#options = options;
  }

  entry(entry: TarEntry): void {
    const path = this.#pathOf(entry.name);
    if (path === '' && entry.type !== 'directory') throw this.#refused('.' as ByteString, true);
    if (path === '') return;
    const slash = path.lastIndexOf('/');
    const parent = this.#folder(path.slice(0, Math.max(0, slash)) as ByteString);
    if (parent.readOnly) throw new SystemError(errno.EROFS, CALLS[entry.type], textOf(path));
    const name = cstringOf(path.slice(slash + 1) as ByteString);
    this.#entry = entry;
    if (!this.#makeRoom(entry, parent, path)) this.#create(entry, parent, name, path);
    if (entry.type === 'file' || entry.type === 'hardlink') return;
    this.#settle(entry, parent, name);
    if (entry.type === 'directory') this.#folderTimes.set(path, entry.mtime);
  }

  data(bytes: Buffer, offset: number): void {
    let rest: Uint8Array = bytes;
    while (rest.length > 0) {
      const at = offset + bytes.length - rest.length;
      rest = rest.subarray(must(libc.pwrite(this.#file, rest, rest.length, at), 'write', this.#name()));
    }
  }

  entryEnd(): void {
    const [fd, entry] = [this.#file, this.#entry];
    this.#file = -1;
    if (fd < 0 || !entry) return;
    try {
      if (entry.segments) must(libc.ftruncate(fd, entry.size), 'truncate', this.#name());
      const owner = this.#ownerOf(entry);
      if (owner) must(libc.fchown(fd, owner.uid, owner.gid), 'fchown', this.#name());
      must(libc.fchmod(fd, entry.mode), 'fchmod', this.#name());
      for (const [name, value] of entry.xattrs ?? []) {
        this.#mustXattr(libc.fsetxattr(fd, cstringOf(name), value, value.length, 0), 'fsetxattr', this.#name());
      }
      must(libc.futimens(fd, timesOf(entry.mtime)), 'futimens', this.#name());
    } finally {
      libc.close(fd);
    }
  }

  finish(): void {
    for (const [path, mtime] of this.#folderTimes) {
      using folder = this.#root.tryOpen(path, { follow: false });
      if (folder?.stat.type !== 'directory') continue;
      libc.utimensat(AT_FDCWD, `/proc/self/fd/${folder.fd}`, timesOf(mtime), 0);
    }
  }

  [Symbol.dispose](): void {
    if (this.#file >= 0) libc.close(this.#file);
    this.#forgetParent();
  }

  /** The folder at `path`, made with all above it where absent; links in it are followed inside the root. */
  #folder(path: ByteString): Place {
    if (this.#parent && this.#parentPath === path) return this.#parent;
    const folder = this.#openOrMake(path);
    if (folder.stat.type !== 'directory') {
      folder[Symbol.dispose]();
      throw new SystemError(errno.ENOTDIR, 'mkdir', textOf(path));
    }
    this.#forgetParent();
    this.#parent = folder;
    this.#parentPath = path;
    return folder;
  }

  /** From the top down: the cost of a path is its length, however much of it is missing. */
  #openOrMake(wanted: ByteString): Place {
    const found = this.#root.tryOpen(`/${wanted}` as ByteString);
    if (found) return found;
    let here = this.#root.open('/' as ByteString);
    for (const name of wanted.split('/') as ByteString[]) {
      using parent = here;
      here = this.#step(parent, name);
    }
    return here;
  }

  #step(parent: Place, name: ByteString): Place {
    const there = this.#root.tryChild(parent, name) ?? this.#makeFolder(parent, name);
    if (there.stat.type !== 'symlink') return there;
    using link = there;
    // A link into nothing: what it leads to is made.
    return this.#root.tryOpen(link.path) ?? this.#openOrMake(this.#root.realPath(link.path).slice(1) as ByteString);
  }

  #makeFolder(parent: Place, name: ByteString): Place {
    const path = textOf(`${parent.path}/${name}` as ByteString).replace(/^\/+/, '');
    if (parent.readOnly) throw new SystemError(errno.EROFS, 'mkdir', path);
    must(libc.mkdirat(parent.fd, cstringOf(name), IMPLIED_MODE), 'mkdir', path);
    const made = this.#root.child(parent, name);
    const { owner } = this.#options;
    const { uid, gid } = owner === 'archive' || owner === 'process' ? { uid: 0, gid: 0 } : owner;
    if (owner !== 'process') must(libc.fchownat(made.fd, '', uid, gid, AT_EMPTY_PATH), 'fchown', path);
    return made;
  }

  #forgetParent(): void {
    this.#parent?.[Symbol.dispose]();
    this.#parent = undefined;
    this.#parentPath = undefined;
  }

  /** True when the folder that the entry wants is there already; whatever else is there goes. */
  #makeRoom(entry: TarEntry, parent: Place, path: ByteString): boolean {
    const base = path.slice(path.lastIndexOf('/') + 1) as ByteString;
    using there = this.#root.tryChild(parent, base);
    if (!there) return false;
    const wasFolder = there.stat.type === 'directory';
    const isFolder = entry.type === 'directory';
    if (wasFolder && isFolder) return true;
    if (this.#options.noOverwriteDirNonDir && wasFolder !== isFolder) throw this.#refused(path, wasFolder);
    removeAt(parent.fd, cstringOf(base));
    return false;
  }

  /** @source dockerd 28.5: the second name is the target's, not the entry's */
  #refused(path: ByteString, wasFolder: boolean): GantryError {
    const [was, is] = wasFolder ? ['directory', 'non-directory'] : ['non-directory', 'directory'];
    const message = `cannot overwrite ${was} ${JSON.stringify(textOf(path))} with ${is} ${JSON.stringify(this.#options.target)}`;
    return new GantryError('system', 'OVERWRITE_REFUSED', message);
  }

  #create(entry: TarEntry, parent: Place, name: Uint8Array, path: ByteString): void {
    const result = this.#tryCreate(entry, parent.fd, name);
    if (result < 0) throw this.#failed(entry, path, -result);
    if (entry.type === 'file') this.#file = result;
  }

  /** @source dockerd 28.5: of a device that may not be made only the reason is said */
  #failed({ type }: TarEntry, path: ByteString, number: number): Error {
    const error = new SystemError(number, CALLS[type], textOf(path));
    const code = errnoOf(error);
    return type in NODE_BITS && code !== undefined ? systemFailure(code, errnoWords(code) ?? code, error) : error;
  }

  #tryCreate(entry: TarEntry, dir: number, name: Uint8Array): number {
    switch (entry.type) {
      case 'file':
        return libc.openat(dir, name, NEW_FILE, 0o600);
      case 'directory':
        return libc.mkdirat(dir, name, 0o700);
      case 'symlink':
        return libc.symlinkat(cstringOf(entry.linkName), dir, name);
      case 'hardlink': {
        const path = this.#pathOf(entry.linkName, 'hardlink target');
        using target = this.#root.open(`/${path}` as ByteString, { follow: false });
        // By its descriptor alone (AT_EMPTY_PATH) only root may link before Linux 6.10.
        return libc.linkat(AT_FDCWD, `/proc/self/fd/${target.fd}`, dir, name, AT_SYMLINK_FOLLOW);
      }
      default: {
        const device = makeDev(entry.deviceMajor, entry.deviceMinor);
        return libc.mknodat(dir, name, (NODE_BITS[entry.type] ?? 0) | 0o600, device);
      }
    }
  }

  /** Owner, mode, attributes and time of all but files. */
  #settle(entry: TarEntry, parent: Place, name: Uint8Array): void {
    using made = this.#root.child(parent, textOfName(name));
    if (made.stat.type !== entry.type) throw new SystemError(errno.EEXIST, CALLS[entry.type], name);
    const owner = this.#ownerOf(entry);
    if (owner) must(libc.fchownat(made.fd, '', owner.uid, owner.gid, AT_EMPTY_PATH), 'fchown', name);
    const self = `/proc/self/fd/${made.fd}`;
    if (entry.type === 'symlink') {
      libc.utimensat(parent.fd, name, timesOf(entry.mtime), AT_SYMLINK_NOFOLLOW);
      return;
    }
    must(libc.fchmodat(AT_FDCWD, self, entry.mode, 0), 'fchmod', name);
    for (const [key, value] of entry.xattrs ?? []) {
      this.#mustXattr(libc.setxattr(self, cstringOf(key), value, value.length, 0), 'setxattr', name);
    }
    if (entry.type !== 'directory') libc.utimensat(AT_FDCWD, self, timesOf(entry.mtime), 0);
  }

  #ownerOf({ uid, gid }: TarEntry): { readonly uid: number; readonly gid: number } | undefined {
    const { owner } = this.#options;
    if (owner === 'process') return undefined;
    return owner === 'archive' ? { uid: uid >>> 0, gid: gid >>> 0 } : owner;
  }

  /** @source docker 28.2: `docker cp` from a container drops attributes for these two reasons */
  #mustXattr(result: number, call: string, name: CString): void {
    const isForgiven = result === -errno.EPERM || result === -errno.EOPNOTSUPP;
    if (!isForgiven || this.#options.owner !== 'process') must(result, call, name);
  }

  #pathOf(name: ByteString, what?: string): ByteString {
    const { rename } = this.#options;
    return cleanPath(rename ? renamed(name, rename) : name, what);
  }

  #name(): string {
    return this.#entry ? textOf(this.#pathOf(this.#entry.name)) : '';
  }
}

const CALLS: Readonly<Record<TarEntry['type'], string>> = {
  file: 'open',
  directory: 'mkdir',
  symlink: 'symlink',
  hardlink: 'link',
  character: 'mknod',
  block: 'mknod',
  fifo: 'mkfifo',
};

function renamed(name: ByteString, { from, to }: NonNullable<ExtractOptions['rename']>): ByteString {
  const isBelow = name.startsWith(from) && (name.length === from.length || from === '' || name[from.length] === '/');
  return isBelow ? (`${to}${name.slice(from.length)}` as ByteString) : name;
}

/** Relative and without dots; '' is the folder itself. @throws ENTRY_NAME when it climbs out; SystemError ENAMETOOLONG */
function cleanPath(name: ByteString, what = 'entry name'): ByteString {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw climbs(name, what);
  }
  if (parts.length > DEEPEST) throw new SystemError(errno.ENAMETOOLONG, 'openat', `${textOf(name).slice(0, 200)}…`);
  return parts.join('/') as ByteString;
}

/** @source dockerd 28.5: PUT archive of `../x`, and of a hard link to `../x` */
function climbs(name: ByteString, what: string): GantryError {
  return new GantryError('system', 'ENTRY_NAME', `invalid ${what} ${JSON.stringify(textOf(name))}`);
}

/** Without the closing NUL. */
function textOfName(name: Uint8Array): ByteString {
  return byteString(name, 0, name.length - 1);
}

function timesOf({ seconds, nanoseconds }: TarTime): Buffer {
  return timespecs(seconds, nanoseconds);
}
