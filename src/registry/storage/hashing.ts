// Owns digests of content on its way into a store: of bytes in memory, and of uploads while they arrive. Touches no file.

import { createHash, type Hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';

type Algorithm = 'sha256' | 'sha512';

/** Uploads that may be under way with a running hash; others are read once more when they finish. */
const RUNNING_MAX = 4096;

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
export interface RunningHash {
  readonly hash: Hash;
  bytes: number;
}

/** The sha256 of each upload so far, so that finishing needs no second reading. Forgetting one is never wrong, only slower. */
export class RunningHashes {
  readonly #running = new LRUCache<string, RunningHash>({ max: RUNNING_MAX });

  begin(id: string): void {
    this.#running.set(id, { hash: createHash('sha256'), bytes: 0 });
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
  digest(id: string, sizeBytes: number, algorithm: Algorithm): Digest | undefined {
    if (algorithm !== 'sha256') return undefined;
    const running = this.take(id, sizeBytes);
    return running && digestOfHash('sha256', running.hash.copy());
  }

  forget(id: string): void {
    this.#running.delete(id);
  }

  clear(): void {
    this.#running.clear();
  }
}
