// Owns one layer's way from compressed bytes to files: hash, inflate, hash, tar, files, all as one stream. Runs in a worker.
//
// Inflating runs on libuv's threads while this thread hashes and writes the piece before it.

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { compressionOf, inflateError, inflaterFor, MAGIC_BYTES } from '../../../host/inflate/index.ts';
import { removeTreeSync } from '../../../host/remove-tree.ts';
import { cancelled } from '../../../lib/abort.ts';
import { ioError } from '../../../lib/errno.ts';
import { GantryError, isGantryError } from '../../../lib/errors.ts';
import { TarReader } from '../../../lib/tar/index.ts';
import type { UnpackResult, UnpackTarget } from './messages.ts';
import { SkeletonWriter } from './skeleton.ts';
import { LayerTree } from './tree.ts';

/** Inflated pieces that may wait for this thread. */
const QUEUE_MAX = 4;
/** How often the owner hears of work that needs long for one piece of input. */
const SIGN_OF_LIFE_MS = 1_000;

export interface PipelineOptions {
  readonly target: UnpackTarget;
  /** When the bytes as they come have another sha256, that is what the failure says. */
  readonly expectedHex: string | undefined;
  /** What the plain tar must hash to. Where it does, damage behind the tar's last byte is none. */
  readonly plainHex: string | undefined;
  readonly exactModes: boolean;
  /** Called as input bytes are used up: the sender's allowance, and the memory that nothing here uses any more. */
  readonly consumed: (bytes: number, memory?: ArrayBuffer) => void;
}

