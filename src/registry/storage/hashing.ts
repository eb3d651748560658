// Owns digests of content on its way into a store: of bytes in memory, and of uploads while they arrive. Touches no file.

import { createHash, type Hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { giveBack } from '../../lib/give-back.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import { HashThread, type ThreadHash } from './hash-thread.ts';

type Algorithm = 'sha256' | 'sha512';

/** Uploads that may be under way with a running hash; others are read once more when they finish. */
const RUNNING_MAX = 4096;
/** Less than this at once is no upload worth another thread. */
const THREAD_MIN_BYTES = 256 * 1024;

/** The digest that a finished hash stands for. */
export function digestOfHash(algorithm: Algorithm, hash: Hash): Digest {
  const digest = parseAnyDigest(`${algorithm}:${hash.digest('hex')}`);
  if (!digest) throw new TypeError(`no digest of ${algorithm}`);
  return digest;
}

/** The digest of bytes in memory. */
export function digestBytes(algorithm: Algorithm, bytes: Uint8Array): Digest {
  return digestOfHash(algorithm, createHash(algorithm).update(bytes));
}

/** A sha256 of an upload's first `bytes` bytes. */
export class RunningHash {
  bytes = 0;
  readonly #thread: HashThread;
  /** Chosen at the first bytes: what comes in large pieces that may be kept goes to the thread, a small blob is hashed here. */
  #hash: Hash | ThreadHash | undefined;

  constructor(thread: HashThread) {
    this.#thread = thread;
  }

  /** Takes the bytes that follow, and their memory where `isHandedOver`. */
  async update(pieces: readonly Uint8Array[], isHandedOver = false): Promise<void> {
    const bytes = pieces.reduce((total, piece) => total + piece.length, 0);
    this.bytes += bytes;
    this.#hash ??= isHandedOver && bytes >= THREAD_MIN_BYTES ? this.#thread.begin() : createHash('sha256');
    if (!isLocal(this.#hash)) return this.#hash.update(pieces, isHandedOver);
    for (const piece of pieces) {
      this.#hash.update(piece);
      if (isHandedOver) giveBack(piece);
    }
  }

  /** Undefined when it was lost. */
  async digest(): Promise<Digest | undefined> {
    this.#hash ??= createHash('sha256');
    if (isLocal(this.#hash)) return digestOfHash('sha256', this.#hash.copy());
    const hex = await this.#hash.digest();
    return hex === undefined ? undefined : parseAnyDigest(`sha256:${hex}`);
  }

  forget(): void {
    if (this.#hash && !isLocal(this.#hash)) this.#hash.forget();
  }
}

const isLocal = (hash: Hash | ThreadHash): hash is Hash => 'copy' in hash;

/** The sha256 of each upload so far, so that finishing needs no second reading. Forgetting one is never wrong, only slower. */
export class RunningHashes implements AsyncDisposable {
  readonly #thread = new HashThread();
  readonly #running = new LRUCache<string, RunningHash>({ max: RUNNING_MAX, dispose: (running) => running.forget() });

  begin(id: string): void {
    this.#running.set(id, new RunningHash(this.#thread));
  }

  /** The running hash when it covers exactly `sizeBytes`. */
  take(id: string, sizeBytes: number): RunningHash | undefined {
    const running = this.#running.get(id);
    return running?.bytes === sizeBytes ? running : undefined;
  }

  /** Drops a hash that does not agree with what is stored. */
  settle(id: string, sizeBytes: number): void {
    if (this.#running.peek(id)?.bytes !== sizeBytes) this.#running.delete(id);
  }

  /** The digest of the whole upload, when its hash ran along to `sizeBytes`. */
  async digest(id: string, sizeBytes: number, algorithm: Algorithm): Promise<Digest | undefined> {
    return algorithm === 'sha256' ? this.take(id, sizeBytes)?.digest() : undefined;
  }

  forget(id: string): void {
    this.#running.delete(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.clear();
    await this.#thread[Symbol.asyncDispose]();
  }
}
