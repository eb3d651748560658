// Owns the local end of a copy: what is at a path, packing it, and extracting an archive that a container made, which is hostile.
// Holds no file in memory.

import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { packTree, TarExtractor } from '../../host/archive/index.ts';
import { AT_FDCWD, libc, must, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../host/libc.ts';
import { MountedRoot } from '../../host/rooted/index.ts';
import { type ByteString, bytesOfText } from '../../lib/bytes.ts';
import { errnoOf } from '../../lib/errno.ts';
import { GantryError } from '../../lib/errors.ts';
import { goQuote } from '../../lib/go-quote.ts';
import { systemError } from '../../lib/thread-error.ts';
import { CommandFailure } from '../failure.ts';
import { systemReason } from '../system-reason.ts';
import {
  baseOf,
  type CopyEnd,
  type CopySource,
  cleaned,
  entryNameOf,
  followed,
  linkedPath,
  type Placement,
  splitEntry,
} from './paths.ts';

/** @source docker 28.2.2 */
const LINKS_MAX = 10;

/** What `path`, absolute, is as a source. @throws CommandFailure in Go's words when it is not there */
export function localSource(path: string, followLink: boolean): CopySource {
  const { path: resolved, name } = followLink ? followed(path, real(path)) : throughParents(path);
  return { path: resolved, exists: true, isFolder: look(resolved).isDirectory(), givenName: name };
}

/** Links in the folders above are followed, one at the end is not, unless a slash comes after it. */
function throughParents(path: string): { readonly path: string; readonly name: string | undefined } {
  const slash = path.lastIndexOf('/');
  const base = path.slice(slash + 1);
  const folder = real(path.slice(0, slash + 1));
  const resolved = `${folder === '/' ? '' : folder}/${base}`;
  const name = baseOf(path);
  return { path: resolved, name: path.endsWith('/') && name !== baseOf(resolved) ? name : undefined };
}

/**
 * What `path`, absolute, is as a destination: a link at its end is followed, also into nothing.
 * @throws CommandFailure when the folder that would hold it is not there
 */
export function localTarget(path: string): CopyEnd {
  let here = path;
  for (let links = 0; ; links++) {
    const stat = lookUnlessAbsent(here);
    if (stat && !stat.isSymbolicLink()) return { path: here, exists: true, isFolder: stat.isDirectory() };
    if (!stat) break;
    if (links > LINKS_MAX) throw new CommandFailure(1, `too many symlinks in ${path}`);
    here = linkedPath(
      here,
      asGo('readlink', here, () => readlinkSync(here)),
    );
  }
  const { folder } = splitEntry(here);
  if (!asGo('stat', folder, () => statSync(folder)).isDirectory()) throw new CommandFailure(1, 'not a directory');
  return { path: here, exists: false, isFolder: false };
}

/** @throws CommandFailure when `path` has no folder to lie in, or is a device */
export function checkTarget(path: string): void {
  const folder = dirname(cleaned(path));
  if (!statUnlessAbsent(folder)) {
    throw new CommandFailure(1, `invalid output path: directory ${goQuote(folder)} does not exist`);
  }
  const stat = statUnlessAbsent(path);
  if (!stat?.isBlockDevice() && !stat?.isCharacterDevice()) return;
  const what = `${goQuote(path)} must be a directory or a regular file`;
  throw new CommandFailure(1, `invalid output path: ${what}: got a device`);
}

/** A tar of `source`, its top entry named `name`; read as it is sent. The stream fails with what cannot be read. */
export function packLocal(source: CopySource, name: string | undefined, count: (bytes: number) => void): Readable {
  return Readable.from(packed(source, bytesOfText(name ?? entryNameOf(source)), count), { objectMode: false });
}

function* packed(
  { path }: CopySource,
  name: ByteString,
  count: (bytes: number) => void,
): Generator<Buffer, void, void> {
  const { folder, base } = splitEntry(path);
  const child = base === '.' || base === '/' ? '' : base;
  try {
    using root = openFolder(folder);
    using place = root.tree.open(bytesOfText(child), { follow: false });
    for (const piece of packTree({ root: root.tree, place, name, keepsPieces: true })) {
      count(piece.length);
      yield piece;
    }
  } catch (error) {
    throw inUserWords(error);
  }
}

/**
 * Extracts `archive`, made of `source`, as `placement` says. Nothing of it lands outside that folder, whatever the archive holds.
 * @throws CommandFailure or GantryError with what could not be written; what `archive` throws
 */
export async function extractLocal(
  archive: AsyncIterable<Buffer>,
  source: CopySource,
  placement: Placement,
): Promise<void> {
  const { folder, name } = placement;
  const base = entryNameOf(source);
  const rename =
    name === undefined ? undefined : { from: bytesOfText(base === '/' ? '' : base), to: bytesOfText(name) };
  using root = openFolder(folder);
  using extractor = new TarExtractor(root.tree, {
    target: folder,
    noOverwriteDirNonDir: true,
    owner: 'process',
    rename,
  });
  for await (const piece of archive) asUser(() => extractor.write(piece));
  asUser(() => extractor.end());
}

function asUser(act: () => void): void {
  try {
    act();
  } catch (error) {
    throw inUserWords(error);
  }
}

interface Folder extends Disposable {
  readonly tree: MountedRoot;
}

function openFolder(path: string): Folder {
  const fd = must(libc.openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0), 'open', path);
  return { tree: new MountedRoot(fd, [], false), [Symbol.dispose]: () => void libc.close(fd) };
}

/** A failed system call as an error for users; any other as it is. */
function inUserWords(error: unknown): unknown {
  return error instanceof GantryError ? error : (systemError(error) ?? error);
}

function real(path: string): string {
  return asGo('lstat', path, () => realpathSync(path));
}

function look(path: string): Stats {
  return asGo('lstat', path, () => lstatSync(path));
}

function lookUnlessAbsent(path: string): Stats | undefined {
  return unlessAbsent('lstat', path, lstatSync);
}

function statUnlessAbsent(path: string): Stats | undefined {
  return unlessAbsent('stat', path, statSync);
}

function unlessAbsent(call: string, path: string, act: (path: string) => Stats): Stats | undefined {
  try {
    return act(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    return asGo(call, path, () => {
      throw error;
    });
  }
}

/** @throws CommandFailure `lstat /x: no such file or directory` */
function asGo<T>(call: string, path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const where = (error as { path?: unknown }).path ?? path;
    throw new CommandFailure(1, `${call} ${where}: ${systemReason(error)}`);
  }
}
