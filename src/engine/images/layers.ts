// Owns the unpacked layers: one directory each, keyed by the digest of the plain tar, shared by all images.
//
//   layers/<n>            the files, as overlayfs wants a lower directory
//   layers/<n>.skeleton   what is needed to write the layer's tar again (skeleton.ts)
//   layers/<n>.replaced/  files that a later entry of the same layer replaced (rare)
//   layers/<n>.partial*   being unpacked: renamed when verified, swept when left over

import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilCancelled } from '../../lib/abort.ts';
import { ioError } from '../../lib/errno.ts';
import { GantryError } from '../../lib/errors.ts';
import { type Digest, digestOfHex, hexOf } from '../../spec/digest.ts';
import type { Database } from '../../store/database.ts';
import { folderBytes } from '../volumes/index.ts';
import { type Layer, type LayerRow, LayerRows } from './layer-rows.ts';
import { rebuildTar, type Unpacker, type UnpackResult, type UnpackTarget } from './unpack/index.ts';

/**
 * A layer is found to be untouched by its times (unpack/check.ts), which go by ticks. One that is large is worth the wait until its files are
 * older than its skeleton by the clock of files; of a small one, a first check reads everything.
 */
const LARGE_BYTES = 16 << 20;
const TICK_MS = 11;

interface LayerSource {
  /** Opens the bytes: a tar, plain or compressed in any way that Docker knows. Called at most once. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** What the bytes as they come must hash to. */
  readonly blob?: Digest | undefined;
  /** What the plain tar must hash to; the layer is shared by it. */
  readonly diffId?: Digest | undefined;
  readonly consumed?: ((totalBytes: number) => void) | undefined;
}

export interface Layers {
  readonly layersDir: string;
  /** What is known of a layer. Its files may be damaged all the same. */
  get(diffId: Digest): Layer | undefined;
  /** True when the layer is there and its files are those that were unpacked. One that is not is unpacked anew by `unpack`. */
  isWhole(diffId: Digest): Promise<boolean>;
  /** Why a container cannot use the layer, in words. Quick where nobody touched it: the folder's own time tells. */
  whyUnusable(diffId: Digest): Promise<string | undefined>;
  /**
   * The layer, unpacked from `source` unless it is there; the same layer is never unpacked twice at once.
   * @throws DIFF_ID_MISMATCH and what Unpacker.unpack throws; then nothing is left behind
   */
  unpack(source: LayerSource, signal: AbortSignal): Promise<Layer>;
  /** Keeps these layers, there or to come, from being swept until disposed. */
  hold(diffIds: readonly Digest[]): Disposable;
  /** Keeps every layer from being swept: for work that does not know its layers beforehand. */
  freeze(): Disposable;
  /** The plain tar of a layer, byte for byte as it came. @throws NO_SUCH_LAYER, LAYER_DAMAGED */
  tar(diffId: Digest): AsyncIterable<Buffer>;
  /**
   * Takes up unpacked layers that no record names, after records were lost. Each is read whole to find its digest; those of which
   * not everything is there stay unknown. Resolves to how many came back.
   */
  adopt(): Promise<number>;
  /**
   * Removes layers that are neither in `wanted` nor held, folders of repaired layers that are not in `mounted`,
   * and leftovers on disk. Resolves to the bytes given back.
   */
  sweep(wanted: ReadonlySet<Digest>, mounted: () => ReadonlySet<Digest>): Promise<number>;
}

/** Opens the layers below `layersDir`, which is made when absent. Leftovers stay until the first sweep. */
export function openLayers(db: Database, layersDir: string, unpacker: Unpacker): Layers {
  mkdirSync(layersDir, { recursive: true, mode: 0o710 });
  return new LayerStore(new LayerRows(db), layersDir, unpacker);
}

class LayerStore implements Layers {
  readonly layersDir: string;
  readonly #unpacker: Unpacker;
  readonly #rows: LayerRows;
  /** Layers that were found damaged: the next unpack replaces them. */
  readonly #damaged = new Set<Digest>();
  readonly #holds = new Map<Digest, number>();
  /** Names on disk that this process is working on. */
  readonly #busy = new Set<string>();
  readonly #running = new Map<Digest, Promise<unknown>>();
  readonly #checking = new Map<Digest, Promise<string | undefined>>();
  #next: number;
  #freezes = 0;

  constructor(rows: LayerRows, layersDir: string, unpacker: Unpacker) {
    this.#rows = rows;
    this.layersDir = layersDir;
    this.#unpacker = unpacker;
    // A record whose folder is gone stays: the folder may come back (a disk that was not mounted), and its number is taken.
    for (const { layer } of rows.all()) {
      if (!existsSync(join(layersDir, layer.directory))) this.#damaged.add(layer.diffId);
    }
    const names = [...readdirSync(layersDir), ...rows.directories()];
    this.#next = names.reduce((most, name) => Math.max(most, Number.parseInt(name, 10) || 0), 0) + 1;
  }

