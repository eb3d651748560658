// Owns reading an image archive into one file of the ingest folder: every member's bytes one after the other, found by name.
// Nothing is unpacked by name, so names cannot climb; they are only keys.

import { itemsUntilCancelled } from '../../../lib/abort.ts';
import { textOf } from '../../../lib/bytes.ts';
import { ioError } from '../../../lib/errno.ts';
import { type TarEntry, TarReader } from '../../../lib/tar/index.ts';
import { type Blobs, MANIFEST_MAX_BYTES, type ScratchFile } from '../../../store/blobs.ts';
import { badArchive } from '../errors.ts';
import { cleanName } from '../unpack/names.ts';

const MEMBERS_MAX = 100_000;
/** @source PATH_MAX: no member of a real archive has a longer name */
const NAME_MAX_BYTES = 4096;
const READ_BYTES = 512 * 1024;
/** A sparse member may be this much larger than what is stored of it: reading holes takes time too. */
const HOLES_MAX_BYTES = 16 * 2 ** 30;
/** Symlinks that are followed to a member. @source Linux: MAXSYMLINKS */
const HOPS_MAX = 40;

interface Member {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** The members of an archive, by cleaned name; links are followed by name. One open file, however many there are. */
export interface Spool extends AsyncDisposable {
  has(name: string): boolean;
  sizeOf(name: string): number;
  /** A small member. @throws BAD_ARCHIVE when absent or over 4 MiB */
  read(name: string): Promise<Buffer>;
  open(name: string): AsyncIterable<Uint8Array>;
}

/** Reads all of `archive`, a plain tar. @throws BAD_TAR, TRUNCATED_TAR, NO_SPACE, CANCELLED and whatever `archive` throws */
export async function spoolArchive(archive: AsyncIterable<Buffer>, blobs: Blobs, signal: AbortSignal): Promise<Spool> {
  const file = await blobs.scratch();
  try {
    const { members, links } = await readAll(archive, file, signal);
    return spoolOf(file, members, links);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

function spoolOf(file: ScratchFile, members: ReadonlyMap<string, Member>, links: ReadonlyMap<string, string>): Spool {
  const find = (name: string): Member | undefined => {
    let key: string | undefined = name.replace(/^(\.?\/)+/, '');
    for (let hops = 0; hops < HOPS_MAX && key !== undefined; hops++) {
      const member = members.get(key);
      if (member) return member;
      key = followed(key, links);
    }
    return undefined;
  };
  const must = (name: string): Member => {
    const member = find(name);
    if (!member) throw badArchive(`open ${name}: no such file or directory`);
    return member;
  };
  return {
    has: (name) => find(name) !== undefined,
    sizeOf: (name) => must(name).sizeBytes,
    async read(name) {
      const member = must(name);
      if (member.sizeBytes > MANIFEST_MAX_BYTES) throw badArchive(`${name} is over ${MANIFEST_MAX_BYTES} bytes`);
      const parts: Buffer[] = [];
      for await (const part of piecesOf(file, member)) parts.push(part);
      return Buffer.concat(parts);
    },
    open: (name) => piecesOf(file, must(name)),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

/** Where `key` leads by the first link on its way; undefined when there is none. */
function followed(key: string, links: ReadonlyMap<string, string>): string | undefined {
  for (let end = key.indexOf('/'); ; end = key.indexOf('/', end + 1)) {
    const part = end < 0 ? key : key.slice(0, end);
    const target = links.get(part);
    if (target !== undefined) return end < 0 ? target : `${target}${key.slice(end)}`.replace(/^\//, '');
    if (end < 0) return undefined;
  }
}

async function* piecesOf(file: ScratchFile, { offset, sizeBytes }: Member): AsyncGenerator<Buffer, void, void> {
  const end = offset + sizeBytes;
  for (let at = offset; at < end; ) {
    const part = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
    const { bytesRead } = await file.handle.read(part, 0, part.length, at).catch((error) => {
      throw ioError(error, 'read', file.path);
    });
    if (bytesRead === 0) throw new Error(`${file.path} is shorter than what was written to it`);
    at += bytesRead;
    yield part.subarray(0, bytesRead);
  }
}

interface Contents {
  readonly members: ReadonlyMap<string, Member>;
  readonly links: ReadonlyMap<string, string>;
}

/** Members' bytes go to disk between the pieces of the archive, so that what is held stays small. */
async function readAll(archive: AsyncIterable<Buffer>, file: ScratchFile, signal: AbortSignal): Promise<Contents> {
  const members = new Map<string, Member>();
  const links = new Map<string, string>();
  const writes = new PendingWrites();
  let member: Member | undefined;
  let end = 0;
  const reader = new TarReader({
    entry(entry) {
      if (members.size + links.size >= MEMBERS_MAX) throw badArchive('the archive has too many members');
      member = undefined;
      if (entry.name.length + entry.linkName.length > NAME_MAX_BYTES) throw badArchive('a member has too long a name');
      const name = textOf(cleanName(entry.name));
      if (entry.type === 'file') {
        if (holesOf(entry) > HOLES_MAX_BYTES) throw badArchive('a sparse member is too large');
        member = { offset: end, sizeBytes: entry.size };
        end += entry.size;
        members.set(name, member);
        links.delete(name);
      } else if (entry.type === 'symlink' || entry.type === 'hardlink') {
        links.set(name, linkTarget(name, entry));
        members.delete(name);
      }
    },
    data(bytes, offset) {
      if (member) writes.add(member.offset + offset, bytes);
    },
    entryEnd() {},
  });
  for await (const piece of itemsUntilCancelled(archive, signal)) {
    reader.write(piece);
    await writes.flush(file);
  }
  reader.end();
  // A hole at the very end has not been written: the file is made as long as its members say.
  await file.handle.truncate(end).catch((error) => {
    throw ioError(error, 'truncate', file.path);
  });
  return { members, links };
}

function holesOf({ size, segments }: TarEntry): number {
  return segments ? size - segments.reduce((sum, { length }) => sum + length, 0) : 0;
}

/** Bytes to be written, neighbours together: an archive of small members is one write for each of its pieces. */
class PendingWrites {
  #runs: { readonly at: number; readonly parts: Buffer[]; end: number }[] = [];

  add(at: number, bytes: Buffer): void {
    const last = this.#runs.at(-1);
    if (last?.end === at) {
      last.parts.push(bytes);
      last.end += bytes.length;
    } else this.#runs.push({ at, parts: [bytes], end: at + bytes.length });
  }

  async flush(file: ScratchFile): Promise<void> {
    for (const { at, parts } of this.#runs) await file.write(parts, at);
    this.#runs = [];
  }
}

/** Old `docker save` wrote `<id>/layer.tar` as a symlink to another image's. */
function linkTarget(name: string, { type, linkName }: TarEntry): string {
  const target = textOf(linkName);
  const parts = type === 'hardlink' || target.startsWith('/') ? [] : name.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
