// Owns finding out whether a layer on disk still is what was unpacked. Runs in a worker. Changes nothing but the skeleton's time.
//
// Nothing is written to a layer after its skeleton was closed, so an inode whose status changed later shows that somebody did.
// Where one did, or the times tell nothing (a restored backup, the same tick of the clock), the layer's tar is written again and
// compared by its digest.

import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, utimesSync } from 'node:fs';
import { openRooted, type Rooted, type RootedStat } from '../../../host/rooted/index.ts';
import { type ByteString, textOf } from '../../../lib/bytes.ts';
import { errnoOf } from '../../../lib/errno.ts';
import { errnoWords } from '../../../lib/errno-words.ts';
import { isGantryError } from '../../../lib/errors.ts';
import { type TarEntry, TarReader } from '../../../lib/tar/index.ts';
import type { CheckRequest, UnpackTarget } from './messages.ts';
import { cleanName, splitClean, whiteoutOf } from './names.ts';
import { movedAway, rebuildTar, skeletonBytes } from './skeleton.ts';
import type { Replaced } from './tree.ts';

/** How often the owner hears of a long check. */
const SIGN_OF_LIFE_MS = 1_000;
const UNREADABLE: ReadonlySet<string> = new Set(['EIO', 'EUCLEAN', 'ENXIO']);

/**
 * What is wrong with the layer, in words; undefined when it is whole. `alive` is called now and then while it works.
 * @throws the system's errors when the disk cannot be read
 */
export async function damageOf(request: CheckRequest, alive: () => void): Promise<string | undefined> {
  const gone = goneFrom(request);
  if (gone !== undefined) return gone;
  const touch = often(alive);
  try {
    if (isUntouched(request.target, touch)) return await skeletonDamage(request);
    const damage = await compared(request, touch);
    // From now on the times tell again.
    if (damage === undefined) utimesSync(request.target.skeleton, new Date(), new Date());
    return damage;
  } catch (error) {
    const code = errnoOf(error) ?? (isGantryError(error) ? error.code : '');
    // What the disk does not give back any more is damaged, wherever the fault lies.
    if (UNREADABLE.has(code)) return `it cannot be read: ${errnoWords(code)}`;
    throw error;
  }
}

function goneFrom({ target: { directory, skeleton, replaced }, replaced: moves }: CheckRequest): string | undefined {
  if (!stat(directory)?.isDirectory()) return `the folder ${directory} is gone`;
  if (moves.length > 0 && !stat(replaced)?.isDirectory()) return `the folder ${replaced} is gone`;
  return stat(skeleton)?.isFile() ? undefined : `${skeleton} is gone`;
}

/** The skeleton's own time is the measure of all others, so it is read: it must still give a tar of the right length. */
async function skeletonDamage({ target, plainBytes }: CheckRequest): Promise<string | undefined> {
  return damageIn(async () =>
    (await skeletonBytes(target.skeleton)) === plainBytes ? undefined : 'its skeleton is of another length',
  );
}

/** What `work` finds, or what made it fail where that is the layer's damage. */
async function damageIn(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work();
  } catch (error) {
    // What the skeleton gives was read once: a tar that cannot be read now is another.
    if (isGantryError(error, 'invalid') || (isGantryError(error) && error.code === 'LAYER_DAMAGED'))
      return error.message;
    throw error;
  }
}

function stat(path: string | Buffer): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function isUntouched(target: UnpackTarget, touch: () => void): boolean {
  try {
    return hasOldTimes(target, touch);
  } catch (error) {
    // A folder so deep that no path names it: the comparison goes down step by step.
    if (errnoOf(error) === 'ENAMETOOLONG') return false;
    throw error;
  }
}

/** True when every inode of the layer changed before its skeleton did. The root was renamed, so of it only its content's time counts. */
function hasOldTimes({ directory, skeleton, replaced }: UnpackTarget, touch: () => void): boolean {
  const until = stat(skeleton)?.ctimeNs ?? 0n;
  const root = stat(directory);
  if (!root || root.mtimeNs >= until) return false;
  const moved = stat(replaced);
  if (moved && moved.mtimeNs >= until) return false;
  const folders = [Buffer.from(directory), ...(moved ? [Buffer.from(replaced)] : [])];
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    touch();
    for (const name of readdirSync(folder, { encoding: 'buffer' })) {
      const path = Buffer.concat([folder, Buffer.from('/'), name]);
      const found = stat(path);
      if (!found || found.ctimeNs >= until) return false;
      if (found.isDirectory()) folders.push(path);
    }
  }
  return true;
}

/** Writes the layer's tar again, compares its digest, and looks whether what has no payload is there too. */
async function compared({ target, replaced, plainHex }: CheckRequest, touch: () => void): Promise<string | undefined> {
  const hash = createHash('sha256');
  using root = openRooted(target.directory);
  const presence = new Presence(root, replaced);
  return await damageIn(async () => {
    for await (const piece of rebuildTar(target, replaced)) {
      touch();
      hash.update(piece);
      presence.write(piece);
    }
    if (hash.digest('hex') !== plainHex) return 'its files have other content than they had';
    return presence.damage;
  });
}

/** Looks for every entry of the tar that a later one did not replace. */
class Presence {
  readonly #root: Rooted;
  readonly #reader: TarReader;
  readonly #byPath: ReadonlyMap<string, readonly Replaced[]>;
  #entries = 0;
  damage: string | undefined;

  constructor(root: Rooted, replaced: readonly Replaced[]) {
    this.#root = root;
    this.#byPath = Map.groupBy(replaced, ({ path }) => path);
    this.#reader = new TarReader({ entry: (entry) => this.#look(entry), data() {}, entryEnd() {} });
  }

  write(piece: Buffer): void {
    if (this.damage === undefined) this.#reader.write(piece);
  }

  #look(entry: TarEntry): void {
    this.#entries++;
    const path = cleanName(entry.name);
    if (this.damage !== undefined || path === '' || whiteoutOf(splitClean(path).base)) return;
    if (movedAway(this.#byPath, path, this.#entries)) return;
    const found = this.#find(path);
    if (!found) this.damage = `${textOf(path)} is gone`;
    else if (!this.#fits(entry, path, found)) this.damage = `${textOf(path)} is not what it was`;
  }

  #find(path: ByteString): RootedStat | undefined {
    try {
      return this.#root.stat(path, { follow: false });
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  /** A folder may have come several times, and a link is what it leads to: of them less is known. */
  #fits(entry: TarEntry, path: ByteString, found: RootedStat): boolean {
    if (entry.type === 'hardlink') return true;
    if (found.type !== entry.type) return false;
    if (entry.type === 'directory') return true;
    if (entry.type === 'symlink') return this.#root.readLink(path) === entry.linkName;
    const isMode = found.mode === entry.mode;
    return isMode && (entry.type !== 'file' || found.sizeBytes === entry.size);
  }
}

function often(act: () => void): () => void {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < SIGN_OF_LIFE_MS) return;
    last = now;
    act();
  };
}