/** Feed it with write, then end or abort; `result` settles once, after a failure with nothing left on disk. */
export class LayerPipeline {
  readonly result: Promise<UnpackResult>;
  readonly #options: PipelineOptions;
  readonly #outcome = Promise.withResolvers<UnpackResult>();
  readonly #compressedHash = createHash('sha256');
  readonly #plainHash = createHash('sha256');
  readonly #tree: LayerTree;
  readonly #skeleton: SkeletonWriter;
  readonly #reader: TarReader;
  #entries = 0;
  #compressedBytes = 0;
  #plainBytes = 0;
  #head: Buffer | undefined = Buffer.alloc(0);
  #inflater: Duplex | undefined;
  /** What broke the stream behind bytes that may be all there is. */
  #brokenOff: GantryError | undefined;
  #heardAt = performance.now();
  #queue: { readonly bytes: Buffer; readonly done: (() => void) | undefined }[] = [];
  #scheduled = false;
  #inputEnded = false;
  #plainEnded = false;
  #failure: unknown;
  #settled = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.result = this.#outcome.promise;
    try {
      mkdirSync(options.target.directory, { mode: 0o755 });
    } catch (error) {
      throw ioError(error, 'mkdir', options.target.directory);
    }
    try {
      this.#tree = new LayerTree({
        directory: options.target.directory,
        replacedDirectory: options.target.replaced,
        exactModes: options.exactModes,
      });
      this.#skeleton = new SkeletonWriter(options.target.skeleton);
    } catch (error) {
      removeTarget(options.target);
      throw error;
    }
    this.#reader = new TarReader({
      frame: (bytes) => this.#skeleton.literal(bytes),
      entry: (entry) => {
        this.#entries++;
        this.#tree.entry(entry);
        const path = this.#tree.filePath;
        if (path === undefined) return;
        for (const { offset, length } of entry.segments ?? [{ offset: 0, length: entry.size }]) {
          if (length > 0) this.#skeleton.payload(path, this.#entries, length, offset);
        }
      },
      data: (bytes, offset) => {
        if (this.#tree.filePath === undefined) this.#skeleton.literal(bytes);
        else this.#tree.data(bytes, offset);
      },
      entryEnd: () => this.#tree.entryEnd(),
    });
  }

  /** `memory` is all of what holds `bytes`: it is handed back when they are done with. */
  write(bytes: Buffer, memory?: ArrayBuffer): void {
    if (this.#settled) return;
    this.#compressedHash.update(bytes);
    this.#compressedBytes += bytes.length;
    if (this.#failure === undefined && this.#head === undefined && !this.#plainEnded) {
      this.#inflate(bytes, () => this.#options.consumed(bytes.length, memory));
      return;
    }
    if (this.#head !== undefined) this.#head = Buffer.concat([this.#head, bytes]);
    this.#options.consumed(bytes.length, memory);
    if (this.#head === undefined) return;
    if (this.#head.length >= MAGIC_BYTES) this.#begin();
  }

  end(): void {
    if (this.#settled) return;
    this.#inputEnded = true;
    if (this.#failure === undefined && this.#head !== undefined) this.#begin();
    if (this.#failure !== undefined) this.#settleFailure(this.#failure);
    else if (this.#inflater && !this.#plainEnded) this.#inflater.end();
    else this.#endPlain();
  }

  /** Gives up at once. */
  abort(): void {
    this.#settleFailure(cancelled());
  }

  #begin(): void {
    const head = this.#head ?? Buffer.alloc(0);
    this.#head = undefined;
    try {
      this.#inflater = inflaterFor(compressionOf(head));
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#inflater?.on('data', (piece: Buffer) => {
      this.#enqueue(piece, undefined);
      if (this.#queue.length >= QUEUE_MAX) this.#inflater?.pause();
    });
    this.#inflater?.on('end', () => this.#endInflated());
    this.#inflater?.on('error', (error) => this.#breakOff(inflateError(error)));
    this.#inflate(head, () => {});
  }

  /** A damaged end is no loss where the plain bytes before it are those that were promised. @source dockerd 28.5 */
  #breakOff(error: GantryError): void {
    if (this.#options.plainHex === undefined || error.kind !== 'invalid') {
      this.#fail(error);
      return;
    }
    this.#brokenOff = error;
    this.#endInflated();
  }

  /** What input may still come is of no use to the inflater, and only hashed. */
  #endInflated(): void {
    if (!this.#inputEnded) this.#options.consumed(Number.POSITIVE_INFINITY);
    this.#endPlain();
  }

  #inflate(bytes: Buffer, done: () => void): void {
    if (this.#inflater) this.#inflater.write(bytes, done);
    else this.#enqueue(bytes, done);
  }

  #enqueue(bytes: Buffer, done: (() => void) | undefined): void {
    this.#queue.push({ bytes, done });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  /** One piece per turn, so that the inflater is handed back to its thread in between. */
  #drain(): void {
    this.#scheduled = false;
    if (this.#settled || this.#failure !== undefined) return;
    const next = this.#queue.shift();
    try {
      if (next) {
        this.#plainHash.update(next.bytes);
        this.#plainBytes += next.bytes.length;
        this.#reader.write(next.bytes);
        next.done?.();
        this.#showLife();
      }
      if (this.#queue.length > 0) this.#schedule();
      else if (this.#plainEnded) {
        if (this.#inputEnded) this.#finish();
        return;
      }
      if (this.#queue.length < QUEUE_MAX && this.#inflater?.isPaused()) this.#inflater.resume();
    } catch (error) {
      this.#fail(isGantryError(error, 'invalid') ? (this.#brokenOff ?? error) : error);
    }
  }

  #showLife(): void {
    const now = performance.now();
    if (now - this.#heardAt < SIGN_OF_LIFE_MS) return;
    this.#heardAt = now;
    this.#options.consumed(0);
  }

  #endPlain(): void {
    this.#plainEnded = true;
    this.#schedule();
  }

  #finish(): void {
    const plainHex = this.#plainHash.digest('hex');
    if (this.#brokenOff && plainHex !== this.#options.plainHex) throw this.#brokenOff;
    this.#reader.end();
    this.#tree.finish();
    this.#skeleton.end();
    this.#close();
    this.#outcome.resolve({
      compressedHex: this.#compressedHash.digest('hex'),
      plainHex,
      compressedBytes: this.#compressedBytes,
      plainBytes: this.#plainBytes,
      sizeBytes: this.#tree.sizeBytes,
      replaced: this.#tree.replaced,
    });
  }

  /** Bad data may be the fault of damaged bytes: the rest is still hashed, to say so. Other failures end it at once. */
  #fail(error: unknown): void {
    if (this.#settled || this.#failure !== undefined) return;
    this.#failure = error;
    this.#head = undefined;
    this.#inflater?.removeAllListeners('data');
    this.#inflater?.destroy();
    this.#options.consumed(Number.POSITIVE_INFINITY);
    this.#queue = [];
    const mayBeDamage = this.#options.expectedHex !== undefined && isGantryError(error, 'invalid');
    if (!mayBeDamage || this.#inputEnded) this.#settleFailure(error);
  }

  #settleFailure(error: unknown): void {
    if (this.#settled) return;
    const { expectedHex, target } = this.#options;
    let shown = error;
    if (this.#inputEnded && expectedHex !== undefined && this.#compressedHash.digest('hex') !== expectedHex) {
      shown = verificationFailed(expectedHex);
    }
    this.#inflater?.destroy();
    this.#close();
    removeTarget(target);
    this.#outcome.reject(shown);
  }

  #close(): void {
    this.#settled = true;
    this.#tree[Symbol.dispose]();
    this.#skeleton[Symbol.dispose]();
  }
}

/** @source dockerd 28.5: distribution/pull_v2.go */
function verificationFailed(hex: string): GantryError {
  return new GantryError('system', 'DIGEST_MISMATCH', `filesystem layer verification failed for digest sha256:${hex}`);
}

/** Removes whatever of a layer is there. */
function removeTarget(target: UnpackTarget): void {
  for (const path of [target.directory, target.skeleton, target.replaced]) {
    removeTreeSync(path);
  }
}