  get(diffId: Digest): Layer | undefined {
    return this.#rows.get(diffId)?.layer;
  }

  async isWhole(diffId: Digest): Promise<boolean> {
    return this.#rows.get(diffId) !== undefined && (await this.#check(diffId)) === undefined;
  }

  async whyUnusable(diffId: Digest): Promise<string | undefined> {
    const row = this.#rows.get(diffId);
    if (!row) return 'it is not there';
    const { directory, skeleton } = this.#target(row.layer.directory);
    const [folder, until] = [directory, skeleton].map((path) =>
      lstatSync(path, { bigint: true, throwIfNoEntry: false }),
    );
    // In the same tick it may have been touched, but a start does not read whole layers for that.
    const isUntouched = folder?.isDirectory() && until && folder.mtimeNs <= until.ctimeNs;
    return isUntouched ? undefined : this.#check(diffId);
  }

  async unpack(source: LayerSource, signal: AbortSignal): Promise<Layer> {
    const { diffId } = source;
    if (diffId === undefined) return this.#unpackNow(source, signal);
    for (;;) {
      const there = this.#usable(diffId);
      if (there) return there;
      const running = this.#running.get(diffId);
      if (!running) break;
      // Another image brings the same layer: wait for it; should it fail, do it from our own source.
      await untilCancelled(
        running.catch(() => {}),
        signal,
      );
    }
    const work = this.#unpackNow(source, signal).finally(() => this.#running.delete(diffId));
    this.#running.set(diffId, work);
    return work;
  }

  hold(diffIds: readonly Digest[]): Disposable {
    for (const id of diffIds) this.#holds.set(id, (this.#holds.get(id) ?? 0) + 1);
    let released = false;
    return {
      [Symbol.dispose]: () => {
        if (released) return;
        released = true;
        for (const id of diffIds) {
          const left = (this.#holds.get(id) ?? 0) - 1;
          if (left > 0) this.#holds.set(id, left);
          else this.#holds.delete(id);
        }
      },
    };
  }

  freeze(): Disposable {
    this.#freezes++;
    let released = false;
    return {
      [Symbol.dispose]: () => {
        if (!released) this.#freezes--;
        released = true;
      },
    };
  }

  tar(diffId: Digest): AsyncIterable<Buffer> {
    const row = this.#rows.get(diffId);
    if (!row) throw noSuchLayer(diffId);
    return rebuildTar(this.#target(row.layer.directory), row.replaced);
  }

  async sweep(wanted: ReadonlySet<Digest>, mounted: () => ReadonlySet<Digest>): Promise<number> {
    if (this.#freezes > 0) return 0;
    const dead = this.#rows.all().filter(({ layer: { diffId } }) => !wanted.has(diffId) && !this.#holds.has(diffId));
    this.#rows.remove(dead);
    for (const { layer } of dead) this.#damaged.delete(layer.diffId);
    this.#rows.forgetRetired(mounted);
    await this.#unpacker.remove(this.#leftovers());
    return dead.reduce((sum, { layer }) => sum + layer.sizeBytes, 0);
  }

  async adopt(): Promise<number> {
    const known = this.#rows.directories();
    const unknown = readdirSync(this.layersDir).filter((name) => /^\d+$/.test(name) && !known.has(name));
    let adopted = 0;
    for (const directory of unknown) {
      const layer = await this.#measure(directory).catch(() => undefined);
      if (layer === undefined || this.get(layer.diffId)) continue;
      this.#rows.put({ layer, replaced: [] });
      adopted++;
    }
    return adopted;
  }

  /** What an unpacked layer is, by its files. @throws when something is missing, or paths were replaced: their order is not on disk */
  async #measure(directory: string): Promise<Layer> {
    const target = this.#target(directory);
    if (existsSync(target.replaced)) throw new Error('the order of replaced paths is lost');
    const hash = createHash('sha256');
    let tarBytes = 0;
    for await (const piece of rebuildTar(target, [])) {
      hash.update(piece);
      tarBytes += piece.length;
    }
    const sizeBytes = await folderBytes(target.directory);
    return { diffId: digestOfHex(hash.digest('hex')), directory, sizeBytes, tarBytes };
  }

  /** The layer, unless it is known to be damaged. */
  #usable(diffId: Digest): Layer | undefined {
    return this.#damaged.has(diffId) ? undefined : this.get(diffId);
  }

  /** What is wrong with a known layer. Asked for once, however many want to know. */
  async #check(diffId: Digest): Promise<string | undefined> {
    const running = this.#checking.get(diffId);
    if (running) return running;
    const row = this.#rows.get(diffId);
    if (!row) return 'it is not there';
    const checking = this.#compare(row).finally(() => this.#checking.delete(diffId));
    this.#checking.set(diffId, checking);
    return checking;
  }

