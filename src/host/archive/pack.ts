// Owns the step from a file tree to a tar. Follows no link; reads regular files only. Blocks.

import { readdirSync } from 'node:fs';
import { type ByteString, byteString, bytesOfText, textOf } from '../../lib/bytes.ts';
import { GantryError } from '../../lib/errors.ts';
import { TAR_END, type TarEntryInput, tarHeader, tarPadding } from '../../lib/tar/index.ts';
import { AT_FDCWD, libc, must, O_CLOEXEC, O_NONBLOCK, O_RDONLY } from '../libc.ts';
import { fileXattr, linkTarget, type MountedRoot, type Place, statFd } from '../rooted/index.ts';

/** Each level holds a descriptor; deeper trees have paths that no program can name (PATH_MAX is 4096). */
const DEEPEST = 2048;
const READ_BYTES = 1 << 20;
/** The one attribute that Docker's archives carry. @source dockerd 28.5: GET archive of a file with several */
const KEPT_XATTR = bytesOfText('security.capability');

export interface PackRequest {
  readonly root: MountedRoot;
  /** What is packed, with all below it. */
  readonly place: Place;
  /** Its name in the archive; `/` for a root whose children have absolute names. */
  readonly name: ByteString;
  /** True where a piece is still needed when the next is asked for; otherwise its memory is used again. */
  readonly keepsPieces: boolean;
}

/**
 * A tar of `place`, piece by piece: parents first, names sorted. A second name of a file becomes a hard link to the first. Sockets
 * are left out. What goes away meanwhile is left out too.
 * @throws TREE_TOO_DEEP; SystemError of what cannot be read
 */
export function* packTree({ root, place, name, keepsPieces }: PackRequest): Generator<Buffer, void, void> {
  yield* new Packing(root, keepsPieces).add(place, name, 0);
  yield TAR_END;
}

type Pieces = Generator<Buffer, void, void>;

class Packing {
  readonly #root: MountedRoot;
  /** Of all reads; undefined: each has its own. */
  readonly #buffer: Buffer | undefined;
  /** `device:inode` of files with several names → the first name. */
  readonly #seen = new Map<string, ByteString>();

  constructor(root: MountedRoot, keepsPieces: boolean) {
    this.#root = root;
    if (!keepsPieces) this.#buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  }

  *add(place: Place, name: ByteString, depth: number): Pieces {
    const { type } = place.stat;
    switch (type) {
      case 'socket':
        return;
      case 'directory':
        yield tarHeader(entryOf(place, type, asFolder(name)));
        yield* this.#addChildren(place, name, depth);
        return;
      case 'file':
        yield* this.#addFile(place, name);
        return;
      case 'symlink':
        yield tarHeader({ ...entryOf(place, type, name), linkName: linkTarget(place.fd) });
        return;
      default:
        yield tarHeader(entryOf(place, type, name));
    }
  }

  *#addChildren(place: Place, name: ByteString, depth: number): Pieces {
    if (depth === DEEPEST) throw tooDeep(place.path);
    const listed = readdirSync(`/proc/self/fd/${place.fd}`, { encoding: 'buffer' }).map((bytes) => byteString(bytes));
    const children = new Set([...listed, ...this.#root.mountedIn(place.path)]);
    for (const child of [...children].sort()) {
      using inside = this.#root.tryChild(place, child);
      if (inside) yield* this.add(inside, `${asFolder(name)}${child}` as ByteString, depth + 1);
    }
  }

  *#addFile(place: Place, name: ByteString): Pieces {
    const { links, device, inode } = place.stat;
    const key = `${device}:${inode}`;
    const first = links > 1 ? this.#seen.get(key) : undefined;
    if (first !== undefined) {
      yield tarHeader({ ...entryOf(place, 'hardlink', name), linkName: first });
      return;
    }
    if (links > 1) this.#seen.set(key, name);
    const path = `/proc/self/fd/${place.fd}`;
    const file = must(libc.openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0), 'open', textOf(place.path));
    try {
      const { sizeBytes } = statFd(file);
      const capability = fileXattr(file, KEPT_XATTR);
      const xattrs = capability && new Map([[KEPT_XATTR, capability]]);
      yield tarHeader({ ...entryOf(place, 'file', name), size: sizeBytes, xattrs });
      yield* this.#content(file, sizeBytes, place.path);
    } finally {
      libc.close(file);
    }
  }

  /** As many bytes as were announced: of a file that grows not more, of one that shrinks the rest as zeros. */
  *#content(file: number, size: number, path: ByteString): Pieces {
    for (let left = size; left > 0; ) {
      const wanted = Math.min(READ_BYTES, left);
      const buffer = this.#buffer ?? Buffer.allocUnsafeSlow(wanted);
      const count = must(libc.read(file, buffer, wanted), 'read', textOf(path));
      if (count === 0) buffer.fill(0, 0, wanted);
      const piece = buffer.subarray(0, count === 0 ? wanted : count);
      left -= piece.length;
      yield piece;
    }
    if (size % 512 !== 0) yield tarPadding(size);
  }
}

function asFolder(name: ByteString): ByteString {
  return name.endsWith('/') ? name : (`${name}/` as ByteString);
}

/** Times in whole seconds, as Docker's archives have them. */
function entryOf({ stat }: Place, type: TarEntryInput['type'], name: ByteString): TarEntryInput {
  return {
    name,
    type,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    mtime: { seconds: stat.mtimeSeconds, nanoseconds: 0 },
    deviceMajor: stat.deviceMajor,
    deviceMinor: stat.deviceMinor,
  };
}

function tooDeep(path: ByteString): GantryError {
  return new GantryError('invalid', 'TREE_TOO_DEEP', `lstat ${textOf(path).slice(0, 200)}…: file name too long`);
}
