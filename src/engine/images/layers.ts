// Owns the unpacked layers: one directory each, keyed by the digest of the plain tar, shared by all images.
//
//   layers/<n>            the files, as overlayfs wants a lower directory
//   layers/<n>.skeleton   what is needed to write the layer's tar again (skeleton.ts)
//   layers/<n>.replaced/  files that a later entry of the same layer replaced (rare)
//   layers/<n>.partial*   being unpacked: renamed when verified, swept when left over

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { GantryError } from '../../lib/errors.ts';
import { type Digest, digestOfHex, hexOf } from '../../spec/digest.ts';
import type { Database, Migrations } from '../../store/database.ts';
import { folderBytes } from '../volumes/index.ts';
import { type Replaced, rebuildTar, type Unpacker, type UnpackTarget } from './unpack/index.ts';

const MIGRATIONS: Migrations = {
  name: 'layers',
  steps: [
    `CREATE TABLE layers (
       n INTEGER PRIMARY KEY,
       diff_id TEXT NOT NULL UNIQUE,
       size_bytes INTEGER NOT NULL,
       tar_bytes INTEGER NOT NULL,
       replaced TEXT NOT NULL
     ) STRICT`,
  ],
};

export interface Layer {
  readonly diffId: Digest;
  /** Directory name below the layers directory. */
  readonly directory: string;
  /** Sum of the files' payloads. */
  readonly sizeBytes: number;
  /** Length of the plain tar. */
  readonly tarBytes: number;
}

export interface LayerSource {
  /** Opens the bytes: gzip, zstd or a plain tar. Called at most once. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** What the bytes as they come must hash to. */
  readonly blob?: Digest | undefined;
  /** What the plain tar must hash to; the layer is shared by it. */
  readonly diffId?: Digest | undefined;
  readonly consumed?: ((totalBytes: number) => void) | undefined;
}

export interface Layers {
  readonly layersDir: string;
  get(diffId: Digest): Layer | undefined;
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
  /** Removes layers that are neither in `wanted` nor held, and leftovers on disk. Resolves to the bytes given back. */
  sweep(wanted: ReadonlySet<Digest>): Promise<number>;
}

interface Row {
  readonly layer: Layer;
  readonly replaced: readonly Replaced[];
}

/** Opens the layers at `layersDir`, making it when absent. */
export function openLayers(db: Database, layersDir: string, unpacker: Unpacker): Layers {
  mkdirSync(layersDir, { recursive: true, mode: 0o710 });
  db.migrate(MIGRATIONS);
  return new LayerStore(db, layersDir, unpacker);
}

class LayerStore implements Layers {
  readonly layersDir: string;
  readonly #db: Database;
  readonly #unpacker: Unpacker;
  readonly #rows: Map<Digest, Row>;
  readonly #holds = new Map<Digest, number>();
  /** Names on disk that this process is working on. */
  readonly #busy = new Set<string>();
  readonly #running = new Map<Digest, Promise<unknown>>();
  #next: number;
  #freezes = 0;

  constructor(db: Database, layersDir: string, unpacker: Unpacker) {
    this.#db = db;
    this.layersDir = layersDir;
    this.#unpacker = unpacker;
    this.#rows = this.#load();
    const numbers = readdirSync(layersDir).map((name) => Number.parseInt(name, 10) || 0);
    this.#next = Math.max(0, ...numbers, ...[...this.#rows.values()].map(({ layer }) => Number(layer.directory))) + 1;
  }

  get(diffId: Digest): Layer | undefined {
    return this.#rows.get(diffId)?.layer;
  }