  async #compare(row: LayerRow): Promise<string | undefined> {
    const { diffId, directory, tarBytes } = row.layer;
    using _hold = this.hold([diffId]);
    const damage = await this.#unpacker.check({
      target: this.#target(directory),
      replaced: row.replaced,
      plainHex: hexOf(diffId),
      plainBytes: tarBytes,
    });
    // Repaired meanwhile: what was seen is of no interest any more.
    if (this.#rows.get(diffId) !== row) return undefined;
    if (damage === undefined) this.#damaged.delete(diffId);
    else this.#damaged.add(diffId);
    return damage;
  }

  #target(name: string): UnpackTarget {
    const directory = join(this.layersDir, name);
    return { directory, skeleton: `${directory}.skeleton`, replaced: `${directory}.replaced` };
  }

  /** Everything on disk that no row and no running work accounts for. */
  #leftovers(): string[] {
    const known = this.#rows.directories();
    return readdirSync(this.layersDir)
      .filter((name) => !known.has(name.replace(/\.(skeleton|replaced)$/, '')))
      .filter((name) => !this.#busy.has(name.split('.', 1)[0] ?? ''))
      .map((name) => join(this.layersDir, name));
  }

  async #unpackNow(source: LayerSource, signal: AbortSignal): Promise<Layer> {
    const directory = String(this.#next++);
    this.#busy.add(directory);
    const partial = this.#target(`${directory}.partial`);
    const discard = async (): Promise<void> =>
      this.#unpacker.remove([...Object.values(partial), ...Object.values(this.#target(directory))]);
    try {
      const request = {
        target: partial,
        expectedHex: source.blob && hexOf(source.blob),
        plainHex: source.diffId && hexOf(source.diffId),
        consumed: source.consumed,
      };
      const result = await this.#unpacker.unpack(source.open(), request, signal);
      const diffId = verified(result, source);
      const there = await this.#wholeAlready(diffId, source);
      if (there) {
        await discard();
        return there;
      }
      const { sizeBytes, plainBytes: tarBytes, replaced } = result;
      const row: LayerRow = { layer: { diffId, directory, sizeBytes, tarBytes }, replaced };
      await this.#settle(row, partial);
      return row.layer;
    } catch (error) {
      // A disk that hangs would hang again: the next sweep takes what is left.
      if (!(error instanceof GantryError && error.code === 'WORKER_STUCK')) await discard().catch(() => {});
      throw error;
    } finally {
      this.#busy.delete(directory);
    }
  }

  /** The same layer, brought by somebody else meanwhile; one that was here before may be damaged. */
  async #wholeAlready(diffId: Digest, source: LayerSource): Promise<Layer | undefined> {
    const there = this.#usable(diffId);
    if (!there || source.diffId !== undefined) return there;
    return (await this.isWhole(diffId)) ? there : undefined;
  }

  async #settle(row: LayerRow, partial: UnpackTarget): Promise<void> {
    const target = this.#target(row.layer.directory);
    if (row.layer.sizeBytes >= LARGE_BYTES) await sleep(TICK_MS);
    try {
      await rename(partial.skeleton, target.skeleton);
      if (row.replaced.length > 0) await rename(partial.replaced, target.replaced);
      await rename(partial.directory, target.directory);
    } catch (error) {
      throw ioError(error, 'rename', target.directory);
    }
    this.#rows.put(row);
    this.#damaged.delete(row.layer.diffId);
  }
}

/** The digest of the plain tar. @throws DIGEST_MISMATCH, DIFF_ID_MISMATCH when it is not what was promised */
function verified(result: UnpackResult, source: LayerSource): Digest {
  const diffId = digestOfHex(result.plainHex);
  if (source.blob !== undefined && hexOf(source.blob) !== result.compressedHex) throw verificationFailed(source.blob);
  if (source.diffId !== undefined && source.diffId !== diffId) throw diffIdMismatch(source.diffId, diffId);
  return diffId;
}

function noSuchLayer(diffId: Digest): GantryError {
  return new GantryError('system', 'NO_SUCH_LAYER', `layer ${diffId} does not exist`);
}

function verificationFailed(digest: Digest): GantryError {
  return new GantryError('system', 'DIGEST_MISMATCH', `filesystem layer verification failed for digest ${digest}`);
}

function diffIdMismatch(expected: Digest, got: Digest): GantryError {
  return new GantryError('invalid', 'DIFF_ID_MISMATCH', `invalid diffID: expected ${expected}, got ${got}`);
}
