// Owns layers that lie in memory: the port of the image verbs. It keeps state as the store does, and can be damaged and made to fail.

import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressionOf } from '../../../host/inflate/index.ts';
import { itemsUntilCancelled, untilCancelled } from '../../../lib/abort.ts';
import { GantryError } from '../../../lib/errors.ts';
import { type TarEntry, TarReader } from '../../../lib/tar/index.ts';
import type { Digest } from '../../../spec/digest.ts';
import { digestOf } from '../../../store/blobs.ts';
import type { Layer } from '../layer-rows.ts';
import type { Layers } from '../layers.ts';

type Source = Parameters<Layers['unpack']>[0];

export class FakeLayers implements Layers {
  readonly layersDir = '/layers';
  /** `unpack <diff id>`, `sweep`, … in the order of the calls. */
  readonly calls: string[] = [];
  readonly holds = new Map<Digest, number>();
  readonly #tars = new Map<Digest, Buffer>();
  readonly #layers = new Map<Digest, Layer>();
  readonly #damage = new Map<Digest, string>();
  readonly #running = new Map<Digest, Promise<unknown>>();
  /** What each call of that name fails with. */
  readonly failures = new Map<'unpack' | 'sweep' | 'tar', Error>();
  freezes = 0;
  #next = 1;

  /** Says what is wrong with a layer from now on. */
  damage(diffId: Digest, words: string): void {
    this.#damage.set(diffId, words);
  }

  /** Loses a layer, as a disk would. */
  lose(diffId: Digest): void {
    this.#layers.delete(diffId);
  }

  /** Puts a layer there, as an earlier verb would have. */
  have(tar: Buffer): Layer {
    return this.#put(digestOf(tar), tar);
  }

  get(diffId: Digest): Layer | undefined {
    return this.#layers.get(diffId);
  }

  async isWhole(diffId: Digest): Promise<boolean> {
    this.calls.push(`isWhole ${diffId}`);
    return this.#layers.has(diffId) && !this.#damage.has(diffId);
  }

  async whyUnusable(diffId: Digest): Promise<string | undefined> {
    return this.#layers.has(diffId) ? this.#damage.get(diffId) : 'it is not there';
  }

  async unpack(source: Source, signal: AbortSignal): Promise<Layer> {
    const { diffId } = source;
    this.calls.push(`unpack ${diffId ?? 'something'}`);
    if (diffId === undefined) return this.#unpackNow(source, signal);
    for (;;) {
      const there = this.#damage.has(diffId) ? undefined : this.#layers.get(diffId);
      if (there) return there;
      const running = this.#running.get(diffId);
      if (!running) break;
      const ended = running.catch(() => {});
      await untilCancelled(ended, signal);
    }
    const work = this.#unpackNow(source, signal).finally(() => this.#running.delete(diffId));
    this.#running.set(diffId, work);
    return work;
  }

  hold(diffIds: readonly Digest[]): Disposable {
    for (const id of diffIds) this.holds.set(id, (this.holds.get(id) ?? 0) + 1);
    return once(() => {
      for (const id of diffIds) {
        const left = (this.holds.get(id) ?? 0) - 1;
        if (left > 0) this.holds.set(id, left);
        else this.holds.delete(id);
      }
    });
  }

  freeze(): Disposable {
    this.freezes++;
    return once(() => {
      this.freezes--;
    });
  }

  tar(diffId: Digest): AsyncIterable<Buffer> {
    const tar = this.#tars.get(diffId);
    if (!tar || !this.#layers.has(diffId)) {
      throw new GantryError('system', 'NO_SUCH_LAYER', `layer ${diffId} does not exist`);
    }
    const failure = this.failures.get('tar');
    return (async function* () {
      yield tar.subarray(0, 512);
      if (failure) throw failure;
      yield tar.subarray(512);
    })();
  }

  /** In memory nothing is left that no record names. */
  async adopt(): Promise<number> {
    return 0;
  }

  async sweep(wanted: ReadonlySet<Digest>): Promise<number> {
    this.calls.push('sweep');
    const failure = this.failures.get('sweep');
    if (failure) throw failure;
    if (this.freezes > 0) return 0;
    let bytes = 0;
    for (const [diffId, { sizeBytes }] of this.#layers) {
      if (wanted.has(diffId) || this.holds.has(diffId)) continue;
      this.#layers.delete(diffId);
      bytes += sizeBytes;
    }
    return bytes;
  }

  async #unpackNow({ open, blob, diffId, consumed }: Source, signal: AbortSignal): Promise<Layer> {
    const failure = this.failures.get('unpack');
    if (failure) throw failure;
    const pieces: Uint8Array[] = [];
    let total = 0;
    for await (const piece of itemsUntilCancelled(open(), signal)) {
      pieces.push(piece);
      total += piece.length;
      consumed?.(total);
    }
    const bytes = Buffer.concat(pieces);
    if (blob !== undefined && digestOf(bytes) !== blob) {
      throw new GantryError('system', 'DIGEST_MISMATCH', `filesystem layer verification failed for digest ${blob}`);
    }
    const tar = plain(bytes);
    const got = digestOf(tar);
    if (diffId !== undefined && got !== diffId) {
      throw new GantryError('invalid', 'DIFF_ID_MISMATCH', `invalid diffID: expected ${diffId}, got ${got}`);
    }
    return this.#put(got, tar);
  }

  #put(diffId: Digest, tar: Buffer): Layer {
    const layer = { diffId, directory: String(this.#next++), sizeBytes: payloadBytes(tar), tarBytes: tar.length };
    this.#tars.set(diffId, tar);
    this.#layers.set(diffId, layer);
    this.#damage.delete(diffId);
    return layer;
  }
}

function plain(bytes: Buffer): Buffer {
  const compression = compressionOf(bytes);
  if (compression === 'gzip') return gunzipSync(bytes);
  return compression === 'zstd' ? zstdDecompressSync(bytes) : bytes;
}

/** Sum of the sizes of a tar's files. */
function payloadBytes(tar: Buffer): number {
  let bytes = 0;
  const entry = ({ size }: TarEntry): void => {
    bytes += size;
  };
  const reader = new TarReader({ entry, data() {}, entryEnd() {} });
  reader.write(tar);
  return bytes;
}

function once(act: () => void): Disposable {
  let done = false;
  return {
    [Symbol.dispose]() {
      if (!done) act();
      done = true;
    },
  };
}