  async unpack(source: LayerSource, signal: AbortSignal): Promise<Layer> {
    const { diffId } = source;
    if (diffId === undefined) return this.#unpackNow(source, signal);
    for (;;) {
      const there = this.get(diffId);
      if (there) return there;
      const running = this.#running.get(diffId);
      if (!running) break;
      // Another image brings the same layer: wait for it; should it fail, do it from our own source.
      await raceAbort(
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

  async sweep(wanted: ReadonlySet<Digest>): Promise<number> {
    if (this.#freezes > 0) return 0;
    const dead = [...this.#rows.values()].filter(
      ({ layer: { diffId } }) => !wanted.has(diffId) && !this.#holds.has(diffId),
    );
    this.#db.transaction(() => {
      for (const { layer } of dead) this.#db.sql('DELETE FROM layers WHERE n = ?').run(Number(layer.directory));
    });
    for (const { layer } of dead) this.#rows.delete(layer.diffId);
    await this.#unpacker.remove(this.#leftovers());
    return dead.reduce((sum, { layer }) => sum + layer.sizeBytes, 0);
  }

  async adopt(): Promise<number> {
    const known = new Set([...this.#rows.values()].map(({ layer }) => layer.directory));
    const unknown = readdirSync(this.layersDir).filter((name) => /^\d+$/.test(name) && !known.has(name));
    let adopted = 0;
    for (const directory of unknown) {
      const layer = await this.#measure(directory).catch(() => undefined);
      if (layer === undefined || this.get(layer.diffId)) continue;
      this.#note(layer, []);
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

  #load(): Map<Digest, Row> {
    const rows = new Map<Digest, Row>();
    for (const row of this.#db.sql('SELECT * FROM layers').all()) {
      const directory = String(row.n);
      if (!existsSync(join(this.layersDir, directory))) continue;
      const diffId = String(row.diff_id) as Digest;
      rows.set(diffId, {
        layer: { diffId, directory, sizeBytes: Number(row.size_bytes), tarBytes: Number(row.tar_bytes) },
        replaced: JSON.parse(String(row.replaced)) as Replaced[],
      });
    }
    return rows;
  }

  #target(name: string): UnpackTarget {
    const directory = join(this.layersDir, name);
    return { directory, skeleton: `${directory}.skeleton`, replaced: `${directory}.replaced` };
  }

  /** Everything on disk that no row and no running work accounts for. */
  #leftovers(): string[] {
    const known = new Set([...this.#rows.values()].map(({ layer }) => layer.directory));
    return readdirSync(this.layersDir)
      .filter((name) => !known.has(name.replace(/\.(skeleton|replaced)$/, '')))
      .filter((name) => !this.#busy.has(name.split('.', 1)[0] ?? ''))
      .map((name) => join(this.layersDir, name));
  }

  async #unpackNow(source: LayerSource, signal: AbortSignal): Promise<Layer> {
    const directory = String(this.#next++);
    this.#busy.add(directory);
    const partial = this.#target(`${directory}.partial`);
    try {
      const request = {
        target: partial,
        expectedHex: source.blob === undefined ? undefined : hexOf(source.blob),
        consumed: source.consumed,
      };
      const result = await this.#unpacker.unpack(source.open(), request, signal);
      const diffId = digestOfHex(result.plainHex);
      const expected = source.blob ?? digestOfHex(result.compressedHex);
      if (digestOfHex(result.compressedHex) !== expected) throw verificationFailed(expected);
      if (source.diffId !== undefined && source.diffId !== diffId) throw diffIdMismatch(source.diffId, diffId);
      const there = this.get(diffId);
      if (there) {
        await this.#unpacker.remove(Object.values(partial));
        return there;
      }
      const { sizeBytes, plainBytes: tarBytes, replaced } = result;
      const layer: Layer = { diffId, directory, sizeBytes, tarBytes };
      await this.#settle(layer, partial, replaced);
      return layer;
    } catch (error) {
      await this.#unpacker.remove(Object.values(partial));
      throw error;
    } finally {
      this.#busy.delete(directory);
    }
  }

  async #settle(layer: Layer, partial: UnpackTarget, replaced: readonly Replaced[]): Promise<void> {
    const target = this.#target(layer.directory);
    await rename(partial.skeleton, target.skeleton);
    if (replaced.length > 0) await rename(partial.replaced, target.replaced);
    await rename(partial.directory, target.directory);
    this.#note(layer, replaced);
  }

  #note(layer: Layer, replaced: readonly Replaced[]): void {
    this.#db
      .sql(
        'INSERT INTO layers VALUES (?, ?, ?, ?, ?) ON CONFLICT (diff_id) DO UPDATE SET n = excluded.n, replaced = excluded.replaced',
      )
      .run(Number(layer.directory), layer.diffId, layer.sizeBytes, layer.tarBytes, JSON.stringify(replaced));
    this.#rows.set(layer.diffId, { layer, replaced });
  }
}

async function raceAbort(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
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
