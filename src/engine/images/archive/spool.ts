// Owns reading an image archive into the ingest folder: every member by its name, small ones in memory.
// Nothing is unpacked by name, so names cannot climb; they are only keys.

import { createReadStream } from 'node:fs';
import { textOf } from '../../../lib/bytes.ts';
import { type TarEntry, TarReader } from '../../../lib/tar/index.ts';
import { type Blobs, MANIFEST_MAX_BYTES, type ScratchFile, writeAll } from '../../../store/blobs.ts';
import { badArchive } from '../errors.ts';
import { cleanName } from '../unpack/names.ts';

const MEMORY_MAX_BYTES = 64 * 1024;
const MEMBERS_MAX = 100_000;
/** Of all small members together; those after go to disk as large ones do. */
const MEMORY_TOTAL_BYTES = 32 << 20;
/** @source PATH_MAX: no member of a real archive has a longer name */
const NAME_MAX_BYTES = 4096;

interface Member {
  readonly sizeBytes: number;
  readonly inMemory: boolean;
  readonly parts: Buffer[];
  scratch: ScratchFile | undefined;
}

/** The members of an archive, by cleaned name; links are followed by name. */
export interface Spool extends AsyncDisposable {
  has(name: string): boolean;
  sizeOf(name: string): number;
  /** A small member. @throws BAD_ARCHIVE when absent or over 4 MiB */
  read(name: string): Promise<Buffer>;
  open(name: string): AsyncIterable<Uint8Array>;
}

/** Reads all of `archive`, a plain tar. @throws BAD_TAR, TRUNCATED_TAR and whatever `archive` throws */
export async function spoolArchive(archive: AsyncIterable<Buffer>, blobs: Blobs, signal: AbortSignal): Promise<Spool> {
  const members = new Map<string, Member>();
  const links = new Map<string, string>();
  const files: ScratchFile[] = [];
  const dispose = async (): Promise<void> => {
    for (const file of files) await file[Symbol.asyncDispose]();
  };
  const newFile = async (): Promise<ScratchFile> => {
    const file = await blobs.scratch();
    files.push(file);
    return file;
  };
  try {
    await readAll(archive, members, links, newFile, signal);
  } catch (error) {
    await dispose();
    throw error;
  }
  const find = (name: string): Member | undefined => {
    let key = name.replace(/^\.\//, '');
    for (let hops = 0; hops < 8 && links.has(key); hops++) key = links.get(key) ?? key;
    return members.get(key);
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
      const { scratch, parts, sizeBytes } = must(name);
      if (sizeBytes > MANIFEST_MAX_BYTES) throw badArchive(`${name} is over ${MANIFEST_MAX_BYTES} bytes`);
      if (!scratch) return Buffer.concat(parts);
      const bytes = Buffer.alloc(sizeBytes);
      await scratch.handle.read(bytes, 0, sizeBytes, 0);
      return bytes;
    },
    open(name) {
      const { scratch, parts } = must(name);
      return scratch ? createReadStream(scratch.path, { highWaterMark: 512 * 1024 }) : fromParts(parts);
    },
    [Symbol.asyncDispose]: dispose,
  };
}

async function* fromParts(parts: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** Members' bytes go to disk between the pieces of the archive, so that what is held stays small. */
async function readAll(
  archive: AsyncIterable<Buffer>,
  members: Map<string, Member>,
  links: Map<string, string>,
  newFile: () => Promise<ScratchFile>,
  signal: AbortSignal,
): Promise<void> {
  let member: Member | undefined;
  let heldBytes = 0;
  let pending: { readonly member: Member; readonly bytes: Buffer }[] = [];
  const reader = new TarReader({
    entry(entry) {
      if (members.size + links.size >= MEMBERS_MAX) throw badArchive('the archive has too many members');
      member = undefined;
      if (entry.name.length + entry.linkName.length > NAME_MAX_BYTES) throw badArchive('a member has too long a name');
      const name = textOf(cleanName(entry.name));
      if (entry.type === 'file') {
        const inMemory = entry.size <= MEMORY_MAX_BYTES && heldBytes + entry.size <= MEMORY_TOTAL_BYTES;
        if (inMemory) heldBytes += entry.size;
        member = { sizeBytes: entry.size, inMemory, parts: [], scratch: undefined };
        members.set(name, member);
      } else if (entry.type === 'symlink' || entry.type === 'hardlink') links.set(name, linkTarget(name, entry));
    },
    data(bytes) {
      if (!member) return;
      if (member.inMemory) member.parts.push(Buffer.from(bytes));
      else pending.push({ member, bytes });
    },
    entryEnd() {},
  });
  for await (const piece of archive) {
    signal.throwIfAborted();
    reader.write(piece);
    for (const { member: owner, bytes } of pending) {
      owner.scratch ??= await newFile();
      await writeAll(owner.scratch.handle, bytes);
    }
    pending = [];
  }
  reader.end();
}

/** Old `docker save` wrote `<id>/layer.tar` as a symlink to another image's. */
function linkTarget(name: string, { type, linkName }: TarEntry): string {
  const target = textOf(linkName);
  if (type === 'hardlink' || target.startsWith('/')) return target.replace(/^\/+/, '');
  const parts = name.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
